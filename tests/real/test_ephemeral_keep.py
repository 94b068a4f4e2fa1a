"""`--keep NAME`: what a throw-away session has become, as a chroot of its own, or nothing of it."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest

from support import Cli, kill, mounts_below, wait_until
from support.disks import disk
from support.outer_terminal import Bash, strict_locale
from support.session_traces import host_table, run, sessions, tree
from support.trees import differences, everything

pytestmark = pytest.mark.root

CHANGES = """
    echo new >/new; echo changed >/etc/os-release; mkdir -p /srv/a; : >/srv/a/b
    : >/tmp/not-kept; : >/run/not-kept; : >/dev/not-kept
"""


@contextmanager
def shell(cli: Cli, root: Path) -> Iterator[Bash]:
    terminal = Bash(cli, root)
    yield terminal
    terminal.close()
    wait_until(lambda: not sessions(root))


@pytest.fixture
def bash(tiny_chroot: Path, cli: Cli) -> Iterator[Bash]:
    with shell(cli, tiny_chroot) as terminal:
        yield terminal


def is_copying(folder: Path) -> bool:
    """Whether a copy is being built in *folder*, or was left there by a kill."""
    return any(name.endswith(".cloning") for name in os.listdir(folder))


def is_copying_or_done(folder: Path, process: subprocess.Popen[bytes]) -> bool:
    return is_copying(folder) or process.poll() is not None


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["exit 0", "exit 3", "kill -TERM $$"])
def test_the_session_becomes_a_chroot(
    cli: Cli, tiny_chroot: Path, tmp_path: Path, ending: str
) -> None:
    before, mounts = tree(tiny_chroot), host_table()
    code = {"exit 0": 0, "exit 3": 3}.get(ending, 143)
    done = cli(
        "run", "--base", tmp_path, "--keep", "kept", "-d", tiny_chroot, "--",
        "/bin/sh", "-c", CHANGES + ending,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.splitlines()[-2:] == [
        f"{tmp_path}/kept: kept, as the session left it",
        f"hint: chroot-tool shell -d {tmp_path}/kept",
    ]
    assert tree(tiny_chroot) == before
    assert host_table() == mounts
    kept = tmp_path / "kept"
    assert (kept / "new").read_text() == "new\n"
    assert (kept / "etc/os-release").read_text() == "changed\n"
    assert (kept / "srv/a/b").exists()
    assert not list(kept.rglob("not-kept"))
    assert cli.json("status", "-d", kept)["state"] == "off"
    assert cli.ok("run", "-d", kept, "--", "cat", "/new") == "new\n"
    cli.ok("off", "-d", kept)


@pytest.mark.slow
def test_all_that_a_file_system_holds(cli: Cli, tiny_chroot: Path, tmp_path: Path) -> None:
    folder = tiny_chroot / "home/all"
    folder.mkdir()
    everything(folder)
    (folder / "special/whiteout").unlink()  # the device 0:0 is how an overlay says: deleted
    try:
        cli.ok("run", "--keep", tmp_path / "kept", "-d", tiny_chroot, "--", "/bin/true")
        assert differences(folder, tmp_path / "kept/home/all") == []
    finally:
        for place in (tiny_chroot, tmp_path / "kept"):
            cli("delete", "--yes", "-d", place)


def test_its_names_are_its_own(cli: Cli, tiny_chroot: Path, tmp_path: Path) -> None:
    (tiny_chroot / "etc/hostname").write_text("tiny\n")
    (tiny_chroot / "etc/machine-id").write_text("0123456789abcdef0123456789abcdef\n")
    done = cli("run", "--keep", tmp_path / "kept", "-d", tiny_chroot, "--", "/bin/true")
    assert done.returncode == 0
    assert (tmp_path / "kept/etc/hostname").read_text() == "kept\n"
    assert (tmp_path / "kept/etc/machine-id").read_text() == ""
    assert "is on" not in done.stderr


@pytest.mark.slow
def test_the_chroot_below_may_be_on(cli: Cli, tiny_chroot: Path, tmp_path: Path) -> None:
    cli.ok("on", "-d", tiny_chroot)
    (tiny_chroot / "tmp/outside").touch()
    done = cli("run", "--keep", tmp_path / "kept", "-d", tiny_chroot, "--", "/bin/true")
    assert done.returncode == 0
    assert os.listdir(tmp_path / "kept/tmp") == []
    assert os.listdir(tmp_path / "kept/proc") == []
    assert not mounts_below(tmp_path / "kept")


def test_what_was_left_running_is_ended_before(cli: Cli, tiny_chroot: Path, tmp_path: Path) -> None:
    script = """
        exec 2>/dev/null
        (trap 'echo saved >/state; exit' TERM; : >/up; while :; do sleep 0.02; done) >&2 &
        while [ ! -e /up ]; do sleep 0.02; done
    """
    done = run(cli.without("session"), tiny_chroot, script, "--keep", tmp_path / "kept")
    assert done.returncode == 0
    assert (tmp_path / "kept/state").read_text() == "saved\n"


# -- where it can't be


def test_a_place_that_is_taken_is_said_before_anything_runs(
    cli: Cli, tiny_chroot: Path, tmp_path: Path
) -> None:
    ran = tmp_path / "ran"
    ran.mkdir()
    (tiny_chroot / "chroot.d/tool.conf").write_text(f"[bind]\nsrc:{ran} tgt:/ran\n")
    taken = tmp_path / "taken"
    (taken / "etc").mkdir(parents=True)
    for place in (taken, tiny_chroot, tiny_chroot / "srv/kept"):
        done = run(cli, tiny_chroot, ": >/ran/it", "--keep", place)
        assert done.returncode == 125
        assert str(place) in done.stderr
    assert os.listdir(ran) == []
    assert os.listdir(taken) == ["etc"]


def test_what_could_not_be_started_is_not_kept(cli: Cli, tiny_chroot: Path, tmp_path: Path) -> None:
    done = cli("run", "--keep", tmp_path / "kept", "-d", tiny_chroot, "--", "/bin/no-such")
    assert done.returncode == 127
    assert not (tmp_path / "kept").exists()


def test_a_full_disk_is_said_and_leaves_nothing(
    cli: Cli, tiny_chroot: Path, tmp_path: Path
) -> None:
    with disk(tmp_path, "tmpfs", 2) as small:
        done = run(cli, tiny_chroot, "exit 0", "--keep", small / "kept")
        assert done.returncode == 125
        assert "space" in done.stderr
        assert os.listdir(small) == []
    assert not sessions(tiny_chroot)


@pytest.mark.slow
def test_at_a_terminal_another_name_is_asked_for(
    bash: Bash, tiny_chroot: Path, tmp_path: Path
) -> None:
    with disk(tmp_path, "tmpfs", 2) as small:
        bash.start(f"r --keep {small}/kept -- sh -c 'echo new >/new; exit 6'")
        bash.wait_for(r"space[^\n]*\n[^\n]*hint: [^\n]*\n")
        bash.wait_for("The session is still there")
        bash.type(f"{tmp_path}/kept\n")
        assert bash.code() == 6
    assert (tmp_path / "kept/new").read_text() == "new\n"


@pytest.mark.slow
def test_an_answer_that_is_no_name_is_asked_for_again(
    cli: Cli, tiny_chroot: Path, tmp_path: Path
) -> None:
    """A key of another encoding, and a plain name where the current directory is gone."""
    gone = tmp_path / "gone"
    gone.mkdir()
    with disk(tmp_path, "tmpfs", 2) as small, shell(cli, tiny_chroot) as bash:
        for name, value in strict_locale(tmp_path / "locale").items():
            bash.start(f"export {name}={value}")
        bash.start(f"cd {gone}; rmdir {gone}")
        bash.start(f"r --keep {small}/kept -- sh -c 'echo new >/new; exit 6'")
        for answer in ("./plain", f"{small}/k\udcff", f"{tmp_path}/kept"):
            bash.wait_for("The session is still there")
            bash.type(f"{answer}\n")
        assert bash.code() == 6
    assert (tmp_path / "kept/new").read_text() == "new\n"


@pytest.mark.slow
def test_an_interrupt_while_it_is_kept_asks_too(
    cli: Cli, tiny_chroot: Path, tmp_path: Path
) -> None:
    with shell(cli.holding_at("copying"), tiny_chroot) as bash:
        bash.start(f"r --keep {tmp_path}/kept -- true")
        bash.wait_for("copying")
        assert is_copying(tmp_path)
        bash.type("\x03")
        bash.wait_for("interrupted")
        bash.wait_for("The session is still there")
        bash.type("\n")
        bash.code()
    assert not [name for name in os.listdir(tmp_path) if "kept" in name]


@pytest.mark.slow
def test_kill_9_while_it_is_kept_leaves_nothing_half(
    cli: Cli, tiny_chroot: Path, tmp_path: Path
) -> None:
    chance = random.Random(3)
    for number in range(300):
        (tiny_chroot / f"home/{number}").write_bytes(os.urandom(4096))
    whole = len(list(tiny_chroot.rglob("*")))
    argv = ("run", "--keep", tmp_path / "kept", "-d", tiny_chroot, "--", "/bin/true")
    caught = 0
    for _ in range(60):
        for left in tmp_path.glob("*.cloning"):  # by which it would pass for copying already
            shutil.rmtree(left)
        process = cli.start(*argv, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        wait_until(partial(is_copying_or_done, tmp_path, process))
        with suppress(subprocess.TimeoutExpired):
            process.wait(chance.uniform(0, 0.1))
        caught += process.poll() is None
        process.kill()
        process.communicate()
        wait_until(lambda: not sessions(tiny_chroot))
        if (tmp_path / "kept").exists():
            assert len(list((tmp_path / "kept").rglob("*"))) >= whole - 1
            cli.ok("delete", "--yes", "-d", tmp_path / "kept")
        assert len(list(tmp_path.glob("*kept*.cloning"))) <= 1
        if caught > 8:
            break
    assert caught
    cli.ok(*argv)
    assert not is_copying(tmp_path)


def test_a_session_whose_first_process_was_killed_is_kept_all_the_same(
    cli: Cli, tiny_chroot: Path, tmp_path: Path
) -> None:
    script = ("/bin/sh", "-c", "echo new >/new; echo up; sleep 1000")
    process = cli.start(
        "run", "--keep", tmp_path / "kept", "-d", tiny_chroot, "--", *script,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"
    found = sessions(tiny_chroot)
    kill([pid for pid, program in found.items() if program.startswith("python")])
    assert process.wait(60) == 128 + signal.SIGKILL
    assert (tmp_path / "kept/new").read_text() == "new\n"
