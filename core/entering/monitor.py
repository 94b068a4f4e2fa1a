"""The monitor of a chroot's own terminal: leads its session and starts the command on it.

It runs in a process of its own, does no more than wait, and tells the carrier through a pipe what
becomes of the command.
"""

from __future__ import annotations

import fcntl
import os
import termios

from .launch import Launch, Refused, be_signalled, become

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from typing import NoReturn
else:
    import _signal as signal  # see enter

TO_GROUP = (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP)
"""What a terminal sends to the whole foreground group."""
PASSED = (
    signal.SIGHUP, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM, *TO_GROUP,
)  # fmt: skip
HANDLED = (*PASSED, signal.SIGWINCH, signal.SIGCONT)
READING_OR_WRITING = (signal.SIGTTIN, signal.SIGTTOU)
TO_FOREGROUND, TO_BACKGROUND, TO_REAP = signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM
"""What the carrier tells the monitor, which then continues the command; or reaps it, and ends."""
_PATIENCE = 2
"""Seconds that a command has to end before its terminal does."""


def kill(pid: int, number: int) -> None:
    """Send a signal to a process or, where *pid* is negative, to a group that may be gone."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def start(
    root_fd: int, launch: Launch, master: int, slave: int, foreground: bool
) -> tuple[int, int]:
    """Fork the monitor; return the descriptor of its reports and its pid."""
    reader, writer = os.pipe2(os.O_CLOEXEC)
    # A signal that comes between fork and the monitor's own handlers would be told to the carrier.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED)
    carrier = os.getpid()
    pid = os.fork()
    if not pid:
        try:
            # Not closed: a terminal ends with the last *master*, and here first comes who is told.
            _Monitor(writer, slave, carrier).run(root_fd, launch, foreground)
        finally:  # never back into the carrier's code
            os._exit(125)
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    os.close(writer)
    return reader, pid


class _Monitor:
    """Leads the session of the new terminal, and tells what becomes of the command."""

    _AWAITED = (signal.SIGCHLD, signal.SIGHUP, TO_FOREGROUND, TO_BACKGROUND, TO_REAP)
    _BLOCKED = (*TO_GROUP, *READING_OR_WRITING)
    """Meant for the group in the foreground; TTOU also for whoever changes which one that is.
    Not ignored: what comes for the command before its execve then waits for it."""

    def __init__(self, reports: int, slave: int, carrier: int) -> None:
        self._reports, self._slave, self._carrier = reports, slave, carrier
        self._command = 0
        self._in_front = 0

    def run(self, root_fd: int, launch: Launch, foreground: bool) -> NoReturn:
        """Start the command, follow it to its end, and end when the carrier says so."""
        try:
            self._start(root_fd, launch, foreground)
        except OSError as error:
            self._report("refused", "enter", error.errno)
            raise
        if launch.member < 0:
            self._report("started", self._command)
        self._follow()

    def _start(self, root_fd: int, launch: Launch, foreground: bool) -> None:
        signal.set_wakeup_fd(-1)
        for number in (*HANDLED, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, (*self._AWAITED, *self._BLOCKED))
        os.setsid()
        fcntl.ioctl(self._slave, termios.TIOCSCTTY, 0)
        be_signalled(signal.SIGHUP, at_end_of=self._carrier)
        self._command = os.fork()
        if not self._command:
            try:
                self._become_command(root_fd, launch, foreground)
            except Refused as refused:
                self._report("refused", refused.stage, refused.number)
            except OSError as error:
                self._report("refused", "enter", error.errno)
            finally:
                os._exit(125)
        try:
            self._make_group(self._command, foreground)
        except OSError:
            pass  # it has done so itself, and become the command or ended already

    def _make_group(self, pid: int, foreground: bool) -> None:
        """Give the command a group of its own. Both do it: neither may go on without it."""
        os.setpgid(pid, 0)
        if foreground:
            os.tcsetpgrp(self._slave, pid or os.getpid())

    def _become_command(self, root_fd: int, launch: Launch, foreground: bool) -> None:
        self._make_group(0, foreground)
        for fd in (0, 1, 2):
            if os.isatty(fd):
                os.dup2(self._slave, fd)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        if launch.member >= 0:  # its pid is another one to the carrier, as our /proc has it
            self._report("started", os.readlink("/proc/self"))
        become(root_fd, launch)

    def _report(self, *words: object) -> None:
        """Write started PID, refused STAGE ERRNO, stopped SIGNAL, continued or ended CODE."""
        os.write(self._reports, " ".join(map(str, words)).encode() + b"\n")

    def _follow(self) -> NoReturn:
        ended = False
        while True:
            number = signal.sigwait(self._AWAITED)
            if number == signal.SIGCHLD:
                ended = ended or self._look()
            elif number == signal.SIGHUP:  # from the carrier, or the carrier is gone
                self._hang_up()
            elif number == TO_REAP:
                os.waitpid(self._command, 0)
                # Nor is told what it has left to run on, a service that `start` began, say.
                self._end_untold()
            elif not ended:
                self._go_on(foreground=number == TO_FOREGROUND)

    def _hang_up(self) -> NoReturn:
        """Tell the command that its terminal ends, give it time for that, and end.

        In this order and once: a shell that reads the end first, or is told again while it passes
        on what it was told (termsig_sighandler of bash), leaves what it has in the background
        running. With our end the kernel tells whom else the command has put in the foreground.
        """
        kill(-self._command, signal.SIGHUP)
        kill(-self._command, signal.SIGCONT)
        signal.alarm(_PATIENCE)
        flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
        while os.waitid(os.P_PID, self._command, flags) is None:
            if signal.sigwait((signal.SIGCHLD, signal.SIGALRM)) == signal.SIGALRM:
                break
        if os.tcgetpgrp(self._slave) == self._command:
            self._end_untold()
        os._exit(0)

    def _end_untold(self) -> NoReturn:
        """End, and with us the session, when nobody is told: who is in the foreground would be."""
        try:
            os.tcsetpgrp(self._slave, os.getpgrp())
        finally:  # the terminal may be gone
            os._exit(0)

    def _look(self) -> bool:
        """Report what became of the command, leaving it unreaped; whether it ended."""
        flags = os.WEXITED | os.WSTOPPED | os.WNOHANG
        found = os.waitid(os.P_PID, self._command, flags | os.WNOWAIT)
        if found is None:
            return False
        if found.si_code == os.CLD_STOPPED:
            os.waitid(os.P_PID, self._command, os.WSTOPPED | os.WNOHANG)
            self._in_front = os.tcgetpgrp(self._slave)
            self._report("stopped", found.si_status)
            return False
        code = found.si_status if found.si_code == os.CLD_EXITED else 128 + found.si_status
        self._report("ended", code)
        return True

    def _go_on(self, *, foreground: bool) -> None:
        """Continue the stopped command, with or without the terminal."""
        group = os.getpgrp()
        if foreground:
            # What it had put in front itself, or its own group.
            group = self._in_front if self._in_front not in (0, group) else self._command
        try:
            os.tcsetpgrp(self._slave, group)
        except OSError:  # that group is gone
            os.tcsetpgrp(self._slave, self._command if foreground else os.getpgrp())
        kill(-self._command, signal.SIGCONT)
        self._report("continued")
