"""On at boot, or not."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ....core.text import safe
from ....widgets.job_status import DONE
from ..command_lines.command_log import Undo
from ..reasons import busy, of_chosen, unfit
from .action import Action
from .for_each_chosen import to_each

if TYPE_CHECKING:
    from ....core.errors import ChrootError
    from ....core.looking.status import ChrootStatus
    from ....widgets.job_status import JobStatus
    from ..session import Session


def toggle(session: Session) -> None:
    """Enable what is chosen, all one way: disable where all are enabled."""
    verb = "disable" if _all_are(session) else "enable"
    to_each(
        session, verb, session.chosen, partial(_change, session, enable=verb == "enable"),
        partial(_is_so, verb=verb), unfit, busy,
    )  # fmt: skip


def _all_are(session: Session) -> bool:
    return all(one.enabled for one in session.chosen)


def _will(session: Session) -> str:
    return "disable at boot" if _all_are(session) else "enable at boot"


def _is_so(_session: Session, one: ChrootStatus, *, verb: str) -> str:
    return f"it is {verb}d already" if one.enabled == (verb == "enable") else ""


def _change(session: Session, one: ChrootStatus, *, enable: bool, undoes: bool = False) -> None:
    call = session.engine.enable if enable else session.engine.disable
    verb, other = ("enable", "disable") if enable else ("disable", "enable")
    undo = Undo(
        lambda: (f"{other} {one.name}",),
        lambda: _change(session, one, enable=not enable, undoes=True),
    )
    session.start(
        verb, one.name, one.path,
        lambda report, cancelled: call(one.path, report=report, cancelled=cancelled),
        partial(_tell, session), words=(verb, "-d", one.path),
        undo=None if undoes else undo,
    )  # fmt: skip


def _tell(session: Session, job: JobStatus, _error: ChrootError | None) -> None:
    if job.state == DONE and not session.several.has(job.id):
        what = "is switched on" if job.verb == "enable" else "stays as it is"
        session.user.tell(f"{safe(job.name)} {what} at boot from now on")


ACTIONS = (
    Action(
        "environments.boot", "at boot",
        "Switch on at boot, and off at shutdown, or not", toggle,
        why_not=of_chosen(unfit, busy), many=True, will=_will,
    ),
)  # fmt: skip
