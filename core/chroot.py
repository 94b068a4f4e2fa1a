"""A chroot as a place: its name, its path, and finding it.

What makes a directory a chroot: it holds `chroot.d/`, the marker of an unfinished create, or
something that looks like the root of a system. `on`, `off` and `delete` work on nothing else, so
that a slip such as `off -d /home` unmounts nobody's disks.
"""

from __future__ import annotations

import os
import stat

from .errors import (
    AbsentError,
    ChrootError,
    NoChrootError,
    PrivilegeError,
    Problem,
    UsageError,
)
from .kernel import answering
from .kernel.answering import NotAnswering
from .kernel.mount_table import MountTable
from .kernel.rootpath import Root
from .value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

CONFIG_DIRECTORY = "/chroot.d"
MAY_BE_THERE = frozenset(("chroot.d", "lost+found"))
"""What DIR may hold before `create`: the user's own configuration, and what a new disk has."""
CONFIG_LIMIT = 1 << 16
"""Bytes of a configuration file: one that was planted must not keep the reader busy."""
MARKER = "/.chroot-tool-create"
"""Where an unfinished `create` works; its presence says that there is one."""
MADE = MARKER + "-over"
"""What the marker is called at the end, while it is taken away."""
CLONING = ".cloning"
"""How the name of the directory ends in which a `clone` builds, beside the place of the new one."""
DELETING = "/.chroot-tool-delete"
"""The last file of a chroot that is being deleted: what a kill leaves must not pass for sound."""

ADMINISTRATOR = "/etc/chroot-tool"
"""What the administrator of this host says of chroots. It does not depend on anything that a caller
says, as sudo may hand on his variables: only tests have another."""

_OF_A_SYSTEM = ("proc", "sysfs", "devpts")
"""What is mounted below a chroot, and below hardly anything else."""
_OF_CHANGES = (2, 6, 11, 16, 17, 20, 21, 22, 39, 40)
"""ENOENT, ENXIO, EAGAIN, EBUSY, EEXIST, ENOTDIR, EISDIR, EINVAL, ENOTEMPTY, ELOOP: what a look-up
fails with of what was another thing a moment ago."""
_OF_OURS = (9, 14, 25)
"""EBADF, EFAULT, ENOTTY: what no user can cause."""
_SHELLS = ("/bin/sh", "/usr/bin/sh", "/bin/busybox")


class Chroot(Value):
    """A chroot. `path` is physical, as the mount table has it."""

    name: str
    path: str


def is_administered() -> bool:
    """Tell whether the administrator says anything: one call, since each `run` asks."""
    return os.path.lexists(ADMINISTRATOR)


def has_system(root: Root) -> bool:
    """Tell whether there is a root file system that a command could run in."""
    # The shell itself may be a link that is absolute: it is followed inside.
    return any(root.stat(shell) is not None for shell in _SHELLS)


def is_incomplete(root: Root) -> bool:
    """Tell whether a `create`, or deleting it, was begun here and is not finished."""
    return root.stat(MARKER, follow=False) is not None or is_half_deleted(root)


def is_half_deleted(root: Root) -> bool:
    """Tell whether deleting it was begun."""
    return root.stat(DELETING, follow=False) is not None


def unfinished(root: Root) -> Problem:
    """Return what is to be said of an incomplete chroot."""
    if is_half_deleted(root):
        return Problem("deleting it was not finished", f"delete -d {root.path} removes the rest")
    if root.path.endswith(CLONING):
        return Problem(
            "cloning was not finished",
            f"the next clone to that place removes it, as does delete -d {root.path}",
        )
    return Problem(
        "creating it was not finished",
        f"create -d {root.path} starts over, delete -d {root.path} removes it",
    )


def refuse_unfinished(root: Root) -> None:
    """Raise ChrootError where a create, a clone or a delete of it was begun and not finished."""
    if is_incomplete(root):
        problem = unfinished(root)
        raise ChrootError(f"{root.path} is incomplete: {problem.message}", problem.hint)


def no_system(root: Root) -> Problem:
    """Return what is to be said of a chroot that holds no system."""
    first = "make one:" if _takes_create(root) else "move all but chroot.d/ away, then"
    return Problem(
        f"{root.path} holds no usable root file system",
        f"{first} chroot-tool create -d {root.path}",
    )


