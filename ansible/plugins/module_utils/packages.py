"""Debian packages inside a chroot: which of those wanted are missing, and how they get there."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .command_line import CommandLine, Failed

_NAME = re.compile(r"([a-z0-9][a-z0-9+.-]+)(?::([a-z0-9-]+))?(?:=([A-Za-z0-9.+:~-]+))?\Z")
"""NAME[:ARCHITECTURE][=VERSION], deb-control(5)."""
_QUERY = [
    "/usr/bin/dpkg-query", "--show",
    "--showformat=${db:Status-Abbrev}\\t${Package}\\t${Architecture}\\t${Version}\\t${Provides}\\n",
]  # fmt: skip
_QUIET = ("DEBIAN_FRONTEND=noninteractive", "DEBIAN_PRIORITY=critical", "LC_ALL=C.UTF-8")


def check(names: Iterable[str]) -> None:
    """Raise Failed for a name that is none: apt would take it for an option or a pattern."""
    for name in names:
        if not _NAME.match(name):
            raise Failed(
                f"{name!r} is no package: NAME, NAME:ARCHITECTURE or NAME=VERSION is expected"
            )


def missing(tool: CommandLine, names: list[str], *, is_on: bool) -> list[str]:
    """Return those of *names* that are not installed. Changes nothing. Raises Failed."""
    done = tool.inside(_QUERY, is_on=is_on)
    if done.rc != 0:
        why = done.stderr.strip().splitlines()[-1:] or [f"dpkg-query: code {done.rc}"]
        raise Failed(f"the packages of {tool.path} cannot be read: {why[0]}")
    there = _installed(done.stdout)
    return [name for name in dict.fromkeys(names) if name not in there]


class _Installed:
    """What dpkg knows to be installed."""

    def __init__(self) -> None:
        self.versions: dict[tuple[str, str], str] = {}
        self.provided: set[str] = set()

    def __contains__(self, name: str) -> bool:
        match = _NAME.match(name)
        assert match is not None, "checked before"
        package, arch, version = match.groups()
        found = [
            its_version
            for (its_name, its_arch), its_version in self.versions.items()
            if its_name == package and arch in (None, its_arch, "any")
        ]
        if version:
            return version in found
        return bool(found) or (arch is None and package in self.provided)


def _installed(listing: str) -> _Installed:
    there = _Installed()
    for line in listing.splitlines():
        status, package, arch, version, provides = line.split("\t")
        if status[1:2] == "i":  # installed now, whatever is wanted of it
            there.versions[package, arch] = version
            there.provided |= {word.split()[0] for word in provides.split(",") if word.strip()}
    return there


def install(tool: CommandLine, names: list[str], *, update: bool, recommends: bool) -> None:
    """Install *names* by apt-get; the chroot is switched on for it. Raises Failed."""
    if update:
        _apt(tool, "update")
    recommended = "--install-recommends" if recommends else "--no-install-recommends"
    keep = ["--option=Dpkg::Options::=--force-confdef", "--option=Dpkg::Options::=--force-confold"]
    _apt(tool, "install", "--yes", recommended, *keep, "--", *names)


def _apt(tool: CommandLine, *words: str) -> None:
    argv = ["/usr/bin/apt-get", "--quiet", "--option=DPkg::Lock::Timeout=300", *words]
    done = tool.inside(argv, is_on=True, env=_QUIET)
    if done.rc != 0:
        said = [line for line in done.stderr.splitlines() if line.startswith("E: ")]
        reason = "; ".join(said) or f"code {done.rc}"
        raise Failed(
            f"apt-get {words[0]} in {tool.path} failed: {reason}",
            stdout=done.stdout, stderr=done.stderr,
        )  # fmt: skip
