"""Packing a tree into an archive and unpacking it: everything that a file system holds.

GNU tar reads and writes the files, since it knows all that is to be kept (owners by number, times
to the nanosecond, extended attributes, ACLs, capabilities, hard links, holes) and is as quick as
the disk. What it has no words for, flags and sockets say, stands in the manifest.

A tree is packed through a detached mount of its directory alone: what is mounted on it, on or off,
is not in it, and what lies below those mounts is. While one is unpacked the stream is looked
through (members.py) and tar can write in that one directory only (confined.py).
"""

from __future__ import annotations

import os

from ..errors import Cancelled, ChrootError, CutShortError, UsageError
from ..need_root import need_root
from ..value import Value
from . import compression, extras
from .manifest import Manifest
from .packing import Tree
from .pipeline import Stop, write_all
from .reading import SEAL, STDIN, Input
from .unpacking import Extraction
from .writing import Output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from threading import Event as Flag

    from .compression import Compression
    from .writing import Owner

    Progress = Callable[[float], None]
    """Told the fraction that is done, from other threads too; never going back."""

__all__ = [
    "STDIN",
    "STDOUT",
    "Manifest",
    "Packed",
    "Unpacked",
    "check",
    "pack",
    "pack_into",
    "send",
    "store",
    "unpack",
]

STDOUT = "-"
_STEP = 0.005
_CHUNK = 1 << 18


class Packed(Value):
    """An archive that was written."""

    path: str
    """Absolute; `-` for stdout."""
    size: int
    """Bytes of the file; 0 on stdout."""
    sha256: str
    """Empty where it was not asked for."""
    count: int
    """Files, directories, links …"""
    left_out: tuple[str, ...]
    """Paths that are there and are not in it: directories without their content."""
    missing: tuple[str, ...]
    """Paths that were to be left out and are not there."""
    changed: tuple[str, ...]
    """What tar said of files that changed or went meanwhile: such a one may be half old."""


class Unpacked(Value):
    """An archive that was unpacked."""

    manifest: Manifest | None
    """None where it is of another tool's making."""
    count: int
    lost: tuple[str, ...]
    """What could not be restored, an attribute that this file system does not have say."""


def pack_into(
    directory: str,
    fd: int,
    kind: Compression = compression.ZSTD,
    *,
    exclude: Sequence[str] = (),
    manifest: Manifest | None = None,
    progress: Progress | None = None,
    cancelled: Flag | None = None,
) -> Packed:
    """Write the tree at *directory* into the descriptor *fd*, as `pack` does into a file.

    What is in it when this fails is worth nothing; nothing is synced.
    """
    need_root("packing")
    compression.require(kind, writing=True)
    status = os.fstat(fd)
    with Tree(directory, exclude, Stop(cancelled)) as tree:
        changed = tree.write(
            kind.pack, os.dup(fd),
            manifest=_said_of(manifest, tree), never=(status.st_dev, status.st_ino),
            progress=in_steps(progress) if progress else None,
        )  # fmt: skip
        return Packed(STDOUT, 0, "", tree.count, tree.left_out, tree.missing, changed)


def pack(
    directory: str,
    output: str,
    *,
    exclude: Sequence[str] = (),
    manifest: Manifest | None = None,
    checksum: bool = False,
    owner: Owner | None = None,
    progress: Progress | None = None,
    cancelled: Flag | None = None,
) -> Packed:
    """Write the tree at *directory* into the archive *output*, compressed as its name says.

    *output* is `-` for stdout, compressed by zstd then. It appears when it is whole, and is
    `.NAME.part` until then. *exclude* are paths from the directory, taken literally: of a
    directory the content is left out, else it itself. *manifest* says what it is; flags, sockets
    and left_out are filled in. With *checksum*, OUTPUT.sha256 is written beside it. Both are
    *owner*'s, where there is one.

    Raises UsageError, PrivilegeError without root, LockedError where another writes the same
    file, ChrootError, Cancelled; nothing is left then, and what was there of that name is as
    before.
    """
    if output == STDOUT:
        if checksum:
            raise UsageError("a checksum needs a file", "name one with -f, or use sha256sum")
        done = pack_into(
            directory, 1,
            exclude=exclude, manifest=manifest, progress=progress, cancelled=cancelled,
        )  # fmt: skip
        try:
            write_all(1, SEAL)
        except OSError as error:
            raise ChrootError(f"packing failed: stdout: {error.strerror}") from error
        return done
    need_root("packing")
    kind = compression.by_name(output)
    compression.require(kind, writing=True)
    with Output(output, owner) as file:
        done = pack_into(
            directory, file.fd, kind,
            exclude=exclude, manifest=manifest, progress=progress, cancelled=cancelled,
        )  # fmt: skip
        digest = file.finish(checksum=checksum, cancelled=cancelled)
        return done.replace(path=file.path, size=file.size, sha256=digest)


