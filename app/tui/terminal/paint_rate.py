"""How often the UI may be painted: to be said before Textual is imported."""

from __future__ import annotations

import os

_VARIABLE = "TEXTUAL_FPS"
_MOST = "240"


def paint_often() -> None:
    """Let Textual paint 240 times a second at most; what the user has set stands.

    It only paints when there is something to paint. But after each paint it waits for one to two
    frames before the next, and one key often makes two: the cursor moves, then the details follow.
    At its usual 60 that second one comes up to 33 ms late.
    """
    if _VARIABLE not in os.environ:
        os.environ[_VARIABLE] = _MOST
        import textual.constants  # noqa: F401 (reads it)

        del os.environ[_VARIABLE]  # no business of what is run in panels
