"""The settings file, in the user's own editor."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ....core.errors import ChrootError
from ... import editor
from ...settings.file import begin
from ..command_lines.command_log import Deed
from .action import Action, flow

if TYPE_CHECKING:
    from ..session import Session


@flow
async def edit(session: Session) -> None:
    """Hand the terminal to the editor. What is wrong in the file is said when it is read again."""
    try:
        path = await asyncio.to_thread(begin)
        argv = (*editor.command(), path)
    except ChrootError as error:
        session.user.explain(error, whole=True)
        return
    await session.whole.run(argv, Deed((argv,), "settings", lambda: edit(session)))


ACTIONS = (
    Action(
        "settings", "settings", "The file of keys, theme, hosts and the rest, in your editor",
        edit, of_chroot=False, also="config configuration preferences options",
    ),
)  # fmt: skip
