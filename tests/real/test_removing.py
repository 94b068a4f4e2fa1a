"""Removing snapshots: told of while it goes on, interrupted, and gone on with."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from chroot_tool.core.errors import Cancelled, ChrootError
from chroot_tool.core.events import Event, Stage
from chroot_tool.core.local_engine import LocalEngine
from support import Cli
from support.killing import killed
from support.trees import small

pytestmark = pytest.mark.root

ENOUGH = 600
"""Files of which somebody is told at least once while they are removed."""


@pytest.fixture
def deb(tmp_path: Path) -> Path:
    deb = small(tmp_path / "deb")
    for number in range(ENOUGH):
        (deb / f"etc/{number}").touch()
    return deb


@pytest.fixture
def engine(tmp_path: Path) -> LocalEngine:
    return LocalEngine(str(tmp_path))


class Stop:
    """A `report` that stops the work as soon as it tells of *stage*, and keeps what was told."""

    def __init__(self, stage: str) -> None:
        self._stage = stage
        self.cancelled = threading.Event()
        self.told: list[str] = []

    def __call__(self, event: Event) -> None:
        assert isinstance(event, Stage)
        self.told.append(event.stage)
        if event.stage.startswith(self._stage):
            self.cancelled.set()


def store(deb: Path) -> list[str]:
    every = deb.parent / ".chroot-tool/snapshots"
    own = every / "deb"
    return sorted(os.listdir(own if own.exists() else every))


def test_before_the_first_file_is_gone_the_snapshot_is_whole(
    engine: LocalEngine, deb: Path
) -> None:
    engine.take_snapshot(str(deb), "one")
    stop = Stop("removing one")
    with pytest.raises(Cancelled, match=f"the snapshot one of {deb} was not removed"):
        engine.remove_snapshot(str(deb), "one", report=stop, cancelled=stop.cancelled)
    assert store(deb) == ["one"]


def test_half_way_it_is_a_snapshot_no_more_and_the_next_goes_on(
    cli: Cli, engine: LocalEngine, deb: Path
) -> None:
    engine.take_snapshot(str(deb), "one")
    stop = Stop("removing one, 500 files gone")
    with pytest.raises(Cancelled, match="stopped half-way") as caught:
        engine.remove_snapshot(str(deb), "one", report=stop, cancelled=stop.cancelled)
    assert caught.value.hint.startswith(f"chroot-tool snapshot remove one -d {deb} goes on")
    assert (engine.snapshots(str(deb)), store(deb)) == ((), [".one.removing"])
    assert "snapshot one removed" in cli("snapshot", "remove", "one", "-d", deb).stderr
    assert store(deb) == []
    with pytest.raises(ChrootError, match="no snapshot 'one'"):
        engine.remove_snapshot(str(deb), "one")


@pytest.mark.slow
def test_what_a_kill_has_left_the_next_snapshot_removes_and_says_so(
    engine: LocalEngine, deb: Path
) -> None:
    engine.take_snapshot(str(deb), "one")
    killed("before core.trees.remove:tree", "remove_snapshot", deb, "one")
    told = Stop("nothing")
    engine.take_snapshot(str(deb), "two", report=told)
    assert told.told[0] == "removing what a kill has left"
    assert store(deb) == ["two"]


@pytest.mark.slow
def test_a_restore_that_discards_tells_of_it(engine: LocalEngine, deb: Path) -> None:
    engine.take_snapshot(str(deb), "one")
    told = Stop("nothing")
    engine.restore_snapshot(str(deb), "one", keep=False, report=told)
    assert told.told[-2:] == ["removing what it was", "done"]


def test_deleted_without_all_of_its_snapshots_delete_goes_on(
    cli: Cli, engine: LocalEngine, deb: Path
) -> None:
    engine.take_snapshot(str(deb), "one")
    stop = Stop("removing its snapshots, 500 files gone")
    with pytest.raises(Cancelled, match="is deleted, but not all of its snapshots") as caught:
        engine.delete(str(deb), report=stop, cancelled=stop.cancelled)
    assert caught.value.hint == f"chroot-tool delete -d {deb} goes on"
    assert (deb.exists(), store(deb)) == (False, [".deb.removing"])
    assert cli("delete", "-d", deb).returncode == 2  # it asks
    done = cli("delete", "-d", deb, "--yes")
    assert (done.returncode, "what was left of it is deleted" in done.stderr) == (0, True)
    assert store(deb) == []
    assert cli("delete", "-d", deb, "--yes").returncode == 1


@pytest.mark.parametrize("marked", [False, True])
@pytest.mark.parametrize("is_there", [False, True])
def test_what_a_killed_clone_has_left_goes_with_its_name(
    cli: Cli, deb: Path, tmp_path: Path, *, is_there: bool, marked: bool
) -> None:
    rest = tmp_path / ".new.cloning"
    (rest / ".chroot-tool-create" if marked else rest).mkdir(parents=True)
    if is_there:
        cli.ok("clone", "-d", deb, tmp_path / "new")
        (rest / ".chroot-tool-create" if marked else rest).mkdir(parents=True)
        again = cli("clone", "-d", deb, tmp_path / "new")
        assert (again.returncode, rest.exists()) == (1, False)
        (rest / ".chroot-tool-create" if marked else rest).mkdir(parents=True)
    cli.ok("delete", "-d", tmp_path / "new", "--yes")
    assert not rest.exists()
    assert deb.exists()
