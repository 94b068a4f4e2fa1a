"""`chroot-tool watch`: a line for each chroot now, and again whenever it changes."""

from __future__ import annotations

import sys

from ....core.errors import Problem
from ....core.events import Warned
from ....core.text import safe
from ....widgets.text.states import chroot_state
from ... import exits, json_output
from ..arguments import add_json, engine_of
from ..output import print_lines
from ..tables import process_count

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from ....core.looking.status import ChrootStatus


def add_options(parser: ArgumentParser) -> None:
    """Give the parser of `watch` its options."""
    add_json(parser)


def execute(arguments: Namespace) -> int:
    """Print every change until interrupted, which is how it ends; return the exit code."""
    from ....core.verbs.watch import changes

    try:
        for name, found in changes(engine_of(arguments).follow()):
            _tell(name, found, json=arguments.json)
    except KeyboardInterrupt:
        pass
    return exits.INTERRUPTED


def _tell(name: str, found: ChrootStatus | Problem | None, *, json: bool) -> None:
    if isinstance(found, Problem):
        if json:
            json_output.write(json_output.event(Warned("", found)))
        else:
            exits.say(found.message, found.hint)
    elif json and found:
        json_output.write({"event": "chroot", **json_output.chroot(found)})
    elif json:
        json_output.write({"event": "gone", "name": name})
    else:
        print_lines([line(found) if found else f"gone {safe(name)}"])
        sys.stdout.flush()


def line(one: ChrootStatus) -> str:
    """Return what is printed of a chroot."""
    return (
        f"{chroot_state(one.state)[0]} {safe(one.name)}  mounts {one.mounted}/{one.wanted}  "
        f"processes {process_count(one)}"
        + (f"  not answering {safe(' '.join(one.unanswered))}" if one.unanswered else "")
    )
