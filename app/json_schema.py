"""The JSON Schema of all that `--json` prints: made of the values' own declarations and docstrings.

Which fields of a value are said stands in `json_fields`, of what type they are in the class, what
they mean in the docstring below each. A verb prints one document, or an object a line (LINES).
"""

from __future__ import annotations

import ast
import sys
from functools import cache
from itertools import pairwise
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from ..core import events
from ..core.archives.archive import Packed, Unpacked
from ..core.archives.manifest import Manifest
from ..core.config.bind import Bind
from ..core.config.toml_value_types import DIALECT
from ..core.creating.bases.key import Key
from ..core.creating.bases.store import Base, Facts
from ..core.diagnosis.finding import SEVERITIES, Finding, Found
from ..core.errors import Problem
from ..core.looking.status import ChrootStatus, MountStatus
from ..core.process import Holder, Listener, OpenFile, Process
from ..core.remote.documents import names as known_names
from ..core.trees.duplicate import Cloned
from ..core.trees.snapshots import TreeSnapshot
from ..core.trees.trash import Trashed
from . import json_fields as said

Schema = dict[str, Any]
_BASIC: dict[Any, str] = {str: "string", bool: "boolean", int: "integer", float: "number",
                          NoneType: "null"}  # fmt: skip
_TEXT, _COUNT, _FLAG = {"type": "string"}, {"type": "integer"}, {"type": "boolean"}
_TEXTS = {"type": "array", "items": _TEXT}


def schema() -> Schema:
    """Return it, of draft 2020-12: an `anyOf` of what verbs print, `$defs` of verbs and values."""
    verbs = {
        name: {"title": title} | _any(one, _ref("Error")) for name, (title, one) in _verbs().items()
    }
    return {
        "$schema": DIALECT,
        "title": "what chroot-tool prints with --json",
        "anyOf": [{"$ref": f"#/$defs/{name}"} for name in verbs],
        "$defs": verbs | _values(),
    }


# -- what verbs print ----------------------------------------------------------------------------

LINES = "an object a line"
RUN = ("run", "start", "stop", "restart", "update")
"""Without --hosts what they print is the command's."""
_ONE, _MANY = "one document", "one document, an array"


@cache
def _verbs() -> dict[str, tuple[str, Schema]]:
    """Return title and schema of what each verb prints, a line of it where it prints many."""
    chroot = {"chroot": _TEXT}
    off = {**chroot, "state": {"const": "off"}}
    return {
        "list": (_MANY, _array("Chroot")),
        "status": (_ONE, _ref("Chroot")),
        "watch": (
            LINES,
            _any(
                _event_of("chroot", "Chroot", without=_OF_OPEN),
                _event("gone", name=_TEXT), _ref("Warning"),
            ),
        ),
        "create": (LINES, _long(**off)),
        "on": (LINES, _long(**chroot, state={"const": "on"}, steps=_COUNT)),
        "off": (LINES, _long(**off, steps=_COUNT)),
        **dict.fromkeys(RUN, (f"with `--hosts`, {LINES}", _ref("Output"))),
        "--hosts": (LINES, _any(_ref("Hosted"), _ref("Ended"))),
        "--dry-run": (_ONE, _ref("Plan")),
        "adopt": (LINES, _long(**chroot, user=_TEXT, steps=_COUNT)),
        "enable": (LINES, _long(**chroot, enabled=_FLAG)),
        "disable": (LINES, _long(**chroot, enabled=_FLAG)),
        "clone": (LINES, _long(**off, **{"from": _TEXT}, **_fields(Cloned, said.CLONED))),
        "rename": (LINES, _long(**off, **{"from": _TEXT})),
        "pack": (LINES, _long(**chroot, archive=_TEXT, sha256=_or_null(_TEXT),
                              **_fields(Packed, said.PACKED))),
        "unpack": (LINES, _long(**chroot, manifest=_or_null(_ref("Manifest")),
                                **_fields(Unpacked, said.UNPACKED))),
        "snapshot": (LINES, _any(_ref("Told"), *(
            _event("done", **chroot, **more) for more in (
                {"snapshot": _ref("Snapshot")}, {"removed": _TEXT},
                {"restored": _TEXT, "kept": _or_null(_TEXT)},
            )))),
        "snapshot list": (_MANY, _array("Snapshot")),
        "trash list": (_MANY, _array("Trashed")),
        "trash restore": (LINES, _long(**chroot, state=_TEXT)),
        "trash empty": (LINES, _long(**chroot, removed=_TEXTS)),
        "bind list": (_MANY, _array("Bind")),
        "tag list": (_MANY, _TEXTS),
        **dict.fromkeys(
            ("tag add", "tag remove", "tag set"),
            (_ONE, _object(**chroot, tags=_TEXTS, changed=_FLAG)),
        ),
        "base list": (_MANY, _array("Base")),
        "base make": (LINES, _long(base=_ref("Base"))),
        "base remove": (_ONE, _object(removed=_TEXTS)),
        "base prune": (_ONE, _object(removed=_TEXTS, freed=_COUNT)),
        "doctor": (LINES, _long(**chroot, **dict.fromkeys(SEVERITIES, _COUNT))),
        "deploy": (_ONE, _object(host=_TEXT, path=_TEXT, removed=_FLAG, changed=_FLAG)),
        "serve": (LINES, _any(_ref("Hello"), _ref("Answer"), _event("pong"))),
    }  # fmt: skip


