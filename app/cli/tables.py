"""Plain tables and lines for a person at a terminal. Everything foreign is made safe here."""

from __future__ import annotations

import unicodedata

from ...core.text import duration, safe, size
from ...widgets.text.states import chroot_state, mount_state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ...core.config.bind import Bind
    from ...core.looking.status import ChrootStatus


def width(text: str) -> int:
    """Return how many columns *text* takes on a terminal."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return aligned lines; columns whose head begins with a space are right-aligned."""
    cells = [[word.strip() for word in head], *([safe(cell) for cell in row] for row in rows)]
    widths = [max(width(row[i]) for row in cells) for i in range(len(head))]
    lines = []
    for row in cells:
        parts = []
        for i, cell in enumerate(row):
            gap = " " * (widths[i] - width(cell))
            parts.append(gap + cell if head[i].startswith(" ") else cell + gap)
        lines.append("  ".join(parts).rstrip())
    return lines


def chroots(found: Sequence[ChrootStatus]) -> list[str]:
    """Return the table of `list`."""
    return table(
        ("STATE", "NAME", "SYSTEM", " MOUNTS", " PROCESSES"),
        [
            (
                chroot_state(one.state)[0], one.name, one.os or "-",
                f"{one.mounted}/{one.wanted}",
                _count(one),
            )
            for one in found
        ],
    )  # fmt: skip


def _count(one: ChrootStatus) -> str:
    """Return how many processes live in it, `?` where this user can't know."""
    return "?" if one.unseen and not one.processes else str(len(one.processes))


def status(one: ChrootStatus, now: float) -> list[str]:
    """Return what `status` prints of one chroot."""
    sign = chroot_state(one.state)[0][0]
    lines = [f"{sign} {safe(one.name)}: {one.state}", f"  path    {safe(one.path)}"]
    if one.os:
        lines.append(f"  system  {safe(one.os)}")
    if one.description:
        lines.append(f"  about   {safe(one.description)}")
    if one.mounts:
        lines += ["", f"mounts {one.mounted}/{one.wanted}"]
        lines += _indented(
            ("STATE", "TARGET", "SOURCE", "TYPE", "OPTIONS", "ORIGIN", "REASON"),
            [
                (
                    mount_state(m.state)[0], m.target, m.source, m.fs,
                    ",".join(m.options) or "-", m.origin, m.reason,
                )
                for m in one.mounts
            ],
        )  # fmt: skip
    if one.unseen:
        lines += ["", "processes of other users can't be seen: run as root"]
    if one.processes:
        lines += ["", f"processes {len(one.processes)}"]
        lines += _indented(
            (" PID", "USER", " CPU%", " MEMORY", " RUNNING", "COMMAND"),
            [
                (
                    str(p.pid), p.user, f"{p.cpu_percent:.1f}", size(p.rss),
                    duration(now - p.started), p.command,
                )
                for p in one.processes
            ],
        )  # fmt: skip
    for problem in one.problems:
        lines += ["", f"problem: {safe(problem.message)}"]
        if problem.hint:
            lines.append(f"hint: {safe(problem.hint)}")
    return lines


def binds(entries: Iterable[Bind]) -> list[str]:
    """Return the table of `bind list`."""
    return table(
        ("TARGET", "SOURCE", "TYPE", "OPTIONS", "ORIGIN"),
        [
            (
                b.target, b.source, b.fs, "ignored" if b.ignored else ",".join(b.shown_options()),
                f"{b.origin}:{b.line}" if b.line else b.origin,
            )
            for b in entries
        ],
    )  # fmt: skip


def _indented(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [f"  {line}" for line in table(head, rows)]


def watched(one: ChrootStatus) -> str:
    """Return the line that `watch` prints of a chroot."""
    return (
        f"{chroot_state(one.state)[0]} {safe(one.name)}  mounts {one.mounted}/{one.wanted}  "
        f"processes {_count(one)}"
    )
