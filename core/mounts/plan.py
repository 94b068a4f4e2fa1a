"""From what is wanted and what is there to the steps in between. Pure.

Functions of values that were observed before (`observe`) and of the mount table; `apply` does what
they say.
"""

from __future__ import annotations

from ..errors import ChrootError, PolicyError, Refusal
from ..kernel.mount_table import MountTable, inside
from ..plan import Plan
from .compare import Wanted, difference, mend
from .steps import MakeTarget, Mount, SetPropagation, Unmount, WriteFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..config.bind import Bind
    from ..kernel.mount_table import MountEntry
    from ..plan import Step


def unmounts(
    entries: Sequence[MountEntry],
    root_path: str,
    *,
    lazy: bool = False,
    restored_by: Mapping[int, Bind] | None = None,
) -> tuple[Step, ...]:
    """Return one step for each entry, so that nothing is unmounted before what stands on it.

    What a shared bind has below it can be the host's, and unmounting it here would unmount it there
    (sharedsubtree.rst, "umount semantics"): so such a bind is made private first.

    The order is that of the tree of mounts, children first. Of two with one parent, one further up
    hides one further down, or that would be its child: it goes first.
    """
    ids = {entry.id for entry in entries}
    children: dict[int, list[MountEntry]] = {}
    for entry in entries:
        children.setdefault(entry.parent if entry.parent in ids else 0, []).append(entry)
    for siblings in children.values():
        siblings.sort(key=lambda entry: entry.target.split("/"), reverse=True)
    steps: list[Step] = []
    pending = [(entry, False) for entry in children.get(0, [])]
    while pending:
        entry, seen = pending.pop()
        if seen:
            bind = restored_by.get(entry.id) if restored_by else None
            steps.append(Unmount(inside(entry.target, root_path), entry.id, lazy, bind))
        else:
            pending.append((entry, True))
            if entry.propagation == "shared" and entry.id in children:
                target = inside(entry.target, root_path)
                steps.append(SetPropagation(target, entry.id, "private", "shared"))
            pending += [(child, False) for child in children.get(entry.id, [])]
    return tuple(steps)


def plan_off(table: MountTable, root_path: str, *, lazy: bool = False) -> Plan:
    """Plan to unmount everything below *root_path*, deepest first; the root itself stays.

    Raises ChrootError where some of it is hidden by a mount at the root or further up.
    """
    entries = table.below(root_path)
    ids = {entry.id for entry in entries}
    for entry in entries:
        over = table.hidden_by(entry)
        if over and over.id not in ids:
            raise ChrootError(
                f"{entry.target} is hidden by what is mounted at {over.target}",
                f"umount {over.target}",
            )
    if lazy:
        entries = _without_what_goes_along(entries)
    from .rebinding import binds_that_restore  # a plan to switch on has no need of it

    restored_by = binds_that_restore(table, entries)
    return Plan(unmounts(entries, root_path, lazy=lazy, restored_by=restored_by))


def _without_what_goes_along(entries: list[MountEntry]) -> list[MountEntry]:
    """Leave out what stands on a mount that may not answer, and is detached together with it.

    It can't be reached without asking there. Where anything would be passed on to the host that
    way (sharedsubtree.rst), nothing is left out.
    """
    silent = {entry.id for entry in entries if entry.is_answered_for}
    parents = {entry.parent for entry in entries}
    going = set(silent)
    while more := {entry.id for entry in entries if entry.parent in going} - going:
        going |= more
    on_top = {entry.id for entry in entries if entry.id in going and entry.parent in going}
    passed_on = [e for e in entries if e.id in going & parents and e.propagation == "shared"]
    return entries if passed_on else [entry for entry in entries if entry.id not in on_top]


def plan_on(
    wanted: Sequence[Wanted], table: MountTable, root_path: str, host_pts: str = ""
) -> Plan:
    """Plan to bring the mounts below *root_path* to what is wanted; empty when they are.

    *wanted* is sorted, parents first. Raises ChrootError where one of them can't be mounted:
    then nothing is.
    """
    return _On(table, root_path, host_pts).plan(wanted)


