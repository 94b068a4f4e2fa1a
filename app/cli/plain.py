"""Chroots in words, for screen readers and slow lines: no columns, no signs, a line for each fact.

A line makes sense by itself: it begins with the name of what it is about. Everything foreign is
made safe here.
"""

from __future__ import annotations

from ...core.errors import UsageError
from ...core.looking.status import ON
from ...core.process import MOST_LISTENERS
from ...core.text import duration, safe, size
from .tables import process_count

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from ...core.looking.status import ChrootStatus, MountStatus
    from ...core.process import Listener, OpenFile

_FEW = 3
"""Mounts that are named when they change together."""


def is_wanted(arguments: Namespace) -> bool:
    """Tell whether --plain was given. Raises UsageError where --json was, too."""
    if arguments.plain and arguments.json:
        raise UsageError("--plain is for people, --json for programs", "one of them will do")
    return bool(arguments.plain)


def sentence(one: ChrootStatus) -> str:
    """Return a chroot in one line."""
    facts = [f"{safe(one.name)}: {safe(one.condition)}"]
    if one.os:
        facts.append(safe(one.os))
    if one.mounts:
        facts.append(f"mounts {one.mounted} of {one.wanted}")
    count = process_count(one)
    if count != "0":
        facts.append(f"processes {count}")
    if one.unanswered:
        facts.append(f"not answering {safe(' '.join(one.unanswered))}")
    return ", ".join(facts + [safe(problem.message) for problem in one.problems])


def details(one: ChrootStatus, now: float) -> list[str]:
    """Return all of a chroot; *now* in epoch seconds."""
    facts = (
        ("state", one.condition), ("path", one.path), ("system", one.os),
        ("about", one.description), ("tags", ", ".join(one.tags)),
        ("configuration", one.configuration), ("at boot", "on, and started" * one.enabled),
        ("mounts", f"{one.mounted} of {one.wanted}" if one.mounts else ""),
        ("processes", process_count(one)),
    )  # fmt: skip
    said = [f"name: {safe(one.name)}", *(f"{word}: {safe(fact)}" for word, fact in facts if fact)]
    for problem in one.problems:
        said.append(f"problem: {safe(problem.message)}")
        if problem.hint:
            said.append(f"hint: {safe(problem.hint)}")
    said += [f"mount {_mount(mount)}" for mount in one.mounts]
    for process in one.processes:
        took = f"{process.cpu_percent:.1f} % CPU, {size(process.rss)}"
        since = duration(now - process.started)
        about = f"process {process.pid}: {safe(process.command)}, user {safe(process.user)}"
        said.append(f"{about}, {took}, for {since}")
    return said


def _mount(mount: MountStatus) -> str:
    options = f", {safe(','.join(mount.options))}" if mount.options else ""
    why = f", {safe(mount.reason)}" if mount.reason else ""
    kind = f"{safe(mount.fs)} of {safe(mount.source)}"
    return f"{safe(mount.target)}: {mount.state}{why}, {kind}{options}, by {safe(mount.origin)}"


def opened(listening: Sequence[Listener], files: Sequence[OpenFile]) -> list[str]:
    """Return where a chroot listens, and what its processes have open."""
    more = len(listening) >= MOST_LISTENERS
    return [
        *(f"listening {safe(one.protocol)} {safe(one.address)}: process {one.pid}, "
          f"{safe(one.command)}" for one in listening),
        *[f"listening: perhaps more, {MOST_LISTENERS} are told"] * more,
        *(f"process {one.pid} has {safe(one.name)} open: {safe(one.kind)} {safe(one.what)}"
          for one in files),
    ]  # fmt: skip


def outcome(host: str, word: str, why: str) -> str:
    """Return what became of a verb on a host; *why* is "" where that needs no word."""
    return f"{safe(host)}: {safe(word)}" + (f", {safe(why)}" if why else "")


def changes(before: ChrootStatus, now: ChrootStatus) -> list[str]:
    """Return what is other about a chroot than *before*, a line each; [] where none is worth one.

    Processes are told of when the first comes and when the last is gone: what a build starts would
    bury all else.
    """
    said = []
    other = now.condition != before.condition
    if other:
        said.append(f"{safe(now.condition)}, was {safe(before.condition)}")
    if before.is_on and now.is_on and not (other and now.state == ON):
        said += _mounts_changed(before, now)
    known = {problem.message for problem in before.problems}
    there = {problem.message for problem in now.problems}
    said += [f"problem: {safe(one.message)}" for one in now.problems if one.message not in known]
    said += [f"solved: {safe(one.message)}" for one in before.problems if one.message not in there]
    if bool(now.processes) != bool(before.processes):
        count = process_count(now)
        said.append(f"processes {count}" if now.processes else "no processes any more")
    return [f"{safe(now.name)}: {line}" for line in said]


def _mounts_changed(before: ChrootStatus, now: ChrootStatus) -> list[str]:
    """Return which mounts are in another state; of many at once how many there are."""
    # At one target there may be what is wanted and, over it, what is foreign.
    known = {(mount.target, mount.origin): mount for mount in before.mounts}
    there = {mount.target for mount in now.mounts}
    said = []
    for mount in now.mounts:
        old = known.get((mount.target, mount.origin))
        if old is None or old.state != mount.state:
            why = f", {safe(mount.reason)}" if mount.reason else ""
            said.append(f"mount {safe(mount.target)} {mount.state}{why}")
    gone = dict.fromkeys(target for target, _ in known if target not in there)
    said += [f"mount {safe(target)} gone" for target in gone]
    return said if len(said) <= _FEW else [f"mounts {now.mounted} of {now.wanted}"]
