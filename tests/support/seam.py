"""Commands whose system calls fail or are their last: through the kernel, with nothing patched.

`watch` starts the real command under a seccomp filter that stops it before each call that changes
something (seccomp_unotify(2)). Here it is counted, and either goes on, or fails with an errno
without being done, or the command is killed before it. strace(1) injects too, but counts in each
process by itself, where here one count goes through all that the command forks; nor can it tell the
calls of ours from those of programs that it starts (tar, a shell inside), or choose a call by what
it is asked for (an open that makes a file).

Imported as `support.seam`.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import select
import socket
import stat
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import NamedTuple

from . import PATIENCE, Arg

KILL = -1
"""Instead of an errno: kill -9, before the call is done."""
LIMIT = 120.0
"""Seconds that a command may take: everything else is taken for one that hangs."""

_MOUNTING = ("EPERM", "ENOMEM", "EINVAL")
_MAKING = ("EACCES", "ENOSPC", "EROFS")
_CHANGING = ("EPERM", "EIO", "EROFS")
ERRORS: Mapping[str, tuple[str, ...]] = {
    "open_tree": ("EACCES", "ENOENT", "ENOMEM"),
    "move_mount": ("EPERM", "EINVAL", "ENOENT", "ENOSPC"),
    "mount_setattr": _MOUNTING,
    "fsopen": ("EPERM", "ENODEV", "ENOSYS"),
    "fspick": ("EPERM", "EINVAL"),
    "fsconfig": _MOUNTING,
    "fsmount": ("EPERM", "ENOMEM"),
    "mount": _MOUNTING,
    "umount2": ("EBUSY", "EPERM", "EINVAL"),
    "pivot_root": ("EPERM", "EINVAL"),
    "unshare": ("EPERM", "ENOSPC", "ENOMEM"),
    "setns": ("EPERM", "EINVAL", "ENOMEM"),
    "openat": (*_MAKING, "EMFILE"),
    "mkdirat": _MAKING,
    "mknodat": ("EPERM", "ENOSPC"),
    "symlinkat": _MAKING,
    "linkat": ("EPERM", "ENOSPC", "EMLINK"),
    "renameat": ("EACCES", "ENOSPC", "EIO"),
    "renameat2": ("EACCES", "ENOSPC", "EIO"),
    "unlinkat": _CHANGING,
    "fchownat": _CHANGING,
    "fchmodat": _CHANGING,
    "utimensat": _CHANGING,
    "ftruncate": ("EIO", "ENOSPC"),
    "fallocate": ("EOPNOTSUPP", "ENOSPC"),
    "copy_file_range": ("EIO", "ENOSPC", "EXDEV"),
    "sendfile": ("EIO", "ENOSPC"),
    "write": ("EIO", "ENOSPC", "EDQUOT"),
    "fsync": ("EIO", "ENOSPC"),
    "fdatasync": ("EIO", "ENOSPC"),
    "syncfs": ("EIO", "ENOSPC"),
    "setxattr": ("EOPNOTSUPP", "ENOSPC", "EPERM"),
    "removexattr": ("EOPNOTSUPP", "EPERM"),
    "FICLONE": ("EOPNOTSUPP", "EIO", "ENOSPC"),
    "FS_IOC_SETFLAGS": ("EOPNOTSUPP", "EPERM"),
    "pidfd_send_signal": ("EPERM", "ESRCH"),
}
"""What each call that changes something may fail with, as its manual page says."""
_ALSO = {
    "mkdir": "mkdirat", "mknod": "mknodat", "symlink": "symlinkat", "link": "linkat",
    "rename": "renameat", "unlink": "unlinkat", "rmdir": "unlinkat", "chown": "fchownat",
    "lchown": "fchownat", "fchown": "fchownat", "chmod": "fchmodat", "fchmod": "fchmodat",
    "fchmodat2": "fchmodat", "lsetxattr": "setxattr", "fsetxattr": "setxattr",
    "lremovexattr": "removexattr", "fremovexattr": "removexattr",
}  # fmt: skip
"""Calls of an older or another form, and the one whose errors they have."""
_IOCTLS = {"FICLONE": 0x40049409, "FS_IOC_SETFLAGS": 0x40086602}
_MAKES = os.O_CREAT, os.O_TRUNC, os.O_TMPFILE & ~os.O_DIRECTORY
_PATH_ARGUMENT = {"openat": 1, "mkdirat": 1, "unlinkat": 1, "umount2": 0, "mknodat": 1, "mkdir": 0,
                  "unlink": 0, "rmdir": 0, "fchmodat": 1, "open_tree": 1, "rename": 0,
                  "renameat": 1, "renameat2": 1, "symlinkat": 2, "move_mount": 3}  # fmt: skip


class Call(NamedTuple):
    """A call that changes something, as one of ours was about to make it."""

    name: str
    path: str
    """What of its arguments says most; only to be shown."""

    @property
    def kind(self) -> str:
        """The one of its forms that every architecture has."""
        return _ALSO.get(self.name, self.name)

    @property
    def errors(self) -> list[int]:
        """What it may fail with."""
        return [getattr(errno, word) for word in ERRORS[self.kind]]

    def __str__(self) -> str:
        return f"{self.name}({self.path})"


class Watched(NamedTuple):
    """How a command ended, and the calls that it made until then."""

    code: int
    out: str
    err: str
    calls: list[Call]


def watch(
    argv: Sequence[Arg],
    env: Mapping[str, str],
    at: Mapping[int, int] | None = None,
    *,
    cwd: Path | None = None,
) -> Watched:
    """Run *argv* to its end, and all that it has started.

    *at*: which calls, counted from 0, fail, and with which errno or KILL.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        with _started(argv, env, cwd, out.fileno(), err.fileno()) as (process, listener):
            calls = _serve(process, listener, at or {})
            code = process.wait(PATIENCE)
        out.seek(0)
        err.seek(0)
        return Watched(code, os.fsdecode(out.read()), os.fsdecode(err.read()), calls)


