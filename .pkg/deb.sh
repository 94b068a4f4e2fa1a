# shellcheck shell=sh disable=SC2154 # $here and $bin are the caller's
# Builds the Debian package; read by dev. What it is made of are the source distribution, as for the
# wheel, and the wheels that debian/vendored.txt pins: from the same of both, the same bytes.

# build_deb FOLDER: puts chroot-tool_VERSION_all.deb there.
build_deb() (
    folder=$(mkdir -p "$1" && CDPATH='' cd -- "$1" && pwd) || fail 1 "cannot write to $1"
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    umask 022
    unset DEB_BUILD_OPTIONS DEB_BUILD_PROFILES
    SOURCE_DATE_EPOCH=$(when)
    export SOURCE_DATE_EPOCH LC_ALL=C.UTF-8
    "$bin/python" -m build --sdist --no-isolation --outdir "$work" "$here" >"$work/log" 2>&1 &&
        mkdir "$work/tree" && tar -C "$work/tree" --strip-components 1 -xf "$work"/*.tar.gz ||
        broken "the sources could not be packed"
    # Whatever Python this is: the wheels that every Debian's can read.
    pip download --require-hashes --no-deps --only-binary :all: --platform any \
        --dest "$work/tree/vendored" -r "$here/debian/vendored.txt" >>"$work/log" 2>&1 ||
        broken "pip could not fetch what debian/vendored.txt pins"
    cd "$work/tree"
    entry >debian/changelog
    # -d: what it is made with is here (dev); beside that it would ask for a compiler.
    dpkg-buildpackage -b -d -us -uc >>"$work/log" 2>&1 || broken "dpkg-buildpackage failed"
    lintian --allow-root --fail-on error,warning "$work"/*.deb || fail 1 "lintian finds fault with it"
    mv "$work"/*.deb "$folder"
)

# Shows what was said last, and fails.
broken() {
    tail -n 30 "$work/log" >&2
    fail 1 "$*"
}

# When it was last changed: two builds of the same are to be the same.
when() {
    echo "${SOURCE_DATE_EPOCH:-$(git -C "$here" log -1 --format=%ct 2>/dev/null ||
        stat -c %Y "$here/CHANGELOG.md")}"
}

# The entry of debian/changelog: the version stands in one place, what has changed in another.
entry() {
    version=$(sed -n 's/^__version__ = "\(.*\)"/\1/p' "$here/.pkg/chroot_tool/__init__.py")
    maintainer=$(sed -n 's/^Maintainer: //p' "$here/debian/control")
    printf 'chroot-tool (%s) unstable; urgency=medium\n\n  * See CHANGELOG.md.\n\n -- %s  %s\n' \
        "$version" "$maintainer" "$(date -uR -d "@$SOURCE_DATE_EPOCH")"
}
