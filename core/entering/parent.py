"""The parent of a command that has no terminal of its own: passes signals on, waits, has its code.

The command is a child, and not what this process becomes, because whoever started us as a process
(Python's subprocess, systemd, a shell's `trap`) is promised 128+N where signal N ended it. Bytes do
not come this way: descriptors 0, 1 and 2 are the command's, and this process lets go of 0 and 1.

Every signal that can be blocked is, and is taken one by one. What a terminal sends goes to the
whole process group, so the command has it already; everything else goes on to the command, but for
SIGTTOU, which has a meaning of its own here. Who kills a whole group by hand reaches it twice, and
a SIGSTOP for this process cannot be passed on. If this process is killed, the kernel kills the
command.
"""

from __future__ import annotations

import os

from .launch import Refused, become

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from typing import Any, NoReturn

    from ..kernel.rootpath import Root
    from .launch import Launch
else:
    import _signal as signal  # see enter

_FROM_TERMINAL = (
    signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU, signal.SIGWINCH,
)  # fmt: skip
_NOT_CONTINUED = signal.SIGTTOU
"""Waits, blocked, as long as no SIGCONT has come since the last one that was passed on.

A signal that stops throws away a SIGCONT that waits, so that a stop of our own making might lose
one. But a SIGCONT throws away all that stop, this one too, whatever becomes of itself.
"""
# si_code, asm-generic/siginfo.h. An alarm that we were started with is of the kernel, too.
_SI_USER, _SI_KERNEL = 0, 0x80
_TICK = 0.01
"""Seconds between two looks whether the command executes yet: nothing tells. Reading the pipe until
it does would hang where ctrl+Z stops the child before."""


def run(root: Root, launch: Launch) -> int:
    """Run *launch* as a child; return its exit code, 128+N where signal N ended it.

    Afterwards this process has /dev/null as stdin and stdout, unless the command could not be
    started: then everything is as before, and EnterError is raised.
    """
    inherited = _Inherited()
    try:
        code = _start(root.fd, launch, inherited).follow()
        inherited.forget()
    except Refused as error:
        refused = error
    else:
        return code
    finally:
        inherited.restore()
    from .exec_error import explain

    raise explain(root, launch, refused)


def _start(root_fd: int, launch: Launch, inherited: _Inherited) -> _Parent:
    reader, writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    parent = os.getpid()
    early = signal.sigpending()
    signal.raise_signal(_NOT_CONTINUED)
    try:
        pid = os.fork()
    except OSError as error:
        os.close(reader)
        raise Refused("enter", error.errno or 0) from error
    else:
        if not pid:
            _be_command(root_fd, launch, inherited, writer, parent)
    finally:
        os.close(writer)
    return _Parent(pid, reader, early)


def _be_command(
    root_fd: int, launch: Launch, inherited: _Inherited, writer: int, parent: int
) -> NoReturn:
    try:
        if launch.user.uid:
            _leave_terminal()
        inherited.hand_on()
        become(root_fd, launch, ends_with=parent)
    except Refused as error:
        os.write(writer, f"{error.stage} {error.number}".encode())
    finally:  # never back into the parent's code
        os._exit(125)


def _leave_terminal() -> None:
    """Have no controlling terminal any more: it is the host's, and of a user who is none inside.

    Before Linux 6.2 whoever has one types into it (TIOCSTI, ioctl_tty(2)), and so into root's
    shell. Session and process group stay, so that ctrl+C and ctrl+Z come as before. Root keeps it:
    with CAP_SYS_ADMIN it could take any.
    """
    import fcntl
    import termios

    try:
        terminals = [os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)]
    except OSError:  # there is none, or no such node here
        terminals = [0, 1, 2]
    for fd in terminals:
        try:
            fcntl.ioctl(fd, termios.TIOCNOTTY)
        except OSError:
            pass  # no terminal, or another one


