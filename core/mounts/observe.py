"""What the plan has to know of the world: where targets really are, what sources really are.

An `Observer` is one look: one mount table, and every source on the host looked up once however
many chroots want it. It changes nothing.
"""

from __future__ import annotations

import os
import stat

from ..config.bind import COMMAND_LINE, Bind
from ..errors import ChrootError, Problem, Refusal
from ..kernel import answering
from ..kernel.answering import HINT, NotAnswering
from ..kernel.mount_table import MountTable, device_name
from ..kernel.rootpath import Root, descriptor_path
from ..kernel.syscalls import mount_id
from .compare import FLAGS, Source, Wanted, flag_changes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TypeVar

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


class Observer:
    """One look at mounts and sources. `table` is the mount table it sees."""

    def __init__(
        self,
        table: MountTable | None = None,
        host: MountTable | None = None,
        *,
        seconds: float | None = None,
    ) -> None:
        """Look at the mounts in *table*, the present ones where it is None.

        *host* is the table to look sources up in, where that is another. A mere look waits
        *seconds* for who does not answer. Without them it is for a plan: waited for is as long as
        the user says, and not for what is mounted already, of which the mount table tells enough.
        """
        self.table = table or MountTable.read()
        self._host = host or self.table
        self._seconds = seconds
        self._places: dict[str, Source] = {}
        self._sources: dict[str, Source | OSError] = {}
        self._directories: dict[str, bool] = {}
        try:
            self.host_pts = device_name(os.stat("/dev/pts").st_dev)
        except OSError:
            self.host_pts = ""

    def source(self, path: str) -> Source:
        """Return what *path* on the host is. Raises OSError where it can't be opened."""
        found = self._sources.get(path)
        if found is None:
            try:
                found = self._see(path, lambda: self._look(path))
            except OSError as error:
                found = error
            self._sources[path] = found
        if isinstance(found, OSError):
            raise found
        return found

    def _see(self, path: str, call: Callable[[], T]) -> T:
        return answering.see(self._host, path, call, seconds=self._seconds)

    def _unasked(self, path: str) -> Source | None:
        """Return what *path* is by the mount table alone, where it leads to who may not answer.

        None where it does not. That it is there, and no link, is not known, nor is what it is.
        """
        found = answering.place(self._host, path)
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
        table = self._host
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
        inner = tuple((e.device, e.root) for e in self._host.below(physical))
        flags = tuple(flag for flag in FLAGS if flag in entry.options)
        shared = entry.propagation == "shared"
        return Source(entry.device, root, is_file, flags, shared, inner, physical)

    def _unlisted(self, fd: int, physical: str, is_file: bool) -> Source:
        """Look at a source on the mount that our root lies in without being its top.

        So it is for whoever works in a chroot himself. mountinfo has no line then for that mount,
        nor is there another way to learn where in its file system our root is. It may be shared.
        """
        inner = tuple((e.device, e.root) for e in self._host.below(physical))
        return Source("", physical, is_file, flags_of(fd), True, inner, physical)

    def wanted(
        self, root: Root, binds: Iterable[Bind], limits: Limits | None = None
    ) -> tuple[Wanted, ...]:
        """Return *binds* with what the world says of them, parents before children.

        What can't be mounted, or goes beyond *limits*, carries its `problem`; nothing is raised,
        since status wants to show all of it.
        """
        found: list[Wanted] = []
        new: list[Wanted] = []
        binds = tuple(binds)
        if self._host.answered_for:
            self._ask_all(root, binds)
        for bind in binds:
            over = next((one for one in new if bind.target.startswith(one.bind.target + "/")), None)
            one = self._wanted(root, bind, over)
            if limits and one.active and not one.problem:
                one = one.replace(problem=self.refusal(limits, bind), limits=limits)
            if one.active and bind.fs != "bind" and not self.table.at(root.path + one.target):
                new.append(one)
            found.append(one)
        found.sort(key=lambda one: one.target.split("/"))
        return tuple(self._checked(root, found))

    def _ask_all(self, root: Root, binds: Iterable[Bind]) -> None:
        """Look at sources of several file systems at once: who do not answer cost one wait."""
        asked: dict[str, str] = {}
        for bind in binds:
            is_on = self._seconds is None and self.table.at(root.path + bind.target)
            if bind.fs == "bind" and not bind.ignored and not is_on:
                found = answering.place(self._host, bind.source)
                if found:
                    asked.setdefault(found[0].device, bind.source)
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

        devices = [entry.device for entry in self._host.entries if entry.fs == "devtmpfs"]
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
            self._places[path] = self._see(path, look)
        return self._places[path]

    def _under(self, ident: int, path: str) -> Iterable[tuple[str, str]]:
        """Return (device, root) of what the mounts at *path* hide, the last of which is *ident*.

        What is bound from above without what is mounted there shows that.
        """
        entry = self._host.by_id.get(ident)
        while entry is not None and entry.target == path:
            entry = self._host.by_id.get(entry.parent)
            if entry is not None and path.startswith(entry.target.rstrip("/") + "/"):
                top = entry.root.rstrip("/")
                yield entry.device, top + path[len(entry.target.rstrip("/")) :]

    def _wanted(self, root: Root, bind: Bind, over: Wanted | None) -> Wanted:
        """Look at one bind; *over* is an empty file system that will be mounted above it."""
        try:
            if over:  # what is at the target now, a link perhaps, will be hidden
                target, exists = over.target + bind.target[len(over.bind.target) :], False
            else:
                target, exists = self._target(root, bind.target)
        except OSError as error:
            problem = Problem(
                f"{bind.target} in {root.path}: {error.strerror}", "look at the links on the way"
            )
            return Wanted(bind, bind.target, problem=problem)
        if bind.ignored:
            return Wanted(bind, target, exists)
        if bind.fs == "copy":
            return self._copied(root, bind, target, exists)
        flags = flag_changes(bind.options)
        if bind.fs != "bind":
            hosts = self.table.at(bind.target) if bind.fs == "tmpfs" else ()
            return Wanted(
                bind, target, exists, flags=_expected((), flags),
                hosts=hosts[-1].device if hosts else "",
            )  # fmt: skip
        place = root.path + target
        there = self._unasked(bind.source) if self.table.at(place) else None
        if there and self._seconds is None and self._shows(place, there):
            return _found(bind, target, exists, there)
        try:
            source = self.source(bind.source)
        except NotAnswering as error:
            if there and self._shows(place, there):
                return _found(bind, target, exists, there).replace(unanswered=True)
            return _missing(bind, target, exists, error).replace(unanswered=True)
        except OSError as error:
            return _missing(bind, target, exists, error)
        found = _found(bind, target, exists, source)
        if bind.recursive and self.table.at(place) and self._shows(place, source):
            from .lost import lost

            found = found.replace(lost=lost(root, target, self.table, source.path, self._host))
        return found

    def _shows(self, place: str, source: Source) -> bool:
        """Tell whether what is mounted at *place* is of *source*."""
        entry = self.table.at(place)[-1]
        return (entry.device, entry.root) == (source.device, source.root)

    def _copied(self, root: Root, bind: Bind, target: str, exists: bool) -> Wanted:
        try:
            content = self._see(bind.source, lambda: _content(bind.source))
        except OSError as error:
            unanswered = isinstance(error, NotAnswering)
            return _missing(bind, target, exists, error).replace(unanswered=unanswered)
        try:
            same = exists and root.read(target) == content
        except (OSError, ChrootError):
            same = False
        return Wanted(bind, target, exists, file=True, content=None if same else content)

    def _target(self, root: Root, target: str) -> tuple[str, bool]:
        # A mount point's path has no links in it, so what is mounted needs no look-up.
        if self.table.at(root.path + target):
            return target, True
        status = root.stat(target, links=False)
        physical = target
        if status is None:
            physical = root.resolve(target)
            if physical != target:
                if self.table.at(root.path + physical):
                    return physical, True
                status = root.stat(physical, links=False)
        if status is not None:
            self._directories[root.path + physical] = stat.S_ISDIR(status.st_mode)
        return physical, status is not None

    def _checked(self, root: Root, wanted: list[Wanted]) -> Iterable[Wanted]:
        """Add the problems that only show when the entries are seen together."""
        seen: dict[str, Wanted] = {}
        above: list[Wanted] = []
        for one in wanted:
            if one.active and not one.problem:
                while above and not one.target.startswith(above[-1].target + "/"):
                    above.pop()
                problem = self._together(root, one, seen.get(one.target), above)
                if problem:
                    one = one.replace(problem=problem)
                else:
                    above.append(one)
                seen[one.target] = one
            yield one

    def _together(
        self, root: Root, one: Wanted, same: Wanted | None, above: list[Wanted]
    ) -> Problem | None:
        if one.target == "/":
            return Problem(f"{one.bind.target} leads to the root itself", "ignore or remove it")
        if same:
            return Problem(
                f"{one.bind.target} and {same.bind.target} are the same place, {one.target}",
                "ignore or remove one of them",
            )
        for other in above:
            if other.bind.propagation == "shared" and self._shared(other.bind):
                return Problem(
                    f"{one.bind.target} would be mounted on the host too: {other.bind.target} is "
                    "bound shared",
                    f"bind {other.bind.target} as slave or private",
                )
        there = self.table.at(root.path + one.target)
        if there:
            return self._hidden(root, one, there[-1], above)
        parent = above[-1] if above else None
        if parent is None:
            return self._kind_problem(root, one) if one.exists else None
        if parent.bind.fs != "bind":
            return None
        needed = parent.bind.source.rstrip("/") + one.target[len(parent.target) :]
        try:
            if self._see(needed, lambda: os.path.exists(needed)):
                return None
        except NotAnswering as error:
            return _no_source(one.bind, error)
        return Problem(
            f"{one.bind.target} needs {needed}, which does not exist, and nothing is made on the "
            "host",
            f"make it: mkdir -p {needed}",
        )

    def _shared(self, bind: Bind) -> bool:
        try:
            return bind.fs == "bind" and self.source(bind.source).shared
        except OSError:
            return False

    def _hidden(
        self, root: Root, one: Wanted, entry: MountEntry, above: list[Wanted]
    ) -> Problem | None:
        """Say so where a mount is there but hidden by one that `on` does not take away."""
        over = self.table.hidden_by(entry)
        if over is None or any(root.path + other.target == over.target for other in above):
            return None
        return Problem(
            f"{one.bind.target} is hidden by what is mounted at {over.target}",
            f"umount {over.target}",
        )

    def _kind_problem(self, root: Root, one: Wanted) -> Problem | None:
        if self._directories.get(root.path + one.target, not one.file) != one.file:
            return None
        there, wanted = ("a directory", "a file") if one.file else ("a file", "a directory")
        return Problem(
            f"{one.bind.target} in {root.path} is {there}, but {one.bind.source} is {wanted}",
            "move away what is there, or choose another target",
        )


