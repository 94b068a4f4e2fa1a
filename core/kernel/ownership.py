"""Whether root alone can write a file and the way to it: looked at by descriptor, from the top.

Of the mode the group's bits count as everybody's: who is in a group changes, and where a file has
an access control list they are its mask, so that no user or group listed there can write what they
forbid (acl(5), "CORRESPONDENCE BETWEEN ACL ENTRIES AND FILE PERMISSION BITS"). In a directory with
the sticky bit nobody can move or remove what is root's (inode(7)).
"""

from __future__ import annotations

import os
import stat

from ..value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

    from .rootpath import Root

_OPEN = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
_LINKS = 40  # path_resolution(7)
_WRITABLE = stat.S_IWGRP | stat.S_IWOTH


class Foreign(Value):
    """What somebody else than root can write."""

    path: str
    why: str
    """Goes on after the path: `belongs to eve`."""
    mend: str
    """A command."""
    sticky: bool = False
    """Whether that is so only for names that are not there yet: a directory like /tmp."""


class Way:
    """Where a path leads. A context manager; closes the descriptor.

    `fd` is open (O_PATH) on `path`, which is absolute inside the root. `rest` are the components
    behind it that are not there, or lie behind a link that is not to be followed. `foreign` is the
    first thing on the way that not only root can write, links among them.
    """

    def __init__(self) -> None:
        self.fd = -1
        self.path = "/"
        self.rest: tuple[str, ...] = ()
        self.foreign: Foreign | None = None
        self.links = 0

    def __enter__(self) -> Way:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        os.close(self.fd)


def walk(root: Root, inside: str) -> Way:
    """Go the way of *inside* from *root*, one directory after the other.

    A link is followed, inside the root, only where root alone could have put it and all before it:
    any other would lead wherever somebody else wants. Raises OSError.
    """
    way = Way()
    fds = [os.open(f"/proc/self/fd/{root.fd}", os.O_PATH | os.O_CLOEXEC)]
    try:
        names = _go(way, fds, root.path.rstrip("/"), inside)
        way.path = "/" + "/".join(names)
        way.rest = tuple(name for name in way.rest if name not in ("", "."))
        way.fd = fds.pop()
    finally:
        for fd in fds:
            os.close(fd)
    return way


def _go(way: Way, fds: list[int], prefix: str, inside: str) -> list[str]:
    names: list[str] = []

    def here() -> Foreign | None:
        return foreign(os.fstat(fds[-1]), "/".join([prefix, *names]) or "/")

    last = here()
    pending = inside.split("/")[::-1]
    while pending:
        name = pending.pop()
        if name in ("", "."):
            continue
        if name == "..":
            if names:
                names.pop()
                os.close(fds.pop())
                last = here()
            continue
        if last and not last.sticky:
            way.foreign = way.foreign or last
        try:
            fds.append(os.open(name, _OPEN, dir_fd=fds[-1]))
        except (FileNotFoundError, NotADirectoryError):
            way.rest = (name, *pending[::-1])
            break
        names.append(name)
        last = here()
        if not stat.S_ISLNK(os.fstat(fds[-1]).st_mode):
            continue
        if way.foreign or last:
            way.rest = tuple(pending[::-1])
            break
        way.links += 1
        if way.links > _LINKS:
            raise OSError(40, "Too many levels of symbolic links", inside)
        to = os.readlink("", dir_fd=fds[-1])
        for _ in names if to.startswith("/") else names[-1:]:
            os.close(fds.pop())
        del names[0 if to.startswith("/") else -1 :]
        pending += to.split("/")[::-1]
        last = here()
    way.foreign = way.foreign or last
    return names


def foreign(status: os.stat_result, path: str) -> Foreign | None:
    """Return who else than root can write what has this *status*; None where nobody can."""
    mode = status.st_mode
    writable = 0 if stat.S_ISLNK(mode) else mode & _WRITABLE
    sticky = stat.S_ISDIR(mode) and bool(mode & stat.S_ISVTX) and not status.st_uid
    if not status.st_uid and not writable:
        return None
    if status.st_uid:
        why = f"belongs to {user_name(status.st_uid)}"
    elif writable & stat.S_IWOTH:
        why = "can be written by everybody"
    else:
        why = f"can be written by the group {_group_name(status.st_gid)}"
    command = "chown -h root" if stat.S_ISLNK(mode) else "chown root"
    mends = [f"{command} {path}"] if status.st_uid else []
    mends += [f"chmod go-w {path}"] if writable else []
    return Foreign(path, why, " && ".join(mends), sticky)


def user_name(uid: int) -> str:
    """Return the name of a user of the host, or the number."""
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _group_name(gid: int) -> str:
    import grp

    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)