def _long(**done: Schema) -> Schema:
    """Return what a long verb prints a line: what happens, and at its end *done*."""
    return _any(_ref("Told"), _event("done", **done))


# -- the values ----------------------------------------------------------------------------------


@cache
def _values() -> dict[str, Schema]:
    chroot = _of(ChrootStatus, said.CHROOT, {
        "mounts": _array("Mount"), "processes": _array("Process"), "problems": _array("Problem"),
        "not_answering": _TEXTS | {"description": _docs(ChrootStatus)["unanswered"]},
        "configuration": _TEXT | {"description": _docs(ChrootStatus)["configuration"]},
        "unseen": {"const": True, "description": _docs(ChrootStatus)["unseen"]},
        "in_use": {"const": True, "description": _docs(ChrootStatus)["in_use"]},
        "listening": _array("Listener") | {"description": "Of `status --open`."},
        "open": _array("OpenFile") | {"description": "Of `status --open`."},
    })  # fmt: skip
    chroot["required"] = [n for n in chroot["required"] if n not in _SOMETIMES]
    error = _event(
        "error", kind=_TEXT, message=_TEXT, hint=_TEXT, code=_COUNT, holders=_array("Holder")
    )
    error["properties"]["cut_short"] = {
        "const": True, "description": "Where a stream ended before its end.",
    }  # fmt: skip
    step = _object(step=_TEXT, target=_TEXT, description=_TEXT)
    base = _fields(Base, said.BASE) | _fields(Key, said.BASE_KEY) | _fields(Facts, said.BASE_FACTS)
    told: dict[str, tuple[type[events.Event], tuple[str, ...], Schema]] = {
        "Stage": (events.Stage, ("stage", "fraction"), {}),
        "Output": (events.Output, ("line",), {}),
        "Step": (events.StepDone, (), {"step": _TEXT, "target": _TEXT}),
        "Undone": (events.StepUndone, (), {"step": _TEXT, "target": _TEXT}),
        "Warning": (events.Warned, (), {"problem": _ref("Problem")}),
    }
    return {
        "Chroot": chroot,
        "Mount": _of(MountStatus, said.MOUNT),
        "Process": _of(Process, said.PROCESS),
        "Listener": _of(Listener, said.LISTENER),
        "OpenFile": _of(OpenFile, said.OPEN),
        "Problem": _of(Problem, said.PROBLEM),
        "Bind": _of(Bind, said.BIND, {"options": _TEXTS}),
        "Plan": _object(path=_TEXT, steps={"type": "array", "items": step}),
        "Snapshot": _of(TreeSnapshot, said.SNAPSHOT, {"size": _or_null(_COUNT)}),
        "Trashed": _of(Trashed, said.TRASHED),
        "Base": _object(**base),
        "Manifest": _of(Manifest, said.MANIFEST),
        "Holder": _of(Holder, said.HOLDER),
        **{
            name: {"description": _doc(cls)}
            | _event(cls.word, chroot=_TEXT, **_fields(cls, fields), **more)
            for name, (cls, fields, more) in told.items()
        },
        "Told": {"description": "What happens meanwhile."} | _any(*map(_ref, (*told, "Found"))),
        "Found": {"description": _doc(Found)}
        | _event("finding", chroot=_TEXT, **_fields(Finding, said.FINDING)),
        **_answers(tuple(cls.word for cls, _, _ in told.values())),
        "Error": {"description": "Where it fails: the last line, or in the place of the document."}
        | error,
    }


