"""Every command but the `run` family: from words to the verb that does what they say."""

from __future__ import annotations

import sys
from functools import partial

from ...core.errors import ChrootError
from .. import exits
from .parser import build, whole
from .verbs import SUMMARIES, module_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable

_NEVER_HELD_UP = ("watch", "serve", "completion")
"""All that they ask is asked within a bound."""


def main(words: list[str], verb: str = "") -> int:
    """Do what *words* say and return the exit code. *verb* is that among them, "" for none."""
    return exits.answer(partial(_execute, words, verb))


def overview(words: list[str]) -> int:
    """Print the list and the help: what the bare command does without a terminal."""
    return exits.answer(partial(_overview, words))


def _overview(words: list[str]) -> int:
    code = _execute([*words, "list"], "list")
    sys.stdout.write("\n" + build().format_help())
    return code


def _execute(words: list[str], verb: str) -> int:
    parser = build(verb if verb in SUMMARIES else "")
    try:
        arguments = parser.parse_args(words)
        if arguments.verb is None:
            parser.error("which command?")
    except SystemExit as end:
        return int(end.code or 0)
    try:
        code = _do(arguments)
    except ChrootError as error:
        if _streams(arguments):
            _write(error)
        raise
    return code


def _do(arguments: Namespace) -> int:
    """Execute the verb: in a thread of its own where it may be held up, so that signals end it."""
    from ...core.kernel.answering import may_wait

    arguments.whole = whole  # for verbs that tell of all the others
    execute: Callable[[Namespace], int] = module_of(arguments.verb).execute
    if arguments.verb in _NEVER_HELD_UP or not may_wait():
        return execute(arguments)
    from .beside import beside

    return beside(partial(execute, arguments))


def _streams(arguments: Namespace) -> bool:
    """Tell whether what happens is printed as JSON, an object for each event."""
    events = getattr(arguments, "json_events", False) and arguments.json
    return events and not getattr(arguments, "dry_run", False)


def _write(error: ChrootError) -> None:
    """Print an error as the last event."""
    from .. import json_output

    try:
        json_output.write(json_output.error(error, exits.code_of(error)))
    except OSError:
        exits.deafen(1)  # stderr still says it
