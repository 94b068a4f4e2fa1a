"""What the files of a process in /proc say, read with a bound.

A process chooses its own name and, by prctl(2), where its command line stands and how long it is:
a gigabyte, or a line that looks like another. So nothing is read whole, and nothing looked for
where the process's own words stand. Everything is b"" or "" for a process that is gone.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_HEAD = 4096
_COMMAND = 1 << 10
"""Bytes of a command line that are told: hundreds of processes may have as much, and each look at a
chroot tells of all. ps(1) shows 128 K."""
_CHUNK = 1 << 18


def head(path: str, limit: int = _HEAD) -> bytes:
    """Return the first *limit* bytes of a file in /proc, b"" where it is gone or not for us."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.read(fd, limit)
    except OSError:
        return b""
    finally:
        os.close(fd)


def linked(path: str) -> str:
    """Return what a link in /proc says, "" where it is gone or may not be read."""
    try:
        return os.readlink(path)
    except OSError:
        return ""


def real_uid(status: bytes) -> int:
    r"""Return the real user id that the text of /proc/PID/status has, -1 where it has none.

    The name in its first line may hold tabs, and so `Uid:\t0`, but no newline (proc_pid_status(5)).
    """
    _, _, rest = status.partition(b"\nUid:\t")
    word = rest[:10].split(b"\t", 1)[0]
    return int(word) if word.isdigit() else -1


def disk_bytes(pid: int) -> tuple[int, int]:
    """Return the bytes that a process has had read from disks, and written to them, so far.

    (0, 0) where the kernel does not tell: /proc/PID/io is for those only who may trace it, and not
    in every kernel (proc_pid_io(5)).
    """
    said = dict(line.split(b": ", 1) for line in head(f"/proc/{pid}/io").splitlines())
    return int(said.get(b"read_bytes", 0)), int(said.get(b"write_bytes", 0))


def command(pid: int) -> str:
    """Return the command line as one would read it, a process's name in brackets without one."""
    words = head(f"/proc/{pid}/cmdline", _COMMAND).removesuffix(b"\0").replace(b"\0", b" ").strip()
    if words:
        return os.fsdecode(words)
    name = head(f"/proc/{pid}/comm").removesuffix(b"\n")
    return f"[{os.fsdecode(name)}]"


def lines_with(path: str, wanted: Collection[bytes]) -> Iterator[bytes]:
    """Yield the lines of a file in /proc, for those pieces of it that hold one of *wanted*.

    No more than a piece is in memory: /proc/PID/maps can have millions of lines.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return
    rest = b""
    try:
        while chunk := os.read(fd, _CHUNK):
            whole, newline, rest = (rest + chunk).rpartition(b"\n")
            if newline and any(word in whole for word in wanted):
                yield from whole.split(b"\n")
    except OSError:
        return
    finally:
        os.close(fd)
