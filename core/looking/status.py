"""What a chroot is like now: a pure function of what was observed.

The values here are what `--json` prints and the UI shows; they are frozen and compared by content,
so that an unchanged chroot costs nobody a repaint.
"""

from __future__ import annotations

from ..config.bind import FOREIGN
from ..errors import Problem
from ..kernel.answering import HINT, SILENT
from ..kernel.mount_table import inside
from ..mounts.compare import drift
from ..value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..kernel.mount_table import MountEntry, MountTable
    from ..mounts.compare import Wanted
    from ..process import Process

OFF, ON, PARTIAL, CREATING, INCOMPLETE, BROKEN, NOT_ANSWERING = (
    "off", "on", "partial", "creating", "incomplete", "broken", "not answering",
)  # fmt: skip
"""The states of a chroot."""
IN_USE = "in use"
"""What is said of one that is off, with a throw-away session in it."""

MOUNTED, MISSING, DRIFTED, IGNORED, FOREIGN_MOUNT = (
    "mounted", "missing", "drifted", "ignored", "foreign",
)  # fmt: skip
"""The states of a mount."""


NOT_CONFIGURED, UNREADABLE = "not in the configuration", "the configuration can't be read"
"""Why a mount is foreign, which says nothing of who made it: `on -b` may have, too."""


_UNANSWERED = f"its source {SILENT}"


class MountStatus(Value):
    """One mount of a chroot: wanted, there, or both. `target` is a path inside."""

    target: str
    source: str
    fs: str
    """`bind`, or a type of file system."""
    options: tuple[str, ...]
    origin: str
    """`system`, `tool.conf`, `chroot.toml`, `command line`, or `foreign`."""
    state: str
    """`mounted`, `missing`, `drifted`, `ignored`, or `foreign` (not in the configuration)."""
    reason: str = ""
    """Why it is in that state, where that does not go without saying."""
    real: str = ""
    """What is there in the kernel's words; "" where nothing is."""


class ChrootStatus(Value):
    """A chroot at one moment."""

    name: str
    path: str
    """Physical, on the machine that it is on."""
    state: str
    """`off`, `on`, `partial` (mounts are missing or have drifted), `creating`, `incomplete` (making
    it was cut off), `broken` (no usable system or configuration), `not answering`."""
    os: str = ""
    """What it says it is; "" where it does not say."""
    mounts: tuple[MountStatus, ...] = ()
    processes: tuple[Process, ...] = ()
    problems: tuple[Problem, ...] = ()
    description: str = ""
    tags: tuple[str, ...] = ()
    """Words of its configuration that lists are grouped and filtered by; the first is its group."""
    changed: float = 0.0
    """When something last changed in its top directory or its configuration, epoch seconds."""
    architecture: str = ""
    """What its programs are built for, as Debian names it; "" where none of them says."""
    unseen: bool = False
    """Whether processes may live in it that this user may not see, nor what they have open."""
    unanswered: tuple[str, ...] = ()
    """The sources that do not answer, or what it lies on; its state says so then, and no more."""
    configuration: str = ""
    """The administrator's file that counts in the place of its own; "": its own does."""
    enabled: bool = False
    """Whether it is switched on at boot."""
    in_use: bool = False
    """Whether a throw-away session is in it, of which nothing is mounted that others see."""
    host: str = ""
    """The machine that it is on, by its name for ssh, which its path begins with; "": this one."""

    @property
    def condition(self) -> str:
        """Its state, in the word that is shown."""
        return IN_USE if self.in_use and self.state == OFF else self.state

    @property
    def is_on(self) -> bool:
        """Whether anything of it is mounted, as far as its state tells."""
        if self.state == NOT_ANSWERING:
            return any(mount.state in (MOUNTED, DRIFTED, FOREIGN_MOUNT) for mount in self.mounts)
        return self.state in (ON, PARTIAL)

    @property
    def mounted(self) -> int:
        """How many of the wanted mounts are there as they should be."""
        return sum(mount.state == MOUNTED for mount in self.mounts)

    @property
    def wanted(self) -> int:
        """How many mounts are wanted."""
        return sum(mount.state in (MOUNTED, MISSING, DRIFTED) for mount in self.mounts)

    @property
    def foreign(self) -> tuple[MountStatus, ...]:
        """The mounts that are there and not in the configuration."""
        return tuple(mount for mount in self.mounts if mount.state == FOREIGN_MOUNT)


