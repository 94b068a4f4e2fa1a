"""The other machines: adding one, looking at one alone, logging in, looking at one no more."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from ....core.errors import ChrootError
from ....core.text import safe
from ...settings.file import save
from .action import Action, flow

if TYPE_CHECKING:
    from ....widgets.dialogs.machines import MachineRow, MachinesDialog, MachineWish
    from ..session import Session


@flow
async def hosts(session: Session) -> None:
    """Show the machines until the user leaves; do what is wished."""
    from ....core.remote.known_hosts import names
    from ....widgets.dialogs import machines as dialogs

    known = await asyncio.to_thread(names)
    wish: MachineWish | None = None
    note = ""
    while True:
        dialog = dialogs.MachinesDialog(_rows(session), known=known, note=note)
        with session.inventory.watched_by(partial(_follow, session, dialog)):
            wish = await session.user.ask(dialog)
        if wish is None:
            return
        try:
            note = await _do(session, wish)
        except ChrootError as error:
            note = safe(error.message)
        if wish.action == "show":
            return


def _rows(session: Session) -> tuple[MachineRow, ...]:
    """Return how the machines are; one that was just added was not asked yet."""
    from ....core.looking.snapshot import Machine
    from ....widgets.dialogs.machines import MachineRow

    seen = {one.name: one for one in session.inventory.snapshot.machines}
    counts: dict[str, int] = {}
    for one in session.inventory.chroots:
        counts[one.host] = counts.get(one.host, 0) + 1
    return tuple(
        MachineRow(seen.get(name, Machine(name, answers=False)), counts.get(name, 0))
        for name in sorted(session.machines.names)
    )


def _follow(session: Session, dialog: MachinesDialog, _chroots: object) -> None:
    dialog.show(_rows(session))


async def _do(session: Session, wish: MachineWish) -> str:
    """Do what is wished; return what is to be said of it."""
    from ....widgets.dialogs.machines import ADD, LOG_IN, REMOVE, RETRY, SHOW

    machines, name = session.machines, wish.name
    if wish.action == SHOW:
        session.panes.table.set_filter(name)
    elif wish.action == RETRY:
        await asyncio.to_thread(machines.retry, name)  # it may have a connection to end
    elif wish.action == LOG_IN:
        code = await session.user.hand_over(machines.host(name).login)
        await asyncio.to_thread(machines.retry, name)
        return f"ssh ended with {code}" if code else f"{name}: logged in"
    elif wish.action == ADD:
        machines.add(name)
    elif wish.action == REMOVE:
        machines.remove(name)
    if wish.action in (ADD, REMOVE):
        await asyncio.to_thread(save, {"hosts": sorted(machines.names)})
    return ""


ACTIONS = (
    Action(
        "hosts", "hosts", "The other machines whose chroots are shown", hosts,
        key="H", in_footer=False, of_chroot=False,
    ),
)  # fmt: skip
