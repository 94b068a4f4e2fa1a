"""What methods of the `Engine` return that is asked further, and what it and its parts answer.

These are of the contract, too (engine.py): the bind entries of a chroot, the bases, what follows
the chroots, what counts their sizes.
"""

from __future__ import annotations

from .value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from threading import Event as Flag
    from typing import Protocol

    from .config.bind import Bind
    from .config.edits import Change, Files, Saved
    from .creating.bases.store import Base
    from .creating.options import CreateOptions
    from .errors import Problem
    from .events import Report
    from .looking.snapshot import Snapshot
    from .plan import Plan
    from .trees.disk_size import Taken
else:
    Protocol = object  # typing costs `run` 6 ms


class Outlook(Value):
    """Whether a create will be quick, and why not where it is not."""

    base: Base | None
    """What it would be unpacked from."""
    reason: str
    """Why not, in a few words, for a form; "" with a base."""


class Pruned(Value):
    """What pruning took away."""

    names: tuple[str, ...]
    """The bases that went, the one that was used longest ago first."""
    freed: int
    """Bytes, with what killed creates had left."""


class Bases(Protocol):
    """The trees that `create` unpacks instead of bootstrapping, and keeps.

    All raise ChrootError where the directory they are in cannot be trusted, PrivilegeError.
    """

    def list(self) -> tuple[Base, ...]:
        """Return the bases, the one that was used last first."""
        raise NotImplementedError

    def outlook(self, options: CreateOptions) -> Outlook:
        """Say whether a chroot of *options* would come from a base. Quick enough for a form."""
        raise NotImplementedError

    def make(
        self,
        options: CreateOptions,
        *,
        report: Report = ...,
        cancelled: Flag | None = None,
    ) -> Base:
        """Make the base of *options*, or bring it up to date.

        The events name the directory of bases. Raises what `Engine.create` raises.
        """
        raise NotImplementedError

    def remove(self, names: Sequence[str]) -> tuple[str, ...]:
        """Remove bases. Raises UsageError for a name that is none; then none is removed."""
        raise NotImplementedError

    def prune(self, limit: int | None = None) -> Pruned:
        """Remove what killed creates left, and the bases that pass *limit*, oldest used first.

        *limit* is in bytes, None: as the settings have it.
        """
        raise NotImplementedError


class Binds(Protocol):
    """The bind entries of one chroot. Nothing is lost of what is not changed, in either file.

    What is called with changes raises ConfigError where a file has errors, UsageError for a change
    that makes no sense, ChangedError for one to an entry that says something else meanwhile,
    PolicyError for an entry that the administrator of the host does not allow.
    """

    def files(self) -> Files:
        """Return the bytes of both configuration files: what an editor of them has seen."""
        raise NotImplementedError

    def difference(self, changes: Sequence[Change]) -> tuple[str, ...]:
        """Return as lines of a unified diff what *changes* would do to the files as they are."""
        raise NotImplementedError

    def refusal(self, bind: Bind) -> Problem | None:
        """Return why the administrator of the host does not allow *bind*, None where he does."""
        raise NotImplementedError

    def merged(self, changes: Sequence[Change]) -> tuple[Bind, ...]:
        """Return the merged binds, system points among them, as they would be after *changes*."""
        raise NotImplementedError

    def change(self, change: Change) -> tuple[str, ...]:
        """Make one change in the files as they are now; return the paths of those written."""
        raise NotImplementedError

    def save(self, changes: Sequence[Change], seen: Files) -> Saved:
        """Make *changes* in both files, or in none; what is returned undoes them (`undo`).

        *seen* are the files as the caller has shown them (`files`). Raises ChangedError where a
        file is another by now: to merge, preview and save the same changes with what `files`
        returns then.
        """
        raise NotImplementedError

    def undo(self, saved: Saved) -> Saved:
        """Take back a save; what is returned makes it again. Raises ChangedError."""
        raise NotImplementedError

    def plan_sync(self, before: Sequence[Bind]) -> Plan:
        """Return what makes a chroot that is on agree with an edited configuration.

        *before* are the merged binds from before the edit: what they had mounted and is wanted
        no more is unmounted. What somebody else has mounted is left alone.
        """
        raise NotImplementedError

    def sync(
        self,
        before: Sequence[Bind],
        *,
        report: Report = ...,
        cancelled: Flag | None = None,
    ) -> Plan:
        """Do what `plan_sync` says; return what was done. Raises as `Engine.on` does."""
        raise NotImplementedError

    def complete_source(self, text: str) -> tuple[str, ...]:
        """Return the paths outside that the absolute path *text* can be the start of."""
        raise NotImplementedError

    def complete_target(self, text: str) -> tuple[str, ...]:
        """Return the paths inside that *text*, an absolute path there, can be the start of."""
        raise NotImplementedError

    def what_is_missing(self, source: str) -> str:
        """Say in a few words what is wrong with the source of a bind, "" where it is there."""
        raise NotImplementedError

    def what_is_at(self, target: str) -> str:
        """Say in a few words what is at *target* inside now. Raises UsageError for no target."""
        raise NotImplementedError

    def mount_state(self, target: str) -> str:
        """Return the state of the mount at *target*; "" for none, and where the chroot is off."""
        raise NotImplementedError


class Following(Protocol):
    """Follows the chroots under a base. Used by one thread; `wake` may be called from any."""

    def snapshot(self) -> Snapshot:
        """Look at what may have changed since the last time; return all. Raises nothing."""
        raise NotImplementedError

    def wait(self) -> None:
        """Return when something may have changed."""
        raise NotImplementedError

    def wake(self) -> None:
        """Have `wait` return at once."""
        raise NotImplementedError

    def close(self) -> None:
        """Let go of everything that is open."""
        raise NotImplementedError


class Sizes(Protocol):
    """Counts how much of the disk chroots take, and remembers it. Used by one thread."""

    def get(self, path: str, cancelled: Flag | None = None) -> Taken | None:
        """Return what it takes, counted anew where it has probably changed; None: unknown."""
        raise NotImplementedError

    def forget(self, path: str) -> None:
        """Have *path* counted the next time."""
        raise NotImplementedError
