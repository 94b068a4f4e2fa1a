"""The columns of chroots, mounts and processes: chosen, moved, sized, and remembered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...settings.all_settings import COLUMNS_OF
from .action import Action, flow

if TYPE_CHECKING:
    from ..session import Session


@flow
async def choose(session: Session) -> None:
    """Ask how the columns of the table that has the focus are to be, and keep that."""
    from ....widgets.dialogs.columns import ColumnsDialog

    name, table = session.panes.table_with_columns
    setting = COLUMNS_OF[name]
    every = tuple((column.id, column.title) for column in table.every)
    called = (table.BINDING_GROUP_TITLE or name).lower()
    wanted = await session.user.ask(
        ColumnsDialog(called, every, table.wanted, table.widths, setting.must)
    )
    if wanted is None or wanted == table.wanted:
        return
    session.panes.use_columns(name, wanted)
    session.user.keep({setting.key: list(wanted)})


ACTIONS = (
    Action(
        "columns", "columns", "Which columns the table has, in which order, and how wide", choose,
        key="vertical_line", in_footer=False, of_chroot=False,
    ),
)  # fmt: skip