def _takes_create(root: Root) -> bool:
    """Tell whether `create` would begin here."""
    try:
        fd = root.open("/", os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return False  # not ours to read
    try:
        return MAY_BE_THERE.issuperset(os.listdir(fd))
    finally:
        os.close(fd)


def is_chroot(root: Root) -> bool:
    """Tell whether *root* is, or was to become, a chroot."""
    config = root.stat(CONFIG_DIRECTORY, follow=False)
    has_config = config is not None and stat.S_ISDIR(config.st_mode)
    return has_config or is_incomplete(root) or (has_system(root) and _names_itself(root))


def _names_itself(root: Root) -> bool:
    # /usr has a bin/sh too, and sometimes an etc, but nobody keeps users or a release there.
    return any(root.stat(name) is not None for name in ("/etc/passwd", "/etc/os-release"))


def locate(directory: str, base: str) -> str:
    """Return the path that a user's DIR means; it need not exist.

    A plain name that is no directory here is looked up under *base*. Raises UsageError for "".
    """
    if not directory:
        raise UsageError("the directory's name is empty", "give one with -d DIR")
    if "\0" in directory:
        raise UsageError("the directory's name holds a NUL byte")
    plain = "/" not in directory and directory not in (".", "..")
    if plain and not is_directory(directory):
        return os.path.join(absolute(base), directory)
    return absolute(directory)


def is_directory(path: str) -> bool:
    """Tell whether *path* is a directory. Raises ChrootError where that can't be seen."""
    return _seen(path, lambda: os.path.isdir(path))


def refuse_silent(*paths: str) -> None:
    """Raise ChrootError where one of *paths*, there or not, leads to who does not answer."""
    for path in paths:
        is_there(path)


def is_there(path: str) -> bool:
    """Tell whether anything is at *path*. Raises ChrootError where that can't be seen."""
    return _seen(path, lambda: os.path.lexists(path))


def _seen(path: str, look: Callable[[], bool]) -> bool:
    try:
        return answering.look(path, look)
    except NotAnswering as error:
        raise no_answer(error) from None
    except OSError as error:  # no descriptor is left to read the mount table by, say
        raise ChrootError(f"{path}: {error.strerror}") from error


def locate_existing(directory: str, base: str) -> str:
    """Return what `locate` does, for a DIR that is to be a chroot already.

    A directory here comes first. Raises ChrootError where that is no chroot and hides one of the
    base, which the hint names.
    """
    path = locate(directory, base)
    hidden = os.path.join(absolute(base), directory)
    if "/" in directory or path == hidden or directory in (".", ".."):
        return path
    try:
        open_chroot(path).close()
    except PrivilegeError:
        pass  # nobody knows; whoever opens it says so
    except ChrootError as error:
        if chroot_at(hidden):
            hint = f"the one under the base is another: chroot-tool … -d {hidden}"
            raise type(error)(error.message, hint) from None
    return path


def current_directory() -> str:
    """Return it, "" where it was removed."""
    try:
        return os.getcwd()
    except OSError:
        return ""


def absolute(path: str) -> str:
    """Return *path* as it is from anywhere. Raises UsageError where that can't be said."""
    try:
        return os.path.abspath(path)
    except FileNotFoundError:
        raise UsageError(
            "the current directory does not exist any more", "cd / first, or give a whole path"
        ) from None


class WorkedOn(Root):
    """A directory that a verb works on.

    What changes in it meanwhile can make any look-up fail, one that was seen to succeed before,
    too. At the end of its `with` such an error of the system becomes one that says so.
    """

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.close()
        # Without a name it is of a stream, ours or the caller's.
        if not isinstance(error, OSError) or error.filename is None:
            return
        if error.errno not in _OF_OURS:
            raise _failed(self.path, error) from error


def _failed(path: str, error: OSError) -> ChrootError:
    if isinstance(error, NotAnswering):
        return no_answer(error)
    name = error.filename
    where = f" ({os.fsdecode(name)})" if isinstance(name, str | bytes) else ""
    message = f"{path}: {error.strerror}{where}"
    if error.errno in (1, 13) and os.geteuid():  # EPERM, EACCES
        return PrivilegeError(message, "run as root")
    if error.errno in _OF_CHANGES:
        return ChrootError(message, "something changes it at the same time: see who, and try again")
    return ChrootError(message)


def open_chroot(path: str) -> WorkedOn:
    """Open the chroot at *path*. The caller closes it.

    Raises ChrootError where there is nothing, or nothing that is a chroot, and for the host's
    own root, PrivilegeError where it may not be seen.
    """
    root = open_directory(path)
    try:
        refuse_other(path, root)
    except BaseException:
        root.close()
        raise
    return root


def refuse_other(path: str, root: Root) -> None:
    """Raise what `open_chroot` does where the directory *path*, open as *root*, is no chroot."""
    own = os.stat("/")
    there = os.fstat(root.fd)
    if (own.st_dev, own.st_ino) == (there.st_dev, there.st_ino):
        raise ChrootError(f"{path} is the root of this system", "name a chroot with -d DIR")
    if not is_chroot(root):
        if not os.access(f"/proc/self/fd/{root.fd}", os.X_OK):
            raise PrivilegeError(f"{path} may not be looked into by this user", "run as root")
        hint = "see `chroot-tool list`, or name a chroot with -d"
        if _takes_create(root):
            hint = f"make one: chroot-tool create -d {path}"
        raise NoChrootError(
            f"{path} is no chroot: it holds neither chroot.d/ nor a system",
            _by_mounts(root) or hint,
        )


def _by_mounts(root: Root) -> str:
    """Return what to do about what is no chroot where mounts tell that one may have been."""
    table = MountTable.read()
    ways = [f"umount {root.path} if that hides one"] if table.at(root.path) else []
    if any(entry.fs in _OF_A_SYSTEM for entry in table.below(root.path)):
        # Whoever is root inside can take away all that makes it one, but not what is mounted.
        ways.append(
            f"if it was one, mkdir {root.path}{CONFIG_DIRECTORY} (moving away what is there), "
            f"then chroot-tool off -d {root.path}"
        )
    return "; or ".join(ways)


def open_directory(path: str) -> WorkedOn:
    """Open any directory as a root. Raises as `open_chroot` does, but for what is in it."""
    try:
        return _opened(path)
    except NotAnswering as error:
        raise no_answer(error) from None
    except FileNotFoundError:
        raise AbsentError(
            f"{path} does not exist", f"make it: chroot-tool create -d {path}, or see `list`"
        ) from None
    except NotADirectoryError:
        raise ChrootError(f"{path} is no directory") from None
    except PermissionError:
        raise PrivilegeError(f"{path} may not be opened by this user", "run as root") from None
    except OSError as error:
        raise ChrootError(f"{path}: {error.strerror}") from error


def _opened(path: str) -> WorkedOn:
    table = answering.table()
    if table is None:
        return WorkedOn(path)
    found = os.path.abspath(path)
    root = answering.see(table, found, lambda: WorkedOn(path), late=WorkedOn.close)
    root.guard = answering.guard(table, root.path)
    return root


def no_answer(error: NotAnswering) -> ChrootError:
    """Return what is to be said where a file system does not answer."""
    return ChrootError(f"{error.filename} {error.strerror}", answering.HINT)


def find(base: str, table: MountTable) -> tuple[Chroot, ...]:
    """Return the chroots directly under *base*, by name; none where it does not exist.

    *table* is what is mounted on this host.

    Links are not followed: one chroot is one directory. What does not answer may be one, and is
    among them. Raises PrivilegeError, ChrootError.
    """
    far = table if table.answered_for else None
    found = [chroot_at(path, far) for path in folders(base, far)]
    return tuple([chroot for chroot in found if chroot])


def folders(base: str, table: MountTable | None) -> tuple[str, ...]:
    """Return the physical paths of the directories directly under *base*, whatever is in them.

    *table* as for `chroot_at`. Raises PrivilegeError, ChrootError.
    """
    try:
        if table is None:
            return _folders(base)
        path = os.path.abspath(base)
        return answering.see(table, path, lambda: _folders(base), seconds=answering.LOOK)
    except NotAnswering as error:
        raise no_answer(error) from None
    except FileNotFoundError:
        return ()
    except NotADirectoryError:
        raise ChrootError(
            f"{base} is no directory", "name the one that holds the chroots: --base DIR"
        ) from None
    except PermissionError:
        raise PrivilegeError(f"{base} may not be opened by this user", "run as root") from None
    except OSError as error:
        raise ChrootError(f"{base}: {error.strerror}") from error


def _folders(base: str) -> tuple[str, ...]:
    with Root(base) as opened:
        physical = opened.path.rstrip("/")
    with os.scandir(physical or "/") as entries:
        names = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    return tuple([f"{physical}/{name}" for name in sorted(names)])


def chroot_at(path: str, table: MountTable | None = None) -> Chroot | None:
    """Return the chroot whose physical path *path* is, None where there is none.

    One that is being deleted just now is none any more. Where something may not answer, *table*
    says what is mounted where: what does not may be a chroot, and is taken for one.
    """
    if table is None:
        return _chroot_at(path, None)
    try:
        look = answering.LOOK
        return answering.see(table, path, lambda: _chroot_at(path, table), seconds=look)
    except NotAnswering:
        return Chroot(path.rpartition("/")[2], path)


def _chroot_at(path: str, table: MountTable | None) -> Chroot | None:
    try:
        with Root(path) as root:
            if table is not None:
                root.guard = answering.guard(table, path, seconds=answering.LOOK)
            if not is_chroot(root) or (is_half_deleted(root) and _is_locked(path)):
                return None
            return Chroot(path.rpartition("/")[2], path)
    except NotAnswering:
        raise
    except OSError:
        return None


def _is_locked(path: str) -> bool:
    from .lock import is_locked

    return is_locked(path)
