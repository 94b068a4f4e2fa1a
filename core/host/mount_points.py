"""What the system points of every chroot depend on: the host's journal and its resolv.conf."""

from __future__ import annotations

import os

from ..value import Value

RESOLV_CONF = "/etc/resolv.conf"


class HostFacts(Value):
    """What the system points depend on: one host, the same for all of its chroots."""

    journal: bool
    """Whether /run/systemd/journal is there."""
    resolv: str
    """Physical path of the host's resolv.conf, empty where there is none."""


def host_facts() -> HostFacts:
    """Look at the host: two paths, no more."""
    resolv = ""
    try:
        fd = os.open(RESOLV_CONF, os.O_PATH | os.O_CLOEXEC)  # mostly a link into /run
        resolv = os.readlink(f"/proc/self/fd/{fd}")
        os.close(fd)
    except OSError:
        pass
    return HostFacts(os.path.isdir("/run/systemd/journal"), resolv)
