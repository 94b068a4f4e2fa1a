"""A terminal of the chroot's own for a command, carried to the outer terminal.

Three processes. This one (the carrier) stays on the outer terminal and moves bytes. The *monitor*
leads a session of its own on the new terminal and only waits; without it the command's process
group would be an orphan, which the kernel does not let stop (ctrl+Z). The *command* has a process
group of its own, in the foreground of the new terminal.

The monitor never reaps the command before the carrier lets it, so the command's pid is good for
signals as long as the carrier runs. If the carrier dies, the kernel hangs the new terminal up and
so ends what runs on it.
"""

from __future__ import annotations

import fcntl
import os
import select
import stat
import termios

from .enter import Launch, Refused, become
from .errors import EnterError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from typing import Any, NoReturn

    from .rootpath import Root
else:
    import _signal as signal  # see enter

_PTMX = "/dev/pts/ptmx"
_PTMX_DEVICE = os.makedev(5, 2)  # Documentation/admin-guide/devices.txt
# asm-generic/ioctls.h; powerpc and mips have directions of their own (asm/ioctl.h). `termios` has
# TIOCGPTPEER only since Python 3.13, TIOCSPTLCK never.
_OTHER_IOCTLS = os.uname().machine.startswith(("ppc", "mips"))
_TIOCSPTLCK = 0x80045431 if _OTHER_IOCTLS else 0x40045431
_TIOCGPTPEER = 0x20005441 if _OTHER_IOCTLS else 0x5441

_TO_GROUP = (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP)
"""What a terminal sends to the whole foreground group."""
_PASSED = (
    signal.SIGHUP, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM, *_TO_GROUP,
)  # fmt: skip
_HANDLED = (*_PASSED, signal.SIGWINCH, signal.SIGCONT)
_READING_OR_WRITING = (signal.SIGTTIN, signal.SIGTTOU)
_TO_FOREGROUND, _TO_BACKGROUND = signal.SIGUSR1, signal.SIGUSR2
"""What the carrier tells the monitor, which then continues the command."""
_CHUNK = 1 << 16
_LAST_OUTPUT = 1 << 18
"""Bytes that are still shown after the command ended: more than a terminal's buffers hold, and an
end where something in the background goes on writing."""


def open_terminal(root: Root) -> tuple[int, int]:
    """Return both ends of a new terminal in *root*'s own devpts: (carrier's, command's).

    Raises EnterError where there is no devpts. What stands at its place is looked at before it is
    opened, and the other end is asked of the kernel, never looked up by name.
    """
    hint = f"mount it: chroot-tool on -d {root.path}"
    there = root.stat(_PTMX)
    if there is None or not stat.S_ISCHR(there.st_mode) or there.st_rdev != _PTMX_DEVICE:
        raise EnterError(f"{root.path} has no terminals: {_PTMX} is missing", hint)
    path = root.open(_PTMX)
    ends: list[int] = []
    try:
        flags = os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC
        ends.append(os.open(f"/proc/self/fd/{path}", flags | os.O_NONBLOCK))
        fcntl.ioctl(ends[0], _TIOCSPTLCK, b"\0\0\0\0")
        ends.append(fcntl.ioctl(ends[0], _TIOCGPTPEER, flags))
        # A ptmx outside a devpts opens the one that is mounted beside it, or the host's.
        if os.fstat(ends[1]).st_dev != os.fstat(path).st_dev:
            raise EnterError(f"{root.path}/dev/pts is no devpts", hint)
    except OSError as error:
        _close(ends)
        raise EnterError(
            f"cannot open a terminal in {root.path}: {error.strerror}", hint
        ) from error
    except EnterError:
        _close(ends)
        raise
    finally:
        os.close(path)
    return ends[0], ends[1]


def _close(descriptors: list[int]) -> None:
    for fd in descriptors:
        os.close(fd)


def run(root: Root, launch: Launch) -> int:
    """Run *launch* on a terminal of its own; return its exit code, 128+N for a signal.

    stdin and stdout are the outer terminal. 129 where that hangs up. Raises EnterError where the
    command could not be started.
    """
    master, slave = open_terminal(root)
    os.fchown(slave, launch.user.uid, -1)  # as login(1) does: its owner may open it by name
    signals = _Signals()
    outer = _Outer()
    try:
        outer.shape(slave)
        return _Carrier(root, launch, outer, signals, master, slave).run()
    finally:
        outer.release()
        outer.close()
        signals.restore()


