"""mountinfo: every field of a line, hostile mount points, order, the table that follows."""

from __future__ import annotations

import errno
import os
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chroot_tool.core.kernel import syscalls
from chroot_tool.core.kernel.mount_feed import MountFeed
from chroot_tool.core.kernel.mount_table import (
    MountEntry,
    MountReader,
    MountTable,
    parse_line,
    stacked,
)

LINE = "36 35 98:0 /mnt1 /mnt/parent/mnt2 rw,noatime master:1 propagate_from:2 - ext3 /dev/root rw"


def escape(path: str) -> str:
    table = {" ": "\\040", "\t": "\\011", "\n": "\\012", "\\": "\\134", "#": "\\043"}
    return "".join(table.get(c, c) for c in path)


def entry(ident: int, parent: int, target: str, **fields: str) -> MountEntry:
    return parse_line(
        f"{ident} {parent} {fields.get('device', '0:9')} {fields.get('root', '/')} "
        f"{escape(target)} rw,relatime{fields.get('optional', '')} - "
        f"{fields.get('fs', 'tmpfs')} none rw"
    )


def test_every_field() -> None:
    one = parse_line(LINE)
    assert (one.id, one.parent, one.device) == (36, 35, "98:0")
    assert (one.root, one.target) == ("/mnt1", "/mnt/parent/mnt2")
    assert one.options == ("rw", "noatime")
    assert one.optional == ("master:1", "propagate_from:2")
    assert (one.fs, one.source, one.super_options) == ("ext3", "/dev/root", ("rw",))


@pytest.mark.parametrize(
    ("optional", "propagation"),
    [
        ("", "private"),
        (" shared:4", "shared"),
        (" master:4", "slave"),
        (" shared:4 master:2", "shared"),
        (" unbindable", "unbindable"),
    ],
)
def test_propagation(optional: str, propagation: str) -> None:
    assert entry(1, 0, "/a", optional=optional).propagation == propagation


@pytest.mark.parametrize("line", ["", "1 2 3", LINE.replace(" - ", " "), "x" + LINE])
def test_what_is_no_line_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_line(line)


names = st.text(
    st.characters(exclude_characters="\0/", exclude_categories=["Cs"]), min_size=1
) | st.binary(min_size=1).map(
    lambda raw: raw.replace(b"\0", b"0").replace(b"/", b"-").decode("utf-8", "surrogateescape")
)


@given(names)
def test_any_name_survives(name: str) -> None:
    line = LINE.replace("/mnt/parent/mnt2", escape(f"/srv/{name}")) + "\n"
    table = MountTable.parse(line.encode("utf-8", "surrogateescape"))
    assert [one.target for one in table.entries] == [f"/srv/{name}"]
    assert [one.id for one in table.below("/srv")] == [36]


def test_below_is_by_components() -> None:
    table = MountTable(
        entry(i, 1, path)
        for i, path in enumerate(["/x/deb/a", "/x/deb2/a", "/x/deb", "/x/deb-1", "/x/deb/b/c"], 10)
    )
    assert [one.target for one in table.below("/x/deb")] == ["/x/deb/a", "/x/deb/b/c"]
    assert [one.target for one in table.below("/")] == sorted(e.target for e in table.entries)


def test_a_stack_is_ordered_by_parents_not_by_lines() -> None:
    top, bottom, middle = entry(9, 8, "/a"), entry(7, 1, "/a"), entry(8, 7, "/a")
    assert [one.id for one in stacked([top, bottom, middle])] == [7, 8, 9]


