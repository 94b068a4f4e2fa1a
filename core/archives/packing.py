"""From a tree to a compressed stream: a detached mount of it, an inventory, tar, a compressor."""

from __future__ import annotations

import os
import stat

from ..errors import Cancelled, ChrootError, PrivilegeError, UsageError
from ..kernel.rootpath import Root
from ..kernel.syscalls import (
    MOUNT_ATTR_NODEV,
    MOUNT_ATTR_NOEXEC,
    MOUNT_ATTR_NOSUID,
    MOUNT_ATTR_RDONLY,
)
from . import compression, inventory
from .confined import detached
from .manifest import Manifest, encode
from .pipeline import Program, pipe, write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .pipeline import Stop

    Progress = Callable[[float], None]

ATTRIBUTES = ("--xattrs", "--xattrs-include=*", "--acls", "--selinux", "--numeric-owner")
_UNTOUCHED = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC
"""Of the mount that is packed: not even a time of access changes."""
_RECORD = 256
"""Blocks of 512 bytes that tar writes at once."""
_CHECKPOINT = 64
"""Records after which tar says how far it is."""
_SAYS_SO = "tar: Write checkpoint "
_CHANGED = ("file changed as we read it", "File removed before we read it", "File shrank by")
_IGNORED = ("socket ignored", "door ignored")
_SPECIAL = frozenset("*?[]\\")
_SIGPIPE, _KILLED = -13, -9


