"""The engine's values as JSON: the form that docs/json.md promises."""

from __future__ import annotations

import sys

from ..core import events
from ..core.diagnosis.finding import Found
from ..core.errors import CutShortError
from ..core.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from ..core.archives.archive import Packed, Unpacked
    from ..core.config.bind import Bind
    from ..core.creating.bases.store import Base
    from ..core.diagnosis.finding import Finding
    from ..core.errors import ChrootError, Problem
    from ..core.looking.status import ChrootStatus, MountStatus
    from ..core.plan import Plan
    from ..core.process import Listener, OpenFile, Process
    from ..core.trees.duplicate import Cloned
    from ..core.trees.snapshots import TreeSnapshot
    from ..core.trees.trash import Trashed


PROBLEM = ("message", "hint")
MOUNT = ("target", "source", "fs", "options", "origin", "state", "reason")
PROCESS = (
    "pid", "user", "command", "cpu_percent", "rss", "started", "read_rate", "write_rate",
)  # fmt: skip
CHROOT = ("name", "path", "state", "os", "enabled", "tags")
BIND = ("target", "source", "fs", "origin", "line", "optional", "ignored")
BASE = ("name", "size", "sha256", "used")
BASE_KEY = ("suite", "arch", "variant", "backend", "mirror", "include")
BASE_FACTS = ("made", "seconds", "packages", "release", "codename")
CLONED = ("method", "entries", "size")
TRASHED = ("id", "name", "path", "deleted", "until", "size", "only_snapshots")
SNAPSHOT = ("name", "created", "method", "shared")
PACKED = ("size", "count", "left_out")
UNPACKED = ("count", "lost")
MANIFEST = ("name", "os", "suite", "arch", "version", "date", "left_out")
FINDING = ("check", "severity", "found", "meaning", "mend", "mends")
HOLDER = ("pid", "user", "command", "holds")
LISTENER = ("protocol", "address", "pid", "command")
OPEN = ("pid", "name", "kind", "what")
"""The fields of values that are said as they are; json_schema says the same of them."""


def write(document: object) -> None:
    """Print one JSON document on a line of stdout, at once."""
    import json  # which costs those 1.5 ms that do not write any

    # ensure_ascii: surrogate escapes survive, and no control byte of a chroot reaches a terminal
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()


def _fields(value: Value, *names: str) -> dict[str, Any]:
    return {name: getattr(value, name) for name in names}


def problem(value: Problem) -> dict[str, Any]:
    """Return a problem."""
    return _fields(value, *PROBLEM)


def mount(value: MountStatus) -> dict[str, Any]:
    """Return a mount of a chroot."""
    return _fields(value, *MOUNT)


def process(value: Process) -> dict[str, Any]:
    """Return a process of a chroot."""
    return _fields(value, *PROCESS)


def chroot(value: ChrootStatus) -> dict[str, Any]:
    """Return a chroot, whole."""
    return {
        **_fields(value, *CHROOT),
        "mounts": [mount(one) for one in value.mounts],
        "processes": [process(one) for one in value.processes],
        "problems": [problem(one) for one in value.problems],
        **({"not_answering": value.unanswered} if value.unanswered else {}),
        **({"in_use": True} if value.in_use else {}),
        **({"configuration": value.configuration} if value.configuration else {}),
        **({"unseen": True} if value.unseen else {}),
    }


def opened(listening: Iterable[Listener], files: Iterable[OpenFile]) -> dict[str, Any]:
    """Return the fields that a chroot has more where it was asked what is open in it."""
    return {
        "listening": [_fields(one, *LISTENER) for one in listening],
        "open": [_fields(one, *OPEN) for one in files],
    }


def bind(value: Bind) -> dict[str, Any]:
    """Return a bind entry."""
    return {
        **_fields(value, *BIND),
        "options": value.shown_options(),
    }


def base(value: Base) -> dict[str, Any]:
    """Return a base of `create`."""
    key, facts = value.key, value.facts
    return {
        **_fields(value, *BASE),
        **_fields(key, *BASE_KEY),
        **_fields(facts, *BASE_FACTS),
    }


def cloned(value: Cloned, path: str) -> dict[str, Any]:
    """Return how the chroot at *path* was cloned, as the last event."""
    facts = _fields(value, *CLONED)
    return {"event": "done", "chroot": value.path, "state": "off", "from": path, **facts}


def snapshot(value: TreeSnapshot) -> dict[str, Any]:
    """Return a snapshot; its size is null where it was not counted."""
    return {
        **_fields(value, *SNAPSHOT),
        "size": value.size or None,
    }


def trashed(value: Trashed) -> dict[str, Any]:
    """Return a chroot in the trash."""
    return _fields(value, *TRASHED)


def plan(path: str, value: Plan) -> dict[str, Any]:
    """Return a plan."""
    steps = [
        {"step": step.kind, "target": step.target, "description": step.describe()}
        for step in value.steps
    ]
    return {"path": path, "steps": steps}


def packed(value: Packed) -> dict[str, Any]:
    """Return what an archive is that was written."""
    facts = _fields(value, *PACKED)
    return {"archive": value.path, "sha256": value.sha256 or None, **facts}


def unpacked(value: Unpacked) -> dict[str, Any]:
    """Return what an archive was that has been unpacked."""
    said = value.manifest
    return {
        **_fields(value, *UNPACKED),
        "manifest": _fields(said, *MANIFEST) if said is not None else None,
    }


def finding(value: Finding) -> dict[str, Any]:
    """Return what the doctor has found."""
    return _fields(value, *FINDING)


def event(value: events.Event) -> dict[str, Any]:
    """Return an event, with its kind under `event`."""
    content = {name: getattr(value, name) for name in value._fields}
    if isinstance(value, events.Warned):
        content |= {"problem": problem(value.problem)}
    elif isinstance(value, events.StepDone | events.StepUndone):
        content |= {"step": value.step.describe(), "target": value.step.target}
    elif isinstance(value, Found):
        content = {"chroot": value.chroot, **finding(value.finding)}
    return {"event": value.word, **content}


def error(value: ChrootError, code: int) -> dict[str, Any]:
    """Return an error as the last event of a stream."""
    holders = [_fields(holder, *HOLDER) for holder in getattr(value, "holders", ())]
    return {
        "event": "error", "kind": value.kind, "message": value.message, "hint": value.hint,
        "code": code, "holders": holders,
        **({"cut_short": True} if isinstance(value, CutShortError) else {}),
    }  # fmt: skip
