"""Opening, reading, writing and making paths inside a root, whatever lies in wait there.

Every look-up goes through openat2(2) with RESOLVE_IN_ROOT: an absolute link, a `..` too many or a
link to /proc/self/root stays inside, as it would after chroot(2), without anything having to
chroot. What is opened is opened as O_PATH first and looked at, since opening a device, a FIFO or a
tape that was planted under a file's name can itself do harm.
"""

from __future__ import annotations

import os
import stat

from ..errors import ChrootError, PrivilegeError
from . import syscalls
from .syscalls import mount_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from .answering import Guard

_IN_ROOT = syscalls.RESOLVE_IN_ROOT | syscalls.RESOLVE_NO_MAGICLINKS
_O_PATH = os.O_PATH | os.O_CLOEXEC
_LINKS = 40  # path_resolution(7): the kernel gives up after as many
_READ_LIMIT = 1 << 20
_CHUNK = 1 << 16
_DOTS = ("/", "/.", "/..")
_AWAY = "look at what it is, and move it away"
_GONE = (2, 17, 20, 39, 40)
"""ENOENT, EEXIST, ENOTDIR, ENOTEMPTY, ELOOP: what was made is not ours, or not there, any more."""


def descriptor_path(fd: int) -> str:
    """Return the path the kernel knows for *fd*, from this process's root."""
    return os.readlink(f"/proc/self/fd/{fd}")


class Place:
    """A directory's descriptor that is closed at the end of a `with`, unless it is borrowed."""

    __slots__ = ("_borrowed", "fd")

    def __init__(self, fd: int, *, borrowed: bool = False) -> None:
        self.fd = fd
        self._borrowed = borrowed

    def __enter__(self) -> int:
        return self.fd

    def __exit__(self, *_: object) -> None:
        if not self._borrowed:
            os.close(self.fd)


