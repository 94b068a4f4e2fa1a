"""On at boot, or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..command_log import Undo
from ..reasons import busy, of_chosen, unfit
from .action import Action

if TYPE_CHECKING:
    from ....core.looking.status import ChrootStatus
    from ..session import Session


def toggle(session: Session) -> None:
    """Enable what is chosen, all one way: disable where all are enabled."""
    chosen = session.chosen
    all_enabled = all(one.enabled for one in chosen)
    with session.several.begun_by("disable" if all_enabled else "enable"):
        for one in chosen:
            if one.enabled == all_enabled:
                _change(session, one, enable=not all_enabled)


def _change(session: Session, one: ChrootStatus, *, enable: bool) -> None:
    call = session.engine.enable if enable else session.engine.disable
    verb, other = ("enable", "disable") if enable else ("disable", "enable")
    undo = Undo(lambda: (f"{other} {one.name}",), lambda: _change(session, one, enable=not enable))
    session.start(
        verb, one.name, one.path,
        lambda report, cancelled: call(one.path, report=report, cancelled=cancelled),
        words=(verb, "-d", one.path), undo=undo,
    )  # fmt: skip


ACTIONS = (
    Action(
        "environments.boot", "at boot",
        "Switch on at boot, and off at shutdown, or not", toggle,
        why_not=of_chosen(unfit, busy), many=True,
    ),
)  # fmt: skip
