"""Bind entries that are wanted against those that are there: pure, no program is started."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

_PROPAGATIONS = ("private", "slave", "shared", "unbindable")
_FILES = ("tool.conf", "chroot.toml")
_TMPFS = ("noexec", "nosuid", "nodev")
"""Options of a tmpfs that names none, as chroot-tool has it."""


class Entry(NamedTuple):
    """An entry in one form, whatever way it was written: what is equal mounts the same."""

    target: str
    source: str = ""
    fs: str = "bind"
    options: tuple[str, ...] = ()
    """Sorted, with the word for propagation."""
    optional: bool = False
    ignored: bool = False

    def words(self) -> list[str]:
        """Return what `bind add`, or `bind ignore`, takes for it."""
        if self.ignored:
            return ["ignore", f"--target={self.target}"]
        options = [f"--option={word}" for word in self.options]
        more = ["--optional"] if self.optional else []
        return [
            "add", f"--target={self.target}", f"--source={self.source}", f"--fs={self.fs}",
            *options, *more,
        ]  # fmt: skip

    def record(self) -> str:
        """Return it as `on --bind` takes it."""
        options = f" opt:{_quoted(','.join(self.options))}"
        return (
            f"tgt:{_quoted(self.target)} src:{_quoted(self.source)} fs:{_quoted(self.fs)}{options}"
        )

    def describe(self) -> str:
        """Return it as one line for people."""
        if self.ignored:
            return f"{self.target}: ignored"
        optional = ", optional" if self.optional else ""
        return f"{self.target}: {self.fs} of {self.source} ({','.join(self.options)}{optional})"


class Edit(NamedTuple):
    """One change: an entry added (`before` is None), removed (`after` is None) or replaced."""

    before: Entry | None
    after: Entry | None

    def describe(self) -> str:
        """Return it as one line for people."""
        if self.after is None:
            assert self.before is not None
            return f"remove the bind {self.before.target}"
        return f"{'change' if self.before else 'add'} the bind {self.after.describe()}"


def wanted(given: Mapping[str, Any]) -> Entry:
    """Return the entry that a user's `binds` item means."""
    target = _normal(given["target"])
    if given.get("ignored"):
        return Entry(target, ignored=True)
    fs = given.get("fs") or "bind"
    options = [word for text in given.get("options") or () for word in text.split(",") if word]
    if fs == "tmpfs" and not options:
        options = list(_TMPFS)
    if fs == "bind-ro":
        fs, options = "bind", [*options, "ro"]
    source = given.get("source") or ("none" if fs == "tmpfs" else target)
    return Entry(target, source, fs, _in_order(options), bool(given.get("optional")))


def present(listed: Iterable[Mapping[str, Any]]) -> list[Entry]:
    """Return the entries of both files out of what `bind list --json` prints."""
    return [_listed(one) for one in listed if one["origin"] in _FILES]


def _listed(one: Mapping[str, Any]) -> Entry:
    if one["ignored"]:
        return Entry(one["target"], ignored=True)
    options = _in_order(one["options"])
    return Entry(one["target"], one["source"], one["fs"], options, one["optional"])


def edits(have: Iterable[Entry], want: Iterable[Entry], *, purge: bool) -> list[Edit]:
    """Return the changes that lead from *have* to *want*, those first that may be refused.

    Without *purge* nothing is removed.
    """
    before = {entry.target: entry for entry in have}
    after = {entry.target: entry for entry in want}
    gone = [Edit(entry, None) for target, entry in before.items() if target not in after]
    other = [
        Edit(before.get(target), entry)
        for target, entry in after.items()
        if before.get(target) != entry
    ]
    return [*other, *(gone if purge else ())]


def _in_order(words: Iterable[str]) -> tuple[str, ...]:
    kept = {word for word in words if word != "bind"}
    return tuple(sorted(kept if kept & set(_PROPAGATIONS) else kept | {"private"}))


def _normal(target: str) -> str:
    """Return *target* as chroot-tool lists it; what is no target stays, and is refused there."""
    parts = [part for part in target.split("/") if part not in ("", ".")]
    return "/" + "/".join(parts) if target.startswith("/") and ".." not in parts else target


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
