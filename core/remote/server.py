"""`serve`: requests as JSON lines from one who is elsewhere, answers as JSON lines.

The first line is ours and says who we are. A request is an object with a number of the caller's own
choice and a name, `{"id": 1, "do": "on", "path": "/srv/chroot/deb"}`; each line of its answers has
its number and an event, the last of them `done`, with the result, or `error`. `{"cancel": 1}` stops
a request, which then takes back what it did and ends with an error. `{"ping": 1}` is answered by
`pong` at once, whatever is at work. Many are worked on at a time, each in a thread. When the input
ends every request is stopped, and so is this when the last has taken back what it did: who went
away leaves nothing half done. Behind a link that is down the input does not end, for hours: who
says in a request by when they will be heard of again, `"heard_within": 300`, is taken for gone when
they are not.
"""

from __future__ import annotations

import _thread
import os
import select

from .. import errors, json_values
from . import contract, documents
from .lines import Lines, TooLongError, line_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event as Flag
    from typing import Any

    from ..engine import Engine
    from ..engine_parts import Following, Sizes
    from ..events import Event
    from ..looking.status import ChrootStatus

PROTOCOL = 1
"""Raised when an older one would misunderstand; what is only added is understood by both."""
OLDEST = 1
"""The oldest that this one still speaks."""
_A_DAY = 86400.0
"""Seconds without a word that may be asked for at most."""
_PIECE = select.PIPE_BUF
"""Bytes that are taken at once where poll(2) says that a pipe takes any."""
_LOOK_MS = 1000
"""Between two looks at whether anybody listens, while nothing is taken."""
MOST = 64
"""Requests at a time; who asks for more at once means harm, or is in a circle."""


