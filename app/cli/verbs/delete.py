"""`chroot-tool delete`: switch a chroot off and remove it, after asking."""

from __future__ import annotations

import os
import sys

from ....core.errors import Cancelled, ChrootError, UsageError
from ....core.kernel import answering
from ....core.kernel.rootpath import Root
from ....core.text import safe
from ... import exits, run_history
from ...settings.all_settings import MOST_TRASH
from ..arguments import add, add_examples, chroot_of, host_of, is_elsewhere, known_as
from ..long_call import LongCall
from ..options import DIR
from ..typed_line import typed_line

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
    parser.add_argument(
        "--trash", metavar="DAYS", type=_days, default=0.0,
        help="put it into the trash, where it takes its disk for so many days: see `trash`",
    )  # fmt: skip
    add_examples(
        parser,
        "chroot-tool delete -d deb",
        "chroot-tool delete -d deb --trash 7   `trash restore` has it back",
        "",
        "It is switched off first. What is mounted from the host is never removed.",
    )


def execute(arguments: Namespace) -> int:
    """Remove a chroot and what was remembered of it; return the exit code."""
    engine, path = chroot_of(arguments)
    rests = engine.rests(path)
    where = path if is_elsewhere(arguments) else _physical(path)
    if rests and not arguments.yes:
        left = f"what was left of {safe(where)}: {safe(', '.join(rests))}"
        _ask(f"This removes {left}.\n", os.path.basename(path))
    elif not arguments.yes:
        _confirm(engine.status(path), len(_snapshots(engine, path)), arguments.trash)
    with LongCall(json=False) as (report, cancelled):
        ident = engine.delete(path, trash=arguments.trash, report=report, cancelled=cancelled)
        report.end()
        if ident:
            _tell_trashed(where, ident, host_of(arguments))
            return exits.DONE
        try:
            run_history.forget(known_as(arguments, where))
        except OSError as error:
            exits.say(f"the history of {where} is kept: {exits.reason(error)}")
        exits.tell(f"{safe(where)}: {'what was left of it is ' if rests else ''}deleted\n")
    return exits.DONE


def _physical(path: str) -> str:
    """Return where the chroot really is, or was, as its history is kept; no source is looked at."""

    def look() -> str:
        with Root(path) as root:
            return root.path

    try:
        return answering.look(path, look)
    except FileNotFoundError:  # there is something left of it
        above, name = os.path.split(os.path.abspath(path))
        return os.path.join(_physical(above), name)
    except OSError:
        return path


def _snapshots(engine: Engine, path: str) -> tuple[TreeSnapshot, ...]:
    try:
        return engine.snapshots(path)
    except ChrootError:
        return ()  # nothing to be seen; what is in the way of deleting says so itself


def _tell_trashed(where: str, ident: str, host: str) -> None:
    above, name = os.path.split(where)
    there = f"--base {safe(above)}" + (f" -H {safe(host)}" if host else "")
    exits.tell(
        f"{safe(where)}: in the trash as {safe(ident)}\n"
        f"hint: chroot-tool trash restore {safe(name)} {there}, or trash empty\n"
    )


def _days(text: str) -> float:
    days = float(text)
    if not 0 < days <= MOST_TRASH:
        raise ValueError
    return days


_days.__name__ = f"number of days up to {MOST_TRASH}"  # as argparse calls what is wrong


def _confirm(found: ChrootStatus, snapshots: int, days: float) -> None:
    more = f", with its {snapshots} snapshots" if snapshots else ""
    ends = f", ending {len(found.processes)} processes inside" if found.processes else ""
    does = "puts into the trash" if days else "removes"
    _ask(
        f"This {does} {safe(found.path)} and everything in it{more}{ends}.\n"
        "Binds are unmounted first; what they show stays.\n",
        found.name,
    )


def _ask(what: str, name: str) -> None:
    """Ask for the name. Raises UsageError without a terminal, Cancelled for another answer."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError("delete asks first, and there is no terminal to ask on", "add --yes")
    exits.tell(f"{what}Type the name ({safe(name)}) to go on: ")
    if typed_line() not in (name, safe(name)):
        raise Cancelled("not deleted: that is not its name")
