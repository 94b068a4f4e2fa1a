"""Several programs at once, connected by pipes: each is started and waited for by a thread."""

from __future__ import annotations

import fcntl
import os
from threading import Event, Thread

from .. import programs
from ..errors import Cancelled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_PIPE_SIZE = 1 << 20
_KEPT = 20


class Stop(Event):
    """Set when the caller cancels, and when one part of a pipeline has failed."""

    def __init__(self, cancelled: Event | None) -> None:
        super().__init__()
        self._cancelled = cancelled

    @property
    def is_cancelled(self) -> bool:
        """Whether it was the caller."""
        return self._cancelled is not None and self._cancelled.is_set()

    def is_set(self) -> bool:
        """Tell whether everything is to end."""
        return super().is_set() or self.is_cancelled


class Program(Thread):
    """A program that runs; it owns the descriptors it is given, and closes them at its end."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        stdin: int | None = None,
        stdout: int | None = None,
        on_error: Callable[[str], bool] | None = None,
        env: Mapping[str, str] | None = None,
        stop: Stop,
        is_guarded: bool = False,
    ) -> None:
        """Start *argv*.

        *on_error* gets each line of stderr, and tells whether it is done with it: else it is kept.
        *is_guarded*: it sees itself to that it ends with us.
        """
        super().__init__(name=argv[0], daemon=True)
        self._argv = tuple(argv) if is_guarded else (*programs.ENDS_WITH_US, *argv)
        self._stdin, self._stdout = stdin, stdout
        self._on_error = on_error
        self._env = programs.environment(env)
        self._stop_all = stop
        self.code = 0
        """Its exit code, as `programs.Completed` has it; -9 where it was ended on purpose."""
        self.lines: list[str] = []
        """The first of what it said on stderr."""
        self._error: BaseException | None = None
        self.start()

    def run(self) -> None:
        """Run the program; for the thread."""
        try:
            self.code = programs.run(
                self._argv, env=self._env, stdin=self._stdin, stdout=self._stdout,
                on_error=self._said, cancelled=self._stop_all, grace=0.0,
            ).code  # fmt: skip
        except Cancelled:
            self.code = -9
        except BaseException as error:
            self._error = error
            self._stop_all.set()
        finally:
            for fd in (self._stdin, self._stdout):
                if fd is not None:
                    os.close(fd)

    def wait(self) -> int:
        """Wait for its end; return the exit code. Raises ChrootError where it did not start."""
        self.join()
        if self._error is not None:
            raise self._error
        return self.code

    def _said(self, line: str) -> None:
        if not (self._on_error and self._on_error(line)) and len(self.lines) < _KEPT:
            self.lines.append(line)


def pipe() -> tuple[int, int]:
    """Return the reading and the writing end of a pipe that holds a megabyte where that may be."""
    reader, writer = os.pipe()
    try:
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, _PIPE_SIZE)
    except OSError:
        pass  # over the user's limit: then it is smaller
    return reader, writer


def write_all(fd: int, data: bytes) -> None:
    """Write all of *data*. Raises OSError."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
