"""What every dialog has: the frame, its title, the row of buttons, the keys, one answer.

The frame fits its content and never grows over the screen: what is too long scrolls in the body,
the buttons stay. The keys that apply stand in the lower border, as they are bound now.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar, Generic, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.events import Resize
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Button

from ...core.text import safe
from ..broken_work import TellsOfWork
from ..sure_timers import SureTimers
from ..text.foreign import foreign
from ..text.shown_keys import key_of

Answer = TypeVar("Answer")


class Body(VerticalScroll, can_focus=False):
    """The content between title and buttons; scrolls where it is too long."""


class Dialog(SureTimers, TellsOfWork, ModalScreen[Answer], Generic[Answer]):
    """Base of the dialogs. Subclasses give `content`, `buttons`, and what Escape answers."""

    BINDING_GROUP_TITLE = "Dialog"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "escape", "cancel", "cancel", id="dialog.cancel", tooltip="Close, and change nothing"
        ),
        Binding(
            "right,l",
            "app.focus_next",
            "next",
            id="dialog.next",
            show=False,
            tooltip="To the next button",
        ),
        Binding(
            "left,h",
            "app.focus_previous",
            "previous",
            id="dialog.previous",
            show=False,
            tooltip="To the button before",
        ),
        Binding(
            "down,j",
            "scroll_body(1)",
            "down",
            id="dialog.down",
            show=False,
            tooltip="Scroll down",
        ),
        Binding("up,k", "scroll_body(-1)", "up", id="dialog.up", show=False, tooltip="Scroll up"),
        Binding(
            "pagedown",
            "scroll_body(10)",
            "page down",
            id="dialog.page_down",
            show=False,
            tooltip="Scroll down a page",
        ),
        Binding(
            "pageup",
            "scroll_body(-10)",
            "page up",
            id="dialog.page_up",
            show=False,
            tooltip="Scroll up a page",
        ),
    ]
    AUTO_FOCUS = "Button"
    SAME: ClassVar[Mapping[str, str]] = {"cancel": "cancel", "submit": "go"}
    """Actions of keys, and the ids of the buttons that do the same."""
    AROUND: ClassVar[int] = 5
    """Rows of the frame that are not the body: border, buttons, the free ones between."""

    DEFAULT_CSS = """
    Dialog {
        align: center middle;

        & > .dialog--frame {
            width: 72;
            max-width: 100%;
            height: auto;
            max-height: 100%;
            padding: 1 2 0 2;
            background: $surface;
            border: round $primary;
            border-title-style: bold;
            border-title-color: $primary;
            border-subtitle-color: $text-muted;
            border-subtitle-background: $surface;
            &:ansi { background: ansi_default; border-subtitle-background: ansi_default; }
        }
        &.-danger > .dialog--frame {
            border: round $error;
            border-title-color: $error;
        }
        &.-large > .dialog--frame { width: 94%; max-width: 120; }

        & Body { height: auto; background: transparent; scrollbar-size-vertical: 1; }
        & Static { height: auto; }
        & .dialog--quiet { color: $text-muted; &:ansi { text-style: dim; } }
        & .dialog--gap { margin-top: 1; }

        & .dialog--buttons {
            height: 1;
            margin-top: 1;
            align-horizontal: right;
        }
        & .dialog--buttons > Button {
            height: 1;
            min-width: 0;
            margin-left: 2;
            background: $panel;
            color: $foreground;
            text-style: none;
            &:hover { background: $panel; text-style: underline; }
            &:disabled { text-opacity: 50%; }
            &.-destructive { color: $text-error; }
            &:focus { color: $primary; background: $surface; text-style: bold reverse; }
            &.-destructive:focus { color: $error; }
            &:ansi {
                background: ansi_default;
                border: none;
                &.-destructive { color: $error; }
                &:disabled { text-style: dim; border: none !important; }
                &:hover { border: none; background: ansi_default; }
                &.-active { border: none !important; background: ansi_default !important; }
                &:focus { background: ansi_default; }
            }
        }
    }
    """

    def __init__(self, title: Content | str, *, danger: bool = False, wide: bool = False) -> None:
        super().__init__()
        self._title_line = title if isinstance(title, Content) else foreign(title)
        self._answered = False
        self.set_class(danger, "-danger")
        self.set_class(wide, "-large")  # not -wide: that is the app's for the terminal's width

    def content(self) -> Iterable[Widget]:
        """Return what stands in the body."""
        raise NotImplementedError

    def buttons(self) -> Iterable[Widget]:
        """Return the buttons; see `button`."""
        raise NotImplementedError

    def fixed(self) -> Iterable[Widget]:
        """Return what stands between body and buttons and never scrolls: nothing, mostly."""
        return ()

    def cancelled(self) -> Answer:
        """Return what the dialog answers when it is left with Escape."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        """Build the frame around body and buttons."""
        with Vertical(classes="dialog--frame") as frame:
            frame.border_title = self._title_line
            with Body():
                yield from self.content()
            yield from self.fixed()
            with Horizontal(classes="dialog--buttons"):
                yield from self.buttons()

    def on_mount(self) -> None:
        """Follow the keys that apply; let no toast lie over what is asked."""
        self.app.clear_notifications()
        self.bindings_updated_signal.subscribe(self, lambda _screen: self.show_keys())
        self.show_keys()

    @on(Resize)
    def _fit(self, event: Resize) -> None:
        self.query_one(Body).styles.max_height = max(event.size.height - self.AROUND, 1)

    def show_keys(self) -> None:
        """Show the keys that apply in the lower border; those of one word share it: `K/J move`."""
        shown: dict[str, dict[str, str]] = {}
        for active in self.active_bindings.values():
            binding = active.binding
            if binding.show and active.enabled and (binding.id or "").partition(".")[2]:
                keys = shown.setdefault(self._word(binding), {})
                keys.setdefault(binding.action, self.app.get_key_display(binding))
        line = " · ".join(f"{'/'.join(keys.values())} {word}" for word, keys in shown.items())
        self.query_one(".dialog--frame").border_subtitle = Content(line)

    def _word(self, binding: Binding) -> str:
        """Return what a key does, in the word of the button that does the same."""
        same = self.SAME.get(binding.action)
        buttons = self.query(f"#{same}").results(Button) if same else ()
        return next((str(one.label).lower() for one in buttons), binding.description)

    def key_of(self, ident: str) -> str:
        """Return the key of a binding of this dialog, as it is bound now and shown."""
        return key_of(self, ident)

    def answer(self, value: Answer) -> None:
        """Close with *value*. What comes after it (a second Enter, a click) changes nothing."""
        if not self._answered:
            self._answered = True
            self.dismiss(value)

    def action_cancel(self) -> None:
        """Answer as if nothing had been asked."""
        self.answer(self.cancelled())

    def action_scroll_body(self, lines: int) -> None:
        """Scroll the body by *lines*."""
        self.query_one(Body).scroll_relative(y=lines, animate=False)

    def copy(self, lines: Iterable[str]) -> None:
        """Copy *lines*, made safe: where they are pasted, nobody looks for escape sequences."""
        self.app.copy_to_clipboard("\n".join(safe(line) for line in lines))
        self.notify("copied", timeout=2)


class SureButton(SureTimers, Button):
    """A button that can be pressed again: until a timer has rung it shows that it was."""


def button(label: str, ident: str, *, destructive: bool = False, disabled: bool = False) -> Button:
    """Return a button of the row. *label* is our own text or made safe already."""
    return SureButton(
        Content(label),
        id=ident,
        compact=True,
        disabled=disabled,
        classes="-destructive" if destructive else "",
    )
