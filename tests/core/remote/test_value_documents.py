"""Values there and back; whatever a foreign machine says, only ValueError comes out of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chroot_tool.core import errors, events
from chroot_tool.core.config.bind import Bind
from chroot_tool.core.config.edits import Files
from chroot_tool.core.diagnosis.finding import Finding
from chroot_tool.core.looking.status import ChrootStatus
from chroot_tool.core.mounts.steps import MakeTarget
from chroot_tool.core.plan import Plan, Step
from chroot_tool.core.process import Holder
from chroot_tool.core.remote import contract, documents
from chroot_tool.core.value import Value

_HINTS = sorted(
    {
        hint
        for method in map(contract.method, contract.names())
        for hint in (*method.parameters.values(), method.result)
    }
    | {events.Event, ChrootStatus},
    key=str,
)
_TEXT = st.binary(max_size=8).map(lambda data: data.decode("utf-8", "surrogateescape"))
_PLAIN = {
    str: _TEXT,
    bytes: st.binary(max_size=8),
    bool: st.booleans(),
    int: st.integers(-(1 << 52), 1 << 52),
    float: st.floats(-1e15, 1e15),
    type(None): st.none(),
    None: st.none(),
}


def _values(hint: Any) -> st.SearchStrategy[Any]:
    """Return every value that a hint of the contract allows."""
    if hint in _PLAIN:
        return _PLAIN[hint]
    inner = get_args(hint)
    if hint in documents.KINDS:
        return st.one_of([_of(cls) for cls in documents.kind(hint)[1].values()])
    if get_origin(hint) is tuple and inner[-1] is not ...:
        return st.tuples(*[_values(one) for one in inner])
    if type(None) in inner:
        return st.one_of([_values(one) for one in inner])
    if get_origin(hint) is Mapping:
        return st.dictionaries(*map(_values, inner), max_size=3)
    if inner:
        return st.lists(_values(inner[0]), max_size=3).map(tuple)
    return _of(documents.ToldStep if hint is Step else hint)


def _of(cls: type[Value]) -> st.SearchStrategy[Any]:
    hints = get_type_hints(cls, localns=documents.names())
    fields = {name: _values(hints[name]) for name in cls._fields}
    for name in fields:
        words, _ = documents.words().get((cls, name), ((), ""))
        fields[name] = st.sampled_from(words) if words else fields[name]
    return st.builds(cls, **fields)


@pytest.mark.parametrize("hint", _HINTS, ids=str)
@given(data=st.data())
@pytest.mark.slow
def test_there_and_back(hint: Any, data: st.DataObject) -> None:
    value = data.draw(_values(hint))
    line = json.dumps(documents.encode(value))
    assert line.isascii()
    assert documents.decode(json.loads(line), hint) == value


_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize("hint", _HINTS, ids=str)
@given(found=_ANYTHING)
def test_anything_is_a_value_or_a_value_error(hint: Any, found: object) -> None:
    try:
        documents.decode(found, hint)
    except ValueError:
        pass


@pytest.mark.parametrize(
    "hint", [h for h in _HINTS if isinstance(h, type) and issubclass(h, Value)], ids=str
)
@given(data=st.data(), strange=_ANYTHING)
@pytest.mark.slow
def test_one_field_that_is_anything(hint: Any, data: st.DataObject, strange: object) -> None:
    document = documents.encode(data.draw(_values(hint)))
    document[data.draw(st.sampled_from(sorted(document)))] = strange
    try:
        documents.decode(document, hint)
    except ValueError:
        pass


def test_a_newer_one_says_more_and_an_older_one_less() -> None:
    document = documents.encode(ChrootStatus("a", "/srv/a", "on", unseen=True))
    document["moon"] = "full"
    del document["unseen"]
    assert documents.decode(document, ChrootStatus) == ChrootStatus("a", "/srv/a", "on")
    del document["path"]
    with pytest.raises(ValueError, match="without path"):
        documents.decode(document, ChrootStatus)


def test_a_word_that_is_not_known_yet_is_the_mildest() -> None:
    document = documents.encode(Finding("moon", "problem", "full"))
    document["severity"] = "catastrophe"
    assert documents.decode(document, Finding).severity == "note"


def test_what_is_of_a_kind_that_is_not_known_yet() -> None:
    """An event is passed over, a problem is one; a change that would be saved is none."""
    assert documents.event({"event": "moon", "chroot": "/srv/a"}) is None
    assert documents.event({"event": "output", "chroot": "/srv/a", "line": "x"}) == events.Output(
        "/srv/a", "x"
    )
    document = documents.encode(ChrootStatus("a", "/srv/a", "on", problems=tuple(_PROBLEMS)))
    for one in document["problems"]:
        one["kind"] = "moon"
    found = documents.decode(document, ChrootStatus)
    assert [(type(one), one.message) for one in found.problems] == [
        (errors.Problem, one.message) for one in _PROBLEMS
    ]
    with pytest.raises(ValueError, match="change is none that is known"):
        documents.decode({"change": "moon", "target": "/a"}, documents.Change)


def test_a_step_says_there_what_it_says_here() -> None:
    step = MakeTarget("/mnt/x", file=True)
    plan = documents.decode(documents.encode(Plan((step,), (3,))), Plan)
    [told] = plan.steps
    assert (told.target, told.describe(), told.step) == (
        step.target,
        step.describe(),
        "make-target",
    )
    assert plan.own == (3,)
    assert documents.encode(plan) == documents.encode(Plan((step,), (3,)))


def test_files_that_are_no_utf_8() -> None:
    files = Files(b"\xff\x00\xed\xb2\x80\n", None)
    assert documents.decode(json.loads(json.dumps(documents.encode(files))), Files) == files


_HOLDER = Holder(3, "root", "sleep", ("root /",), 1.0)
_PROBLEMS = [errors.Problem("tool.conf:1: no", "yes"), errors.Refusal("not allowed")]


@pytest.mark.parametrize(
    "error",
    [
        errors.ChrootError("a", "b"),
        errors.UsageError("a"),
        errors.ConfigError(_PROBLEMS),
        errors.PolicyError(_PROBLEMS),
        errors.ChangedError("a"),
        errors.BusyError("a", "b", [_HOLDER]),
        errors.LockedError("a", "b", 7),
        errors.PrivilegeError("a"),
        errors.EnterError("a", "b", 127),
        errors.Cancelled("a"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_there_and_back(error: errors.ChrootError) -> None:
    found = documents.decode_error(json.loads(json.dumps(documents.error(error))))
    assert type(found) is type(error)
    assert vars(found) == vars(error)


def test_an_error_of_a_kind_that_is_not_known_is_an_error() -> None:
    found = documents.decode_error({"kind": "moon", "message": "full"})
    assert (type(found), found.message) == (errors.ChrootError, "full")


@given(found=_ANYTHING, kind=st.sampled_from(["busy", "configuration", "locked", "enter", "x"]))
def test_an_error_that_is_anything(found: object, kind: str) -> None:
    for document in (found, {"kind": kind, "message": "m", "holders": found, "problems": found,
                             "pid": found, "code": found}):  # fmt: skip
        try:
            documents.decode_error(document)
        except ValueError:
            pass


def test_changes_are_told_apart() -> None:
    change = contract.method("binds.save").parameters["changes"]
    bind = documents.encode(Bind("/a", "/b"))
    for word in ("added", "replaced", "removed", "ignored"):
        document = {"change": word, "bind": bind, "old": bind, "target": "/a"}
        [found] = documents.decode([document], change)
        assert type(found).__name__.lower() == word
