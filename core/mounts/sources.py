"""What sources on the host really are, and whether an administrator allows them."""

from __future__ import annotations

import os
import stat

from ..errors import Problem, Refusal
from ..kernel import answering
from ..kernel.mount_table import MountTable
from ..kernel.rootpath import Root, descriptor_path
from ..kernel.syscalls import mount_id
from .compare import FLAGS, Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TypeVar

    from ..config.bind import Bind
    from ..kernel.mount_table import MountEntry
    from .limits import Limits

    T = TypeVar("T")

_ST_FLAGS = {
    "ro": os.ST_RDONLY, "nosuid": os.ST_NOSUID, "nodev": os.ST_NODEV, "noexec": os.ST_NOEXEC,
    "nosymfollow": 0x2000,
}  # fmt: skip
"""statvfs(3), and linux/statfs.h for the last."""


def flags_of(fd: int) -> tuple[str, ...]:
    """Return which of FLAGS the mount or the file system has that *fd* is on. Raises OSError."""
    flags = os.fstatvfs(fd).f_flag
    return tuple([word for word in FLAGS if flags & _ST_FLAGS[word]])


class Sources:
    """One look at sources. What a path on the host is, is looked up once."""

    def __init__(self, table: MountTable | None = None, *, seconds: float | None = None) -> None:
        """Look them up by *table*, what is mounted on the host, read now where it is None.

        *seconds* as for `Observer`.
        """
        self.table = table or MountTable.read()
        self._seconds = seconds
        self._places: dict[str, Source] = {}
        self._found: dict[str, Source | OSError] = {}

    def source(self, path: str) -> Source:
        """Return what *path* on the host is. Raises OSError where it can't be opened."""
        found = self._found.get(path)
        if found is None:
            try:
                found = self.see(path, lambda: self._look(path))
            except OSError as error:
                found = error
            self._found[path] = found
        if isinstance(found, OSError):
            raise found
        return found

    def see(self, path: str, call: Callable[[], T]) -> T:
        """Do what may ask who answers for *path*, as `answering.see` does."""
        return answering.see(self.table, path, call, seconds=self._seconds)

    def unasked(self, path: str) -> Source | None:
        """Return what *path* is by the mount table alone, where it leads to who may not answer.

        None where it does not. That it is there, and no link, is not known, nor is what it is.
        """
        found = answering.place(self.table, path)
        if found is None:
            return None
        entry, rest = found
        physical = os.path.normpath(f"{entry.target}/{rest}")
        return self._listed(entry, physical, is_file=False)

    def _look(self, path: str) -> Source:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            return self.look_at(fd, path)
        finally:
            os.close(fd)

    def look_at(self, fd: int, path: str) -> Source:
        """Return what is open there; *path* is what an error is about. Raises OSError."""
        table = self.table
        entry = table.by_id.get(mount_id(fd))
        physical = descriptor_path(fd)
        is_file = not stat.S_ISDIR(os.fstat(fd).st_mode)
        if entry is None and not table.at("/"):
            return self._unlisted(fd, physical, is_file)
        if entry is None:  # mounted since the table was read: the next look will know
            raise OSError(11, "its mount table just changed, try again", path)
        return self._listed(entry, physical, is_file=is_file)

    def _listed(self, entry: MountEntry, physical: str, *, is_file: bool) -> Source:
        rest = physical[len(entry.target.rstrip("/")) :]
        root = (entry.root.rstrip("/") + rest).rstrip("/") or "/"
        inner = tuple((e.device, e.root) for e in self.table.below(physical))
        flags = tuple(flag for flag in FLAGS if flag in entry.options)
        shared = entry.propagation == "shared"
        return Source(entry.device, root, is_file, flags, shared, inner, physical)

    def _unlisted(self, fd: int, physical: str, is_file: bool) -> Source:
        """Look at a source on the mount that our root lies in without being its top.

        So it is for whoever works in a chroot himself. mountinfo has no line then for that mount,
        nor is there another way to learn where in its file system our root is. It may be shared.
        """
        inner = tuple((e.device, e.root) for e in self.table.below(physical))
        return Source("", physical, is_file, flags_of(fd), True, inner, physical)

    def ask_all(self, paths: Iterable[str]) -> None:
        """Look at sources of several file systems at once: who do not answer cost one wait."""
        asked: dict[str, str] = {}
        for path in paths:
            found = answering.place(self.table, path)
            if found:
                asked.setdefault(found[0].device, path)
        if len(asked) < 2:
            return
        from threading import Thread

        def ask(path: str) -> None:
            try:
                self.source(path)
            except OSError:
                pass  # it is told where the bind is looked at

        threads = [Thread(target=ask, args=(path,), daemon=True) for path in asked.values()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def refusal(self, limits: Limits, bind: Bind, source: Source | None = None) -> Problem | None:
        """Return why *bind* is not allowed by *limits*, None where it is.

        *source*: what it has opened; looked up where it is None. One that is not there is taken
        for what it would be.
        """
        from .allowed import refusal

        devices = [entry.device for entry in self.table.entries if entry.fs == "devtmpfs"]
        try:
            if source is None and bind.fs == "bind":
                source = self._source_or_place(bind.source)
            return refusal(limits.rules, bind, source, self._place, devices, limits.files)
        except OSError as error:
            what = f"{limits.rules.file}: {error.filename or bind.source}: {error.strerror}"
            return Refusal(f"{what}: whether {bind.source} is allowed can't be known", "mend it")

    def _source_or_place(self, path: str) -> Source:
        try:
            return self.source(path)
        except FileNotFoundError:
            return self._place(path)

    def _place(self, path: str) -> Source:
        """Return what a path of the policy is; of what is not there, what it would be.

        Links are followed where root alone could have put them: others lead wherever those want
        who the policy is about. Raises OSError.
        """
        from ..kernel.ownership import walk

        def look() -> Source:
            with Root("/") as root, walk(root, path) as way:
                found = self.look_at(way.fd, path)
                if not way.rest:
                    below = self._under(mount_id(way.fd), found.path)
                    found = found.replace(inner=(*found.inner, *below))
                for name in way.rest:
                    found = found.replace(
                        root=f"{found.root.rstrip('/')}/{name}", inner=(),
                        path=f"{found.path.rstrip('/')}/{name}",
                    )  # fmt: skip
                return found

        if path not in self._places:
            self._places[path] = self.see(path, look)
        return self._places[path]

    def _under(self, ident: int, path: str) -> Iterable[tuple[str, str]]:
        """Return (device, root) of what the mounts at *path* hide, the last of which is *ident*.

        What is bound from above without what is mounted there shows that.
        """
        entry = self.table.by_id.get(ident)
        while entry is not None and entry.target == path:
            entry = self.table.by_id.get(entry.parent)
            if entry is not None and path.startswith(entry.target.rstrip("/") + "/"):
                top = entry.root.rstrip("/")
                yield entry.device, top + path[len(entry.target.rstrip("/")) :]
