"""A terminal of the chroot's own for a command, carried to the outer terminal.

Three processes. This one (the carrier) stays on the outer terminal and moves bytes. The *monitor*
leads a session of its own on the new terminal and only waits; without it the command's process
group would be an orphan, which the kernel does not let stop (ctrl+Z). The *command* has a process
group of its own, in the foreground of the new terminal.

The monitor never reaps the command before the carrier lets it, so the command's pid is good for
signals as long as the carrier runs. If the carrier dies, the kernel tells the monitor, which ends
the terminal as the carrier has it do when the outer one is gone.
"""

from __future__ import annotations

import fcntl
import os
import select
import stat
import termios

from ..errors import EnterError
from .launch import Launch, Refused
from .monitor import READING_OR_WRITING, TO_BACKGROUND, TO_FOREGROUND, TO_GROUP, TO_REAP, kill
from .monitor import start as start_monitor
from .outer_terminal import Outer, Signals

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal

    from ..kernel.rootpath import Root
else:
    import _signal as signal  # see enter

_PTMX = "/dev/pts/ptmx"
_PTMX_DEVICE = os.makedev(5, 2)  # Documentation/admin-guide/devices.txt
# asm-generic/ioctls.h; powerpc and mips have directions of their own (asm/ioctl.h). `termios` has
# TIOCGPTPEER only since Python 3.13, TIOCSPTLCK never.
_OTHER_IOCTLS = os.uname().machine.startswith(("ppc", "mips"))
_TIOCSPTLCK = 0x80045431 if _OTHER_IOCTLS else 0x40045431
_TIOCGPTPEER = 0x20005441 if _OTHER_IOCTLS else 0x5441

_CHUNK = 1 << 16
_SOON = 100
"""Milliseconds in which a terminal ends whose program has told those on it before."""
_LAST_OUTPUT = 1 << 18
"""Bytes that are still shown after the command ended: more than a terminal's buffers hold, and an
end where something in the background goes on writing."""


def open_terminal(root: Root) -> tuple[int, int]:
    """Return both ends of a new terminal in *root*'s own devpts: (carrier's, command's).

    Raises EnterError where there is no devpts. What stands at its place is looked at before it is
    opened, and the other end is asked of the kernel, never looked up by name.
    """
    hint = f"mount it: chroot-tool on -d {root.path}"
    missing = EnterError(f"{root.path} has no terminals: {_PTMX} is missing", hint)
    try:
        path = root.open(_PTMX)
    except OSError:
        raise missing from None
    ends: list[int] = []
    try:
        there = os.fstat(path)
        if not stat.S_ISCHR(there.st_mode) or there.st_rdev != _PTMX_DEVICE:
            raise missing
        flags = os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC
        ends.append(os.open(f"/proc/self/fd/{path}", flags | os.O_NONBLOCK))
        fcntl.ioctl(ends[0], _TIOCSPTLCK, b"\0\0\0\0")
        ends.append(fcntl.ioctl(ends[0], _TIOCGPTPEER, flags))
        # A ptmx outside a devpts opens the one that is mounted beside it, or the host's.
        if os.fstat(ends[1]).st_dev != there.st_dev:
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
    signals = Signals()
    outer = Outer()
    try:
        outer.shape(slave)
        return _Carrier(root, launch, outer, signals, master, slave).run()
    finally:
        outer.release()
        outer.close()
        signals.restore()


class _HungUp(Exception):  # noqa: N818
    """The outer terminal is gone, or the monitor."""


class _Carrier:
    """Moves bytes, signals, size and stops between the outer terminal and the command."""

    def __init__(
        self,
        root: Root,
        launch: Launch,
        outer: Outer,
        signals: Signals,
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
        self._in_front = False
        """Whether the monitor was told to have the command in the foreground inside."""
        self._ended: int | None = None
        self._stopped = 0
        self._refused: Refused | None = None
        self._left = _LAST_OUTPUT

    def run(self) -> int:
        """Start the command and carry until its end; return its exit code."""
        self._resize()
        foreground = self._outer.in_foreground()
        self._in_front = foreground
        if foreground:
            self._outer.claim()
        self._reports, self._monitor = start_monitor(
            self._root.fd, self._launch, self._master, self._slave, foreground
        )
        os.close(self._slave)
        try:
            code = self._carry()
            os.kill(self._monitor, TO_REAP)
        except _HungUp:
            code = 128 + signal.SIGHUP
            os.kill(self._monitor, signal.SIGHUP)
            os.kill(self._monitor, signal.SIGCONT)  # it may have been stopped
        os.waitpid(self._monitor, 0)
        os.close(self._master)
        if self._refused:
            from .exec_error import explain

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
        if not text and self._ended is None:  # it was killed, or hung up by somebody else
            self._ended = 128 + signal.SIGHUP
            self._all_shown()
            raise _HungUp
        self._left = _LAST_OUTPUT
        for line in text.decode().splitlines():
            kind, *words = line.split()
            if kind == "started":
                self._command = int(words[0])
                self._takes_input = True
            elif kind == "continued":
                self._takes_input = True
                self._stopped = 0
            elif kind == "stopped":
                self._stopped = int(words[0])
            elif kind == "refused":
                self._refused = Refused(words[0], int(words[1]))
            else:
                self._ended = int(words[0])

    def _on_signal(self, number: int) -> None:
        if number == signal.SIGHUP and self._outer.goes_within(_SOON):
            raise _HungUp  # and the command is told once
        if number == signal.SIGWINCH:
            self._resize()
        elif number == signal.SIGCONT:
            if self._outer.in_foreground():
                self._outer.claim()
                self._resize()
                if not self._in_front and self._ended is None:  # `fg` of what runs
                    self._stopped = 0  # if it had stopped: it goes on
                    self._go_on(foreground=True)
        elif self._ended is not None:  # whoever sends it does not want to wait for the terminal
            self._output, self._left = b"", 0
        else:
            kill(-self._command if number in TO_GROUP else self._command, number)

    def _resize(self) -> None:
        try:
            fcntl.ioctl(self._master, termios.TIOCSWINSZ, self._outer.size())
        except OSError:
            pass  # one of the two hung up: reading tells

    def _stop(self, number: int) -> None:
        """The command stopped: stop too, so that the shell outside has its prompt; then go on.

        A command in the background that wants the terminal is given it where we have it.
        """
        wants = number in READING_OR_WRITING
        if not (wants and self._outer.in_foreground()):
            self._outer.release()
            stopped = self._signals.stop_by(number if wants else signal.SIGTSTP)
            if wants and not stopped and not self._outer.in_foreground():
                raise _HungUp  # nobody will ever bring us to the foreground
        foreground = self._outer.in_foreground()
        if foreground:
            self._outer.claim()
            self._resize()
        self._go_on(foreground=foreground)

    def _go_on(self, *, foreground: bool) -> None:
        """Have the command go on, with or without the terminal inside."""
        # A ctrl+C or ctrl+Z that comes before it does would be forgotten with that.
        self._takes_input = False
        self._in_front = foreground
        os.kill(self._monitor, TO_FOREGROUND if foreground else TO_BACKGROUND)
