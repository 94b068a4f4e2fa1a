"""What runs of our own that were killed have left, as the steps that take it away.

Nothing but what chroot-tool itself makes, by the names that it gives, and only where nobody has it
locked: it is known by whom it was made, or it stays.
"""

from __future__ import annotations

import os
import re
import stat

from ..chroot import CLONING, CONFIG_DIRECTORY, MARKER, folders, has_system, is_half_deleted
from ..creating.bases.store import Store
from ..creating.unfinished import OVER
from ..errors import ChrootError
from ..lock import is_locked
from ..plan import Step
from ..trees.remove import is_rest
from ..trees.snapshot_store import Shelf
from .check import CHROOT, HOST, Check
from .finding import ok, warning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..kernel.rootpath import Root
    from .finding import Finding
    from .subject import Subject

TREE, EDIT, MARK, CREATE, SNAPSHOT, BASE = "tree", "edit", "mark", "create", "snapshot", "base"
_MADE_BY = {
    TREE: "a clone or delete", EDIT: "an edit of the configuration", MARK: "a create",
    CREATE: "a create", SNAPSHOT: "a snapshot", BASE: "a create, of a base",
}  # fmt: skip
_TEMPORARY = re.compile(r"\.(tool\.conf|chroot\.toml)\.(\d+)\.[0-9a-f]{8}")
"""How `kernel.rootpath` calls a file before it is renamed in place."""


class TakeAway(Step):
    """Take away what a killed run has left at the target, a path on the host."""

    kind: str

    def describe(self) -> str:  # noqa: D102 (Step.describe)
        return f"remove {self.target}, left by {_MADE_BY[self.kind]} that was killed"


def found(subject: Subject, *, has_lock: bool = False) -> tuple[TakeAway, ...]:
    """Return what is to be taken away; *has_lock*: the caller has that of the chroot.

    Raises OSError, ChrootError.
    """
    return tuple(_in_chroot(subject, has_lock) if subject.path else _on_host(subject))


def _on_host(subject: Subject) -> Iterator[TakeAway]:
    for path in folders(subject.base):
        name = os.path.basename(path)
        is_ours = is_rest(name) or (name.startswith(".") and name.endswith(CLONING))
        if is_ours and not is_locked(path):
            yield TakeAway(path, TREE)
    try:
        store = Store(subject.cache.directory)
    except (FileNotFoundError, ChrootError):
        return
    with store:
        for name in store.names():
            if not is_locked(f"{store.path}/{name}.lock") and store.rests(name):
                yield TakeAway(f"{store.path}/{name}", BASE)


def _in_chroot(subject: Subject, has_lock: bool) -> Iterator[TakeAway]:
    with subject.open() as root:
        yield from (TakeAway(f"{root.path}{name}", EDIT) for name in edits_of(root))
        over = root.stat(OVER, follow=False)
        if over and stat.S_ISDIR(over.st_mode):
            yield TakeAway(f"{root.path}{OVER}", MARK)
        begun = root.stat(MARKER, follow=False)
        # What is half deleted goes on with `delete`, which asks.
        known = has_system(root) or is_half_deleted(root)
        if begun and not known and (has_lock or not is_locked(root.path)):
            yield TakeAway(f"{root.path}{MARKER}", CREATE)
    with Shelf(subject.path) as shelf:
        yield from (TakeAway(path, SNAPSHOT) for path in shelf.rests())


def edits_of(root: Root) -> list[str]:
    """Return the paths inside of files that an edit was writing when it was killed."""
    try:
        fd = root.open(CONFIG_DIRECTORY, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return []
    try:
        names = os.listdir(fd)
    finally:
        os.close(fd)
    return [
        f"{CONFIG_DIRECTORY}/{name}"
        for name in sorted(names)
        if (match := _TEMPORARY.fullmatch(name)) and not os.path.exists(f"/proc/{match[2]}")
    ]


def leftovers(subject: Subject) -> Iterator[Finding]:
    """Tell what is there."""
    there = found(subject)
    for step in there:
        yield warning(
            f"{step.target} was left by {_MADE_BY[step.kind]} that was killed",
            "nobody uses it; it takes room, and is in the way at times",
            "chroot-tool doctor --mend" + (f" -d {subject.path}" if subject.path else ""),
            mends=True,
        )
    if not there:
        yield ok("killed runs have left nothing")


CHECKS = (
    Check("leftovers", "what killed runs of chroot-tool have left", leftovers, (HOST, CHROOT)),
)  # fmt: skip
