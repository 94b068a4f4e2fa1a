"""`chroot-tool watch`: a line for each chroot now, and again whenever it changes.

With --plain only what has changed is said, in words: it is also what those have in the place of the
terminal UI who can't use that.
"""

from __future__ import annotations

import sys

from ....core.errors import ChrootError, PrivilegeError, Problem
from ....core.events import Warned
from ....core.text import safe
from ....widgets.text.states import chroot_state
from ... import exits, json_fields, privilege
from .. import plain
from ..arguments import add, add_examples, add_json, engine_of
from ..options import PLAIN
from ..output import print_lines
from ..tables import process_count

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterator

    from ....core.engine_parts import Following
    from ....core.looking.status import ChrootStatus


def add_options(parser: ArgumentParser) -> None:
    """Give the parser of `watch` its options."""
    add_json(parser)
    add(parser, PLAIN)
    add_examples(
        parser,
        "chroot-tool watch",
        "chroot-tool watch --plain           in words: for screen readers",
        "chroot-tool watch --json            an object a line",
    )


def execute(arguments: Namespace) -> int:
    """Print every change until interrupted, which is how it ends; return the exit code."""
    in_words = _InWords() if plain.is_wanted(arguments) else None
    engine = engine_of(arguments)
    if privilege.is_wanted() and not arguments.host:
        _look(engine.base)
    try:
        for name, found in changes(engine.follow()):
            if in_words and not isinstance(found, Problem):
                in_words.tell(name, found)
            else:
                _tell(name, found, json=arguments.json)
    except KeyboardInterrupt:
        pass
    return exits.INTERRUPTED


def changes(following: Following) -> Iterator[tuple[str, ChrootStatus | Problem | None]]:
    """Yield (name, status) of every chroot now, and again whenever it changes; None when gone.

    Where nothing can be seen, or only late, it is ("", why), once until that changes.

    What counts is state, mounts, problems and which processes live inside; their CPU and memory
    change all the time and do not. Never ends by itself; *following* is closed when it is ended.
    """
    try:
        known: dict[str, tuple[object, ...]] = {}
        why = ""
        while True:
            snapshot = following.snapshot()
            problem = snapshot.problem or snapshot.late
            if problem and problem.message != why:  # its hint is another at each try
                yield "", problem
            why = problem.message if problem else ""
            found = {one.name: one for one in snapshot.chroots}
            for name in sorted(known.keys() - found.keys()):
                del known[name]
                yield name, None
            for name, one in found.items():
                content = (one.state, one.mounts, one.problems, [p.pid for p in one.processes])
                if known.get(name) != content:
                    known[name] = content
                    yield name, one
            following.wait()
    finally:
        following.close()


def _look(base: str) -> None:
    """Raise PrivilegeError where root alone may open *base*: it is watched by root then."""
    from ....core.chroot import folders
    from ....core.kernel.mount_table import MountTable

    try:
        folders(base, MountTable.read())
    except PrivilegeError:
        raise
    except ChrootError:
        pass  # it is said when it is watched, which may go on longer


class _InWords:
    """Says of each chroot what it is at first, then what changes."""

    def __init__(self) -> None:
        self._known: dict[str, ChrootStatus] = {}

    def tell(self, name: str, found: ChrootStatus | None) -> None:
        """Print what is new of the chroot *name*; *found* is None where it is gone."""
        before = self._known.pop(name, None)
        if found is None:
            lines = [f"{safe(name)}: gone"]
        else:
            self._known[name] = found
            lines = plain.changes(before, found) if before else [plain.sentence(found)]
        print_lines(lines)
        sys.stdout.flush()


def _tell(name: str, found: ChrootStatus | Problem | None, *, json: bool) -> None:
    if isinstance(found, Problem):
        if json:
            json_fields.write(json_fields.event(Warned("", found)))
        else:
            exits.say(found.message, found.hint)
    elif json and found:
        json_fields.write({"event": "chroot", **json_fields.chroot(found)})
    elif json:
        json_fields.write({"event": "gone", "name": name})
    else:
        print_lines([line(found) if found else f"gone {safe(name)}"])
        sys.stdout.flush()


def line(one: ChrootStatus) -> str:
    """Return what is printed of a chroot."""
    return (
        f"{chroot_state(one.condition)[0]} {safe(one.name)}  mounts {one.mounted}/{one.wanted}  "
        f"processes {process_count(one)}"
        + (f"  not answering {safe(' '.join(one.unanswered))}" if one.unanswered else "")
    )
