"""The directory that a new chroot is made in: fit for one, large enough, and made where missing."""

from __future__ import annotations

import os
import stat

from ..chroot import CONFIG_DIRECTORY, MARKER, MAY_BE_THERE, is_incomplete
from ..errors import ChrootError
from ..kernel.mount_table import MountTable
from ..kernel.rootpath import Root
from ..text import size

NEEDED = {"minbase": 350 << 20, "important": 450 << 20, "buildd": 850 << 20}
"""Bytes at the fullest moment, with room for newer suites: bookworm took 210, 300 and 590 MB."""
_INODES = 20_000
_NO_SPACE = (28, 122)  # ENOSPC, EDQUOT
_FULL = 1 << 20
"""Bytes below which nothing more can be made."""


def existing(path: str) -> str:
    """Return *path*, or the nearest directory above it that exists."""
    while not os.path.lexists(path):
        path = os.path.dirname(path)
    return path


def check_place(path: str) -> None:
    """Refuse a place that holds something else, or could hold no system. Raises ChrootError."""
    there = existing(path)
    try:
        with Root(there) as root:
            if there == path:
                check_content(root)
            check_mount(root)
    except NotADirectoryError:
        raise ChrootError(f"{there} is no directory", "choose another place") from None
    except OSError as error:
        raise ChrootError(f"{there}: {error.strerror}") from error


def check_content(root: Root) -> None:
    """Refuse a directory that holds what no unfinished create has made there."""
    from .unfinished import made_names  # which `clone` and `rename` have no need of

    ours = set(made_names(root)) | {MARKER.strip("/")} if is_incomplete(root) else set()
    fd = root.open("/", os.O_RDONLY | os.O_DIRECTORY)
    try:
        other = sorted(set(os.listdir(fd)) - ours - MAY_BE_THERE)
    finally:
        os.close(fd)
    if other:
        more = f" and {len(other) - 1} more" if len(other) > 1 else ""
        raise ChrootError(
            f"{root.path} is not empty: it holds {other[0]!r}{more}",
            "choose another place; only chroot.d/ may be there before",
        )
    config = root.stat(CONFIG_DIRECTORY, follow=False)
    if config is not None and not stat.S_ISDIR(config.st_mode):
        raise ChrootError(f"{root.path}{CONFIG_DIRECTORY} is no directory", "move it away")


def check_mount(root: Root) -> None:
    """Refuse a file system whose mount options would break the system on it."""
    flags = os.fstatvfs(root.fd).f_flag
    bad = {
        "ro": (os.ST_RDONLY, "nothing can be written"),
        "nodev": (os.ST_NODEV, "its device files do not work"),
        "noexec": (os.ST_NOEXEC, "none of its programs can run"),
        "nosuid": (os.ST_NOSUID, "su and sudo do not work"),
    }
    for option, (flag, effect) in bad.items():
        if flags & flag:
            point = mount_point(root.path)
            other = {"ro": "rw", "nodev": "dev", "noexec": "exec", "nosuid": "suid"}[option]
            raise ChrootError(
                f"{point} is mounted {option}: a chroot there is of no use, {effect}",
                f"mount -o remount,{other} {point}, or choose another place",
            )


def mount_point(path: str) -> str:
    """Return the mount point that *path* is below, or is itself."""
    table = MountTable.read()
    while path != "/" and not table.at(path):
        path = os.path.dirname(path)
    return path


def check_disk(path: str, variant: str) -> None:
    """Refuse a disk that has no room for *variant*. Raises ChrootError."""
    there = existing(path)
    disk = os.statvfs(there)
    free, needed = disk.f_bavail * disk.f_frsize, NEEDED[variant]
    if free < needed:
        raise ChrootError(
            f"not enough space for {path}: about {size(needed)} are needed, {size(free)} are free",
            f"free some on {mount_point(os.path.abspath(there))}, or choose another place",
        )
    if disk.f_files and disk.f_favail < _INODES:  # btrfs and others count none
        raise ChrootError(
            f"not enough inodes for {path}: about {_INODES} are needed, {disk.f_favail} are free",
            "delete small files there, or choose another place",
        )


def is_full(path: str) -> bool:
    """Tell whether the file system at *path* is full: wget's word for it is lost in debootstrap."""
    disk = os.statvfs(path)
    return disk.f_bavail * disk.f_frsize < _FULL or (disk.f_files > 0 and not disk.f_favail)


def make_directories(path: str) -> list[str]:
    """Make *path* and what is missing above it; return what was made, topmost first."""
    missing = []
    while not os.path.lexists(path):
        missing.append(path)
        path = os.path.dirname(path)
    made: list[str] = []
    try:
        for directory in reversed(missing):
            os.mkdir(directory)
            made.append(directory)
            os.chmod(directory, 0o755)  # whatever the umask is
    except OSError as error:
        unmake_directories(made)
        raise explained(error, directory) from error
    return made


def unmake_directories(made: list[str]) -> None:
    """Remove what `make_directories` has made, as far as it is empty."""
    for directory in reversed(made):
        try:
            os.rmdir(directory)
        except OSError:
            return  # somebody put something there meanwhile


def explained(error: OSError, path: str) -> ChrootError:
    """Return what to tell of an error of the system at or below *path*."""
    where = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else path
    hint = "free some space there, or choose another place" if error.errno in _NO_SPACE else ""
    return ChrootError(f"cannot write {where}: {error.strerror}", hint)
