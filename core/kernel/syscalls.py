"""The only foreign functions of the project: one per system call, under the kernel's own names.

Each raises OSError with errno and the path it was about. glibc has wrappers for these calls only
since 2.36, so they go through syscall(2); the numbers from 424 up are the same on every
architecture that Debian has (asm-generic/unistd.h). `umount2` is as old as glibc.

`_ctypes` is what the module `ctypes` is made of; that module makes types for all of C, which is an
eighth of a short command.
"""

from __future__ import annotations

import os
import struct
import sys
from _ctypes import (
    FUNCFLAG_CDECL,
    FUNCFLAG_USE_ERRNO,
    CFuncPtr,
    _SimpleCData,
    dlopen,
    get_errno,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    _Simple = _SimpleCData[Any]
else:
    _Simple = _SimpleCData

# linux/fcntl.h, linux/openat2.h, linux/mount.h
AT_FDCWD = -100
AT_EMPTY_PATH = 0x1000
AT_RECURSIVE = 0x8000
AT_SYMLINK_NOFOLLOW = 0x100
AT_NO_AUTOMOUNT = 0x800
AT_STATX_DONT_SYNC = 0x4000
RESOLVE_NO_XDEV = 0x01
RESOLVE_NO_MAGICLINKS = 0x02
RESOLVE_NO_SYMLINKS = 0x04
RESOLVE_IN_ROOT = 0x10
OPEN_TREE_CLONE = 1
MOVE_MOUNT_F_EMPTY_PATH = 0x04
MOVE_MOUNT_T_EMPTY_PATH = 0x40
FSOPEN_CLOEXEC = 1
FSMOUNT_CLOEXEC = 1
FSPICK_CLOEXEC = 1
FSPICK_EMPTY_PATH = 8
FSCONFIG_SET_FLAG = 0
FSCONFIG_SET_STRING = 1
FSCONFIG_CMD_CREATE = 6
FSCONFIG_CMD_RECONFIGURE = 7
MOUNT_ATTR_RDONLY = 0x01
MOUNT_ATTR_NOSUID = 0x02
MOUNT_ATTR_NODEV = 0x04
MOUNT_ATTR_NOEXEC = 0x08
MOUNT_ATTR__ATIME = 0x70
MOUNT_ATTR_NOATIME = 0x10
MOUNT_ATTR_STRICTATIME = 0x20
MOUNT_ATTR_NODIRATIME = 0x80
MOUNT_ATTR_NOSYMFOLLOW = 0x200000
MS_UNBINDABLE = 1 << 17
MS_PRIVATE = 1 << 18
MS_SLAVE = 1 << 19
MS_SHARED = 1 << 20
MNT_DETACH = 2
CLOSE_RANGE_CLOEXEC = 4  # linux/close_range.h
CLONE_NEWNS = 0x00020000  # linux/sched.h
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWPID = 0x20000000
KEYCTL_JOIN_SESSION_KEYRING = 1  # linux/keyctl.h
PR_SET_PDEATHSIG = 1  # linux/prctl.h
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_CLEAR_ALL = 4
UMOUNT_NOFOLLOW = 8
RENAME_NOREPLACE = 1  # linux/fs.h
RENAME_EXCHANGE = 2

_NR_OPEN_TREE = 428
_NR_MOVE_MOUNT = 429
_NR_FSOPEN = 430
_NR_FSCONFIG = 431
_NR_FSMOUNT = 432
_NR_FSPICK = 433
_NR_CLOSE_RANGE = 436
_NR_OPENAT2 = 437
_NR_MOUNT_SETATTR = 442
_NR_LISTMOUNT = 458
_KEYCTL = {
    "x86_64": (250, 288), "i686": (288, 288), "i586": (288, 288), "aarch64": (219, 311),
    "armv7l": (311, 311), "armv6l": (311, 311), "riscv64": (219, 219), "loongarch64": (219, 219),
    "ppc64le": (271, 271), "ppc64": (271, 271), "ppc": (271, 271), "s390x": (280, 280),
    "mips64": (5241, 4282), "mips": (4282, 4282),
}  # fmt: skip
"""By the kernel's machine, for programs of 64 and of 32 bits: this call is older than 424."""
_NR_KEYCTL = _KEYCTL.get(os.uname().machine, (-1, -1))[sys.maxsize < 1 << 32]


# The letters are those of `struct`; z is the address of bytes.
class _Byte(_Simple):
    _type_ = "c"


class _Int(_Simple):
    _type_ = "i"


class _Unsigned(_Simple):
    _type_ = "I"


class _Word(_Simple):
    """A register: syscall(2) reads whole ones, whatever the kernel takes of them."""

    _type_ = "l"


class _Text(_Simple):
    _type_ = "z"


class _Function(CFuncPtr):
    """A function of C that returns an int, and leaves an errno."""

    _flags_ = FUNCFLAG_CDECL | FUNCFLAG_USE_ERRNO
    _restype_ = _Int


class _Libc:
    """What this process has of shared libraries: the C library is among them."""

    _handle = dlopen(None, 0)  # type: ignore[arg-type]  # as ctypes.CDLL(None) does


def _libc(name: str, *types: type) -> Any:
    """Return a function of the C library that takes *types*."""
    function = _Function((name, _Libc))  # type: ignore[arg-type]  # of a CDLL this is all it takes
    function.argtypes = types
    return function


def _function(*types: type) -> Callable[..., int]:
    """Return syscall(2) for a call that takes *types*: declared, it costs half as much."""
    function: Any = _libc("syscall", _Word, *types)
    function.restype = _Word
    return function  # type: ignore[no-any-return]


_open_tree = _function(_Word, _Text, _Word)
_move_mount = _function(_Word, _Text, _Word, _Text, _Word)
_fsopen = _function(_Text, _Word)
_fsconfig = _function(_Word, _Word, _Text, _Text, _Word)
_fsmount = _function(_Word, _Word, _Word)
_fspick = _function(_Word, _Text, _Word)
_close_range = _function(_Word, _Word, _Word)
_openat2 = _function(_Word, _Text, _Text, _Word)
_mount_setattr = _function(_Word, _Text, _Word, _Text, _Word)
_listmount = _function(_Text, _Text, _Word, _Word)
_keyctl = _function(_Word, _Text)
_umount2 = _libc("umount2", _Text, _Int)
_renameat2 = _libc("renameat2", _Int, _Text, _Int, _Text, _Unsigned)
_statx = _libc("statx", _Int, _Text, _Int, _Unsigned, _Text)
_pivot_root = _libc("pivot_root", _Text, _Text)
_unshare = _libc("unshare", _Int)
_setns = _libc("setns", _Int, _Int)
_syncfs = _libc("syncfs", _Int)
_prctl_of_libc = _libc("prctl", _Int, _Word, _Word, _Word, _Word)
_inotify_init1 = _libc("inotify_init1", _Int)
_inotify_add_watch = _libc("inotify_add_watch", _Int, _Text, _Unsigned)
_STATX_MNT_ID = 0x1000
_STATX_MNT_ID_UNIQUE = 0x4000
_MASK = struct.Struct("=I")  # stx_mask: what was given
_MNT_ID = struct.Struct("=144xQ")  # struct statx, stx_mnt_id
_STATX_BASIC = 0x7FF
_STATX_INO = 0x100
_IDENTITY = struct.Struct("=32xQ96xII")  # stx_ino, stx_dev_major, stx_dev_minor
_STATUS = struct.Struct("=8xQI8xH2xQQQ")  # stx_attributes, nlink, mode, ino, size, blocks
_FS = sys.getfilesystemencoding(), "surrogateescape"  # os.fsencode, at a quarter of its price
_Buffer = _Byte * 256
_EAGAIN_TRIES = 128
_OPEN_HOW = struct.Struct("=QQQ")  # struct open_how: flags, mode, resolve
_MOUNT_ATTR = struct.Struct("=QQQQ")  # struct mount_attr: what to set, to clear, propagation, a fd
_MNT_ID_REQ = struct.Struct("=IIQQ")  # struct mnt_id_req: size, spare, mnt_id, param
_LSMT_ROOT = (1 << 64) - 1
_IDS = 4096


def _failed(path: str) -> OSError:
    number = get_errno()
    return OSError(number, os.strerror(number), path)


def _done(result: int, path: str) -> int:
    if result < 0:
        raise _failed(path)
    return result


def openat2(directory: int, path: str, flags: int, resolve: int) -> int:
    """Open *path* below *directory* under the rules of *resolve*; returns a descriptor.

    RESOLVE_IN_ROOT answers EAGAIN when something was renamed meanwhile (openat2(2), ERRORS), so
    that is tried again, but not for ever: the one who renames may be hostile.
    """
    how = _OPEN_HOW.pack(flags | os.O_CLOEXEC, 0, resolve)
    name = path.encode(*_FS)
    for _ in range(_EAGAIN_TRIES):
        result = _openat2(_NR_OPENAT2, directory, name, how, _OPEN_HOW.size)
        if result >= 0:
            return result
        if get_errno() != 11:  # EAGAIN
            break
    raise _failed(path)


def open_tree(directory: int, path: str, flags: int) -> int:
    """Return a descriptor of a mount; with OPEN_TREE_CLONE of a detached copy (open_tree(2))."""
    flags |= os.O_CLOEXEC
    return _done(_open_tree(_NR_OPEN_TREE, directory, path.encode(*_FS), flags), path)


def move_mount(tree: int, directory: int, name: str, path: str) -> None:
    """Attach the detached mount *tree* to the directory or file *name* in *directory*.

    *name* is one component, and not followed where it is a link (ENOTDIR, or mounted on for a
    file's mount: the kernel takes the link itself); "" is the directory itself. *path* is only
    what an error is about.
    """
    flags = MOVE_MOUNT_F_EMPTY_PATH | (0 if name else MOVE_MOUNT_T_EMPTY_PATH)
    _done(_move_mount(_NR_MOVE_MOUNT, tree, b"", directory, name.encode(*_FS), flags), path)


def mount_setattr(
    tree: int,
    path: str,
    *,
    set_: int = 0,
    clear: int = 0,
    propagation: int = 0,
    recursive: bool = False,
) -> None:
    """Set and clear MOUNT_ATTR_* and the propagation (MS_PRIVATE …, 0: as it is) of a mount."""
    attr = _MOUNT_ATTR.pack(set_, clear, propagation, 0)
    flags = AT_EMPTY_PATH | (AT_RECURSIVE if recursive else 0)
    _done(_mount_setattr(_NR_MOUNT_SETATTR, tree, b"", flags, attr, _MOUNT_ATTR.size), path)


def fsopen(fs: str) -> int:
    """Open a context for a new file system of type *fs*; returns its descriptor."""
    return _done(_fsopen(_NR_FSOPEN, fs.encode(*_FS), FSOPEN_CLOEXEC), fs)


def fspick(tree: int, path: str) -> int:
    """Open a context to reconfigure the file system behind the mount descriptor *tree*."""
    return _done(_fspick(_NR_FSPICK, tree, b"", FSPICK_CLOEXEC | FSPICK_EMPTY_PATH), path)


def fsconfig(context: int, command: int, key: str = "", value: str = "") -> None:
    """Set one parameter, or give a command (FSCONFIG_*), to a context of fsopen or fspick.

    The kernel writes its reasons into the context (fsopen(2), "retrieving messages"); they
    become the text of the OSError.
    """
    name = key.encode(*_FS) if key else None
    text = value.encode(*_FS) if command == FSCONFIG_SET_STRING else None
    if _fsconfig(_NR_FSCONFIG, context, command, name, text, 0) < 0:
        number = get_errno()
        said = _messages(context)
        raise OSError(number, said or os.strerror(number), f"{key}={value}" if value else key)


def _messages(context: int) -> str:
    said = []
    try:
        while True:
            said.append(os.read(context, 4096).decode(errors="replace").strip()[2:])
    except OSError:  # ENODATA: no more
        return "; ".join(said)


def fsmount(context: int, attributes: int, fs: str) -> int:
    """Return a detached mount of a created context; *attributes* are MOUNT_ATTR_*."""
    return _done(_fsmount(_NR_FSMOUNT, context, FSMOUNT_CLOEXEC, attributes), fs)


def mount_id(fd: int, name: str = "") -> int:
    """Return the id of the mount that *fd* is on, as mountinfo has it (statx(2), Linux 5.8).

    With *name*, one component that is not followed: the mount seen at that name in the directory.
    Whoever answers for the file system there is not asked.
    """
    buffer = _Buffer()
    flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT if name else AT_EMPTY_PATH
    flags |= AT_STATX_DONT_SYNC
    if _statx(fd, name.encode(*_FS), flags, _STATX_MNT_ID, buffer) < 0:
        raise _failed(name or f"descriptor {fd}")
    (found,) = _MNT_ID.unpack_from(buffer)
    return int(found)


def unique_mount_id(fd: int) -> int:
    """Return the number of the mount that *fd* is on, of which a later one has always a greater.

    0 where the kernel has none: STATX_MNT_ID_UNIQUE of statx(2) is of Linux 6.8.
    """
    buffer = _Buffer()
    flags = AT_EMPTY_PATH | AT_STATX_DONT_SYNC
    if _statx(fd, b"", flags, _STATX_MNT_ID_UNIQUE, buffer) < 0:
        raise _failed(f"descriptor {fd}")
    (given,) = _MASK.unpack_from(buffer)
    (found,) = _MNT_ID.unpack_from(buffer)
    return int(found) if given & _STATX_MNT_ID_UNIQUE else 0


def statx(fd: int, name: str) -> tuple[int, int, int, int, int, int]:
    """Return attributes, links, mode, inode, size and blocks of *name* in *fd*, not followed.

    The attributes are STATX_ATTR_* (statx(2)): what lsattr(1) shows, without opening the file.
    """
    buffer = _Buffer()
    flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT
    if _statx(fd, name.encode(*_FS), flags, _STATX_BASIC, buffer) < 0:
        raise _failed(name)
    return _STATUS.unpack_from(buffer)


def identity(fd: int, path: str) -> tuple[int, int]:
    """Return (st_dev, st_ino) of *path*, from *fd* where it is relative; of *fd* itself for "".

    Links are followed. Whoever answers for the file system is not asked for what is known.
    """
    buffer = _Buffer()
    flags = AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT | (0 if path else AT_EMPTY_PATH)
    if _statx(fd, path.encode(*_FS), flags, _STATX_INO, buffer) < 0:
        raise _failed(path or f"descriptor {fd}")
    inode, major, minor = _IDENTITY.unpack_from(buffer)
    return os.makedev(major, minor), inode


def listmount() -> list[int]:
    """Return the ids of the mounts of this namespace, ascending (listmount(2), Linux 6.8).

    They are those of STATX_MNT_ID_UNIQUE: never used again, and not what mountinfo has.
    """
    page = (_Byte * (8 * _IDS))()
    ids: list[int] = []
    while True:
        behind = ids[-1] if ids else 0
        request = _MNT_ID_REQ.pack(_MNT_ID_REQ.size, 0, _LSMT_ROOT, behind)
        found = _done(_listmount(_NR_LISTMOUNT, request, page, _IDS, 0), "")
        ids += struct.unpack_from(f"={found}Q", page)
        if found < _IDS:
            return ids


def umount2(path: str, flags: int) -> None:
    """Unmount what is mounted last at *path* (umount2(2))."""
    if _umount2(path.encode(*_FS), flags) < 0:
        raise _failed(path)


def pivot_root(new: str, old: str) -> None:
    """Make *new*, a mount point, the root of this mount namespace, and the one before go to *old*.

    "." for both puts the old root over the new one, to be unmounted there (pivot_root(2), NOTES).
    """
    if _pivot_root(new.encode(*_FS), old.encode(*_FS)) < 0:
        raise _failed(new)


def unshare(namespaces: int) -> None:
    """Leave namespaces (CLONE_NEW*) for new ones: children alone, for that of pids (unshare(2))."""
    if _unshare(namespaces) < 0:
        raise _failed("namespaces")


def setns(fd: int, namespaces: int) -> None:
    """Join the namespace behind *fd*, or those (CLONE_NEW*) of the process that it is a pidfd of.

    The root and working directory become those of a mount namespace that is joined, children alone
    get into one of pids (setns(2); pidfds since Linux 5.8).
    """
    if _setns(fd, namespaces) < 0:
        raise _failed("namespaces")


def renameat2(source: int, old: str, target: int, new: str, flags: int) -> None:
    """Rename *old* in the directory *source* to *new* in *target* (renameat2(2)).

    *flags*: RENAME_NOREPLACE fails with EEXIST where *new* is there, RENAME_EXCHANGE swaps both.
    """
    if _renameat2(source, old.encode(*_FS), target, new.encode(*_FS), flags) < 0:
        raise _failed(new)


def syncfs(fd: int) -> None:
    """Wait until all that was written to the file system behind *fd* is on its disk (syncfs(2))."""
    if _syncfs(fd) < 0:
        raise _failed(f"descriptor {fd}")


def close_range(first: int, flags: int) -> None:
    """Close all descriptors from *first* up; with CLOSE_RANGE_CLOEXEC only at execve(2)."""
    last = (1 << 32) - 1
    _done(_close_range(_NR_CLOSE_RANGE, first, last, flags), "descriptors")


def clear_ambient_capabilities() -> None:
    """Drop every ambient capability: what execve(2) would hand on to another user's program."""
    _prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)


