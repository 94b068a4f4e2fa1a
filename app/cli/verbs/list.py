"""`chroot-tool list`: the chroots under the base directory, a line each."""

from __future__ import annotations

import gc

from ....core.text import safe
from ....widgets.text.states import chroot_state
from ... import exits
from .. import plain
from ..arguments import add, add_examples, add_json, engine_of
from ..options import PLAIN
from ..output import print_lines
from ..tables import process_count, table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence

    from ....core.looking.status import ChrootStatus


def add_options(parser: ArgumentParser) -> None:
    """Give the parser of `list` its options."""
    add_json(parser)
    add(parser, PLAIN)
    parser.add_argument("--tag", metavar="TAG", help="only those with this tag, of chroot.toml")
    add_examples(
        parser,
        "chroot-tool list",
        "chroot-tool list --tag ci",
        "chroot-tool -H build1 list",
        """chroot-tool list --json | jq -r '.[] | select(.state == "on").path'""",
    )


def execute(arguments: Namespace) -> int:
    """Print the chroots; return the exit code."""
    gc.disable()  # nothing of such a short life is garbage, and to look for it is a tenth of it
    in_words = plain.is_wanted(arguments)
    engine = engine_of(arguments)
    every = engine.list()
    found = chosen(arguments, every)
    if arguments.json:
        from ... import json_fields

        json_fields.write([json_fields.chroot(one) for one in found])
    elif found:
        print_lines([plain.sentence(one) for one in found] if in_words else lines(found))
    elif every:
        exits.tell(f"no chroot under {safe(engine.base)} has the tag {safe(arguments.tag)}\n")
    else:
        from ....core.remote.address import joined

        new = joined(arguments.host, f"{engine.base}/deb")
        exits.tell(
            f"no chroot under {safe(engine.base)}\n"
            f"hint: make one: chroot-tool create -d {safe(new)}\n"
        )
    return exits.DONE


def chosen(arguments: Namespace, every: tuple[ChrootStatus, ...]) -> tuple[ChrootStatus, ...]:
    """Return those of *every* that the options ask for."""
    tag = arguments.tag
    return every if tag is None else tuple(one for one in every if tag in one.tags)


def lines(found: Sequence[ChrootStatus]) -> list[str]:
    """Return the table of these chroots; what does not answer has a column where there is any."""
    head, rows = _table([("", one) for one in found])
    return table(head[1:], [row[1:] for row in rows])


def of_hosts(found: Sequence[tuple[str, Sequence[ChrootStatus]]]) -> list[str]:
    """Return the table of the chroots of hosts; one that has none has a row that says so."""
    head, rows = _table([(host, one) for host, every in found for one in every])
    rows += [(host, "-", "(none)", *[""] * (len(head) - 3)) for host, every in found if not every]
    order = {host: place for place, (host, _) in enumerate(found)}
    return table(head, sorted(rows, key=lambda row: order[row[0]]))


def _table(
    found: Sequence[tuple[str, ChrootStatus]],
) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return head and rows for chroots, each with its host."""
    rows = [
        (
            host, chroot_state(one.condition)[0], one.name, one.os or "-",
            f"{one.mounted}/{one.wanted}",
            process_count(one), " ".join(one.unanswered),
        )
        for host, one in found
    ]  # fmt: skip
    last = ("NOT ANSWERING",) if any(one.unanswered for _, one in found) else ()
    head = ("HOST", "STATE", "NAME", "SYSTEM", " MOUNTS", " PROCESSES", *last)
    return head, [row[: len(head)] for row in rows]
