"""What is known of a process, as values: what is shown of it, and what it holds."""

from __future__ import annotations

from .value import Value


class Process(Value):
    """What is shown of a process."""

    pid: int
    user: str
    """The name of its real user id on the host: the same number may have another name inside."""
    command: str
    """Its arguments joined by spaces, `[name]` where it has none. Foreign text, unsafe as is."""
    cpu_percent: float
    """Of one core: 250.0 is two and a half."""
    rss: int
    """Resident memory, bytes."""
    started: float
    """Seconds since the epoch."""
    read_rate: float = 0.0
    """Bytes a second that it has had fetched from disks; 0 where the kernel does not tell."""
    write_rate: float = 0.0
    """Bytes a second that it has had written to disks."""
    parent: int = 0
    """The pid of the process that started it, or took it over; it may live elsewhere."""


class Holder(Value):
    """A process that uses a chroot or its mounts, and by what."""

    pid: int
    user: str
    command: str
    """As `Process.command`: foreign text."""
    holds: tuple[str, ...]
    """`root /`, `cwd /srv/x/tmp`, `exe …`, `fd 3 …`, `map …`, `socket …`, `mount namespace`."""
    started: float = 0.0
    """As `Process.started`: tells the process from a later one with the same pid."""
    blocks: bool = True
    """False where all it has is a copy of the mounts in another mount namespace, as services of
    systemd have that were started after `on`. Unmounting here works all the same; what was
    mounted stays in use there. Such a process is not to be ended for it."""


class OpenFile(Value):
    """Something that a process has open."""

    pid: int
    name: str
    """The number of its descriptor; `cwd`, `root` or `exe`."""
    kind: str
    """`file`, `device`, `pipe`, `socket`, `tcp`, `udp`, `unix`, `memory`, or `other`."""
    what: str
    """The path, as it is called inside where it lies there; of a socket, its addresses. Foreign."""


class Listener(Value):
    """A process that waits for others to connect, or to send: what a service is to the network."""

    protocol: str
    """`tcp` or `udp`."""
    address: str
    """`0.0.0.0:22` is every address of IPv4, `[::]:22` every one."""
    pid: int
    command: str
    """As `Process.command`: foreign text."""
