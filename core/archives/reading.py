"""Reading an archive: from a file or from a stream that cannot be rewound; how far it is."""

from __future__ import annotations

import os
import select
import stat
from threading import Thread

from ..errors import Cancelled, ChrootError, CutShortError, PrivilegeError
from . import writing
from .compression import PEEK
from .pipeline import pipe, write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .pipeline import Stop

STDIN = "-"
SEAL = b"\x50\x2a\x4d\x18\x12\0\0\0chroot-tool: whole"
"""Ends what goes through a pipe: who reads one sees no exit code at the other end of it.

A skippable frame (RFC 8878, 3.1.2), which every zstd passes over. Other decompressors do not: where
it is asked for they do not get it.
"""
_CHUNK = 1 << 18
_TICK = 200  # milliseconds


class Input:
    """An archive that is open for reading. A context manager."""

    def __init__(
        self,
        source: str | int,
        sha256: str = "",
        *,
        sealed: bool = False,
        stop: Stop | None = None,
    ) -> None:
        """Open *source*: a path, `-` for stdin, or a descriptor, which stays the caller's.

        *sha256* is what it has to have; else that of the file beside it counts, where there is
        one. *sealed*: it has to end with `SEAL`. Of a stream the beginning is waited for, until
        *stop*. Raises ChrootError, PrivilegeError, Cancelled.
        """
        if isinstance(source, int):
            self.called, self.fd = "the archive", os.dup(source)
        elif source == STDIN:
            self.called, self.fd = "the archive on stdin", os.dup(0)
        else:
            self.called, self.fd = source, _opened(source)
            sha256 = sha256 or writing.known_checksum(source)
        self._wanted = sha256
        self._is_sealed = sealed
        status = os.fstat(self.fd)
        self._size = status.st_size if stat.S_ISREG(status.st_mode) else 0
        self._begin = os.lseek(self.fd, 0, os.SEEK_CUR) if self._size else 0
        try:
            self.head = self._peek(stop)
            """What it begins with."""
        except BaseException:
            os.close(self.fd)
            raise
        self._tail = self.head
        self._is_over = not self._size and len(self.head) < PEEK
        self._digest: _Digest | None = None

    def __enter__(self) -> Input:
        return self

    def __exit__(self, *_: object) -> None:
        if self._digest is not None:
            self._digest.join()
        os.close(self.fd)

    def _peek(self, stop: Stop | None) -> bytes:
        if self._size:
            return os.pread(self.fd, PEEK, self._begin)
        poll = select.poll()
        poll.register(self.fd, select.POLLIN)
        head = b""
        while len(head) < PEEK:
            if stop is not None and stop.is_set():
                raise Cancelled(f"reading {self.called} was stopped")
            if not poll.poll(_TICK):
                continue
            try:
                data = os.read(self.fd, PEEK - len(head))
            except OSError as error:
                raise ChrootError(f"cannot read {self.called}: {error.strerror}") from error
            if not data:
                break
            head += data
        return head

    @property
    def fraction(self) -> float | None:
        """How much of it has been read, where that can be known."""
        if not self._size:
            return None
        left = self._size - self._begin
        return (os.lseek(self.fd, 0, os.SEEK_CUR) - self._begin) / left if left else 1.0

    def stream(self, stop: Stop) -> int:
        """Return a descriptor that gives all of it; whoever takes it closes it."""
        if self._size:
            return os.dup(self.fd)  # which shares the position: that is how far it is
        reader, writer = pipe()
        Thread(target=self._carry, args=(writer, stop), daemon=True).start()
        return reader

    def _carry(self, writer: int, stop: Stop) -> None:
        poll = select.poll()
        poll.register(self.fd, select.POLLIN)
        try:
            while not stop.is_set():
                if poll.poll(_TICK):
                    try:
                        data = os.read(self.fd, _CHUNK)
                    except OSError:  # the connection was reset, say: it ends before its end
                        self._is_over = True
                        return
                    if not data:
                        self._is_over = True
                        end = self._tail.removesuffix(SEAL) if self._is_sealed else self._tail
                        write_all(writer, end)
                        return
                    held = self._tail + data
                    self._tail = held[-len(SEAL) :]
                    write_all(writer, held[: -len(SEAL)])
        except OSError:
            pass  # whoever reads has ended
        finally:
            os.close(writer)

    @property
    def is_cut(self) -> bool:
        """Whether it has come to its end, and that is not the seal it has to have."""
        if not self._is_sealed:
            return False
        if self._size:
            return os.pread(self.fd, len(SEAL), max(self._size - len(SEAL), 0)) != SEAL
        return self._is_over and not self._tail.endswith(SEAL)

    def begin_checksum(self, stop: Stop) -> None:
        """Begin to compute its SHA-256, beside the unpacking, where it has to be a certain one."""
        if self._wanted:
            self._digest = _Digest(self.fd, self._wanted, stop)

    def check(self) -> None:
        """See that it is whole, and what the checksum beside it is of. Raises ChrootError."""
        if self.is_cut:
            raise CutShortError(f"{self.called} ended before its end", "send it again")
        if self._digest is not None and not self._digest.is_right():
            raise ChrootError(
                f"{self.called} is not what its checksum was made of",
                f"copy or download it again; without {writing.SUFFIX} beside it, it is not checked",
            )


class _Digest(Thread):
    """Computes a checksum while the archive is unpacked."""

    def __init__(self, fd: int, wanted: str, stop: Stop) -> None:
        super().__init__(daemon=True)
        self._fd = fd
        self._wanted = wanted
        self._stop_all = stop
        self._found = ""
        self.start()

    def run(self) -> None:
        try:
            self._found = writing.sha256(self._fd, self._stop_all)
        except OSError:
            pass  # then it is none

    def is_right(self) -> bool:
        self.join()
        return self._found == self._wanted


def _opened(path: str) -> int:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise ChrootError(f"{path} does not exist", "name the archive with -f FILE") from None
    except PermissionError:
        raise PrivilegeError(f"{path} may not be read by this user", "run as root") from None
    except OSError as error:
        raise ChrootError(f"{path}: {error.strerror}") from error
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise ChrootError(f"{path} is no regular file", "-f - reads from stdin")
    return fd
