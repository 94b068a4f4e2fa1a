"""A chroot on its way between two machines: a program at one end sends, one at the other receives.

The kernel carries the bytes from pipe to pipe: no file and no memory holds them in between. What is
told comes as JSON lines beside them. Who receives asks for the seal at the end of the stream
(`SEAL`), so that a sender that fails, or a connection that is cut, makes no chroot.
"""

from __future__ import annotations

import os
import select
from threading import Event as Flag
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

from .. import json_values, programs
from ..archives.pipeline import Stop, pipe
from ..errors import Cancelled, ChrootError
from ..events import Stage, Warned
from ..value import Value
from . import documents
from .prefixed_with_host import hint_of, told_here

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..events import Event, Report

_SENT = 0.96
"""How much of the whole it is when everything is on its way."""
_TICK = 0.2
"""Seconds between two looks at how far a file is."""
_GOODBYE = 30.0
"""Seconds for another machine to take back what it did, before it is left alone with that."""
_USAGE, _SSH_FAILED = 2, 255


class End(Value):
    """A program that is one end of a stream."""

    name: str
    """The host it works on, "" for this machine."""
    argv: tuple[str, ...]


class _Program(Thread):
    """A program at work at one end; it closes the descriptors it is given when it has ended."""

    def __init__(
        self,
        end: End,
        take: Callable[[Event], None],
        stop: Flag,
        *,
        stdin: int | None = None,
        stdout: int | None = None,
        ended: Callable[[bool], object] = bool,
    ) -> None:
        """Start it. It tells events on stdout where it has none of its own, else on stderr.

        *take* gets those, *ended* whether it failed; *stop* set kills it.
        """
        super().__init__(name=f"stream {end.name or 'here'}", daemon=True)
        self._end = end
        self._take = take
        self._stop_it = stop
        self._fds = (stdin, stdout)
        self._ended = ended
        self._code = -1
        self.has_ended = False
        self._words: list[str] = []
        self._error: dict[str, Any] | None = None
        self._not_started: ChrootError | None = None
        self.done: dict[str, Any] = {}
        """What it said when it was done."""
        self.start()

    def run(self) -> None:
        """Run the program; for the thread."""
        stdin, stdout = self._fds
        try:
            self._code = programs.run(
                self._end.argv, env=dict(os.environ), stdin=stdin, stdout=stdout,
                on_line=self._heard, on_error=self._heard, cancelled=self._stop_it, grace=0.0,
            ).code  # fmt: skip
        except Cancelled:
            pass
        except ChrootError as error:
            self._not_started = error
        finally:
            self.has_ended = True  # before who reads can see the end of what was written
            for fd in self._fds:
                if fd is not None:
                    os.close(fd)
            self._ended(self.has_failed)

    @property
    def has_failed(self) -> bool:
        """Whether it did not come to a good end."""
        return self._code != 0

    @property
    def is_cut_short(self) -> bool:
        """Whether it failed because the stream ended too early, it says."""
        return self._error is not None and self._error.get("cut_short") is True

    def _heard(self, line: str) -> None:
        try:
            found = json_values.document(line.encode("utf-8", "surrogateescape"))
            event = found.get("event")
            if event == "done":
                self.done = found
            elif event == "error":
                self._error = found
            elif known := documents.event(found):
                self._take(told_here(self._end.name, known))
        except ValueError:
            self._words = [*self._words[-9:], line.strip()]

    def failure(self) -> ChrootError:
        """Return why it failed, and on which machine."""
        where = f"{self._end.name}: " if self._end.name else ""
        if self._not_started is not None:
            return self._not_started
        if self._error is not None:
            try:
                return _error(where, self._error)
            except (ValueError, TypeError, KeyError):
                pass
        said = [word for word in self._words if word and not word.startswith("hint: ")]
        why = said[-1].removeprefix("chroot-tool: ") if said else ""
        if self._code == _SSH_FAILED and self._end.name:
            why = why or "the connection was lost"
            return ChrootError(f"{where}{why}", f"ssh {self._end.name} true")
        hint = f"chroot-tool deploy {self._end.name}" if self._code == _USAGE else ""
        return ChrootError(f"{where}{why or f'{self._end.argv[0]} ended without a word'}", hint)


