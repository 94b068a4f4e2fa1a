"""What systemd is to do with chroots at boot: the names of its units, and what is enabled.

That a chroot is enabled is what a link says that `systemctl enable` makes, and nothing else: it is
looked at anew each time. Where there is no systemd there is no such link.
"""

from __future__ import annotations

import os

from ..errors import ChrootError

ROOT = ""
"""What stands before every path here: only tests have another than ""."""
UNITS = "/etc/systemd/system"
"""Where an administrator's units are, and the links that enable any: systemd.unit(5)."""
VENDORS = ("/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system")
"""Where a package puts its units."""
TARGET = "chroot-tool.target"
SERVICE = "chroot-tool@.service"
PROGRAM = "/usr/bin/chroot-tool"
"""What the units start as they stand in `units/`."""
_LONGEST = 255
_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:_.")


def directories() -> tuple[str, ...]:
    """Return the directories in which something changes when a chroot is enabled or disabled."""
    return (ROOT + UNITS, f"{ROOT}{UNITS}/{TARGET}.wants")


def unit(path: str) -> str:
    """Return the name of the unit of the chroot at *path*, a physical path.

    It is what `systemd-escape --path --template=chroot-tool@.service` says. Raises ChrootError
    where that is too long for systemd.
    """
    name = _unit(path)
    if len(name) > _LONGEST:
        raise ChrootError(
            f"{path} is too long a path for a unit of systemd", "move it, or use a bind mount"
        )
    return name


def _unit(path: str) -> str:
    parts = [part for part in os.fsencode(path).split(b"/") if part]
    return f"chroot-tool@{'-'.join(_escaped(part, not i) for i, part in enumerate(parts))}.service"


def _escaped(part: bytes, is_first: bool) -> str:
    return "".join(
        chr(byte) if byte in _PLAIN and not (is_first and not at and byte == 0x2E)
        else f"\\x{byte:02x}"
        for at, byte in enumerate(part)
    )  # fmt: skip


def enabled() -> frozenset[str]:
    """Return the names of all units that are started at boot with the target."""
    try:
        return frozenset(os.listdir(directories()[1]))
    except OSError:
        return frozenset()


def is_enabled(path: str, units: frozenset[str] | None = None) -> bool:
    """Tell whether the chroot at *path*, a physical path, is switched on at boot.

    *units* is what `enabled` has returned, where it is asked of many chroots.
    """
    units = enabled() if units is None else units
    return bool(units) and _unit(path) in units


def is_running() -> bool:
    """Tell whether systemd has booted this system, as sd_booted(3) does."""
    return not ROOT and os.path.isdir("/run/systemd/system")
