"""A chroot-tool that has the user's own terminal while the UI is away, and not a panel.

Key S wants it so. And what has a password to ask for is to have it so: what is typed into a panel
comes by this process, and what is typed there comes by nobody.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ....core.text import safe
from ....widgets.job_status import DONE, FAILED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..command_lines.command_log import CommandLog, Deed
    from ..user.ask_and_tell import User
    from ..user.root_privilege import RootPrivilege

_WHY = "chroot-tool: a password may be asked for here, so this has the whole terminal, no panel"
_NO_TERMINAL = "this terminal can't be handed over"


class WholeTerminal:
    """The terminal of one session, for those whom it is handed to."""

    def __init__(self, user: User, log: CommandLog, privilege: RootPrivilege) -> None:
        self._user = user
        self._log = log
        self._privilege = privilege

    async def run_instead(self, argv: Sequence[str], deed: Deed, *, stays: bool) -> None:
        """Run *argv*, for which a panel is no place; as `run`.

        Whose password was asked for here is not asked once more by the rest of the UI.
        """
        await self.run(argv, deed, why=_WHY, stays=stays)
        if self._privilege.may_try:
            await self._privilege.quietly()

    async def run(
        self, argv: Sequence[str], deed: Deed, *, why: str = "", stays: bool = False
    ) -> None:
        """Run *argv*, which does *deed*. Only in a flow that was begun.

        *why* stands above what it prints, and where that *stays* Enter is what ends it.
        """
        from textual.app import SuspendNotSupported

        began = time.monotonic()
        ident = self._log.begin(deed)
        try:
            code = await self._user.hand_over(argv, said=f"{why}\n" if why else "", stays=stays)
        except SuspendNotSupported:
            self._user.tell(_NO_TERMINAL, "error")
            self._log.end(ident, FAILED, _NO_TERMINAL)
            return
        self._log.end(ident, FAILED if code else DONE, f"exit {code}")
        if code:
            spent = time.monotonic() - began
            how = f"ended with exit code {code}" if code > 0 else f"ended by signal {-code}"
            # What ended at once had no time to be read.
            self._user.tell(f"{safe(deed.name)}: {how} after {spent:.0f} s", "warning")
