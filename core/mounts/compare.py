"""Is what is mounted what is wanted? The words of options, what differs, and what mends it. Pure.

What the kernel has normalised is compared, never text against text.
"""

from __future__ import annotations

import os

from ..remembered import remembered
from ..value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..config.bind import Bind
    from ..errors import Problem
    from ..kernel.mount_table import MountEntry
    from ..plan import Step
    from .limits import Limits
    from .steps import Remount

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


class Source(Value):
    """The place in a file system that mountinfo will show of a bind of it."""

    device: str
    """"" where its mount is not in the table: see `Observer.look_at`."""
    root: str
    file: bool
    flags: tuple[str, ...]
    shared: bool
    inner: tuple[tuple[str, str], ...]
    """(device, root) of what is mounted below it."""
    path: str = ""
    """Where it really is, from this process's root."""


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
    lost: tuple[tuple[str, str], ...] = ()
    """Of one that is there: what came along and is gone, as (target, source): see `lost`."""
    content: bytes | None = None
    """Of a copy: what the file is to hold; None where it holds that already."""
    problem: Problem | None = None
    """Why it can't be mounted."""
    absent: bool = False
    """Optional, and its source is not there: left out."""
    unanswered: bool = False
    """Whether its source does not answer: what is told of that is what the mount table says."""
    limits: Limits | None = None
    """What the administrator allows, to be seen to again when the source is opened to be bound."""

    @property
    def active(self) -> bool:
        """Whether this is to be mounted at all."""
        return not (self.bind.ignored or self.absent or self.bind.fs == "copy")


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
    have = _flags(entry.options)
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
    from .steps import Remount  # most mounts are as they should be

    # What the source's own mount has is no reason to change what is mounted below it.
    recursive = wanted.bind.recursive and on | off <= set().union(*flag_changes(words))
    return Remount(wanted.target, entry.id, _in_order(on), _in_order(off), options, recursive)


@remembered
def _flags(options: tuple[str, ...]) -> tuple[str, ...]:
    return tuple([flag for flag in FLAGS if flag in options])


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


@remembered
def _differs(word: str, have: tuple[str, ...]) -> bool:
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
        from .steps import SetPropagation

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
    lost = [f"lacks {target}" for target, _ in wanted.lost]
    return reason or "; ".join([*(_needs(step) for step in mend(wanted, entry)), *lost])


def _needs(step: Step) -> str:
    from .steps import Remount, SetPropagation

    if isinstance(step, SetPropagation):
        return f"is {step.before}, not {step.propagation}"
    assert isinstance(step, Remount)
    lacks = [f"lacks {word}" for word in (*step.set_flags, *step.super_options)]
    return ", ".join([*lacks, *(f"is {flag}" for flag in step.clear_flags)])
