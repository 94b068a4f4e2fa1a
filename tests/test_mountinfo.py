"""mountinfo: every field of a line, hostile mount points, order, the table that follows."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chroot_tool.core.mountfeed import MountFeed
from chroot_tool.core.mountinfo import MountEntry, MountTable, parse_line, stacked

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


@pytest.mark.root
def test_the_feed_tells_what_changed(tmp_path: Path) -> None:
    base = tmp_path / "base"
    for name in ("one/m", "two/m"):
        (base / name).mkdir(parents=True)
    feed = MountFeed(str(base))
    try:
        assert feed.refresh()
        assert feed.refresh() == set()
        point = base / "one" / "m"
        subprocess.run(["mount", "-t", "tmpfs", "none", point], check=True)
        assert feed.refresh() == {str(point)}
        assert [e.target for e in feed.table("one").below(str(base))] == [str(point)]
        assert feed.table("two").below(str(base)) == []
        subprocess.run(["mount", "-o", "remount,bind,ro", point], check=True)
        assert feed.refresh() == {str(point)}
        subprocess.run(["umount", point], check=True)
        assert feed.refresh() == {str(point)}
        assert feed.table("one").below(str(base)) == []
    finally:
        feed.close()


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
