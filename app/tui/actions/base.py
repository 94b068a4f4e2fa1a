"""Another base directory: what lies elsewhere, of other tools too."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from ....core.chroot import is_directory
from ....core.errors import ChrootError
from ....core.text import safe
from ...settings.file import save
from ..messages import BaseWanted
from .action import Action, flow

if TYPE_CHECKING:
    from ..session import Session


@flow
async def other(session: Session) -> None:
    """Ask for a base, and have the UI begin again on it."""
    from ....core.looking.other_bases import other_bases
    from ....widgets.dialogs.base import BaseDialog

    found = await asyncio.to_thread(other_bases)
    now = session.engine.base
    found = tuple(one for one in found if one.path != now)
    wish = await session.user.ask(BaseDialog(now, found, complete=session.engine.complete))
    if wish is None:
        return
    path = os.path.normpath(wish.path)
    try:
        if not await asyncio.to_thread(is_directory, path):
            session.user.tell(f"{safe(path)} is no directory", "error")
            return
        if wish.keep:
            await asyncio.to_thread(save, {"base": path})
    except ChrootError as error:
        session.user.explain(error)
    else:
        session.user.app.post_message(BaseWanted(path))


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
