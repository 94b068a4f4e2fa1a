"""Becoming root, and a user inside: for who is not root out here."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from ...privilege import asking
from ..reasons import busy, of_chosen, unfit
from .action import Action, flow

if TYPE_CHECKING:
    from ....core.looking.status import ChrootStatus
    from ..session import Session


@flow
async def become_root(session: Session) -> None:
    """Ask for root's privilege, once."""
    if await session.privilege.ask(session.user):
        session.user.tell("what is done from now on is done as root")


def adopt(session: Session) -> None:
    """Make the one before the UI a user of what is chosen."""
    with session.several.begun_by("adopt"):
        for one in session.chosen:
            _adopt(session, one)


def _adopt(session: Session, one: ChrootStatus) -> None:
    engine = session.engine
    session.start(
        "adopt", one.name, one.path,
        # On another machine that is who logs in there.
        lambda report, _: engine.adopt(one.path, engine.who_asks(one.path), report=report),
        words=("adopt", "-d", one.path),
    )  # fmt: skip


@cache
def _asks() -> str:
    """Return who is before the UI: that does not change, and the footer asks again and again."""
    return asking()


def _is_root(_session: Session, one: ChrootStatus) -> str:
    """Say that there is nobody to be made known inside."""
    return "root is known in every chroot" if not one.host and _asks() == "root" else ""


def _why_no_root(session: Session) -> str:
    return (
        "" if session.privilege.is_possible else "it is root's already, or nothing gives privilege"
    )


ACTIONS = (
    Action(
        "root", "become root", "Do what is done as root, by sudo or its like", become_root,
        in_footer=False, of_chroot=False, why_not=_why_no_root,
    ),
    Action(
        "environments.adopt", "adopt me", "Make you a user inside, with your name and id", adopt,
        in_footer=False, why_not=of_chosen(_is_root, unfit, busy), many=True,
    ),
)  # fmt: skip
