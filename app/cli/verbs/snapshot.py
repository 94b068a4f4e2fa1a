"""`chroot-tool snapshot`: states of a chroot to go back to."""

from __future__ import annotations

import time

from ....core.errors import UsageError
from ....core.text import duration, safe, size
from ... import exits, json_fields
from ..arguments import add, add_examples, add_json_events, chroot_of, known_as
from ..long_call import LongCall
from ..options import DIR
from ..output import print_lines
from ..tables import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence

    from ....core.engine import Engine
    from ....core.trees.snapshots import TreeSnapshot

_ACTIONS = ("list", "restore", "remove")


def add_options(parser: ArgumentParser) -> None:
    """Give the parser of `snapshot` its options."""
    parser.usage = "chroot-tool snapshot [list | restore NAME | remove NAME | NAME] [-d DIR]"
    parser.add_argument(
        "words", metavar="NAME", nargs="*",
        help="keep the present state under this name (default: the time), or: "
        "list; restore NAME; remove NAME",
    )  # fmt: skip
    add(parser, DIR)
    parser.add_argument(
        "--discard", action="store_true",
        help="restore: do not keep the state before as a snapshot before-restore-…",
    )  # fmt: skip
    add_json_events(parser)
    add_examples(
        parser,
        "chroot-tool snapshot -d deb before-upgrade",
        "chroot-tool snapshot list -d deb",
        "chroot-tool off -d deb && chroot-tool snapshot restore before-upgrade -d deb",
        "chroot-tool snapshot remove before-upgrade -d deb",
        "",
        "They lie beside the chroot, in .chroot-tool/snapshots: subvolumes on btrfs,",
        "reflinks where the file system has them, else copies. `delete` removes them",
        "with the chroot.",
    )


def execute(arguments: Namespace) -> int:
    """Keep, list, put back or remove a state; return the exit code."""
    engine, path = chroot_of(arguments)
    action, name = _meant(arguments)
    if action == "list":
        _list(engine.snapshots(path), path, arguments)
    elif action == "remove":
        with LongCall(json=arguments.json) as (report, cancelled):
            engine.remove_snapshot(path, name, report=report, cancelled=cancelled)
            report.end()
            _done(arguments, path, f"snapshot {safe(name)} removed", removed=name)
    elif action == "restore":
        _restore(engine, path, name, arguments)
    else:
        _take(engine, path, name, arguments)
    return exits.DONE


def _meant(arguments: Namespace) -> tuple[str, str]:
    """Return what is to be done and with which snapshot. Raises UsageError."""
    words = arguments.words
    action = words[0] if words and words[0] in _ACTIONS else ""
    names = words[1:] if action else words
    if arguments.discard and action != "restore":
        raise UsageError("--discard is for restore", "chroot-tool snapshot --help")
    if "" in names:
        raise UsageError("the snapshot's name is empty", "chroot-tool snapshot --help")
    if len(names) > (0 if action == "list" else 1):
        raise UsageError(f"one word too many: {names[-1]}", "chroot-tool snapshot --help")
    if action in ("restore", "remove") and not names:
        hint = f"chroot-tool snapshot list -d {safe(arguments.dir)} shows all"
        raise UsageError(f"snapshot {action} needs a name", hint)
    return action, names[0] if names else ""


def _list(found: Sequence[TreeSnapshot], path: str, arguments: Namespace) -> None:
    if arguments.json:
        json_fields.write([json_fields.snapshot(one) for one in found])
    elif found:
        print_lines(lines(found, time.time()))
    else:
        exits.tell(
            f"{safe(path)}: no snapshot\n"
            "hint: keep the present state: "
            f"chroot-tool snapshot -d {safe(known_as(arguments, path))} NAME\n"
        )


def lines(found: Sequence[TreeSnapshot], now: float) -> list[str]:
    """Return the table of these snapshots."""
    return table(
        ("NAME", " AGE", " SIZE"),
        [
            (
                one.name, duration(max(now - one.created, 0)),
                "shared" if one.shared else size(one.size) if one.size else "-",
            )
            for one in found
        ],
    )  # fmt: skip


def _take(engine: Engine, path: str, name: str, arguments: Namespace) -> None:
    with LongCall(json=arguments.json) as (report, cancelled):
        made = engine.take_snapshot(path, name, report=report, cancelled=cancelled)
        report.end()
        _done(arguments, path, f"snapshot {safe(made.name)}", snapshot=json_fields.snapshot(made))


def _restore(engine: Engine, path: str, name: str, arguments: Namespace) -> None:
    with LongCall(json=arguments.json) as (report, cancelled):
        kept = engine.restore_snapshot(
            path, name, keep=not arguments.discard, report=report, cancelled=cancelled
        )
        report.end()
        more = f"; what it was is the snapshot {safe(kept)}" if kept else ""
        _done(arguments, path, f"as in {safe(name)}{more}", restored=name, kept=kept or None)


def _done(arguments: Namespace, path: str, told: str, **facts: object) -> None:
    if arguments.json:
        json_fields.write({"event": "done", "chroot": path, **facts})
    else:
        exits.tell(f"{safe(path)}: {told}\n")
