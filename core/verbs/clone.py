"""`clone`: a second chroot that is as the first, without its mounts, under a name of its own."""

from __future__ import annotations

from ..chroot import open_chroot
from ..events import ignore
from ..lock import Lock
from .opened import is_used, refuse_unfinished

TYPE_CHECKING = False
if TYPE_CHECKING:
    from threading import Event as Flag

    from ..events import Report
    from ..trees.duplicate import Cloned


def clone(
    path: str,
    new: str,
    *,
    exact: bool = False,
    report: Report = ignore,
    cancelled: Flag | None = None,
) -> Cloned:
    """As `Engine.clone`."""
    from ..creating.cloning import Cloning

    with open_chroot(path) as root, Lock(root.path, shared=True):
        refuse_unfinished(root)
        return Cloning(root, new, lambda: is_used(root), report, cancelled).run(exact=exact)
