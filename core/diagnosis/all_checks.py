"""Every check, in the order in which they are listed: first what all else stands on."""

from __future__ import annotations

from . import (
    bind_entries,
    clock,
    creating,
    disk,
    foreign_architectures,
    inside,
    kernel,
    leftovers,
    mounts,
    network,
    other_tools,
    terminal,
)
from .check import CHROOT, HOST

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .check import Check

CHECKS: tuple[Check, ...] = (
    *kernel.CHECKS,
    *disk.CHECKS,
    *foreign_architectures.CHECKS,
    *inside.CHECKS,
    *bind_entries.CHECKS,
    *mounts.CHECKS,
    *other_tools.CHECKS,
    *network.CHECKS,
    *creating.CHECKS,
    *clock.CHECKS,
    *terminal.CHECKS,
    *leftovers.CHECKS,
)


def checks_of(path: str) -> tuple[Check, ...]:
    """Return the checks of a chroot, or those of this host where *path* is ""."""
    kind = CHROOT if path else HOST
    return tuple(check for check in CHECKS if kind in check.of)
