"""Who asks becomes a user inside, and from then on shells are theirs."""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import Cli
from support.ordinary import Ordinary, ordinary
from support.users import users

pytestmark = [pytest.mark.root, pytest.mark.slow]


@pytest.fixture
def ann(tmp_path: Path, tiny_template: Path) -> Iterator[Ordinary]:
    with ordinary(tmp_path) as one:
        subprocess.run(["cp", "-a", tiny_template, one.base / "deb"], check=True)
        one.allow()
        yield one
        subprocess.run(
            [one.program, "off", "-S", "--kill", "-d", one.base / "deb"],
            check=False, capture_output=True,
        )  # fmt: skip


def test_a_command_is_run_as_who_asks_where_the_chroot_knows_them(ann: Ordinary) -> None:
    whole = ("run", "-d", "deb", "--", "/bin/id", "-u")
    before = ann(*whole)
    assert before.stdout == "0\n"
    [line] = before.stderr.splitlines()
    assert f"knows no ann ({ann.uid}); chroot-tool adopt -d {ann.base / 'deb'} makes one" in line
    assert "chroot-tool adopt" in line

    assert "is a user inside" in ann("adopt", "-d", "deb").stderr
    after = ann(*whole)
    assert (after.stdout, after.stderr) == (f"{ann.uid}\n", "")
    assert ann("run", "-x", *whole[1:]).stdout == f"{ann.uid}\n"
    assert ann("run", "-u", "root", *whole[1:]).stdout == "0\n"
    assert ann("run", "-u", "app", *whole[1:]).stdout == "1000\n"
    home = ann.base / "deb" / str(ann.home).lstrip("/")
    assert (home.stat().st_uid, home.stat().st_mode & 0o777) == (ann.uid, 0o700)
    assert ann("shell", "-d", "deb", stdin=b"id -u; pwd\n").stdout == f"{ann.uid}\n{ann.home}\n"

    as_root = subprocess.run(
        [ann.program, "run", "-d", ann.base / "deb", "--", "/bin/id", "-u"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert (as_root.stdout, as_root.stderr) == ("0\n", "")
    assert "already" in ann("adopt", "-d", "deb").stderr


def test_somebody_of_that_name_with_another_number_is_somebody_else(ann: Ordinary) -> None:
    with (ann.base / "deb/etc/passwd").open("a") as file:
        file.write("ann:x:4711:4711::/:/bin/sh\n")
    done = ann("run", "-d", "deb", "--", "/bin/id", "-u")
    assert done.stdout == "0\n"
    assert f"ann is not {ann.uid} but 4711" in done.stderr
    refused = ann("adopt", "-d", "deb")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "usermod -u" in refused.stderr


def test_what_the_chroot_itself_says_comes_first(ann: Ordinary) -> None:
    (ann.base / "deb/chroot.d/chroot.toml").write_text('[run]\nuser = "app"\n')
    done = ann("run", "-d", "deb", "--", "/bin/id", "-u")
    assert (done.stdout, done.stderr) == ("1000\n", "")


# -- the files, without anybody behind sudo -------------------------------------------------------


@pytest.fixture
def bob(tmp_path: Path) -> Iterator[str]:
    with users(tmp_path / "etc", "bob"):
        yield "bob"


def test_a_plan_says_what_is_done_and_skel_comes_along(
    cli: Cli, tiny_chroot: Path, bob: str
) -> None:
    (tiny_chroot / "etc/skel").mkdir()
    (tiny_chroot / "etc/skel/.profile").write_text("hello\n")
    os.mkfifo(tiny_chroot / "etc/skel/fifo")
    (tiny_chroot / "etc/skel/link").symlink_to("/etc/passwd")
    plan = cli.json("adopt", "-d", tiny_chroot, "-u", bob, "--dry-run")
    assert [step["step"] for step in plan["steps"]] == ["add-line", "make-home", "add-line"]
    events = cli.events("adopt", "-d", tiny_chroot, "-u", bob)
    assert [event["event"] for event in events] == ["step", "step", "step", "done"]
    [home] = [step["target"] for step in plan["steps"] if step["step"] == "make-home"]
    inside = tiny_chroot / home.lstrip("/")
    assert [one.name for one in inside.iterdir()] == [".profile"]
    assert (inside / ".profile").stat().st_uid == 47110


def test_a_home_that_is_cut_off_is_theirs_all_the_same(
    cli: Cli, tiny_chroot: Path, bob: str
) -> None:
    (tiny_chroot / "etc/skel").mkdir()
    (tiny_chroot / "etc/skel/.profile").write_bytes(b"#" * 50_000)
    plan = cli.json("adopt", "-d", tiny_chroot, "-u", bob, "--dry-run")
    [target] = [step["target"] for step in plan["steps"] if step["step"] == "make-home"]
    argv = ["prlimit", "--fsize=20000", *cli.argv("adopt", "-d", tiny_chroot, "-u", bob)]
    done = subprocess.run(argv, env=cli.environment(), capture_output=True, text=True, check=False)
    assert (done.returncode, "/.profile can't be written" in done.stderr) == (1, True), done.stderr
    plan = cli.json("adopt", "-d", tiny_chroot, "-u", bob, "--dry-run")
    assert [step["step"] for step in plan["steps"]] == ["add-line"]
    home = tiny_chroot / target.lstrip("/")
    assert (home.stat().st_uid, home.stat().st_mode & 0o777) == (47110, 0o700)


def test_nothing_of_the_host_is_written_where_it_is_bound(
    cli: Cli, tiny_chroot: Path, tmp_path: Path, bob: str
) -> None:
    host = tmp_path / "host"
    shutil.copytree(tiny_chroot / "etc", host)
    before = {path: path.read_bytes() for path in host.iterdir() if path.is_file()}
    subprocess.run(["mount", "--bind", host, tiny_chroot / "etc"], check=True)
    try:
        refused = cli("adopt", "-d", tiny_chroot, "-u", bob)
    finally:
        subprocess.run(["umount", tiny_chroot / "etc"], check=True)
    assert refused.returncode == 1
    assert "outside the chroot" in refused.stderr
    assert {path: path.read_bytes() for path in host.iterdir() if path.is_file()} == before


def test_links_lead_nowhere_and_no_file_is_waited_for(
    cli: Cli, tiny_chroot: Path, tmp_path: Path, bob: str
) -> None:
    outside = tmp_path / "outside"
    outside.write_text("root:x:0:0:::\n")
    for name in ("passwd", "group"):
        (tiny_chroot / f"etc/{name}").unlink()
    (tiny_chroot / "etc/passwd").symlink_to(f"../../../../../../..{outside}")
    os.mkfifo(tiny_chroot / "etc/group")
    refused = cli("adopt", "-d", tiny_chroot, "-u", bob)
    assert refused.returncode == 1, refused.stderr
    assert outside.read_text() == "root:x:0:0:::\n"


def test_who_changes_users_inside_is_let_end(cli: Cli, tiny_chroot: Path, bob: str) -> None:
    lock = tiny_chroot / "etc/.pwd.lock"
    lock.touch(0o600)
    with lock.open("r+") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        assert cli("adopt", "-d", tiny_chroot, "-u", bob).returncode == 4
    assert cli("adopt", "-d", tiny_chroot, "-u", bob).returncode == 0


def test_root_and_nobody_are_refused(cli: Cli, tiny_chroot: Path) -> None:
    for words in (["-u", "root"], ["-u", "no-such-user"]):
        refused = cli("adopt", "-d", tiny_chroot, *words)
        assert (refused.returncode, len(refused.stderr.splitlines())) == (2, 2), refused.stderr


def test_debians_own_programs_take_what_was_made(cli: Cli, chroot: Path, bob: str) -> None:
    cli.ok("adopt", "-d", chroot, "-u", bob)
    inside = ("run", "-d", chroot, "--")
    assert cli.ok(*inside, "/usr/bin/id", "-un", "bob") == "bob\n"
    assert cli(*inside, "/usr/sbin/pwck", "-r", "-q").returncode == 0
    assert cli(*inside, "/usr/sbin/grpck", "-r").returncode == 0
    assert cli.ok("run", "-u", "bob", *inside[1:], "/usr/bin/whoami") == "bob\n"