def join_session_keyring() -> None:
    """Give this thread, and what it becomes, a new and empty session keyring (keyctl(2)).

    Whoever has a keyring in its session can read the keys in it, whatever its user ids are.
    """
    _done(_keyctl(_NR_KEYCTL, KEYCTL_JOIN_SESSION_KEYRING, None), "session keyring")


def set_parent_death_signal(number: int) -> None:
    """Have the kernel send signal *number* when this process's parent ends.

    Taking other user or group ids undoes it, execve(2) of a set-user-id program, too
    (PR_SET_PDEATHSIG(2const)).
    """
    _prctl(PR_SET_PDEATHSIG, number)


def _prctl(option: int, argument: int) -> None:
    if _prctl_of_libc(option, argument, 0, 0, 0) < 0:
        raise _failed("prctl")


def inotify_init() -> int:
    """Return a descriptor that does not block, without watches (inotify(7))."""
    result: int = _inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    if result < 0:
        raise _failed("inotify")
    return result


def inotify_add_watch(fd: int, path: str, mask: int) -> int:
    """Watch *path* for the events in *mask* (IN_*); returns the watch's number on *fd*."""
    result: int = _inotify_add_watch(fd, path.encode(*_FS), mask)
    if result < 0:
        raise _failed(path)
    return result
