"""An action of the UI: its key, its entry in the command palette, and what it does."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

from textual.binding import Binding

from ....core.value import Value
from ..reasons import never, told

if TYPE_CHECKING:
    from ..reasons import WhyNot
    from ..session import Session

Arguments = ParamSpec("Arguments")
Flow = Callable[Concatenate["Session", Arguments], Coroutine[Any, Any, None]]


class Action(Value):
    """Something that is done to the highlighted chroot, to the marked ones, or to none."""

    id: str
    """That of the binding, documented in settings/keymap.py; it stays, users bind keys to it."""
    label: str
    """In the footer and the palette: a word or two."""
    tooltip: str
    do: Callable[[Session], object]
    """Does it; what it returns is awaited where it can be, and keys wait for it."""
    key: str = ""
    """Under Textual's name; "": it is in the palette alone."""
    will: Callable[[Session], str] | None = None
    """Returns what it will do now, in a word or two: for the palette and menus, where *label* says
    two things at once."""
    in_footer: bool = True
    why_not: WhyNot = never
    """Why it can't be done now, "" where it can: see `reasons`."""
    of_chroot: bool = True
    """Whether it is done to a chroot, and stands in the menu of one."""
    row: str = ""
    """The kind of row that it is done to instead: mount, process."""
    many: bool = False
    """Whether it is done to all that are marked, where some are."""

    also: str = ""
    """Other words that the palette finds it by."""

    def said(self, session: Session) -> str:
        """Return what it is called where it is chosen by its name."""
        return self.will(session) if self.will is not None else self.label

    async def attempt(self, session: Session) -> None:
        """Do it, or say why it can't be done."""
        if why := self.why_not(session):
            session.user.tell(told(session, why), "warning")
            return
        done = self.do(session)
        if inspect.isawaitable(done):
            await done

    def binding(self) -> Binding:
        """Return the binding of the screen, which performs the action by its id."""
        return Binding(
            self.key, f"perform('{self.id}')", self.label, id=self.id, show=self.in_footer,
            tooltip=self.tooltip,
        )  # fmt: skip


def flow(function: Flow[Arguments]) -> Callable[Concatenate[Session, Arguments], None]:
    """Make of a coroutine that asks the user something a function that begins it."""

    @wraps(function)
    def begin(session: Session, /, *args: Arguments.args, **named: Arguments.kwargs) -> None:
        session.user.begin(function(session, *args, **named))

    return begin