def _expected(inherited: tuple[str, ...], changes: tuple[set[str], set[str]]) -> tuple[str, ...]:
    on, off = changes
    return tuple([f for f in FLAGS if (f in inherited or f in on) and f not in off])


def _no_source(bind: Bind, error: OSError) -> Problem:
    where = f"{bind.origin}:{bind.line}: " if bind.line else ""
    if isinstance(error, NotAnswering):
        return Problem(f"{where}{bind.source}, wanted at {bind.target}, {error.strerror}", HINT)
    why = "does not exist" if error.errno == 2 else error.strerror
    listed = bind.origin != COMMAND_LINE
    way_out = "make it, or mark the entry optional in chroot.toml" if listed else "make it"
    return Problem(
        f"{where}{bind.source}, wanted at {bind.target}, {why}",
        f"{way_out}; nothing is made on the host",
    )


def _found(bind: Bind, target: str, exists: bool, source: Source) -> Wanted:
    return Wanted(
        bind, target, exists, source.file, source.device, source.root,
        _expected(source.flags, flag_changes(bind.options)),
        inner=source.inner if bind.recursive else (),
    )  # fmt: skip


def _missing(bind: Bind, target: str, exists: bool, error: OSError) -> Wanted:
    if bind.optional:
        return Wanted(bind, target, exists, absent=True)
    return Wanted(bind, target, exists, problem=_no_source(bind, error))


def _content(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read(1 << 20)
