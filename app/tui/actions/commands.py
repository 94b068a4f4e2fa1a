"""Commands inside: a shell or a command in a panel, a shell on the whole screen, a command in
each of several beside the UI."""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any

from ....core.errors import ChrootError
from ....widgets.job_status import DONE
from ... import run_history
from ..command_lines.command_log import PROGRAM, Deed
from ..reasons import busy, not_entered, of_chosen, of_one, shut, unfit
from . import captured
from .action import Action, flow
from .for_each_chosen import to_each
from .snapshots import take

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from threading import Event as Flag

    from ....core.events import Report
    from ....core.looking.status import ChrootStatus
    from ....widgets.dialogs.run_prompt import RunRequest
    from ....widgets.job_status import JobStatus
    from ..command_lines.command_words import Words
    from ..session import Session


@flow
async def shell(session: Session) -> None:
    """Go to the login shell that runs in a panel; open one where none does."""
    one = session.highlighted
    if one is None:
        return
    if panel := session.panels.running_line(_shell(one)):
        session.panes.dock.enter(panel)
    else:
        await _open_shell(session, one, "shell", _shell(one))


@flow
async def another_shell(session: Session) -> None:
    """Open a login shell in a panel beside those that run."""
    one = session.highlighted
    if one is not None:
        await _open_shell(session, one, "shell", _shell(one))


@flow
async def throw_away_shell(session: Session) -> None:
    """Open a login shell in a throw-away session, in a panel that is called so."""
    one = session.highlighted
    if one is not None:
        words = ("shell", "-x", "-d", one.path)
        await _open_shell(session, one, "throw-away shell", words, throw_away=True)


def _shell(one: ChrootStatus) -> Words:
    return "shell", "-d", one.path


async def _open_shell(
    session: Session, one: ChrootStatus, kind: str, words: Words, *, throw_away: bool = False
) -> None:
    taken = session.panels.commands_in(one)
    more = (f"{kind} {number}" for number in itertools.count(2))
    name = next(each for each in itertools.chain([kind], more) if each not in taken)
    await session.panels.start(one, name, words, throw_away=throw_away)


def shell_full(session: Session) -> None:
    """Hand the terminal to a login shell inside, and take it back."""
    one = session.highlighted
    if one is not None:
        _shell_full(session, one)


@flow
async def _shell_full(session: Session, one: ChrootStatus) -> None:
    words = _shell(one)
    deed = Deed(((PROGRAM, *words),), one.name, lambda: _shell_full(session, one))
    await session.whole.run(session.engine.command(one.path, words), deed)


@flow
async def run(session: Session) -> None:
    """Ask for a command and run it: in a panel, or beside the UI in each of several."""
    from ....widgets.dialogs.run_prompt import RunPrompt

    chosen = session.chosen
    if not chosen:
        return
    paths = tuple(one.path for one in chosen)
    fit = tuple(one.path for one in chosen if not unfit(session, one))
    about = f"{len(chosen)} chroots" if len(chosen) > 1 else chosen[0].name
    scripts, users, history = await asyncio.gather(
        asyncio.to_thread(_scripts, session, fit), asyncio.to_thread(_users, session, fit),
        asyncio.to_thread(run_history.commands, *paths),
    )  # fmt: skip
    request = await session.user.ask(RunPrompt(about, scripts, history, users))
    if request is None:
        return
    try:
        await asyncio.to_thread(run_history.remember, request.line, *paths)
    except OSError as error:
        session.user.tell(f"history: {error.strerror}", "warning")
    if len(chosen) > 1:
        await _run_in_each(session, chosen, request)
        return
    (one,) = chosen
    name = f"throw-away: {request.line}" if request.ephemeral else request.line
    start = partial(
        session.panels.start, one, name, _words(one.path, request), stays=True,
        throw_away=request.ephemeral,
    )  # fmt: skip
    if request.snapshot:
        take(session, one, then=partial(_start_after, session, session.user.acts, start))
    else:
        await start()


