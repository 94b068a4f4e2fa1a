"""Root's privilege for a UI whose user is not root: had without a word where a rule gives it, else
asked for once, by handing the terminal over. No password comes by here.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ....core.errors import ChrootError
from ...privilege import asks, lets, prefix, quiet

if TYPE_CHECKING:
    from collections.abc import Callable

    from ....core.remote.machines import Machines
    from .ask_and_tell import User

_KEEPS = {"sudo": "timestamp_timeout of sudoers", "doas": "persist in doas.conf"}
"""What has a password count for more than the one command that it was asked for."""


class RootPrivilege:
    """How the one before this UI becomes root."""

    def __init__(self, machines: Machines, kind: str, risen: Callable[[], object]) -> None:
        """*kind* is the setting `privilege`; *risen* is called when the UI has become root."""
        self._machines = machines
        self._kind = kind
        self._risen = risen
        self._asking = asyncio.Lock()
        self._asked_for: set[int] = set()
        """Jobs that it was asked for once more."""
        self._is_remembered = False
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

    def is_of_use_for(self, job: int) -> bool:
        """Whether to `ask_for` a job that has ended since root's privilege was missing.

        The UI may have it, and sudo have forgotten the password by the time that a job starts a
        program behind sudo anew: for that it is asked once a job.
        """
        return self.is_possible or (self._machines.has_risen and job not in self._asked_for)

    async def ask_for(self, user: User, job: int) -> bool:
        """As `ask`; where the UI is root already, for what the job starts behind sudo."""
        if not self._machines.has_risen:
            return await self.ask(user)
        self._asked_for.add(job)
        waited = self._asking.locked()
        async with self._asking:
            if not waited:
                self._is_remembered = (
                    await asyncio.to_thread(self._asks_nothing) or await self._hand_over(user) == 0
                )
            return self._is_remembered

    def _asks_nothing(self) -> bool:
        return lets(quiet(prefix(self._kind)))

    async def quietly(self) -> bool:
        """Become root where nobody has to be asked; tell whether that could be."""
        try:
            await asyncio.to_thread(self._machines.rise)
        except ChrootError:
            return False
        return self._has_risen()

    def _has_risen(self) -> bool:
        if self._machines.has_risen:
            self.hint = ""
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

    async def _hand_over(self, user: User) -> int:
        from textual.app import SuspendNotSupported

        try:
            return await user.hand_over(asks(prefix(self._kind)))
        except SuspendNotSupported:
            user.tell("this terminal can't be handed over", "error")
            return -1

    async def _asked(self, user: User) -> bool:
        code = await self._hand_over(user)
        if code < 0:
            return False
        try:
            await asyncio.to_thread(self._machines.rise)
        except ChrootError as error:
            before = prefix(self._kind)[0]
            if not code and before in _KEEPS:
                error.hint += f"; a password has to be kept, by {_KEEPS[before]}"
            self.hint = error.hint
            user.explain(error)
        return self._has_risen()
