"""The mounts that every chroot gets: /proc, /sys, a /dev and /dev/pts of its own, /run, /tmp."""

from __future__ import annotations

from ..host.mount_points import RESOLV_CONF
from .bind import Bind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..host.mount_points import HostFacts
    from .chroot_toml_values import SystemSettings

_PROC, _SYS = Bind("/proc", "/proc"), Bind("/sys", "/sys")
_DEV = Bind("/dev", "none", "tmpfs", ("nosuid", "mode=0755"), nodes=True)
_HOST_DEV = Bind("/dev", "devtmpfs", "devtmpfs", ("nosuid",))
_TERMINALS = ("nosuid", "noexec", "ptmxmode=0666", "mode=0620", "gid=5")
_EMPTY = (
    Bind("/dev/pts", "devpts", "devpts", _TERMINALS),
    Bind("/dev/shm", "none", "tmpfs", ("nosuid", "nodev")),
    Bind("/run", "none", "tmpfs", ("nosuid", "nodev", "noexec", "mode=0755")),
    Bind("/tmp", "none", "tmpfs", ("nosuid", "nodev", "mode=1777")),
)
_JOURNAL = Bind("/run/systemd/journal", "/run/systemd/journal")


def system_points(settings: SystemSettings, host: HostFacts) -> tuple[Bind, ...]:
    """Return the mounts that every chroot gets, unless a file replaces or ignores them.

    /dev and /dev/pts are never the host's own by default: there is one devtmpfs for the whole
    kernel, so that `rm` inside would hit the host's nodes, and unmounting a shared /dev/pts has
    cut people off from their machine. /tmp is not noexec because apt runs scripts there.
    """
    dev = _HOST_DEV.replace(line=settings.dev_line) if settings.dev == "host" else _DEV
    points = [_PROC, _SYS, dev, *_EMPTY]
    if host.journal:
        points.append(_JOURNAL)
    if settings.resolv != "off":
        points.append(_resolv(settings.resolv, host.resolv))
    return tuple(points)


def system_targets() -> frozenset[str]:
    """Return where the system's points are, whatever is configured of them."""
    points = (_PROC, _SYS, _DEV, *_EMPTY, _JOURNAL)
    return frozenset((*(point.target for point in points), RESOLV_CONF))


def _resolv(setting: str, path: str) -> Bind:
    if setting == "copy":
        return Bind(RESOLV_CONF, path or RESOLV_CONF, "copy", optional=not path)
    return Bind(RESOLV_CONF, path or RESOLV_CONF, options=("ro",), optional=not path)
