"""`list`, `status` and `watch`: the JSON of docs/json.md, every state, woken by the kernel."""

from __future__ import annotations

import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from chroot_tool.app import json_fields
from chroot_tool.app.cli.verbs import list as list_verb
from chroot_tool.app.cli.verbs import status
from chroot_tool.app.cli.verbs import watch as watch_verb
from chroot_tool.core import lock
from chroot_tool.core.chroot import MARKER
from chroot_tool.core.kernel import answering
from chroot_tool.core.local_engine import LocalEngine
from chroot_tool.core.looking import watch
from chroot_tool.core.looking.snapshot import Snapshot
from chroot_tool.core.mounts.compare import Source
from chroot_tool.core.mounts.sources import Sources
from support import PATIENCE, Cli, Program, json_schema, next_line, processes_below, wait_until

KEYS: dict[str, type | tuple[type, ...]] = {
    "name": str, "path": str, "state": str, "os": str, "mounts": list, "processes": list,
    "problems": list, "enabled": bool, "tags": list,
}  # fmt: skip
MOUNT = {
    "target": str, "source": str, "fs": str, "options": list, "origin": str, "state": str,
    "reason": str,
}  # fmt: skip
PROCESS = {
    "pid": int, "user": str, "command": str, "cpu_percent": float, "rss": int, "started": float,
    "read_rate": float, "write_rate": float,
}  # fmt: skip
PROBLEM = {"message": str, "hint": str}


def shaped(value: dict[str, Any], keys: dict[str, Any]) -> None:
    assert {name: type(v) for name, v in value.items()} == keys


def whole(one: dict[str, Any]) -> None:
    shaped(one, KEYS)
    for mount in one["mounts"]:
        shaped(mount, MOUNT)
        assert all(type(word) is str for word in mount["options"])
    for process in one["processes"]:
        shaped(process, PROCESS)
    for problem in one["problems"]:
        shaped(problem, PROBLEM)


def bare(path: Path) -> Path:
    """A chroot with nothing to run in it: enough to be seen."""
    for name in ("chroot.d", "bin", "etc"):
        (path / name).mkdir(parents=True)
    (path / "bin/sh").touch()
    return path


@contextmanager
def inside(root: Path) -> Iterator[subprocess.Popen[bytes]]:
    script = "sleep 1000 & echo ready; wait; wait"
    argv: list[str | Path] = ["chroot", root, "/bin/sh", "-c", script]
    with Program(argv, stdout=subprocess.PIPE, start_new_session=True) as process:
        assert next_line(process) == b"ready\n"
        try:
            yield process
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            wait_until(lambda: not processes_below(root))


# -- list and status ----------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.root
def test_json_of_a_chroot_that_is_on(cli: Cli, tiny_chroot: Path) -> None:
    (tiny_chroot / "chroot.d/chroot.toml").write_text(
        '[[bind]]\nsource = "/nowhere"\ntarget = "/usb"\noptional = true\n'
        '[[bind]]\ntarget = "/sys"\nignore = true\n'
    )
    (tiny_chroot / "chroot.d/tool.conf").write_text("[bind]\ntgt:/cache fs:tmpfs\n")
    cli.ok("on", "-d", tiny_chroot)
    with inside(tiny_chroot) as process:
        one = cli.json("status", "-d", tiny_chroot)
        whole(one)
        assert (one["name"], one["path"], one["state"]) == ("tiny", str(tiny_chroot), "on")
        assert one["os"] == "Tiny"
        mounts = {mount["target"]: mount for mount in one["mounts"]}
        assert mounts["/proc"] == {
            "target": "/proc", "source": "/proc", "fs": "bind", "options": ["private"],
            "origin": "system", "state": "mounted", "reason": "",
        }  # fmt: skip
        assert mounts["/cache"]["origin"] == "tool.conf"
        assert (mounts["/usb"]["origin"], mounts["/usb"]["state"]) == ("chroot.toml", "ignored")
        assert mounts["/sys"]["state"] == "ignored"
        found = {one["pid"]: one for one in one["processes"]}
        assert len(found) == 2
        assert found[process.pid]["user"] == "root"
        assert found[process.pid]["command"].startswith("/bin/sh -c")
        assert time.time() - 300 < found[process.pid]["started"] < time.time() + 3
        assert found[process.pid]["rss"] > 0
        assert cli.json("list", "--base", tiny_chroot.parent)[0]["mounts"] == one["mounts"]
        shown = cli.ok("status", "-d", tiny_chroot)
        for expected in ("tiny: on", str(tiny_chroot), "/cache", f"{process.pid}", "Tiny"):
            assert expected in shown


