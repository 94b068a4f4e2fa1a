"""Writing an archive aside and putting it in place when it is whole; checksums beside archives."""

from __future__ import annotations

import hashlib
import os
import stat
import time

from ..errors import Cancelled, ChrootError, LockedError, UsageError
from ..kernel.replace_file import forget, is_locked_as
from ..lock import holder
from ..trees.built_aside import sweep
from .pipeline import write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from threading import Event as Flag

    Owner = tuple[int, int]
    """uid and gid of who is to have what is written, where that is not who writes it."""

SUFFIX = ".sha256"
_IMAGE = ".oci.part"
_CHUNK = 1 << 20
_PATIENCE, _TICK = 1.0, 0.02  # seconds
_LINE_LIMIT = 4096
_OPEN = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_HEX = frozenset("0123456789abcdef")


def default_name(path: str, *, oci: bool = False) -> str:
    """Return what an archive of the chroot at *path* is called by default, without a folder.

    It is called by the local time. No other machine is asked, which would name a file of this one.
    """
    moment = time.strftime("%Y%m%d%H%M", time.localtime())
    name = os.path.basename(path.rstrip("/")) or "chroot"
    return f"{name}-{moment}{'.oci' if oci else '.tar.zst'}"


class Output:
    """A file that is written as `.NAME.part`, and takes its place at the end. A context manager.

    What is not finished is removed. What a kill has left is taken over by the next one of that
    name, or removed by `forget_parts`: nobody holds its lock any more.
    """

    def __init__(self, path: str, owner: Owner | None = None) -> None:
        """Begin *path*, which is to be *owner*'s in the end.

        Raises UsageError where that is no file, LockedError, ChrootError.
        """
        self.path = os.path.abspath(path)
        self._owner = owner
        directory, self._name = os.path.split(self.path)
        self._part = part(self._name)
        self._is_done = False
        self._checksum = -1
        self.size = 0
        try:
            self._directory = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise ChrootError(
                f"cannot write {self.path}: {directory}: {error.strerror}", "make it first"
            ) from error
        try:
            self._refuse_other_kinds()
            self.fd = self._claimed(self._part, 0o600)
        except BaseException:
            os.close(self._directory)
            raise

    def __enter__(self) -> Output:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            if not self._is_done:
                os.unlink(self._part, dir_fd=self._directory)
            if self._checksum >= 0:
                os.unlink(part(self._name + SUFFIX), dir_fd=self._directory)
        except OSError:
            pass  # the next one finds it
        finally:
            for fd in (self.fd, self._checksum, self._directory):
                if fd >= 0:
                    os.close(fd)

    def _refuse_other_kinds(self) -> None:
        try:
            status = os.stat(self._name, dir_fd=self._directory, follow_symlinks=False)
        except OSError:
            return
        if not stat.S_ISREG(status.st_mode):  # /dev/null would be a file afterwards
            raise UsageError(
                f"{self.path} is there, and is no regular file",
                "-f - writes to stdout, which may be anything",
            )

    def _claimed(self, name: str, mode: int) -> int:
        """Return a descriptor of the file *name*, new, empty and locked."""
        until = time.monotonic() + _PATIENCE
        try:
            while (fd := _claim(self._directory, name, mode)) < 0:
                if time.monotonic() > until:
                    raise self._busy(name)
                time.sleep(_TICK)  # the compressor of a killed one has it for a moment longer
        except OSError as error:
            raise ChrootError(
                f"cannot write {self.path}: {error.strerror}", "choose another place with -f"
            ) from error
        return fd

    def _busy(self, name: str) -> LockedError:
        pid = 0
        try:
            fd = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self._directory)
        except OSError:
            pass  # just gone
        else:
            pid = holder(fd)
            os.close(fd)
        who = f" (process {pid})" if pid else ""
        return LockedError(f"{self.path} is being written by another{who}", "wait for it", pid)

    def finish(self, *, checksum: bool, cancelled: Flag | None = None) -> str:
        """Put it in place, on the disk for good; return its SHA-256 where *checksum* asks for it.

        The checksum of what was there before goes, else it would be taken for the new one's.
        Raises ChrootError, Cancelled.
        """
        try:
            self.size = os.fstat(self.fd).st_size
            give(self.fd, self._owner)
            os.fsync(self.fd)
            digest = whole_sha256(self.fd, cancelled) if checksum else ""
            if digest:
                self._write_checksum(digest)
            self._unlink(self._name + SUFFIX)
            self._rename(self._part, self._name)
            self._is_done = True
            if digest:
                self._place_checksum()
            os.fsync(self._directory)
        except OSError as error:
            raise ChrootError(f"cannot write {self.path}: {error.strerror}") from error
        return digest

    def _write_checksum(self, digest: str) -> None:
        self._checksum = self._claimed(part(self._name + SUFFIX), 0o644)
        write_all(self._checksum, os.fsencode(f"{digest}  {self._name}\n"))
        give(self._checksum, self._owner)
        os.fsync(self._checksum)

    def _place_checksum(self) -> None:
        name = self._name + SUFFIX
        try:
            self._rename(part(name), name)
        except OSError as error:
            raise ChrootError(
                f"{self.path} is whole, but {name} beside it can't be written: {error.strerror}",
                f"sha256sum {self._name} > {name}, there",
            ) from error
        os.close(self._checksum)
        self._checksum = -1

    def _rename(self, old: str, new: str) -> None:
        os.rename(old, new, src_dir_fd=self._directory, dst_dir_fd=self._directory)

    def _unlink(self, name: str) -> None:
        try:
            os.unlink(name, dir_fd=self._directory)
        except FileNotFoundError:
            pass