class _Signals:
    """Signals as bytes on a descriptor, so that poll cannot miss one."""

    def __init__(self) -> None:
        self.fd, self._end = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._fd_before = signal.set_wakeup_fd(self._end, warn_on_full_buffer=False)
        self.continued = False
        self._before = {number: signal.signal(number, self._take) for number in _HANDLED}
        # Ended children of a process that ignores SIGCHLD cannot be waited for.
        self._before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, signal.SIG_DFL)

    def _take(self, number: int, _frame: object) -> None:
        if number == signal.SIGCONT:
            self.continued = True

    def read(self) -> bytes:
        """Return the numbers of the signals that came, none twice in a row for nothing."""
        try:
            return os.read(self.fd, 4096)
        except BlockingIOError:
            return b""

    def stop_by(self, number: int) -> bool:
        """Stop this process group by signal *number*; return, once continued, whether it stopped.

        An orphaned process group is not stopped by the kernel: nobody could continue it.
        """
        self.continued = False
        before = signal.signal(number, signal.SIG_DFL)
        os.killpg(0, number)
        signal.signal(number, before)
        return self.continued

    def restore(self) -> None:
        """Put everything back as it was."""
        signal.set_wakeup_fd(self._fd_before)
        for number, handler in self._before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        os.close(self.fd)
        os.close(self._end)


class _Outer:
    """The terminal on stdin and stdout: raw while the command has it, and as it was otherwise."""

    def __init__(self) -> None:
        self._raw = False
        self._modes: list[Any] = []
        self.fd = _reopen(1)

    def in_foreground(self) -> bool:
        """Whether this process may use it. One that is not our controlling terminal always."""
        try:
            return os.tcgetpgrp(0) == os.getpgrp()
        except OSError:
            return True

    def shape(self, slave: int) -> None:
        """Give the new terminal the modes of this one.

        Not from the background: then they are those of the shell that is at its prompt.
        """
        if self.in_foreground():
            try:
                termios.tcsetattr(slave, termios.TCSANOW, termios.tcgetattr(0))
            except termios.error:
                pass  # it hung up: reading tells

    def claim(self) -> None:
        """Make it raw. Also after a shell that put its own modes back while we were stopped."""
        import tty

        try:
            modes = termios.tcgetattr(0)
            if not self._raw or modes[3] & termios.ICANON:
                self._modes = modes
                tty.setraw(0, termios.TCSADRAIN)
            self._raw = True
        except termios.error:
            pass  # it hung up: reading tells

    def release(self) -> None:
        """Give it back as it was, unless it is somebody else's meanwhile."""
        if self._raw and self.in_foreground():
            try:
                termios.tcsetattr(0, termios.TCSADRAIN, self._modes)
            except termios.error:
                pass
        self._raw = False

    def size(self) -> bytes:
        """Return struct winsize."""
        return fcntl.ioctl(1, termios.TIOCGWINSZ, bytes(8))

    def close(self) -> None:
        """Close what was opened here."""
        os.close(self.fd)


def _reopen(fd: int) -> int:
    """Return a descriptor of the same terminal that does not block.

    O_NONBLOCK on *fd* itself would hold for everybody who has it, the shell behind us too, and
    stay when we are killed.
    """
    flags = os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        return os.open(f"/proc/self/fd/{fd}", flags)
    except OSError:  # a terminal of another mount namespace
        return os.dup(fd)


class _HungUp(Exception):  # noqa: N818
    """The outer terminal is gone."""