class _On:
    """The state of one run of plan_on."""

    def __init__(self, table: MountTable, root_path: str, host_pts: str) -> None:
        self._table = table
        self._root = root_path.rstrip("/")
        self._pts = host_pts
        self._steps: list[Step] = []
        self._own: list[int] = []
        self._gone: set[int] = set()
        self._new: list[Wanted] = []
        self._shared: dict[str, bool] = {}

    def plan(self, wanted: Sequence[Wanted]) -> Plan:
        refused = [one.problem for one in wanted if isinstance(one.problem, Refusal)]
        if refused:
            raise PolicyError(refused)
        for one in wanted:
            if one.problem and not one.bind.ignored:
                raise ChrootError(one.problem.message, one.problem.hint)
        for one in wanted:
            if one.active:
                self._one(one, wanted)
            elif one.content is not None and not one.bind.ignored:
                self._steps.append(WriteFile(one.target, one.content))
        return Plan(tuple(self._steps), tuple(self._own))

    def _one(self, one: Wanted, wanted: Sequence[Wanted]) -> None:
        table, gone, point = self._table, self._gone, self._root + one.target
        stack = [e for e in table.at(point) if e.id not in gone and not table.hidden_by(e, gone)]
        same = [not difference(one, entry, self._pts) for entry in stack]
        if not any(same):
            self._unmount(stack, wanted)
            below = [entry for entry in table.below(point) if entry.id not in gone]
            self._refuse_foreign(below, one.target, wanted)
            self._unmount(below, wanted)  # it would be hidden, and taken for mounted
            self._mount(one)
            return
        keep = same.index(True)
        self._unmount(stack[keep + 1 :], wanted)
        self._steps += mend(one, stack[keep])
        for target, source in one.lost:
            bind = one.bind.replace(target=target, source=source)
            shared = self._on_shared(self._root + target)
            self._steps.append(Mount(target, bind, shared, one.limits))
        if one.bind.fs == "tmpfs":
            self._own.append(stack[keep].id)

    def _mount(self, one: Wanted) -> None:
        below = [new for new in self._new if one.target.startswith(new.target + "/")]
        if (not one.exists and not below) or (below and below[-1].bind.fs != "bind"):
            self._steps.append(MakeTarget(one.target, one.file))
        shared = any(new.bind.propagation == "shared" for new in below)
        shared = shared or self._on_shared(self._root + one.target)
        self._steps.append(Mount(one.target, one.bind, shared, one.limits))
        self._new.append(one)

    def _on_shared(self, point: str) -> bool:
        """Tell whether any mount that is there at *point* or further up may be shared."""
        way: list[str] = []  # who is inside can have a target lie as deep as paths go
        known = self._shared.get(point)
        while known is None:
            way.append(point)
            stack = self._table.at(point or "/")
            if any(entry.propagation == "shared" for entry in stack):
                known = True
            elif not point:
                known = not stack  # in a chroot, and what that is on is not listed
            else:
                point = point.rpartition("/")[0]
                known = self._shared.get(point)
        self._shared.update(dict.fromkeys(way, known))
        return known

    def _unmount(self, entries: list[MountEntry], wanted: Sequence[Wanted]) -> None:
        """Plan to unmount *entries* and what of ours stands on them; what is foreign stays."""
        if not entries:
            return
        lost = {entry.id for entry in entries}
        standing = [
            e for e in self._descendants(lost) if e.id not in self._gone and e.id not in lost
        ]
        self._refuse_foreign(standing, inside(entries[0].target, self._root), wanted)
        going = [*entries, *standing]
        self._gone |= lost | {entry.id for entry in standing}
        last = {entry.id for entry in going if self._keeps_alive(entry)}
        self._steps += [
            step.replace(spare_files=True)
            if isinstance(step, Unmount) and step.mount_id in last
            else step
            for step in unmounts(going, self._root)
        ]

    def _keeps_alive(self, entry: MountEntry) -> bool:
        """Tell whether a file system lives in memory, and no longer than this mount of it."""
        return entry.fs in ("tmpfs", "ramfs") and not any(
            other.device == entry.device and other.id not in self._gone
            for other in self._table.entries
        )

    def _refuse_foreign(
        self, entries: list[MountEntry], target: str, wanted: Sequence[Wanted]
    ) -> None:
        for entry in entries:
            if not any(self._is_of(entry, one) for one in wanted):
                raise ChrootError(
                    f"{target} must be mounted anew, but {inside(entry.target, self._root)} is "
                    "mounted below it and not in the configuration",
                    "unmount that first, or switch the chroot off and on again",
                )

    def _is_of(self, entry: MountEntry, one: Wanted) -> bool:
        """Tell whether *entry* is at the place of *one*, or came along with its recursive bind."""
        place = self._root + one.target
        if not one.active or entry.target == place:
            return one.active
        return entry.target.startswith(place + "/") and (entry.device, entry.root) in one.inner

    def _descendants(self, ids: set[int]) -> list[MountEntry]:
        found: list[MountEntry] = []
        known = set(ids)
        grown = True
        while grown:
            more = [
                e for e in self._table.entries if e.parent in known and e.id not in known
            ]  # fmt: skip
            known |= {e.id for e in more}
            found += more
            grown = bool(more)
        return found


def plan_sync(
    wanted: Sequence[Wanted],
    before: Sequence[Wanted],
    table: MountTable,
    root_path: str,
    host_pts: str = "",
) -> Plan:
    """Plan to have the mounts follow an edit: from what was wanted *before* to what is now.

    What the edit took away is unmounted, if it is still what *before* has mounted; then all is
    brought to what is wanted, as `plan_on` does. What somebody else has mounted is left alone.
    """
    kept = {one.target for one in wanted if one.active}
    gone: list[MountEntry] = []
    for one in before:
        stack = table.at(root_path + one.target)
        if not one.active or one.target in kept or not stack:
            continue
        if not difference(one, stack[-1], host_pts):
            gone += [stack[-1], *table.below(root_path + one.target)]
    ids = {entry.id for entry in gone}
    left = MountTable(entry for entry in table.entries if entry.id not in ids)
    places = tuple(f"{entry.target}/" for entry in gone)
    # What a mount point lies on goes, and nobody knows what is below.
    wanted = tuple(
        one.replace(exists=one.exists and not (root_path + one.target).startswith(places))
        for one in wanted
    )
    steps = unmounts(list({entry.id: entry for entry in gone}.values()), root_path)
    plan = plan_on(wanted, left, root_path, host_pts)
    return Plan((*steps, *plan.steps), plan.own)


def unmount_at(table: MountTable, root_path: str, target: str) -> Plan:
    """Plan to unmount what is at *target*, with all that stands on it."""
    point = root_path + target
    return Plan(unmounts([*table.at(point), *table.below(point)], root_path))
