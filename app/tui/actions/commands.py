"""Commands inside: a shell or a command in a panel, a shell on the whole screen."""

from __future__ import annotations

import asyncio
import itertools
from functools import partial
from typing import TYPE_CHECKING, Any

from ....core.errors import ChrootError
from ....widgets.job_status import DONE
from ... import run_history
from ..command_log import PROGRAM, Deed
from ..reasons import of_one, unfit
from .action import Action, flow
from .snapshots import take

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from ....widgets.job_status import JobStatus
    from ..session import Session


@flow
async def shell(session: Session) -> None:
    """Open a login shell in a panel."""
    await _open_shell(session, "shell")


@flow
async def throw_away_shell(session: Session) -> None:
    """Open a login shell in a throw-away session, in a panel that is called so."""
    await _open_shell(session, "throw-away shell", throw_away=True)


async def _open_shell(session: Session, kind: str, *, throw_away: bool = False) -> None:
    one = session.highlighted
    if one is not None:
        taken = session.panels.commands_in(one)
        more = (f"{kind} {number}" for number in itertools.count(2))
        name = next(each for each in itertools.chain([kind], more) if each not in taken)
        words = ("shell", *(("-x",) if throw_away else ()), "-d", one.path)
        await session.panels.start(one, name, words, throw_away=throw_away)


@flow
async def shell_full(session: Session) -> None:
    """Hand the terminal to a login shell inside, and take it back."""
    one = session.highlighted
    if one is None:
        return
    words = ("shell", "-d", one.path)
    deed = Deed(((PROGRAM, *words),), one.name, lambda: shell_full(session))
    await session.whole.run(session.engine.command(one.path, words), deed)


@flow
async def run(session: Session) -> None:
    """Ask for a command and run it in a panel."""
    from ....widgets.dialogs.run_prompt import RunPrompt

    one = session.highlighted
    if one is None:
        return
    prompt = RunPrompt(
        one.name,
        await asyncio.to_thread(_scripts, session, one.path),
        run_history.commands(one.path),
    )
    request = await session.user.ask(prompt)
    if request is None:
        return
    try:
        run_history.remember(one.path, request.line)
    except OSError as error:
        session.user.tell(f"history: {error.strerror}", "warning")
    words = ["run", *(["-x"] if request.ephemeral else []), "-d", one.path]
    words += ["-u", request.user] if request.user else []
    words += ["-w", request.cwd] if request.cwd else []
    words += [word for pair in request.env for word in ("-e", pair)]
    words += ["--", *request.words]
    name = f"throw-away: {request.line}" if request.ephemeral else request.line
    start = partial(
        session.panels.start, one, name, tuple(words), stays=True, throw_away=request.ephemeral
    )
    if request.snapshot:
        take(session, one, then=partial(_start_after, session, start))
    else:
        await start()


def _start_after(
    session: Session,
    start: Callable[[], Coroutine[Any, Any, None]],
    job: JobStatus,
    _error: ChrootError | None,
) -> None:
    """Start it when what had to come first is done."""
    if job.state == DONE:
        session.user.begin(start())


def _scripts(session: Session, path: str) -> tuple[str, ...]:
    try:
        return session.engine.scripts(path)
    except ChrootError:
        return ()


ACTIONS = (
    Action("environments.shell", "shell", "A login shell in a panel", shell, key="s",
        why_not=of_one(unfit)),
    Action(
        "environments.shell_full", "full shell", "A login shell on the whole screen", shell_full,
        key="S", in_footer=False, why_not=of_one(unfit),
    ),
    Action(
        "environments.shell_ephemeral", "throw-away shell",
        "A shell whose changes are gone when it ends", throw_away_shell,
        key="x", in_footer=False, why_not=of_one(unfit),
    ),
    Action("environments.run", "run", "Run a command inside", run, key="r",
        why_not=of_one(unfit)),
)  # fmt: skip
