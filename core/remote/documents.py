"""The engine's values as JSON documents, and back.

A document has the names of the value's fields, so that it is what `--json` prints, whole. What
comes in is of a foreign machine: every field is checked against the type it is declared with, and
only ValueError comes out. A field that this version does not know is passed over, and so is an
event; one that the other did not say has its default: older and newer understand each other.
"""

from __future__ import annotations

import sys

from .. import errors, events
from ..plan import Step
from ..remembered import remembered
from ..value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Decode = Callable[[Any], Any]
    _Names = dict[str, Any]
else:
    _Names = dict

NoneType, UnionType = type(None), type(int | None)  # the module `types` has them by dear means

_CORE = __name__.rpartition(".remote.")[0]
_LARGEST = 1 << 53
"""Beyond it a number of JSON is not the same everywhere."""


class ToldStep(Step):
    """A step of a plan that is another machine's, as it described itself there."""

    step: str
    description: str

    @property
    def kind(self) -> str:
        """As it was told."""
        return self.step

    def describe(self) -> str:
        """As it was told."""
        return self.description


class Change(Value):
    """Any of the changes of `config.edits`, for those who ask by its name."""


KINDS = (events.Event, errors.Problem, Change)
"""What comes in kinds."""
_EDITS = f"{_CORE}.config.edits"


@remembered
def kind(of: type[Value]) -> tuple[str, dict[str, type[Value]]]:
    """Return the field that tells which of its kinds one of `KINDS` is, and the words for them.

    They are imported when they are asked for, as those of `_HOMES`.
    """
    if of is errors.Problem:
        return "kind", {"problem": errors.Problem, "refusal": errors.Refusal}
    if of is Change:
        from ..config import edits

        return "change", {
            "added": edits.Added, "replaced": edits.Replaced, "removed": edits.Removed,
            "ignored": edits.Ignored,
        }  # fmt: skip
    from ..diagnosis.finding import Found

    told: tuple[type[events.Event], ...] = (
        events.Stage, events.Output, events.StepDone, events.StepUndone, events.Warned, Found,
    )  # fmt: skip
    return "event", {one.word: one for one in told}


@remembered
def _tag(cls: type[Value]) -> tuple[str, str] | None:
    """Return the field and the word by which a value of *cls* is told from others of its kind."""
    of = (
        Change if cls.__module__ == _EDITS else next((k for k in KINDS if issubclass(cls, k)), None)
    )
    if of is None:
        return None
    field, words = kind(of)
    return next(((field, word) for word, one in words.items() if one is cls), None)


_HOMES = {
    "archives.archive": ("Packed", "Unpacked"),
    "archives.manifest": ("Manifest", "Socket"),
    "config.bind": ("Bind",),
    "config.chroot_toml_values": ("RunDefaults",),
    "config.edits": ("Files", "Saved"),
    "config.merge": ("Config",),
    "creating.bases.key": ("Key",),
    "creating.bases.store": ("Base", "Facts"),
    "creating.options": ("CreateOptions",),
    "diagnosis.finding": ("Finding", "Found"),
    "engine_parts": ("Outlook", "Pruned"),
    "errors": ("Problem",),
    "events": ("Event",),
    "looking.package_log": ("PackageRun",),
    "looking.status": ("ChrootStatus", "MountStatus"),
    "plan": ("Plan", "Step"),
    "process": ("Holder", "Listener", "OpenFile", "Process"),
    "trees.disk_size": ("Taken",),
    "trees.duplicate": ("Cloned",),
    "trees.snapshots": ("TreeSnapshot",),
    "trees.trash": ("Trashed",),
    "trees.usage": ("Usage",),
}
"""Where the values are that the contract and its values name. Each is imported when it is asked
for: of all that can be asked a connection needs little, and its first answer is waited for."""
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}
_ABSTRACT = ("Callable", "Mapping", "Sequence")
_ELSEWHERE: dict[str, Any] = {"Change": Change} | dict.fromkeys(
    ("Report", "Flag", "Keeping", "ChrootError", "Following", "Sizes", "Binds", "Bases"), object
)
"""What no module has by that name, and what is named by that which is not asked from afar."""


def names() -> dict[str, Any]:
    """Return what all the annotations of the contract and its values mean."""
    meaning = _Meaning()
    return {name: meaning[name] for name in (*_HOME_OF, *_ABSTRACT, *_ELSEWHERE)}


