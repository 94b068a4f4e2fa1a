"""From a compressed stream to a tree: a decompressor, a look at every member, tar in its cage."""

from __future__ import annotations

import os

from ..errors import Cancelled, ChrootError
from . import compression
from .confined import command
from .members import BLOCK, Members
from .packing import ATTRIBUTES
from .pipeline import Program, Stop, pipe, write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .reading import Input

    Progress = Callable[[float], None]

_CHUNK = 1 << 20
_FULL_LINES = ("No space left on device", "Disk quota exceeded")
_OF_ATTRIBUTES = ("extended attribute", ": Warning: Cannot ")
"""In what tar says of attributes and ACLs: too large ones have no room in an inode either."""
_RESERVE = 64 << 20
"""Bytes that are left free at the most: others write on that disk too."""
_INODES = 64
_TAR = (
    "tar", "--extract", "--file=-", "--same-owner", "--same-permissions", *ATTRIBUTES,
    "--delay-directory-restore", "--quoting-style=escape",
    "--warning=no-timestamp", "--blocking-factor=64",
)  # fmt: skip
_NOISE = "Exiting with failure status"


class Extraction:
    """One archive on its way into one directory."""

    def __init__(self, given: Input, directory: str, stop: Stop) -> None:
        self._given = given
        self._stop = stop
        self.members = Members(given.called)
        self._disk = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._directory = directory
        self._is_full = False
        space = os.fstatvfs(self._disk)
        self._reserve = min(_RESERVE, space.f_blocks * space.f_frsize // 100)
        self.warnings: list[str] = []
        """What tar could not do, such as to set an attribute that this file system lacks."""

    def run(self, progress: Progress | None) -> None:
        """Extract it all. Raises ChrootError, Cancelled; what was extracted so far stays then."""
        kind = compression.by_content(self._given.head, self._given.called)
        compression.require(kind, writing=False)
        self._given.begin_checksum(self._stop)
        reader, writer = pipe()
        decompress = Program(
            kind.unpack, stdin=self._given.stream(self._stop), stdout=writer, stop=self._stop
        )
        source, sink = pipe()
        tar = Program(
            command(self._directory, _TAR), stdin=source, stop=self._stop, is_guarded=True,
            on_error=self._said,
        )  # fmt: skip
        refusal: ChrootError | None = None
        try:
            self._carry(reader, sink, progress)
        except BrokenPipeError:
            self._stop.set()  # tar is gone, and says why
        except ChrootError as error:
            refusal = error
            self._stop.set()
        except BaseException:
            self._stop.set()
            raise
        finally:
            os.close(sink)
            os.close(reader)
            os.close(self._disk)
            code, decompressed = tar.wait(), decompress.wait()
        if self._stop.is_cancelled:
            raise Cancelled("unpacking was stopped")
        if self._is_full:
            raise _full(self._directory)
        if refusal is not None:
            raise refusal
        if decompressed and not self._stop.is_set():
            raise compression.read_failed(kind, decompress.lines, self._given.called)
        if not self._stop.is_set():
            self.members.finish()
        if code:
            raise _failed(tar.lines, code, self._given.called)
        self._given.check()
        self.warnings = [line.removeprefix("tar: ") for line in tar.lines]

    def _carry(self, reader: int, sink: int, progress: Progress | None) -> None:
        """Hand the stream on to tar, each piece when it has been looked through.

        Its end is made here: two blocks of zeros in whatever pieces they come, else tar takes it
        for a damaged one.
        """
        members = self.members
        while data := os.read(reader, _CHUNK):
            is_over = members.is_over
            members.feed(data)
            if not is_over:
                write_all(sink, data[: len(data) - members.behind])
                if members.is_over:
                    write_all(sink, bytes(BLOCK))
            self._check_space()
            fraction = self._given.fraction
            if progress and fraction is not None:
                progress(min(fraction, 0.99))

    def _check_space(self) -> None:
        """Stop before the disk is full, rather than after."""
        space = os.fstatvfs(self._disk)
        is_short = space.f_bavail * space.f_frsize < self._reserve
        if is_short or (space.f_files and space.f_favail < _INODES):
            self._is_full = True
            raise _full(self._directory)

    def _said(self, line: str) -> bool:
        is_full = any(word in line for word in _FULL_LINES)
        if is_full and not any(word in line for word in _OF_ATTRIBUTES):
            self._is_full = True
            self._stop.set()
        return False


def _full(directory: str) -> ChrootError:
    space = os.statvfs(directory)
    what = "inodes" if space.f_files and space.f_favail < _INODES else "space"
    return ChrootError(
        f"unpacking failed: no {what} left on the disk",
        "free some space there, or choose another place",
    )


def _failed(lines: Sequence[str], code: int, called: str) -> ChrootError:
    said = [line.removeprefix("tar: ") for line in lines if _NOISE not in line]
    why = said[0] if said else f"tar ended with {code}"
    return ChrootError(f"{called} cannot be unpacked: {why}")
