"""`chroot-tool base`: the bases that `create` unpacks instead of bootstrapping."""

from __future__ import annotations

import time

from ....core.errors import UsageError
from ....core.text import duration, safe, size
from ... import exits, json_fields
from ...settings.sizes import bytes_of
from ..arguments import add, add_json, engine_of
from ..long_call import LongCall
from ..options import Option
from ..output import print_lines
from ..tables import table
from .create import OPTIONS, add_backend, asked, spent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable, Sequence

    from ....core.creating.bases.store import Base
    from ....core.engine_parts import Bases

_TO = Option(
    ("--to",), "to", "SIZE",
    "prune: remove the bases that pass this, 0 for all (default: cache-size in the settings)",
)  # fmt: skip
_EXAMPLES = """\
`create` keeps what it bootstraps as a base, before anything of the host is put
in. Which base serves is a matter of suite, architecture, variant, mirror,
packages, back end and keyring. Where they are, and how much they may take, say
`cache` and `cache-size` in the settings.

examples:
  chroot-tool base list
  chroot-tool base make --suite sid            made, or brought up to date
  chroot-tool base remove NAME
  chroot-tool base prune --to 1G               the oldest used go first
"""


def add_options(parser: ArgumentParser) -> None:
    """Give the parser of `base` its options."""
    parser.epilog = _EXAMPLES
    parser.add_argument("action", choices=tuple(_ACTIONS), help="what to do")
    parser.add_argument("names", metavar="NAME", nargs="*", help="remove: the bases, as in `list`")
    add(parser, _TO)
    add(parser, *OPTIONS)
    add_backend(parser)
    add_json(parser)


def execute(arguments: Namespace) -> int:
    """List or change the bases; return the exit code."""
    if arguments.names and arguments.action != "remove":
        raise UsageError(f"base {arguments.action} takes no name", "`base remove` does")
    _ACTIONS[arguments.action](engine_of(arguments).bases(), arguments)
    return exits.DONE


def _list(bases: Bases, arguments: Namespace) -> None:
    found = bases.list()
    if arguments.json:
        json_fields.write([json_fields.base(one) for one in found])
    elif found:
        print_lines(lines(found))
        exits.tell(f"{size(sum(one.size for one in found))} in all\n")
    else:
        exits.tell("no bases\nhint: `create` keeps one, `base make` makes one\n")


def lines(found: Sequence[Base]) -> list[str]:
    """Return the table of these bases."""
    return table(
        ("NAME", " SIZE", " PACKAGES", " MADE", " USED", "MIRROR", "WITH"),
        [
            (
                one.name, size(one.size), str(one.facts.packages), _ago(one.facts.made),
                _ago(one.used), one.key.mirror or "-", ",".join(one.key.include) or "-",
            )
            for one in found
        ],
    )  # fmt: skip


def _ago(when: float) -> str:
    return duration(max(time.time() - when, 0)).partition(" ")[0]


def _make(bases: Bases, arguments: Namespace) -> None:
    started = time.monotonic()
    with LongCall(json=arguments.json) as (report, cancelled):
        base = bases.make(asked(arguments), report=report, cancelled=cancelled)
        report.end()
        if arguments.json:
            json_fields.write({"event": "done", "base": json_fields.base(base)})
        else:
            exits.tell(f"{safe(base.name)}: {size(base.size)}, made in {spent(started)}\n")


def _remove(bases: Bases, arguments: Namespace) -> None:
    if not arguments.names:
        raise UsageError("base remove needs a name", "`base list` shows them")
    gone = bases.remove(arguments.names)
    if arguments.json:
        json_fields.write({"removed": list(gone)})
    else:
        exits.tell("".join(f"{safe(name)}: removed\n" for name in gone))


def _prune(bases: Bases, arguments: Namespace) -> None:
    limit = bytes_of(arguments.to) if arguments.to else None
    if arguments.to and limit is None:
        raise UsageError(f"--to {arguments.to!r} is no size", "for example: 4G, 500M, 0")
    pruned = bases.prune(limit)
    if arguments.json:
        json_fields.write({"removed": list(pruned.names), "freed": pruned.freed})
        return
    for name in pruned.names:
        exits.tell(f"{safe(name)}: removed\n")
    exits.tell(f"{size(pruned.freed)} freed\n" if pruned.freed else "nothing to remove\n")


_ACTIONS: dict[str, Callable[[Bases, Namespace], None]] = {
    "list": _list,
    "make": _make,
    "remove": _remove,
    "prune": _prune,
}
