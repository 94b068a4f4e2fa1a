"""The one door through which foreign text enters a widget.

Plain strings are markup to Textual (`srv[/x]` raises, `[@click=…]` becomes a live link), and
control bytes in them reach the real terminal. `Content` is neither parsed nor passed on raw.
"""

from __future__ import annotations

from textual.content import Content

from ...core.text import safe


def foreign(text: str, style: str = "") -> Content:
    """Return *text*, whatever it holds, as one line of content that is safe to show."""
    return Content.styled(safe(text), style) if style else Content(safe(text))