def in_steps(progress: Progress) -> Progress:
    """Return what tells *progress* of every half percent, and no more often."""
    told = -_STEP

    def tell(fraction: float) -> None:
        nonlocal told
        if fraction >= told + _STEP:
            told = fraction
            progress(fraction)

    return tell


def _said_of(manifest: Manifest | None, tree: Tree) -> Manifest:
    manifest = manifest or Manifest()
    return manifest.replace(left_out=tuple(sorted({*manifest.left_out, *tree.left_out})))


def check(source: str) -> None:
    """See that *source* is there and is an archive, before anything is made for it.

    Nothing is read from stdin. Raises ChrootError, PrivilegeError.
    """
    if source != STDIN:
        with Input(source) as given:
            kind = compression.by_content(given.head, given.called)
            compression.require(kind, writing=False)


def unpack(
    source: str | int,
    directory: str,
    *,
    sha256: str = "",
    sealed: bool = False,
    progress: Progress | None = None,
    cancelled: Flag | None = None,
) -> Unpacked:
    """Unpack the archive *source*, a path, a descriptor or `-`, into the empty *directory*.

    How it is compressed is seen by its content. *sha256*, or SOURCE.sha256 where that is there,
    has to be right; of a stream that cannot be rewound it is not looked at. *sealed*: it has to
    end as `pack` ends what it writes to stdout, else it is CutShortError.
    Owners, times and all else are as in the archive, those of *directory* itself too. Flags are
    not set (flags.py): with an immutable file in it a tree can be neither moved nor deleted.

    Nothing that is in the archive can make anything outside *directory*. What would try to is
    refused, with the member's name. Raises ChrootError, PrivilegeError, Cancelled; then what was
    unpacked so far is still there: the caller throws it away.
    """
    need_root("unpacking")
    stop = Stop(cancelled)
    with Input(source, sha256, sealed=sealed, stop=stop) as given:
        extraction = Extraction(given, directory, stop)
        try:
            extraction.run(in_steps(progress) if progress else None)
        except ChrootError as error:
            if given.is_cut and not isinstance(error, CutShortError | Cancelled):
                given.check()
            raise
    members = extraction.members
    lost = extraction.warnings
    if members.manifest is not None:
        lost += extras.make(directory, members.manifest)
    return Unpacked(members.manifest, members.count, tuple(lost))


def send(
    source: str,
    *,
    sealed: bool = False,
    progress: Progress | None = None,
    cancelled: Flag | None = None,
) -> None:
    """Write the archive *source* to stdout, and a seal after it: then all of it is there.

    Its checksum has to be right, and with *sealed* its own end, as for `unpack`; nobody may change
    it meanwhile. Raises ChrootError, PrivilegeError, Cancelled; then it has no seal.
    """
    stop = Stop(cancelled)
    tell = in_steps(progress) if progress else None
    with Input(source, sealed=sealed, stop=stop) as given:
        compression.by_content(given.head, source)
        before = os.fstat(given.fd)
        given.begin_checksum(stop)
        try:
            while not stop.is_set() and (data := _read(given)):
                write_all(1, data)
                if tell and given.fraction is not None:
                    tell(given.fraction)
            if stop.is_set():
                raise Cancelled(f"sending {source} was interrupted")
            given.check()
            now = os.fstat(given.fd)
            if (now.st_size, now.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
                raise ChrootError(f"{source} was changed while it was sent", "send it again")
            write_all(1, SEAL)
        except OSError as error:
            raise ChrootError(f"sending {source} failed: stdout: {error.strerror}") from error
        finally:
            stop.set()  # where it failed its checksum is nothing to wait for


def _read(given: Input) -> bytes:
    try:
        return os.read(given.fd, _CHUNK)
    except OSError as error:
        raise ChrootError(f"cannot read {given.called}: {error.strerror}") from error


def store(output: str, *, checksum: bool, owner: Owner | None = None, cancelled: Flag) -> Packed:
    """Write the archive on stdin, which ends with its seal, into the file *output*, *owner*'s.

    Raises ChrootError, CutShortError where it has no seal, Cancelled; then nothing of it is there.
    """
    stop = Stop(cancelled)
    with Input(STDIN, sealed=True, stop=stop) as given, Output(output, owner) as file:
        reader = given.stream(stop)
        try:
            while data := os.read(reader, _CHUNK):
                write_all(file.fd, data)
        except OSError as error:
            raise ChrootError(f"cannot write {output}: {error.strerror}") from error
        finally:
            os.close(reader)
        if cancelled.is_set():
            raise Cancelled(f"writing {output} was interrupted")
        given.check()
        digest = file.finish(checksum=checksum, cancelled=cancelled)
        return Packed(file.path, file.size, digest, 0, (), (), ())
