"""`chroot-tool list`: the chroots under the base directory, a line each."""

from __future__ import annotations

import gc

from ....core.text import safe
from ....widgets.text.states import chroot_state
from ... import exits
from ..arguments import add_json, engine_of
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


def execute(arguments: Namespace) -> int:
    """Print the chroots; return the exit code."""
    gc.disable()  # nothing of such a short life is garbage, and to look for it is a tenth of it
    engine = engine_of(arguments)
    found = engine.list()
    if arguments.json:
        from ... import json_output

        json_output.write([json_output.chroot(one) for one in found])
    elif found:
        print_lines(lines(found))
    else:
        exits.tell(
            f"no chroot under {safe(engine.base)}\n"
            f"hint: make one: chroot-tool create -d {safe(engine.base)}/deb\n"
        )
    return exits.DONE


def lines(found: Sequence[ChrootStatus]) -> list[str]:
    """Return the table of these chroots; what does not answer has a column where there is any."""
    rows = [
        (
            chroot_state(one.state)[0], one.name, one.os or "-",
            f"{one.mounted}/{one.wanted}",
            process_count(one), " ".join(one.unanswered),
        )
        for one in found
    ]  # fmt: skip
    last = ("NOT ANSWERING",) if any(one.unanswered for one in found) else ()
    head = ("STATE", "NAME", "SYSTEM", " MOUNTS", " PROCESSES", *last)
    return table(head, [row[: len(head)] for row in rows])
