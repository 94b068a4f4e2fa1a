"""Packing a tree into a base and unpacking it: as any archive, but with its checksum known.

It is written faster and larger than one that people keep: somebody waits for it.
"""

from __future__ import annotations

import os

from ...archives import archive, compression, writing
from ...archives.manifest import Manifest
from ...errors import Cancelled, ChrootError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event as CancelEvent

    Progress = Callable[[float], None]

PROGRAMS = ("tar", "zstd")
_FAST = compression.ZSTD.replace(pack=("zstd", "-q", "-c", "-1", "-T0"))
"""-3 makes a minbase 10 % smaller, and takes half as long again."""


class DamagedError(ChrootError):
    """An archive is not what was written; what came out of it is worth nothing."""


def pack(tree: str, target: int, cancelled: CancelEvent | None = None) -> tuple[str, int]:
    """Pack the directory *tree* into the empty file behind *target*, and sync it.

    Returns its SHA-256 and its size. Raises ChrootError where it fails, Cancelled.
    """
    try:
        archive.pack_into(tree, target, _FAST, manifest=Manifest(), cancelled=cancelled)
    except Cancelled:
        raise
    except ChrootError as error:
        raise ChrootError(error.message) from error  # its hints are for other archives
    os.fsync(target)
    return writing.sha256(target), os.fstat(target).st_size


def unpack(
    source: int,
    tree: str,
    sha256: str,
    progress: Progress | None = None,
    cancelled: CancelEvent | None = None,
) -> None:
    """Unpack the archive behind *source*, with that checksum, into the empty directory *tree*.

    The checksum is computed meanwhile. *progress* is told the fraction that is done, from a
    thread. Raises DamagedError where the file is not what it was, ChrootError where it fails
    otherwise, Cancelled. What is in *tree* then is good for nothing.
    """
    try:
        archive.unpack(source, tree, sha256=sha256, progress=progress, cancelled=cancelled)
    except Cancelled:
        raise
    except ChrootError as error:
        # It may be the disk's fault: a base that is sound is not to be thrown away for that.
        if _is(source, sha256):
            raise
        raise DamagedError(error.message) from error


def _is(source: int, sha256: str) -> bool:
    try:
        return writing.sha256(source) == sha256
    except OSError:
        return False
