"""`chroot-tool trash`: chroots that `delete --trash` has kept, to be had back or to go for good."""

from __future__ import annotations

import os
import sys
import time

from ....core.errors import Cancelled, UsageError
from ....core.text import duration, safe, size
from ... import exits, json_fields
from ..arguments import add_examples, add_json_events, engine_of
from ..long_call import LongCall
from ..output import print_lines
from ..tables import table
from ..typed_line import typed_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable, Sequence

    from ....core.engine import Engine
    from ....core.trees.trash import Trashed


def add_options(parser: ArgumentParser) -> None:
    """Give the parser of `trash` its options."""
    parser.add_argument("action", choices=tuple(_ACTIONS), help="what to do")
    parser.add_argument(
        "names", metavar="NAME", nargs="*",
        help="as in `list`: an id, or the name of a chroot for the one deleted last",
    )  # fmt: skip
    parser.add_argument("--yes", action="store_true", help="empty: do not ask")
    add_json_events(parser)
    add_examples(
        parser,
        "chroot-tool delete -d deb --trash 7         kept for a week",
        "chroot-tool trash list",
        "chroot-tool trash restore deb",
        "chroot-tool trash empty                     all that is in it, after asking",
        "",
        "It is that of the base directory: beside the chroots, in .chroot-tool/trash, where",
        "root alone can look. What has been in it for its time goes at the next delete.",
    )


def execute(arguments: Namespace) -> int:
    """List the trash, have something back, or empty it; return the exit code."""
    engine = engine_of(arguments)
    engine.locate("/")  # one elsewhere says what its base is when something is asked of it
    _ACTIONS[arguments.action](engine, arguments)
    return exits.DONE


def _list(engine: Engine, arguments: Namespace) -> None:
    if arguments.names:
        raise UsageError("trash list takes no name", "chroot-tool trash --help")
    found = engine.trash(engine.base, sizes=True)
    if arguments.json:
        json_fields.write([json_fields.trashed(one) for one in found])
    elif found:
        print_lines(lines(found, time.time()))
        exits.tell(f"{size(sum(one.size for one in found))} in all\n")
    else:
        exits.tell(f"nothing is in the trash of {safe(engine.base)}\n")


def lines(found: Sequence[Trashed], now: float) -> list[str]:
    """Return the table of what is in the trash."""
    return table(
        ("ID", "NAME", " SIZE", " DELETED", " GOES IN"),
        [
            (
                one.id, one.called, size(one.size), duration(max(now - one.deleted, 0)),
                duration(one.until - now) if one.until > now else "-",
            )
            for one in found
        ],
    )  # fmt: skip


def _restore(engine: Engine, arguments: Namespace) -> None:
    if len(arguments.names) != 1:
        raise UsageError("trash restore needs one name", "chroot-tool trash list shows all")
    [word] = arguments.names
    with LongCall(json=arguments.json) as (report, _cancelled):
        path = engine.restore_trashed(os.path.join(engine.base, word), word, report=report)
        report.end()
        state = engine.status(path).state
        if arguments.json:
            json_fields.write({"event": "done", "chroot": path, "state": state})
        else:
            exits.tell(f"{safe(path)}: back from the trash, and {safe(state)}\n")


def _empty(engine: Engine, arguments: Namespace) -> None:
    if not arguments.yes:
        _confirm(engine, arguments.names)
    with LongCall(json=arguments.json) as (report, cancelled):
        gone = engine.empty_trash(
            engine.base, arguments.names or None, report=report, cancelled=cancelled
        )
        report.end()
        if arguments.json:
            json_fields.write({"event": "done", "chroot": engine.base, "removed": list(gone)})
        else:
            told = "".join(f"{safe(one)}: gone for good\n" for one in gone)
            exits.tell(told or f"nothing is in the trash of {safe(engine.base)}\n")


def _confirm(engine: Engine, names: Sequence[str]) -> None:
    """Ask for the word. Raises UsageError without a terminal, Cancelled for another answer."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError("trash empty asks first, and there is no terminal to ask on", "add --yes")
    what = ", ".join(map(safe, names)) or f"all that is in the trash of {safe(engine.base)}"
    exits.tell(f"This removes {what} for good.\nType empty to go on: ")
    if typed_line() != "empty":
        raise Cancelled("not emptied: that is not the word")


_ACTIONS: dict[str, Callable[[Engine, Namespace], None]] = {
    "list": _list,
    "restore": _restore,
    "empty": _empty,
}
