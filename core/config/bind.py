"""A bind entry: one mount that a chroot wants, as a value, and the rules of its fields.

Pure; knows no file form, no kernel. Both file forms, the command line and the UI's form check the
fields with the same functions: `normalise_target`, `check_fs`, `check_source`, `check_options`,
and `make` for the whole.
"""

from __future__ import annotations

from ..errors import UsageError
from ..text import suggestion
from ..value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeVar

    T = TypeVar("T")

PROPAGATIONS = ("private", "slave", "shared", "unbindable")
"""mount(8), "Shared subtree operations"."""

BIND_OPTIONS = (
    "ro", "rw", "nosuid", "suid", "nodev", "dev", "noexec", "exec", "noatime", "relatime",
    "strictatime", "nodiratime", "diratime", "nosymfollow", "symfollow", "defaults",
)  # fmt: skip
"""What can be set on one mount alone: mount_setattr(2). A bind has no file system of its own, so
any other word on it would change the host's."""

TMPFS_OPTIONS = ("noexec", "nosuid", "nodev")
"""Options of a tmpfs that names none."""

_CLASHES = (
    ("ro", "rw"), ("suid", "nosuid"), ("dev", "nodev"), ("exec", "noexec"),
    ("noatime", "relatime", "strictatime"), ("diratime", "nodiratime"),
    ("symfollow", "nosymfollow"),
)  # fmt: skip

NAME_MAX, PATH_MAX = 255, 4095
"""Bytes of a name, and of a path: linux/limits.h, which counts the NUL at a path's end, too."""
_SHOWN = 40
"""Characters of what is too long that are shown."""

SYSTEM, TOOL_CONF, CHROOT_TOML, COMMAND_LINE, FOREIGN = (
    "system", "tool.conf", "chroot.toml", "command line", "foreign",
)  # fmt: skip
"""The origins of a mount, as `--json` prints them."""


class Bind(Value):
    """One mount that is wanted inside a chroot. Any file system type, a bind of the host's first.

    `target` is absolute inside the chroot and normalised (no `.`, `..`, `//`, trailing slash).
    `source` is a host path for binds, a device or a word like `none` otherwise. `options` are
    mount options as written, without propagation words and `rbind`; a read-only bind has `ro`
    among them. `fs` is `bind`, a file system type, or, among the system points only, `copy`: no
    mount, the content of the source is written to the target.
    """

    target: str
    source: str
    fs: str = "bind"
    options: tuple[str, ...] = ()
    propagation: str = "private"
    recursive: bool = False
    optional: bool = False
    ignored: bool = False
    origin: str = SYSTEM
    line: int = 0
    """1-based line in the file of `origin`; 0 where there is none."""
    nodes: bool = False
    """Whether the standard device nodes are made in it: the private /dev."""

    @property
    def read_only(self) -> bool:
        """Whether the mount itself is to be read-only."""
        return "ro" in self.options

    @property
    def only_ignores(self) -> bool:
        """Whether it says nothing but that its target is left out."""
        plain = Bind(self.target, self.target, ignored=True, origin=self.origin, line=self.line)
        return self == plain

    def shown_options(self) -> tuple[str, ...]:
        """Return options, `rbind` and propagation as one list, as `--json` and the UI show it."""
        recursive = ("rbind",) if self.recursive else ()
        return (*recursive, *self.options, self.propagation)