@pytest.mark.root
def test_partial_foreign_and_drifted(cli: Cli, tiny_chroot: Path) -> None:
    cli.ok("on", "-d", tiny_chroot)
    subprocess.run(["umount", tiny_chroot / "tmp"], check=True)
    subprocess.run(["mount", "-o", "remount,bind,nosuid", tiny_chroot / "sys"], check=True)
    (tiny_chroot / "home/x").mkdir()
    subprocess.run(["mount", "--bind", tiny_chroot / "bin", tiny_chroot / "home/x"], check=True)
    one = cli.json("status", "-d", tiny_chroot)
    whole(one)
    assert one["state"] == "partial"
    states = {mount["target"]: mount["state"] for mount in one["mounts"]}
    assert states["/tmp"] == "missing"
    assert states["/sys"] == "drifted"
    assert states["/home/x"] == "foreign"
    reasons = {mount["target"]: mount["reason"] for mount in one["mounts"]}
    assert "nosuid" in reasons["/sys"]
    assert reasons["/home/x"]


def test_off(cli: Cli, tmp_path: Path) -> None:
    one = cli.json("status", "-d", bare(tmp_path / "deb"))
    whole(one)
    assert one["state"] == "off"
    assert {mount["state"] for mount in one["mounts"]} == {"missing"}
    assert one["os"] == ""


def test_incomplete_and_creating(cli: Cli, tmp_path: Path) -> None:
    deb = tmp_path / "deb"
    (deb / MARKER[1:]).mkdir(parents=True)
    one = cli.json("status", "-d", deb)
    assert one["state"] == "incomplete"
    assert "delete" in one["problems"][0]["hint"]
    fd = os.open(deb, os.O_RDONLY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        assert cli.json("status", "-d", deb)["state"] == "creating"
    finally:
        os.close(fd)
    assert cli.json("list", "--base", tmp_path)[0]["state"] == "incomplete"


def test_one_that_is_finished_between_two_looks_is_not_incomplete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deb = bare(tmp_path / "deb")
    (deb / MARKER[1:]).mkdir()

    def ends(_path: str) -> bool:
        (deb / MARKER[1:]).rmdir()
        return False

    monkeypatch.setattr(lock, "is_locked", ends)
    found = LocalEngine(str(tmp_path)).status(str(deb))
    assert (found.state, found.problems) == ("off", ())


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("tool.conf", "[bind]\nbogus", "tool.conf:2"),
        ("chroot.toml", "[[bind", "chroot.toml:1"),
        ("chroot.toml", 'descripton = "x"', "chroot.toml:1"),
    ],
)
def test_broken_by_its_configuration(
    cli: Cli, tmp_path: Path, name: str, text: str, expected: str
) -> None:
    deb = bare(tmp_path / "deb")
    (deb / "chroot.d" / name).write_text(text)
    one = cli.json("status", "-d", deb)
    whole(one)
    assert one["state"] == "broken"
    assert expected in one["problems"][0]["message"]


def test_broken_without_a_system(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "deb/chroot.d").mkdir(parents=True)
    (tmp_path / "deb/bin").symlink_to("/bin")  # would be the host's
    one = cli.json("status", "-d", tmp_path / "deb")
    assert one["state"] == "broken"
    assert "create" in one["problems"][0]["hint"]


def test_conf_sh_is_a_problem_and_never_run(cli: Cli, tmp_path: Path) -> None:
    deb = bare(tmp_path / "deb")
    (deb / "chroot.d/conf.sh").write_text(f"touch {tmp_path}/run\n")
    one = cli.json("status", "-d", deb)
    assert one["state"] == "off"
    (problem,) = one["problems"]
    assert "conf.sh" in problem["message"]
    assert "chroot.toml" in problem["hint"]
    assert not (tmp_path / "run").exists()


