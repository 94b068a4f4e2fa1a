"""What takes the disk, folder by folder: counted as du does, and never beyond the chroot."""

from __future__ import annotations

import errno
import os
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

from chroot_tool.core.errors import Cancelled, ChrootError
from chroot_tool.core.events import Event, Stage, ignore
from chroot_tool.core.kernel import answering
from chroot_tool.core.kernel.rootpath import Root
from chroot_tool.core.local_engine import LocalEngine
from chroot_tool.core.trees import usage as module
from chroot_tool.core.trees.usage import FILE, FOLDER, MOUNT, REST, Usage, usage
from support import Cli

HOSTILE = ("new\nline", "\x1b]0;owned\x07", "\udcff\udc80", "[red]", "-rf", " ")


def du(place: Path) -> int:
    """What du says, which is not ours."""
    said = subprocess.run(
        ["du", "-x", "-s", "--block-size=1", place], capture_output=True, text=True, check=True
    ).stdout
    return int(said.split()[0])


def fill(path: Path, size: int) -> None:
    path.write_bytes(b"x" * size)
    # Blocks are given out late: what stat says of a new file changes until it is written.
    with path.open() as file:
        os.fsync(file.fileno())


def of(place: Path, folder: str = "") -> dict[str, Usage]:
    with Root(str(place)) as root:
        return {one.name: one for one in usage(root, folder, ignore)}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "usr/share/doc").mkdir(parents=True)
    fill(root / "usr/share/big", 300_000)
    fill(root / "usr/small", 5_000)
    (root / "etc").mkdir()
    fill(root / "etc/conf", 20_000)
    fill(root / "log", 100_000)
    return root


def test_each_thing_counts_with_all_that_is_below(tree: Path) -> None:
    found = of(tree)
    assert list(found) == ["usr", "log", "etc"], "the biggest first"
    assert found["usr"].size == du(tree / "usr")
    assert found["etc"].size == du(tree / "etc")
    assert found["log"].size == du(tree / "log")
    assert [one.kind for one in found.values()] == [FOLDER, FILE, FOLDER]
    assert found["usr"].items == 4
    inner = of(tree, "/usr/")
    assert list(inner) == ["share", "small"]
    assert inner["share"].size == du(tree / "usr/share")


def test_what_is_smaller_than_the_biggest_is_one(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(20):
        (tree / "etc" / f"small {number}").mkdir()
        fill(tree / "etc" / f"small {number}" / "file", 1000)
    fill(tree / "etc/second", 10_000)
    whole = du(tree / "etc") - os.stat(tree / "etc").st_blocks * 512
    monkeypatch.setattr(module, "MOST", 2)
    *told, rest = of(tree, "etc").values()
    assert [one.name for one in told] == ["conf", "second"]
    assert (rest.name, rest.kind, rest.items) == ("", REST, 40)
    assert sum(one.size for one in (*told, rest)) == whole
    monkeypatch.setattr(module, "MOST", 22)
    assert REST not in {one.kind for one in of(tree, "etc").values()}


def test_a_file_of_several_names_counts_once(tree: Path) -> None:
    before = of(tree)["usr"].size
    os.link(tree / "usr/share/big", tree / "usr/share/again")
    assert of(tree)["usr"].size == before
    assert of(tree)["usr"].items == 5


def test_links_lead_nowhere(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    fill(tmp_path / "outside/huge", 900_000)
    (tree / "link").symlink_to(tmp_path / "outside")
    (tree / "usr/loop").symlink_to("/usr")
    os.mkfifo(tree / "pipe")
    found = of(tree)
    assert found["link"].size < 10_000
    assert found["usr"].size < 400_000
    assert "outside" not in {name for folder in ("..", "../..", "usr/../..") for name in
                             _or_nothing(tree, folder)}  # fmt: skip
    for folder in ("link", "log", "none", "usr/loop/share", "pipe"):
        with pytest.raises(ChrootError):
            of(tree, folder)


def _or_nothing(tree: Path, folder: str) -> dict[str, Usage]:
    try:
        return of(tree, folder)
    except ChrootError:
        return {}


def test_names_are_as_the_file_system_has_them(tree: Path) -> None:
    for name in HOSTILE:
        (tree / "usr" / name).mkdir()
        (tree / "usr" / name / name).write_bytes(b"x")
    assert set(HOSTILE) < of(tree, "usr").keys()
    for name in HOSTILE:
        assert list(of(tree, f"usr/{name}")) == [name]


def test_it_says_how_far_it_is_and_can_be_stopped(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_TELL", 0.0)
    said: list[Event] = []
    stop = threading.Event()

    def report(event: Event) -> None:
        said.append(event)
        stop.set()

    with Root(str(tree)) as root, pytest.raises(Cancelled):
        usage(root, "", report, stop)
    assert isinstance(said[0], Stage)
    assert said[0].stage.startswith("counting: ")


def test_want_of_descriptors_is_an_error_that_whoever_waits_is_told(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk view counted for ever: its thread had died of it."""

    def refuse() -> bool:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(answering, "may_wait", refuse)
    with pytest.raises(ChrootError, match="Too many open files"):
        LocalEngine("").usage(str(tree))


def test_what_is_no_chroot(tmp_path: Path) -> None:
    with pytest.raises(ChrootError, match="is no chroot"):
        LocalEngine("/srv").usage(str(tmp_path))


@pytest.mark.root
def test_no_mount_is_crossed(cli: Cli, tiny_chroot: Path) -> None:
    off = {one.name: one for one in LocalEngine("/srv").usage(str(tiny_chroot))}
    cli.ok("on", "-d", tiny_chroot)
    fill(tiny_chroot / "tmp/much", 900_000)
    engine = LocalEngine("/srv")
    found = {one.name: one for one in engine.usage(str(tiny_chroot))}
    assert {found[name].kind for name in ("proc", "sys", "dev", "tmp")} == {MOUNT}
    assert {found[name].size for name in ("proc", "sys", "dev", "tmp")} == {0}
    assert found["bin"].size == off["bin"].size
    for folder in ("proc", "tmp", "/dev/pts"):
        with pytest.raises(ChrootError, match=r"tmp|proc|dev"):
            engine.usage(str(tiny_chroot), folder)


def test_a_folder_that_goes_meanwhile_is_an_error_with_its_name(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = getattr(module, "mounted_below")  # noqa: B009 (that it imports it is its own affair)

    def late(*words: Any) -> Any:
        (tree / "usr").rename(tree / "usr.old")
        return look(*words)

    monkeypatch.setattr(module, "mounted_below", late)
    with pytest.raises(ChrootError, match="usr"):
        of(tree, "usr")
