"""The file system below: what it is, how it is mounted, how much room there is."""

from __future__ import annotations

import os

from ..creating.directory import check_disk, existing, mount_point
from ..errors import ChrootError
from ..kernel import answering
from ..kernel.mount_table import MountTable
from ..mounts.compare import OPPOSITES
from ..mounts.sources import flags_of
from ..text import size
from .check import CHROOT, HOST, Check
from .finding import note, ok, problem, warning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .finding import Finding
    from .subject import Subject

_HARM = {
    "nosuid": "su, sudo and the like can't work inside",
    "nodev": "device files on it can't be used inside",
    "noexec": "no program inside can be run",
    "ro": "nothing inside can be written",
}
_FATAL = ("noexec", "ro")
_ON = {flag: word for word, flag in OPPOSITES.items()}
_NETWORK = ("nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "afs")
_NO_OWNERS = ("vfat", "exfat", "msdos", "ntfs", "ntfs3", "fuseblk")
_KINDS = {
    "overlay": (
        "throw-away sessions may not work on it, and a container's own is gone with it",
        "keep the chroots in a volume of the container, or on a disk",
    ),
    "tmpfs": ("what is in it is gone when the machine restarts", "keep the chroots on a disk"),
}
_LITTLE, _LEAST = 200 << 20, 1 << 20
_FEW, _FEWEST = 2000, 10


def file_system(subject: Subject) -> Iterator[Finding]:
    """Look at the kind of the file system below, and at how it is mounted."""
    place, present = answering.look(subject.place, lambda: _mounted(subject.place))
    point = mount_point(place)
    entries = MountTable.read().at(point)
    kind = entries[-1].fs if entries else ""
    flags = [flag for flag in present if flag in _HARM]
    for flag in flags:
        # create refuses every one of them; what is there already can live with some.
        severe = not subject.path or flag in _FATAL
        yield (problem if severe else warning)(
            f"{point} is mounted {flag}",
            _HARM[flag],
            f"mount -o remount,{_ON[flag]} {point}, or keep chroots elsewhere",
        )
    strange = unfit(kind, point)
    if strange:
        yield strange
    elif not flags:
        yield ok(f"{place} is on {point}{f' ({kind})' if kind else ''}, mounted as it should be")


def _mounted(path: str) -> tuple[str, tuple[str, ...]]:
    """Return what of *path* is there, and the flags of the mount that it is on."""
    place = existing(os.path.abspath(path))
    fd = os.open(place, os.O_PATH | os.O_CLOEXEC)
    try:
        return place, flags_of(fd)
    finally:
        os.close(fd)


def unfit(kind: str, point: str) -> Finding | None:
    """Return what is to be said of a file system of this kind as the place of chroots."""
    if kind in _NO_OWNERS:
        return problem(
            f"{point} is {kind}",
            "it has no owners, modes and links: no system can live on it",
            "keep chroots on ext4, xfs or btrfs",
        )
    if kind in _NETWORK or kind.startswith("fuse."):
        return warning(
            f"{point} is {kind}",
            "root may not be root there (root_squash), device nodes and locks may not work, and "
            "all hangs where its server does",
            "keep chroots on a disk of this host",
        )
    if kind in _KINDS:
        return note(f"{point} is {kind}", *_KINDS[kind])
    return None


def space(subject: Subject) -> Iterator[Finding]:
    """Look at the room there is, and at the inodes."""
    place, disk = answering.look(subject.place, lambda: _room(subject.place))
    free = disk.f_bavail * disk.f_frsize
    inodes = disk.f_favail if disk.f_files else None  # btrfs and others count none
    if not subject.path:
        try:
            check_disk(place, "minbase")
        except ChrootError as error:
            yield problem(error.message, "create would refuse to begin", error.hint)
            return
    elif free < _LITTLE or (inodes is not None and inodes < _FEW):
        yield _scarce(free, inodes, mount_point(place))
        return
    yield ok(f"{size(free)} free, {'as many' if inodes is None else inodes} files can be made")


def _room(path: str) -> tuple[str, os.statvfs_result]:
    place = existing(os.path.abspath(path))
    return place, os.statvfs(place)


def _scarce(free: int, inodes: int | None, point: str) -> Finding:
    severe = free < _LEAST or (inodes is not None and inodes < _FEWEST)
    room = "" if inodes is None else f" and {inodes} inodes"
    return (problem if severe else warning)(
        f"{size(free)}{room} are free on {point}",
        "apt, and whatever writes inside, fails half-way" if severe else "an upgrade may not fit",
        f"free some: du -xh -d1 {point} shows where it is; chroot-tool base prune",
    )


_BOTH = (HOST, CHROOT)
CHECKS = (
    Check("file-system", "the kind of the file system below (overlay, NFS, FAT …), and whether "
          "it is mounted nosuid, nodev, noexec or read-only", file_system, _BOTH),
    Check("space", "room and inodes there", space, _BOTH),
)  # fmt: skip