class Server:
    """Answers the requests that come from one descriptor on another."""

    def __init__(self, engine: Engine, source: int, sink: int, *, version: str) -> None:
        self._engine = engine
        self._source = source
        self._sink = sink
        self._version = version
        self._writing = _thread.allocate_lock()
        self._deaf = False
        self._heard_within: float | None = None
        """Seconds without a word after which nobody is there any more, where they have said so."""
        self._later: list[bytes] = []
        """Lines that wait for their turn: who reads requests waits for nobody who takes answers."""
        self._sizes: Sizes | None = None
        self._asked: dict[int, _Asked] = {}
        self._changing = _thread.allocate_lock()

    def serve(self) -> None:
        """Answer until the input ends; return when nothing is at work any more."""
        self.tell(
            {
                "event": "hello", "version": self._version, "protocol": PROTOCOL,
                "oldest": OLDEST, "base": self._engine.base, "root": os.geteuid() == 0,
                "methods": contract.names(),
            }
        )  # fmt: skip
        try:
            for line in Lines(self._source, until=self._hears):
                self._take(line)
        except TooLongError as error:
            self._reply(_failed(None, f"this is no request: {error}"))
        self.stop()
        for one in self._working():
            one.wait()
        for line in self._later:
            self._write(line)

    def _hears(self) -> bool:
        """Wait for a word; False where none has come for as long as was said."""
        if self._heard_within is None:
            return True
        poll = select.poll()
        poll.register(self._source, select.POLLIN)
        if poll.poll(self._heard_within * 1000):
            return True
        self._deaf = True
        return False

    def stop(self) -> None:
        """Stop every request."""
        for one in self._working():
            one.stop()

    def _working(self) -> tuple[_Asked, ...]:
        with self._changing:
            return tuple(self._asked.values())

    def _take(self, line: bytes) -> None:
        number: int | None = None
        try:
            request = json_values.document(line)
            _mind_nul(request)
            if "ping" in request:
                self._reply({"event": "pong"})
                return
            cancelled = request.get("cancel")
            if cancelled is not None:
                with self._changing:
                    found = self._asked.get(cancelled) if type(cancelled) is int else None
                if found:
                    found.stop()
                return
            number = documents.decode(request.get("id"), int)
            if "heard_within" in request:
                within = json_values.number(request, "heard_within")
                self._heard_within = min(within, _A_DAY)  # poll(2) counts milliseconds in an int
            name = documents.decode(request.get("do"), str)
            asked = self._understood(number, name, request)
        except ValueError as error:
            self._reply(_failed(number, f"this is no request: {error}", "usage"))
            return
        with self._changing:
            if number in self._asked or len(self._asked) >= MOST:
                why = "is under way" if number in self._asked else "is one too many at a time"
                self._reply(_failed(number, f"request {number} {why}", "busy"))
                return
            self._asked[number] = asked
        asked.begin()

    def _understood(self, number: int, name: str, request: dict[str, Any]) -> _Asked:
        if name == contract.FOLLOW:
            flag = _flag()
            return _Asked(self, number, lambda asked: self._follow(asked, flag), flag)
        if name not in contract.names():
            raise ValueError(f"there is no {name!r} in {self._version}")
        method = contract.method(name)
        arguments = {
            key: documents.decode(request[key], hint)
            for key, hint in method.parameters.items()
            if key in request
        }
        if missing := sorted(method.required - arguments.keys()):
            raise ValueError(f"{name} needs {missing[0]}")
        part, _, word = method.name.rpartition(".")
        about = documents.decode(request.get("of", ""), str)

        cancelled = _flag() if method.stops else None

        def call(asked: _Asked) -> None:
            holder: Any = self._holder(part, about)
            if method.reports:
                arguments["report"] = asked.report
            if cancelled:
                arguments["cancelled"] = cancelled
            result = getattr(holder, word)(**arguments)
            asked.tell({"event": "done", "result": documents.encode(result)})

        return _Asked(self, number, call, cancelled)

    def _holder(self, part: str, about: str) -> Any:
        if part == "sizes":  # it remembers what was counted
            with self._changing:
                self._sizes = self._sizes or self._engine.sizes()
            return self._sizes
        if part == "binds":
            return self._engine.binds(about)
        return self._engine.bases() if part else self._engine

    def _follow(self, asked: _Asked, cancelled: Flag) -> None:
        following = self._engine.follow()
        asked.ended_by(following)
        try:
            known: dict[str, ChrootStatus] = {}
            seen: dict[str, Any] = {}
            while not cancelled.is_set():
                snapshot = following.snapshot()
                found = {one.path: one for one in snapshot.chroots}
                for path in known.keys() - found.keys():
                    asked.tell({"event": "gone", "path": path})
                for path, one in found.items():
                    if known.get(path) != one and not asked.told(_status(one)):
                        asked.told(_status(_in_brief(one)))
                said = {
                    "event": "seen", "base": snapshot.base,
                    "problem": documents.encode(snapshot.problem),
                    "late": documents.encode(snapshot.late),
                }  # fmt: skip
                if (found, said) != (known, seen):  # most looks find nothing
                    asked.tell(said)
                known, seen = found, said
                following.wait()
        finally:
            following.close()
        asked.tell({"event": "done", "result": None})

    def ended(self, number: int) -> None:
        """Take note that a request is answered."""
        with self._changing:
            del self._asked[number]

    def tell(self, document: dict[str, Any]) -> None:
        """Write a line. Where nobody listens any more, what is done goes on to its good end.

        Raises TooLongError, and has written nothing, where the other would not take it: with the
        connection he would give up all that he has asked for.
        """
        line = line_of(document)
        with self._writing:
            self._write(line)
        self._write_later()

    def _reply(self, document: dict[str, Any]) -> None:
        """Write a line now, or, where nothing is taken just now, when something is."""
        self._later.append(line_of(document))
        self._write_later()

    def _write_later(self) -> None:
        # Who has the turn meanwhile looks when it is over.
        while self._later and self._is_taken(0) and self._writing.acquire(blocking=False):
            try:
                if self._later and self._is_taken(0):
                    self._write(self._later.pop(0))
            finally:
                self._writing.release()

    def _write(self, line: bytes) -> None:
        data = memoryview(line)
        try:
            while data and not self._deaf:
                if self._is_taken(_LOOK_MS):
                    data = data[os.write(self._sink, data[:_PIECE]) :]
        except OSError:
            self._deaf = True

    def _is_taken(self, milliseconds: int) -> bool:
        """Wait until something is taken, or nobody is there to take it."""
        poll = select.poll()
        poll.register(self._sink, select.POLLOUT)
        return bool(poll.poll(milliseconds))


