"""What keys did, as command lines: to copy, and while the UI runs to repeat or take back."""

from __future__ import annotations

import itertools
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from ....core.value import Value
from ....widgets.done_command import DoneCommand
from ....widgets.job_status import DONE, RUNNING
from .command_words import Words, quoted, without_values

_MOST = 500
"""Commands that are kept."""
_MOST_LINES = 2000
PROGRAM = "chroot-tool"
_NOT_DONE = "it was not done"
_NO_WAY = "there is no way back from it"
_BACK = "it was taken back"
_IN_HAND = "it is being taken back"


class Undo(Value):
    """How something is taken back."""

    plan: Callable[[], tuple[str, ...]]
    """Returns what that would do, a step a line; () for nothing. Called in a thread; may raise
    ChrootError."""
    do: Callable[[], object]


class Deed(Value):
    """What a key did."""

    lines: tuple[Words, ...]
    """The command lines that do the same, each with its program."""
    name: str
    """Of the chroot."""
    again: Callable[[], object]
    """Does it once more."""
    undo: Undo | None = None
    asks: bool = False
    """Whether to ask before it is done once more: it destroys something and does not ask itself."""
    batch: int = 0
    """The same for all that one key began, 0 for what it began alone."""


class CommandLog:
    """The commands of one session. Used by the UI's own thread only."""

    def __init__(
        self,
        *,
        changed: Callable[[], object] = lambda: None,
        clock: Callable[[], float] = time.time,
        host: str = "",
    ) -> None:
        """Call *changed* when there is something else to show; *host*: of all that has no other."""
        self._changed = changed
        self._clock = clock
        self.host = host
        """The machine that all is on that has no other."""
        self._host = ("-H", host) if host else ()
        self._ids = itertools.count(1)
        self._deeds: dict[int, Deed] = {}
        self._entries: dict[int, DoneCommand] = {}
        self._said: dict[int, deque[str]] = {}
        self._of_jobs: dict[int, int] = {}
        self._taken_back = 0
        """What that takes back which is being begun; 0: nothing."""
        self._ways_back: dict[int, int] = {}
        """By what takes something back and is not over: that."""
        self._past: tuple[DoneCommand, ...] = ()

    @property
    def entries(self) -> tuple[DoneCommand, ...]:
        """All commands, the latest first."""
        return (*reversed(self._entries.values()), *self._past)

    def remember(self, past: Sequence[DoneCommand]) -> None:
        """Have these of earlier sessions, the first first, among them."""
        before = itertools.count(-1, -1)
        self._past = tuple(one.replace(id=next(before)) for one in reversed(past))
        self._changed()

    def begin(self, deed: Deed, *, job: int = 0) -> int:
        """Take note that something was begun, by the job of that number; return its own."""
        ident = next(self._ids)
        self._deeds[ident] = deed
        self._said[ident] = deque(maxlen=_MOST_LINES)
        whole = [self._whole(words) for words in deed.lines]
        lines = tuple(map(quoted, whole))
        kept = tuple(quoted(without_values(words)) for words in whole)
        fixed = "it runs still" if deed.undo else _NO_WAY
        self._entries[ident] = DoneCommand(
            ident, lines, deed.name, started=self._clock(), fixed=fixed,
            kept=kept if kept != lines else (),
        )  # fmt: skip
        if job:
            self._of_jobs[job] = ident
        if self._taken_back in self._entries:
            self._ways_back[ident] = self._taken_back
            self._fix(self._taken_back, _IN_HAND)
        if len(self._entries) > _MOST:
            self._forget(next(iter(self._entries)))
        self._changed()
        return ident

    def _whole(self, words: Words) -> Words:
        return (words[0], *self._host, *words[1:]) if words[0] == PROGRAM else words

    def _forget(self, ident: int) -> None:
        for known in (self._entries, self._deeds, self._said):
            known.pop(ident, None)
        self._of_jobs = {job: of for job, of in self._of_jobs.items() if of != ident}

    def of_job(self, job: int) -> int:
        """Return the number of what a job does, 0 for none."""
        return self._of_jobs.get(job, 0)

    def say(self, ident: int, lines: Sequence[str]) -> None:
        """Take note of lines that it says: the steps."""
        if ident in self._said:
            self._said[ident].extend(lines)

    def said(self, ident: int) -> tuple[str, ...]:
        """Return what it has said."""
        return tuple(self._said.get(ident, ()))

    def end(self, ident: int, state: str, said: str = "") -> None:
        """Take note of how it ended."""
        if (back := self._ways_back.pop(ident, 0)) in self._entries:
            self._fix(back, _BACK if state == DONE else "")
            self._changed()
        entry, deed = self._entries.get(ident), self._deeds.get(ident)
        if entry is None or deed is None or entry.state != RUNNING:
            return
        fixed = (_NOT_DONE if state != DONE else "") if deed.undo else _NO_WAY
        self._entries[ident] = entry.replace(
            state=state, said=said, ended=self._clock(), fixed=fixed
        )
        self._changed()

    def deed(self, ident: int) -> Deed | None:
        """Return what can be done with a command once more."""
        return self._deeds.get(ident)

    def entry(self, ident: int) -> DoneCommand:
        """Return a command of this session."""
        return self._entries[ident]

    def last(self, *, undoable: bool = False) -> int:
        """Return the number of the last command, or of the last that can be taken back; or 0."""
        own = reversed(self._entries.values())
        fitting = (one.id for one in own if not undoable or not one.fixed)
        return next(fitting, 0)

    def together(self, ident: int, *, undoable: bool = False) -> tuple[int, ...]:
        """Return the numbers of what was begun with a command, and its own, the first first; or of
        those of them that can be taken back."""
        deed = self._deeds.get(ident)
        if deed is None or not deed.batch:
            return (ident,)
        same = (number for number, other in self._deeds.items() if other.batch == deed.batch)
        return tuple(one for one in same if not undoable or not self._entries[one].fixed)

    def taken_back(self, ident: int) -> None:
        """Take note that it was taken back."""
        if ident in self._entries:
            self._fix(ident, _BACK)
            self._changed()

    @contextmanager
    def taking_back(self, ident: int) -> Iterator[None]:
        """Have what begins while this is entered be the way back of *ident*.

        That is taken back when it is done, and can be once more where it is not.
        """
        self._taken_back = ident
        try:
            yield
        finally:
            self._taken_back = 0

    def _fix(self, ident: int, why: str) -> None:
        self._entries[ident] = self._entries[ident].replace(fixed=why)
