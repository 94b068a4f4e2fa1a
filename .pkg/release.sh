# shellcheck shell=sh disable=SC2154 # $here and $bin are the caller's
# Makes a release; read by dev. What is built comes first, and is tagged only when all of it is
# there: whatever fails before, or is interrupted, leaves the checkout as it was.

# release VERSION: commits and tags it; its artefacts and their checksums go to dist/.
release() {
    may_release "$@"
    say "trying each row of docs/support.md: what is told to be supported"
    try_rows || fail 1 "what docs/support.md says does not hold"
    (
        cd "$here"
        made=$(mktemp -d)
        tagged=
        trap 'rm -rf "$made"; [ -n "$tagged" ] || git checkout -q HEAD -- $written' EXIT
        trap 'exit 130' INT TERM
        # The commit has it as its time: who builds from the tag gets the same files.
        SOURCE_DATE_EPOCH=$(date +%s)
        export SOURCE_DATE_EPOCH
        write_version "$1"
        say "building $1"
        "$bin/python" -m build --no-isolation --outdir "$made" "$here" >"$made/log" 2>&1 ||
            { cat "$made/log" >&2 && fail 1 "the wheel could not be built"; }
        rm "$made/log"
        build_deb "$made"
        (cd "$made" && sha256sum -- * >SHA256SUMS)
        tag_version "$1"
        tagged=yes
        mkdir -p dist
        mv "$made"/* dist
        say "v$1 is tagged, and built in dist/: git push --follow-tags"
    )
}

# Fails where a row has failed. One that this machine has no Python for is said, and in CI fails.
try_rows() {
    "$here/.ci/matrix" </dev/null >&2
}

written="CHANGELOG.md .pkg/chroot_tool/__init__.py"

# Fails where VERSION can be none, or what it would be made of is not what is committed.
may_release() {
    expr "${1-}" : '[0-9]\{1,\}\.[0-9]\{1,\}\.[0-9]\{1,\}$' >/dev/null ||
        fail 2 "which version? ./dev release X.Y.Z"
    was=$(sed -n 's/^__version__ = "\(.*\)"/\1/p' "$here/.pkg/chroot_tool/__init__.py")
    dirty=$(git -C "$here" status --porcelain) || fail 1 "a release is made of a git checkout"
    [ -z "$dirty" ] || fail 1 "there are changes that are not committed: git status"
    ! git -C "$here" rev-parse -q --verify "refs/tags/v$1" >/dev/null ||
        fail 1 "v$1 is tagged already"
    tagged=$(git -C "$here" tag --list 'v[0-9]*')
    [ -z "$tagged" ] || dpkg --compare-versions "$1" gt "$was" || fail 1 "$1 is not above $was"
    # It stands in the package, and is where apt's users are told to write to.
    ! grep -q '^Maintainer:.*\.example>' "$here/debian/control" ||
        fail 1 "nobody reads the maintainer's address: write a real one into debian/control"
    [ -n "$(notes Unreleased)" ] || fail 1 "CHANGELOG.md says nothing that is new: [Unreleased]"
}

# notes SECTION: what CHANGELOG.md says of a version.
notes() {
    sed -n "/^## \[$1\]/,/^## \[/{/^## \[/d;p;}" "$here/CHANGELOG.md" | sed '/./,$!d'
}

write_version() {
    today=$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%d)
    sed -i "s/^## \[Unreleased\]\$/&\n\n## [$1] - $today/" CHANGELOG.md
    sed -i "s/^__version__ = .*/__version__ = \"$1\"/" .pkg/chroot_tool/__init__.py
}

# shellcheck disable=SC2086 # $written is a list
tag_version() {
    export GIT_AUTHOR_DATE="$SOURCE_DATE_EPOCH +0000" GIT_COMMITTER_DATE="$SOURCE_DATE_EPOCH +0000"
    git commit -q -m "Release $1" -- $written
    notes "$1" | git tag -a --cleanup=verbatim -F - "v$1" ||
        { git reset -q HEAD^ && fail 1 "v$1 could not be tagged"; }
}
