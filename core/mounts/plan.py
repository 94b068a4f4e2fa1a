"""From what is wanted and what is there to the steps in between. Pure.

`plan_on` and `plan_off` are functions of values that were observed before (`mounts.observe`) and of
the mount table. A plan is a tuple of frozen steps that can say what they are; `mounts.apply` does
them, `--dry-run` and the UI show them, tests read them.
"""

from __future__ import annotations

import os

from ..errors import ChrootError, Problem
from ..value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ..config.bind import Bind
    from ..kernel.mount_table import MountEntry, MountTable

FLAGS = ("ro", "nosuid", "nodev", "noexec", "nosymfollow")
"""Per-mount flags whose absence is compared too: mount_setattr(2) can set and clear each."""

OPPOSITES = {
    "rw": "ro", "suid": "nosuid", "dev": "nodev", "exec": "noexec", "symfollow": "nosymfollow",
    "diratime": "nodiratime",
}  # fmt: skip
"""Words that ask for the absence of a flag."""

ATIME = ("noatime", "relatime", "strictatime")
_TIMES = frozenset([*ATIME, "nodiratime"])
MOUNT_WORDS = frozenset([*FLAGS, *OPPOSITES, *_TIMES, "defaults"])
"""Option words that concern the mount, not the file system in it."""


class Wanted(Value):
    """A bind entry together with what the world says of it."""

    bind: Bind
    target: str
    """Physical: links inside the chroot are followed."""
    exists: bool = True
    """Whether something is at `target` now."""
    file: bool = False
    """Whether a file is mounted, not a directory."""
    device: str = ""
    """Of a bind's source: its file system, as mountinfo names it; "" where it names none."""
    root: str = ""
    """Of a bind's source: its path in that file system."""
    flags: tuple[str, ...] = ()
    """Per-mount flags that are expected, those inherited from the source's mount included."""
    hosts: str = ""
    """Of a tmpfs: the file system that the host has at the same place, and that it must not be."""
    inner: tuple[tuple[str, str], ...] = ()
    """Of a recursive bind: (device, root) of what is mounted below its source."""
    content: bytes | None = None
    """Of a copy: what the file is to hold; None where it holds that already."""
    problem: Problem | None = None
    """Why it can't be mounted."""
    absent: bool = False
    """Optional, and its source is not there: left out."""

    @property
    def active(self) -> bool:
        """Whether this is to be mounted at all."""
        return not (self.bind.ignored or self.absent or self.bind.fs == "copy")


class Step(Value):
    """One change of the world. `target` is a physical path inside the chroot."""

    target: str

    def describe(self) -> str:
        """Return what this does in one line, without the target's chroot."""
        raise NotImplementedError


class MakeTarget(Step):
    """Make the mount point, and what is missing above it."""

    file: bool = False

    def describe(self) -> str:  # noqa: D102 (Step.describe)
        return f"make {'file' if self.file else 'directory'} {self.target}"


class Mount(Step):
    """Mount *bind* at the target, with its options and propagation."""

    bind: Bind
    below_shared: bool = False
    """Whether the kernel will make it shared, because what it is mounted on may be shared."""

    def describe(self) -> str:  # noqa: D102 (Step.describe)
        bind = self.bind
        options = ",".join(bind.shown_options())
        what = f"bind {bind.source}" if bind.fs == "bind" else f"mount {bind.fs}"
        return f"{what} on {self.target} ({options})"


class Remount(Step):
    """Change the flags of a mount that is there, and the options of its file system."""

    mount_id: int
    set_flags: tuple[str, ...] = ()
    clear_flags: tuple[str, ...] = ()
    super_options: tuple[str, ...] = ()
    recursive: bool = False

    def describe(self) -> str:  # noqa: D102 (Step.describe)
        words = [*self.set_flags, *(f"not {flag}" for flag in self.clear_flags)]
        return f"remount {self.target} ({','.join([*words, *self.super_options])})"


class SetPropagation(Step):
    """Change the propagation of a mount that is there."""

    mount_id: int
    propagation: str
    before: str
    recursive: bool = False

    def describe(self) -> str:  # noqa: D102 (Step.describe)
        return f"make {self.target} {self.propagation}"


class Unmount(Step):
    """Unmount exactly the mount with this id. Never recursive."""

    mount_id: int
    lazy: bool = False
    again: Bind | None = None
    """What takes it back, where a bind of something else that is mounted does (again.py)."""
    spare_files: bool = False
    """Whether it is to fail where there are files, which would be gone with it."""

    def describe(self) -> str:  # noqa: D102 (Step.describe)
        how = " (lazily)" if self.lazy else " (if it holds no files)" if self.spare_files else ""
        return f"unmount {self.target}{how}"


