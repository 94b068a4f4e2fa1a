"""The mouse over a terminal: the command's, where it wants it, else it selects and scrolls."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual import events
from textual.widget import Widget

if TYPE_CHECKING:
    from .view import View

RIGHT = 3
"""The button for a menu."""
_WHEEL_ROWS = 3
_WHEEL_UP, _WHEEL_DOWN = 64, 65


class Mouse:
    """Takes the mouse events of *widget*, as soon as `view` is what it shows.

    *send* gives bytes to the command, *moved* is called when the view shows other rows or another
    selection.
    """

    def __init__(
        self,
        widget: Widget,
        *,
        send: Callable[[bytes], None],
        moved: Callable[[], None],
    ) -> None:
        self._widget = widget
        self._send = send
        self._moved = moved
        self.view: View | None = None
        self._pressed: int | None = None
        """The button that the command was told of, until it is let go."""
        self._at: tuple[int, int] | None = None

    def down(self, event: events.MouseDown) -> None:
        """Give a click to the command if it wants the mouse, else begin to select."""
        view = self.view
        at = event.get_content_offset(self._widget)
        if view is None or at is None:
            return
        event.stop()
        self._widget.capture_mouse()
        self._at = at
        if self._is_for_command(view, event):
            self._pressed = event.button - 1
            self._tell(view, at, self._pressed, "press", event)
        elif event.button == 1:
            if view.selection is not None:
                self._widget.refresh()
            view.begin_selection(*at)

    def move(self, event: events.MouseMove) -> None:
        """Give a movement to the command if it wants it, or select further."""
        view = self.view
        if view is None:
            return
        at = event.get_content_offset_capture(self._widget)
        if at == self._at:
            return
        captured = self._widget.app.mouse_captured
        if view.emulator.input.wanted_mouse in ("button", "any") and (
            self._pressed is not None or captured is None
        ):
            self._at = at
            self._tell(view, at, self._pressed or 0, "move", event)
        elif captured is self._widget and self._pressed is None and view.selection:
            self._at = at
            view.select_to(*at, *self._widget.size)
            self._moved()

    def up(self, event: events.MouseUp) -> None:
        """End what the button began."""
        view = self.view
        self._widget.release_mouse()
        if view is None:
            return
        event.stop()
        if self._pressed is not None:
            at = event.get_content_offset_capture(self._widget)
            self._tell(view, at, self._pressed, "release", event)
            self._pressed = None
        elif view.selection is not None and view.selection[0] == view.selection[1]:
            view.selection = None

    def click(self, event: events.Click) -> None:
        """Select a word with a double click, a line with a third one.

        The right button is for who has a menu, where the command does not want it.
        """
        view = self.view
        if event.button == RIGHT and not (view and self._is_for_command(view, event)):
            return
        at = event.get_content_offset(self._widget)
        event.stop()
        if view is None or at is None or event.chain not in (2, 3) or event.button != 1:
            return
        if self._is_for_command(view, event):
            return
        place = view.place(*at)
        find = view.transcript
        view.selection = find.word_at(place) if event.chain == 2 else find.line_at(place[0])
        self._widget.refresh()

    def wheel(self, event: events.MouseScrollUp | events.MouseScrollDown) -> None:
        """Scroll, or let the command do what it does on the wheel."""
        event.stop()
        event.prevent_default()
        view = self.view
        at = event.get_content_offset(self._widget)
        if view is None or at is None:
            return
        up = isinstance(event, events.MouseScrollUp)
        if self._is_for_command(view, event):
            self._tell(view, at, _WHEEL_UP if up else _WHEEL_DOWN, "press", event)
        elif view.emulator.alternate:
            # A pager or editor that does not know of mice knows the arrow keys.
            self._send(view.emulator.input.key("up" if up else "down") * _WHEEL_ROWS)
        elif view.scroll(-_WHEEL_ROWS if up else _WHEEL_ROWS):
            self._moved()

    def _is_for_command(self, view: View, event: events.MouseEvent) -> bool:
        return view.emulator.input.wanted_mouse != "off" and not event.shift

    def _tell(
        self, view: View, at: tuple[int, int], button: int, kind: str, event: events.MouseEvent
    ) -> None:
        pressed = frozenset(name for name in ("shift", "meta", "ctrl") if getattr(event, name))
        x, y = at[0], at[1] - view.scrolled
        self._send(view.emulator.input.mouse_event(x, y, button, kind, pressed))
