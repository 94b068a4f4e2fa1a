"""Reading a tar stream over somebody's shoulder: what its members are, before tar sees them.

`Members.feed` takes the stream piece by piece and raises before the piece that holds a member
which would leave the directory is handed on. That is for a clear word; what keeps the host safe is
that tar has nothing else to write in (confined.py). So this need not agree with tar in
every corner, and what it does not know it refuses.

The forms are ustar and pax (POSIX.1, pax(1)) and GNU's own (tar(5), "GNU tar archives").
"""

from __future__ import annotations

from ..errors import ChrootError
from . import manifest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

BLOCK = 512
_ZERO = bytes(BLOCK)
_TEXT_LIMIT = 8 << 20
"""Bytes of one extended header: names and extended attributes."""
_BEHIND_LIMIT = 64 << 20
"""Bytes behind the end of the archive: tar pads, and nobody reads what stands there."""
_PATH_LIMIT = 4095  # PATH_MAX without its NUL: no path that is longer can be made

_LINK, _SYMLINK = b"1", b"2"
_PAX, _GLOBAL, _LONG_NAME, _LONG_LINK, _SPARSE = b"x", b"g", b"L", b"K", b"S"
_SOLARIS = b"X"
_KINDS = frozenset((b"\0", *[bytes([kind]) for kind in b"01234567SV"]))
"""Files, links, devices, directories, fifos; S: sparse, V: the label of an archive."""
_TEXTS = frozenset((_PAX, _GLOBAL, _LONG_NAME, _LONG_LINK, _SOLARIS))