def give(fd: int, owner: Owner | None) -> None:
    """Make the file behind *fd*, which is root's, *owner*'s; None leaves it. Raises nothing."""
    if owner is None:
        return
    try:
        os.fchown(fd, *owner)
    except OSError:
        pass  # a file system without owners, or a server that refuses: it is written


def part(name: str) -> str:
    """Return what the archive *name* is called until it is whole."""
    return f".{name}.part"


def _claim(directory: int, name: str, mode: int) -> int:
    """Return a descriptor of the file *name*, just made and locked; -1 where another has it now.

    What a killed one has left of that name is removed, and never written to: before it is locked
    it may have become somebody's finished archive. Raises OSError, ChrootError for what is no file.
    """
    try:
        fd = os.open(name, _OPEN | os.O_CREAT | os.O_EXCL, mode, dir_fd=directory)
    except FileExistsError:
        forget(directory, name)
        return -1
    try:
        is_ours = is_locked_as(fd, directory, name)
    except OSError:
        is_ours = True  # there are no locks here, so nothing is swept either
    if is_ours:
        return fd
    os.close(fd)
    return -1


def forget_parts(directory: str, prefix: str) -> None:
    """Remove what killed ones have left in *directory* of archives called *prefix* and a date."""
    begin = part(prefix).removesuffix(".part")
    try:
        fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return
    try:
        for name in os.listdir(fd):
            if _is_part(name, begin):
                try:
                    if name.endswith(_IMAGE):
                        sweep(fd, name, name)
                    else:
                        forget(fd, name)
                except (OSError, ChrootError):
                    pass  # then it stays: it stands in nobody's way
    finally:
        os.close(fd)


def _is_part(name: str, begin: str) -> bool:
    """Tell whether *name* is `.NAME-YYYYmmddHHMM.tar….part` or `.oci.part`: nobody else's name."""
    date, dot, rest = name.removeprefix(begin).partition(".")
    return (
        name.startswith(begin)
        and len(date) == 13
        and date[0] == "-"
        and date[1:].isdigit()
        and bool(dot)
        and ((rest.startswith("tar.") and rest.endswith(".part")) or name.endswith(_IMAGE))
    )


def sha256(fd: int, stop: Flag | None = None) -> str:
    """Return the SHA-256 of the whole file behind *fd*, whose position stays; "" when stopped.

    Raises OSError.
    """
    digest = hashlib.sha256()
    at = 0
    while data := os.pread(fd, _CHUNK, at):
        digest.update(data)
        at += len(data)
        if stop is not None and stop.is_set():
            return ""
    return digest.hexdigest()


def whole_sha256(fd: int, cancelled: Flag | None) -> str:
    """Return the SHA-256 of the whole file behind *fd*. Raises OSError, Cancelled."""
    digest = sha256(fd, cancelled)
    if not digest:
        raise Cancelled("computing a checksum was stopped")
    return digest


def known_checksum(path: str) -> str:
    """Return the SHA-256 that stands beside the archive *path*, "" where none does.

    Raises ChrootError where the file beside it is no checksum.
    """
    name = path + SUFFIX
    try:
        fd = os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise ChrootError(f"{name}: {error.strerror}") from error
    try:
        text = os.read(fd, _LINE_LIMIT).decode("utf-8", "surrogateescape")
    except OSError as error:
        raise ChrootError(f"{name}: {error.strerror}") from error
    finally:
        os.close(fd)
    word = (text.split() or [""])[0].lstrip("\\").lower()
    if len(word) != 64 or not _HEX.issuperset(word):
        raise ChrootError(f"{name} holds no SHA-256", "remove it, to unpack without looking at it")
    return word