def _answers(words: tuple[str, ...]) -> dict[str, Schema]:
    """Return what comes from several hosts, and from `serve`, where *words* happen meanwhile."""
    words = (*words, Found.word, "done", "error")
    of_host: Schema = {"host": _TEXT, "event": {"enum": words}}
    answer: Schema = {
        "id": {"type": ["integer", "null"]},
        "event": {"enum": (*words, "chroot", "gone", "seen")},
    }
    ended = _event("ended", host=_TEXT, code=_COUNT)
    ended["properties"]["result"] = {"description": "The document, of a verb that prints one."}
    ended["properties"]["left"] = {
        "const": True, "description": "Where it is waited for no longer, and still at work.",
    }  # fmt: skip
    return {
        "Hosted": {"description": "A line of what the verb prints there, with its host.",
                      **_object(**of_host), "additionalProperties": True},
        "Ended": {"description": "The last of a host."} | ended,
        "Hello": {"description": "The first line of `serve`."}
        | _event("hello", version=_TEXT, protocol=_COUNT, oldest=_COUNT, base=_TEXT, root=_FLAG,
                 methods=_TEXTS),
        "Answer": {"description": "Any other of `serve`, as docs/serve.md tells.",
                   **_object(**answer), "additionalProperties": True},
    }  # fmt: skip


_OF_OPEN = ("listening", "open")
"""Fields of a chroot that `status --open` alone prints."""
_SOMETIMES = ("not_answering", "configuration", "unseen", "in_use", *_OF_OPEN)
"""Fields of a chroot that are there only where they say something."""


# -- making schemas ------------------------------------------------------------------------------


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _array(name: str) -> Schema:
    return {"type": "array", "items": _ref(name)}


def _any(*schemas: Schema) -> Schema:
    return {"anyOf": list(schemas)}


def _or_null(one: Schema) -> Schema:
    return _any(one, {"type": "null"})


