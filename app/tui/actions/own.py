"""Commands of the user's own (`[[command]]` of the settings), as actions like all others."""

from __future__ import annotations

import shlex
from collections import deque
from typing import TYPE_CHECKING

from ....core.looking.status import MountStatus
from ....core.process import Process
from ....core.text import safe
from ....widgets.job_status import DONE
from ...engine import beside
from ...settings.commands import ANY, CHROOT, INSIDE, JOB, MOUNT, PANEL, PROCESS
from ..command_lines.command_log import PROGRAM
from ..command_lines.command_words import quoted
from ..reasons import NO_CHROOT
from . import captured
from .action import Action, flow

if TYPE_CHECKING:
    from collections.abc import Iterable
    from threading import Event as Flag

    from ....core.errors import ChrootError
    from ....core.events import Report
    from ....core.looking.status import ChrootStatus
    from ....widgets.job_status import JobStatus
    from ...settings.commands import Command
    from ..command_lines.command_words import Words
    from ..session import Session

_KINDS = {MOUNT: MountStatus, PROCESS: Process}
_MOST_LINES = 3
"""Lines of output that a toast shows."""


def actions_of(commands: Iterable[Command]) -> dict[str, Action]:
    """Return the actions of *commands*, by their ids."""
    return {one.id: _action(one) for one in commands}


def _action(command: Command) -> Action:
    about = " ".join(command.words) if command.shell else quoted(command.words)

    def why_not(session: Session) -> str:
        return _why_not(session, command)

    def do(session: Session) -> None:
        run(session, command)

    return Action(
        command.id, safe(command.name), safe(about), do, key=command.key, why_not=why_not,
        of_chroot=command.rows == CHROOT, row=command.rows if command.rows in _KINDS else "",
        many=_is_for_many(command),
    )  # fmt: skip


def _is_for_many(command: Command) -> bool:
    """Tell whether it is run for all that are marked: a panel is for one, as a shell is."""
    return command.rows == CHROOT and command.output != PANEL


def _about(session: Session, command: Command) -> tuple[ChrootStatus, ...]:
    """Return the chroots that it is for now."""
    if command.rows == ANY:
        return ()
    if _is_for_many(command):
        return session.chosen
    one = session.shown if command.rows in _KINDS else session.highlighted
    return (one,) if one else ()


def _why_not(session: Session, command: Command) -> str:
    if command.rows == ANY:
        return ""
    if not _about(session, command):
        return NO_CHROOT
    kind = _KINDS.get(command.rows)
    if kind is not None and not isinstance(session.panes.row_in_focus, kind):
        return f"this is for a {command.rows}: go to one first"
    return ""


def values(session: Session, command: Command, one: ChrootStatus | None) -> dict[str, str]:
    """Return what stands for each place in braces; *one* is the chroot that it is for."""
    if one is None:
        return {}
    found = {"path": one.path.removeprefix(f"{one.host}:"), "name": one.name}
    row = session.panes.row_in_focus
    if command.rows == MOUNT and isinstance(row, MountStatus):
        found["target"] = row.target
    if command.rows == PROCESS and isinstance(row, Process):
        found["pid"] = str(row.pid)
    return found


@flow
async def run(session: Session, command: Command) -> None:
    """Run a command of the user's own, after asking where that is wanted."""
    from ....widgets.dialogs.confirm import Confirm

    ways = [
        (one, *_way(session, command, one)) for one in _about(session, command) or (None,)
    ]  # fmt: skip
    if command.ask:
        where = f" for {len(ways)} chroots" if len(ways) > 1 else ""
        lines = tuple(quoted(line) for _, line, *_ in ways)
        if not await session.user.ask(
            Confirm(f"{command.name}{where}?", lines, action="Run", danger=True)
        ):
            return
    inside = command.where == INSIDE
    if command.output == PANEL:
        ((one, line, argv, _),) = ways
        if one and inside:
            await session.panels.start(one, command.name, line[1:], stays=True, asks=command.ask)
        else:
            await session.panels.open(one, command.name, list(argv), line, asks=command.ask)
        return
    if inside and session.privilege.is_possible:
        await session.privilege.ask(session.user)
    with session.several.begun_by("run"):
        for one, line, argv, env in ways:
            _start(session, command, one, argv, line, env)
    if command.output == JOB or len(ways) > 1:
        session.panes.dock.open_jobs()


def _way(
    session: Session, command: Command, one: ChrootStatus | None
) -> tuple[Words, Words, dict[str, str]]:
    """Return the line that a person would type for it, what does it here, and its variables.

    What is done inside has its own words: how depends on where it is shown. Elsewhere ssh may not
    ask: what is typed into a panel comes by this process.
    """
    words, variables = command.argv(values(session, command, one))
    pairs = [f"{name}={value}" for name, value in variables.items()]
    if command.where == INSIDE and one:
        given = [word for pair in pairs for word in ("-e", pair)]
        return (PROGRAM, "run", "-d", one.path, *given, "--", *words), words, variables
    whole = ("env", *pairs, *words) if pairs else words
    host = (one.host if one else "") or session.log.host
    if not host:
        return whole, whole, {}
    # ssh joins its words with blanks and gives them to a shell there.
    in_panel = command.output == PANEL
    line = ("ssh", *(("-t",) if in_panel else ()), host, shlex.join(whole))
    return line, beside(host, whole, terminal=in_panel), {}


def _start(
    session: Session, command: Command, one: ChrootStatus | None, argv: Words, line: Words,
    env: dict[str, str],
) -> None:  # fmt: skip
    """Run it beside the UI: its output is the job's, or the end of it a toast."""
    path = one.path if one else ""
    name = f"{one.name}: {command.name}" if one else command.name
    last: deque[str] = deque(maxlen=_MOST_LINES)

    def work(report: Report, cancelled: Flag) -> str:
        if one and command.where == INSIDE:
            return captured.inside(session, one, argv, last, report, cancelled, env=env)
        return captured.run(session, argv, path, last, report, cancelled)

    def ended(job: JobStatus, _error: ChrootError | None) -> None:
        if job.state == DONE and command.output != JOB and not session.several.has(job.id):
            said = "; ".join(safe(text) for text in last)
            session.user.tell(f"{safe(command.name)}: {said or 'done'}")

    session.start("run", name, path, work, ended, line=line, asks=command.ask)
