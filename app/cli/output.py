"""What several verbs print in the same form: lines, plans, how a verb has ended."""

from __future__ import annotations

import sys

from ...core.text import safe
from .. import exits, json_fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterable

    from ...core.errors import ChrootError
    from ...core.plan import Plan


def print_lines(lines: Iterable[str]) -> None:
    """Print lines, made safe already, on stdout; what its encoding does not have becomes `?`."""
    encoding = sys.stdout.encoding or "utf-8"
    for line in lines:
        sys.stdout.write(line.encode(encoding, "replace").decode(encoding) + "\n")


def print_plan(arguments: Namespace, path: str, plan: Plan) -> None:
    """Print what --dry-run of *path* shows."""
    if arguments.json:
        json_fields.write(json_fields.plan(path, plan))
    else:
        print_lines([safe(step.describe()) for step in plan.steps] or ["nothing to do"])


def tell_state(arguments: Namespace, path: str, state: str, steps: int) -> None:
    """Say that *path* is in *state* now, by *steps* steps; by none it was before."""
    if arguments.json:
        json_fields.write({"event": "done", "chroot": path, "state": state, "steps": steps})
    else:
        exits.tell(f"{safe(path)}: {state if steps else f'already {state}'}\n")


def write_error(error: ChrootError) -> None:
    """Print an error as the last event, or in the place of the document."""
    try:
        json_fields.write(json_fields.error(error, exits.code_of(error)))
    except OSError:
        exits.deafen(1)  # stderr still says it
