"""The trash: what `delete --trash` has put there is had back as it was, or goes for good."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier

import pytest

from chroot_tool.core.errors import BusyError, ChrootError, LockedError
from chroot_tool.core.events import Event, Warned
from chroot_tool.core.kernel import btrfs
from chroot_tool.core.local_engine import LocalEngine
from chroot_tool.core.trees import built_aside, trash
from chroot_tool.core.trees.snapshot_store import SnapshotDirectory
from chroot_tool.core.trees.trash import Trash
from support import Cli, mounts_below
from support.disks import disk
from support.killing import killed
from support.outer_terminal import only
from support.own_units import own_units
from support.waiting import waiting

pytestmark = pytest.mark.root


def bare(path: Path) -> Path:
    for name in ("chroot.d", "bin", "etc"):
        (path / name).mkdir(parents=True)
    (path / "bin/sh").touch()
    (path / "etc/own").write_text(path.name)
    return path


def engine(base: Path) -> LocalEngine:
    return LocalEngine(str(base))


def ids(base: Path) -> list[str]:
    return [one.id for one in engine(base).trash(str(base))]


def test_there_and_back_with_its_snapshots(cli: Cli, tmp_path: Path) -> None:
    deb = bare(tmp_path / "deb")
    inode = deb.stat().st_ino
    cli.ok("snapshot", "first", "-d", deb)
    said = cli("delete", "-d", deb, "--yes", "--trash", "2").stderr
    assert "in the trash as deb-" in said
    assert "trash restore deb" in said
    assert not deb.exists()
    assert cli.json("list", "--base", tmp_path) == []
    [one] = cli.json("trash", "list", "--base", tmp_path)
    assert one["name"] == "deb"
    assert one["path"] == str(deb)
    assert one["size"] > 0
    assert 86400 < one["until"] - one["deleted"] <= 2 * 86400
    assert (tmp_path / ".chroot-tool/trash").stat().st_mode & 0o777 == 0o700
    assert one["id"] in cli.ok("trash", "list", "--base", tmp_path)
    assert (
        "back from the trash, and off" in cli("trash", "restore", "deb", "--base", tmp_path).stderr
    )
    assert deb.stat().st_ino == inode
    assert (deb / "etc/own").read_text() == "deb"
    assert [s["name"] for s in cli.json("snapshot", "list", "-d", deb)] == ["first"]
    assert cli.json("trash", "list", "--base", tmp_path) == []
    assert os.listdir(tmp_path / ".chroot-tool/trash") == []


def test_one_that_is_on_is_off_before(cli: Cli, tiny_chroot: Path) -> None:
    base = tiny_chroot.parent
    cli.ok("on", "-d", tiny_chroot)
    inside = subprocess.Popen([*cli.argv("run", "sleep 1000", "-d", tiny_chroot)])
    try:
        only(tiny_chroot, "sleep")  # else it comes while that is at work
        cli.ok("delete", "-d", tiny_chroot, "--yes", "--trash", "1")
    finally:
        inside.kill()
        inside.wait()
    assert not mounts_below(base)
    cli.ok("trash", "restore", tiny_chroot.name, "--base", base)
    cli.ok("on", "-d", tiny_chroot)
    cli.ok("off", "-d", tiny_chroot)


def test_of_several_of_a_name_the_last_comes_back_and_any_by_its_id(tmp_path: Path) -> None:
    at = engine(tmp_path)
    for content in ("one", "two"):
        (bare(tmp_path / "deb") / "etc/own").write_text(content)
        at.delete(str(tmp_path / "deb"), trash=1)
        time.sleep(0.01)  # their times differ
    last, first = at.trash(str(tmp_path))
    assert at.restore_trashed(str(tmp_path / "deb")) == str(tmp_path / "deb")
    assert (tmp_path / "deb/etc/own").read_text() == "two"
    with pytest.raises(ChrootError, match="is there again") as raised:
        at.restore_trashed(str(tmp_path / "deb"))
    assert "rename" in raised.value.hint
    assert ids(tmp_path) == [first.id]
    assert last.id != first.id
    at.rename(str(tmp_path / "deb"), "other")
    at.restore_trashed(str(tmp_path / "deb"), first.id)
    assert (tmp_path / "deb/etc/own").read_text() == "one"


def test_what_is_not_in_it_is_said(cli: Cli, tmp_path: Path) -> None:
    done = cli("trash", "restore", "deb", "--base", tmp_path)
    assert done.returncode == 1
    assert "there is no 'deb' in the trash" in done.stderr
    assert cli("trash", "restore", "--base", tmp_path).returncode == 2
    assert cli("trash", "empty", "--base", tmp_path).returncode == 2
    assert cli("delete", "-d", tmp_path, "--trash", "0", "--yes").returncode == 2
    bare(tmp_path / "deb")
    cli.ok("delete", "-d", tmp_path / "deb", "--yes", "--trash", "1")
    done = cli("trash", "empty", "deb", "nope", "--yes", "--base", tmp_path)
    assert done.returncode == 1
    assert len(ids(tmp_path)) == 1


def test_it_is_emptied_by_command(cli: Cli, tmp_path: Path) -> None:
    for name in ("a", "b"):
        bare(tmp_path / name)
        cli.ok("snapshot", "first", "-d", tmp_path / name)
        cli.ok("delete", "-d", tmp_path / name, "--yes", "--trash", "1")
    [gone] = cli.events("trash", "empty", "a", "--yes", "--base", tmp_path)[-1]["removed"]
    assert gone.startswith("a-")
    assert len(ids(tmp_path)) == 1
    cli.ok("trash", "empty", "--yes", "--base", tmp_path)
    assert os.listdir(tmp_path / ".chroot-tool/trash") == []


def test_what_is_over_its_time_goes_at_the_next_delete(tmp_path: Path) -> None:
    at = engine(tmp_path)
    for name in ("old", "new", "gone"):
        bare(tmp_path / name)
    at.delete(str(tmp_path / "old"), trash=1e-9)
    at.delete(str(tmp_path / "new"), trash=1)
    assert [one.name for one in at.trash(str(tmp_path))] == ["new"]
    at.delete(str(tmp_path / "gone"))
    assert [one.name for one in at.trash(str(tmp_path))] == ["new"]


def be_over(base: Path, ident: str) -> None:
    """Have the time of an entry be over."""
    about = base / ".chroot-tool/trash" / ident / "about.json"
    about.write_text(about.read_text().replace('"until": ', '"until": 1e-9, "was": '))


@contextmanager
def stuck(base: Path, ident: str) -> Iterator[None]:
    """Have an immutable file in an entry."""
    trash = base / ".chroot-tool/trash"
    subprocess.run(["chattr", "+i", trash / ident / "root/etc/own"], check=True)
    try:
        yield
    finally:
        subprocess.run(["chattr", "-R", "-i", trash], check=True)


def test_what_cannot_go_keeps_nothing_else_there(tmp_path: Path) -> None:
    at, told = engine(tmp_path), list[object]()
    trash = tmp_path / ".chroot-tool/trash"
    there = {}
    for name in ("a", "b", "c"):
        bare(tmp_path / name)
        there[name] = at.delete(str(tmp_path / name), trash=1)
    be_over(tmp_path, there["a"])
    be_over(tmp_path, there["c"])  # the latest, and so the first to go
    with stuck(tmp_path, there["c"]):
        at.delete(str(bare(tmp_path / "other")), report=told.append)
        assert "chattr -i" in str(told)
        assert sorted(os.listdir(trash)) == [f".{there['c']}.removing", there["b"]]
        be_over(tmp_path, there["b"])
        told.clear()
        at.delete(str(bare(tmp_path / "other")), report=told.append)  # what is left from before
        assert "chattr -i" in str(told)
        assert os.listdir(trash) == [f".{there['c']}.removing"]
    at.delete(str(bare(tmp_path / "other")))
    assert os.listdir(trash) == []


def test_emptying_it_fails_after_all_that_can_go_is_gone(tmp_path: Path) -> None:
    at = engine(tmp_path)
    first, _ = (at.delete(str(bare(tmp_path / name)), trash=1) for name in ("a", "b"))
    with stuck(tmp_path, first):
        with pytest.raises(ChrootError) as raised:
            at.empty_trash(str(tmp_path))
        assert "chattr -i" in raised.value.hint
        assert os.listdir(tmp_path / ".chroot-tool/trash") == [f".{first}.removing"]
    at.empty_trash(str(tmp_path))
    assert os.listdir(tmp_path / ".chroot-tool/trash") == []


@contextmanager
def held(base: Path, ident: str) -> Iterator[int]:
    """Have somebody else be at work on an entry."""
    fd = os.open(base / ".chroot-tool/trash" / ident, os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    try:
        yield fd
    finally:
        fcntl.flock(fd, fcntl.LOCK_UN)
        os.close(fd)


def unlock(fd: int) -> None:
    fcntl.flock(fd, fcntl.LOCK_UN)


@pytest.mark.parametrize("verb", ["restore", "empty"])
def test_who_has_an_entry_for_a_moment_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    at, deb = engine(tmp_path), bare(tmp_path / "deb")
    ident = at.delete(str(deb), trash=1)
    with held(tmp_path, ident) as fd:
        monkeypatch.setattr(built_aside, "time", waiting(lambda: unlock(fd)))
        if verb == "restore":
            at.restore_trashed(str(deb))
        else:
            at.empty_trash(str(tmp_path))
    assert deb.exists() == (verb == "restore")
    assert ids(tmp_path) == []


@pytest.mark.parametrize("verb", ["restore", "empty"])
def test_what_somebody_else_has_taken_out_meanwhile_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    at, deb = engine(tmp_path), bare(tmp_path / "deb")
    ident = at.delete(str(deb), trash=1)

    def taken_out() -> None:
        (tmp_path / ".chroot-tool/trash" / ident).rename(tmp_path / "away")
        unlock(fd)

    with held(tmp_path, ident) as fd:
        monkeypatch.setattr(built_aside, "time", waiting(taken_out))
        if verb == "restore":
            with pytest.raises(ChrootError, match="in the trash no more"):
                at.restore_trashed(str(deb))
        else:
            assert at.empty_trash(str(tmp_path)) == (ident,)
    assert (tmp_path / "away/root/etc/own").exists()


def test_a_rest_that_somebody_else_has_removed_meanwhile_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = engine(tmp_path)
    ident = at.delete(str(bare(tmp_path / "deb")), trash=1)
    room = tmp_path / ".chroot-tool/trash"
    rest = (room / ident).rename(room / f".{ident}.removing")

    def lock(*words: object) -> None:
        rest.rename(tmp_path / "gone")
        built_aside.lock(*words)  # type: ignore[arg-type]

    monkeypatch.setattr(trash, "lock", lock)
    assert at.empty_trash(str(tmp_path)) == ()
    assert os.listdir(room) == []


def test_what_no_kill_has_touched_is_looked_at_without_its_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = engine(tmp_path)
    for name in ("without", "with"):
        bare(tmp_path / name)
    at.take_snapshot(str(tmp_path / "with"), "first")
    there = [at.delete(str(tmp_path / name), trash=1) for name in ("without", "with")]
    monkeypatch.setattr(trash, "lock", lambda *_words: pytest.fail("it is locked"))
    assert sorted(ids(tmp_path)) == sorted(there)


def test_what_somebody_else_is_at_work_on_is_no_warning_of_a_delete(tmp_path: Path) -> None:
    at, told = engine(tmp_path), list[Event]()
    ident = at.delete(str(bare(tmp_path / "deb")), trash=1)
    be_over(tmp_path, ident)
    with held(tmp_path, ident):
        at.delete(str(bare(tmp_path / "other")), report=told.append)
        with pytest.raises(LockedError, match=f"at work on {ident} in the trash"):
            at.empty_trash(str(tmp_path))
    assert [one for one in told if isinstance(one, Warned)] == []
    assert ids(tmp_path) == [ident]


@pytest.mark.slow
def test_several_go_and_come_back_at_once(tmp_path: Path) -> None:
    at, failed = engine(tmp_path), list[ChrootError]()
    roots = [bare(tmp_path / name) for name in "abcd"]

    def all_at_once(do: Callable[[Path], object]) -> None:
        begin = Barrier(len(roots))

        def one(root: Path) -> None:
            begin.wait(60)
            try:
                do(root)
            except ChrootError as error:
                failed.append(error)

        with ThreadPoolExecutor(len(roots)) as pool:
            list(pool.map(one, roots))

    for _ in range(30):
        all_at_once(lambda root: at.delete(str(root), trash=1))
        all_at_once(lambda root: at.restore_trashed(str(root)))
    assert failed == []
    assert all((root / "etc/own").read_text() == root.name for root in roots)


def test_nothing_goes_with_a_mount_on_it_and_none_is_emptied_through(tmp_path: Path) -> None:
    at, precious = engine(tmp_path), tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("precious")
    bare(tmp_path / "deb")
    at.delete(str(tmp_path / "deb"), trash=1)
    [one] = at.trash(str(tmp_path))
    with Trash(str(tmp_path)) as trash:
        inner = f"{trash.place(one.id)}/root/etc"
    subprocess.run(["mount", "--bind", precious, inner], check=True)
    try:
        with pytest.raises(BusyError, match="is mounted"):
            at.empty_trash(str(tmp_path))
        assert ids(tmp_path) == [one.id]
    finally:
        subprocess.run(["umount", inner], check=True)
    at.empty_trash(str(tmp_path))
    assert (precious / "file").read_text() == "precious"


def test_what_is_unfinished_is_not_put_there(tmp_path: Path) -> None:
    deb = bare(tmp_path / "deb")
    (deb / ".chroot-tool-create").mkdir()
    with pytest.raises(ChrootError, match="incomplete"):
        engine(tmp_path).delete(str(deb), trash=1)
    assert deb.exists()


@pytest.mark.parametrize(
    "said", ["", "{", "[]", '{"name": "../x", "deleted": 1, "until": 1}', '{"name": 3}']
)
def test_what_is_said_in_it_may_be_anything(tmp_path: Path, said: str) -> None:
    at = engine(tmp_path)
    bare(tmp_path / "deb")
    ident = at.delete(str(tmp_path / "deb"), trash=1)
    about = tmp_path / ".chroot-tool/trash" / ident / "about.json"
    about.write_text(said)
    assert at.trash(str(tmp_path)) == ()
    assert (about.parent / "root/etc/own").exists()
    at.empty_trash(str(tmp_path))
    assert not about.parent.exists()


def all_is_there(at: LocalEngine, deb: Path) -> None:
    """The chroot, and its snapshot; and nothing that emptying the trash would take of them."""
    assert (deb / "etc/own").read_text() == "deb"
    assert [one.name for one in at.snapshots(str(deb))] == ["first"]
    at.empty_trash(str(deb.parent))
    assert os.listdir(deb.parent / ".chroot-tool/trash") == []
    assert (deb / "etc/own").read_text() == "deb"


PUT = [
    *(f"{when} core.trees.trash:renameat2 {n}" for when in ("before", "after") for n in (1, 2)),
    *(f"{when} core.trees.trash:SnapshotDirectory.give" for when in ("before", "after")),
    "after core.trees.trash:_write",
    "before core.host.boot:is_enabled",
]


@pytest.mark.parametrize("place", PUT)
def test_a_kill_on_the_way_there_loses_nothing(tmp_path: Path, place: str) -> None:
    at, deb = engine(tmp_path), bare(tmp_path / "deb")
    at.take_snapshot(str(deb), "first")
    killed(place, "delete", str(deb), trash=1)
    found = at.trash(str(tmp_path))
    if found:
        assert not deb.exists()
        at.restore_trashed(str(deb))
    all_is_there(at, deb)


BACK = [
    "before core.trees.trash:renameat2",
    "after core.trees.trash:renameat2",
    *(f"{when} core.trees.snapshot_store:SnapshotDirectory.take" for when in ("before", "after")),
    "before core.trees.trash:Trash._forget",
]


@pytest.mark.parametrize("place", BACK)
def test_a_kill_on_the_way_back_loses_nothing(tmp_path: Path, place: str) -> None:
    at, deb = engine(tmp_path), bare(tmp_path / "deb")
    at.take_snapshot(str(deb), "first")
    at.delete(str(deb), trash=1)
    killed(place, "restore_trashed", str(deb))
    if at.trash(str(tmp_path)):
        at.restore_trashed(str(deb))
    all_is_there(at, deb)


def test_a_kill_while_it_is_emptied_leaves_what_the_next_removes(tmp_path: Path) -> None:
    at, deb = engine(tmp_path), bare(tmp_path / "deb")
    at.take_snapshot(str(deb), "first")
    at.delete(str(deb), trash=1)
    killed("before core.trees.trash:discard", "empty_trash", str(tmp_path))
    assert at.trash(str(tmp_path)) == ()
    assert os.listdir(tmp_path / ".chroot-tool/trash")
    bare(tmp_path / "other")
    at.delete(str(tmp_path / "other"))
    assert os.listdir(tmp_path / ".chroot-tool/trash") == []


def test_other_snapshots_of_that_name_stay_and_its_own_are_told_of(tmp_path: Path) -> None:
    at, deb = engine(tmp_path), bare(tmp_path / "deb")
    at.take_snapshot(str(deb), "first")
    at.delete(str(deb), trash=1)
    snapshots = tmp_path / ".chroot-tool/snapshots/deb"
    (snapshots / "foreign").mkdir(parents=True)
    told: list[object] = []
    at.restore_trashed(str(deb), report=told.append)
    assert "stay in the trash" in str(told)
    assert deb.exists()
    (snapshots / "foreign").rmdir()
    snapshots.rmdir()
    at.trash(str(tmp_path))
    assert [one.name for one in at.snapshots(str(deb))] == ["first"]
    assert os.listdir(tmp_path / ".chroot-tool/trash") == []


def test_the_snapshots_of_a_later_chroot_of_that_name_stay_its_own(tmp_path: Path) -> None:
    at, deb = engine(tmp_path), bare(tmp_path / "deb")
    at.delete(str(deb), trash=1)
    bare(deb)
    at.take_snapshot(str(deb), "later")
    deb.rename(tmp_path / "away")
    at.trash(str(tmp_path))
    (tmp_path / "away").rename(deb)
    assert [one.name for one in at.snapshots(str(deb))] == ["later"]


def with_snapshots_left(cli: Cli, base: Path) -> tuple[Path, Path, str]:
    """A chroot that was had back, other snapshots of its name, and the id of its own ones."""
    deb, others = bare(base / "deb"), base / ".chroot-tool/snapshots/deb"
    cli.ok("snapshot", "first", "-d", deb)
    cli.ok("delete", "-d", deb, "--yes", "--trash", "1")
    (others / "foreign").mkdir(parents=True)
    assert "stay in the trash" in cli("trash", "restore", "deb", "--base", base).stderr
    [one] = cli.json("trash", "list", "--base", base)
    assert one["only_snapshots"]
    return deb, others, one["id"]


def test_snapshots_left_there_are_listed_and_had_back(cli: Cli, tmp_path: Path) -> None:
    deb, others, ident = with_snapshots_left(cli, tmp_path)
    assert "snapshots of deb" in cli.ok("trash", "list", "--base", tmp_path)
    done = cli("trash", "restore", ident, "--base", tmp_path)
    assert done.returncode == 1
    assert f"only the snapshots of {deb}, which has others" in done.stderr
    assert "back from the trash" not in done.stderr
    deb.rename(tmp_path / "away")
    done = cli("trash", "restore", ident, "--base", tmp_path)
    assert f"only the snapshots of {deb}, which is not there" in done.stderr
    bare(deb)  # no more the one that they were made of: they come only when they are asked for
    for place in (others / "foreign", others):
        place.rmdir()
    assert ids(tmp_path) == [ident]
    done = cli("trash", "restore", "deb", "--base", tmp_path)
    assert "putting its snapshots back" in done.stderr
    assert f"{deb}: back from the trash, and " in done.stderr
    assert [one["name"] for one in cli.json("snapshot", "list", "-d", deb)] == ["first"]
    assert os.listdir(tmp_path / ".chroot-tool/trash") == []


def test_snapshots_that_have_gone_back_by_themselves_meanwhile_are_back(
    cli: Cli, tmp_path: Path
) -> None:
    deb, others, ident = with_snapshots_left(cli, tmp_path)
    for place in (others / "foreign", others):
        place.rmdir()
    told = cli.events("trash", "restore", ident, "--base", tmp_path)
    assert told[-1] == {"event": "done", "chroot": str(deb), "state": "off"}
    assert [one["name"] for one in cli.json("snapshot", "list", "-d", deb)] == ["first"]


def test_by_its_name_a_chroot_is_had_back_and_not_snapshots_of_a_later_one(
    cli: Cli, tmp_path: Path
) -> None:
    deb, _others, ident = with_snapshots_left(cli, tmp_path)
    at = engine(tmp_path)
    at.delete(str(deb), trash=1)
    about = tmp_path / ".chroot-tool/trash" / ident / "about.json"
    about.write_text(about.read_text().replace('"deleted": ', '"deleted": 9'))
    assert ids(tmp_path)[0] == ident
    at.restore_trashed(str(deb))
    assert (deb / "etc/own").read_text() == "deb"


def test_snapshots_left_there_go_when_their_time_is_over(cli: Cli, tmp_path: Path) -> None:
    deb, _others, ident = with_snapshots_left(cli, tmp_path)
    be_over(tmp_path, ident)
    bare(tmp_path / "other")
    engine(tmp_path).delete(str(tmp_path / "other"))
    assert os.listdir(tmp_path / ".chroot-tool/trash") == []
    assert deb.exists()


def test_snapshots_that_stay_there_stay_as_long_again(tmp_path: Path) -> None:
    at, deb = engine(tmp_path), bare(tmp_path / "deb")
    at.take_snapshot(str(deb), "first")
    ident = at.delete(str(deb), trash=1)
    about = tmp_path / ".chroot-tool/trash" / ident / "about.json"
    long_ago = json.loads(about.read_text())
    for key in ("deleted", "until"):
        long_ago[key] -= 86400
    about.write_text(json.dumps(long_ago))
    (tmp_path / ".chroot-tool/snapshots/deb/foreign").mkdir(parents=True)
    at.restore_trashed(str(deb))
    at.delete(str(bare(tmp_path / "other")))
    [left] = at.trash(str(tmp_path))
    assert left.only_snapshots
    assert left.until == pytest.approx(long_ago["until"] + 86400, abs=3600)


@pytest.mark.slow
def test_a_chroot_is_back_and_enabled_where_its_snapshots_cannot_come(
    cli: Cli, tmp_path: Path
) -> None:
    deb, store = bare(tmp_path / "deb"), tmp_path / ".chroot-tool/snapshots"
    cli.ok("snapshot", "first", "-d", deb)
    with own_units(tmp_path / "units") as units:
        cli.ok("enable", "-d", deb)
        cli.ok("delete", "-d", deb, "--yes", "--trash", "1")
        assert not list(units.glob("chroot-tool.target.wants/*"))
        store.chmod(0o777)
        done = cli("trash", "restore", "deb", "--base", tmp_path)
        assert done.returncode == 0, done.stderr
        assert "stay in the trash: " in done.stderr
        assert "can be changed by other users" in done.stderr
        assert deb.exists()
        assert len(list(units.glob("chroot-tool.target.wants/*"))) == 1
    assert "snapshots of deb" in cli.ok("trash", "list", "--base", tmp_path)
    store.chmod(0o700)
    cli.ok("trash", "list", "--base", tmp_path)
    assert [one["name"] for one in cli.json("snapshot", "list", "-d", deb)] == ["first"]


def test_what_fails_when_it_is_there_already_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deb, told = bare(tmp_path / "deb"), list[Event]()
    engine(tmp_path).take_snapshot(str(deb), "first")

    def fail(*_: object) -> None:
        raise ChrootError("snapshots can't be moved: Input/output error")

    monkeypatch.setattr(SnapshotDirectory, "give", fail)
    ident = engine(tmp_path).delete(str(deb), trash=1, report=told.append)
    monkeypatch.undo()
    assert ids(tmp_path) == [ident]
    assert [
        one for one in told if isinstance(one, Warned) and "Input/output" in one.problem.message
    ]
    engine(tmp_path).restore_trashed(str(deb), ident)
    assert [one.name for one in engine(tmp_path).snapshots(str(deb))] == ["first"]


@pytest.mark.slow
def test_on_btrfs_subvolumes_come_back_and_go_for_good(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone: list[str] = []
    real = btrfs.destroy

    def destroy(parent: int, name: str) -> None:
        gone.append(name)
        real(parent, name)

    monkeypatch.setattr(btrfs, "destroy", destroy)
    with disk(tmp_path, "btrfs") as where:
        for name in ("deb", "other"):
            subprocess.run(["btrfs", "-q", "subvolume", "create", where / name], check=True)
            bare(where / name)
            cli.ok("snapshot", "one", "-d", where / name)
            cli.ok("delete", "-d", where / name, "--yes", "--trash", "1")
        cli.ok("trash", "restore", "deb", "--base", where)
        assert (where / "deb").stat().st_ino == 256  # the subvolume itself, no copy
        assert (where / "deb/etc/own").read_text() == "deb"
        assert [one["name"] for one in cli.json("snapshot", "list", "-d", where / "deb")] == ["one"]
        engine(where).empty_trash(str(where))
        assert gone == ["root"]  # at once, not file by file
        cli.ok("delete", "-d", where / "deb", "--yes")
        assert subprocess.check_output(["btrfs", "subvolume", "list", where]) == b""