class _Asked:
    """A request that is being answered."""

    def __init__(
        self, server: Server, number: int, answer: Callable[[_Asked], None], cancelled: Flag | None
    ) -> None:
        self._server = server
        self._number = number
        self._answer = answer
        self._following: Following | None = None
        self._cancelled = cancelled
        self._at_work = _thread.allocate_lock()

    def begin(self) -> None:
        """Have it answered in a thread of its own."""
        self._at_work.acquire()
        _thread.start_new_thread(self._run, ())

    def wait(self) -> None:
        """Wait until it is answered."""
        with self._at_work:
            pass

    def ended_by(self, following: Following) -> None:
        """Have this one woken when the request is stopped."""
        self._following = following
        if self._cancelled and self._cancelled.is_set():
            following.wake()

    def stop(self) -> None:
        """Have it stop, and take back what it did; what is brief comes to its end."""
        if self._cancelled:
            self._cancelled.set()
        if self._following:
            self._following.wake()

    def report(self, event: Event) -> None:
        """Tell an event; one that is too long for a line is left out."""
        self.told(documents.encode(event))

    def told(self, document: dict[str, Any]) -> bool:
        """Write a line of the answer; tell whether it was not too long for one."""
        try:
            self.tell(document)
        except TooLongError:
            return False
        return True

    def tell(self, document: dict[str, Any]) -> None:
        """Write a line of the answer. Raises TooLongError."""
        self._server.tell({"id": self._number, **document})

    def _fail(self, document: dict[str, Any]) -> None:
        """Write the last line of an answer."""
        if not self.told(document):
            self.told(_failed(self._number, "what went wrong is too much to be told"))

    def _run(self) -> None:
        try:
            self._answer(self)
        except errors.ChrootError as error:
            self._fail({"event": "error", **documents.error(error)})
        except TooLongError as error:
            self._fail(_failed(self._number, f"there is too much to be told of: {error}"))
        except OSError as error:
            where = f"{os.fsdecode(error.filename)}: " if error.filename else ""
            self._fail(_failed(self._number, f"{where}{error.strerror or error}"))
        except Exception as error:
            # Without a word the other would wait for ever.
            self._fail(_failed(self._number, f"{type(error).__name__}: {error}"))
            raise
        finally:
            self._server.ended(self._number)
            self._at_work.release()


def _flag() -> Flag:
    # Not before it is needed: a tenth of an answer that is only looked for.
    from threading import Event

    return Event()


def _status(one: ChrootStatus) -> dict[str, Any]:
    return {"event": "chroot", "chroot": documents.encode(one)}


def _in_brief(one: ChrootStatus) -> ChrootStatus:
    """Return of a chroot what is told where all would be too much for a line."""
    about = f"{len(one.mounts)} mounts and {len(one.processes)} processes are too many to be told"
    return one.replace(
        mounts=(), processes=(), problems=(errors.Problem(about, "chroot-tool status, there"),),
        description="", tags=(), unanswered=(),
    )  # fmt: skip


def _failed(number: int | None, message: str, kind: str = "failed") -> dict[str, Any]:
    return {"id": number, "event": "error", "kind": kind, "message": message, "hint": ""}


def _mind_nul(found: Any) -> None:
    """Raise ValueError where a text holds a NUL: no path and no name does."""
    if isinstance(found, str) and "\0" in found:
        raise ValueError("a text holds a NUL byte")
    if isinstance(found, dict | list):
        for one in found.values() if isinstance(found, dict) else found:
            _mind_nul(one)
