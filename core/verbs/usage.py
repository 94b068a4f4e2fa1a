"""What takes the disk of a chroot, folder by folder."""

from __future__ import annotations

from ..chroot import open_chroot, refuse_silent
from ..events import ignore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from threading import Event as Flag

    from ..events import Report
    from ..trees.usage import Usage


def usage(
    path: str, folder: str = "", *, report: Report = ignore, cancelled: Flag | None = None
) -> tuple[Usage, ...]:
    """As `Engine.usage`."""
    from ..trees.usage import usage as count

    refuse_silent(path)
    with open_chroot(path) as root:
        return count(root, folder, report, cancelled)
