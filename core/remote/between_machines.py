"""`clone`, `pack` and `unpack` where what is read and what is written are on two machines.

Each end is a chroot-tool with pipes (`stream`). What these do is what the methods of the engine of
the same names do on one machine, with the same words, errors and promises.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ..archives import archive, compression, writing
from ..archives.archive import Packed, Unpacked
from ..archives.reading import Input
from ..errors import ChrootError, UsageError
from ..trees.duplicate import Cloned
from . import documents, stream
from .address import joined
from .stream import End

if TYPE_CHECKING:
    from threading import Event as Flag

    from ..events import Report

Program = Callable[[Sequence[str]], End]
"""Returns the chroot-tool of a machine that does some words."""
PIPE = "-"


def clone(
    source: Program, path: str, sink: Program, new: str, *, exact: bool, report: Report,
    cancelled: Flag,
) -> Cloned:  # fmt: skip
    """Make *new* of one machine what *path* of another is. As `Engine.clone`."""
    names = () if exact else ("--new-names",)
    _, said = stream.carry(
        source(("pack", "-d", path, "-f", PIPE, "--everything", "--json")),
        sink(("unpack", "-f", PIPE, "-d", new, "--sealed", *names, "--json")),
        new, report=report, cancelled=cancelled,
    )  # fmt: skip
    return Cloned(new, "stream", _count(said), 0)


def pack(
    source: Program, path: str, output: str, *, sink: Program | None = None,
    exclude: Sequence[str] = (), everything: bool = False, oci: bool = False,
    checksum: bool = False, report: Report, cancelled: Flag,
) -> Packed:  # fmt: skip
    """Pack *path* of a machine into *output*, a file here or stdout, or one of the machine *sink*.

    As `Engine.pack`.
    """
    words = [word for one in exclude for word in ("-i", one)] + ["--everything"] * everything
    end = source(("pack", "-d", path, "-f", PIPE, *words, "--json"))
    is_piped = output == PIPE and sink is None
    if oci:
        place = joined(end.name, "/DIR.oci")
        raise UsageError("an image is made where the chroot is", f"-f {place}")
    if is_piped and checksum:
        raise UsageError("a checksum needs a file", "name one with -f, or use sha256sum")
    if not is_piped and compression.by_name(output) is not compression.ZSTD:
        raise UsageError(
            "what goes from one machine to another is compressed by zstd",
            f"name it ….tar.zst, or pack it there: -f {joined(end.name, '/FILE')}",
        )

    def packed(file: str, size: int = 0, digest: str = "") -> Packed:
        missing = said.get("left_out")
        left_out = tuple(map(str, missing)) if isinstance(missing, list) else ()
        return Packed(file, size, digest, _count(said), left_out, (), ())

    if is_piped:
        said = stream.receive(end, 1, path, report=report, cancelled=cancelled)
        return packed(PIPE)
    if sink is not None:
        there = sink(("pack", "--store", "-f", output, *["--checksum"] * checksum, "--json"))
        place = joined(there.name, output)
        said, done = stream.carry(end, there, place, report=report, cancelled=cancelled)
        try:
            file = documents.decode(done.get("archive"), str)
            size = documents.decode(done.get("size"), int)
            digest = documents.decode(done.get("sha256") or "", str)
        except ValueError as error:
            raise ChrootError(f"{there.name}: its answer makes no sense: {error}") from error
        return packed(joined(there.name, file), size, digest)
    with writing.Output(output) as file:
        said = stream.receive(end, file.fd, path, report=report, cancelled=cancelled)
        digest = file.finish(checksum=checksum, cancelled=cancelled)
        return packed(output, digest=digest, size=file.size)


def unpack(
    sink: Program, path: str, source: str, *, sender: Program | None = None, sealed: bool = False,
    new_names: bool = False, report: Report, cancelled: Flag,
) -> Unpacked:  # fmt: skip
    """Unpack *source*, a file here or stdin, or one of a machine, *sender*, as *path* of another.

    As `Engine.unpack`.
    """
    asked = {"--sealed": sealed or sender is not None, "--new-names": new_names}
    more = [word for word, wanted in asked.items() if wanted]
    end = sink(("unpack", "-f", PIPE, "-d", path, *more, "--json"))
    if sender is not None:
        given_by = sender(("unpack", "--send", "-f", source, *["--sealed"] * sealed, "--json"))
        _, said = stream.carry(given_by, end, path, report=report, cancelled=cancelled)
    else:
        said = _unpack_from_here(end, path, source, report=report, cancelled=cancelled)
    try:
        found: Unpacked = documents.decode(said, Unpacked)
    except ValueError as error:
        raise ChrootError(f"{end.name}: its answer makes no sense: {error}") from error
    return found


def _unpack_from_here(
    end: End, path: str, source: str, *, report: Report, cancelled: Flag
) -> dict[str, Any]:
    archive.check(source)
    fd = 0
    if source != PIPE:
        with Input(source) as given:
            fd = os.dup(given.fd)
    try:
        wanted = "" if source == PIPE else writing.known_checksum(source)
        if wanted and wanted != writing.sha256(fd, cancelled) and not cancelled.is_set():
            raise ChrootError(
                f"{source} is not what its checksum was made of", "copy or download it again"
            )
        given_by = End("", ("cat",))
        _, said = stream.carry(given_by, end, path, report=report, cancelled=cancelled, given=fd)
    finally:
        if fd:
            os.close(fd)
    return said


def _count(said: dict[str, Any]) -> int:
    count = said.get("count")
    return count if type(count) is int else 0
