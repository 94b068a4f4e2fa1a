"""Packing a tree into a base and unpacking it, each in one pass with its checksum.

GNU tar and zstd do the work; what goes between them and the file goes through here, and is hashed
on the way. Owners go by number: names mean others on this host than inside.
"""

from __future__ import annotations

import os

from .. import programs
from ..errors import ChrootError
from .namespaces import ENDS_WITH_US

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event as CancelEvent

    Progress = Callable[[int], None]

PROGRAMS = ("tar", "zstd", ENDS_WITH_US[0])
_ATTRIBUTES = ("--numeric-owner", "--xattrs", "--xattrs-include=*", "--acls")
_PACKER = "zstd -1 -T0"
"""Somebody waits for it. -3 makes a minbase 10 % smaller, and takes twice as long."""
_CHUNK = 1 << 20
_FULL = "No space left on device"


class DamagedError(ChrootError):
    """An archive is not what was written; what came out of it is worth nothing."""


def pack(tree: str, target: int, cancelled: CancelEvent | None = None) -> tuple[str, int]:
    """Pack the directory *tree* into the empty file behind *target*, and sync it.

    Returns its SHA-256 and its size. Raises ChrootError where it fails, Cancelled.
    """
    import hashlib

    # By descriptor: nobody can have put another file under its name. Not into a pipe: there tar
    # would fill up the last block, with zeros that are no zstd.
    place = f"/proc/{os.getpid()}/fd/{target}"
    words = ["tar", "--create", "--one-file-system", "--sparse", *_ATTRIBUTES]
    _tar([*words, "-I", _PACKER, "-f", place, "-C", tree, "."], None, cancelled)
    os.fsync(target)
    with os.fdopen(os.dup(target), "rb") as file:
        file.seek(0)
        return hashlib.file_digest(file, "sha256").hexdigest(), file.tell()


def unpack(
    source: int,
    tree: str,
    sha256: str,
    progress: Progress = lambda _count: None,
    cancelled: CancelEvent | None = None,
) -> None:
    """Unpack the archive behind *source*, with that checksum, into the empty directory *tree*.

    *progress* is called with the bytes read so far, from a thread. Raises DamagedError where the
    checksum is another one, ChrootError where it fails otherwise, Cancelled. What is in *tree*
    then is good for nothing.
    """
    out, into = os.pipe()
    carrier = _Carrier(source, into, progress)
    words = ["tar", "--extract", "--preserve-permissions", "--same-owner", *_ATTRIBUTES]
    failed: ChrootError | None = None
    try:
        _tar([*words, "--zstd", "-f", "-", "-C", tree], out, cancelled)
    except ChrootError as error:
        failed = error
        if cancelled and cancelled.is_set():
            raise
    finally:
        os.close(out)  # before it is waited for: it may be about to write to who is gone
        found = carrier.checksum()
    if carrier.failed:
        raise DamagedError(f"it cannot be read: {carrier.failed.strerror}")
    if found != sha256:
        raise DamagedError("its checksum is another one than when it was made")
    if failed:
        raise failed


def _tar(words: list[str], stdin: int | None, cancelled: CancelEvent | None) -> None:
    said: list[str] = []
    done = programs.run(
        [*ENDS_WITH_US, *words], stdin=stdin, on_line=said.append, cancelled=cancelled, grace=0.0
    )
    if done.code:
        if any(_FULL in line for line in said):
            raise ChrootError("no space left on device", "free some space there")
        cause = next((line for line in said if line.strip()), f"exit code {done.code}")
        raise ChrootError(cause.removeprefix("tar: "))


class _Carrier:
    """Carries what is in a file into a pipe, in a thread, and hashes all of it; closes the pipe.

    Where nobody reads from the pipe any more, it goes on reading: the checksum is of the whole.
    """

    def __init__(self, source: int, target: int, progress: Progress) -> None:
        import hashlib
        import threading

        self._source, self._target = source, target
        self._progress = progress
        self._hash = hashlib.sha256()
        self._heard = True
        self.failed: OSError | None = None
        """Why not all of the file could be read."""
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    def _carry(self) -> None:
        count = 0
        try:
            while data := os.read(self._source, _CHUNK):
                self._hash.update(data)
                if self._heard:
                    self._write(data)
                count += len(data)
                self._progress(count)
        except OSError as error:
            self.failed = error
        finally:
            os.close(self._target)

    def _write(self, data: bytes) -> None:
        left = memoryview(data)
        try:
            while left:
                left = left[os.write(self._target, left) :]
        except OSError:
            self._heard = False

    def checksum(self) -> str:
        """Wait for the end; return the SHA-256 of all that was read."""
        self._thread.join()
        return self._hash.hexdigest()
