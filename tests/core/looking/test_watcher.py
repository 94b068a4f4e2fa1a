"""The stream of snapshots: what is looked at again costs those who show it nothing."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from chroot_tool.core.kernel import syscalls
from chroot_tool.core.looking import watch
from chroot_tool.core.looking.watch import Watcher
from support import Cli


def test_what_is_looked_at_again_and_is_the_same_stays_the_same_value(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name / "chroot.d").mkdir(parents=True)
    watcher = Watcher(str(tmp_path))
    try:
        first = watcher.snapshot().chroots
        (tmp_path / "two/chroot.d/chroot.toml").write_text('tags = ["other"]\n')
        watcher._due.everything = True
        second = watcher.snapshot().chroots
    finally:
        watcher.close()
    assert second[0] is first[0]
    assert second[1].tags == ("other",)


def test_where_nothing_is_due_it_is_the_very_look_before(tmp_path: Path) -> None:
    (tmp_path / "one/chroot.d").mkdir(parents=True)
    watcher = Watcher(str(tmp_path))
    try:
        first = watcher.snapshot()
        watcher._due.mounts = True
        second = watcher.snapshot()
        third = watcher.snapshot()  # as when somebody has forked elsewhere
    finally:
        watcher.close()
    assert second == first
    assert second is not first
    assert third is second


def test_the_chroots_stand_in_the_order_of_their_names_however_they_came(tmp_path: Path) -> None:
    for name in ("one", "three", "two"):
        (tmp_path / name / "chroot.d").mkdir(parents=True)
    watcher = Watcher(str(tmp_path))
    try:
        watcher.snapshot()
        (tmp_path / "new/chroot.d").mkdir(parents=True)
        (tmp_path / "two").rename(tmp_path / "a")
        watcher._due.chroots |= {"new", "a", "two"}
        found = watcher.snapshot().chroots
    finally:
        watcher.close()
    assert [one.name for one in found] == ["a", "new", "one", "three"]


@pytest.mark.root
def test_the_mounts_of_one_that_is_renamed_behind_our_back_go_along(
    tiny_chroot: Path, cli: Cli
) -> None:
    """The kernel tells nobody of it: no mount has come or gone."""
    cli.ok("on", "-d", tiny_chroot)
    moved = tiny_chroot.with_name("moved")
    watcher = Watcher(str(tiny_chroot.parent))
    try:
        watcher.snapshot()
        tiny_chroot.rename(moved)
        watcher.wait()
        found = {one.name: one.state for one in watcher.snapshot().chroots}
    finally:
        watcher.close()
        moved.rename(tiny_chroot)
        cli.ok("off", "-d", tiny_chroot)
    assert found == {"moved": "on"}


def test_who_wakes_it_after_its_end_writes_into_nothing(tmp_path: Path) -> None:
    """As when a request is stopped twice, and is just about to have ended."""
    watcher = Watcher(str(tmp_path))
    watcher.close()
    # Somebody else's, by the number that has become free.
    taken = [os.eventfd(0, os.EFD_NONBLOCK) for _ in range(20)]
    try:
        watcher.wake()
        for fd in taken:
            with pytest.raises(BlockingIOError):
                os.eventfd_read(fd)
    finally:
        for fd in taken:
            os.close(fd)


@pytest.mark.slow
def test_where_others_have_used_up_inotify_it_looks_now_and_then_until_there_is_some(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def used_up() -> int:
        raise OSError(errno.EMFILE, "Too many open files")

    def seen() -> list[tuple[str, tuple[str, ...]]]:
        return [(one.name, one.tags) for one in watcher.snapshot().chroots]

    def until(wanted: list[tuple[str, tuple[str, ...]]]) -> None:
        while seen() != wanted:
            watcher.wait()

    (tmp_path / "one/chroot.d").mkdir(parents=True)
    inotify = syscalls.inotify_init
    monkeypatch.setattr(syscalls, "inotify_init", used_up)
    watcher = Watcher(str(tmp_path))
    try:
        assert seen() == [("one", ())]
        late = watcher.snapshot().late
        assert late
        assert "inotify" in late.message
        (tmp_path / "one/chroot.d/chroot.toml").write_text('tags = ["a"]\n')
        until([("one", ("a",))])
        (tmp_path / "two/chroot.d").mkdir(parents=True)
        until([("one", ("a",)), ("two", ())])
        monkeypatch.setattr(syscalls, "inotify_init", inotify)
        while watcher.snapshot().late:
            watcher.wait()
        for clock in ("_POLL", "_EVERYTHING"):
            monkeypatch.setattr(watch, clock, 3600.0)
        (tmp_path / "one/chroot.d/chroot.toml").write_text('tags = ["b"]\n')  # followed since
        until([("one", ("b",)), ("two", ())])
        (tmp_path / "three/chroot.d").mkdir(parents=True)
        until([("one", ("b",)), ("three", ()), ("two", ())])
    finally:
        watcher.close()