@pytest.fixture(params=["listmount", "a kernel without"])
def feed(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[MountFeed]:
    for name in ("one/m", "one/n", "two/m"):
        (tmp_path / name).mkdir(parents=True)
    if request.param != "listmount":
        monkeypatch.setattr(syscalls, "listmount", unknown_call)
    feed = MountFeed(str(tmp_path))
    yield feed
    feed.close()


def unknown_call() -> list[int]:
    raise OSError(errno.ENOSYS, "listmount")


def mount(*words: str | Path) -> None:
    subprocess.run(["mount", *words], check=True)


def umount(*points: Path) -> None:
    subprocess.run(["umount", *points], check=True)


@pytest.mark.root
def test_the_feed_tells_what_changed(tmp_path: Path, feed: MountFeed) -> None:
    assert feed.refresh()
    assert feed.refresh() == set()
    point = tmp_path / "one" / "m"
    mount("-t", "tmpfs", "none", point)
    assert feed.refresh() == {str(point)}
    assert [e.target for e in feed.table("one").below(str(tmp_path))] == [str(point)]
    assert feed.table("two").below(str(tmp_path)) == []
    mount("-o", "remount,bind,ro", point)
    assert feed.refresh() == {str(point)}
    assert feed.table("one").at(str(point))[0].options[0] == "ro"
    umount(point)
    assert feed.refresh() == {str(point)}
    assert feed.table("one").below(str(tmp_path)) == []


@pytest.mark.root
def test_the_feed_reads_only_what_is_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        syscalls.listmount()
    except OSError:
        pytest.skip("needs listmount: Linux 6.8")
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    feed = MountFeed("/srv")
    feed.refresh()
    monkeypatch.setattr(MountReader, "whole", None)
    listed = 0
    real = syscalls.listmount

    def listmount() -> list[int]:
        nonlocal listed
        listed += 1
        return real()

    monkeypatch.setattr(syscalls, "listmount", listmount)
    try:
        mount("-t", "tmpfs", "none", one)
        assert feed.refresh() == {str(one)}
        assert listed == 1
        mount("--bind", one, two)
        umount(one)
        assert feed.refresh() == {str(one), str(two)}
        mount("-t", "tmpfs", "none", one)
        umount(one)
        mount("-t", "tmpfs", "none", one)
        assert feed.refresh() == {str(one)}
        umount(one, two)
        assert feed.refresh() == {str(one), str(two)}
    finally:
        feed.close()


@pytest.mark.root
def test_what_changed_beside_a_new_mount_is_found(tmp_path: Path, feed: MountFeed) -> None:
    old, new = tmp_path / "one/m", tmp_path / "two/m"
    mount("-t", "tmpfs", "none", old)
    feed.refresh()
    assert feed.is_sure
    mount("-o", "remount,bind,ro", old)
    mount("-t", "tmpfs", "none", new)
    seen = feed.refresh()
    assert str(new) in seen
    assert feed.is_sure == (str(old) in seen)
    assert seen | feed.refresh(whole=True) == {str(old), str(new)}
    assert feed.is_sure
    umount(old, new)


@pytest.mark.slow
@pytest.mark.root
@pytest.mark.parametrize("seed", range(4))
def test_the_feed_is_the_table(tmp_path: Path, feed: MountFeed, seed: int) -> None:
    """Whatever is done in whatever order: what it is sure of is what the kernel has."""
    pick = random.Random(seed)
    points = [tmp_path / name for name in ("one/m", "one/n", "two/m")]
    mount("-t", "tmpfs", "none", tmp_path / "one")
    for point in points:
        point.mkdir(exist_ok=True)
    detached: list[int] = []
    feed.refresh()
    for _ in range(60):
        for _ in range(pick.choice((1, 1, 2, 3))):
            point = pick.choice(points)
            mounted = MountTable.read().at(str(point))
            match pick.choice(("mount", "umount", "flags", "move", "keep", "attach")):
                case "mount":
                    mount("-t", "tmpfs", "none", point)
                case "umount" if mounted:
                    umount(point)
                case "flags" if mounted:
                    mount("-o", f"remount,bind,{pick.choice(('ro', 'rw', 'nosuid'))}", point)
                case "move" if mounted:
                    mount("--move", point, pick.choice([one for one in points if one != point]))
                case "keep":  # a copy whose id is older than its place in the table
                    clone = syscalls.OPEN_TREE_CLONE
                    detached.append(syscalls.open_tree(syscalls.AT_FDCWD, str(tmp_path), clone))
                case "attach" if detached:
                    tree = detached.pop()
                    parent = os.open(point.parent, os.O_PATH)
                    syscalls.move_mount(tree, parent, point.name, str(point))
                    os.close(parent)
                    os.close(tree)
        if pick.random() < 0.7:
            feed.refresh()
            assert not feed.is_sure or content(feed, tmp_path) == content_now(tmp_path)
    feed.refresh(whole=True)
    assert content(feed, tmp_path) == content_now(tmp_path)
    for tree in detached:
        os.close(tree)
    for left in sorted(content_now(tmp_path), key=lambda one: one.target, reverse=True):
        umount(Path(left.target))


def content(feed: MountFeed, base: Path) -> set[MountEntry]:
    return {e for name in ("one", "two") for e in feed.table(name).below(str(base))}


def content_now(base: Path) -> set[MountEntry]:
    return set(MountTable.read().below(str(base)))


@pytest.mark.slow
@pytest.mark.root
def test_a_table_of_many_pages_is_read_whole(tmp_path: Path) -> None:
    points = [tmp_path / f"{'deep' * 12}{i}" for i in range(120)]
    try:
        for point in points:
            point.mkdir()
            subprocess.run(["mount", "-t", "tmpfs", "none", point], check=True)
        below = {e.target for e in MountTable.read().below(str(tmp_path))}
        assert below == {str(point) for point in points}
    finally:
        subprocess.run(["umount", *points], check=False)
