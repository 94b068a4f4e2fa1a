"""Another base directory: what lies elsewhere, of other tools too."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ....core.chroot import is_directory
from ....core.errors import UsageError
from ...settings.file import save
from ..threads.messages import BaseWanted
from .action import Action, flow

if TYPE_CHECKING:
    from ....widgets.dialogs.base_directory import BaseWish
    from ..session import Session


@flow
async def other(session: Session) -> None:
    """Ask for a base, and have the UI begin again on it."""
    from ....core.looking.other_bases import other_bases
    from ....widgets.dialogs.base_directory import BaseDirectoryDialog

    found = await asyncio.to_thread(other_bases)
    now = session.engine.base
    found = tuple(one for one in found if one.path != now)
    dialog = BaseDirectoryDialog(now, found, complete=session.engine.complete, take=_take)
    wish = await session.user.ask(dialog)
    if wish is not None:
        session.user.app.post_message(BaseWanted(wish.path))


def _take(wish: BaseWish) -> None:
    """Raise ChrootError where it can't be begun there; keep it where that is wished."""
    if not is_directory(wish.path):
        raise UsageError(f"{wish.path!r} is no directory")
    if wish.keep:
        save({"base": wish.path})


def _why_not(session: Session) -> str:
    if not session.machines.is_here:
        return "these are another machine's: --base says which"
    return "something runs that would end with it" if session.running else ""


ACTIONS = (
    Action(
        "base", "other base", "What lies in /var/lib/machines, is schroot's, or anywhere else",
        other, key="B", in_footer=False, of_chroot=False, why_not=_why_not,
    ),
)  # fmt: skip
