"""Where bases are kept: a directory of root's own, two files for each, and who makes one now.

    bookworm-amd64-minbase-debootstrap-1a2b3c4d.json               what it is, its checksum
    bookworm-amd64-minbase-debootstrap-1a2b3c4d-5e6f7081.tar.zst   the tree
    bookworm-amd64-minbase-debootstrap-1a2b3c4d.lock               while somebody makes it
    bookworm-amd64-minbase-debootstrap-1a2b3c4d.part               while it is packed
    bookworm-amd64-minbase-debootstrap-1a2b3c4d.build/             while `base make` builds it

The .json names the archive, whose name has its own checksum in it, and is written last, by rename:
so at every moment it names an archive that is whole, and who reads an old one goes on reading it.
All else is what a kill left; whoever has the lock of the name next takes it away. The lock is a
flock, so it ends with its process.

When a base was used last is the modification time of its archive.
"""

from __future__ import annotations

import os
import stat

from ... import json_values
from ...errors import ChrootError, PrivilegeError
from ...kernel import small_file
from ...value import Value
from ..options import BACKENDS, VARIANTS
from .key import DIGITS, Key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

DIRECTORY = "/var/cache/chroot-tool"
LIMIT = 4 << 30
JSON, ARCHIVE, LOCK, PART, BUILD = ".json", ".tar.zst", ".lock", ".part", ".build"
_MODE = 0o600
_HEX = frozenset("0123456789abcdef")
_NOFOLLOW = os.O_NOFOLLOW | os.O_CLOEXEC


class Cache(Value):
    """Where bases are kept, and how much of the disk they may take together."""

    directory: str = DIRECTORY
    limit: int = LIMIT
    """Bytes; 0: none are kept."""


class Facts(Value):
    """What is known of a tree besides its key."""

    made: float
    """When it was bootstrapped or brought up to date, in seconds since the epoch."""
    seconds: float
    """What bootstrapping it took."""
    packages: int
    release: str = ""
    """The Date field of the suite's Release file then; "" where that was not seen."""
    codename: str = ""


class Base(Value):
    """A base that is there."""

    key: Key
    facts: Facts
    archive: str
    """The name of its file."""
    sha256: str
    size: int
    """Bytes of the archive."""
    used: float
    """When it was unpacked or made last, in seconds since the epoch."""

    @property
    def name(self) -> str:
        """What people call it."""
        return self.key.name


