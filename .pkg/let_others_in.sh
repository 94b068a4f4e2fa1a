#!/bin/sh
# let_others_in.sh CHECKOUT COMMAND…: runs it where other users can get to the checkout, as what
# tests start as such has to. Where a directory above lets nobody through, as /root does, one that
# does is laid over it, and the checkout itself over that. In the caller's mount namespace, which
# is to be one of its own: nothing is changed on disk.
set -eu

here=$1
shift

# is_closed DIRECTORY: whether others may not go through it.
is_closed() {
    case $(stat -c %a -- "$1") in *[1357]) return 1 ;; esac
}

top=
way=$here
while way=${way%/*} && [ -n "$way" ]; do
    if is_closed "$way"; then top=$way; fi
done
if [ -n "$top" ]; then
    exec 8<"$top" 9<"$here"
    mount -t tmpfs -o mode=0755 tmpfs "$top"
    mkdir "$top/changed" "$top/work"
    mount -t overlay overlay "$top" \
        -o "lowerdir=/proc/self/fd/8,upperdir=$top/changed,workdir=$top/work"
    way=$here
    while way=${way%/*} && [ "$way" != "${top%/*}" ]; do
        if is_closed "$way"; then chmod a+x -- "$way"; fi
    done
    # As it stands: a link that is read would lead to what is below the overlay.
    mount --no-canonicalize --bind /proc/self/fd/9 "$here"
    exec 8<&- 9<&-
    cd "$here"
fi
exec "$@"
