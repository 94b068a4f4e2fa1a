"""What a field suggests while something is typed in it: words of a list, or paths."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from textual.suggester import Suggester

from ...core.errors import ChrootError
from ...core.text import safe

Complete = Callable[[str], Iterable[str]]
"""Returns the paths that begin with what is typed; may raise ChrootError or OSError."""


class Prefixes(Suggester):
    """Suggests the first of what *words* returns that begins with what is typed.

    *words* is called when something is typed, not before: some lists stand in big files.
    """

    def __init__(self, words: Callable[[], Iterable[str]]) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._words = words

    async def get_suggestion(self, value: str) -> str | None:
        """Return the first that fits; none for what holds control characters."""
        if not value:
            return None
        folded = value.casefold()
        for word in self._words():
            if word.casefold().startswith(folded) and safe(word) == word:
                return value + word[len(value) :]
        return None


class Paths(Suggester):
    """Suggests the first path that begins with what is typed; looks for it in a thread."""

    def __init__(self, complete: Complete) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._complete = complete

    async def get_suggestion(self, value: str) -> str | None:
        """Return the first path that *complete* finds and that can be shown as it is."""
        if not value.startswith("/") and ":/" not in value:  # HOST:/…
            return None
        try:
            found = await asyncio.to_thread(self._complete, value)
        except (ChrootError, OSError):
            return None  # what cannot be looked at has no completions
        fitting = (path for path in found if path.startswith(value) and safe(path) == path)
        return next(fitting, None)