class Store:
    """The directory, opened. A context manager.

    Raises ChrootError where it is none that can be trusted, PrivilegeError where it may not be
    opened, FileNotFoundError where it is missing and *make* is false.
    """

    def __init__(self, directory: str, *, make: bool = False) -> None:
        self.path = directory
        if make:
            _make(directory)
        try:
            self.fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | _NOFOLLOW)
        except PermissionError:
            raise _needs_root(directory) from None
        except FileNotFoundError:
            raise
        except OSError as error:
            reason = "is a link" if os.path.islink(directory) else f": {error.strerror}"
            raise _refused(directory, reason) from error
        try:
            self._check()
        except BaseException:
            os.close(self.fd)
            raise

    def _check(self) -> None:
        status = os.fstat(self.fd)
        if status.st_uid == 0 != os.geteuid():
            raise _needs_root(self.path)
        if status.st_uid != os.geteuid():
            raise _refused(self.path, f"belongs to user {status.st_uid}")
        if stat.S_IMODE(status.st_mode) & 0o022:
            raise _refused(self.path, "can be written by others")

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.fd)

    # -- reading ---------------------------------------------------------------------------------

    def bases(self) -> tuple[Base, ...]:
        """Return the bases, the one that was used last first. Broken ones are left out."""
        names = [name.removesuffix(JSON) for name in os.listdir(self.fd) if name.endswith(JSON)]
        found = [base for base in map(self.read, names) if base]
        return tuple(sorted(found, key=lambda base: (-base.used, base.name)))

    def read(self, name: str) -> Base | None:
        """Return the base *name*, None where there is none that is whole."""
        try:
            data = small_file.read(name + JSON, dir_fd=self.fd)
            base = _from_json(json_values.document(data))
            there = os.stat(base.archive, dir_fd=self.fd, follow_symlinks=False)
        except (OSError, ValueError):
            return None
        if base.name != name or not stat.S_ISREG(there.st_mode) or there.st_size != base.size:
            return None
        return base.replace(used=there.st_mtime)

    def find(self, key: Key) -> Base | None:
        """Return the base of *key*."""
        base = self.read(key.name)
        return base if base and base.key == key else None

    def open_archive(self, base: Base) -> int:
        """Open the archive of *base* for reading; the caller closes it. Raises OSError."""
        return self._open(base.archive)

    def _open(self, name: str) -> int:
        fd = os.open(name, os.O_RDONLY | os.O_NONBLOCK | _NOFOLLOW, dir_fd=self.fd)
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            raise FileNotFoundError(name)
        return fd

    def touch(self, base: Base) -> None:
        """Note that *base* is used now."""
        try:
            os.utime(base.archive, dir_fd=self.fd, follow_symlinks=False)
        except OSError:
            pass  # somebody has taken it away; who reads it has it open

    # -- writing: the caller has the lock of the name --------------------------------------------

    def begin(self, name: str) -> int:
        """Make the file that the base *name* is packed into; the caller closes it."""
        self.unlink(name + PART)
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | _NOFOLLOW
        return os.open(name + PART, flags, _MODE, dir_fd=self.fd)

    def finish(self, base: Base) -> None:
        """Put what `begin` gave, written and synced, in the place of the base that was there."""
        os.rename(base.name + PART, base.archive, src_dir_fd=self.fd, dst_dir_fd=self.fd)
        try:
            self.note(base)
        except BaseException:
            now = self.read(base.name)
            if now is None or now.archive != base.archive:
                self.unlink(base.archive)
            raise

    def remove_older(self, base: Base) -> None:
        """Remove what *base* has taken the place of."""
        for name in self._files(base.name):
            if name.endswith(ARCHIVE) and name != base.archive:
                self.unlink(name)

    def note(self, base: Base) -> None:
        """Write what *base* is, so that it is there all at once."""
        import json

        new = f"{base.name}{JSON}{PART}"
        self.unlink(new)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NOFOLLOW
        fd = os.open(new, flags, _MODE, dir_fd=self.fd)
        try:
            with open(fd, "w", encoding="utf-8") as file:
                json.dump(_to_json(base), file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            os.rename(new, base.name + JSON, src_dir_fd=self.fd, dst_dir_fd=self.fd)
        except BaseException:
            self.unlink(new)
            raise
        os.fsync(self.fd)

    def tidy(self, name: str) -> int:
        """Take away what a kill left of making the base *name*; return the bytes that are free."""
        return self._delete(self.rests(name))

    def rests(self, name: str) -> list[str]:
        """Return the files that making the base *name* leaves where it is killed."""
        base = self.read(name)
        kept = {name + JSON, base.archive} if base else set()
        return [file for file in self._files(name) if file not in kept]

    def remove(self, name: str) -> int:
        """Remove the base *name* and whatever a kill left of it; return the bytes that are free."""
        # The .json first: what it names is whole, or it is not there.
        return self._delete(sorted(self._files(name), key=lambda file: not file.endswith(JSON)))

    def discard(self, base: Base) -> None:
        """Remove *base* and nothing else of its name: another may be in the making already."""
        self.unlink(base.name + JSON)
        self.unlink(base.archive)

    def _delete(self, files: Iterable[str]) -> int:
        from ...trees.remove import tree

        freed = 0
        for file in files:
            if file.endswith(BUILD):
                tree(self.fd, file)
            else:
                freed += os.stat(file, dir_fd=self.fd, follow_symlinks=False).st_size
                self.unlink(file)
        return freed

    def names(self) -> tuple[str, ...]:
        """Return the names of which anything is there, whole or not."""
        return tuple(sorted(set(map(_name_of, os.listdir(self.fd))) - {""}))

    def _files(self, name: str) -> list[str]:
        """Return the files of the base *name* but its lock."""
        files = os.listdir(self.fd)
        return [file for file in files if _name_of(file) == name and not file.endswith(LOCK)]

    def unlink(self, name: str) -> None:
        """Remove a file that may be there."""
        try:
            os.unlink(name, dir_fd=self.fd)
        except FileNotFoundError:
            pass


def _name_of(file: str) -> str:
    """Return the name of the base that *file* is of, "" for a file that is none of ours.

    Strictly: what `_name_of` knows may be deleted, and the directory may hold other things.
    """
    stem = file.removesuffix(PART)
    for ending in (JSON, LOCK, BUILD):
        if stem.endswith(ending):
            return is_name(stem.removesuffix(ending))
    if stem.endswith(ARCHIVE):
        return is_name(stem.removesuffix(ARCHIVE).rpartition("-")[0])
    return is_name(stem) if file.endswith(PART) else ""


def is_name(text: str) -> str:
    """Return *text* where it has the form of a base's name, else ""."""
    words = text.rsplit("-", 3)
    if len(words) < 4 or words[1] not in VARIANTS or words[2] not in BACKENDS:
        return ""
    return text if len(words[3]) == DIGITS and set(words[3]) <= _HEX else ""


def archive_name(key: Key, sha256: str) -> str:
    """Return the name of the archive of *key* with that checksum."""
    return f"{key.name}-{sha256[:8]}{ARCHIVE}"


def _make(directory: str) -> None:
    try:
        os.makedirs(os.path.dirname(directory), 0o755, exist_ok=True)
        os.mkdir(directory, 0o700)
    except FileExistsError:
        pass
    except PermissionError as error:
        said = f"{directory} may not be made: {error.strerror}"
        raise PrivilegeError(said, "run as root") from error
    except OSError as error:
        raise ChrootError(f"{directory} cannot be made: {error.strerror}", _HINT) from error


_HINT = "the setting `cache` names another place for bases; --no-cache goes without"


def _needs_root(directory: str) -> PrivilegeError:
    return PrivilegeError(f"access to the bases in {directory} needs root", "run as root")


def _refused(directory: str, reason: str) -> ChrootError:
    return ChrootError(
        f"bases are not kept in {directory}: it {reason.lstrip(': ')}",
        f"it must be a directory of root's that nobody else can write in; {_HINT}",
    )


def _to_json(base: Base) -> dict[str, Any]:
    def fields(value: Value) -> dict[str, Any]:
        return {name: getattr(value, name) for name in value._fields}

    own = {name: getattr(base, name) for name in ("archive", "sha256", "size")}
    return {"key": fields(base.key), "facts": fields(base.facts), **own}


def _from_json(data: dict[str, Any]) -> Base:
    """Return the base of a .json file. Raises ValueError for another form."""
    key = json_values.table(data, "key")
    if key.keys() != set(Key._fields):
        raise ValueError("another form of key")
    words = {field: json_values.text(key, field) for field in Key._fields if field != "include"}
    facts = json_values.table(data, "facts")
    archive = json_values.text(data, "archive")
    if "/" in archive or not archive.endswith(ARCHIVE):
        raise ValueError(archive)
    return Base(
        Key(**words, include=json_values.texts(key, "include")),
        Facts(
            made=json_values.number(facts, "made"),
            seconds=json_values.number(facts, "seconds"),
            packages=int(json_values.number(facts, "packages")),
            release=json_values.text(facts, "release", ""),
            codename=json_values.text(facts, "codename", ""),
        ),
        archive,
        json_values.text(data, "sha256"),
        int(json_values.number(data, "size")),
        0.0,
    )
