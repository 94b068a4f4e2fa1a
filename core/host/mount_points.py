"""What the system points of every chroot depend on: the host's journal and its resolv.conf."""

from __future__ import annotations

import os

from ..kernel import answering
from ..kernel.answering import NotAnswering
from ..value import Value

RESOLV_CONF = "/etc/resolv.conf"


class HostFacts(Value):
    """What the system points depend on: one host, the same for all of its chroots."""

    journal: bool
    """Whether /run/systemd/journal is there."""
    resolv: str
    """Physical path of the host's resolv.conf, empty where there is none.

    As it is called where it lies on a file system that is not answering.
    """


def host_facts() -> HostFacts:
    """Look at the host: two paths, no more."""
    try:
        if _leads_far():
            resolv = answering.look(RESOLV_CONF, _resolv, seconds=answering.LOOK)
        else:
            resolv = _resolv()
    except NotAnswering:
        resolv = RESOLV_CONF  # who wants to bind it is told
    except OSError:
        resolv = ""
    return HostFacts(os.path.isdir("/run/systemd/journal"), resolv)


def _leads_far() -> bool:
    """Tell whether it is a link to anywhere but /run: only on the way there can anybody be asked.

    On most hosts it is not, and the mount table need not be looked at.
    """
    try:
        link = os.readlink(RESOLV_CONF)
    except OSError:
        return False  # no link: to open it as a path asks nobody
    return not os.path.normpath(f"/etc/{link}" if link[:1] != "/" else link).startswith("/run/")


def _resolv() -> str:
    fd = os.open(RESOLV_CONF, os.O_PATH | os.O_CLOEXEC)  # mostly a link into /run
    try:
        return os.readlink(f"/proc/self/fd/{fd}")
    finally:
        os.close(fd)