def hints(owner: Any) -> dict[str, Any]:
    """Return the types that a function, or a class without its bases, of the contract declares.

    What `typing.get_type_hints` does, without `typing`: it costs more than a host's whole answer.
    """
    space = vars(sys.modules[owner.__module__])
    of = vars(owner) if isinstance(owner, type) else {"__annotations__": owner.__annotations__}
    said = of.get("__annotations__", {})
    return {name: eval(text, space, _Meaning()) for name, text in said.items()}


class _Meaning(_Names):
    """What the names in annotations mean; of `_HOMES` those are imported that are asked for."""

    def __missing__(self, name: str) -> Any:
        if name in _HOME_OF:
            module = __import__(f"{_CORE}.{_HOME_OF[name]}", fromlist=(name,))
            return getattr(module, name)
        if name in _ABSTRACT:
            from collections import abc

            return getattr(abc, name)
        return _ELSEWHERE[name]


# -- out ------------------------------------------------------------------------------------------


def encode(value: Any) -> Any:
    """Return *value*, of the contract's kinds, as what json can write."""
    if isinstance(value, Step):
        return {"step": value.kind, "target": value.target, "description": value.describe()}
    if isinstance(value, Value):
        document = {name: encode(getattr(value, name)) for name in value._fields}
        tag = _tag(type(value))
        return document if tag is None else {tag[0]: tag[1], **document}
    if isinstance(value, tuple | list):
        return [encode(one) for one in value]
    if isinstance(value, dict):
        return {key: encode(one) for key, one in value.items()}
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    return value


def error(value: errors.ChrootError) -> dict[str, Any]:
    """Return an error as a document."""
    document: dict[str, Any] = {"kind": value.kind, "message": value.message, "hint": value.hint}
    for name in ("problems", "holders"):
        if found := getattr(value, name, ()):
            document[name] = encode(found)
    for name in ("pid", "code"):
        if number := getattr(value, name, 0):
            document[name] = number
    return document


_ANY = errors.ChrootError
_ERRORS: dict[str, type[errors.ChrootError]] = {
    cls.kind: cls
    for cls in (
        errors.UsageError, errors.PolicyError, errors.ConfigError, errors.ChangedError,
        errors.LockedError, errors.BusyError, errors.AbsentError, errors.NoChrootError,
        errors.PrivilegeError, errors.EnterError, errors.Cancelled, _ANY,
    )
}  # fmt: skip


# -- in -------------------------------------------------------------------------------------------


def decode(document: Any, hint: Any) -> Any:
    """Return the value of type *hint* that *document* is. Raises ValueError."""
    return decoder(hint)(document)


def event(document: dict[str, Any]) -> events.Event | None:
    """Return the event that *document* is, None for one of a newer one. Raises ValueError."""
    field, words = kind(events.Event)
    word = document.get(field)
    if isinstance(word, str) and word not in words:
        return None
    found: events.Event = decode(document, events.Event)
    return found


def optional(hint: type[Value]) -> Any:
    """Return the type of what is one of *hint*, or None."""
    return hint | None


def decode_error(document: Any) -> errors.ChrootError:
    """Return the error that *document* is. Raises ValueError."""
    if not isinstance(document, dict):
        raise ValueError("an error was expected")
    message = _text(document.get("message"))
    hint = _text(document.get("hint", ""))
    cls = _ERRORS.get(_text(document.get("kind", "failed")), _ANY)
    if issubclass(cls, errors.ConfigError):
        problems = decode(document.get("problems"), tuple[errors.Problem, ...])
        if not problems:
            raise ValueError("a configuration that is wrong by nothing")
        return cls(problems)
    if issubclass(cls, errors.LockedError):
        return cls(message, hint, _integer(document.get("pid", 0)))
    if issubclass(cls, errors.BusyError):
        from ..process import Holder

        return cls(message, hint, decode(document.get("holders", []), tuple[Holder, ...]))
    if issubclass(cls, errors.EnterError):
        return cls(message, hint, _integer(document.get("code", 125)) & 0xFF)
    return cls(message, hint)


@remembered
def decoder(hint: Any) -> Decode:
    """Return what makes a value of type *hint* out of a document."""
    origin = getattr(hint, "__origin__", None)
    inner: tuple[Any, ...] = getattr(hint, "__args__", ())
    if hint in _PLAIN:
        return _PLAIN[hint]
    if isinstance(hint, UnionType):
        return _either(inner)
    if origin is dict or hint is dict or getattr(origin, "__name__", "") == "Mapping":
        return _mapping(decoder(inner[0]), decoder(inner[1]))
    if origin is tuple and inner[-1:] != (Ellipsis,):
        return _fixed(tuple(decoder(one) for one in inner))
    if origin is not None:  # tuple[X, ...], Sequence[X]
        return _many(decoder(inner[0]))
    if hint in KINDS:
        return _tagged(*kind(hint), is_mild=hint is errors.Problem)
    if issubclass(hint, Step):
        hint = ToldStep
    return _whole(hint)