@contextmanager
def _started(
    argv: Sequence[Arg], env: Mapping[str, str], cwd: Path | None, out: int, err: int
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Start *argv* behind the filter; gives the process and the filter's listener."""
    ours, theirs = socket.socketpair()
    with ours, theirs, tempfile.TemporaryFile() as code:
        code.write(_filter())
        code.flush()
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(_number("seccomp")),
             str(code.fileno()), str(theirs.fileno()), *argv],
            env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
            pass_fds=[code.fileno(), theirs.fileno()], start_new_session=True,
        )  # fmt: skip
        theirs.close()
        _, fds, _, _ = socket.recv_fds(ours, 1, 1)
    assert fds, f"no listener: {process.wait(PATIENCE)}"
    try:
        yield process, fds[0]
    finally:
        process.kill()
        process.wait()
        os.close(fds[0])


_LAUNCHER = """
import ctypes, os, socket, struct, sys
number, code, sock, *argv = sys.argv[1:]
data = ctypes.create_string_buffer(os.pread(int(code), 1 << 16, 0))
program = struct.pack("HP", (len(data) - 1) // 8, ctypes.addressof(data))
SET_MODE_FILTER, NEW_LISTENER = 1, 8
listener = ctypes.CDLL(None).syscall(int(number), SET_MODE_FILTER, NEW_LISTENER, program)
with socket.socket(fileno=int(sock)) as there:
    socket.send_fds(there, [b"x"], [listener])
os.closerange(3, 100)
os.execv(argv[0], argv)
"""


# -- the filter -----------------------------------------------------------------------------------
_ALLOW, _NOTIFY = 0x7FFF0000, 0x7FC00000  # SCMP_ACT_*, seccomp.h of libseccomp
_EQ, _GE, _MASKED_EQ = 4, 5, 7


class _Compare(ctypes.Structure):
    """struct scmp_arg_cmp."""

    _fields_ = (
        ("arg", ctypes.c_uint),
        ("op", ctypes.c_int),
        ("a", ctypes.c_uint64),
        ("b", ctypes.c_uint64),
    )


