"""`chroot-tool delete`: switch a chroot off and remove it, after asking."""

from __future__ import annotations

import sys

from ....core.errors import Cancelled, ChrootError, UsageError
from ....core.text import safe
from ... import exits, history
from ..arguments import add, chroot_of
from ..long_call import LongCall
from ..options import DIR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from ....core.engine import Engine
    from ....core.looking.status import ChrootStatus
    from ....core.trees.snapshots import TreeSnapshot


def add_options(parser: ArgumentParser) -> None:
    """Give the parser of `delete` its options."""
    add(parser, DIR)
    parser.add_argument("--yes", action="store_true", help="do not ask")


def execute(arguments: Namespace) -> int:
    """Remove a chroot and what was remembered of it; return the exit code."""
    engine, path = chroot_of(arguments)
    found = engine.status(path)
    if not arguments.yes:
        _confirm(found, len(_snapshots(engine, path)))
    with LongCall(json=False) as (report, cancelled):
        engine.delete(path, report=report, cancelled=cancelled)
    try:
        history.forget(found.path)
    except OSError as error:
        exits.say(f"the history of {found.path} is kept: {exits.reason(error)}")
    exits.tell(f"{safe(found.path)}: deleted\n")
    return exits.DONE


def _snapshots(engine: Engine, path: str) -> tuple[TreeSnapshot, ...]:
    try:
        return engine.snapshots(path)
    except ChrootError:
        return ()  # nothing to be seen; what is in the way of deleting says so itself


def _confirm(found: ChrootStatus, snapshots: int) -> None:
    """Ask for the name. Raises UsageError without a terminal, Cancelled for another answer."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError("delete asks first, and there is no terminal to ask on", "add --yes")
    more = f", with its {snapshots} snapshots" if snapshots else ""
    ends = f", ending {len(found.processes)} processes inside" if found.processes else ""
    exits.tell(
        f"This removes {safe(found.path)} and everything in it{more}{ends}.\n"
        "Binds are unmounted first; what they show stays.\n"
        f"Type the name ({safe(found.name)}) to go on: "
    )
    if sys.stdin.readline().strip() not in (found.name, safe(found.name)):
        raise Cancelled("not deleted: that is not its name")