def _text(found: Any) -> str:
    if not isinstance(found, str):
        raise ValueError("a text was expected")
    found.encode("utf-8", "surrogateescape")  # half a character is a UnicodeError, a ValueError
    return found


def _data(found: Any) -> bytes:
    return _text(found).encode("utf-8", "surrogateescape")


def _truth(found: Any) -> bool:
    if found is True or found is False:
        return bool(found)
    raise ValueError("true or false was expected")


def _integer(found: Any) -> int:
    if type(found) is int and abs(found) < _LARGEST:
        return found
    raise ValueError("a whole number was expected")


def _number(found: Any) -> float:
    if type(found) in (int, float) and abs(found) < _LARGEST:  # no infinity, no NaN
        return float(found)
    raise ValueError("a number was expected")


def _none(found: Any) -> None:
    if found is not None:
        raise ValueError("nothing was expected")


_PLAIN: dict[Any, Decode] = {
    str: _text, bytes: _data, bool: _truth, int: _integer, float: _number,
    NoneType: _none, None: _none,
}  # fmt: skip


def _either(hints: tuple[Any, ...]) -> Decode:
    choices = [decoder(one) for one in hints if one is not NoneType]

    def decode_it(found: Any) -> Any:
        if found is None and NoneType in hints:
            return None
        for choice in choices[:-1]:
            try:
                return choice(found)
            except ValueError:
                pass
        return choices[-1](found)

    return decode_it


def _many(one: Decode) -> Decode:
    return lambda found: tuple(one(item) for item in _list(found))


def _fixed(parts: tuple[Decode, ...]) -> Decode:
    def decode_it(found: Any) -> Any:
        return tuple(part(item) for part, item in zip(parts, _list(found), strict=True))

    return decode_it


def _mapping(key: Decode, one: Decode) -> Decode:
    return lambda found: {key(name): one(item) for name, item in _object(found).items()}


def _list(found: Any) -> list[Any]:
    if not isinstance(found, list):
        raise ValueError("a list was expected")
    return found


def _object(found: Any) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise ValueError("an object was expected")
    return found


def _tagged(field: str, words: dict[str, type[Value]], *, is_mild: bool) -> Decode:
    first = next(iter(words))

    def decode_it(found: Any) -> Any:
        word = _object(found).get(field, first)
        if is_mild and isinstance(word, str) and word not in words:
            word = first  # of a newer one
        if not isinstance(word, str) or word not in words:
            raise ValueError(f"{field} is none that is known")
        return _whole(words[word])(found)

    return decode_it


@remembered
def words() -> dict[tuple[type[Value], str], tuple[tuple[str, ...], str]]:
    """Return the fields that are one of some words, and what a word is that is not known here."""
    from ..diagnosis.finding import NOTE, SEVERITIES, Finding
    from ..looking import status

    chroots = (
        status.OFF, status.ON, status.PARTIAL, status.CREATING, status.INCOMPLETE, status.BROKEN,
        status.NOT_ANSWERING,
    )  # fmt: skip
    mounts = (status.MOUNTED, status.MISSING, status.DRIFTED, status.IGNORED, status.FOREIGN_MOUNT)
    return {
        (Finding, "severity"): (SEVERITIES, NOTE),
        (status.ChrootStatus, "state"): (chroots, status.BROKEN),
        (status.MountStatus, "state"): (mounts, status.FOREIGN_MOUNT),
    }


@remembered
def _whole(cls: type[Value]) -> Decode:
    types: dict[str, Any] = {}
    for one in cls.__mro__:
        types |= hints(one)
    parts = {name: decoder(types[name]) for name in cls._fields}
    defaults = cls._defaults

    def decode_it(found: Any) -> Any:
        said = _object(found)
        fields = {}
        for name, part in parts.items():
            if name in said:
                fields[name] = part(said[name])
                known, otherwise = words().get((cls, name), ((), ""))
                if known and fields[name] not in known:
                    fields[name] = otherwise  # of a newer one
            elif name not in defaults:
                raise ValueError(f"{cls.__name__} without {name}")
        return cls(**fields)

    return decode_it
