"""What runs of our own that were killed have left, as the steps that take it away.

Nothing but what chroot-tool itself makes, by the names that it gives, and only where nobody has it
locked: it is known by whom it was made, or it stays.
"""

from __future__ import annotations

import os
import stat

from ..chroot import (
    CLONING,
    CONFIG_DIRECTORY,
    MADE,
    MARKER,
    folders,
    has_system,
    is_half_deleted,
)
from ..config.bind import CHROOT_TOML, TOOL_CONF
from ..creating.bases.store import Store
from ..errors import ChrootError
from ..kernel import answering
from ..kernel.replace_file import temporaries
from ..kernel.syscalls import mount_id
from ..lock import holder, is_locked
from ..plan import Step
from ..trees.remove import is_rest
from ..trees.snapshot_store import SnapshotDirectory
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
    for path in folders(subject.base, answering.table()):
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
        yield from (TakeAway(f"{root.path}{name}", EDIT) for name in _edits(root))
        over = root.stat(MADE, follow=False)
        if over and stat.S_ISDIR(over.st_mode):
            yield TakeAway(f"{root.path}{MADE}", MARK)
        begun = root.stat(MARKER, follow=False)
        # What is half deleted goes on with `delete`, which asks.
        known = has_system(root) or is_half_deleted(root)
        if begun and not known and (has_lock or not is_locked(root.path)):
            yield TakeAway(f"{root.path}{MARKER}", CREATE)
    with SnapshotDirectory(subject.path, held=has_lock) as snapshots:
        yield from (TakeAway(path, SNAPSHOT) for path in snapshots.rests())


def _edits(root: Root) -> list[str]:
    """Return the paths inside of files that an edit was writing when it was killed."""
    try:
        fd = root.open(CONFIG_DIRECTORY, os.O_RDONLY | os.O_DIRECTORY, follow=False)
    except OSError:
        return []
    try:
        if mount_id(fd) != mount_id(root.fd):
            return []  # it is the host's
        names = temporaries(fd, TOOL_CONF, CHROOT_TOML)
    finally:
        os.close(fd)
    paths = [f"{CONFIG_DIRECTORY}/{name}" for name in sorted(names)]
    return [path for path in paths if _is_forgotten(root, path)]


def _is_forgotten(root: Root, path: str) -> bool:
    """Tell whether it is a file that nobody writes any more."""
    try:
        fd = root.open(path, os.O_PATH | os.O_NOFOLLOW, follow=False)
    except OSError:
        return False
    try:
        return stat.S_ISREG(os.fstat(fd).st_mode) and not holder(fd)
    finally:
        os.close(fd)


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