@pytest.mark.root
def test_a_file_system_that_would_spoil_it(cli: Cli, tiny_template: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "nosuid,nodev", "x", disk], check=True)
    try:
        shutil.copytree(tiny_template, disk / "tiny", symlinks=True)
        one = cli.json("status", "-d", disk / "tiny")
        said = [problem["message"] for problem in one["problems"]]
        assert [m for m in said if "nosuid" in m and "sudo" in m]
        assert [m for m in said if "nodev" in m]
        assert not [m for m in said if "noexec" in m]
        assert one["state"] == "off"
    finally:
        subprocess.run(["umount", disk], check=True)


def test_what_counts_as_a_chroot(cli: Cli, tmp_path: Path) -> None:
    bare(tmp_path / "deb")
    bare(tmp_path / ".hidden")
    bare(tmp_path / "outside/real")
    (tmp_path / "base").mkdir()
    base = tmp_path / "base"
    bare(base / "one")
    (base / "link").symlink_to(tmp_path / "deb")
    (base / "empty").mkdir()
    (base / "file").touch()
    os.mkfifo(base / "fifo")
    (base / "odd").mkdir()
    (base / "odd/chroot.d").symlink_to("/etc")
    assert [one["name"] for one in cli.json("list", "--base", base)] == ["one"]
    done = cli("list", "--base", base / "file")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"chroot-tool: {base}/file is no directory\nhint: ")
    assert cli.json("list", "--base", tmp_path / "none") == []
    (tmp_path / "way").symlink_to(base)
    (one,) = cli.json("list", "--base", tmp_path / "way")
    assert one["path"] == str(base / "one")  # as the mount table has it


