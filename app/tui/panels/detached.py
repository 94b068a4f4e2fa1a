"""Commands that went on when the UI quit: what logs their output, how they are found again."""

from __future__ import annotations

import errno
import os
import select
import signal
import subprocess
import sys
import time

from ....core import json_values
from ....core.kernel import small_file
from ....core.value import Value
from ...paths import detached_directory
from . import detached_log

_STARTS = 2.0
"""Seconds for which what logs is waited for: later it has the terminal all the same."""


class Detached(Value):
    """A command that went on, or has ended, without the UI."""

    chroot: str
    command: str
    log: str
    keeper: int
    """The pid of the process that logs: while it lives, so does the command."""
    began: float
    """When the command began: epoch seconds."""
    path: str = ""
    """Of the chroot, with its machine; "": of none, or an older version has not noted it."""
    throw_away: bool = False
    """Whether the command runs in a throw-away session."""

    @property
    def running(self) -> bool:
        """Whether the command still runs. Another process may have that pid by now."""
        try:
            with open(f"/proc/{self.keeper}/cmdline", "rb") as file:
                return os.fsencode(self.log) in file.read().split(b"\0")
        except OSError:
            return False

    def seconds(self) -> float:
        """Return how long it has run: until now, or its end, when the log was touched."""
        try:
            end = time.time() if self.running else os.stat(self.log).st_mtime
        except OSError:
            return 0.0
        return max(end - self.began, 0.0)

    def argv(self) -> list[str]:
        """Return a command that shows the log, and what still comes, in a terminal."""
        if not self.running:
            return ["cat", "--", self.log]
        return ["tail", "-c", "+1", "-f", "--pid", str(self.keeper), self.log]


def detach(
    terminal: int,
    chroot: str,
    command: str,
    so_far: str,
    began: float,
    *,
    path: str = "",
    throw_away: bool = False,
) -> None:
    """Start a process that logs what comes from the descriptor *terminal* of a command.

    The command began at *began*, epoch seconds; *so_far* is what it has printed. Raises OSError
    where it does not start, and where no log can be kept: the command goes on all the same then.
    """
    stem = os.path.join(detached_directory(), f"{time.time_ns()}")
    log, unkept = f"{stem}.log", None
    try:
        os.makedirs(os.path.dirname(log), mode=0o700, exist_ok=True)
        with open(os.open(log, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
            text = so_far.rstrip().replace("\n", "\r\n")
            file.write(os.fsencode(text) + b"\r\n" if text else b"")
    except OSError as error:  # no room there, say
        log, unkept = os.devnull, error
    keeper = _started(log, terminal)
    if unkept:
        raise unkept
    facts = {
        "chroot": chroot, "command": command, "log": log, "keeper": keeper, "began": began,
        "path": path, "throw_away": throw_away,
    }  # fmt: skip
    import json

    with open(os.open(f"{stem}.json", os.O_CREAT | os.O_WRONLY, 0o600), "w") as described:
        json.dump(facts, described)


def _started(log: str, terminal: int) -> int:
    """Start what logs; return its pid when it does, or is slow. Raises OSError where it ends."""
    logger = subprocess.Popen(
        # By its file: how this package is found is not what a new Python knows.
        [sys.executable, "-I", "-S", detached_log.__file__, log],
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert logger.stdout
    with logger.stdout as said:
        poll = select.poll()  # select refuses the descriptors of one who has many
        poll.register(said, select.POLLIN)
        if poll.poll(_STARTS * 1000) and not said.read(1):
            logger.wait()
            raise OSError(errno.EIO, "what keeps its output did not start")
    return logger.pid


def found() -> tuple[Detached, ...]:
    """Return the commands that were let go on, oldest first."""
    commands = []
    folder = detached_directory()
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return ()
    for name in names:
        if name.endswith(".json"):
            try:
                commands.append(_described(small_file.read(os.path.join(folder, name))))
            except (OSError, ValueError):
                continue  # cut off while it was written: there is nothing to show
    return tuple(commands)


def _described(data: bytes) -> Detached:
    found = json_values.document(data)
    chroot, command, log = (json_values.text(found, key) for key in ("chroot", "command", "log"))
    keeper, began = (json_values.number(found, key) for key in ("keeper", "began"))
    path, throw_away = json_values.text(found, "path", ""), found.get("throw_away") is True
    return Detached(chroot, command, log, int(keeper), began, path, throw_away)


def stop(one: Detached) -> None:
    """Have a command that goes on asked to end, ever more firmly, by who keeps its terminal."""
    try:
        keeper = os.pidfd_open(one.keeper)
    except OSError:
        return  # it has ended
    try:
        if one.running:  # asked after it is held: it is no other process that has the pid now
            signal.pidfd_send_signal(keeper, signal.SIGTERM)
    except ProcessLookupError:
        pass  # it has ended just now
    finally:
        os.close(keeper)


def forget(one: Detached) -> None:
    """Remove the log of a command that has ended and was seen, or that nobody is to see."""
    for path in (one.log, one.log.removesuffix(".log") + ".json"):
        try:
            os.unlink(path)
        except OSError:
            pass
