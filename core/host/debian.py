"""Which Debian this host is, for which kind of machine, and in which time zone."""

from __future__ import annotations

import os

from .. import programs

ZONEINFO = "/usr/share/zoneinfo"

QEMU = {
    "amd64": "x86_64", "i386": "i386", "arm64": "aarch64", "armhf": "arm", "armel": "arm",
    "riscv64": "riscv64", "ppc64el": "ppc64le", "s390x": "s390x", "loong64": "loongarch64",
    "mips64el": "mips64el", "mipsel": "mipsel", "alpha": "alpha", "hppa": "hppa", "m68k": "m68k",
    "powerpc": "ppc", "ppc64": "ppc64", "sh4": "sh4", "sparc64": "sparc64",
}  # fmt: skip
"""Debian's architectures, and what qemu calls them (its README.Debian)."""

_ZONE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_/+-")


def suite(path: str = "/etc/os-release") -> str:
    """Return the code name of this host's Debian, "" where it is none (os-release(5))."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            pairs = [line.strip().partition("=") for line in file]
    except OSError:
        return ""
    release = {key: value.strip("\"'") for key, _, value in pairs}
    return release.get("VERSION_CODENAME", "") if release.get("ID") == "debian" else ""


def architecture() -> str:
    """Return the host's architecture in Debian's words."""
    if programs.find("dpkg"):
        return programs.output(["dpkg", "--print-architecture"])
    machine = os.uname().machine
    return next((arch for arch, qemu in QEMU.items() if qemu == machine), machine)


def timezone(link: str = "/etc/localtime", path: str = "/etc/timezone") -> str:
    """Return the host's time zone, `Etc/UTC` where it has none that has a name."""
    try:
        name = os.readlink(link).partition("/zoneinfo/")[2]
    except OSError:
        name = ""
    if not name:
        try:
            with open(path, encoding="utf-8") as file:
                name = file.read().strip()
        except (OSError, UnicodeDecodeError):
            name = ""
    return name if can_name_a_timezone(name) and has_timezone(name) else "Etc/UTC"


def timezones() -> tuple[str, ...]:
    """Return the host's time zones by name (zone1970.tab's third column), () without tzdata."""
    try:
        with open(f"{ZONEINFO}/zone1970.tab", encoding="utf-8") as file:
            rows = [line.split("\t") for line in file if line[0] != "#"]
    except OSError:
        return ()
    return tuple(sorted({"Etc/UTC", *(row[2].strip() for row in rows if len(row) > 2)}))


def can_name_a_timezone(name: str) -> bool:
    """Tell whether *name* has the form of a time zone's name."""
    return _ZONE.issuperset(name) and "" not in name.split("/")


def has_timezone(name: str) -> bool:
    """Tell whether the host has this time zone; without tzdata it has any (tzfile(5))."""
    if not os.path.isdir(ZONEINFO):
        return True
    try:
        with open(f"{ZONEINFO}/{name}", "rb") as file:
            return file.read(4) == b"TZif"
    except OSError:
        return False