def test_who_may_not_see_all_is_told_no_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare(tmp_path / "deb")
    engine = LocalEngine(str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    (one,) = engine.list()
    assert list_verb.lines([one])[1].endswith("  0")
    assert "unseen" not in json_fields.chroot(one)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    (one,) = engine.list()
    assert list_verb.lines([one])[1].endswith("  ?")
    assert watch_verb.line(one).endswith("processes ?")
    assert "processes of other users can't be seen: run as root" in status.lines(one, 0.0)


def test_a_hostile_system_name(cli: Cli, tmp_path: Path) -> None:
    deb = bare(tmp_path / "deb")
    (deb / "etc/os-release").write_bytes(b'PRETTY_NAME="\x1b]0;owned\x07\xff[red]"\n')
    shown = cli("list", "--base", tmp_path).stdout
    assert "\x1b" not in shown
    assert "owned" in shown
    assert cli.json("list", "--base", tmp_path)[0]["os"] == "\x1b]0;owned\x07\udcff[red]"
    (deb / "etc/os-release").unlink()
    (deb / "etc/os-release").symlink_to("/etc/os-release")  # a loop: itself, inside
    assert cli.json("status", "-d", deb)["os"] == ""


# -- watch --------------------------------------------------------------------------------------


class Watched:
    """A `watch --json` under way, and the objects that it prints."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self._rest = b""

    def next(self, patience: float = PATIENCE) -> Any:
        """The next object; None where nothing comes within *patience* seconds."""
        assert self.process.stdout is not None
        until = time.monotonic() + patience
        while b"\n" not in self._rest:
            left = until - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                return None
            data = os.read(self.process.stdout.fileno(), 1 << 16)
            assert data, f"it ended: {self.process.wait(PATIENCE)}"
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        json_schema.check(("watch",), line)
        return json.loads(line)

    def until(self, **wanted: Any) -> Any:
        """The first object with these fields; those before it are dropped."""
        while True:
            found = self.next()
            assert found is not None, f"never told: {wanted}"
            if {key: found.get(key) for key in wanted} == wanted:
                return found


@contextmanager
def watching(cli: Cli, base: Path) -> Iterator[Watched]:
    with cli.start("watch", "--json", "--base", base, stdout=subprocess.PIPE) as process:
        try:
            yield Watched(process)
        finally:
            process.kill()


@pytest.mark.slow
@pytest.mark.root
def test_watch_tells_what_is_and_what_changes(cli: Cli, tiny_chroot: Path) -> None:
    with watching(cli, tiny_chroot.parent) as seen:
        first = seen.until(name="tiny", state="off")
        assert first.pop("event") == "chroot"
        whole(first)
        cli.ok("on", "-d", tiny_chroot)
        on = seen.until(state="on")
        assert on["path"] == str(tiny_chroot)
        subprocess.run(["umount", tiny_chroot / "tmp"], check=True)
        partial = seen.until(state="partial")
        assert [m["target"] for m in partial["mounts"] if m["state"] == "missing"] == ["/tmp"]
        with inside(tiny_chroot):
            while len(seen.until(state="partial")["processes"]) != 2:
                pass
        while seen.until(state="partial")["processes"]:
            pass
        (tiny_chroot / "chroot.d/tool.conf").write_text("[bind]\nbogus\n")
        assert "tool.conf:2" in seen.until(state="broken")["problems"][0]["message"]
        (tiny_chroot / "chroot.d/tool.conf").unlink()
        seen.until(state="partial")
        cli.ok("off", "-d", tiny_chroot)
        seen.until(state="off")


@pytest.mark.slow
@pytest.mark.root
def test_watch_is_silent_while_nothing_changes(cli: Cli, tiny_chroot: Path) -> None:
    cli.ok("on", "-d", tiny_chroot)
    with inside(tiny_chroot), watching(cli, tiny_chroot.parent) as seen:
        assert len(seen.until(state="on")["processes"]) == 2
        assert seen.next(patience=3) is None


@pytest.mark.slow
def test_watch_sees_chroots_come_and_go(cli: Cli, tmp_path: Path) -> None:
    base = tmp_path / "not/yet"
    with watching(cli, base) as seen:
        assert seen.next(patience=0.3) is None
        bare(base / "one")
        seen.until(name="one", state="off")
        (base / "two").mkdir()
        assert seen.next(patience=0.5) is None
        (base / "two/chroot.d").mkdir()
        seen.until(name="two", state="broken")
        (base / "two/bin").mkdir()
        (base / "two/bin/sh").touch()
        (base / "two/etc").mkdir()
        seen.until(name="two", state="off")
        shutil.rmtree(base / "one")
        assert seen.until(event="gone") == {"event": "gone", "name": "one"}
        (base / "two").rename(base / "three")
        assert {seen.until(event="gone")["name"], seen.until(name="three")["name"]} == {
            "two", "three",
        }  # fmt: skip
        shutil.rmtree(base.parent)
        seen.until(event="gone", name="three")
        bare(base / "again")
        seen.until(name="again", state="off")


@pytest.mark.slow
def test_watch_follows_a_create(cli: Cli, tmp_path: Path) -> None:
    """As bootstrap does it: the folder, the lock, the marker, then everything at once."""
    bare(tmp_path / "other")
    with watching(cli, tmp_path) as seen:
        seen.until(name="other")
        deb = tmp_path / "deb"
        deb.mkdir()
        assert seen.next(patience=0.5) is None
        fd = os.open(deb, os.O_RDONLY)
        fcntl.flock(fd, fcntl.LOCK_EX)
        (deb / MARKER[1:]).mkdir()
        seen.until(name="deb", state="creating")
        os.close(fd)
        seen.until(name="deb", state="incomplete")
        bare(deb)
        (deb / MARKER[1:]).rmdir()
        seen.until(name="deb", state="off")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_watch_ends_when_asked(cli: Cli, tmp_path: Path, number: signal.Signals) -> None:
    bare(tmp_path / "deb")
    argv = ("watch", "--base", tmp_path)
    with cli.start(*argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        assert b"off deb" in next_line(process)
        process.send_signal(number)
        assert process.wait(PATIENCE) == (130 if number == signal.SIGINT else -signal.SIGTERM)
        assert process.stderr.read() == b""


@pytest.mark.root
def test_watch_ends_when_nobody_reads(cli: Cli, tiny_chroot: Path) -> None:
    with watching(cli, tiny_chroot.parent) as seen:
        seen.until(name="tiny")
        assert seen.process.stdout is not None
        seen.process.stdout.close()
        cli.ok("on", "-d", tiny_chroot)
        assert seen.process.wait(PATIENCE) == 0


@pytest.fixture
def watched(tiny_chroot: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[watch.Watcher]:
    """One that looks at nothing by a clock."""
    for name in ("_SAMPLE", "_POLL", "_EVERYTHING", "_REREAD"):
        monkeypatch.setattr(watch, name, 3600.0)
    watched = watch.Watcher(str(tiny_chroot.parent))
    yield watched
    watched.close()


def wait_until_told(watched: watch.Watcher, holds: Callable[[], bool]) -> None:
    """Wait for what *watched* is told until *holds* does; fail, and wake it, where it never is."""
    gave_up = threading.Event()

    def give_up() -> None:
        gave_up.set()
        watched.wake()

    guard = threading.Timer(PATIENCE, give_up)
    guard.start()
    try:
        while not holds():
            assert not gave_up.is_set(), "it was never told"
            watched.wait()
    finally:
        guard.cancel()


def has_changed(watched: watch.Watcher, before: Snapshot) -> bool:
    return watched.snapshot() != before


@pytest.mark.root
def test_mounts_are_told_by_the_kernel_not_by_a_clock(
    tiny_chroot: Path, watched: watch.Watcher
) -> None:
    for command in (["mount", "-t", "tmpfs", "x"], ["umount"]):
        argv = [*command, str(tiny_chroot / "tmp")]
        doing = threading.Timer(0.2, subprocess.run, [argv], {"check": True})
        before = watched.snapshot()
        doing.start()
        wait_until_told(watched, partial(has_changed, watched, before))
        doing.join()


def test_what_many_that_are_off_want_of_the_host_is_looked_up_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two", "three"):
        bare(tmp_path / "base" / name)
    looked: list[str] = []
    look_at = Sources.look_at

    def noted(sources: Sources, fd: int, path: str) -> Source:
        looked.append(path)
        return look_at(sources, fd, path)

    monkeypatch.setattr(Sources, "look_at", noted)
    watched = watch.Watcher(str(tmp_path / "base"))
    try:
        found = watched.snapshot().chroots
    finally:
        watched.close()
    assert [one.name for one in found] == ["one", "three", "two"]
    assert "/proc" in looked
    assert len(looked) == len(set(looked))


@pytest.mark.slow
@pytest.mark.root
def test_a_session_begun_elsewhere_is_told_by_the_kernel(
    cli: Cli, tiny_chroot: Path, watched: watch.Watcher
) -> None:
    def until(word: str) -> None:
        wait_until_told(watched, lambda: watched.snapshot().chroots[0].condition == word)

    until("off")
    words = ("run", "-x", "-d", tiny_chroot, "--", "/bin/sh", "-c", "read x")
    pipe = subprocess.PIPE
    with cli.start(*words, stdin=pipe, stdout=pipe) as session:
        until("in use")
        assert "in use" in cli.ok("list", "--base", tiny_chroot.parent)
        assert cli.json("status", "-d", tiny_chroot)["in_use"] is True
        assert "tiny: in use" in cli.ok("list", "--plain", "--base", tiny_chroot.parent)
        session.communicate()
        until("off")
    assert "in_use" not in cli.json("status", "-d", tiny_chroot)


@pytest.mark.parametrize("way", ["renamed", "removed", "above"])
def test_a_base_that_goes_is_told_by_the_kernel_and_looked_for_until_it_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    for name in ("_SAMPLE", "_EVERYTHING", "_REREAD"):
        monkeypatch.setattr(watch, name, 3600.0)
    monkeypatch.setattr(watch, "_POLL", 3600.0)
    base = tmp_path / "above" / "base"
    bare(base / "one")
    watched = watch.Watcher(str(base))

    def names() -> list[str]:
        return [one.name for one in watched.snapshot().chroots]

    assert names() == ["one"]
    if way == "renamed":
        base.rename(tmp_path / "elsewhere")
    elif way == "removed":
        shutil.rmtree(base)
    else:  # of that nobody tells
        base.parent.rename(tmp_path / "elsewhere")
        (tmp_path / "elsewhere" / "base" / "three").mkdir()
    wait_until_told(watched, lambda: not names())
    monkeypatch.setattr(watch, "_POLL", 0.01)
    bare(base / "two")
    wait_until_told(watched, lambda: names() == ["two"])
    watched.close()


@pytest.mark.root
def test_who_is_woken_does_not_read_the_mount_table(
    watched: watch.Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is a megabyte with a thousand chroots on; that it has changed, the kernel tells."""
    watched.snapshot()
    reads = []
    monkeypatch.setattr(answering, "read_text", lambda: reads.append(1))
    for _ in range(3):
        watched.wake()
        watched.wait()
        watched.snapshot()
    assert reads == []


@pytest.mark.root
def test_flags_changed_beside_another_mount_are_seen_soon(
    tiny_chroot: Path, watched: watch.Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "_REREAD", 0.3)
    old, new = tiny_chroot / "opt", tiny_chroot / "srv"
    for point in (old, new):
        point.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "x", old], check=True)
    watched.snapshot()
    subprocess.run(["mount", "-o", "remount,bind,nosuid", old], check=True)
    subprocess.run(["mount", "-t", "tmpfs", "x", new], check=True)

    def both_are_seen() -> bool:
        (one,) = watched.snapshot().chroots
        found = {mount.target: mount.options for mount in one.mounts}
        return "/srv" in found and "nosuid" in found["/opt"]

    wait_until_told(watched, both_are_seen)
    subprocess.run(["umount", old, new], check=True)


