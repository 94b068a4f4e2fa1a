"""`clone`, `rename` and `snapshot`, by command line and engine, on real file systems."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from chroot_tool.core.errors import BusyError, Cancelled, ChrootError
from chroot_tool.core.events import Event, Stage, Warned
from chroot_tool.core.kernel.syscalls import renameat2
from chroot_tool.core.local_engine import LocalEngine
from chroot_tool.core.trees import remove
from chroot_tool.core.trees.snapshot_store import SnapshotDirectory
from chroot_tool.core.verbs import rename as rename_verb
from support import CHECKOUT, PATIENCE, Cli, make_tiny_root, next_line, wait_until
from support.disks import disk
from support.killing import killed
from support.outer_terminal import only
from support.trees import IMMUTABLE, differences, everything, set_flags, small

pytestmark = pytest.mark.root


@pytest.fixture
def engine(tmp_path: Path) -> LocalEngine:
    return LocalEngine(str(tmp_path))


@pytest.fixture
def deb(tmp_path: Path) -> Iterator[Path]:
    """A chroot without programs: quick, and enough for what is never entered."""
    yield small(tmp_path / "deb")
    parent = os.open(tmp_path, os.O_RDONLY)
    try:
        for name in os.listdir(tmp_path):
            remove.tree(parent, name, sealed=True)
    finally:
        os.close(parent)


def names(root: Path) -> tuple[str, str, str]:
    hosts = (root / "etc/hosts").read_text().splitlines()[1]
    return (
        (root / "etc/hostname").read_text(), (root / "etc/debian_chroot").read_text(), hosts,
    )  # fmt: skip


def left(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


# -- clone ----------------------------------------------------------------------------------------


def test_a_clone_has_names_of_its_own_and_no_keys(cli: Cli, deb: Path, tmp_path: Path) -> None:
    done = cli("--base", tmp_path, "clone", "-d", "deb", "two")
    assert done.returncode == 0
    two = tmp_path / "two"
    assert names(two) == ("two\n", "two\n", "127.0.1.1 thehost two # own")
    assert (two / "etc/machine-id").read_text() == ""
    assert left(two / "etc/ssh") == ["sshd_config"]
    assert f"chroot-tool run -d {two} -- ssh-keygen -A" in done.stderr
    assert f"{two}: cloned by copying" in done.stderr
    assert names(deb) == ("deb\n", "deb\n", "127.0.1.1 thehost deb # own")
    assert left(tmp_path) == ["deb", "two"]


def test_names_that_somebody_else_wrote_are_kept(cli: Cli, deb: Path, tmp_path: Path) -> None:
    (deb / "etc/hostname").write_text("mail.example\n")
    (deb / "etc/hosts").write_text("127.0.1.1 mail.example\n10.0.0.1 deb\n")
    (deb / "etc/debian_chroot").unlink()
    cli.ok("clone", "-d", deb, tmp_path / "two")
    two = tmp_path / "two"
    assert (two / "etc/hostname").read_text() == "mail.example\n"
    assert (two / "etc/hosts").read_text() == "127.0.1.1 mail.example\n10.0.0.1 deb\n"
    assert not (two / "etc/debian_chroot").exists()


@pytest.mark.parametrize("verb", ["clone", "rename"])
def test_what_came_under_another_name_is_called_by_its_own(
    cli: Cli, deb: Path, tmp_path: Path, verb: str
) -> None:
    """Its directory was given another name by somebody else, or it came out of an archive."""
    deb.rename(tmp_path / "moved")
    cli.ok("--base", tmp_path, verb, "-d", "moved", "two")
    assert names(tmp_path / "two") == ("two\n", "two\n", "127.0.1.1 thehost two # own")


def test_exact_keeps_everything(cli: Cli, deb: Path, tmp_path: Path) -> None:
    everything(deb / "var", deep=20)
    events = cli.events("clone", "-d", deb, tmp_path / "two", "--exact")
    assert differences(deb, tmp_path / "two") == []
    last = events[-1]
    assert (last["event"], last["state"], last["method"]) == ("done", "off", "copy")
    assert (last["chroot"], last["from"]) == (str(tmp_path / "two"), str(deb))
    fractions = [event["fraction"] for event in events if event.get("fraction") is not None]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert last["entries"] > 50


def test_links_planted_in_the_names_lead_nowhere(cli: Cli, deb: Path, tmp_path: Path) -> None:
    host = tmp_path / "host"
    host.mkdir()
    for name in ("hostname", "machine-id", "ssh_host_rsa_key"):
        (host / name).write_text("deb\n")
    for name in ("hostname", "machine-id"):
        (deb / "etc" / name).unlink()
        (deb / "etc" / name).symlink_to(host / name)
    for file in (deb / "etc/ssh").iterdir():
        file.unlink()
    (deb / "etc/ssh").rmdir()
    (deb / "etc/ssh").symlink_to(host)
    cli.ok("clone", "-d", deb, tmp_path / "two")
    assert {file.read_text() for file in host.iterdir()} == {"deb\n"}
    assert len(left(host)) == 3


@pytest.mark.slow
def test_one_that_is_on_and_used_is_cloned_without_its_mounts(
    cli: Cli, tiny_chroot: Path, tmp_path: Path
) -> None:
    (tiny_chroot / "srv").mkdir()
    (tiny_chroot / "srv/below").write_text("below")
    host = tmp_path / "host"
    host.mkdir()
    (host / "secret").write_text("the host's")
    bind = ("--source", host, "--target", "/srv")
    cli.ok("bind", "add", "-d", tiny_chroot, *bind)
    cli.ok("on", "-d", tiny_chroot)
    running = cli.start("run", "-d", tiny_chroot, "/bin/sleep", "1000")
    try:
        done = cli("clone", "-d", tiny_chroot, tmp_path / "two", "--exact")
        assert done.returncode == 0
        assert "is on: what programs wrote" in done.stderr
        assert cli.json("status", "-d", tmp_path / "two")["state"] == "off"
        assert left(tmp_path / "two/srv") == ["below"]
        assert left(tmp_path / "two/proc") == []
        assert running.poll() is None
    finally:
        running.kill()
        running.wait()
    cli.ok("off", "--kill", "-S", "-d", tiny_chroot)
    assert differences(tiny_chroot, tmp_path / "two") == []
    cli.ok("run", "-d", tmp_path / "two", "/bin/true")
    cli.ok("off", "-S", "-d", tmp_path / "two")


@pytest.mark.parametrize(
    ("prepare", "code", "says"),
    [
        ("full", 1, "not empty: it holds 'file'"),
        ("file", 1, "is no directory"),
        ("link", 1, "is no directory"),
        ("created", 1, "a create was begun"),
        ("inside", 2, "would lie in"),
        ("itself", 2, "itself"),
        ("name", 2, "holds ' '"),
    ],
)
def test_a_place_that_will_not_do(
    cli: Cli, deb: Path, tmp_path: Path, prepare: str, code: int, says: str
) -> None:
    new = tmp_path / "two"
    if prepare == "full":
        new.mkdir()
        (new / "file").touch()
    elif prepare == "file":
        new.touch()
    elif prepare == "link":
        (tmp_path / "elsewhere").mkdir()
        new.symlink_to(tmp_path / "elsewhere")
    elif prepare == "created":
        (new / ".chroot-tool-create").mkdir(parents=True)
    elif prepare == "inside":
        new = deb / "home/two"
    elif prepare == "itself":
        new = deb
    else:
        new = tmp_path / "t wo"
    before = left(tmp_path), left(deb)
    done = cli("clone", "-d", deb, new)
    assert (done.returncode, says in done.stderr) == (code, True), done.stderr
    assert (left(tmp_path), left(deb)) == before


def test_a_mount_point_is_no_place(cli: Cli, deb: Path, tmp_path: Path) -> None:
    with disk(tmp_path, "tmpfs", 50) as where:
        done = cli("clone", "-d", deb, where)
        assert done.returncode == 1
        assert "mount point" in done.stderr
        cli.ok("clone", "-d", deb, where / "two")
        assert left(where) == ["two"]


def test_an_empty_directory_is_taken(cli: Cli, deb: Path, tmp_path: Path) -> None:
    (tmp_path / "two").mkdir()
    cli.ok("clone", "-d", deb, tmp_path / "two")
    assert (tmp_path / "two/etc/hostname").exists()


@pytest.mark.parametrize("verb", ["clone", "rename"])
@pytest.mark.parametrize("new", ["a/two", "a/b/two"])
def test_what_is_missing_above_it_is_made_by_its_owner(
    cli: Cli, deb: Path, tmp_path: Path, verb: str, new: str
) -> None:
    done = cli(verb, "-d", deb, new, cwd=tmp_path)
    above = (tmp_path / new).parent
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"chroot-tool: {above} does not exist", f"hint: mkdir -p {above}",
    ]  # fmt: skip
    assert left(tmp_path) == ["deb"]
    done = cli(verb, "-d", deb, deb / "home" / new)
    assert (done.returncode, "would lie in" in done.stderr) == (2, True)


@pytest.mark.slow
def test_a_full_disk_leaves_nothing(cli: Cli, deb: Path, tmp_path: Path) -> None:
    (deb / "large").write_bytes(os.urandom(40 << 20))
    with disk(tmp_path, "ext4", 20) as where:
        done = cli("clone", "-d", deb, where / "two")
        assert done.returncode == 1
        assert "space" in done.stderr
        assert "hint: free some" in done.stderr
        assert left(where) == ["lost+found"]


@pytest.mark.slow
def test_interrupted_nothing_is_left(cli: Cli, deb: Path, tmp_path: Path) -> None:
    for number in range(20_000):  # or it is done before it tells how far it is
        (deb / f"bin/{number}").touch()
    running = cli.holding_at("copying").start(
        "clone", "-d", deb, tmp_path / "two", "--json", stdout=subprocess.PIPE
    )
    while b'"copying' not in (line := next_line(running)):
        assert line
    running.send_signal(signal.SIGINT)
    lines = running.communicate(timeout=PATIENCE)[0].splitlines()
    assert running.returncode == 130
    assert json.loads(lines[-1])["code"] == 130
    assert left(tmp_path) == ["deb"]


def test_cancelled_after_the_copy_nothing_is_left(
    engine: LocalEngine, deb: Path, tmp_path: Path
) -> None:
    cancelled = threading.Event()

    def report(event: Event) -> None:
        if isinstance(event, Stage) and event.stage == "setting it up":
            cancelled.set()

    with pytest.raises(Cancelled, match="nothing of it is left"):
        engine.clone(str(deb), str(tmp_path / "two"), report=report, cancelled=cancelled)
    assert left(tmp_path) == ["deb"]


def test_two_clones_of_one_at_once_and_two_to_one_place(
    engine: LocalEngine, deb: Path, tmp_path: Path
) -> None:
    inner: list[BaseException] = []

    def report(event: Event) -> None:
        if isinstance(event, Stage) and event.stage == "setting it up":
            engine.clone(str(deb), str(tmp_path / "three"))
            try:
                engine.clone(str(deb), str(tmp_path / "two"))
            except ChrootError as error:
                inner.append(error)
            states = {one.name: one.state for one in engine.list()}
            assert states == {".two.cloning": "creating", "deb": "off", "three": "off"}

    engine.clone(str(deb), str(tmp_path / "two"), report=report)
    assert f"at work on {tmp_path}/two (process {os.getpid()} of root: " in str(inner[0])
    assert left(tmp_path) == ["deb", "three", "two"]


def test_one_who_was_quicker_is_not_overwritten(
    engine: LocalEngine, deb: Path, tmp_path: Path
) -> None:
    def report(event: Event) -> None:
        if isinstance(event, Stage) and event.stage == "setting it up":
            (tmp_path / "two").mkdir()

    with pytest.raises(ChrootError, match="by somebody else"):
        engine.clone(str(deb), str(tmp_path / "two"), report=report)
    assert left(tmp_path) == ["deb", "two"]
    assert left(tmp_path / "two") == []


@pytest.mark.parametrize("place", [
    "before core.trees.built_aside:bare_directory",
    "before core.trees.copy_tree:TreeCopy.run",
    "before core.trees.copy_file:FileCopy.copy 3",
    "after core.trees.copy_tree:TreeCopy.run",
    "before core.creating.identity:forget",
    "after core.trees.copy_tree:TreeCopy.seal",
    "before core.verbs.clone:renameat2",
])  # fmt: skip
def test_killed_while_cloning_the_next_removes_the_rest(
    cli: Cli, deb: Path, tmp_path: Path, place: str
) -> None:
    everything(deb / "var", deep=3)
    killed(place, "clone", deb, tmp_path / "two")
    assert left(tmp_path) == [".two.cloning", "deb"]
    found = cli.json("--base", tmp_path, "list")
    assert [one["state"] for one in found] in (["incomplete", "off"], ["off"])
    cli.ok("clone", "-d", deb, tmp_path / "two", "--exact")
    assert left(tmp_path) == ["deb", "two"]
    assert differences(deb, tmp_path / "two") == []


def test_the_rest_of_a_kill_can_be_deleted(cli: Cli, deb: Path, tmp_path: Path) -> None:
    everything(deb / "var", deep=0)
    killed("after core.trees.copy_tree:TreeCopy.seal", "clone", deb, tmp_path / "two")
    done = cli("status", "-d", tmp_path / ".two.cloning")
    assert "cloning was not finished" in done.stdout
    cli.ok("delete", "-d", tmp_path / ".two.cloning", "--yes")
    assert left(tmp_path) == ["deb"]


@pytest.mark.slow
def test_the_rest_of_a_kill_goes_by_the_name_that_was_to_be(
    cli: Cli, deb: Path, tmp_path: Path
) -> None:
    everything(deb / "var", deep=0)
    two = tmp_path / "two"
    killed("after core.trees.copy_tree:TreeCopy.seal", "clone", deb, two)
    assert cli("delete", "-d", two).returncode == 2  # it asks
    rest = os.open(tmp_path / ".two.cloning", os.O_RDONLY)
    fcntl.flock(rest, fcntl.LOCK_EX)
    done = cli("delete", "-d", two, "--yes")
    assert (done.returncode, "at work on" in done.stderr) == (4, True), done.stderr
    os.close(rest)
    # A kill of that, too, is gone on with.
    killed("before core.trees.remove:_Removal.run", "delete", two)
    done = cli("delete", "-d", "two", "--yes", "--base", tmp_path)
    assert (done.returncode, "what was left of it is deleted" in done.stderr) == (0, True)
    assert left(tmp_path) == ["deb"]
    assert cli("delete", "-d", two, "--yes").returncode == 1


@pytest.mark.slow
@pytest.mark.parametrize("place", [
    "after core.trees.snapshot_store:SnapshotDirectory.put_aside",
    "before core.trees.remove:_mark",
    "after core.trees.remove:_Removal._unlink 2",
    "before core.trees.snapshot_store:SnapshotDirectory.remove_aside",
])  # fmt: skip
def test_a_delete_that_was_killed_goes_on(cli: Cli, deb: Path, tmp_path: Path, place: str) -> None:
    other = small(tmp_path / ".deb.deleting-home")
    cli.ok("snapshot", "-d", deb, "one")
    cli.ok("clone", "-d", deb, tmp_path / "debian")
    killed("before core.trees.remove:_mark", "delete", tmp_path / "debian")
    killed(place, "delete", deb)
    cli.ok("delete", "-d", deb, "--yes")
    assert other.exists()  # only ours, and only of this one
    rest = [name for name in left(tmp_path) if name not in (".chroot-tool", other.name)]
    assert [name.startswith(".debian.deleting-") for name in rest] == [True]
    assert left(tmp_path / ".chroot-tool/snapshots") == []


def test_killed_after_it_was_put_in_place_it_is_whole(cli: Cli, deb: Path, tmp_path: Path) -> None:
    killed("after core.verbs.clone:renameat2", "clone", deb, tmp_path / "two")
    assert names(tmp_path / "two")[0] == "two\n"
    cli.ok("delete", "-d", tmp_path / ".two.cloning", "--yes")
    assert left(tmp_path) == ["deb", "two"]


def test_on_btrfs_and_xfs_it_says_how(cli: Cli, tmp_path: Path) -> None:
    with disk(tmp_path, "btrfs") as where:
        subprocess.run(["btrfs", "-q", "subvolume", "create", where / "deb"], check=True)
        everything(small(where / "deb") / "var", deep=5)
        assert cli.events("clone", "-d", where / "deb", where / "two")[-1]["method"] == "snapshot"
        assert names(where / "two")[0] == "two\n"
        last = cli.events("clone", "--exact", "-d", where / "deb", where / "three")[-1]
        assert last["method"] == "snapshot"
        assert differences(where / "deb", where / "three") == []
        remove_all(where)
    with disk(tmp_path, "xfs") as where:
        small(where / "deb")
        (where / "deb/etc/large").write_bytes(os.urandom(1 << 20))
        last = cli.events("clone", "--exact", "-d", where / "deb", where / "two")[-1]
        assert (last["method"], last["size"] >= 1 << 20) == ("reflink", True)
        assert differences(where / "deb", where / "two") == []


def remove_all(folder: Path) -> None:
    parent = os.open(folder, os.O_RDONLY)
    try:
        for name in os.listdir(folder):
            remove.tree(parent, name, sealed=True)
    finally:
        os.close(parent)


# -- rename ---------------------------------------------------------------------------------------


def test_names_snapshots_and_history_follow(
    cli: Cli, deb: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    state = tmp_path_factory.mktemp("state") / "chroot-tool/history.json"
    state.parent.mkdir(parents=True)
    state.write_text(json.dumps({str(deb): ["make"], "/other": ["ls"]}))
    cli.ok("snapshot", "-d", deb, "one")
    own = {"XDG_STATE_HOME": str(state.parent.parent)}
    done = cli("rename", "-d", deb, "two", env=own)  # beside it, wherever we stand
    assert (done.returncode, done.stderr) == (0, f"{deb}: renamed to {tmp_path}/two\n")
    assert names(tmp_path / "two") == ("two\n", "two\n", "127.0.1.1 thehost two # own")
    assert [one["name"] for one in cli.json("snapshot", "list", "-d", tmp_path / "two")] == ["one"]
    assert json.loads(state.read_text()) == {str(tmp_path / "two"): ["make"], "/other": ["ls"]}
    assert left(tmp_path) == [".chroot-tool", "two"]
    assert (tmp_path / "two/etc/ssh/ssh_host_ed25519_key").exists()


@pytest.mark.parametrize("verb", ["remove", "restore"])
def test_who_is_at_work_on_a_snapshot_is_named(
    cli: Cli, deb: Path, tmp_path: Path, verb: str
) -> None:
    cli.ok("snapshot", "-d", deb, "one")
    [there] = (tmp_path / ".chroot-tool").rglob("one")
    held = os.open(there, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    done = cli("snapshot", verb, "one", "-d", deb)
    assert done.returncode == 4
    said = f"at work on the snapshot one (process {os.getpid()} of root: "
    assert said in done.stderr, done.stderr
    os.close(held)
    cli.ok("snapshot", verb, "one", "-d", deb)


def test_one_that_never_had_a_snapshot(cli: Cli, deb: Path, tmp_path: Path) -> None:
    done = cli("rename", "-d", deb, "two")
    assert (done.returncode, done.stderr) == (0, f"{deb}: renamed to {tmp_path}/two\n")
    assert names(tmp_path / "two") == ("two\n", "two\n", "127.0.1.1 thehost two # own")
    (tmp_path / "else").mkdir()
    cli.ok("rename", "-d", tmp_path / "two", tmp_path / "else/three")
    assert names(tmp_path / "else/three")[0] == "three\n"
    assert (left(tmp_path), left(tmp_path / "else")) == (["else"], ["three"])


def test_what_fails_after_the_move_does_not_take_the_names_back(
    deb: Path, tmp_path: Path, engine: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: SnapshotDirectory) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(SnapshotDirectory, "moved", fails)
    assert engine.rename(str(deb), "two") == str(tmp_path / "two")
    assert names(tmp_path / "two")[0] == "two\n"


def test_to_another_place_with_json(cli: Cli, deb: Path, tmp_path: Path) -> None:
    (tmp_path / "else").mkdir()
    cli.ok("snapshot", "-d", deb, "one")
    events = cli.events("rename", "-d", deb, tmp_path / "else/two")
    assert events[-1] == {
        "event": "done", "chroot": f"{tmp_path}/else/two", "state": "off", "from": str(deb),
    }  # fmt: skip
    assert len(cli.json("snapshot", "list", "-d", tmp_path / "else/two")) == 1


@pytest.mark.slow
def test_on_or_used_it_is_refused_with_who_does(
    cli: Cli, tiny_chroot: Path, tmp_path: Path
) -> None:
    running = cli.start("run", "-d", tiny_chroot, "/bin/sleep", "1000")
    try:
        only(tiny_chroot, "sleep")
        done = cli("rename", "-d", tiny_chroot, "two")
        assert done.returncode == 4
        assert "while it is on" in done.stderr
        assert "/bin/sleep 1000" in done.stderr
        assert f"hint: chroot-tool off -d {tiny_chroot}" in done.stderr
        done = cli("rename", "--json", "-d", tiny_chroot, "two")
        error = json.loads(done.stdout.splitlines()[-1])
        assert (error["code"], len(error["holders"])) == (4, 1)
    finally:
        running.kill()
        running.wait()
    assert not (tmp_path / "two").exists()


def test_a_mount_point_and_another_file_system(cli: Cli, deb: Path, tmp_path: Path) -> None:
    with disk(tmp_path, "tmpfs", 50) as where:
        small(where)
        done = cli("rename", "-d", where, "two")
        assert (done.returncode, "is itself a mount point" in done.stderr) == (1, True)
        done = cli("rename", "-d", deb, where / "two")
        assert done.returncode == 1
        assert f"clone --exact -d {deb} {where}/two" in done.stderr
        cli.ok("clone", "--exact", "-d", where, tmp_path / "three")
        assert differences(where, tmp_path / "three") == []
        assert not (where / "two").exists()
    assert names(deb)[0] == "deb\n"


@pytest.mark.parametrize(
    ("new", "code", "says"),
    [
        ("deb", 2, "already"),
        ("there", 1, "is there already"),
        ("deb/in", 2, "would lie in"),
        ("no/two", 1, "does not exist"),
        ("-x", 2, "starts with"),
    ],
)
def test_names_that_will_not_do(
    cli: Cli, deb: Path, tmp_path: Path, new: str, code: int, says: str
) -> None:
    (tmp_path / "there").mkdir()
    done = cli("rename", "-d", deb, "--", tmp_path / new)
    assert (done.returncode, says in done.stderr) == (code, True), done.stderr
    assert names(deb)[0] == "deb\n"


def test_what_is_immutable_stays_as_it_was(cli: Cli, deb: Path, tmp_path: Path) -> None:
    cli.ok("snapshot", "-d", deb, "one")
    set_flags(deb, IMMUTABLE)
    done = cli("rename", "-d", deb, "two")
    assert (done.returncode, "lsattr" in done.stderr) == (1, True)
    assert names(deb)[0] == "deb\n"
    assert len(cli.json("snapshot", "list", "-d", deb)) == 1
    assert not (tmp_path / "two").exists()


@pytest.mark.parametrize("place", [
    "after core.creating.names:rename_host",
    "after core.trees.snapshot_store:_write",
    "after core.trees.snapshot_store:SnapshotDirectory.move_to",
])  # fmt: skip
def test_killed_before_the_rename_it_can_be_done_again(
    cli: Cli, deb: Path, tmp_path: Path, place: str
) -> None:
    cli.ok("snapshot", "-d", deb, "one")
    killed(place, "rename", deb, "two")
    assert [one["name"] for one in cli.json("snapshot", "list", "-d", deb)] == ["one"]
    cli.ok("rename", "-d", deb, "two")
    assert names(tmp_path / "two")[0] == "two\n"
    assert len(cli.json("snapshot", "list", "-d", tmp_path / "two")) == 1


@pytest.mark.slow
def test_killed_after_the_rename_all_is_there(cli: Cli, deb: Path, tmp_path: Path) -> None:
    cli.ok("snapshot", "-d", deb, "one")
    killed("after core.verbs.rename:renameat2", "rename", deb, "two")
    assert names(tmp_path / "two")[0] == "two\n"
    assert len(cli.json("snapshot", "list", "-d", tmp_path / "two")) == 1
    cli.ok("clone", "-d", tmp_path / "two", deb)
    assert cli.json("snapshot", "list", "-d", deb) == []
    assert len(cli.json("snapshot", "list", "-d", tmp_path / "two")) == 1


def test_who_lists_snapshots_meanwhile_does_not_take_them_back(
    engine: LocalEngine, deb: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.take_snapshot(str(deb), "one")

    def look_first(*args: int | str) -> None:
        engine.snapshots(str(deb))
        renameat2(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(rename_verb, "renameat2", look_first)
    engine.rename(str(deb), "two")
    assert [one.name for one in engine.snapshots(str(tmp_path / "two"))] == ["one"]


def test_where_a_rename_was_to_lead_may_be_gone_after_a_kill(
    cli: Cli, deb: Path, tmp_path: Path
) -> None:
    cli.ok("snapshot", "-d", deb, "one")
    (tmp_path / "else").mkdir()
    killed("after core.trees.snapshot_store:_write", "rename", deb, tmp_path / "else/two")
    shutil.rmtree(tmp_path / "else")
    assert [one["name"] for one in cli.json("snapshot", "list", "-d", deb)] == ["one"]
    assert left(tmp_path / ".chroot-tool/snapshots") == ["deb"]


# -- snapshot -------------------------------------------------------------------------------------


@pytest.mark.slow
def test_kept_listed_put_back_and_removed(cli: Cli, deb: Path, tmp_path: Path) -> None:
    everything(deb / "var", deep=3)
    cli.ok("clone", "--exact", "-d", deb, tmp_path / "original")
    assert cli.events("snapshot", "-d", deb, "one")[-1]["snapshot"]["method"] == "copy"
    (deb / "etc/passwd").write_text("changed")
    assert cli("snapshot", "list", "-d", deb).stdout.split()[:4] == ["NAME", "AGE", "SIZE", "one"]
    last = cli.events("snapshot", "restore", "one", "-d", deb)[-1]
    assert (last["event"], last["restored"]) == ("done", "one")
    assert last["kept"].startswith("before-restore-")
    assert differences(tmp_path / "original", deb) == []
    cli.ok("snapshot", "restore", last["kept"], "--discard", "-d", deb)
    assert (deb / "etc/passwd").read_text() == "changed"
    assert len(cli.json("snapshot", "list", "-d", deb)) == 2
    cli.ok("snapshot", "remove", last["kept"], "-d", deb)
    assert [one["name"] for one in cli.json("snapshot", "list", "-d", deb)] == ["one"]
    assert [one["name"] for one in cli.json("--base", tmp_path, "list")] == ["deb", "original"]
    assert (tmp_path / ".chroot-tool").stat().st_mode & 0o777 == 0o700


def test_without_a_name_it_is_called_by_the_time(cli: Cli, deb: Path) -> None:
    name = cli.events("snapshot", "-d", deb)[-1]["snapshot"]["name"]
    assert len(name) == len("20260102-030405")


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("one",), 1, "has a snapshot 'one' already"),
        (("restore", "two"), 1, "there are: one"),
        (("remove", "two"), 1, "no snapshot 'two'"),
        (("restore",), 2, "needs a name"),
        (("list", "one"), 2, "too many"),
        (("",), 2, "empty"),
        (("a/b",), 2, "holds '/'"),
        (("two", "--discard"), 2, "--discard is for restore"),
    ],
)
def test_what_makes_no_sense(
    cli: Cli, deb: Path, words: tuple[str, ...], code: int, says: str
) -> None:
    cli.ok("snapshot", "-d", deb, "one")
    done = cli("snapshot", *words, "-d", deb)
    assert (done.returncode, says in done.stderr) == (code, True), done.stderr


def test_what_is_no_chroot_has_no_list(cli: Cli, deb: Path, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    for place, says in ((tmp_path / "none", "no chroot"), (tmp_path / "nil", "does not exist")):
        done = cli("snapshot", "list", "-d", place)
        assert (done.returncode, done.stdout, says in done.stderr) == (1, "", True)
        assert cli("snapshot", "list", "--json", "-d", place).returncode == 1
    done = cli("snapshot", "list", "-d", deb)
    assert (done.returncode, f"snapshot -d {deb} NAME" in done.stderr) == (0, True)


def test_interrupted_it_says_of_what_and_leaves_nothing(
    deb: Path, tmp_path: Path, engine: LocalEngine
) -> None:
    cancelled = threading.Event()
    cancelled.set()
    with pytest.raises(Cancelled, match=f"the snapshot one of {deb} was interrupted; nothing"):
        engine.take_snapshot(str(deb), "one", cancelled=cancelled)
    assert left(tmp_path / ".chroot-tool/snapshots") == []
    engine.take_snapshot(str(deb), "one")
    with pytest.raises(Cancelled, match=f"putting {deb} back to one was interrupted"):
        engine.restore_snapshot(str(deb), "one", cancelled=cancelled)
    assert [one.name for one in engine.snapshots(str(deb))] == ["one"]
    with pytest.raises(Cancelled) as stopped:
        remove.chroot(str(deb), cancelled=cancelled)
    assert stopped.value.hint == f"chroot-tool delete -d {deb} goes on"
    engine.delete(str(deb))
    assert not deb.exists()


@pytest.mark.slow
def test_a_chroot_that_is_on_is_kept_but_not_put_back(cli: Cli, tiny_chroot: Path) -> None:
    cli.ok("on", "-d", tiny_chroot)
    done = cli("snapshot", "one", "-d", tiny_chroot)
    assert (done.returncode, "half there" in done.stderr) == (0, True)
    done = cli("snapshot", "restore", "one", "-d", tiny_chroot)
    assert (done.returncode, "while it is on" in done.stderr) == (4, True)
    cli.ok("off", "-S", "-d", tiny_chroot)
    cli.ok("snapshot", "restore", "one", "-d", tiny_chroot)
    cli.ok("run", "-d", tiny_chroot, "/bin/true")


@pytest.mark.slow
def test_on_btrfs_they_are_subvolumes_and_of_one_moment(cli: Cli, tmp_path: Path) -> None:
    with disk(tmp_path, "btrfs") as where:
        deb = where / "deb"
        subprocess.run(["btrfs", "-q", "subvolume", "create", deb], check=True)
        make_tiny_root(deb)
        cli.ok("on", "-d", deb)
        done = cli("snapshot", "one", "-d", deb)
        assert (done.returncode, "half" in done.stderr) == (0, False)
        cli.ok("off", "-S", "-d", deb)
        assert cli.json("snapshot", "list", "-d", deb)[0]["shared"] is True
        (deb / "new").touch()
        cli.ok("snapshot", "restore", "one", "-d", deb)
        assert not (deb / "new").exists()
        assert deb.stat().st_ino == 256
        cli.ok("run", "-d", deb, "/bin/true")
        cli.ok("off", "-S", "-d", deb)
        cli.ok("delete", "-d", deb, "--yes")
        listed = subprocess.run(
            ["btrfs", "subvolume", "list", where], check=True, capture_output=True, text=True
        )
        assert listed.stdout == ""


def test_deleting_takes_them_along_and_says_so(cli: Cli, deb: Path, tmp_path: Path) -> None:
    cli.ok("snapshot", "-d", deb, "one")
    set_flags(tmp_path / ".chroot-tool/snapshots/deb/one/root/etc", IMMUTABLE)
    cli.ok("delete", "-d", deb, "--yes")
    assert left(tmp_path / ".chroot-tool/snapshots") == []


def test_when_deleting_fails_they_stay(cli: Cli, deb: Path) -> None:
    cli.ok("snapshot", "-d", deb, "one")
    set_flags(deb / "etc", IMMUTABLE)
    assert cli("delete", "-d", deb, "--yes").returncode == 1
    assert len(cli.json("snapshot", "list", "-d", deb)) == 1


def test_a_store_that_others_can_write_is_not_trusted(cli: Cli, deb: Path, tmp_path: Path) -> None:
    (tmp_path / ".chroot-tool").mkdir()
    os.chown(tmp_path / ".chroot-tool", 1000, 1000)
    done = cli("snapshot", "-d", deb, "one")
    assert (done.returncode, "other users than root" in done.stderr) == (1, True)
    (tmp_path / ".chroot-tool").rmdir()
    (tmp_path / "host").mkdir()
    (tmp_path / ".chroot-tool").symlink_to(tmp_path / "host")
    assert cli("snapshot", "-d", deb, "one").returncode == 1
    assert left(tmp_path / "host") == []


@pytest.mark.parametrize("place", [
    "after core.trees.copy_tree:TreeCopy.run",
    "after core.trees.copy_tree:TreeCopy.seal",
    "before core.trees.snapshots:_commit",
])  # fmt: skip
def test_killed_while_taking_one_there_is_none(cli: Cli, deb: Path, place: str) -> None:
    everything(deb / "var", deep=3)
    killed(place, "take_snapshot", deb, "one")
    assert cli.json("snapshot", "list", "-d", deb) == []
    cli.ok("snapshot", "-d", deb, "two")
    assert left(deb.parent / ".chroot-tool/snapshots/deb") == ["two"]


@pytest.mark.parametrize("place", [
    "after core.trees.copy_tree:TreeCopy.run",
    "before core.trees.snapshots:_commit",
    "after core.trees.snapshots:_commit",
    "after core.trees.snapshots:renameat2 2",
])  # fmt: skip
def test_killed_while_putting_one_back_no_state_is_lost(cli: Cli, deb: Path, place: str) -> None:
    cli.ok("snapshot", "-d", deb, "one")
    (deb / "etc/passwd").write_text("changed")
    killed(place, "restore_snapshot", deb, "one")
    root = deb.parent / ".chroot-tool/snapshots/deb"
    states = [
        deb,
        *(root / one["name"] / "root" for one in cli.json("snapshot", "list", "-d", deb)),
    ]
    assert {(state / "etc/passwd").read_text() for state in states} == {"", "changed"}
    cli.ok("snapshot", "restore", "one", "-d", deb)
    assert (deb / "etc/passwd").read_text() == ""
    assert not [name for name in left(root) if name.startswith(".")]


def test_killed_while_removing_one_the_next_removes_the_rest(cli: Cli, deb: Path) -> None:
    cli.ok("snapshot", "-d", deb, "one")
    killed("before core.trees.remove:tree", "remove_snapshot", deb, "one")
    assert cli.json("snapshot", "list", "-d", deb) == []
    cli.ok("snapshot", "-d", deb, "one")
    assert left(deb.parent / ".chroot-tool/snapshots/deb") == ["one"]


@pytest.mark.slow
def test_what_is_copied_already_counts_as_room(cli: Cli, tmp_path: Path) -> None:
    """The tree is counted beside the copying, which may be far by then."""
    with disk(tmp_path, "ext4", 150) as where:
        deb = small(where / "deb")
        (deb / "large").write_bytes(os.urandom(50 << 20))
        for number in range(500):
            (deb / f"small{number}").write_bytes(b"x")
        assert os.statvfs(where).f_bavail * os.statvfs(where).f_frsize < 2 * (50 << 20)
        cli.ok("clone", "-d", deb, where / "two")


@pytest.mark.slow
def test_a_full_disk_keeps_what_there_is(cli: Cli, tmp_path: Path) -> None:
    with disk(tmp_path, "ext4", 150) as where:
        deb = small(where / "deb")
        (deb / "large").write_bytes(os.urandom(45 << 20))
        cli.ok("snapshot", "-d", deb, "one")
        done = cli("snapshot", "-d", deb, "two")
        assert (done.returncode, "space" in done.stderr) == (1, True)
        done = cli("snapshot", "restore", "one", "-d", deb)
        assert (done.returncode, "space" in done.stderr) == (1, True)
        assert [one["name"] for one in cli.json("snapshot", "list", "-d", deb)] == ["one"]
        assert left(where / ".chroot-tool/snapshots/deb") == ["one"]


@pytest.mark.parametrize("keep", [True, False])
def test_what_fails_after_the_places_were_changed_loses_nothing(
    engine: LocalEngine, deb: Path, monkeypatch: pytest.MonkeyPatch, keep: bool
) -> None:
    engine.take_snapshot(str(deb), "one")
    (deb / "etc/passwd").write_text("changed")
    real = os.fsync

    def fails(fd: int) -> None:
        if os.path.samestat(os.fstat(fd), deb.parent.stat()):
            raise OSError(5, "Input/output error")
        real(fd)

    monkeypatch.setattr(os, "fsync", fails)
    kept = engine.restore_snapshot(str(deb), "one", keep=keep)
    assert (deb / "etc/passwd").read_text() == ""
    assert [one.name for one in engine.snapshots(str(deb))] == ["one", *([kept] if keep else [])]
    if keep:
        store = deb.parent / ".chroot-tool/snapshots/deb"
        assert (store / kept / "root/etc/passwd").read_text() == "changed"


def test_who_begins_while_it_is_copied_keeps_the_place(engine: LocalEngine, deb: Path) -> None:
    engine.take_snapshot(str(deb), "one")
    (deb / "etc/passwd").write_text("changed")
    inside = "import os, sys; os.chroot(sys.argv[1]); print(flush=True); sys.stdin.read()"
    begun: list[subprocess.Popen[bytes]] = []

    def report(event: Event) -> None:
        if isinstance(event, Stage) and event.stage.startswith("writing"):
            begun.append(
                subprocess.Popen(
                    [sys.executable, "-c", inside, deb],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                )
            )
            assert begun[0].stdout
            begun[0].stdout.readline()

    try:
        with pytest.raises(BusyError):
            engine.restore_snapshot(str(deb), "one", report=report)
    finally:
        begun[0].communicate()
    assert (deb / "etc/passwd").read_text() == "changed"
    assert [one.name for one in engine.snapshots(str(deb))] == ["one"]


def test_a_rest_that_can_not_go_hinders_no_neighbour(
    engine: LocalEngine, deb: Path, tmp_path: Path
) -> None:
    engine.take_snapshot(str(deb), "one")
    rest = tmp_path / ".chroot-tool/snapshots/.other.removing"
    (rest / "held").mkdir(parents=True)
    told: list[Event] = []
    subprocess.run(["mount", "-t", "tmpfs", "none", rest / "held"], check=True)
    try:
        engine.take_snapshot(str(deb), "two", report=told.append)
        engine.restore_snapshot(str(deb), "one", keep=False)
        engine.remove_snapshot(str(deb), "one")
    finally:
        subprocess.run(["umount", rest / "held"], check=True)
    assert [one.name for one in engine.snapshots(str(deb))] == ["two"]
    assert [str(rest) in one.problem.message for one in told if isinstance(one, Warned)] == [True]


def test_removing_a_rest_can_be_interrupted(engine: LocalEngine, deb: Path, tmp_path: Path) -> None:
    engine.take_snapshot(str(deb), "one")
    rest = tmp_path / ".chroot-tool/snapshots/.other.removing"
    rest.mkdir()
    for number in range(2000):
        (rest / f"{number}").touch()
    cancelled = threading.Event()
    cancelled.set()
    with pytest.raises(Cancelled):
        engine.take_snapshot(str(deb), "two", cancelled=cancelled)
    assert left(rest) != []
    engine.take_snapshot(str(deb), "two")
    assert not rest.exists()


def test_one_that_is_removed_while_they_are_listed_is_not_listed(
    engine: LocalEngine, deb: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two"):
        engine.take_snapshot(str(deb), name)
    real = SnapshotDirectory.names

    def names_then_gone(snapshots: SnapshotDirectory) -> list[str]:
        found = real(snapshots)
        monkeypatch.undo()
        engine.remove_snapshot(str(deb), "one")
        return found

    monkeypatch.setattr(SnapshotDirectory, "names", names_then_gone)
    assert [one.name for one in engine.snapshots(str(deb))] == ["two"]


def test_who_waited_while_it_was_put_back_does_not_work_on_the_old_one(
    engine: LocalEngine, cli: Cli, deb: Path
) -> None:
    cli.ok("snapshot", "-d", deb, "one")
    waiting: list[subprocess.Popen[bytes]] = []

    def report(event: Event) -> None:
        if isinstance(event, Stage) and event.stage.startswith("writing"):
            script = (
                "import sys; from chroot_tool.core.lock import Lock; import os\n"
                "old = os.stat(sys.argv[1]); print('ready', flush=True)\n"
                "Lock(sys.argv[1], patience=30)\n"
            )
            process = subprocess.Popen(
                ["python3", "-c", script, deb], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                env={"PYTHONPATH": str(CHECKOUT / ".pkg"), "PATH": os.environ["PATH"]},
            )  # fmt: skip
            assert process.stdout
            assert process.stdout.readline() == b"ready\n"
            until_waiting(process.pid)
            waiting.append(process)

    engine.restore_snapshot(str(deb), "one", report=report)
    _, said = waiting[0].communicate(timeout=60)
    assert b"moved or exchanged" in said


def until_waiting(pid: int) -> None:
    """Wait until the process has the directory open that it wants to lock."""
    fds = Path(f"/proc/{pid}/fd")

    def has_it() -> bool:
        for fd in fds.iterdir():
            with suppress(FileNotFoundError):  # closed meanwhile
                if os.readlink(fd).endswith("/deb"):
                    return True
        return False

    wait_until(has_it)


@pytest.mark.slow
def test_a_tree_that_changes_all_the_time_leads_nowhere(
    engine: LocalEngine, deb: Path, tmp_path: Path
) -> None:
    host = tmp_path / "host"
    host.mkdir()
    (host / "secret").write_text("the host's")
    for number in range(300):
        (deb / f"etc/{number}").write_text("x")
    stop = threading.Event()

    def exchange() -> None:
        """Let a directory and a link to the host's, a file and a FIFO, take turns."""
        work = deb / "var/work"
        while not stop.is_set():
            for target, other in (("d", "link"), ("f", "fifo")):
                work.mkdir(exist_ok=True)
                place, spare = work / target, work / f"{target}.spare"
                if other == "link":
                    spare.symlink_to(host)
                else:
                    os.mkfifo(spare)
                spare.rename(place)
                place.unlink()
                if target == "d":
                    place.mkdir()
                    (place / "secret").write_text("its own")
                    (place / "secret").unlink()
                    place.rmdir()
                else:
                    place.write_text("its own")
                    place.unlink()

    hostile = threading.Thread(target=exchange)
    hostile.start()
    try:
        for number in range(20):
            engine.clone(str(deb), str(tmp_path / f"copy{number}"))
    finally:
        stop.set()
        hostile.join()
    for number in range(20):
        work = tmp_path / f"copy{number}/var/work"
        for file in work.rglob("*"):
            assert file.is_symlink() or not file.is_file() or file.read_text() in ("", "its own")
    assert left(host) == ["secret"]
