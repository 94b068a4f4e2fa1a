"""Other tools that have a chroot's tree mounted, or run something in it."""

from __future__ import annotations

import os

from ..kernel.process_files import head
from ..mounts.sources import Sources
from .check import CHROOT, Check
from .finding import ok, warning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..kernel.mount_table import MountEntry
    from .finding import Finding
    from .subject import Seen, Subject

_MACHINES = "/run/systemd/machines"
_LONGEST = 1 << 16
_TOOLS = (
    ("/run/schroot/", "schroot", "schroot --end-session -c {name}"),
    ("/var/run/schroot/", "schroot", "schroot --end-session -c {name}"),
    ("/var/lib/schroot/", "schroot", "schroot --end-session -c {name}"),
    ("/run/systemd/nspawn/", "systemd-nspawn", "machinectl terminate {name}"),
    ("/var/lib/docker/", "docker", "end its container"),
    ("/var/lib/containers/", "podman", "end its container"),
)
"""Below which directory each tool mounts, and what takes its mounts away."""
_RUNNERS = (
    "systemd-nspawn", "bwrap", "schroot", "conmon", "containerd-shim", "lxc-start", "unshare",
)  # fmt: skip
"""What programs that run something in mounts of its own are called, in their first 15 letters."""
_GENERATIONS = 8


def other_tools(subject: Subject, machines: str = _MACHINES) -> Iterator[Finding]:
    """Look for schroot, nspawn and others that have the same tree mounted or running."""
    seen = subject.seen
    found = False
    for entry in _elsewhere(seen):
        found = True
        tool, mend = tool_at(entry.target)
        yield warning(
            f"{tool} has it mounted at {entry.target}",
            "it works in the same tree; delete and restore would take it from under its feet",
            mend,
        )
    for name in _machines(seen.root, machines):
        found = True
        yield warning(
            f"systemd-nspawn runs it as {name}",
            "two that switch services and mounts in one tree get in each other's way",
            f"machinectl terminate {name}",
        )
    for pid, runner in _namespaces(seen.root):
        found = True
        yield warning(
            f"{runner} runs process {pid} in it, in mounts of its own",
            "off can't take those away; delete and restore wait for it",
            f"end it: kill {pid}",
        )
    if not found:
        yield ok("no other tool has it mounted or runs it")


def _elsewhere(seen: Seen) -> list[MountEntry]:
    """Return the mounts of this very tree that are not in it."""
    try:
        own = Sources(seen.table).source(seen.root)
    except OSError:
        return []
    return [
        entry
        for entry in seen.table.entries
        if entry.root == own.root != "/"
        and entry.device == own.device
        and not f"{entry.target}/".startswith(f"{seen.root}/")
    ]


def tool_at(target: str) -> tuple[str, str]:
    """Return which tool mounts at *target*, and what takes that away."""
    for below, tool, mend in _TOOLS:
        if target.startswith(below):
            return tool, mend.format(name=os.path.basename(target))
    return "somebody", f"umount {target}"


def _machines(root: str, directory: str) -> Iterator[str]:
    """Return the names of the machines that run in *root*: files of systemd-machined, machine.c."""
    try:
        names = sorted(os.listdir(directory))
    except OSError:
        return
    for name in names:
        try:
            with open(f"{directory}/{name}", "rb") as file:
                lines = os.fsdecode(file.read(_LONGEST)).splitlines()
        except OSError:
            continue
        if f"ROOT={root}" in lines:
            yield name


def _namespaces(root: str) -> Iterator[tuple[int, str]]:
    """Return a process for each other mount namespace whose root is *root*, and who runs it."""
    from ..processes.residents import pids_by_root

    there = os.stat(root)
    own = os.stat("/proc/self/ns/mnt")
    found: dict[int, int] = {}
    for pid in pids_by_root({root: (there.st_dev, there.st_ino)})[root]:
        try:
            namespace = os.stat(f"/proc/{pid}/ns/mnt").st_ino
        except OSError:
            continue  # it has ended
        if namespace != own.st_ino:
            found.setdefault(namespace, pid)
    for pid in found.values():
        yield pid, _runner(pid)


def _runner(pid: int) -> str:
    """Return the name of the program that has started a process with what it sees."""
    for _ in range(_GENERATIONS):
        if not pid:
            break
        name = os.fsdecode(head(f"/proc/{pid}/comm").strip())
        found = next((one for one in _RUNNERS if name == one[:15]), "")
        if found:
            return found
        parent = head(f"/proc/{pid}/status").partition(b"\nPPid:\t")[2][:10].split(b"\n")[0]
        pid = int(parent) if parent.isdigit() else 0
    return "somebody"


CHECKS = (
    Check("other-tools", "schroot, systemd-nspawn and others with the same tree, and what runs in "
          "it in mounts of its own", other_tools,
          (CHROOT,)),
)  # fmt: skip