def _object(**properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _event(word: str, **properties: Schema) -> Schema:
    return _object(event={"const": word}, **properties)


def _event_of(word: str, name: str, without: tuple[str, ...] = ()) -> Schema:
    """Return an event that has the fields of a value, but those of *without*, beside its own."""
    value = _values()[name]
    fields = {field: one for field, one in value["properties"].items() if field not in without}
    found = _event(word, **fields)
    found["required"] = ["event", *value["required"]]
    return found


def _of(cls: type, names: tuple[str, ...], more: Schema | None = None) -> Schema:
    """Return the schema of a value: the fields *names*, and *more* that is made of others."""
    return {"description": _doc(cls)} | _object(**_fields(cls, names), **(more or {}))


def _fields(cls: type, names: tuple[str, ...]) -> Schema:
    hints = get_type_hints(cls, localns=known_names())
    docs = _docs(cls)
    found = {}
    for name in names:
        made = vars(cls).get(name)
        hint = hints.get(name)
        if hint is None and isinstance(made, property):
            hint = get_type_hints(made.fget, localns=known_names())["return"]
        about = docs.get(name, "")
        found[name] = _type(hint) | ({"description": about} if about else {})
    return found


def _type(hint: Any) -> Schema:
    if hint in _BASIC:
        return {"type": _BASIC[hint]}
    kinds = get_args(hint)
    if isinstance(hint, UnionType):
        return {"type": [_BASIC[kind] for kind in kinds]}
    if get_origin(hint) is tuple:
        return {"type": "array", "items": _type(kinds[0])}
    raise TypeError(f"{hint} is said by nobody")


def _doc(cls: type) -> str:
    return " ".join((cls.__doc__ or "").split())


@cache
def _docs(cls: type) -> dict[str, str]:
    """Return what stands below each field, and in each property, of a class."""
    module = sys.modules[cls.__module__]
    with open(str(module.__file__), encoding="utf-8") as file:
        tree = ast.parse(file.read())
    [body] = [
        one.body for one in tree.body if isinstance(one, ast.ClassDef) and one.name == cls.__name__
    ]
    found = {}
    for one, after in pairwise(body):
        if not isinstance(one, ast.AnnAssign) or not isinstance(one.target, ast.Name):
            continue
        text = after.value if isinstance(after, ast.Expr) else None
        if isinstance(text, ast.Constant) and isinstance(text.value, str):
            found[one.target.id] = " ".join(text.value.split())
    found |= {
        one.name: " ".join(doc.split())
        for one in body
        if isinstance(one, ast.FunctionDef) and (doc := ast.get_docstring(one))
    }
    return found


# -- as a document to read -----------------------------------------------------------------------

_INTRO = """\
# What --json prints

Made by `chroot-tool schema json --markdown`; the JSON Schema itself is what `chroot-tool schema
json` prints. A field is added now and then, none is taken away or means something else without a
line in CHANGELOG.md: so read what you know and pass over the rest.

Paths and names that are not UTF-8 are surrogate-escaped, as Python does. Of *an object a line*
each line is complete, the last has the event `done`. Where a verb fails, the last line, or what
stands in the place of the document, is an [Error](#error), and the exit code tells.
With `--hosts` each object has a `host`, too.

## Verbs
| verb | prints | which is |
|---|---|---|
"""


def markdown() -> str:
    """Return docs/json.md."""
    lines = [_INTRO]
    for name, (title, one) in _verbs().items():
        lines.append(f"| `{name}` | {title} | {_in_words(one)} |\n")
    lines.append("\n`--dry-run` is that of `on`, `off` and `doctor`.\n")
    for name, one in _values().items():
        lines.append(f"\n## {name}\n")
        if about := one.get("description"):
            lines.append(f"{about}\n\n")
        if "anyOf" in one:
            lines.append(f"{_in_words(one)}\n")
            continue
        lines.append("| field | type | |\n|---|---|---|\n")
        for field, schema in one["properties"].items():
            about = schema.get("description", "").replace("|", "\\|")
            if field not in one["required"]:
                about = f"Sometimes: {about}"
            lines.append(f"| `{field}` | {_in_words(schema)} | {about} |\n")
    return "".join(lines)


def _in_words(one: Schema) -> str:
    if "$ref" in one:
        name = one["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "const" in one:
        return f"`{'true' if one['const'] is True else one['const']}`"
    if "anyOf" in one:
        return ", ".join(dict.fromkeys(map(_in_words, one["anyOf"])))
    if one.get("type") == "array":
        return f"array of {_in_words(one['items'])}"
    if one.get("type") == "object":
        fields = [f"`{name}`" for name in one["properties"] if name != "event"]
        word = one["properties"].get("event", {}).get("const", "")
        return " with ".join(filter(None, (word and f"`{word}`", " ".join(fields))))
    if "enum" in one:
        return ", ".join(f"`{word}`" for word in one["enum"])
    kind = one.get("type", "any")
    return " or ".join(kind) if isinstance(kind, list) else str(kind)
