"""Where chroots lie that other tools know: base directories that one can look at as well.

systemd-nspawn has its machines in one directory (machinectl(1), "Files and Directories"); schroot's
configuration names each directory by itself (schroot.conf(5), `directory`), so their parents are
meant.
"""

from __future__ import annotations

import os

from ..chroot import find
from ..config.schroot_files import ROOT as SCHROOT
from ..config.schroot_files import read
from ..errors import ChrootError
from ..kernel import answering
from ..kernel.mount_table import MountTable
from ..value import Value

MACHINES = "/var/lib/machines"


class OtherBase(Value):
    """A directory that holds chroots of another tool."""

    path: str
    of: str
    """The tool."""
    names: tuple[str, ...]
    """What lies in it and is a chroot to us, too."""


def other_bases(machines: str = MACHINES, schroot: str = SCHROOT) -> tuple[OtherBase, ...]:
    """Return the directories that hold at least one chroot, each once. Raises nothing."""
    found = []
    table = MountTable.read()
    of = {machines: "systemd-nspawn"}
    for directory in _of_schroot(schroot):
        of.setdefault(os.path.dirname(directory.rstrip("/")) or "/", "schroot")
    for path, tool in of.items():
        try:
            names = tuple(one.name for one in find(path, table))
        except ChrootError:
            continue  # it may not be opened, or does not answer: it is no place to begin
        if names:
            found.append(OtherBase(path, tool, names))
    return tuple(found)


def _of_schroot(configuration: str) -> tuple[str, ...]:
    """Return the directories that schroot's configuration names."""
    try:
        found = answering.look(
            configuration, lambda: read(configuration, strict=False), seconds=answering.LOOK
        )
    except (OSError, ChrootError):
        return ()
    return tuple(one.directory for one in found if one.directory)