class _Telling:
    """Makes one progress of what the two ends tell, each from a thread of its own."""

    def __init__(self, path: str, report: Report) -> None:
        self._path = path
        self._report = report
        self._one = Lock()
        self._reached = 0.0

    def of_sender(self, event: Event) -> None:
        """Take what the end says that has everything."""
        if isinstance(event, Stage):
            self.sent(event.stage, event.fraction)
        else:
            self._warned(event)

    def of_receiver(self, event: Event) -> None:
        """Take what the end says that can't know how much there is."""
        if not isinstance(event, Stage):
            self._warned(event)
        elif (event.fraction or 0.0) > _SENT:
            with self._one:
                self._reached = 1.0  # what the other says later is no more than that
                self._report(Stage(self._path, event.stage, event.fraction))

    def sent(self, stage: str, fraction: float | None) -> None:
        """Tell that *fraction* of it is on its way."""
        with self._one:
            if fraction is not None and self._reached <= fraction < 1.0:
                self._reached = fraction
                self._report(Stage(self._path, stage, round(fraction * _SENT, 3)))

    def _warned(self, event: Event) -> None:
        if isinstance(event, Warned):
            with self._one:
                self._report(event)


def _error(where: str, told: dict[str, Any]) -> ChrootError:
    """Return the error that an end has *told*, of its kind, with *where* before what it says.

    Raises ValueError, TypeError, KeyError for what is none.
    """
    host = where.removesuffix(": ")
    hint = told.get("hint", "")
    if host and isinstance(hint, str):
        hint = hint_of(host, hint)
    said = {"message": where + told["message"], "hint": hint}
    error = documents.decode_error({**told, **said, "holders": [], "problems": [said]})
    error.host = host
    # Who has interrupted it there is not our caller.
    return ChrootError(error.message, error.hint) if isinstance(error, Cancelled) else error


def carry(
    source: End, sink: End, path: str, *, report: Report, cancelled: Flag, given: int | None = None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Have *source* write what *sink* reads, and makes *path* of; return what each said at its end.

    *source* reads *given*, where it is a descriptor. Raises ChrootError, with the host whose end
    failed; Cancelled. Then the sink has taken back what it did, or does so where it can't be
    reached any more.
    """
    telling = _Telling(path, report)
    stop, given_up, begun = Stop(cancelled), Flag(), Flag()

    def of_sender(event: Event) -> None:
        begun.set()
        telling.of_sender(event)

    reader, writer = pipe()
    argv = (*programs.ENDS_WITH_US, *source.argv)
    stdin = None if given is None else os.dup(given)
    sender = _Program(
        source.replace(argv=argv), of_sender, stop, stdin=stdin, stdout=writer,
        ended=lambda _: begun.set(),
    )  # fmt: skip
    # What is refused here is begun nowhere: others see what is taken back in a moment.
    while not begun.wait(_TICK) and not select.select([reader], [], [], 0)[0]:
        pass
    if sender.has_ended and sender.has_failed:
        os.close(reader)
        if stop.is_cancelled:
            raise Cancelled(f"{path} was interrupted; nothing of it is left")
        raise sender.failure()
    receiver = _Program(
        sink, telling.of_receiver, given_up, stdin=reader,
        ended=lambda failed: stop.set() if failed else None,
    )  # fmt: skip
    size = os.fstat(given).st_size if given is not None else 0
    while sender.is_alive():
        sender.join(_TICK if size else None)
        if size and given is not None:
            telling.sent("unpacking", _fraction(given, size))
    # Its end is the end of the stream: the other one finishes, or takes back.
    while receiver.is_alive():
        receiver.join(_TICK)
        if stop.is_cancelled and sink.name:
            receiver.join(_GOODBYE)
            given_up.set()
    if not receiver.has_failed:
        return sender.done, receiver.done
    if stop.is_cancelled:
        raise Cancelled(f"{path} was interrupted; nothing of it is left")
    to_blame = sender if receiver.is_cut_short and sender.has_failed else receiver
    raise to_blame.failure()


def receive(source: End, fd: int, path: str, *, report: Report, cancelled: Flag) -> dict[str, Any]:
    """Have *source* write into *fd*; return what it said at its end.

    Raises ChrootError, Cancelled; then what is there is worth nothing.
    """
    telling = _Telling(path, report)
    argv = (*programs.ENDS_WITH_US, *source.argv)
    sender = _Program(
        source.replace(argv=argv), telling.of_sender, Stop(cancelled), stdout=os.dup(fd)
    )
    sender.join()
    if not sender.has_failed:
        return sender.done
    if cancelled.is_set():
        raise Cancelled(f"packing {path} was interrupted")
    raise sender.failure()


def _fraction(fd: int, size: int) -> float | None:
    try:
        return min(os.lseek(fd, 0, os.SEEK_CUR) / size, 0.99)
    except OSError:
        return None  # a pipe
