"""`export`: what makes another tool use a chroot."""

from __future__ import annotations

from ..chroot import open_chroot
from ..config import exported
from ..errors import UsageError
from .status import config as config_of
from .status import status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def export(
    path: str, tool: str, *, fstab: bool = False, users: Sequence[str] = (), called: str = ""
) -> str:
    """As `Engine.export`."""
    from ..host.mount_points import RESOLV_CONF
    from ..looking.status_reader import release

    found, config = status(path), config_of(path)
    if tool == "nspawn":
        return exported.nspawn(found.name, found.path, config, called)
    if tool == "schroot" and not fstab:
        return exported.schroot(found.name, found.path, config, users, called)
    with open_chroot(path) as root:
        has_resolv = root.stat(RESOLV_CONF) is not None
        suite = release(root, "VERSION_CODENAME")
    if tool == "schroot":
        return exported.schroot_fstab(config, resolv=has_resolv)
    if tool == "sbuild":
        return exported.sbuild(
            found.name, found.path, config, suite, found.architecture, users, called
        )
    raise UsageError(f"nothing is exported for {tool!r}", "schroot, sbuild or nspawn")