def _words(path: str, request: RunRequest) -> Words:
    words = ["run", *(["-x"] if request.ephemeral else []), "-d", path]
    words += ["-u", request.user] if request.user else []
    words += ["-w", request.cwd] if request.cwd else []
    words += [word for pair in request.env for word in ("-e", pair)]
    return (*words, "--", *request.words)


async def _run_in_each(
    session: Session, chosen: tuple[ChrootStatus, ...], request: RunRequest
) -> None:
    here = any(not one.host for one in chosen)
    if here and session.privilege.is_possible and not await session.privilege.ask(session.user):
        return
    to_each(session, "run", chosen, partial(_run_beside, session, request), unfit, busy)
    session.panes.dock.open_jobs()


def _run_beside(session: Session, request: RunRequest, one: ChrootStatus) -> None:
    from ....core.events import Stage

    words = _words(one.path, request)

    def work(report: Report, cancelled: Flag) -> str:
        if request.snapshot:
            session.engine.take_snapshot(one.path, "", report=report, cancelled=cancelled)
        report(Stage(one.path, request.line))
        last: deque[str] = deque(maxlen=1)
        if request.ephemeral:
            argv = session.engine.unasked(one.path, words)
            return captured.run(session, argv, one.path, last, report, cancelled)
        env = {name: value for name, _, value in (pair.partition("=") for pair in request.env)}
        return captured.inside(
            session, one, request.words, last, report, cancelled,
            user=request.user, cwd=request.cwd, env=env,
        )  # fmt: skip

    before: tuple[Words, ...] = (("snapshot", "-d", one.path),) if request.snapshot else ()
    session.start("run", one.name, one.path, work, words=(*before, words))


def _start_after(
    session: Session,
    acts: int,
    start: Callable[..., Coroutine[Any, Any, None]],
    job: JobStatus,
    _error: ChrootError | None,
) -> None:
    """Start it when what had to come first is done; not under who has done something since *acts*:
    what they type is not for it."""
    if job.state == DONE:
        session.user.begin(start(quietly=session.user.acts != acts))


def _scripts(session: Session, paths: Sequence[str]) -> tuple[str, ...]:
    """Return what each of the chroots at *paths* has in its chroot.d, by name."""
    found = [_scripts_of(session, path) for path in paths]
    return tuple(name for name in next(iter(found), ()) if all(name in each for each in found))


def _scripts_of(session: Session, path: str) -> tuple[str, ...]:
    try:
        return session.engine.scripts(path)
    except ChrootError:
        return ()


def _users(session: Session, paths: Sequence[str]) -> tuple[str, ...] | None:
    """Return the users that one of the chroots at *paths* has; None where that is not known."""
    try:
        found = [session.engine.users(path) for path in paths]
    except ChrootError:
        return None
    return tuple(dict.fromkeys(name for each in found for name in each)) if found else None


def _no_shell(session: Session) -> str:
    one = session.highlighted
    if one is not None and session.panels.running_line(_shell(one)):
        return ""  # which is gone to
    return of_one(unfit, not_entered)(session)


ACTIONS = (
    Action("environments.shell", "shell", "To its login shell in a panel", shell, key="s",
        why_not=_no_shell),
    Action(
        "environments.shell_another", "another shell", "One more beside those that run",
        another_shell, why_not=of_one(unfit, not_entered),
    ),
    Action(
        "environments.shell_full", "full shell", "A login shell on the whole screen", shell_full,
        key="S", in_footer=False, why_not=of_one(unfit, not_entered),
    ),
    Action(
        "environments.shell_ephemeral", "throw-away shell",
        "A shell whose changes are gone when it ends", throw_away_shell,
        key="x", in_footer=False, why_not=of_one(unfit, shut),
    ),
    Action("environments.run", "run", "Run a command inside", run, key="r",
        why_not=of_chosen(unfit, not_entered), many=True),
)  # fmt: skip
