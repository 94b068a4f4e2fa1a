"""Yes or no to one thing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual import on
from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget
from textual.widgets import Button

from ..text.fitting import wrap
from ..text.foreign import foreign
from ..text.measured import Measured
from .dialog import Dialog, button


class _Lines(Measured):
    """Lines of foreign text. What of one is wrapped stands below where it begins."""

    DEFAULT_CSS = """
    _Lines { height: auto; }
    """

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__()
        self._lines = tuple(lines)

    def render(self) -> Content:
        """Return the lines."""
        return Content("\n").join(map(foreign, self._wrapped(self.size.width)))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return how many lines there are at a width."""
        return len(self._wrapped(width))

    def _wrapped(self, width: int) -> list[str]:
        found = []
        for line in self._lines:
            text = line.lstrip(" ")
            lead = " " * (len(line) - len(text))
            found += [lead + part for part in wrap(text, width - len(lead))]
        return found


class Confirm(Dialog[bool]):
    """Says *lines* and asks whether to do *action*. Answers True for it, False for anything else.

    Where it is a *danger*, *cancel* has the focus. Title, lines and action may be foreign text.
    """

    HELP = "Enter presses the button that is marked, Escape cancels."

    def __init__(
        self, title: str, lines: Sequence[str], *, action: str = "OK", cancel: str = "Cancel",
        danger: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(title, danger=danger)
        self._said = tuple(lines)
        self._action = action
        self._cancel = cancel
        self._danger = danger

    def content(self) -> Iterable[Widget]:
        """Return the lines."""
        yield _Lines(self._said)

    def buttons(self) -> Iterable[Button]:
        """Return what changes nothing, and the action."""
        yield button(self._cancel, "cancel")
        yield button(foreign(self._action).plain, "act", destructive=self._danger)

    def cancelled(self) -> bool:
        """Return that it was not wanted."""
        return False

    def on_mount(self) -> None:
        """Focus what does no harm."""
        self.query_one("#cancel" if self._danger else "#act").focus()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.answer(event.button.id == "act")


def throw_away(title: str, line: str) -> Confirm:
    """Return the question whether to leave what was begun; *line* says what would be lost."""
    return Confirm(title, (line,), action="Throw away", cancel="Stay", danger=True)
