"""What an archive is compressed with: known by its name when written, by its content when read.

The compressing is done by the programs of those names. None of them is told to be content with
anything: a decompressor that would need more than a gigabyte of memory is refused.
"""

from __future__ import annotations

import re

from .. import programs
from ..errors import ChrootError, UsageError
from ..value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

PEEK = 512
"""Bytes of the beginning that tell what it is."""
_USTAR = slice(257, 262)
_SIGPIPE = -13
_STDIN = re.compile(r"^(?:\w+: )?(?:/\*stdin\*\\|\(stdin\)|stdin) *: *")
"""What zstd, xz and gzip call their input, which is nothing to whoever named a file."""


class Compression(Value):
    """One way to compress, with the command lines for both directions."""

    name: str
    suffixes: tuple[str, ...]
    """The first one is what is offered."""
    magic: bytes
    pack: tuple[str, ...]
    """Empty where it can only be read."""
    unpack: tuple[str, ...]

    @property
    def program(self) -> str:
        """Return the program that does it."""
        return self.unpack[0]


ZSTD = Compression(
    "zstd", (".tar.zst", ".tzst"), b"\x28\xb5\x2f\xfd",
    ("zstd", "-q", "-c", "-T0"), ("zstd", "-q", "-d", "-c", "--memory=1024MB"),
)  # fmt: skip
XZ = Compression(
    "xz", (".tar.xz", ".txz"), b"\xfd7zXZ\0",
    ("xz", "-q", "-c", "-T0"), ("xz", "-q", "-d", "-c", "--memlimit-decompress=1GiB"),
)  # fmt: skip
GZIP = Compression(
    "gzip", (".tar.gz", ".tgz"), b"\x1f\x8b", ("gzip", "-n", "-c"), ("gzip", "-d", "-c")
)
BZIP2 = Compression("bzip2", (".tar.bz2", ".tbz2"), b"BZh", (), ("bzip2", "-d", "-c"))
NONE = Compression("tar", (".tar",), b"", ("cat",), ("cat",))
KNOWN = (ZSTD, XZ, GZIP, BZIP2, NONE)


def by_name(name: str) -> Compression:
    """Return what an archive called *name* is to be compressed with. Raises UsageError."""
    for one in KNOWN:
        if name.endswith(one.suffixes) and one.pack:
            return one
    raise UsageError(
        f"the name {name!r} does not say how to compress",
        "let it end in .tar.zst, .tar.xz or .tar.gz",
    )


def is_archive_name(name: str) -> bool:
    """Tell whether *name* ends as the name of an archive does."""
    return any(name.endswith(one.suffixes) for one in KNOWN)


def by_content(head: bytes, called: str) -> Compression:
    """Return how a file that begins with *head* is compressed. Raises ChrootError for none."""
    for one in KNOWN:
        if one.magic and head.startswith(one.magic):
            return one
    if head[_USTAR] == b"ustar" or (len(head) == PEEK and not head.strip(b"\0")):
        return NONE
    if not head:
        raise ChrootError(f"{called} is empty")
    raise ChrootError(
        f"{called} is no archive: neither tar nor compressed by zstd, xz, gzip or bzip2",
        "look at it with file(1)",
    )


def require(compression: Compression, *, writing: bool) -> None:
    """See that the program is installed. Raises ChrootError with what to do."""
    if programs.find(compression.program):
        return
    try:
        programs.require(compression.program)
    except ChrootError as error:
        other = f", or write {GZIP.suffixes[0]}" if writing else ""
        raise ChrootError(error.message, error.hint + other) from None


def read_failed(compression: Compression, lines: Sequence[str], called: str) -> ChrootError:
    """Return the error for a decompressor that failed with *lines* on its stderr."""
    words = " ".join(lines).lower()
    if any(word in words for word in ("premature", "unexpected end", "ends unexpectedly")):
        return ChrootError(
            f"{called} is cut off: it ends in the middle", "copy or download it again"
        )
    if "memory" in words or "window" in words:
        return ChrootError(
            f"{called} would take more than 1 GiB of memory to unpack",
            f"unpack it yourself with {compression.program}, then use the .tar",
        )
    said = [line for line in map(_without_stdin, lines) if line]
    why = said[0] if said else f"{compression.program} failed"
    return ChrootError(f"{called} is damaged: {why}", "copy or download it again")


def _without_stdin(line: str) -> str:
    return _STDIN.sub("", line.strip())


def write_failed(lines: Sequence[str], code: int) -> ChrootError:
    """Return the error for a compressor that failed with *code* and *lines* on its stderr."""
    for word in ("No space left on device", "Disk quota exceeded", "File too large"):
        if any(word in line for line in lines):
            return ChrootError(
                f"the archive cannot be written: {word[0].lower()}{word[1:]}",
                "free some space there, or choose another place with -f",
            )
    if code == _SIGPIPE:
        return ChrootError("the archive cannot be written: whoever read it has gone")
    said = [line.strip() for line in lines if line.strip()]
    return ChrootError(f"the archive cannot be written: {said[0] if said else f'code {code}'}")