class Members:
    """One pass over a stream. `feed` it all, then `finish`."""

    def __init__(self, called: str) -> None:
        """*called* is the archive's name for messages."""
        self._called = called
        self._held = bytearray()
        self._want = BLOCK
        self._take: Callable[[bytes], None] = self._header
        self._skip = 0
        self._content = 0
        self._kind = b""
        self._pax: dict[bytes, bytes] = {}
        self._long: dict[bytes, bytes] = {}
        self._links: set[bytes] = set()
        self._sound = b""
        """The directory whose way was last found to hold no link."""
        self.behind = 0
        """Bytes of the stream that came behind its end so far."""
        self.count = 0
        self.is_over = False
        """Whether the archive's end has been seen: what follows is padding."""
        self.manifest: manifest.Manifest | None = None

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the stream.

        Raises ChrootError where a member would leave the directory, or this is no sound archive.
        """
        at, length = 0, len(data)
        while at < length:
            if self.is_over:
                self.behind += length - at
                if self.behind > _BEHIND_LIMIT:
                    raise self._damaged("it goes on behind its end")
                return
            if self._skip:
                step = min(self._skip, length - at)
                self._skip -= step
                at += step
                continue
            step = min(self._want - len(self._held), length - at)
            self._held += data[at : at + step]
            at += step
            if len(self._held) == self._want:
                block = bytes(self._held)
                self._held.clear()
                self._take(block)

    def finish(self) -> None:
        """Say that the stream is over. Raises ChrootError where it ended in the middle."""
        if not self.is_over and not (self.count and self._between()):
            raise ChrootError(
                f"{self._called} is cut off: it ends in the middle", "copy or download it again"
            )

    def _between(self) -> bool:
        """Tell whether a whole member was read: some tars leave the end out."""
        return not (self._held or self._skip or self._pax or self._long)

    # -- pieces of the stream --------------------------------------------------------------------

    def _header(self, block: bytes) -> None:
        if block == _ZERO:
            self.is_over = True
            return
        if not _is_sound(block):
            raise self._damaged(f"no header where one belongs, after {self.count} members")
        self._kind = kind = block[156:157]
        size = self._number(block[124:136])
        if kind in _TEXTS:
            is_first = kind == _GLOBAL and not self.count and self.manifest is None
            if size > (manifest.LIMIT + BLOCK if is_first else _TEXT_LIMIT):
                raise self._damaged(f"a header of {size} bytes")
            self._expect(-(-size // BLOCK) * BLOCK, lambda body: self._text(body[:size]))
            return
        if kind not in _KINDS:
            raise self._damaged(f"a member of the unknown kind {kind!r}")
        if b"size" in self._pax:
            size = self._decimal(self._pax[b"size"])
        name = self._name(block)
        target = self._target(block) if kind in (_LINK, _SYMLINK) else b""
        self._pax, self._long = {}, {}
        self._member(kind, name, target)
        # Links have no content whatever they say (GNU tar, list.c).
        self._skip = 0 if kind in (_LINK, _SYMLINK) else -(-size // BLOCK) * BLOCK
        if kind == _SPARSE and block[482]:
            self._content, self._skip = self._skip, 0
            self._take = self._sparse_map

    def _expect(self, want: int, take: Callable[[bytes], None]) -> None:
        if want:
            self._want, self._take = want, take
        else:
            take(b"")

    def _next_header(self) -> None:
        self._want, self._take = BLOCK, self._header

    def _sparse_map(self, block: bytes) -> None:
        """Take one more block of the map of a sparse file in GNU's old form."""
        if not block[504]:
            self._next_header()
            self._skip = self._content

    def _text(self, body: bytes) -> None:
        """Take the content of a header that says more about the next member, or all."""
        self._next_header()
        if self._kind in (_LONG_NAME, _LONG_LINK):
            self._long[self._kind] = body.partition(b"\0")[0]
            return
        records = self._records(body)
        if self._kind == _GLOBAL:
            self._global(records)
        else:
            self._pax.update(records)

    def _global(self, records: dict[bytes, bytes]) -> None:
        for key in (b"path", b"linkpath", b"size"):
            if key in records:
                raise self._damaged(f"a {key.decode()} for all members")
        comment = records.get(b"comment", b"")
        if comment and not self.count and self.manifest is None:
            self.manifest = manifest.parse(comment.decode("utf-8", "surrogateescape"))

    def _records(self, body: bytes) -> dict[bytes, bytes]:
        """Return the records `LENGTH KEY=VALUE\\n` of an extended header."""
        found: dict[bytes, bytes] = {}
        at = 0
        while at < len(body):
            digits = body[at : at + 20].partition(b" ")[0]
            length = self._decimal(digits)
            record = body[at + len(digits) + 1 : at + length]
            key, equals, value = record[:-1].partition(b"=")
            if length <= len(digits) + 2 or record[-1:] != b"\n" or not equals:
                raise self._damaged("an extended header that is none")
            found[key] = value
            at += length
        return found

    # -- what a member is ------------------------------------------------------------------------

    def _name(self, block: bytes) -> bytes:
        for long in (
            self._pax.get(b"GNU.sparse.name"),
            self._pax.get(b"path"),
            self._long.get(_LONG_NAME),
        ):
            if long is not None:
                return long
        name = block[:100].partition(b"\0")[0]
        prefix = block[345:500].partition(b"\0")[0] if block[257:263] == b"ustar\0" else b""
        return prefix + b"/" + name if prefix else name

    def _target(self, block: bytes) -> bytes:
        for long in (self._pax.get(b"linkpath"), self._long.get(_LONG_LINK)):
            if long is not None:
                return long
        return block[157:257].partition(b"\0")[0]

    def _member(self, kind: bytes, name: bytes, target: bytes) -> None:
        self.count += 1
        way = self._inside(name, name)
        if kind == _LINK:
            self._inside(target, name)
        if kind == _SYMLINK:
            if not way:
                raise self._leaves(name, "it would put a link in place of the directory itself")
            self._links.add(way)
            self._sound = b""
        elif self._links:
            self._links.discard(way)

    def _inside(self, path: bytes, name: bytes) -> bytes:
        """Return *path* without what says nothing. Raises where it leads out of the directory."""
        if not path or len(path) > _PATH_LIMIT or b"\0" in path:
            raise self._leaves(name, "no file can have that name")
        linked = "" if path is name else f" is a hard link to {_shown(path)}, which"
        if path.startswith(b"/"):
            raise self._leaves(name, f"it{linked} is absolute" if linked else "it is absolute")
        parts = [part for part in path.split(b"/") if part not in (b"", b".")]
        if b".." in parts:
            raise self._leaves(name, f"it{linked} holds '..'")
        way = b"/".join(parts)
        directory = way.rpartition(b"/")[0]
        if self._links and directory and directory != self._sound:
            self._follow_none(directory, name, linked)
            self._sound = directory
        return way

    def _follow_none(self, directory: bytes, name: bytes, linked: str) -> None:
        at = 0
        while at >= 0:
            at = directory.find(b"/", at + 1)
            above = directory if at < 0 else directory[:at]
            if above in self._links:
                raise self._leaves(name, f"it{linked} lies below the link {_shown(above)}")

    # -- numbers and errors ----------------------------------------------------------------------

    def _number(self, field: bytes) -> int:
        """Return a number of a header: octal, or binary with the first bit set (tar(5))."""
        if field[0] & 0x80:
            number = int.from_bytes(field[1:], "big")
            if field[0] != 0x80 or number >= 1 << 63:
                raise self._damaged("a size below zero or beyond all bounds")
            return number
        text = field.strip(b" \0")
        if not text:
            return 0
        try:
            return int(text, 8)
        except ValueError:
            raise self._damaged("a size that is no number") from None

    def _decimal(self, text: bytes) -> int:
        if not text.isdigit() or len(text) > 19:
            raise self._damaged("a size that is no number")
        return int(text)

    def _leaves(self, name: bytes, why: str) -> ChrootError:
        what = f"the member {_shown(name)} would leave the directory"
        return ChrootError(
            f"{self._called} is refused: {what}: {why}",
            "no archive of a chroot holds such a thing: who made it, and why?",
        )

    def _damaged(self, why: str) -> ChrootError:
        return ChrootError(f"{self._called} is no sound tar archive: {why}")


def _shown(name: bytes) -> str:
    text = name.decode("utf-8", "surrogateescape")
    return text if len(text) <= 200 else text[:200] + "…"


def _is_sound(block: bytes) -> bool:
    """Tell whether the sum of a header is the one that stands in it (old ones: signed bytes)."""
    try:
        wanted = int(block[148:156].strip(b" \0") or b"0", 8)
    except ValueError:
        return False
    total = sum(block) - sum(block[148:156]) + 256
    if total == wanted:
        return True
    high = sum(1 for at, byte in enumerate(block) if byte > 127 and not 148 <= at < 156)
    return total - 256 * high == wanted