class _Inherited:
    """The signals as this process was started with them; while it lives, all are blocked."""

    def __init__(self) -> None:
        self._handled = [n for n in signal.valid_signals() if callable(signal.getsignal(n))]
        # Ended children of a process that ignores SIGCHLD cannot be waited for.
        self._child: Any = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._mask = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())

    def hand_on(self) -> None:
        """Give the command what we were given. Its own default ends it, no handler of ours."""
        self._put_child_back()
        for number in self._handled:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)

    def forget(self) -> None:
        """Drop what came after the command's end, and was for the command."""
        while signal.sigtimedwait(signal.valid_signals(), 0):
            pass

    def restore(self) -> None:
        """Put everything back in this process."""
        self._put_child_back()
        signal.sigtimedwait((_NOT_CONTINUED,), 0)
        signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)

    def _put_child_back(self) -> None:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL if self._child is None else self._child)


class _Parent:
    """Waits for the command, and does what happens to this process to it."""

    def __init__(self, pid: int, reader: int, early: set[int]) -> None:
        self._pid = pid
        self._reader = reader
        """Of the pipe that ends when the command executes, or says why it cannot."""
        self._early = early
        """What came before there was a child that a terminal could have sent it to."""
        self._refused: Refused | None = None

    def follow(self) -> int:
        """Return the command's exit code. Raises Refused where it could not be started."""
        signals = signal.valid_signals() - {_NOT_CONTINUED}
        while True:
            if self._reader >= 0:
                taken = signal.sigtimedwait(signals, _TICK)
            else:
                taken = signal.sigwaitinfo(signals)
            if taken is None:
                self._look_for_start()
            elif taken.si_signo != signal.SIGCHLD:
                self._pass_on(taken)
            elif (code := self._look()) is not None:
                if self._reader >= 0:
                    self._look_for_start()
                if self._refused:
                    raise self._refused
                return code if code >= 0 else 128 - code

    def _look_for_start(self) -> None:
        try:
            said = os.read(self._reader, 64).decode()
        except BlockingIOError:
            return
        os.close(self._reader)
        self._reader = -1
        if said:
            stage, number = said.split()
            self._refused = Refused(stage, int(number))
        else:
            _let_go()

    def _look(self) -> int | None:
        """See what became of the command; return how it ended, -N by signal N."""
        pid, status = os.waitpid(self._pid, os.WUNTRACED | os.WNOHANG)
        if not pid:
            return None
        if not os.WIFSTOPPED(status):
            return os.waitstatus_to_exitcode(status)
        self._stop()
        return None

    def _stop(self) -> None:
        """Stop too, so that the shell outside has its prompt; return when it lets us go on.

        Its SIGCONT then waits to be passed on. Not by SIGSTOP: this one does not stop an orphaned
        process group, which nobody would continue.
        """
        before = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        signal.raise_signal(signal.SIGTSTP)  # it is blocked: a SIGCONT throws it away from now on
        if _NOT_CONTINUED in signal.sigpending():
            signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGTSTP,))
            signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTSTP,))
        else:  # we were continued before we had stopped
            signal.sigtimedwait((signal.SIGTSTP,), 0)
            signal.raise_signal(_NOT_CONTINUED)
            os.kill(self._pid, signal.SIGCONT)
        signal.signal(signal.SIGTSTP, signal.SIG_DFL if before is None else before)

    def _pass_on(self, taken: signal.struct_siginfo) -> None:
        number = taken.si_signo
        own = taken.si_code == _SI_USER and taken.si_pid == self._pid
        had = number in _FROM_TERMINAL and taken.si_code == _SI_KERNEL and number not in self._early
        self._early.discard(number)
        if number == signal.SIGCONT:
            signal.raise_signal(_NOT_CONTINUED)  # before: what comes later is to be passed on
        if not own and not had:  # a script's `kill 0` would come back to it for ever
            os.kill(self._pid, number)


def _let_go() -> None:
    """Close stdin and stdout: who is at their other ends waits for the command's to be closed."""
    null = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
    for fd in (0, 1):
        os.dup2(null, fd)
    if null > 1:
        os.close(null)
