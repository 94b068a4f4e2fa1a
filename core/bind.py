"""A bind entry: one mount that a chroot wants, as a value. Pure; knows no file form, no kernel."""

from __future__ import annotations

from .errors import UsageError
from .value import Value

PROPAGATIONS = ("private", "slave", "shared", "unbindable")
"""mount(8), "Shared subtree operations"."""

SYSTEM, TOOL_CONF, CHROOT_TOML, COMMAND_LINE, FOREIGN = (
    "system", "tool.conf", "chroot.toml", "command line", "foreign",
)  # fmt: skip
"""The origins of a mount, as `--json` prints them."""


class Bind(Value):
    """One mount that is wanted inside a chroot. Any file system type, a bind of the host's first.

    `target` is absolute inside the chroot and normalised (no `.`, `..`, `//`, trailing slash).
    `source` is a host path for binds, a device or a word like `none` otherwise. `options` are
    mount options as written, without propagation words and `rbind`; a read-only bind has `ro`
    among them.
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

    @property
    def read_only(self) -> bool:
        """Whether the mount itself is to be read-only."""
        return "ro" in self.options

    def shown_options(self) -> tuple[str, ...]:
        """Return options, `rbind` and propagation as one list, as `--json` and the UI show it."""
        recursive = ("rbind",) if self.recursive else ()
        return (*recursive, *self.options, self.propagation)


def normalise_target(target: str) -> str:
    """Return *target* without `.`, `//` and trailing slash.

    Raises UsageError for a relative path, a `..`, the root itself, or a NUL: none of them can
    name a place to mount on.
    """
    if not target.startswith("/"):
        raise UsageError(f"target {target!r} is not absolute", "write it from the chroot's /")
    if "\0" in target:
        raise UsageError(f"target {target!r} holds a NUL byte")
    parts = [part for part in target.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise UsageError(f"target {target!r} holds '..'", "write the path without it")
    if not parts:
        raise UsageError("target / is the root itself", "name a place below it")
    return "/" + "/".join(parts)


def split_options(words: list[str]) -> tuple[tuple[str, ...], str, bool]:
    """Split an option list into (mount options, propagation, recursive).

    The last propagation word wins; `private` where there is none. `rbind` makes it recursive,
    `bind` says nothing new and is dropped.
    """
    options = tuple(w for w in words if w not in PROPAGATIONS and w not in ("rbind", "bind"))
    propagation = next((w for w in reversed(words) if w in PROPAGATIONS), "private")
    return options, propagation, "rbind" in words