def normalise_target(target: str) -> str:
    """Return *target* without `.`, `//` and trailing slash.

    Raises UsageError for a relative path, a `..`, the root itself, a NUL, or what is too long: none
    of them can name a place to mount on.
    """
    if not target.startswith("/"):
        raise UsageError(
            f"target {target!r}, expected an absolute path", "write it from the chroot's /"
        )
    if "\0" in target:
        raise UsageError(f"target {target!r} holds a NUL byte, expected a path")
    parts = [part for part in target.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise UsageError(
            f"target {target!r} holds '..', expected a path without", "write where it leads to"
        )
    if not parts:
        raise UsageError(
            f"target {target!r} is the root itself, expected a place below it",
            "name a directory or file below /",
        )
    _refuse_long(parts)
    return "/" + "/".join(parts)


def _refuse_long(parts: Sequence[str]) -> None:
    """Raise UsageError where no file system could hold a path of these *parts*."""
    sizes = [len(part.encode(errors="replace")) for part in parts]
    longest, whole = max(sizes), sum(sizes) + len(sizes)
    if longest > NAME_MAX:
        begin = parts[sizes.index(longest)][:_SHOWN]
        raise UsageError(
            f"target with a name {begin!r}… of {longest} bytes, expected at most {NAME_MAX}",
            "no file system holds a longer one",
        )
    if whole > PATH_MAX:
        begin = f"/{'/'.join(parts)}"[:_SHOWN]
        raise UsageError(
            f"target {begin!r}… of {whole} bytes, expected at most {PATH_MAX}",
            "the kernel takes no longer path",
        )


def check_fs(fs: str) -> str:
    """Return the file system type *fs* as it stands in a Bind: `bind-ro` becomes `bind`.

    Raises UsageError for a word that can be no type. Whether the kernel knows it, only mounting
    can tell: it loads types when they are asked for.
    """
    if fs == "bind-ro":
        return "bind"
    if fs in ("rbind", "copy"):
        hint = "write fs bind with the option rbind" if fs == "rbind" else "known: bind, tmpfs …"
        raise UsageError(f"file system type {fs!r}, expected bind, bind-ro, tmpfs or another", hint)
    if not fs or not all(c.isascii() and (c.isalnum() or c in "._-") for c in fs):
        raise UsageError(
            f"file system type {fs!r}, expected a word of letters, digits, '.', '_' and '-'",
            "leave it out for a bind",
        )
    return fs


def check_source(source: str, fs: str = "bind") -> str:
    """Return *source*, unchanged, if it can be one of *fs*; else raises UsageError.

    A bind's is an absolute path on the host; whether it exists is not asked here.
    """
    if "\0" in source:
        raise UsageError(f"source {source!r} holds a NUL byte, expected a path or a word")
    if check_fs(fs) == "bind" and not source.startswith("/"):
        raise UsageError(
            f"source {source!r}, expected an absolute path", "write it from the host's /"
        )
    if not source:
        raise UsageError(f"the source of {fs} is empty, expected a device or a word like none")
    return source


def check_options(words: Sequence[str], fs: str = "bind") -> tuple[tuple[str, ...], str, bool]:
    """Split the option list of a mount of *fs* into (mount options, propagation, recursive).

    Raises UsageError for an empty word or one with a comma, for options that contradict each
    other, for `rbind` where nothing is bound, and, on a bind, for every word that is not about
    one mount alone (BIND_OPTIONS).
    """
    kind = check_fs(fs)
    if fs == "bind-ro" and "ro" not in words:
        words = ("ro", *words)
    options, propagation, recursive = split_options(words)
    for word in options:
        if not word or "," in word or "\0" in word or "\n" in word:
            raise UsageError(f"option {word!r}, expected one word", "list each option by itself")
        if kind == "bind" and word not in BIND_OPTIONS:
            known = (*BIND_OPTIONS, "rbind", *PROPAGATIONS)
            raise UsageError(
                f"option {word!r} on a bind, expected one that concerns the mount alone",
                suggestion(word, known),
            )
    if recursive and kind != "bind":
        raise UsageError(f"option 'rbind' on {fs}, expected it on binds only", "leave it out")
    for group in _CLASHES:
        both = [word for word in group if word in options]
        if len(both) > 1:
            raise UsageError(
                f"options {both[0]!r} and {both[1]!r} together, expected one of them",
                "leave one of them out",
            )
    return options, propagation, recursive


def split_options(words: Sequence[str]) -> tuple[tuple[str, ...], str, bool]:
    """Split an option list into (mount options, propagation, recursive), unchecked.

    The last propagation word wins; `private` where there is none. `rbind` makes it recursive,
    `bind` says nothing new and is dropped.
    """
    options = tuple([w for w in words if w not in PROPAGATIONS and w not in ("rbind", "bind")])
    propagation = next((w for w in reversed(words) if w in PROPAGATIONS), "private")
    return options, propagation, "rbind" in words


def default_source(target: str, fs: str) -> str:
    """Return the source of an entry that names none: the target for binds, `none` for tmpfs.

    Raises UsageError for every other type.
    """
    if fs in ("bind", "bind-ro"):
        return target
    if fs == "tmpfs":
        return "none"
    raise UsageError(
        f"no source for {fs}, expected one", f"name the device, or the word {fs} where it has none"
    )


def default_options(fs: str) -> tuple[str, ...]:
    """Return the options of an entry that lists none."""
    return TMPFS_OPTIONS if fs == "tmpfs" else ()


def collect(
    errors: dict[str, UsageError],
    target: str | None,
    source: str | None = None,
    fs: str = "bind",
    options: Sequence[str] | None = None,
    *,
    optional: bool = False,
    ignored: bool = False,
    origin: str = COMMAND_LINE,
    line: int = 0,
) -> Bind | None:
    """Build a Bind from fields as they are written; *errors* gets what is wrong, by field.

    *target* None: the caller has reported that already. *source* and *options* None: the
    defaults. Returns None exactly where something was wrong.
    """
    place = None if target is None else _tried(errors, "target", normalise_target, target)
    kind = _tried(errors, "fs", check_fs, fs)
    if kind is None:
        return None
    if source is not None:
        device = _tried(errors, "source", check_source, source, fs)
    else:
        device = _tried(errors, "source", default_source, place or "/", fs)
    words = default_options(fs) if options is None else options
    split = _tried(errors, "options", check_options, words, fs)
    if place is None or device is None or split is None:
        return None
    return Bind(
        place, device, kind, *split,
        optional=optional, ignored=ignored, origin=origin, line=line,
    )  # fmt: skip


def make(
    target: str,
    source: str | None = None,
    fs: str = "bind",
    options: Sequence[str] | None = None,
    *,
    optional: bool = False,
    ignored: bool = False,
    origin: str = COMMAND_LINE,
) -> Bind:
    """Build a Bind from fields as a user gives them; raises UsageError for the first wrong one."""
    errors: dict[str, UsageError] = {}
    bind = collect(
        errors, target, source, fs, options, optional=optional, ignored=ignored, origin=origin
    )
    if bind is None:
        raise next(iter(errors.values()))
    return bind


def checked(bind: Bind) -> Bind:
    """Return *bind* as a file form can hold it; raises UsageError if a field breaks a rule."""
    if bind.nodes:
        raise UsageError(
            f"{bind.target!r} with device nodes is made by the tool, no file can list it",
            "set dev in [system] of chroot.toml, or ignore the target",
        )
    return make(
        bind.target, bind.source, bind.fs, bind.shown_options(),
        optional=bind.optional, ignored=bind.ignored,
    )  # fmt: skip


def find_entry(binds: Sequence[Bind], target: str, file: str) -> int:
    """Return the index of the entry of *binds* that counts for *target*: the last one.

    Raises UsageError with a suggestion where *file* has none.
    """
    wanted = normalise_target(target)
    for index in range(len(binds) - 1, -1, -1):
        if binds[index].target == wanted:
            return index
    raise UsageError(
        f"{wanted!r} is no target in {file}", suggestion(wanted, [bind.target for bind in binds])
    )


def _tried(
    errors: dict[str, UsageError], field: str, check: Callable[..., T], *given: object
) -> T | None:
    try:
        return check(*given)
    except UsageError as error:
        errors[field] = error
        return None
