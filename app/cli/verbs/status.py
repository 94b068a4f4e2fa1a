"""`chroot-tool status`: one chroot in full."""

from __future__ import annotations

import time

from ....core.process import MOST_LISTENERS
from ....core.text import duration, safe, size
from ....widgets.text.states import chroot_state, mount_state
from ... import exits, json_fields
from .. import plain
from ..arguments import add, add_examples, add_json, chroot_of
from ..options import DIR, PLAIN
from ..output import print_lines
from ..tables import indented

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from ....core.looking.status import ChrootStatus
    from ....core.process import Listener, OpenFile


_HIDDEN = ("", "what processes of other users have open can't be seen: run as root")


def add_options(parser: ArgumentParser) -> None:
    """Give the parser of `status` its options."""
    add_json(parser)
    parser.add_argument(
        "--open", action="store_true", help="and where it listens, and what its processes have open"
    )
    add(parser, DIR, PLAIN)
    add_examples(
        parser,
        "chroot-tool status -d deb",
        "chroot-tool status -d deb --open",
        "chroot-tool status -d deb --json | jq -r '.mounts[].target'",
    )


def execute(arguments: Namespace) -> int:
    """Print what there is to know of one chroot; return the exit code."""
    in_words = plain.is_wanted(arguments)
    engine, path = chroot_of(arguments)
    found = engine.status(path)
    listening = engine.listeners(path) if arguments.open else ()
    opened = engine.all_open_files(path) if arguments.open else ()
    if arguments.json:
        fields = json_fields.opened(listening, opened) if arguments.open else {}
        json_fields.write(json_fields.chroot(found) | fields)
    else:
        said = (plain.details if in_words else lines)(found, time.time())
        more = (plain.opened if in_words else _open_lines)(listening, opened)
        hidden = arguments.open and found.unseen
        print_lines([*said, *more, *_HIDDEN[in_words:] * hidden])
    return exits.DONE


def _open_lines(listening: tuple[Listener, ...], opened: tuple[OpenFile, ...]) -> list[str]:
    said = []
    if listening:
        rows = [(one.protocol, one.address, str(one.pid), one.command) for one in listening]
        head = ("PROTOCOL", "ADDRESS", " PID", "COMMAND")
        more = ", and perhaps more" if len(listening) >= MOST_LISTENERS else ""
        said += ["", f"listening {len(listening)}{more}", *indented(head, rows)]
    if opened:
        rows = [(str(one.pid), one.name, one.kind, one.what) for one in opened]
        said += ["", f"open {len(opened)}", *indented((" PID", "NAME", "KIND", "WHAT"), rows)]
    return said


def lines(one: ChrootStatus, now: float) -> list[str]:
    """Return all of a chroot as lines; *now* in epoch seconds."""
    sign = chroot_state(one.condition)[0][0]
    said = [f"{sign} {safe(one.name)}: {safe(one.condition)}", f"  path    {safe(one.path)}"]
    if one.os:
        said.append(f"  system  {safe(one.os)}")
    if one.description:
        said.append(f"  about   {safe(one.description)}")
    if one.tags:
        said.append(f"  tags    {safe(' '.join(one.tags))}")
    if one.configuration:
        said.append(f"  config  {safe(one.configuration)}")
    if one.enabled:
        said.append("  boot    on, and started")
    if one.mounts:
        said += ["", f"mounts {one.mounted}/{one.wanted}", *_mounts(one)]
    if one.unseen:
        said += ["", "processes of other users can't be seen: run as root"]
    if one.processes:
        said += ["", f"processes {len(one.processes)}", *_processes(one, now)]
    for problem in one.problems:
        said += ["", f"problem: {safe(problem.message)}"]
        if problem.hint:
            said.append(f"hint: {safe(problem.hint)}")
    return said


def _mounts(one: ChrootStatus) -> list[str]:
    return indented(
        ("STATE", "TARGET", "SOURCE", "TYPE", "OPTIONS", "ORIGIN", "REASON"),
        [
            (
                mount_state(m.state)[0], m.target, m.source, m.fs,
                ",".join(m.options) or "-", m.origin, m.reason,
            )
            for m in one.mounts
        ],
    )  # fmt: skip


def _processes(one: ChrootStatus, now: float) -> list[str]:
    return indented(
        (" PID", "USER", " CPU%", " MEMORY", " RUNNING", "COMMAND"),
        [
            (
                str(p.pid), p.user, f"{p.cpu_percent:.1f}", size(p.rss),
                duration(now - p.started), p.command,
            )
            for p in one.processes
        ],
    )  # fmt: skip
