"""Which directory's chroots are shown: one of those that were found, or any other."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Sequence

from textual import on, work
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from ...core.errors import ChrootError, UsageError
from ...core.looking.other_bases import OtherBase
from ...core.value import Value
from ..text.fitting import fit, shorten, width_of
from ..text.foreign import foreign
from . import DIALOGS
from .field import Field
from .form import TwoWayForm
from .menu import MenuList
from .suggestions import Complete, Paths
from .switch import Switch
from .unpack import check_file

_WIDEST = 40
_PATH = 32
"""Cells of a path in the list, at most."""
_ROW = 64
"""Cells of a row of it."""
_MOST_NAMES = 3


class BaseWish(Value):
    """What is to be shown."""

    path: str
    keep: bool
    """Whether from now on, by the settings."""


class BaseDirectoryDialog(TwoWayForm[BaseWish]):
    """Shows *found*; answers a BaseWish, None where it was left.

    *now* is the base that is shown; *complete* returns the paths that one can be the start of,
    *take* makes sure of what is wished, or raises ChrootError: that is said below the field, and
    the dialog stays. Both are called in a thread.
    """

    goes_on = "Show"
    HELP = "Enter shows what is marked, or the directory that is typed."
    AUTO_FOCUS = "MenuList, Input"
    DEFAULT_CSS = """
    BaseDirectoryDialog {
        & MenuList { margin: 1 0; max-height: 8; }
        & Switch { margin-left: 13; }
    }
    """

    def __init__(
        self,
        now: str,
        found: Sequence[OtherBase],
        *,
        complete: Complete,
        take: Callable[[BaseWish], object],
    ) -> None:
        super().__init__("another base")
        self._now = now
        self._found = tuple(found)
        self._complete = complete
        self._take = take

    def content(self) -> Iterable[Widget]:
        """Return what was found, and the field for any other."""
        said = Content.assemble("now: ", foreign(shorten(self._now, _WIDEST)))
        yield Static(said, classes="dialog--quiet")
        if self._found:
            widest = max(width_of(shorten(one.path, _PATH)) for one in self._found)
            options = (_option(one, widest) for one in self._found)
            yield MenuList(*options, compact=True, markup=False)
        else:
            none = "no systems of systemd-nspawn or schroot were found on this machine"
            yield Static(none, classes="dialog--quiet")
        yield Field(
            "Directory", id="directory", check=check_file, suggester=Paths(self._complete),
            placeholder="e.g. /srv/chroot", required="which one?",
        )  # fmt: skip
        yield Switch("from now on: written into the settings", id="keep")

    @on(OptionList.OptionSelected)
    def _picked(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.field("directory").value = self._found[event.option_index].path
        self.go_on()

    def go_on(self) -> None:
        """Answer with what stands in the field, or else is marked, where that can be had."""
        if not self.wrong():
            keep = self.query_one("#keep", Switch).value
            self._try(BaseWish(os.path.normpath(self.value("directory")), keep))

    @work(group=DIALOGS, exit_on_error=False)
    async def _try(self, wish: BaseWish) -> None:
        try:
            await asyncio.to_thread(self._take, wish)
        except ChrootError as error:
            self.field("directory").refuse(UsageError(error.message, error.hint))
        else:
            if self.app.screen is self:  # not asked meanwhile whether to leave
                self.answer(wish)


def _option(one: OtherBase, widest: int) -> Option:
    """Return its row, the path in *widest* cells."""
    names = ", ".join(one.names[:_MOST_NAMES]) + (" …" if len(one.names) > _MOST_NAMES else "")
    said = f"{len(one.names)} of {one.of}: {names}"
    path = fit(shorten(one.path, _PATH), widest)
    return Option(foreign(f"{path}  {fit(said, _ROW - widest - 2).rstrip()}"))