class Root:
    """A directory opened as the root of look-ups. A context manager; closes its descriptor."""

    def __init__(self, path: str) -> None:
        """Open *path*. Raises OSError where it is no directory or may not be opened."""
        self.fd = os.open(path, _O_PATH | os.O_DIRECTORY)
        self.path = descriptor_path(self.fd)
        """Its physical path on the host."""
        self.guard: Guard | None = None
        """Asked before each look-up where something is mounted in it that may not answer."""
        self._is_held = self._is_closed = False

    def __enter__(self) -> Root:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the descriptor, once nobody holds it."""
        self._is_closed = True
        if not self._is_held:
            os.close(self.fd)

    def hold(self) -> None:
        """Have it stay open for a thread that may go on after `close`, until `let_go`.

        Its number would be another's meanwhile, and so what the thread does.
        """
        self._is_held = True

    def let_go(self) -> None:
        """Hold it no longer."""
        self._is_held = False
        if self._is_closed:
            os.close(self.fd)

    def open(self, inside: str, flags: int = os.O_PATH, *, follow: bool = True) -> int:
        """Open *inside*, a path from this root; the caller closes the descriptor.

        With follow=False no link is followed, neither at the end (unless O_NOFOLLOW is among
        *flags*) nor on the way: ELOOP. Raises OSError.
        """
        if self.guard:
            self._mind(inside, follow=follow, at=False)
        resolve = _IN_ROOT if follow else _IN_ROOT | syscalls.RESOLVE_NO_SYMLINKS
        return syscalls.openat2(self.fd, inside, flags, resolve)

    def _mind(self, inside: str, *, follow: bool, at: bool) -> None:
        """Raise NotAnswering where *inside* leads below a mount that does not answer, or *at* it.

        Links that are followed are read one by one, each minded in its turn.
        """
        from .answering import NotAnswering

        if self.guard:
            try:
                physical = self.resolve(inside) if follow else f"/{inside.strip('/')}"
            except NotAnswering:
                raise
            except OSError:
                return  # the look-up itself says so
            self.guard(self.path.rstrip("/") + physical, at=at)

    def parent(self, inside: str) -> tuple[Place, str]:
        """Open the directory that *inside*, a physical path, is in; return it and the name.

        The root's own descriptor serves what is directly in the root. Raises OSError, ELOOP for
        a link on the way.
        """
        directory, _, name = inside.rpartition("/")
        if not directory:
            return Place(self.fd, borrowed=True), name
        return Place(self.open(directory, follow=False)), name

    def resolve(self, inside: str) -> str:
        """Return *inside* with every link followed inside this root, as an absolute path there.

        Components that do not exist are kept as they stand, behind a dangling link too: the
        path can be made and opened with follow=False then. Raises OSError (ELOOP, ENOTDIR).
        """
        done: list[str] = []
        pending = inside.split("/")[::-1]
        links = 0
        missing = False
        while pending:
            name = pending.pop()
            if name in ("", "."):
                continue
            if name == "..":
                del done[-1:]
                continue
            done.append(name)
            if missing:
                continue
            link = self._link("/" + "/".join(done))
            if link is None:
                missing = True
            elif link:
                links += 1
                if links > _LINKS:
                    raise OSError(40, "Too many levels of symbolic links", inside)
                done = [] if link.startswith("/") else done[:-1]
                pending += link.split("/")[::-1]
        return "/" + "/".join(done)

    def _link(self, inside: str) -> str | None:
        """Return where the link *inside* points, "" if it is no link, None if there is nothing."""
        self._mind(inside, follow=False, at=True)
        try:
            fd = self.open(inside, os.O_PATH | os.O_NOFOLLOW, follow=False)
        except FileNotFoundError:
            return None
        try:
            if stat.S_ISLNK(os.fstat(fd).st_mode):
                return os.readlink("", dir_fd=fd)
            return ""
        finally:
            os.close(fd)

    def stat(
        self, inside: str, *, follow: bool = True, links: bool = True
    ) -> os.stat_result | None:
        """Return the status of *inside*, or None where nothing is (ENOENT, ENOTDIR, ELOOP).

        follow=False: of a link at its end itself. links=False: None where any link is on the way.
        Raises NotAnswering.
        """
        if self.guard:
            self._mind(inside, follow=follow and links, at=True)
        flags = os.O_PATH if follow and links else os.O_PATH | os.O_NOFOLLOW
        try:
            if flags & os.O_NOFOLLOW and inside.rfind("/") == 0 and inside not in _DOTS:
                # One component, not followed: the plain call is as safe, and a third of the work.
                status = os.stat(inside[1:], dir_fd=self.fd, follow_symlinks=False)
                return None if not links and stat.S_ISLNK(status.st_mode) else status
            fd = self.open(inside, flags, follow=links)
        except OSError:
            return None
        try:
            status = os.fstat(fd)
        finally:
            os.close(fd)
        return None if not links and stat.S_ISLNK(status.st_mode) else status

    def open_file(self, inside: str) -> int:
        """Open a regular file for reading. Raises OSError; ChrootError for anything else.

        Neither this nor reading from it waits: not for the lease that somebody inside has on it
        (fcntl(2), "Leases"), nor where a link leads to /proc/kmsg, which is a regular file, too.
        """
        fd = self.open(inside)
        try:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise ChrootError(f"{self.path}{inside} is no regular file", _AWAY)
            return os.open(f"/proc/self/fd/{fd}", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except BlockingIOError:
            raise ChrootError(
                f"{self.path}{inside} is kept by a lease of some process", "see /proc/locks"
            ) from None
        finally:
            os.close(fd)

    def read(self, inside: str, limit: int = _READ_LIMIT) -> bytes:
        """Return the content of a regular file.

        Raises OSError, and ChrootError where it is no regular file or has more than *limit*
        bytes: a chroot must not be able to fill our memory.
        """
        fd = self.open_file(inside)
        try:
            data = bytearray()
            while chunk := os.read(fd, min(limit + 1 - len(data), _CHUNK)):
                data += chunk
        except BlockingIOError:  # a file of the kernel's that has nothing to say at the moment
            raise ChrootError(f"{self.path}{inside} has no end", _AWAY) from None
        finally:
            os.close(fd)
        if len(data) > limit:
            raise ChrootError(f"{self.path}{inside} is larger than {limit} bytes", _AWAY)
        return bytes(data)

    def write(
        self,
        inside: str,
        data: bytes,
        mode: int = 0o644,
        *,
        allowed: Callable[[int], bool] | None = None,
        is_synced: bool = True,
    ) -> None:
        """Put *data* into the file *inside* at once or not at all.

        *is_synced*: it is on the disk when this returns, whatever happens to the machine then.
        A link is followed inside the root and what it points to replaced; owner and mode of a
        file that is there are kept. *allowed* is asked as by `make`. Raises OSError, ChrootError
        where it is no regular file or *allowed* says no.
        """
        physical = self.resolve(inside)
        directory, _, name = physical.rpartition("/")
        parent = self.open(directory or "/", os.O_RDONLY | os.O_DIRECTORY, follow=False)
        try:
            if allowed and not allowed(mount_id(parent)):
                raise ChrootError(
                    f"writing {physical} would write outside the chroot",
                    f"look at what is mounted at or above {directory or '/'}",
                )
            from .replace_file import replace

            replace(parent, name, data, mode, is_synced=is_synced)
        finally:
            os.close(parent)

    def make(
        self,
        inside: str,
        *,
        file: bool,
        allowed: Callable[[int], bool],
        made: list[str] | None = None,
    ) -> list[str]:
        """Make *inside* and what is missing above it; return the paths that were made.

        *inside* must be physical (see `resolve`). *allowed* is asked with the mount id of each
        directory that something would be made in. *made* gets each path as soon as it is made, for
        a caller who takes back what a failure leaves. Raises ChrootError where *allowed* says no:
        the place belongs to somebody else, the host say.
        """
        made = [] if made is None else made
        try:
            os.close(self.open(inside, follow=False))
            return made
        except FileNotFoundError:
            pass
        names = inside.strip("/").split("/")
        parent = self.open("/", os.O_PATH, follow=False)
        try:
            for depth, name in enumerate(names, 1):
                path = "/" + "/".join(names[:depth])
                as_file = file and depth == len(names)
                try:
                    child = self.open(path, os.O_PATH, follow=False)
                except FileNotFoundError:
                    if not allowed(mount_id(parent)):
                        raise ChrootError(
                            f"{path} does not exist, and making it would write outside the chroot",
                            f"make it yourself where {path.rpartition('/')[0] or '/'} comes from",
                        ) from None
                    _make_one(parent, name, file=as_file)
                    made.append(path)
                    child = self.open(path, os.O_PATH, follow=False)
                    # By descriptor: a name may be another thing by now. Whatever the umask is.
                    os.chmod(f"/proc/self/fd/{child}", 0o644 if as_file else 0o755)
                os.close(parent)
                parent = child
        finally:
            os.close(parent)
        return made

    def unmake(self, inside: str) -> None:
        """Remove an empty directory or an empty file that `make` made; leave anything else.

        Raises OSError where it can't be removed, and is neither gone nor in use by now.
        """
        directory, _, name = inside.rpartition("/")
        try:
            parent = self.open(directory or "/", os.O_PATH, follow=False)
        except OSError as error:
            if error.errno in _GONE:
                return
            raise
        try:
            status = os.stat(name, dir_fd=parent, follow_symlinks=False)
            if stat.S_ISDIR(status.st_mode):
                os.rmdir(name, dir_fd=parent)
            elif stat.S_ISREG(status.st_mode) and status.st_size == 0:
                os.unlink(name, dir_fd=parent)
        except OSError as error:
            if error.errno not in _GONE:
                raise
        finally:
            os.close(parent)


def _make_one(parent: int, name: str, *, file: bool) -> None:
    try:
        if file:
            flags = os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_WRONLY | os.O_CLOEXEC
            os.close(os.open(name, flags, 0o644, dir_fd=parent))
        else:
            os.mkdir(name, 0o755, dir_fd=parent)
    except FileExistsError:
        pass  # somebody else was quicker; whoever opens it next looks at what it is
    except PermissionError as error:
        raise PrivilegeError(f"cannot make {name}: {error.strerror}", "run as root") from error