def mounts(
    wanted: Sequence[Wanted] | None, table: MountTable, root_path: str, host_pts: str = ""
) -> tuple[tuple[MountStatus, ...], tuple[Problem, ...]]:
    """Return every mount of a chroot, wanted or not, and what is wrong with them.

    *wanted* is None where nobody knows: the configuration can't be read.
    """
    why_foreign = UNREADABLE if wanted is None else NOT_CONFIGURED
    wanted = wanted or ()
    prefix = root_path.rstrip("/")
    left = {entry.id: entry for entry in table.below(root_path)}
    found: list[MountStatus] = []
    problems: list[Problem] = []
    for one in wanted:
        if one.bind.fs == "copy":
            continue
        stack = [e for e in table.at(prefix + one.target) if one.problem or not table.hidden_by(e)]
        if one.unanswered and not one.problem:
            said = f"{one.bind.source}, wanted at {one.bind.target}, {SILENT}"
            problems.append(Problem(said, HINT))
        if one.active:
            for entry in stack:
                left.pop(entry.id, None)
            found.append(_wanted(one, stack, host_pts))
            if len(stack) > 1:
                problems.append(_stacked(one.target, len(stack)))
            if one.problem:
                problems.append(one.problem)
        else:
            found.append(_left_out(one, stack))
            if stack:
                left.pop(stack[-1].id, None)
    _claim_inner(wanted, left, prefix)
    found += [_foreign(entry, prefix, why_foreign) for entry in left.values()]
    return tuple(found), tuple(problems)


def _wanted(one: Wanted, stack: list[MountEntry], host_pts: str) -> MountStatus:
    if not stack:
        return _status(one, MISSING, one.problem.message if one.problem else "")
    entry = stack[-1]
    if one.problem:
        return _status(one, DRIFTED, one.problem.message, entry)
    reason = drift(one, entry, host_pts)
    state = DRIFTED if reason else MOUNTED
    return _status(one, state, reason or (_UNANSWERED if one.unanswered else ""), entry)


def _left_out(one: Wanted, stack: list[MountEntry]) -> MountStatus:
    if stack:
        return _status(one, FOREIGN_MOUNT, "not wanted by the configuration", stack[-1])
    if not one.absent:
        return _status(one, IGNORED)
    why = _UNANSWERED if one.unanswered else "its source is not there"
    return _status(one, IGNORED, f"optional, and {why}")


def _status(
    one: Wanted, state: str, reason: str = "", entry: MountEntry | None = None
) -> MountStatus:
    bind = one.bind
    real = shown(entry) if entry else ""
    return MountStatus(
        bind.target, bind.source, bind.fs, bind.shown_options(), bind.origin, state, reason, real
    )


def shown(entry: MountEntry) -> str:
    """Return what a mount is in the kernel's words: type, what of it, options, propagation."""
    what = entry.root if entry.root != "/" else entry.source
    return f"{entry.fs} {what} ({','.join(entry.options)}) {entry.propagation}"


def _stacked(target: str, count: int) -> Problem:
    return Problem(
        f"{count} mounts are stacked at {target}", "`on` takes away what is too many, `off` all"
    )


def _claim_inner(wanted: Sequence[Wanted], left: dict[int, MountEntry], prefix: str) -> None:
    """Take from *left* what a recursive bind has brought along from its source."""
    for one in wanted:
        if one.inner and one.active:
            below = prefix + one.target + "/"
            for ident, entry in list(left.items()):
                if entry.target.startswith(below) and (entry.device, entry.root) in one.inner:
                    del left[ident]


def _foreign(entry: MountEntry, prefix: str, reason: str) -> MountStatus:
    source = entry.root if entry.root != "/" else entry.source
    return MountStatus(
        inside(entry.target, prefix), source, entry.fs, (*entry.options, entry.propagation),
        FOREIGN, FOREIGN_MOUNT, reason, shown(entry),
    )  # fmt: skip


def unanswered(wanted: Sequence[Wanted]) -> tuple[str, ...]:
    """Return the sources among *wanted* that do not answer, each once."""
    return tuple(dict.fromkeys(one.bind.source for one in wanted if one.unanswered))


def state(found: Sequence[MountStatus]) -> str:
    """Return off, on or partial for the mounts of a chroot that is otherwise sound."""
    states = [mount.state for mount in found]
    if not any(s in (MOUNTED, DRIFTED, FOREIGN_MOUNT) for s in states):
        return OFF
    return PARTIAL if MISSING in states or DRIFTED in states or MOUNTED not in states else ON
