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
        resolv = answering.look(RESOLV_CONF, _resolv, seconds=answering.LOOK)
    except NotAnswering:
        resolv = RESOLV_CONF  # who wants to bind it is told
    except OSError:
        resolv = ""
    return HostFacts(os.path.isdir("/run/systemd/journal"), resolv)


def _resolv() -> str:
    fd = os.open(RESOLV_CONF, os.O_PATH | os.O_CLOEXEC)  # mostly a link into /run
    try:
        return os.readlink(f"/proc/self/fd/{fd}")
    finally:
        os.close(fd)
