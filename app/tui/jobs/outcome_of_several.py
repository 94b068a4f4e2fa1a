"""What one key did to several chroots, told once: to how many, and why not to the others."""

from __future__ import annotations

import itertools
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ....core.text import safe
from ....widgets.job_status import CANCELLED, DONE, FAILED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ....widgets.job_status import JobStatus
    from ..user.ask_and_tell import User

_MOST_NAMED = 3
_WORDS = {FAILED: "failed", CANCELLED: "not done"}


class OutcomeOfSeveral:
    """The jobs of this session that belong together. Used by the UI's own thread only."""

    def __init__(self, user: User) -> None:
        self._user = user
        self._open: _Together | None = None
        self._of: dict[int, _Together] = {}
        """Those that are not over, by the numbers of their jobs."""
        self._numbers = itertools.count(1)

    @property
    def batch(self) -> int:
        """The number of what is being begun together; 0 for what is alone."""
        return self._open.number if self._open else 0

    @contextmanager
    def begun_by(self, verb: str) -> Iterator[None]:
        """Have the jobs that begin while this is entered told of together, as *verb*.

        Within another one they are among those of that one.
        """
        if self._open is not None:
            yield
            return
        here = self._open = _Together(verb, next(self._numbers))
        try:
            yield
        finally:
            self._open = None
            if len(here.open) + len(here.ended) < 2:  # one is told of as ever
                for ident in here.open:
                    del self._of[ident]
                if here.ended:
                    self._user.tell(here.ended[0][1], "warning")
            elif not here.open:
                here.tell(self._user)

    def begin(self, ident: int) -> None:
        """Take note that a job has begun."""
        if self._open is not None:
            self._open.open.add(ident)
            self._of[ident] = self._open

    def refuse(self, name: str, why: str) -> bool:
        """Take note of what did not begin; tell whether that will be told with the rest.

        *why* is of the chroot where it begins with "it", as those of `reasons` are.
        """
        if self._open is not None:
            said = f" {why.removeprefix('it ')}" if why.startswith("it ") else f": {why}"
            self._open.ended.append((CANCELLED, f"{safe(name)}{said}"))
        return self._open is not None

    def has(self, ident: int) -> bool:
        """Tell whether a job, which is not over yet, will be told of with others."""
        return ident in self._of

    def end(self, job: JobStatus) -> bool:
        """Take note of how a job has ended; tell whether that is told with the rest."""
        here = self._of.pop(job.id, None)
        if here is None:
            return False
        here.open.discard(job.id)
        here.ended.append((job.state, f"{safe(job.name)}: {safe(job.stage)}"))
        if not here.open and here is not self._open:
            here.tell(self._user)
        return True


class _Together:
    """What one key began."""

    def __init__(self, verb: str, number: int) -> None:
        self._verb = verb
        self.number = number
        self.open: set[int] = set()
        """The numbers of the jobs that are not over."""
        self.ended: list[tuple[str, str]] = []
        """The others: their state, and the name with what it came to."""

    def tell(self, user: User) -> None:
        """Say what became of them."""
        done = sum(state == DONE for state, _ in self.ended)
        parts = [f"{self._verb}: {done} done" if done else f"{self._verb}: none done"]
        for kind, word in _WORDS.items():
            said = [text for state, text in self.ended if state == kind]
            if said:
                more = " …" if len(said) > _MOST_NAMED else ""
                parts.append(f"{len(said)} {word} ({'; '.join(said[:_MOST_NAMED])}{more})")
        states = {state for state, _ in self.ended}
        text = ", ".join(parts)
        if FAILED in states:
            user.tell(text, "error")
        else:
            user.tell(text, "warning" if CANCELLED in states else "information")
