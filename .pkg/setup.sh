# shellcheck shell=sh disable=SC2154,SC3013 # $here is the caller's; -nt is POSIX since 2024
# Makes the machine and .venv ready; read by chroot-tool.sh and dev, which set $here to the
# absolute path of the checkout. Says everything on stderr and reads no stdin: both belong to
# the command that is started afterwards.

venv=$here/.venv
# What the tool starts, as PROGRAM:PACKAGE. debootstrap itself would do with Debian 13's sqv.
# shellcheck disable=SC2034 # for those who read this file
programs="debootstrap:debootstrap gpgv:gpgv mount:mount zstd:zstd"

# is_ready KIND: whether .venv holds what KIND, run or test, needs. Builtins only, since every
# start asks. The stamp is as old as the pyproject.toml that .venv was installed from.
is_ready() {
    is_whole "$1" && ! [ "$here/pyproject.toml" -nt "$venv/ready-$1" ]
}

# is_whole KIND: the same, but perhaps of an older pyproject.toml. The stamp names the checkout,
# because a moved one leaves a .pth file and scripts with the old path. .venv links the
# interpreter by its full version, so -x fails once an upgrade has taken that away.
is_whole() {
    [ -x "$venv/bin/python" ] && [ -e "$venv/ready-$1" ] &&
        IFS= read -r made_for <"$venv/ready-$1" && [ "$made_for" = "$here" ]
}

# set_up KIND [PROGRAM:PACKAGE]…: installs the programs and the environment, where missing. One
# at a time: the lock is on the checkout's directory. Whatever was killed half-way left no stamp.
set_up() {
    command -v flock >/dev/null || fail 1 "missing: util-linux (flock)"
    (
        flock -n 9 || { say "waiting for another set-up of this checkout" && flock 9; }
        unset PYTHONHOME PYTHONPATH
        umask 022
        PATH=$PATH:/usr/sbin:/sbin
        kind=$1
        shift
        missing=
        for wanted in "$@"; do
            command -v "${wanted%:*}" >/dev/null || missing="$missing ${wanted#*:}"
        done
        is_ready "$kind" || find_python >/dev/null || missing="$missing python3 python3-venv"
        # shellcheck disable=SC2086 # a list of package names
        [ -z "$missing" ] || install_packages $missing
        is_ready "$kind" || install_venv "$kind"
    ) </dev/null >&2 9<"$here" || exit
}

say() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
}

# fail CODE MESSAGE…: ends this shell; $failure_code, where set, replaces CODE.
fail() {
    code=${failure_code:-$1}
    shift
    say "$*"
    exit "$code"
}

# The system's Python before any other in PATH: pyenv's or an active venv's may vanish any day.
find_python() {
    for candidate in /usr/bin/python3 python3; do
        "$candidate" -I -c 'import ensurepip, os, sys, venv
sys.version_info >= (3, 11) or sys.exit(1)
print(os.path.realpath(sys._base_executable))' 2>/dev/null && return
    done
    return 1
}

install_packages() {
    command -v apt-get >/dev/null ||
        fail 1 "missing: $*; this is no Debian: install them (or what they are called here) by hand"
    [ "$(id -u)" = 0 ] || fail 5 "missing: $*; start it once as root, which installs them"
    say "installing $* (apt)"
    log=$(mktemp) || fail 1 "no temporary file could be made"
    # The usual reasons to fail: lists that are missing or old, an apt that was killed.
    if ! apt_get install "$@" &&
        ! { dpkg --configure -a >/dev/null 2>&1 9<&- && apt_get update && apt_get install "$@"; }
    then
        reason=$(grep '^E:' "$log" | tail -n 1)
        rm -f "$log"
        fail 1 "apt could not install $*: ${reason:-no reason given}"
    fi
    rm -f "$log"
}

# Without the lock's descriptor: a daemon that a package starts would hold the lock for ever.
apt_get() {
    DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends \
        -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@" >"$log" 2>&1 9<&-
}

install_venv() {
    python=$(find_python) ||
        fail 1 "Python 3.11 or newer is needed; $(python3 -V 2>&1) is what this system has"
    trap 'fail 130 "interrupted; the next start begins where it has to"' INT
    if ! is_whole run; then
        say "making the Python environment in .venv: the first time only, a minute or two"
        said=$({ rm -rf "$venv" && "$python" -I -m venv "$venv"; } 2>&1) || {
            printf '%s\n' "$said" >&2
            fail 1 "cannot make $venv; why is above"
        }
    fi
    say "installing Python packages into .venv (pip)"
    rm -f "$venv"/ready-*
    # As old as pyproject.toml is now: if it is edited meanwhile, the next start installs again.
    { printf '%s\n' "$here" >"$venv/new" && touch -r "$here/pyproject.toml" "$venv/new"; } ||
        fail 1 "cannot write to $venv"
    case $1 in
        run) pip install -e "$here" ;;
        # Dependency groups came with pip 25.1; Debian 12 has 23.
        test) pip install 'pip>=25.1' && pip install -e "$here" --group "$here/pyproject.toml:test" ;;
    esac || fail 1 "pip could not install what pyproject.toml asks for; its words are above"
    # What serves the tests serves the tool.
    cp -p "$venv/new" "$venv/ready-run" && mv "$venv/new" "$venv/ready-$1"
    trap - INT
}

pip() {
    "$venv/bin/python" -I -m pip -qq --no-input --disable-pip-version-check "$@"
}
