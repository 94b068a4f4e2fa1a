"""The table of the bind editor: its rows, its columns, what each entry is against the files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual.content import Content

from ...core.config.bind import Bind
from ...core.looking.status import FOREIGN_MOUNT, MountStatus
from ...core.value import Value
from ..tables.columns import Column
from ..tables.table import Table
from ..text.foreign import foreign
from ..text.states import ACCENT, BAD, MUTED, PLAIN, WARN, Cell, mount_state

NEW, CHANGED, IGNORED, REMOVED = "+ new", "~ changed", "~ ignored", "- removed"
_TONES = {NEW: ACCENT, CHANGED: WARN, IGNORED: WARN, REMOVED: BAD}


class BindRow(Value):
    """One entry as the table shows it."""

    bind: Bind
    mark: str = ""
    """NEW, CHANGED, IGNORED or REMOVED against what is in the files."""
    state: str = ""
    """Of its mount, as it is now."""
    reason: str = ""


def _state(row: BindRow, _width: int) -> Cell:
    if row.mark:
        return row.mark, _TONES[row.mark]
    if row.bind.ignored:
        return mount_state("ignored")
    return mount_state(row.state) if row.state else ("", PLAIN)


def _source(row: BindRow, _width: int) -> Cell:
    bind = row.bind
    if bind.fs == "bind" and bind.source == bind.target:
        return "the same", MUTED
    return bind.source, PLAIN


def _words(bind: Bind) -> list[str]:
    """Return the options that say something: private is what every mount is unless told."""
    return [word for word in bind.shown_options() if word != "private"]


COLUMNS: tuple[Column[BindRow], ...] = (
    Column("state", "State", _state, lambda one: _state(one, 0), 9, most=10, rank=0),
    Column("target", "Target", lambda one, _: (one.bind.target, PLAIN),
           lambda one: one.bind.target, 16, most=40, rank=1),
    Column("source", "Source", _source, lambda one: one.bind.source, 12, most=40, rank=2),
    Column("fs", "Type", lambda one, _: (one.bind.fs, MUTED), lambda one: one.bind.fs, 6, most=9,
           rank=3),
    Column("options", "Options", lambda one, _: (",".join(_words(one.bind)), MUTED),
           lambda one: one.bind.options, 8, rank=5, fills=True),
    Column("origin", "Origin", lambda one, _: (one.bind.origin, MUTED),
           lambda one: one.bind.origin, 11, rank=4),
)  # fmt: skip


class BindTable(Table[BindRow]):
    """The entries in the order in which they are mounted."""

    BINDING_GROUP_TITLE = "Binds"
    HELP = (
        "All that is mounted in this chroot, system points included, in that order. Nothing is "
        "written before you save, and the difference is shown first."
    )
    DEFAULT_CSS = """
    BindTable { height: 1fr; background: transparent; }
    """


def rows_of(
    before: Mapping[str, Bind], binds: Sequence[Bind], mounts: Sequence[MountStatus]
) -> list[BindRow]:
    """Return the entries, those that were removed among them, in the order of mounting."""
    there = {mount.target: mount for mount in mounts if mount.state != FOREIGN_MOUNT}
    rows = []
    for bind in binds:
        old = before.get(bind.target)
        mark = NEW if old is None else "" if _same(old, bind) else CHANGED
        if mark == CHANGED and bind.ignored:
            mark = IGNORED
        mount = there.get(bind.target)
        state, reason = (mount.state, mount.reason) if mount else ("", "")
        rows.append(BindRow(bind, mark, state, reason))
    left = {bind.target for bind in binds}
    rows += [BindRow(bind, REMOVED) for target, bind in before.items() if target not in left]
    return sorted(rows, key=lambda row: row.bind.target.split("/"))


def _same(one: Bind, other: Bind) -> bool:
    """Tell whether two entries say the same in the same file, on whatever line."""
    return one.replace(line=0) == other.replace(line=0)


def about(row: BindRow) -> list[Content]:
    """Return what there is to say about an entry, a line each."""
    bind = row.bind
    words = [*bind.shown_options(), *(["optional"] if bind.optional else [])]
    words += ["left out"] if bind.ignored else []
    where = f"{bind.origin}, line {bind.line}" if bind.line and not row.mark else bind.origin
    lines = [
        Content.assemble(foreign(bind.source), " at ", foreign(bind.target)),
        foreign(f"{bind.fs}: {', '.join(words)}  ({where})"),
    ]
    return [*lines, foreign(row.reason)] if row.reason else lines
