"""Nobody without a say in a chroot can keep root from working on it; who can is named."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from chroot_tool.core import lock
from chroot_tool.core.errors import LockedError
from chroot_tool.core.lock import Lock, is_locked
from support import Cli, next_line
from support.trees import access_list

pytestmark = pytest.mark.root

NOBODY, SOMEBODY = 65534, 1000

FLOCK = "import fcntl, sys; fcntl.flock(int(sys.argv[1]), fcntl.{how})"
MARK = "import fcntl, sys; fcntl.lockf(int(sys.argv[1]), fcntl.LOCK_SH)"
OF_DESCRIPTOR = (
    "import fcntl, struct, sys; fcntl.fcntl(int(sys.argv[1]), 37, "  # F_OFD_SETLK
    "struct.pack('hhqqi4x', fcntl.F_RDLCK, 0, 0, 0, 0))"
)
SENT = (
    "import os, socket; fcntl.flock(int(sys.argv[1]), fcntl.LOCK_EX); pair = socket.socketpair();"
    "socket.send_fds(pair[0], [b'x'], [int(sys.argv[1])]); os.close(int(sys.argv[1]))"
)
FORKED = (
    "import os, time; child = os.fork()\n"
    "if not child: fcntl.flock(int(sys.argv[1]), fcntl.LOCK_EX); os._exit(0)\n"
    "os.waitpid(child, 0)"
)


@contextmanager
def held(root: Path, code: str, uid: int) -> Iterator[int]:
    """Have a process of *uid* lock the directory, which it could open where that is readable."""
    fd = os.open(root, os.O_RDONLY)
    program = f"import fcntl, sys\n{code}\nprint('held', flush=True)\nsys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", program, str(fd)],
        pass_fds=(fd,), user=uid, group=uid, extra_groups=[],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        os.close(fd)
        try:
            assert next_line(process) == b"held\n"
            yield process.pid
        finally:
            process.kill()


@pytest.mark.slow
@pytest.mark.parametrize(
    "code",
    [FLOCK.format(how="LOCK_EX"), FLOCK.format(how="LOCK_SH"), SENT, FORKED],
    ids=["exclusive", "shared", "sent away", "taken by one who ended"],
)
def test_a_lock_of_one_who_may_not_write_does_not_count(
    cli: Cli, tiny_chroot: Path, tmp_path: Path, code: str
) -> None:
    status = tiny_chroot.stat()
    with held(tiny_chroot, code, NOBODY):
        assert not is_locked(str(tiny_chroot))
        cli.ok("on", "-d", tiny_chroot)
        cli.ok("bind", "add", "--target", "/x", "--fs", "tmpfs", "-d", tiny_chroot)
        cli.ok("off", "-d", tiny_chroot)
        cli.ok("clone", "-d", tiny_chroot, tmp_path / "two")
        cli.ok("delete", "--yes", "-d", tiny_chroot)
    assert not Path(lock.ROOTS, f"{status.st_dev:x}-{status.st_ino:x}").exists()


@pytest.mark.parametrize("code", [MARK, OF_DESCRIPTOR], ids=["process", "descriptor"])
def test_nor_does_the_mark_of_a_session(
    cli: Cli, tiny_chroot: Path, tmp_path: Path, code: str
) -> None:
    with held(tiny_chroot, code, NOBODY):
        cli.ok("rename", "-d", tiny_chroot, tmp_path / "other")
        cli.ok("delete", "--yes", "-d", tmp_path / "other")


@pytest.mark.slow
@pytest.mark.parametrize("how", ["owner", "configuration", "group", "everybody", "list"])
def test_who_may_write_counts_and_is_named(cli: Cli, tiny_chroot: Path, how: str) -> None:
    place = tiny_chroot / "chroot.d"
    if how == "owner":
        os.chown(tiny_chroot, SOMEBODY, 0)
    elif how == "configuration":
        os.chown(place, SOMEBODY, 0)
    elif how == "group":
        os.chown(place, 0, SOMEBODY)
        place.chmod(0o775)
    elif how == "everybody":
        place.chmod(0o777)
    else:
        allow(place, SOMEBODY)
    with held(tiny_chroot, FLOCK.format(how="LOCK_EX"), SOMEBODY) as pid:
        assert is_locked(str(tiny_chroot))
        done = cli("on", "-d", tiny_chroot)
        assert done.returncode == 4
        assert f"(process {pid} of " in done.stderr
        assert sys.executable in done.stderr
    if how != "everybody":
        with held(tiny_chroot, FLOCK.format(how="LOCK_EX"), NOBODY):
            cli.ok("on", "-d", tiny_chroot)


def allow(place: Path, uid: int) -> None:
    """Let a user write by an access control list."""
    os.setxattr(place, "system.posix_acl_access", access_list(7, 7, 5, 7, 5, uid=uid))


def test_two_of_roots_are_never_at_work_at_once(tiny_chroot: Path) -> None:
    path = str(tiny_chroot)
    with held(tiny_chroot, FLOCK.format(how="LOCK_EX"), NOBODY):
        with Lock(path):
            assert is_locked(path)
            with pytest.raises(LockedError, match=rf"\(process {os.getpid()} of root"):
                Lock(path, patience=0)
        with Lock(path, shared=True), Lock(path, shared=True), pytest.raises(LockedError):
            Lock(path, patience=0)
        Lock(path).close()
        assert not is_locked(path)


@pytest.fixture
def locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where root's locks are, and no others."""
    made = tmp_path / "locks"
    made.mkdir(mode=0o700)
    monkeypatch.setattr(lock, "ROOTS", str(made))
    return made


def test_what_a_kill_leaves_the_next_one_removes(
    tiny_chroot: Path, tmp_path: Path, locks: Path
) -> None:
    (locks / "1-1").touch()
    with Lock(str(tmp_path)), Lock(str(tiny_chroot)):
        assert len(os.listdir(locks)) == 2
    assert os.listdir(locks) == []


def test_who_removes_what_a_kill_has_left_is_not_at_work_there(
    tiny_chroot: Path, locks: Path
) -> None:
    """What was killed while it created was shown as being created for that moment."""
    status = tiny_chroot.stat()
    left = locks / f"{status.st_dev:x}-{status.st_ino:x}"
    left.touch()
    with held(left, FLOCK.format(how="LOCK_EX"), 0):
        assert not is_locked(str(tiny_chroot))
    with Lock(str(tiny_chroot)):
        assert is_locked(str(tiny_chroot))


@pytest.mark.slow
def test_a_directory_of_locks_that_is_not_roots_alone_is_not_used(
    tiny_chroot: Path, locks: Path
) -> None:
    locks.chmod(0o755)
    with Lock(str(tiny_chroot)):
        assert os.listdir(locks) == []
    with held(tiny_chroot, FLOCK.format(how="LOCK_EX"), NOBODY), pytest.raises(LockedError):
        Lock(str(tiny_chroot), patience=0)
