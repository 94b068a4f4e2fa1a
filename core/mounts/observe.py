"""What the plan has to know of the world: where targets really are, and what is there.

An `Observer` is one look: one mount table, and every source on the host looked up once
(`sources`), however many chroots want it. It changes nothing.
"""

from __future__ import annotations

import os
import stat

from ..config.bind import COMMAND_LINE, Bind
from ..errors import ChrootError, Problem
from ..kernel.answering import HINT, NotAnswering
from ..kernel.mount_table import MountTable, device_name
from ..kernel.rootpath import Root
from .compare import FLAGS, Source, Wanted, flag_changes
from .sources import Sources

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..kernel.mount_table import MountEntry
    from .limits import Limits


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
        self._sources = Sources(host or self.table, seconds=seconds)
        self._seconds = seconds
        self._directories: dict[str, bool] = {}
        try:
            self.host_pts = device_name(os.stat("/dev/pts").st_dev)
        except OSError:
            self.host_pts = ""

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
        if self._sources.table.answered_for:
            self._sources.ask_all(self._asked(root, binds))
        for bind in binds:
            over = next((one for one in new if bind.target.startswith(one.bind.target + "/")), None)
            one = self._wanted(root, bind, over)
            if limits and one.active and not one.problem:
                one = one.replace(problem=self._sources.refusal(limits, bind), limits=limits)
            if one.active and bind.fs != "bind" and not self.table.at(root.path + one.target):
                new.append(one)
            found.append(one)
        found.sort(key=lambda one: one.target.split("/"))
        return tuple(self._checked(root, found))

    def _asked(self, root: Root, binds: Iterable[Bind]) -> Iterable[str]:
        """Give the sources that will be looked at."""
        for bind in binds:
            is_on = self._seconds is None and self.table.at(root.path + bind.target)
            if bind.fs == "bind" and not bind.ignored and not is_on:
                yield bind.source

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
        there = self._sources.unasked(bind.source) if self.table.at(place) else None
        if there and self._seconds is None and self._shows(place, there):
            return _found(bind, target, exists, there)
        try:
            source = self._sources.source(bind.source)
        except NotAnswering as error:
            if there and self._shows(place, there):
                return _found(bind, target, exists, there).replace(unanswered=True)
            return _missing(bind, target, exists, error).replace(unanswered=True)
        except OSError as error:
            return _missing(bind, target, exists, error)
        found = _found(bind, target, exists, source)
        if bind.recursive and self.table.at(place) and self._shows(place, source):
            from .lost_below import lost

            found = found.replace(
                lost=lost(root, target, self.table, source.path, self._sources.table)
            )
        return found

    def _shows(self, place: str, source: Source) -> bool:
        """Tell whether what is mounted at *place* is of *source*."""
        entry = self.table.at(place)[-1]
        return (entry.device, entry.root) == (source.device, source.root)

    def _copied(self, root: Root, bind: Bind, target: str, exists: bool) -> Wanted:
        try:
            content = self._sources.see(bind.source, lambda: _content(bind.source))
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
            if self._sources.see(needed, lambda: os.path.exists(needed)):
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
            return bind.fs == "bind" and self._sources.source(bind.source).shared
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
