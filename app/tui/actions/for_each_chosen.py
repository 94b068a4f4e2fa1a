"""One thing done to all that are chosen, and told once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ....core.text import safe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ....core.looking.status import ChrootStatus
    from ..reasons import WhyNotThis
    from ..session import Session


def to_each(
    session: Session,
    verb: str,
    chosen: Iterable[ChrootStatus],
    do: Callable[[ChrootStatus], object],
    *checks: WhyNotThis,
) -> None:
    """Call *do*, which starts a job, for each that none of *checks* has a reason against."""
    with session.several.begun_by(verb):
        for one in chosen:
            why = next((reason for check in checks if (reason := check(session, one))), "")
            if why:
                session.several.refuse(one.name, safe(why))
            else:
                do(one)


async def agreed(session: Session, title: str, lines: Iterable[str], action: str) -> bool:
    """Ask whether that is to be done to all of them."""
    from ....widgets.dialogs.confirm import Confirm

    return await session.user.ask(Confirm(title, tuple(lines), action=action))
