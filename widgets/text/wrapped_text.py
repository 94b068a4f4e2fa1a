"""A few lines of foreign text that wrap to the width there is."""

from __future__ import annotations

from textual.content import Content
from textual.geometry import Size
from textual.reactive import reactive

from .fitting import fit, wrap
from .measured import Measured

Paragraph = tuple[str, str]
"""Foreign text, and a style: `$text-error`, or nothing."""


class WrappedText(Measured):
    """Paragraphs in; each takes `most` lines at most, and ends in an ellipsis if it needs more.

    Wrapped while it is painted and measured, not when it is told of a new size: Textual does not
    always tell a widget that was hidden.
    """

    DEFAULT_CSS = """
    WrappedText { height: auto; padding: 0 1; }
    """

    paragraphs: reactive[tuple[Paragraph, ...]] = reactive((), layout=True)
    """What it says."""

    def __init__(
        self,
        *,
        most: int = 2,
        name: str | None = None,
        id: str | None = None,  # noqa: A002 (Textual's own name for it)
        classes: str | None = None,
        disabled: bool = False,
    ) -> None:
        """Make it empty."""
        super().__init__(name=name, id=id, classes=classes, disabled=disabled)
        self._most = most

    def render(self) -> Content:
        """Return the lines."""
        return Content("\n").join(self._wrapped(self.size.width))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return how many lines there are at a width."""
        return len(self._wrapped(width))

    def _wrapped(self, width: int) -> list[Content]:
        found = []
        for text, style in self.paragraphs:
            lines = wrap(text, width)
            if len(lines) > self._most:
                rest = " ".join(lines[self._most - 1 :])
                lines[self._most - 1 :] = [fit(rest, width)]
            found += [Content.styled(line, style) if style else Content(line) for line in lines]
        return found