class _Carrier:
    """Moves bytes, signals, size and stops between the outer terminal and the command."""

    def __init__(
        self,
        root: Root,
        launch: Launch,
        outer: _Outer,
        signals: _Signals,
        master: int,
        slave: int,
    ) -> None:
        self._root, self._launch = root, launch
        self._outer, self._signals = outer, signals
        self._master, self._slave = master, slave
        self._poll = select.poll()
        self._typed = b""
        self._output = b""
        self._command = 0
        self._takes_input = False
        self._ended: int | None = None
        self._stopped = 0
        self._refused: Refused | None = None
        self._left = _LAST_OUTPUT

    def run(self) -> int:
        """Start the command and carry until its end; return its exit code."""
        self._resize()
        foreground = self._outer.in_foreground()
        if foreground:
            self._outer.claim()
        self._reports, self._monitor = _start_monitor(
            self._root.fd, self._launch, self._master, self._slave, foreground
        )
        os.close(self._slave)
        try:
            code = self._carry()
            os.kill(self._monitor, _TO_FOREGROUND)  # it reaps the command
        except _HungUp:
            code = 128 + signal.SIGHUP
            _kill(-self._command, signal.SIGHUP)  # before its terminal ends, so that it knows why
            os.close(self._master)
        os.waitpid(self._monitor, 0)
        if self._refused:
            from .execerror import explain

            raise explain(self._root, self._launch, self._refused)
        return code

    def _carry(self) -> int:
        while True:
            if (self._stopped or self._ended is not None) and self._all_shown():
                if self._ended is not None:
                    return self._ended
                self._stop(self._stopped)
                self._stopped = 0
            else:
                self._turn()

    # -- bytes

    def _turn(self) -> None:
        """Wait until something can be moved or has happened, and do that."""
        foreground = self._outer.in_foreground()
        reads = foreground and self._takes_input and not self._typed
        reading = select.POLLIN if reads else 0
        self._poll.register(0, reading)
        self._poll.register(self._outer.fd, select.POLLOUT if self._output else 0)
        carried = 0 if self._output else select.POLLIN
        self._poll.register(self._master, carried | (select.POLLOUT if self._typed else 0))
        if self._command:  # before that there is nobody to send them to
            self._poll.register(self._signals.fd, select.POLLIN)
        self._poll.register(self._reports, select.POLLIN)
        ready = dict(self._poll.poll())
        if self._signals.fd in ready:
            for number in self._signals.read():
                self._on_signal(number)
        if self._reports in ready:
            self._on_reports()
        if ready.get(self._master, 0) & select.POLLIN:
            self._read_output()
        elif self._output:
            self._show()
        if self._typed:
            self._type()
        elif reading and ready.get(0, 0) & select.POLLIN:
            self._read_typed()
        for fd in (0, self._outer.fd):
            if ready.get(fd, 0) & (select.POLLHUP | select.POLLERR | select.POLLNVAL):
                raise _HungUp

    def _read_typed(self) -> None:
        try:
            self._typed = os.read(0, 4096)
        except OSError:
            raise _HungUp from None
        if not self._typed:
            raise _HungUp
        self._type()

    def _type(self) -> None:
        try:
            self._typed = self._typed[os.write(self._master, self._typed) :]
        except BlockingIOError:
            pass
        except OSError:  # hung up inside: nobody reads any more
            self._typed = b""

    def _read_output(self) -> bool:
        """Take what the command has written, and show what can be; whether there was something."""
        try:
            self._output = os.read(self._master, _CHUNK)
        except OSError:  # nothing there, or hung up
            return False
        if self._ended is not None or self._stopped:
            self._left -= len(self._output)
        self._show()
        return True

    def _show(self) -> None:
        try:
            self._output = self._output[os.write(self._outer.fd, self._output) :]
        except BlockingIOError:
            pass
        except OSError:
            raise _HungUp from None

    def _all_shown(self) -> bool:
        """Whether what was written before the command ended or stopped is on the outer terminal."""
        while not self._output:
            if self._left <= 0 or not self._read_output():
                return True
        return False

    # -- what happens

    def _on_reports(self) -> None:
        """Take in what the monitor says; see `_Monitor._report`."""
        text = os.read(self._reports, 4096)
        if not text and self._ended is None:  # it was killed, and the kernel hangs up
            self._ended = 128 + signal.SIGHUP
        self._left = _LAST_OUTPUT
        for line in text.decode().splitlines():
            kind, *words = line.split()
            if kind == "started":
                self._command = int(words[0])
                self._takes_input = True
            elif kind == "continued":
                self._takes_input = True
            elif kind == "stopped":
                self._stopped = int(words[0])
            elif kind == "refused":
                self._refused = Refused(words[0], int(words[1]))
            else:
                self._ended = int(words[0])

    def _on_signal(self, number: int) -> None:
        if number == signal.SIGWINCH:
            self._resize()
        elif number == signal.SIGCONT:
            if self._outer.in_foreground():
                self._outer.claim()
                self._resize()
        elif self._ended is not None:  # whoever sends it does not want to wait for the terminal
            self._output, self._left = b"", 0
        else:
            _kill(-self._command if number in _TO_GROUP else self._command, number)

    def _resize(self) -> None:
        try:
            fcntl.ioctl(self._master, termios.TIOCSWINSZ, self._outer.size())
        except OSError:
            pass  # one of the two hung up: reading tells

    def _stop(self, number: int) -> None:
        """The command stopped: stop too, so that the shell outside has its prompt; then go on.

        A command in the background that wants the terminal is given it where we have it.
        """
        wants = number in _READING_OR_WRITING
        if not (wants and self._outer.in_foreground()):
            self._outer.release()
            stopped = self._signals.stop_by(number if wants else signal.SIGTSTP)
            if wants and not stopped and not self._outer.in_foreground():
                raise _HungUp  # nobody will ever bring us to the foreground
        # A ctrl+Z that comes before the command is continued would be forgotten with that.
        self._takes_input = False
        if self._outer.in_foreground():
            self._outer.claim()
            self._resize()
            os.kill(self._monitor, _TO_FOREGROUND)
        else:
            os.kill(self._monitor, _TO_BACKGROUND)


