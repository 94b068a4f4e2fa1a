"""What a file system holds: made, described attribute by attribute, and compared.

`describe` walks by descriptor, so it takes trees of any depth and any names. `everything` makes one
with all of it. Imported as `trees`, as `support` is.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import socket
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

_GETFLAGS, _SETFLAGS = 0x80086601, 0x40086602  # as on amd64 and arm64
IMMUTABLE, APPEND, NODUMP = 0x10, 0x20, 0x40
_SHOWN_FLAGS = IMMUTABLE | APPEND | NODUMP | 0x8 | 0x80  # sync, noatime
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW

Facts = dict[str, Any]
Tree = dict[str, Facts]


def describe(top: Path) -> Tree:
    """All that can be seen of what is in *top*, by path from there; "." is the top itself.

    Files that are hard links of each other say so in `links`: all their paths in the tree.
    """
    found: Tree = {}
    links: dict[tuple[int, int], list[str]] = {}
    fd = os.open(top, _DIRECTORY)
    try:
        found["."] = _facts(fd, ".")
        _walk(fd, "", found, links)
    finally:
        os.close(fd)
    for paths in links.values():
        for path in paths:
            found[path]["links"] = sorted(paths)
    return found


def _walk(fd: int, path: str, found: Tree, links: dict[tuple[int, int], list[str]]) -> None:
    for name in sorted(os.listdir(fd)):
        here = f"{path}/{name}" if path else name
        status = os.stat(name, dir_fd=fd, follow_symlinks=False)
        found[here] = _facts(fd, name)
        if stat.S_ISDIR(status.st_mode):
            below = os.open(name, _DIRECTORY, dir_fd=fd)
            try:
                _walk(below, here, found, links)
            finally:
                os.close(below)
        else:
            links.setdefault((status.st_dev, status.st_ino), []).append(here)


def _facts(fd: int, name: str) -> Facts:
    status = os.stat(name, dir_fd=fd, follow_symlinks=False)
    kind = stat.S_IFMT(status.st_mode)
    place = f"/proc/self/fd/{fd}/{name}"
    facts: Facts = {
        "kind": kind, "mode": oct(stat.S_IMODE(status.st_mode)),
        "owner": (status.st_uid, status.st_gid), "mtime": status.st_mtime_ns,
        "device": status.st_rdev if kind in (stat.S_IFCHR, stat.S_IFBLK) else 0,
        "xattrs": _xattrs(place),
    }  # fmt: skip
    if kind == stat.S_IFLNK:
        facts["to"] = os.readlink(name, dir_fd=fd)
    if kind in (stat.S_IFREG, stat.S_IFDIR):
        opened = os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=fd)
        try:
            facts["flags"] = flags(opened)
            if kind == stat.S_IFREG:
                facts |= {"size": status.st_size, "data": _data(opened, status.st_size)}
                facts["holes"] = sum(e - s for s, e in extents(opened, status.st_size))
        finally:
            os.close(opened)
    return facts


def _xattrs(place: str) -> dict[str, bytes]:
    return {
        name: os.getxattr(place, name, follow_symlinks=False)
        for name in sorted(os.listxattr(place, follow_symlinks=False))
    }


def extents(fd: int, size: int) -> Iterator[tuple[int, int]]:
    """Start and end of what is no hole."""
    place = 0
    while place < size:
        try:
            start = os.lseek(fd, place, os.SEEK_DATA)
        except OSError:
            return
        place = os.lseek(fd, start, os.SEEK_HOLE)
        yield start, place


def _data(fd: int, size: int) -> str:
    digest = hashlib.sha256()
    for start, end in extents(fd, size):
        for place in range(start, end, 1 << 20):
            block = os.pread(fd, min(1 << 20, end - place), place)
            # What is zero may be a hole in one tree and not in the other.
            if block.strip(b"\0"):
                digest.update(b"%d:" % place + block.rstrip(b"\0"))
    return digest.hexdigest()


def flags(fd: int) -> int:
    """Those flags of chattr(1) that a copy keeps."""
    with suppress(OSError):
        return int(struct.unpack("i", fcntl.ioctl(fd, _GETFLAGS, bytes(4)))[0]) & _SHOWN_FLAGS
    return 0


_sealed: list[Path] = []


def set_flags(path: Path, wanted: int) -> None:
    """Set flags of chattr(1), and take all others away that `flags` shows."""
    _sealed.append(path)
    fd = os.open(path, os.O_RDONLY)
    try:
        now = struct.unpack("i", fcntl.ioctl(fd, _GETFLAGS, bytes(4)))[0]
        fcntl.ioctl(fd, _SETFLAGS, struct.pack("i", (now & ~_SHOWN_FLAGS) | wanted) + bytes(4))
    finally:
        os.close(fd)


def unseal_after_a_test(top: Path) -> None:
    """As `unseal`, where the test has set any flags: copies of what it made have them too."""
    if _sealed:
        unseal(top)
        _sealed.clear()


def unseal(top: Path) -> None:
    """Take immutable and append-only from all in *top*, so that it can be deleted."""
    for folder, names, files in os.walk(top, followlinks=False):
        for name in (".", *names, *files):
            place = Path(folder, name)
            with suppress(OSError):  # a path may be too long, too
                if not place.is_symlink() and (place.is_dir() or place.is_file()):
                    set_flags(place, 0)


def differences(one: Path, other: Path) -> list[str]:
    """What differs between two trees, a line each; an empty list says that they are the same."""
    first, second = describe(one), describe(other)
    lines = [f"only in the first: {path!r}" for path in first.keys() - second.keys()]
    lines += [f"only in the second: {path!r}" for path in second.keys() - first.keys()]
    for path in first.keys() & second.keys():
        here, there = first[path], second[path]
        lines += [
            f"{path[:80]!r} {key}: {here.get(key)!r} is {there.get(key)!r}"
            for key in here.keys() | there.keys()
            if here.get(key) != there.get(key)
        ]
    return sorted(lines)


def everything(top: Path, *, seals: bool = True, deep: int = 300) -> None:
    """Fill the directory *top* with what file systems hold; needs root."""
    (top / "etc").mkdir()
    (top / "usr/bin").mkdir(parents=True)
    plain = top / "etc/plain"
    plain.write_text("plain\n")
    os.setxattr(plain, "user.note", b"a\0b")
    os.setxattr(plain, "trusted.secret", b"only root")
    (top / "etc/empty").touch()
    setuid = top / "usr/bin/setuid"
    setuid.write_bytes(b"\x7fELF" + bytes(range(256)) * 40)
    os.chown(setuid, 0, 12345)
    setuid.chmod(0o6755)
    capable = top / "usr/bin/capable"
    capable.write_text("ping\n")
    # struct vfs_cap_data, version 2: CAP_NET_RAW, effective
    os.setxattr(capable, "security.capability", struct.pack("<5I", 0x02000001, 1 << 13, 0, 0, 0))
    _acls(top)
    _links(top)
    _holes(top / "holes")
    _specials(top)
    strange = Path(os.fsdecode(os.fsencode(top) + b"/\xff\n\x1b[2J \xc3\x28"))
    strange.mkdir(mode=0o1777)
    strange.chmod(0o1777)
    (strange / "-rf").write_text("x")
    with descent(top, ["d" * 200] * deep if deep else []) as fd:
        os.close(os.open("bottom", os.O_CREAT | os.O_WRONLY, 0o640, dir_fd=fd))
    if seals:
        _seals(top)
    _times(top)


def access_list(*permissions: int, uid: int = 1000) -> bytes:
    """An ACL without setfacl(1): permissions of owner, *uid*, group, mask and others."""
    # struct posix_acl_xattr (linux/posix_acl_xattr.h): tags as there, ids but for the user unset
    ids = (0xFFFFFFFF, uid, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF)
    entries = zip((1, 2, 4, 16, 32), permissions, ids, strict=True)
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


def _acls(top: Path) -> None:
    (top / "acl").mkdir()
    shared = top / "acl/shared"
    shared.write_text("shared\n")
    value = access_list(6, 4, 4, 6, 0)
    os.setxattr(shared, "system.posix_acl_access", value)
    os.setxattr(top / "acl", "system.posix_acl_default", value)


def _links(top: Path) -> None:
    (top / "links").mkdir()
    os.link(top / "etc/plain", top / "links/plain")
    os.link(top / "etc/plain", top / "links/again")
    (top / "links/out").symlink_to("/etc/passwd")
    (top / "links/up").symlink_to("../../../../etc")
    (top / "links/nowhere").symlink_to("nowhere")
    os.chown(top / "links/nowhere", 7, 8, follow_symlinks=False)
    os.link(top / "links/nowhere", top / "etc/nowhere", follow_symlinks=False)


def _holes(folder: Path) -> None:
    folder.mkdir()
    for name, size, pieces in (
        ("far", (4 << 30) + 8192, (0, (4 << 30) - 1, 4 << 30)),
        ("middle", 1 << 20, (0, 1 << 19)),
        ("end", 1 << 20, (0,)),
        ("only", 3 << 20, ()),
        ("page", 4096, ()),
    ):
        with open(folder / name, "wb") as file:
            for place in pieces:
                file.seek(place)
                file.write(b"data")
            file.truncate(size)


def _specials(top: Path) -> None:
    (top / "special").mkdir()
    os.mkfifo(top / "special/fifo", 0o640)
    os.mknod(top / "special/null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    os.mknod(top / "special/disk", stat.S_IFBLK | 0o660, os.makedev(259, 65535))
    os.mknod(top / "special/whiteout", stat.S_IFCHR, 0)
    os.chown(top / "special/disk", 0, 6)
    os.link(top / "special/fifo", top / "etc/fifo")
    here = os.getcwd()
    os.chdir(top / "special")  # the path of a socket is short
    try:
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind("socket")
    finally:
        os.chdir(here)


@contextmanager
def descent(top: Path, names: list[str]) -> Iterator[int]:
    """The directory at the end of *names*, each made in the one before; any number of them."""
    here = os.open(top, _DIRECTORY)
    try:
        for name in names:
            os.mkdir(name, dir_fd=here)
            below = os.open(name, _DIRECTORY, dir_fd=here)
            os.close(here)
            here = below
        yield here
    finally:
        os.close(here)


def _seals(top: Path) -> None:
    (top / "sealed").mkdir()
    for name, wanted in (("immutable", IMMUTABLE), ("append", APPEND), ("nodump", NODUMP)):
        (top / "sealed" / name).write_text(name)
        set_flags(top / "sealed" / name, wanted)
    os.mkdir(top / "sealed/directory")
    (top / "sealed/directory/inside").write_text("inside")
    set_flags(top / "sealed/directory", IMMUTABLE)


def _times(top: Path) -> None:
    """Times of all that may be given one, in nanoseconds, from before 1970 to after 2038."""
    moment = -1_000_000_001
    for folder, names, files in os.walk(top, topdown=False):
        for name in (*files, *names):
            moment += 9_876_543_210_123
            with suppress(PermissionError, FileNotFoundError, OSError):
                os.utime(Path(folder, name), ns=(moment + 1, moment), follow_symlinks=False)


def small(root: Path) -> Path:
    """Make *root* a chroot without programs, with all that says which one it is; return it."""
    for folder in ("bin", "etc/ssh", "chroot.d", "var/lib/dbus"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    (root / "bin/sh").touch()
    (root / "etc/passwd").touch()
    (root / "etc/hostname").write_text(f"{root.name}\n")
    (root / "etc/debian_chroot").write_text(f"{root.name}\n")
    (root / "etc/hosts").write_text(f"127.0.0.1 localhost\n127.0.1.1 thehost {root.name} # own\n")
    (root / "etc/machine-id").write_text("0123456789abcdef0123456789abcdef\n")
    (root / "var/lib/dbus/machine-id").symlink_to("/etc/machine-id")
    (root / "etc/ssh/ssh_host_ed25519_key").write_text("private")
    (root / "etc/ssh/ssh_host_ed25519_key.pub").write_text("public")
    (root / "etc/ssh/sshd_config").write_text("Port 22\n")
    return root
