"""A command that is ready to be started inside, and becoming it: chroot, ids, directory, execve.

Signals come from `_signal`, which is what the `signal` module itself is made of and is part of
the interpreter: `signal` adds enum types to it, for 1 to 6 ms.
"""

from __future__ import annotations

import os

from ..kernel import syscalls
from ..value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from typing import NoReturn

    from .users import User
else:
    import _signal as signal

_JOINED = syscalls.CLONE_NEWNS | syscalls.CLONE_NEWIPC | syscalls.CLONE_NEWUTS
_NO_KEYRINGS = (1, 38)
"""EPERM, ENOSYS: a container's filter, or a kernel without them. Then nobody inside has them."""
_IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)


class Launch(Value):
    """A command with everything looked up: nothing can be asked any more once inside."""

    program: str
    argv: tuple[str, ...]
    cwd: str
    user: User
    environment: tuple[tuple[str, str], ...]
    member: int = -1
    """A pidfd of one whose mount, IPC and host name namespaces the command joins; -1: it stays in
    those of who starts it."""


class Refused(Exception):  # noqa: N818 (exec_error makes the error of it)
    """The kernel refused a step on the way in: `stage` is "enter", "cwd" or "exec"."""

    def __init__(self, stage: str, number: int) -> None:
        super().__init__(stage, number)
        self.stage = stage
        self.number = number


def become(root_fd: int, launch: Launch, *, ends_with: int = 0) -> NoReturn:
    """Make this process the command of *launch* in the root behind *root_fd*.

    Signals that Python ignores get their default back; those the caller ignores stay ignored, so
    that `nohup` works. The command is killed when its parent *ends_with* (a pid) ends. Raises
    Refused; then the process is half inside, and good for nothing but to end.
    """
    stage = "enter"
    try:
        syscalls.close_range(3, syscalls.CLOSE_RANGE_CLOEXEC)
        _leave_keys()
        if launch.member >= 0:
            syscalls.setns(launch.member, _JOINED)
        os.fchdir(root_fd)
        os.chroot(".")
        _set_user(launch.user)
        if ends_with:
            be_signalled(signal.SIGKILL, at_end_of=ends_with)
        stage = "cwd"
        os.chdir(launch.cwd)
        for number in _IGNORED_BY_PYTHON:
            signal.signal(number, signal.SIG_DFL)
        stage = "exec"
        os.execve(launch.program, launch.argv, dict(launch.environment))
    except OSError as error:
        raise Refused(stage, error.errno or 0) from error


def _leave_keys() -> None:
    """Leave the caller's session keyring, as login(1) and sudo(8) do by pam_keyinit(8)."""
    try:
        syscalls.join_session_keyring()
    except OSError as error:
        if error.errno not in _NO_KEYRINGS:
            raise


def _set_user(user: User) -> None:
    """Take the groups and the ids of *user*, and none of root's capabilities along."""
    os.setgroups(user.groups)
    os.setresgid(user.gid, user.gid, user.gid)
    if user.uid:
        syscalls.clear_ambient_capabilities()
        os.setresuid(user.uid, user.uid, user.uid)


def be_signalled(number: int, *, at_end_of: int) -> None:
    """Have this process get signal *number* when its parent ends, whose pid *at_end_of* is."""
    syscalls.set_parent_death_signal(number)
    # It may have ended before. 0: it is outside of our pid namespace, and cannot be asked for.
    if os.getppid() not in (at_end_of, 0):
        os.kill(os.getpid(), number)