class Tree:
    """A tree that is going to be packed. A context manager."""

    def __init__(self, directory: str, exclude: Sequence[str], stop: Stop) -> None:
        """Open *directory*, without what is mounted on it. Raises ChrootError, UsageError."""
        self._stop = stop
        try:
            self._fd = detached(directory, _UNTOUCHED)
        except PermissionError:
            raise PrivilegeError(f"packing {directory} needs root", "run as root") from None
        except OSError as error:
            hint = "its mount may be unbindable" if error.errno == 22 else ""  # EINVAL
            raise ChrootError(f"cannot pack {directory}: {error.strerror}", hint) from error
        self.count = 0
        self.left_out: tuple[str, ...] = ()
        """What of the paths to leave out is there."""
        self.missing: tuple[str, ...] = ()
        """What of them is not, as it was given."""
        self._patterns: list[str] = []
        try:
            self._leave_out(exclude)
        except BaseException:
            os.close(self._fd)
            raise

    def __enter__(self) -> Tree:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)

    def write(
        self,
        compressor: Sequence[str],
        output: int,
        *,
        manifest: Manifest | None = None,
        never: tuple[int, int] = inventory.NOTHING,
        is_sparse: bool = True,
        tee: Callable[[bytes], None] | None = None,
        progress: Progress | None = None,
    ) -> tuple[str, ...]:
        """Write all of it through *compressor* into the descriptor *output*, which is closed.

        *manifest* goes before the first member, completed. *never* is the file that is being
        written, by device and inode. *tee* gets the stream before it is compressed. Returns what
        tar said of files that changed meanwhile. Raises ChrootError, Cancelled.
        """
        try:
            found = inventory.take(self._fd, skip=self.left_out, never=never, cancelled=self._stop)
            head = _head(manifest, found)
        except BaseException as error:
            os.close(output)
            if isinstance(error, OSError):
                where = error.filename or "the chroot"
                raise ChrootError(f"packing failed: {where}: {error.strerror}") from error
            raise
        self.count = found.count
        reader, writer = pipe()
        compress = Program(compressor, stdin=reader, stdout=output, stop=self._stop)
        try:
            tar = self._feed(writer, head, is_sparse, _Said(found.bytes, progress), tee)
        finally:
            os.close(writer)
        return self._ended(compress, tar)

    def _feed(
        self,
        writer: int,
        head: bytes,
        is_sparse: bool,
        said: _Said,
        tee: Callable[[bytes], None] | None,
    ) -> Program | None:
        """Write *head*, then let tar write; None where the compressor is gone by then."""
        argv = self._tar(is_sparse)
        try:
            write_all(writer, head)
            if tee is None:
                return Program(argv, stdout=os.dup(writer), on_error=said, stop=self._stop)
            tee(head)
            reader, own = pipe()
            tar = Program(argv, stdout=own, on_error=said, stop=self._stop)
            try:
                while data := os.read(reader, 1 << 20):
                    tee(data)
                    write_all(writer, data)
            finally:
                os.close(reader)
            return tar
        except BrokenPipeError:
            return None

    def _ended(self, compress: Program, tar: Program | None) -> tuple[str, ...]:
        code = tar.wait() if tar else 0
        if code not in (0, 1, _SIGPIPE):
            self._stop.set()
        is_ended = self._stop.is_set()
        compressed = compress.wait()
        if self._stop.is_cancelled:
            raise Cancelled("packing was stopped")
        if compressed and not (compressed == _KILLED and is_ended):
            raise compression.write_failed(compress.lines, compressed)
        lines = tar.lines if tar else []
        changed = tuple(line for line in lines if any(word in line for word in _CHANGED))
        if code not in (0, 1) or (code and not changed):
            raise _failed(lines, code)
        return tuple(line.removeprefix("tar: ") for line in changed)

    def _tar(self, is_sparse: bool) -> list[str]:
        return [
            "tar", "--create", "--file=-", f"--directory=/proc/{os.getpid()}/fd/{self._fd}",
            "--format=posix",
            "--pax-option=delete=atime,delete=ctime,exthdr.name=%d/PaxHeaders/%f",
            *ATTRIBUTES, *(["--sparse"] if is_sparse else []),
            "--sort=name", "--quoting-style=escape",
            f"--blocking-factor={_RECORD}", f"--checkpoint={_CHECKPOINT}",
            "--anchored", "--wildcards", *self._patterns, ".",
        ]  # fmt: skip

    def _leave_out(self, exclude: Sequence[str]) -> None:
        found, missing = [], []
        with Root(f"/proc/self/fd/{self._fd}") as root:
            for path in exclude:
                inside = _inside(root, path)
                status = root.stat(f"/{inside}", follow=False)
                if status is None:
                    missing.append(path)
                    continue
                found.append(inside)
                rest = "/*" if stat.S_ISDIR(status.st_mode) else ""
                literal = "".join([f"\\{c}" if c in _SPECIAL else c for c in inside])
                self._patterns.append(f"--exclude=./{literal}{rest}")
        self.left_out, self.missing = tuple(dict.fromkeys(found)), tuple(missing)


class _Said:
    """Reads tar's stderr for how far it is."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self._total = max(total, 1)
        self._progress = progress

    def __call__(self, line: str) -> bool:
        if not line.startswith(_SAYS_SO):
            return line.endswith(_IGNORED)
        number = line.removeprefix(_SAYS_SO)
        if self._progress and number.isdigit():
            self._progress(min(int(number) * _RECORD * 512 / self._total, 0.99))
        return True


def _head(manifest: Manifest | None, found: inventory.Inventory) -> bytes:
    if manifest is None:
        return b""
    return encode(manifest.replace(flags=found.flags, sockets=found.sockets, links=found.links))


def _inside(root: Root, path: str) -> str:
    """Return a path to leave out as it is from the root, links on the way followed inside."""
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if not parts or ".." in parts:
        raise UsageError(f"{path!r} cannot be left out", "give a path in the chroot: var/cache/apt")
    try:
        above = root.resolve("/".join(parts[:-1]))
    except OSError:
        above = "/" + "/".join(parts[:-1])
    return f"{above}/{parts[-1]}".strip("/")


def _failed(lines: Sequence[str], code: int) -> ChrootError:
    said = [line.removeprefix("tar: ") for line in lines]
    causes = [line for line in said if "Exiting with" not in line]
    return ChrootError(f"packing failed: {causes[0] if causes else f'tar ended with {code}'}")