class WriteFile(Step):
    """Write a file inside the chroot (a copied resolv.conf)."""

    content: bytes

    def describe(self) -> str:  # noqa: D102 (Step.describe)
        return f"write {self.target}"


class Plan(Value):
    """What is to be done, in order."""

    steps: tuple[Step, ...] = ()
    own: tuple[int, ...] = ()
    """Ids of mounts that are there and belong to the chroot alone: targets may be made in them.
    Nothing but tmpfs: all else (a bind, devtmpfs, a disk) the host, or somebody, sees too."""

    def __bool__(self) -> bool:
        return bool(self.steps)


def flag_changes(words: Iterable[str]) -> tuple[set[str], set[str]]:
    """Return which of FLAGS (and nodiratime) option words set and which they clear."""
    on: set[str] = set()
    off: set[str] = set()
    for word in words:
        if word in OPPOSITES:
            off.add(OPPOSITES[word])
            on.discard(OPPOSITES[word])
        elif word in FLAGS or word == "nodiratime":
            on.add(word)
            off.discard(word)
    return on, off


def super_options(bind: Bind) -> tuple[str, ...]:
    """Return the options of *bind* that are for the file system, not for the mount."""
    if bind.fs == "bind":
        return ()
    return tuple([word for word in bind.options if word not in MOUNT_WORDS])


def difference(wanted: Wanted, entry: MountEntry, host_pts: str = "") -> str:
    """Say why *entry* is something else than *wanted* altogether; "" where it is the same mount.

    What the kernel has normalised is compared, never text against text: device and path in the
    file system for binds, the type for others. *host_pts* is the device of the host's devpts.
    """
    bind = wanted.bind
    if bind.fs == "bind":
        if entry.device == wanted.device and entry.root == wanted.root:
            return ""
        if not wanted.device and entry.root.endswith(wanted.root.rstrip("/")):
            return ""  # all that is known of a source where we are in a chroot ourselves
        if entry.root.endswith("//deleted"):
            return f"what is mounted was deleted on the host, {bind.source} is a new one"
        return f"shows {entry.root} of {entry.source}, not {bind.source}"
    if entry.fs != bind.fs:
        return f"is {entry.fs}, not {bind.fs}"
    if bind.fs == "devpts" and entry.device == host_pts:
        return "is the host's own devpts, not a new instance"
    if bind.fs == "tmpfs" and entry.device == wanted.hosts:
        return "is the host's own tmpfs, not a new one"
    if bind.fs in ("tmpfs", "devpts") and entry.root != "/":
        return f"shows {entry.root} of {entry.source}, not a new {bind.fs}"
    if bind.fs not in ("tmpfs", "devpts", "proc", "sysfs", "devtmpfs", "mqueue") and (
        entry.source != bind.source
    ):
        return f"is {entry.source}, not {bind.source}"
    return ""


def _remount(wanted: Wanted, entry: MountEntry) -> Remount | None:
    """Return the step that brings flags and options of *entry* to what is wanted, if any."""
    have = tuple([flag for flag in FLAGS if flag in entry.options])
    on, off = set[str](), set[str]()
    if have != wanted.flags:
        on, off = set(wanted.flags).difference(have), set(have).difference(wanted.flags)
    words = wanted.bind.options
    on.update([word for word in words if word in _TIMES and not _shows(word, entry.options)])
    options = tuple(
        [word for word in super_options(wanted.bind) if _differs(word, entry.super_options)]
    )
    if not (on or off or options):
        return None
    # What the source's own mount has is no reason to change what is mounted below it.
    recursive = wanted.bind.recursive and on | off <= set().union(*flag_changes(words))
    return Remount(wanted.target, entry.id, _in_order(on), _in_order(off), options, recursive)


def _shows(time: str, options: Sequence[str]) -> bool:
    """Tell whether *options* show a word of _TIMES: strictatime by the absence of the others."""
    if time == "strictatime":
        return "relatime" not in options and "noatime" not in options
    return time in options


def _in_order(flags: set[str]) -> tuple[str, ...]:
    return tuple(sorted(flags))


_UNITS = {"k": 10, "m": 20, "g": 30, "t": 40, "p": 50, "e": 60}