@cache
def _library() -> ctypes.CDLL:
    library = ctypes.CDLL("libseccomp.so.2")  # apt itself depends on it
    library.seccomp_init.restype = ctypes.c_void_p
    library.seccomp_init.argtypes = [ctypes.c_uint32]
    library.seccomp_rule_add_array.argtypes = [
        ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint, ctypes.POINTER(_Compare),
    ]  # fmt: skip
    library.seccomp_export_bpf.argtypes = [ctypes.c_void_p, ctypes.c_int]
    return library


def _number(name: str) -> int:
    number: int = _library().seccomp_syscall_resolve_name(name.encode())
    return number


@cache
def _filter() -> bytes:
    """The program in the kernel's form: all calls that change something are notified of."""
    library = _library()
    context = library.seccomp_init(_ALLOW)
    rules: list[tuple[str, _Compare | None]] = [
        *((name, None) for name in (*ERRORS, *_ALSO) if name not in (*_IOCTLS, "openat", "write")),
        *(("openat", _Compare(2, _MASKED_EQ, flag, flag)) for flag in _MAKES),
        *(("ioctl", _Compare(1, _EQ, number)) for number in _IOCTLS.values()),
        ("write", _Compare(0, _GE, 3)),
    ]
    for name, compare in rules:
        number = _number(name)
        if number >= 0:  # else there is none on this architecture
            array = (_Compare * 1)(*([compare] if compare else []))
            count = 1 if compare else 0
            assert not library.seccomp_rule_add_array(context, _NOTIFY, number, count, array), name
    with tempfile.TemporaryFile() as file:
        assert not library.seccomp_export_bpf(context, file.fileno())
        return os.pread(file.fileno(), 1 << 16, 0)


# -- the listener ---------------------------------------------------------------------------------
_RECEIVE, _SEND = 0xC0502100, 0xC0182101  # SECCOMP_IOCTL_NOTIF_*, linux/seccomp.h
_REQUEST = struct.Struct("=QIIiIQ6Q")  # struct seccomp_notif
_RESPONSE = struct.Struct("=QqiI")
_CONTINUE = 1


def _serve(process: subprocess.Popen[bytes], listener: int, at: Mapping[int, int]) -> list[Call]:
    """Answer every call of *process* and its descendants until there are none; return those."""
    calls: list[Call] = []
    names = {_number(name): name for name in (*ERRORS, *_ALSO) if name not in _IOCTLS}
    poll = select.poll()
    poll.register(listener, select.POLLIN)
    while True:
        ready = poll.poll(LIMIT * 1000)
        assert ready, f"it hangs after {calls[-3:]}"
        if not ready[0][1] & select.POLLIN:
            return calls  # all processes have ended
        request = bytearray(_REQUEST.size)
        try:
            fcntl.ioctl(listener, _RECEIVE, request)
        except OSError:
            continue  # who asked was killed meanwhile
        ident, pid, _, number, _, _, *arguments = _REQUEST.unpack(request)
        call = _call(names.get(number, "ioctl"), pid, arguments)
        failing = 0
        if call:
            failing = at.get(len(calls), 0)
            calls.append(call)
        if failing == KILL:
            process.kill()
            process.wait(PATIENCE)
            failing = 0
        response = _RESPONSE.pack(ident, 0, -failing, 0 if failing else _CONTINUE)
        try:
            fcntl.ioctl(listener, _SEND, bytearray(response))
        except OSError:
            pass  # killed, as it was to be


def _call(name: str, pid: int, arguments: Sequence[int]) -> Call | None:
    """What *pid* is about to do; None where it is no program of ours, or no change to a file."""
    try:
        if not os.path.samefile(f"/proc/{pid}/exe", sys.executable):
            return None
        if name == "ioctl":
            name = next(word for word, value in _IOCTLS.items() if value == arguments[1])
        if name == "write":
            file = f"/proc/{pid}/fd/{arguments[0]}"
            path = os.readlink(file) if stat.S_ISREG(os.stat(file).st_mode) else "__pycache__"
        else:
            path = _text(pid, name, arguments)
        return None if "__pycache__" in path else Call(name, path)
    except OSError:
        return None  # it ended


def _text(pid: int, name: str, arguments: Sequence[int]) -> str:
    place = _PATH_ARGUMENT.get(name)
    if place is None:
        return ""
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        memory.seek(arguments[place])
        return os.fsdecode(memory.read(256).partition(b"\0")[0])
