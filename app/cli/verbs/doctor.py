"""`chroot-tool doctor`: what would get in the way, what it means, and the mend for each."""

from __future__ import annotations

import os
import sys
import textwrap

from ....core.diagnosis.finding import NOTE, OK, PROBLEM, SEVERITIES, WARNING, Found
from ....core.events import StepDone
from ....core.text import safe
from ....widgets.text.states import severity
from ... import exits, json_fields
from ..arguments import add_examples, add_json_events, chroot_of, engine_of
from ..long_call import LongCall
from ..output import print_lines, print_plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from threading import Event as Flag

    from ....core.diagnosis.finding import Finding
    from ....core.engine import Engine
    from ....core.events import Event
    from ...progress_lines import Narrator

_COLOURS = {PROBLEM: "31", WARNING: "33", NOTE: "2", OK: "32"}
_SIGN, _CHECK = 11, 15
"""Columns, with the blanks behind."""
_WIDEST = 100


def add_options(parser: ArgumentParser) -> None:
    """Give the parser of `doctor` its options."""
    parser.add_argument(
        "-d", "--dir", dest="dir", metavar="DIR", default=None,
        help="this chroot: a directory, or a name under the base (default: this host)",
    )  # fmt: skip
    parser.add_argument(
        "--mend", action="store_true",
        help="mend what is safe first: drifted and stacked mounts of a chroot that is on, and "
        "what killed runs have left",
    )  # fmt: skip
    parser.add_argument(
        "-n", "--dry-run", action="store_true", help="say what --mend would do, and look at nothing"
    )
    add_json_events(parser)
    add_examples(
        parser,
        "chroot-tool doctor",
        "chroot-tool doctor -d deb",
        "chroot-tool doctor -d deb --mend --dry-run",
        "",
        "Exit 1 where something would fail, a line that begins with ✗. What each check",
        "looks at stands in docs/doctor.md. Nothing is changed without --mend; with it no",
        "process is ended, nothing that somebody made is deleted, nothing is installed.",
    )


def execute(arguments: Namespace) -> int:
    """Look, or mend and look; return the exit code."""
    if arguments.dir is None:
        engine, path = engine_of(arguments), ""
    else:
        engine, path = chroot_of(arguments)
    if arguments.dry_run:
        print_plan(arguments, path, engine.plan_mend(path))
        return exits.DONE
    with LongCall(json=arguments.json) as (narrator, cancelled):
        told = Told(narrator, json=arguments.json)
        if arguments.mend:
            _mend(engine, path, told, cancelled, quiet=arguments.json)
        found = engine.diagnose(path, report=told, cancelled=cancelled)
        narrator.end()
    counts = {word: sum(one.severity == word for one in found) for word in SEVERITIES}
    if arguments.json:
        json_fields.write({"event": "done", "chroot": path, **counts})
    else:
        print_lines(["", summary(counts, any(one.mends for one in found), arguments.dir)])
    return exits.FAILED if counts[PROBLEM] else exits.DONE


def _mend(engine: Engine, path: str, told: Told, cancelled: Flag, *, quiet: bool) -> None:
    done = engine.mend(path, report=told, cancelled=cancelled)
    if not quiet and not done:
        exits.tell("nothing to mend\n")


class Told:
    """A `report` that prints each finding when it is there."""

    def __init__(self, narrator: Narrator, *, json: bool) -> None:
        self._narrator = narrator
        self._json = json
        self._columns, self._coloured = _columns(), is_coloured()

    def __call__(self, event: Event) -> None:
        """Tell of one event."""
        if self._json:
            self._narrator(event)
        elif isinstance(event, StepDone):
            exits.tell(f"mended: {safe(event.step.describe())}\n")
        elif isinstance(event, Found):
            print_lines(lines(event.finding, self._columns, coloured=self._coloured))
            sys.stdout.flush()


def lines(one: Finding, columns: int = 80, *, coloured: bool = False) -> list[str]:
    """Return a finding as aligned lines of at most *columns*: what, what it means, the mend."""
    sign = severity(one.severity)[0]
    head = f"{sign:{_SIGN}}"
    if coloured:
        head = head.replace(sign, f"\x1b[{_COLOURS[one.severity]}m{sign}\x1b[0m")
    left = " " * (_SIGN + _CHECK)
    text = _wrapped(one.found, columns - len(left))
    if one.severity != OK:
        text += _wrapped(one.meaning, columns - len(left)) if one.meaning else []
        done = " (--mend does it)" if one.mends else ""
        text += _wrapped(f"→ {one.mend}{done}", columns - len(left), "  ") if one.mend else []
    return [f"{head}{safe(one.check):{_CHECK}}{text[0]}", *(f"{left}{line}" for line in text[1:])]


def _wrapped(text: str, width: int, behind: str = "") -> list[str]:
    return textwrap.wrap(
        safe(text), max(width, 20), subsequent_indent=behind, break_on_hyphens=False
    ) or [""]


def summary(counts: dict[str, int], mends: bool, directory: str | None) -> str:
    """Return the last line: how many of each, and what --mend would do."""
    said = ", ".join(_counted(counts[word], word) for word in (PROBLEM, WARNING) if counts[word])
    rest = f"{counts[OK]} ok" + (f", {_counted(counts[NOTE], NOTE)}" if counts[NOTE] else "")
    line = f"{said}; {rest}" if said else f"nothing is in the way: {rest}"
    if mends:
        where = f" -d {safe(directory)}" if directory else ""
        line += f"\nchroot-tool doctor --mend{where} mends what is safe"
    return line


def _counted(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"


def _columns() -> int:
    try:
        return min(os.get_terminal_size(1).columns, _WIDEST)
    except OSError:
        return 80


def is_coloured() -> bool:
    """Tell whether stdout is a terminal that takes colours, and they are wanted: no-color.org."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM", "dumb") == "dumb"
    return sys.stdout.isatty() and not plain