def size_bytes(text: str) -> int | None:
    """Return what a size such as `64M`, `65536k` or `100` means in bytes (memparse in the kernel).

    None where it is relative to the machine (`50%`) or no size.
    """
    shift = _UNITS.get(text[-1:].lower(), 0)
    digits = text[:-1] if shift else text
    sound = digits.isascii() and digits.isdigit() and len(digits) < 20  # 2**64 has 20
    return int(digits) << shift if sound else None


def _differs(word: str, have: Sequence[str]) -> bool:
    """Tell whether an option of a file system certainly differs from what the kernel shows.

    Only what is surely another value counts: a tmpfs whose size is written another way is left
    alone, and so is everything that the kernel does not show.
    """
    key, _, value = word.partition("=")
    start = key + "="
    shown = next((option[len(start) :] for option in have if option.startswith(start)), "")
    if not shown or not value:
        return False
    if key == "size":
        want, there = size_bytes(value), size_bytes(shown)
        if want is None or there is None:
            return False
        page = os.sysconf("SC_PAGE_SIZE")
        return -(-want // page) != -(-there // page)  # the kernel rounds up to pages
    if key in ("mode", "ptmxmode"):
        try:
            return int(value, 8) != int(shown, 8)
        except ValueError:
            return True
    if key in ("gid", "uid"):
        return value != shown
    return False


def mend(wanted: Wanted, entry: MountEntry) -> tuple[Step, ...]:
    """Return the steps that mend a mount that is the right one, but not as it should be."""
    steps: list[Step] = []
    remount = _remount(wanted, entry)
    if remount:
        steps.append(remount)
    # A slave of nothing is private (sharedsubtree.rst): the source was not shared.
    if entry.propagation != wanted.bind.propagation and not (
        wanted.bind.propagation == "slave" and entry.propagation == "private"
    ):
        steps.append(
            SetPropagation(
                wanted.target, entry.id, wanted.bind.propagation, entry.propagation,
                wanted.bind.recursive,
            )
        )  # fmt: skip
    return tuple(steps)


def drift(wanted: Wanted, entry: MountEntry, host_pts: str = "") -> str:
    """Return why *entry* is not as *wanted* in words; "" where nothing is to be done."""
    reason = difference(wanted, entry, host_pts)
    return reason or "; ".join([_needs(step) for step in mend(wanted, entry)])


def _needs(step: Step) -> str:
    if isinstance(step, SetPropagation):
        return f"is {step.before}, not {step.propagation}"
    assert isinstance(step, Remount)
    lacks = [f"lacks {word}" for word in (*step.set_flags, *step.super_options)]
    return ", ".join([*lacks, *(f"is {flag}" for flag in step.clear_flags)])


def unmounts(
    entries: Sequence[MountEntry],
    root_path: str,
    *,
    lazy: bool = False,
    again: Mapping[int, Bind] | None = None,
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
            bind = again.get(entry.id) if again else None
            steps.append(Unmount(inside(entry.target, root_path), entry.id, lazy, bind))
        else:
            pending.append((entry, True))
            if entry.propagation == "shared" and entry.id in children:
                target = inside(entry.target, root_path)
                steps.append(SetPropagation(target, entry.id, "private", "shared"))
            pending += [(child, False) for child in children.get(entry.id, [])]
    return tuple(steps)


def inside(target: str, root_path: str) -> str:
    """Return a host path below *root_path* as a path inside the chroot."""
    return target[len(root_path.rstrip("/")) :]


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
    from .restoring import binds_again  # a plan to switch on has no need of it

    again = binds_again(table, entries)
    return Plan(unmounts(entries, root_path, lazy=lazy, again=again))


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
        if one.bind.fs == "tmpfs":
            self._own.append(stack[keep].id)

    def _mount(self, one: Wanted) -> None:
        below = [new for new in self._new if one.target.startswith(new.target + "/")]
        if (not one.exists and not below) or (below and below[-1].bind.fs != "bind"):
            self._steps.append(MakeTarget(one.target, one.file))
        shared = any(new.bind.propagation == "shared" for new in below)
        shared = shared or self._on_shared(self._root + one.target)
        self._steps.append(Mount(one.target, one.bind, shared))
        self._new.append(one)

    def _on_shared(self, point: str) -> bool:
        """Tell whether any mount that is there at *point* or further up may be shared."""
        known = self._shared.get(point)
        if known is None:
            stack = self._table.at(point or "/")
            known = any(entry.propagation == "shared" for entry in stack)
            if not known:
                # At the end without a mount: in a chroot, and what that is on is not listed.
                known = self._on_shared(point.rpartition("/")[0]) if point else not stack
            self._shared[point] = known
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
