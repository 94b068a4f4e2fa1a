"""What the kernel gives to whoever asks now: its calls, mounts, devices, namespaces, privilege."""

from __future__ import annotations

import os
import signal

from ..errors import ChrootError
from ..kernel import answering, syscalls
from .check import CHROOT, HOST, Check
from .finding import note, ok, problem, warning
from .trial import attempt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from .finding import Finding
    from .subject import Subject

_NOWHERE = -1
"""No descriptor: calls that are there answer EBADF, and nothing is done."""
_HIGHEST = (1 << 31) + (1 << 30)
"""Beyond every descriptor that can be open."""
_OPTIONAL = ("listmount",)
_ENOSYS = 38
_CALLS: Mapping[str, Callable[[], object]] = {
    "openat2": lambda: syscalls.openat2(_NOWHERE, "x", os.O_PATH, 0),
    "open_tree": lambda: syscalls.open_tree(_NOWHERE, "x", 0),
    "move_mount": lambda: syscalls.move_mount(_NOWHERE, _NOWHERE, "x", "x"),
    "fsopen": lambda: syscalls.fsopen(""),
    "fsconfig": lambda: syscalls.fsconfig(_NOWHERE, syscalls.FSCONFIG_CMD_CREATE),
    "fsmount": lambda: syscalls.fsmount(_NOWHERE, 0, "x"),
    "fspick": lambda: syscalls.fspick(_NOWHERE, "x"),
    "mount_setattr": lambda: syscalls.mount_setattr(_NOWHERE, "x", set_=1),
    "close_range": lambda: syscalls.close_range(_HIGHEST, 0),
    "renameat2": lambda: syscalls.renameat2(_NOWHERE, "x", _NOWHERE, "x", 0),
    "statx": lambda: syscalls.mount_id(_NOWHERE),
    "pidfd_open": lambda: os.pidfd_open(0),
    "pidfd_send_signal": lambda: signal.pidfd_send_signal(_NOWHERE, 0),
    "listmount": syscalls.listmount,
}
"""Each call with arguments that it refuses: what is asked is whether it is there."""

_CAPABILITIES = {
    0: "chown", 1: "dac_override", 3: "fowner", 5: "kill", 6: "setgid", 7: "setuid",
    18: "sys_chroot", 19: "sys_ptrace", 21: "sys_admin", 27: "mknod",
}  # fmt: skip
"""What is used, by its bit: capabilities(7)."""
_WHOLE = ["0", "0", str((1 << 32) - 1)]
"""/proc/self/uid_map where there is no user namespace."""


def calls(
    _subject: Subject, probes: Mapping[str, Callable[[], object]] = _CALLS
) -> Iterator[Finding]:
    """Ask whether each system call that is used is there."""
    missing = [name for name, probe in probes.items() if _is_missing(probe)]
    needed = [name for name in missing if name not in _OPTIONAL]
    release = os.uname().release
    if needed:
        yield problem(
            f"Linux {release} has no {', '.join(needed)}",
            "chroots can't be mounted safely without; Linux has all of them since 5.12",
            "a newer kernel, or a container whose seccomp profile allows them",
        )
    elif missing:
        yield note(f"Linux {release} has all but {', '.join(missing)}: the UI looks at more lines")
    else:
        yield ok(f"Linux {release} has every call that is used")


def _is_missing(probe: Callable[[], object]) -> bool:
    try:
        probe()
    except OSError as error:
        return error.errno == _ENOSYS
    return False


def privilege(
    _subject: Subject, process: str = "/proc/self", user: int | None = None
) -> Iterator[Finding]:
    """Look at the user, the capabilities and the user namespace."""
    if os.geteuid() if user is None else user:
        yield problem(
            "not root", "on, off, run, create and delete need root", "sudo chroot-tool doctor"
        )
        return
    with open(f"{process}/status", encoding="utf-8", errors="replace") as file:
        bits = next((int(line.split()[1], 16) for line in file if line.startswith("CapEff:")), 0)
    lacking = [name for bit, name in _CAPABILITIES.items() if not bits >> bit & 1]
    with open(f"{process}/uid_map", encoding="ascii") as file:
        is_whole = file.read().split() == _WHOLE
    if lacking:
        yield problem(
            f"root without the capabilities {', '.join(lacking)}",
            "mounting, entering and making chroots would fail half-way",
            "outside of the container, or one with --cap-add or --privileged",
        )
    elif not is_whole:
        yield warning(
            "root of a user namespace, not of this host",
            "no device node can be made and no disk be mounted",
            "start it outside of the container",
        )
    else:
        yield ok("root, with every capability that is used")


def mounting(_subject: Subject) -> Iterable[Finding]:
    """Try a new file system, a read-only bind and an unmount."""
    return _tried(
        "mounting",
        "a tmpfs, a read-only bind and an unmount work",
        "on and run would fail",
        "a security module or the container forbids it: start it outside",
    )


def devices(_subject: Subject) -> Iterable[Finding]:
    """Try a /dev as chroots get it."""
    return _tried(
        "devices",
        "a /dev with its nodes works",
        "a chroot has no /dev/null that works, so that apt and most else fails inside",
        "outside of the container, or one that allows mknod and these devices",
    )


def overlay(subject: Subject) -> Iterable[Finding]:
    """Try an overlay over the chroot, or over the directory of the chroots."""
    is_there = answering.look(subject.place, lambda: os.path.isdir(subject.place))
    place = subject.place if is_there else "/"
    return _tried(
        "overlay",
        "an overlay works here: throw-away sessions can be had",
        "run -x and shell -x would fail; all else works",
        "modprobe overlay, or keep the chroots on ext4, xfs or btrfs",
        place,
        severe=False,
    )


def namespaces(_subject: Subject) -> Iterable[Finding]:
    """Try the namespaces that making chroots and throw-away sessions use."""
    return _tried(
        "namespaces",
        "mount, pid, uts and ipc namespaces can be had",
        "create and throw-away sessions work in them, and would fail",
        "outside of the container; see also sysctl user.max_mnt_namespaces",
    )


def _tried(
    name: str, fine: str, meaning: str, mend: str, path: str = "/", *, severe: bool = True
) -> Iterator[Finding]:
    if os.geteuid():
        yield note("only root can try it", "", "sudo chroot-tool doctor")
        return
    try:
        refused = attempt(name, path)
    except ChrootError as error:
        refused = (error.message,)
    if refused:
        yield (problem if severe else warning)("; ".join(refused), meaning, mend)
    else:
        yield ok(fine)


_BOTH = (HOST, CHROOT)
CHECKS = (
    Check("kernel", "whether the system calls that are used are there", calls, _BOTH),
    Check("privilege", "root, its capabilities, a user namespace", privilege, _BOTH),
    Check("mounting", "a new file system, a read-only bind, an unmount: tried", mounting, _BOTH),
    Check("devices", "a `/dev` with its nodes, as chroots get it: tried", devices, _BOTH),
    Check("namespaces", "mount, pid, uts and ipc namespaces: tried", namespaces, (HOST,)),
    Check("overlay", "an overlay over the directory, for throw-away sessions: tried", overlay,
          _BOTH),
)  # fmt: skip
