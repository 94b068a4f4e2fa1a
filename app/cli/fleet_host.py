"""A host of a fleet at work: a thread, with a stdout and a stderr that are its own."""

from __future__ import annotations

import io
import threading
from collections import deque

from ...core.errors import ChrootError
from .. import exits, json_fields
from ..engine import open_target

TYPE_CHECKING = False
if TYPE_CHECKING:
    import queue
    from collections.abc import Callable
    from typing import Any, TextIO

    from ...core.engine import Engine
    from ...core.remote.inventory import Target

    Do = Callable[[str, Engine], Any]
    Lines = queue.SimpleQueue[tuple["Member | None", str, str]]

NOT_BEGUN = -1
OUT, ERROR, ENDED = "out", "error", "ended"
"""What a host says: a line of stdout, one of stderr, its exit code when it has ended."""

_MOST_WAITING = 100
"""Lines that are said and not yet told; who would say more waits."""
_MOST_ERRORS = 200
"""Lines of stderr that are kept of a host, the last ones: they are told when it has ended."""
_LONGEST = 4096
"""Letters of each."""

_mine = threading.local()


class Said:
    """What hosts say on its way to the main thread, with a bound.

    A signal's handler may use `wake`: neither that nor taking holds a lock that it could need.
    """

    def __init__(self) -> None:
        import queue

        self._lines: Lines = queue.SimpleQueue()
        self._room = threading.Semaphore(_MOST_WAITING)

    def put(self, member: Member, stream: str, line: str) -> None:
        """Say a line, once there is room."""
        self._room.acquire()
        self._lines.put((member, stream, line))

    def wake(self) -> None:
        """Have the main thread look up."""
        self._lines.put((None, "", ""))

    def get(self, timeout: float | None) -> tuple[Member | None, str, str]:
        """Return what is next; no member, where it was woken. Raises queue.Empty."""
        found = self._lines.get(timeout=timeout)
        if found[0] is not None:
            self._room.release()
        return found


class Streams(io.TextIOBase):
    """stdout or stderr of every thread: lines of a host's go to its `Member`."""

    def __init__(self, real: TextIO, name: str) -> None:
        super().__init__()
        self._real, self._name = real, name
        self._rest: dict[int, str] = {}

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """What a host's word is kept in; that of the terminal is minded when it is printed."""
        return "utf-8"

    def isatty(self) -> bool:
        """Tell that nobody looks at a host's alone."""
        return False

    def write(self, text: str) -> int:
        """Take what a thread writes."""
        member = getattr(_mine, "member", None)
        if member is None:
            return self._real.write(text)
        key = threading.get_ident()
        *lines, rest = (self._rest.get(key, "") + text).split("\n")
        self._rest[key] = rest
        for line in lines:
            member.say(self._name, line)
        return len(text)

    def flush(self) -> None:
        """Flush what is not a host's."""
        if getattr(_mine, "member", None) is None:
            self._real.flush()


class Member:
    """A host at work, and what has become of it."""

    def __init__(self, target: Target, said: Said) -> None:
        self.name = target.name
        self.code = NOT_BEGUN
        self.errors: deque[str] = deque(maxlen=_MOST_ERRORS)
        self.result: Any = None
        """What was found: what `do` returned, or the document that it printed."""
        self.engine: Any = None
        self.thread: threading.Thread | None = None
        self._target = target
        self._said = said

    @property
    def is_at_work(self) -> bool:
        """Whether it has begun, and not ended."""
        return self.code == NOT_BEGUN and self.thread is not None

    def say(self, stream: str, line: str) -> None:
        """Have a line of its told, by the main thread."""
        self._said.put(self, stream, line[:_LONGEST] if stream == ERROR else line)

    def work(self, do: Do, base: str, failed: int, *, json: bool, is_look: bool) -> None:
        """Do it; for a thread. *failed* is the code where the tool itself fails, 0: that of why.

        *is_look*: nothing is changed by it.
        """
        self.thread, _mine.member = threading.current_thread(), self
        code = failed or exits.FAILED
        try:
            if self._target.problem:
                raise ChrootError(self._target.problem)
            self.engine = open_target(self._target, base, is_look=is_look)
            found = do(self.name if self._target.address else "", self.engine)
            if isinstance(found, int):
                code = found
            else:
                code, self.result = exits.DONE, found
            leave = getattr(self.engine, "leave", None)
            if leave is not None:
                leave()
        except ChrootError as error:
            why = exits.code_of(error)
            code = why if why == exits.INTERRUPTED else getattr(error, "code", failed or why)
            if json:
                json_fields.write(json_fields.error(error, code))
            exits.complain(error)
        except OSError as error:
            exits.say(exits.reason(error))
        except Exception as error:  # a bug of ours on one host is no reason to forget the others
            exits.say(f"unexpected {type(error).__name__}: {error}", "please report this")
        finally:
            self.let_go()
            self.say(ENDED, str(code))
            _mine.member = None

    def let_go(self) -> None:
        """End its connection; what is under way by it is taken back there."""
        close = getattr(self.engine, "close", None)
        if close is not None:
            close(wait=False)
