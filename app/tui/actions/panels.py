"""Panels that were closed while their programs go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ....core.text import duration
from .action import Action, flow

if TYPE_CHECKING:
    from ..session import Session


@flow
async def attach(session: Session) -> None:
    """Have one back, the only one at once, and give its program the keys."""
    from ....widgets.dialogs.menu import Menu, MenuEntry, MenuGroup

    away = session.panels.away
    if not away:
        return  # it has ended meanwhile
    panel = away[0]
    if len(away) > 1:
        entries = tuple(
            MenuEntry(str(number), one.subject, duration(one.seconds))
            for number, one in enumerate(away)
        )
        chosen = await session.user.ask(Menu((MenuGroup("attach: what goes on", entries),)))
        if chosen is None:
            return
        panel = away[int(chosen)]
    session.panes.dock.enter(panel)


def _none(session: Session) -> str:
    return "" if session.panels.away else "no panel was closed while its program goes on"


ACTIONS = (
    Action(
        "panels.attach", "attach", "A panel back that was closed while its program goes on",
        attach, key="A", of_chroot=False, why_not=_none,
    ),
)  # fmt: skip
