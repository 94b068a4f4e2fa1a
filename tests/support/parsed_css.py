"""One app's parsed CSS is the next one's: a third of an app's start is parsing what others have.

Textual keeps what it parsed for one app, by its text and place, until the theme changes; here it is
kept for the process, for each theme. Imported as `support.parsed_css`.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from textual.css.stylesheet import Stylesheet

_parsed: defaultdict[frozenset[tuple[str, str]], dict[Any, Any]] = defaultdict(dict)
"""What Textual's own cache would hold, by the variables that it was parsed with."""


def share_parsed_css() -> None:
    """Have all apps of this process parse each piece of CSS once."""
    make, change = Stylesheet.__init__, Stylesheet.set_variables

    def begin(self: Stylesheet, *, variables: dict[str, str] | None = None) -> None:
        make(self, variables=variables)
        _share(self)

    def set_variables(self: Stylesheet, variables: dict[str, str]) -> None:
        self._parse_cache = {}  # type: ignore[assignment] # for it is cleared
        change(self, variables)
        _share(self)

    Stylesheet.__init__ = begin  # type: ignore[method-assign]
    Stylesheet.set_variables = set_variables  # type: ignore[method-assign]


def _share(sheet: Stylesheet) -> None:
    sheet._parse_cache = _parsed[frozenset(sheet._variables.items())]  # type: ignore[assignment]
