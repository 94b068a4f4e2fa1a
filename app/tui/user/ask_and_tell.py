"""The user, as the rest of the UI has them: asked by dialogs, told by toasts."""

from __future__ import annotations

import asyncio
import math
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, TypeVar

from textual.app import App

from ....core.errors import ChrootError
from ....core.text import safe
from ....widgets.dialogs import DIALOGS
from ....widgets.text.fitting import brief
from ...settings.file import save
from ..terminal.handover import hand_over
from .key_queue import KeyQueue

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping, Sequence

    from textual.notifications import SeverityLevel
    from textual.screen import Screen

Answer = TypeVar("Answer")
_WHOLE_WORD, _WHOLE = 300, 400
"""Cells of a word and of all in a toast that is not cut: half of a small screen."""


class User:
    """Whoever sits before *screen*."""

    def __init__(self, screen: Screen[Any]) -> None:
        self._screen = screen
        self._saving = threading.Lock()
        self._unsaved: deque[Mapping[str, object]] = deque()

    @property
    def app(self) -> App[Any]:
        """The app that they use."""
        return self._screen.app

    @property
    def acts(self) -> int:
        """How often they have typed something, or pressed a button of the mouse."""
        return self.app.acts if isinstance(self.app, KeyQueue) else 0

    @property
    def acted_at(self) -> float:
        """As `KeyQueue.acted_at`."""
        return self.app.acted_at if isinstance(self.app, KeyQueue) else -math.inf

    def begin(self, flow: Coroutine[Any, Any, object]) -> None:
        """Let a flow that asks go on beside everything else; keys wait until it can take them."""
        self._screen.run_worker(flow, group=DIALOGS, exit_on_error=False)

    async def ask(self, dialog: Screen[Answer]) -> Answer:
        """Show a dialog and return what is answered. Only in a flow that was begun."""
        return await self.app.push_screen_wait(dialog)

    def keep(self, wanted: Mapping[str, object]) -> None:
        """Write these into the settings' file, one after the other; tell where that fails."""
        self._unsaved.append(wanted)
        # Not by the worker, which is given up at the end: the end of the UI waits for it.
        saving = asyncio.get_running_loop().run_in_executor(None, self._save)
        self._screen.run_worker(self._tell_of(saving), group="settings", exit_on_error=False)

    async def _tell_of(self, saving: asyncio.Future[ChrootError | None]) -> None:
        if error := await asyncio.shield(saving):
            self.explain(error, whole=True)

    def _save(self) -> ChrootError | None:
        """Write what is not written yet; return why that could not be."""
        with self._saving:
            wanted: dict[str, object] = {}
            while self._unsaved:
                wanted.update(self._unsaved.popleft())
            try:
                if wanted:
                    save(wanted)
            except ChrootError as error:
                return error
        return None

    def tell(
        self, text: str, severity: SeverityLevel = "information", *, timeout: float | None = None,
        whole: bool = False,
    ) -> None:  # fmt: skip
        """Show a toast; what is foreign in *text* must have been made safe.

        *whole*: a path in it is what it tells, and stays as it is.
        """
        if whole:
            # Not the app's own, which cuts words.
            text = brief(text, _WHOLE_WORD, _WHOLE)
            App.notify(self.app, text, severity=severity, timeout=timeout, markup=False)
        else:
            self._screen.notify(text, severity=severity, timeout=timeout, markup=False)

    def explain(self, error: ChrootError, *, whole: bool = False) -> None:
        """Show what went wrong, and what to do about it; *whole* as in `tell`."""
        text = safe(error.message) + (f" ({safe(error.hint)})" if error.hint else "")
        self.tell(text, "error", whole=whole)

    def copy(self, *lines: str) -> None:
        """Put lines of foreign text on the clipboard."""
        self.app.copy_to_clipboard("\n".join(safe(line) for line in lines))
        self.tell("copied", timeout=1.5)

    async def hand_over(self, argv: Sequence[str], *, said: str = "", stays: bool = False) -> int:
        """Give the whole terminal to a program; see `handover.hand_over`."""
        return await hand_over(self.app, argv, said=said, stays=stays)
