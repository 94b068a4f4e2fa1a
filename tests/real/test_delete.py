"""`delete` through the command line: what is behind a mount survives, whatever happens."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from chroot_tool.core.local_engine import LocalEngine
from support import (
    PATIENCE,
    Cli,
    Program,
    mounts_below,
    next_line,
    processes_below,
    wait_until_stopped,
)
from support.own_units import own_units
from support.trees import IMMUTABLE, set_flags


def bare(path: Path) -> Path:
    for name in ("chroot.d", "bin", "etc"):
        (path / name).mkdir(parents=True)
    (path / "bin/sh").touch()
    return path


def precious(path: Path) -> Path:
    (path / "deep").mkdir(parents=True)
    (path / "deep/file").write_text("precious")
    return path


def survives(path: Path) -> bool:
    return (path / "deep/file").read_text() == "precious"


def test_what_was_run_in_it_is_forgotten(cli: Cli, tmp_path: Path) -> None:
    deb = bare(tmp_path / "deb")
    state = tmp_path / "state/chroot-tool/history.json"
    state.parent.mkdir(parents=True)
    state.write_text(json.dumps({str(deb): ["make secret"], "/other": ["ls"]}))
    cli.ok("delete", "-d", deb, "--yes", env={"XDG_STATE_HOME": str(tmp_path / "state")})
    assert json.loads(state.read_text()) == {"/other": ["ls"]}


AS_ROOT_DIRECTORY = """
cd "$1"
for place in /*; do
    if [ -L "$place" ]; then cp -a "$place" ".$place"
    elif [ -d "$place" ]; then mkdir ".$place"; mount --rbind "$place" ".$place"
    fi
done
shift
exec chroot . "$@"
"""
"""For sh: a directory in the place of /, with all that is in / but what is made there."""

BELOW_ROOT = """
import os, sys
sys.path[:0] = eval(sys.argv[1])
from pathlib import Path
from chroot_tool.core.local_engine import LocalEngine

at = LocalEngine("/")
for name in ("a", "b", ".c.cloning"):
    Path("/", name).mkdir()
    for part in ("chroot.d", "bin", "etc"):
        Path("/", name, part).mkdir()
    Path("/", name, "bin/sh").touch()
at.delete("/a", trash=1e-9)
print(at.rests("/c"))
at.delete("/c")
at.delete("/b")
print(sorted(set(os.listdir("/")) & {"a", "b", ".c.cloning"}), os.listdir("/.chroot-tool/trash"))
"""


@pytest.mark.root
def test_directly_below_the_root_directory_it_is_as_elsewhere(tmp_path: Path) -> None:
    argv: list[str | Path] = [
        "unshare", "--mount", "sh", "-ec", AS_ROOT_DIRECTORY, "sh", tmp_path,
        sys.executable, "-c", BELOW_ROOT, repr(sys.path),
    ]  # fmt: skip
    done = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout == "('/.c.cloning',)\n[] []\n"


# -- asking -------------------------------------------------------------------------------------


def test_without_terminal_and_yes_it_is_refused(cli: Cli, tmp_path: Path) -> None:
    deb = bare(tmp_path / "deb")
    done = cli("delete", "-d", deb, stdin="deb\n")
    assert done.returncode == 2
    assert "--yes" in done.stderr
    assert (deb / "bin/sh").exists()


def answered(cli: Cli, deb: Path, answer: bytes) -> tuple[int, bytes]:
    """Run delete on a terminal and type *answer*; return its exit code and what it wrote."""
    pid, terminal = pty.fork()
    if pid == 0:
        argv = [os.fsencode(a) for a in cli.argv("delete", "-d", deb)]
        os.execve(argv[0], argv, cli.environment())
    said = b""
    try:
        while b"to go on: " not in said:
            assert select.select([terminal], [], [], PATIENCE)[0], said
            said += os.read(terminal, 4096)
        os.write(terminal, answer)
        while True:
            assert select.select([terminal], [], [], PATIENCE)[0], said
            said += os.read(terminal, 4096)
    except OSError:
        pass  # EIO: it ended
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    return os.waitstatus_to_exitcode(status), said


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"deb\n", 0),
        (b"  deb \n", 0),
        (b"yes\n", 130),
        (b"\n", 130),
        (b"\x04", 130),
        (b"\x03", 130),
    ],
)
def test_on_a_terminal_the_name_is_asked_for(
    cli: Cli, tmp_path: Path, answer: bytes, code: int
) -> None:
    deb = bare(tmp_path / "deb")
    result, said = answered(cli, deb, answer)
    assert result == code
    assert deb.exists() == (code != 0)
    assert str(deb).encode() in said
    assert b"Traceback" not in said


def test_a_hostile_name_is_shown_safely_and_typed_as_shown(cli: Cli, tmp_path: Path) -> None:
    deb = bare(tmp_path / "e\x1b[31mvil")
    result, said = answered(cli, deb, b"e\\e[31mvil\n")
    assert b"\x1b[31m" not in said
    assert (result, deb.exists()) == (0, False)


# -- what is deleted ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", [b"a b", b"new\nline", b"\xff\xfe", b"[red]x", b"-rf", "字".encode() * 85, b".hidden"]
)
def test_any_name(cli: Cli, tmp_path: Path, name: bytes) -> None:
    deb = bare(tmp_path / os.fsdecode(name))
    done = cli("delete", "--yes", "-d", deb)
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_links_are_deleted_not_followed(cli: Cli, tmp_path: Path) -> None:
    host = precious(tmp_path / "host")
    deb = bare(tmp_path / "deb")
    (deb / "abs").symlink_to(host)
    (deb / "rel").symlink_to("../host")
    (deb / "etc/root").symlink_to("/")
    os.link(host / "deep/file", deb / "hard")
    cli.ok("delete", "--yes", "-d", deb)
    assert not deb.exists()
    assert survives(host)


def test_dir_that_is_a_link(cli: Cli, tmp_path: Path) -> None:
    """The chroot itself is removed, as `on` would mount in it; the link is the user's."""
    deb = bare(tmp_path / "deb")
    (tmp_path / "link").symlink_to(deb)
    cli.ok("delete", "--yes", "-d", tmp_path / "link")
    assert not deb.exists()
    assert (tmp_path / "link").is_symlink()


def test_an_incomplete_one_is_deleted(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "deb/.chroot-tool-create/root").mkdir(parents=True)
    cli.ok("delete", "--yes", "-d", tmp_path / "deb")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["/", "/usr", "/etc", "folder", "missing"])
def test_what_is_no_chroot_is_not_deleted(cli: Cli, tmp_path: Path, place: str) -> None:
    folder = precious(tmp_path / "folder")
    done = cli("delete", "--yes", "-d", tmp_path / place)
    assert done.returncode == 1
    assert survives(folder)


@pytest.mark.parametrize("kind", ["directory", "fifo", "link"])
def test_a_planted_marker_is_no_obstacle(cli: Cli, tmp_path: Path, kind: str) -> None:
    deb = bare(tmp_path / "deb")
    marker = deb / ".chroot-tool-delete"
    match kind:
        case "directory":
            (marker / "x").mkdir(parents=True)
        case "fifo":
            os.mkfifo(marker)
        case _:
            marker.symlink_to(tmp_path / "planted")
    assert cli.json("status", "-d", deb)["state"] == "incomplete"
    cli.ok("delete", "--yes", "-d", deb)
    assert list(tmp_path.iterdir()) == []


# -- mounts -------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.root
def test_host_data_behind_live_binds_survives(cli: Cli, tiny_chroot: Path, tmp_path: Path) -> None:
    host = precious(tmp_path / "host")
    (tiny_chroot / "chroot.d/tool.conf").write_text(
        f'[bind]\nsrc:"{host}" tgt:/data\nsrc:"{host}" tgt:/again opt:rbind\n'
        f'src:"{host}/deep/file" tgt:/file\n'
    )
    cli.ok("on", "-d", tiny_chroot)
    assert (tiny_chroot / "data/deep/file").exists()
    cli.ok("delete", "--yes", "-d", tiny_chroot)
    assert not tiny_chroot.exists()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["host"]
    assert survives(host)


@pytest.mark.root
def test_foreign_mounts_too(cli: Cli, tiny_chroot: Path, tmp_path: Path) -> None:
    host = precious(tmp_path / "host")
    for name in ("srv/a", "srv/a/b"):
        (tiny_chroot / name).mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "--bind", host, tiny_chroot / "srv/a/b"], check=True)
    subprocess.run(["mount", "--bind", host, tiny_chroot / "srv"], check=True)  # hides the first
    cli.ok("delete", "--yes", "-d", tiny_chroot)
    assert not tiny_chroot.exists()
    assert mounts_below(tmp_path) == []
    assert survives(host)


@pytest.mark.root
def test_a_dir_that_is_a_mount_is_refused(cli: Cli, tiny_chroot: Path) -> None:
    subprocess.run(["mount", "--bind", tiny_chroot, tiny_chroot], check=True)
    try:
        done = cli("delete", "--yes", "-d", tiny_chroot)
        assert done.returncode == 1
        assert "mount point" in done.stderr
        assert (tiny_chroot / "bin/sh").exists()
    finally:
        subprocess.run(["umount", tiny_chroot], check=True)


@pytest.mark.root
def test_a_mount_of_another_namespace_is_no_way_out(
    cli: Cli, tiny_chroot: Path, tmp_path: Path
) -> None:
    """Somebody has bound host data below the chroot where this namespace cannot see it."""
    host = precious(tmp_path / "host")
    point = tiny_chroot / "home/app"
    script = 'mount --bind "$1" "$2" && echo ready && sleep 100'
    argv: list[str | Path] = ["unshare", "--mount", "sh", "-c", script, "sh", host, point]
    with Program(argv, stdout=subprocess.PIPE) as other:
        assert next_line(other) == b"ready\n"
        done = cli("delete", "--yes", "-d", tiny_chroot)
        other.kill()
    assert survives(host)
    assert done.returncode in (0, 4)
    assert tiny_chroot.exists() == (done.returncode == 4)


# -- processes ----------------------------------------------------------------------------------


@pytest.mark.root
@pytest.mark.parametrize("trap", ["", "trap '' TERM;"])
def test_what_runs_inside_is_ended(cli: Cli, tiny_chroot: Path, trap: str) -> None:
    """By the engine: the command line gives a process ten seconds to obey TERM."""
    cli.ok("on", "-d", tiny_chroot)
    script = f"{trap} echo ready; while :; do sleep 100; done"
    argv: list[str | Path] = ["chroot", tiny_chroot, "/bin/sh", "-c", script]
    with Program(argv, stdout=subprocess.PIPE, start_new_session=True) as process:
        assert next_line(process) == b"ready\n"
        LocalEngine(str(tiny_chroot.parent)).delete(str(tiny_chroot), timeout=0.3)
        assert process.wait(PATIENCE) == -(signal.SIGKILL if trap else signal.SIGTERM)
    assert not tiny_chroot.exists()
    assert not processes_below(tiny_chroot)


@pytest.mark.slow
@pytest.mark.root
def test_the_shell_it_is_started_from_is_not_killed(cli: Cli, tiny_chroot: Path) -> None:
    cli.ok("on", "-d", tiny_chroot)
    argv = [os.fsdecode(a) for a in cli.argv("delete", "--yes", "-d", tiny_chroot)]
    done = subprocess.run(
        ["sh", "-c", '"$@"; echo "code $?"', "sh", *argv],
        cwd=tiny_chroot / "tmp", capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "code 4\n"
    assert (tiny_chroot / "bin/sh").exists()


@pytest.mark.slow
@pytest.mark.root
def test_stop_is_run_first_and_hinders_nothing(cli: Cli, tiny_chroot: Path, tmp_path: Path) -> None:
    told = tmp_path / "told"
    told.mkdir()
    (tiny_chroot / "chroot.d/tool.conf").write_text(f'[bind]\nsrc:"{told}" tgt:/told\n')
    stop = tiny_chroot / "chroot.d/stop"
    stop.write_text("#!/bin/sh\ntouch /told/stopped\nexit 3\n")
    stop.chmod(0o755)
    cli.ok("on", "-d", tiny_chroot)
    cli.ok("delete", "--yes", "-d", tiny_chroot)
    assert (told / "stopped").exists()


# -- half-way -----------------------------------------------------------------------------------


FOLDERS = 60


def large(deb: Path) -> Path:
    """So large that it is told how far it is; links are made quickly."""
    for number in range(FOLDERS):
        folder = deb / f"usr/share/{number:03}"
        folder.mkdir(parents=True)
        for name in range(400):
            os.link(deb / "bin/sh", folder / f"{name}")
    return deb


@contextmanager
def half_gone(cli: Cli, deb: Path) -> Iterator[Program]:
    """A `delete` that stands still in the middle: SIGCONT has it go on."""
    argv = ("delete", "--yes", "-d", deb)
    stopping = cli.stopping_at("removing, ")
    with stopping.start(*argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        wait_until_stopped(process)
        (left,) = deb.parent.iterdir()
        assert left.name != deb.name
        assert len(os.listdir(left / "usr/share")) < FOLDERS
        yield process


@pytest.mark.slow
def test_killed_half_way_it_is_incomplete_and_can_be_deleted(cli: Cli, tmp_path: Path) -> None:
    with half_gone(cli, large(bare(tmp_path / "deb"))) as process:
        process.kill()
    (left,) = tmp_path.iterdir()
    (one,) = cli.json("list", "--base", tmp_path)
    assert one["state"] == "incomplete"
    assert f"delete -d {left}" in one["problems"][0]["hint"]
    assert cli("on", "-d", left).returncode == 1
    cli.ok("delete", "--yes", "-d", left)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_interrupted_half_way_it_has_its_name_and_is_incomplete(cli: Cli, tmp_path: Path) -> None:
    with half_gone(cli, large(bare(tmp_path / "deb"))) as process:
        assert cli.json("list", "--base", tmp_path) == []  # gone, as far as others are concerned
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGCONT)
        assert process.wait(PATIENCE) == 130
    (one,) = cli.json("list", "--base", tmp_path)
    assert (one["name"], one["state"]) == ("deb", "incomplete")
    cli.ok("delete", "--yes", "-d", tmp_path / "deb")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_deleted_is_named(cli: Cli, tmp_path: Path) -> None:
    if os.geteuid():
        pytest.skip("chattr needs root")
    deb = bare(tmp_path / "deb")
    (deb / "first").touch()  # gone before any directory is entered: in those the order is by chance
    stuck = deb / "etc/stuck"
    stuck.touch()
    subprocess.run(["chattr", "+i", stuck], check=True)
    try:
        done = cli("delete", "--yes", "-d", deb)
        assert done.returncode == 1
        assert f"{deb}/etc/stuck" in done.stderr
        assert "chattr -i" in done.stderr
        assert stuck.exists()
    finally:
        subprocess.run(["chattr", "-i", stuck], check=True)
    assert cli.json("status", "-d", deb)["state"] == "incomplete"
    cli.ok("delete", "--yes", "-d", deb)


def test_one_that_cannot_go_is_still_enabled(cli: Cli, tmp_path: Path) -> None:
    root = bare(tmp_path / "deb")
    with own_units(tmp_path / "units") as units:
        cli.ok("enable", "-d", root)
        set_flags(root, IMMUTABLE)
        assert cli("delete", "-d", root, "--yes").returncode == 1
        set_flags(root, 0)
        assert len(list(units.glob("chroot-tool.target.wants/*"))) == 1
        cli.ok("delete", "-d", root, "--yes")
        assert not list(units.glob("chroot-tool.target.wants/*"))


@pytest.mark.slow
@pytest.mark.parametrize("mended", [False, True])
def test_what_a_kill_has_left_of_one_is_no_more_enabled_when_it_goes(
    cli: Cli, tmp_path: Path, mended: bool
) -> None:
    root = bare(tmp_path / "deb")
    with own_units(tmp_path / "units") as units:
        cli.ok("enable", "-d", root)
        assert len(list(units.glob("chroot-tool.target.wants/*"))) == 1
        root.rename(tmp_path / ".deb.deleting-0123abcd")
        if mended:
            cli("doctor", "--mend", "--base", tmp_path)
        else:
            cli.ok("delete", "-d", root, "--yes")
        assert not (tmp_path / ".deb.deleting-0123abcd").exists()
        assert not list(units.glob("chroot-tool.target.wants/*"))


def test_while_nothing_is_gone_it_stays_sound(cli: Cli, tmp_path: Path) -> None:
    if os.geteuid():
        pytest.skip("chattr needs root")
    deb = tmp_path / "deb"
    (deb / "chroot.d").mkdir(parents=True)
    stuck = deb / "stuck"
    stuck.touch()
    subprocess.run(["chattr", "+i", stuck], check=True)
    try:
        assert cli("delete", "--yes", "-d", deb).returncode == 1
    finally:
        subprocess.run(["chattr", "-i", stuck], check=True)
    assert sorted(p.name for p in deb.iterdir()) == ["chroot.d", "stuck"]
    assert cli.json("status", "-d", deb)["state"] == "broken"  # as it was