def _kill(pid: int, number: int) -> None:
    """Send a signal to a process or, where *pid* is negative, to a group that may be gone."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


# -- the monitor and the command --------------------------------------------------------------


def _start_monitor(
    root_fd: int, launch: Launch, master: int, slave: int, foreground: bool
) -> tuple[int, int]:
    """Fork the monitor; return the descriptor of its reports and its pid."""
    reader, writer = os.pipe2(os.O_CLOEXEC)
    # A signal that comes between fork and the monitor's own handlers would be told to the carrier.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _HANDLED)
    pid = os.fork()
    if not pid:
        try:
            os.close(master)  # it hangs up when the last one closes it: the carrier
            _Monitor(writer, slave).run(root_fd, launch, foreground)
        finally:  # never back into the carrier's code
            os._exit(125)
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    os.close(writer)
    return reader, pid


class _Monitor:
    """Leads the session of the new terminal, and tells what becomes of the command."""

    _AWAITED = (signal.SIGCHLD, signal.SIGHUP, _TO_FOREGROUND, _TO_BACKGROUND)
    _BLOCKED = (*_TO_GROUP, *_READING_OR_WRITING)
    """Meant for the group in the foreground; TTOU also for whoever changes which one that is.
    Not ignored: what comes for the command before its execve then waits for it."""

    def __init__(self, reports: int, slave: int) -> None:
        self._reports, self._slave = reports, slave
        self._command = 0
        self._in_front = 0

    def run(self, root_fd: int, launch: Launch, foreground: bool) -> NoReturn:
        """Start the command, follow it to its end, and end when the carrier says so."""
        try:
            self._start(root_fd, launch, foreground)
        except OSError as error:
            self._report("refused", "enter", error.errno)
            raise
        self._report("started", self._command)
        self._follow()

    def _start(self, root_fd: int, launch: Launch, foreground: bool) -> None:
        signal.set_wakeup_fd(-1)
        for number in (*_HANDLED, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, (*self._AWAITED, *self._BLOCKED))
        os.setsid()
        fcntl.ioctl(self._slave, termios.TIOCSCTTY, 0)
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
            elif number == signal.SIGHUP:  # the carrier is gone, and with it the terminal
                # The kernel tells only who is in the foreground.
                _kill(-self._command, signal.SIGHUP)
                _kill(-self._command, signal.SIGCONT)
                os._exit(0)
            elif ended:
                os.waitpid(self._command, 0)
                os._exit(0)
            else:
                self._go_on(foreground=number == _TO_FOREGROUND)

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
        _kill(-self._command, signal.SIGCONT)
        self._report("continued")