@pytest.mark.slow
@pytest.mark.root
def test_status_of_one_looks_at_no_other(cli: Cli, tiny_chroot: Path) -> None:
    """A neighbour whose name begins the same has nothing to do with it."""
    neighbour = tiny_chroot.with_name("tiny2")
    shutil.copytree(tiny_chroot, neighbour, symlinks=True)
    cli.ok("on", "-d", neighbour)
    with inside(neighbour):
        one = cli.json("status", "-d", tiny_chroot)
        assert (one["state"], one["processes"]) == ("off", [])
    cli.ok("off", "-d", tiny_chroot)
    assert cli.json("status", "-d", neighbour)["state"] == "on"
    cli.ok("off", "-d", neighbour)


@pytest.mark.slow
@pytest.mark.root
def test_what_is_hidden_is_not_said_to_be_there(cli: Cli, tiny_chroot: Path) -> None:
    (tiny_chroot / "chroot.d/tool.conf").write_text("[bind]\ntgt:/srv/data fs:tmpfs\n")
    cli.ok("on", "-d", tiny_chroot)
    over = tiny_chroot / "srv"
    subprocess.run(["mount", "-t", "tmpfs", "x", over], check=True)
    one = cli.json("status", "-d", tiny_chroot)
    assert one["state"] == "partial"
    data = next(mount for mount in one["mounts"] if mount["target"] == "/srv/data")
    assert data["state"] == "drifted"
    assert f"hidden by what is mounted at {over}" in data["reason"]
    done = cli("on", "-d", tiny_chroot)
    assert done.returncode == 1
    assert f"hint: umount {over}" in done.stderr
    cli.ok("off", "-d", tiny_chroot)
    assert cli.json("status", "-d", tiny_chroot)["state"] == "off"


@pytest.mark.slow
@pytest.mark.root
def test_a_system_point_that_is_hidden_is_mended(cli: Cli, tiny_chroot: Path) -> None:
    cli.ok("on", "-d", tiny_chroot)
    subprocess.run(["mount", "-t", "tmpfs", "x", tiny_chroot / "dev"], check=True)
    assert cli.json("status", "-d", tiny_chroot)["state"] == "partial"
    assert "stacked at /dev" in cli.ok("status", "-d", tiny_chroot)
    cli.ok("on", "-d", tiny_chroot)
    assert (tiny_chroot / "dev/pts/ptmx").exists()
    cli.ok("off", "-d", tiny_chroot)
