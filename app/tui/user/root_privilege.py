"""Root's privilege for a UI whose user is not root: had without a word where a rule gives it, else
asked for once, by handing the terminal over. No password comes by here.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ....core.errors import ChrootError
from ...privilege import asks, prefix

if TYPE_CHECKING:
    from collections.abc import Callable

    from ....core.remote.machines import Machines
    from .ask_and_tell import User

_KEEPS = {"sudo": "timestamp_timeout of sudoers", "doas": "persist in doas.conf"}
"""What has a password count for more than the one command that it was asked for."""


class Rising:
    """How the one before this UI becomes root."""

    def __init__(self, machines: Machines, kind: str, risen: Callable[[], object]) -> None:
        """*kind* is the setting `privilege`; *risen* is called when the UI has become root."""
        self._machines = machines
        self._kind = kind
        self._risen = risen
        self._asking = asyncio.Lock()
        self.hint = ""
        """What is to be done where it was refused."""

    @property
    def is_possible(self) -> bool:
        """Whether there is privilege to be had that is not had yet."""
        return self._machines.can_rise

    @property
    def may_try(self) -> bool:
        """Whether `quietly` is for who only looks, too: pkexec has a window opened for it."""
        return self.is_possible and prefix(self._kind)[:1] != ("pkexec",)

    async def quietly(self) -> bool:
        """Become root where nobody has to be asked; tell whether that could be."""
        try:
            await asyncio.to_thread(self._machines.rise)
        except ChrootError:
            return False
        return self._has_risen()

    def _has_risen(self) -> bool:
        if self._machines.has_risen:
            self._risen()
        return self._machines.has_risen

    async def ask(self, user: User) -> bool:
        """Become root, by a password where there has to be one; tell whether that could be.

        Only in a flow that was begun. Who may not is told.
        """
        waited = self._asking.locked()  # for an answer that is meant for us, too
        async with self._asking:
            if self._machines.has_risen or waited:
                return self._machines.has_risen
            return await self.quietly() or await self._asked(user)

    async def _asked(self, user: User) -> bool:
        from textual.app import SuspendNotSupported

        before = prefix(self._kind)
        try:
            code = await user.hand_over(asks(before))
        except SuspendNotSupported:
            user.tell("this terminal can't be handed over", "error")
            return False
        try:
            await asyncio.to_thread(self._machines.rise)
        except ChrootError as error:
            if not code and before[0] in _KEEPS:
                error.hint += f"; a password has to be kept, by {_KEEPS[before[0]]}"
            self.hint = error.hint
            user.explain(error)
        return self._has_risen()
