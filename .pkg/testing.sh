# shellcheck shell=sh disable=SC2154 # $here and $bin are the caller's
# Runs the tests of the checkout $here by the environment whose programs are in $bin; read by dev and
# .ci/row, which have read setup.sh.

# apart COMMAND…: runs it in a mount namespace of its own. In a chroot, whose root is no mount
# point, propagation can't be changed: there the root is bound over /proc first, as in
# core/creating/namespaces.py.
apart() {
    if [ "$(id -u)" != 0 ]; then
        "$@"
    elif mountpoint -q /; then
        unshare --mount --propagation private "$@"
    else
        # shellcheck disable=SC2016 # for the inner shells
        unshare --mount --propagation unchanged sh -c '
            mount --make-rprivate /proc && mount --rbind / /proc && mount --make-rprivate /proc &&
            exec chroot /proc sh -c "cd \"\$0\" && exec \"\$@\"" "$@"' sh "$here" "$@"
    fi
}

# As many at once as tests/workers.py thinks good, one by one in the order that it gives them.
run_tests() {
    # On Debian 13 /tmp is a tmpfs with nodev, in which no chroot can be made.
    export TMPDIR="${TMPDIR:-/var/tmp}"
    [ "$(id -u)" = 0 ] || say "not root: the tests marked root are left out"
    set -- "$bin/python" -m pytest -n auto --dist loadgroup --no-loadscope-reorder "$@"
    [ "$(id -u)" != 0 ] || set -- sh "$here/.pkg/let_others_in.sh" "$here" "$@"
    apart "$@"
}
