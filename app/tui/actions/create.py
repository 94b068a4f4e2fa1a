"""Making a chroot."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from ....core.errors import ChrootError
from ....core.looking.status import BROKEN, CREATING, INCOMPLETE
from ....core.remote.address import split
from ....core.text import ago
from ..command_lines import command_words
from .action import Action, flow
from .copies import copy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ....core.creating.options import CreateOptions
    from ....core.engine import Engine
    from ....core.looking.status import ChrootStatus
    from ....widgets.dialogs.create import HostRules
    from ....widgets.dialogs.create_sources import Sources
    from ..session import Session


_UNFIT = (CREATING, INCOMPLETE, BROKEN)
"""States in which there is nothing to copy."""


@flow
async def create(session: Session) -> None:
    """Ask what to make, make it, and go there when it appears."""
    from ....core.creating.options import CreateOptions
    from ....widgets.dialogs.create import CreateForm
    from ....widgets.dialogs.create_sources import Copy

    engine = session.engine
    # Where the cursor is on another machine the next one is made there.
    base = engine.base_at(session.place)
    host, _ = split(base)
    try:
        defaults = await asyncio.to_thread(engine.create_defaults, CreateOptions(), base)
    except ChrootError as error:
        session.user.explain(error)
        return
    # Of widgets, so not in the thread.
    known, chosen = session.inventory.chroots, session.highlighted
    now = session.panes.table.rows.clock()
    form = CreateForm(
        defaults, base, session.inventory.names(host),
        unfinished=session.inventory.names(host, INCOMPLETE),
        describe=engine.plan_create,
        sources=await asyncio.to_thread(_sources, engine, base, known, chosen, now),
        host=_rules(is_here=session.machines.is_here and not host),
    )  # fmt: skip
    made = await session.user.ask(form)
    if isinstance(made, Copy):
        name = os.path.basename(made.source)
        copy(session, name, made.source, made.path, exact=made.exact)
    elif made is not None:
        _make(session, *made)


def _sources(
    engine: Engine, base: str, known: Iterable[ChrootStatus], chosen: ChrootStatus | None,
    now: float,
) -> Sources:  # fmt: skip
    """Return what there is to make a chroot of. Called in a thread."""
    from ....widgets.dialogs.create_sources import Sources

    bases = engine.bases(base)
    try:
        there = bases.list()
    except ChrootError:
        there = ()  # the outlook says why

    def outlook(options: CreateOptions) -> str:
        seen = bases.outlook(options)
        if seen.base:
            return f"quick: from a base made {ago(now - seen.base.facts.made)}"
        return f"not quick: {seen.reason}"

    host, _ = split(base)
    whole = [one for one in known if one.state not in _UNFIT]
    # Those of this machine first; of another one it is streamed.
    whole.sort(key=lambda one: (one.host != host, one.host))
    chroots = [(_labelled(one, host), one.path) for one in whole]
    return Sources(
        there, chroots, chosen.path if chosen else "", outlook,
        engine.complete, now,
    )  # fmt: skip


def _rules(*, is_here: bool) -> HostRules:
    """Return what is checked at each key; what another machine has its plan tells."""
    from ....core.creating import options, suites
    from ....core.host import debian
    from ....widgets.dialogs.create import HostRules

    if not is_here:
        return HostRules()
    return HostRules(
        options.check_suite, options.check_locale, options.check_timezone,
        suites.known, debian.timezones,
    )  # fmt: skip


def _labelled(one: ChrootStatus, host: str) -> str:
    """Return the name of a chroot, for one who makes another on *host*."""
    return one.name if one.host == host else f"{one.name} on {one.host or 'this machine'}"


def _make(session: Session, path: str, options: CreateOptions) -> None:
    engine = session.engine
    session.start(
        "create", os.path.basename(path), path,
        lambda report, cancelled: engine.create(path, options, report=report, cancelled=cancelled),
        words=command_words.create(path, options),
    )  # fmt: skip
    session.await_new(path)


ACTIONS = (Action("environments.create", "new", "Make a chroot", create, key="n", of_chroot=False),)
