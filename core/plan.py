"""A change of the world as a value: steps that can say what they are, and a plan of them.

Everything that changes something is a plan first: `--dry-run`, the UI's preview, the log and the
tests read the steps that are carried out. Which steps there are: mounts/steps.py.
"""

from __future__ import annotations

from .value import Value


class Step(Value):
    """One change of the world. `target` is a physical path inside the chroot."""

    target: str

    @property
    def kind(self) -> str:
        """What it is as one word with dashes: make-target, mount, remount …"""
        name = type(self).__name__
        return "".join(f"-{c.lower()}" if c.isupper() else c for c in name).lstrip("-")

    def describe(self) -> str:
        """Return what this does in one line, without the target's chroot."""
        raise NotImplementedError


class Plan(Value):
    """What is to be done, in order."""

    steps: tuple[Step, ...] = ()
    own: tuple[int, ...] = ()
    """Ids of mounts that are there and belong to the chroot alone: targets may be made in them.
    Nothing but tmpfs: all else (a bind, devtmpfs, a disk) the host, or somebody, sees too."""

    def __bool__(self) -> bool:
        return bool(self.steps)
