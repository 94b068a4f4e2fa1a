"""An input of one row whose value may be foreign text."""

from __future__ import annotations

from rich.text import Text
from textual.events import Paste
from textual.widgets import Input

from ...core.text import safe


class SafeInput(Input):
    """An Input that sends no control character of its value to the terminal as it is.

    Each is shown as one sign, so that the cursor stays where it belongs; the value keeps them.
    """

    @property
    def _value(self) -> Text:
        shown = "".join(c if len(safe(c)) == 1 else "�" for c in self.value)
        return Text(shown, no_wrap=True, overflow="ignore", end="")

    def _on_paste(self, event: Paste) -> None:
        """Paste one line without control characters: nobody means those."""
        line = event.text.splitlines()[0] if event.text else ""
        # Input's own handler comes next, with this event.
        event.text = "".join(c for c in line if len(safe(c)) == 1)
