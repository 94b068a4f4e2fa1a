"""Frozen values without the price of `dataclasses`.

`import dataclasses` alone costs 14 ms (it loads inspect, ast, tokenize …), more than the bare
start of Python and more than everything else `chroot-tool run` does. `Value` gives what the engine
uses of it: frozen, slotted, compared and hashed by content, keyword or positional arguments,
defaults. Type checkers see a frozen dataclass.

To compile an `__init__` costs as much as importing a small module, and as much as it saves over
some dozens of values: it is done for a class of which there are so many.

A module that defines a Value begins with `from __future__ import annotations`: from Python 3.14
on a class body has its annotations at hand only there (annotationlib, "Using annotations in a
metaclass").
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Self, dataclass_transform
else:

    def dataclass_transform(**_):
        """Tell type checkers only; typing itself costs 8 ms to import."""
        return lambda cls: cls


_FEW = 64


def _init_of_few(cls: type[Value]) -> Callable[..., None]:
    """Return an `__init__` of *cls* that gives way to a compiled one, which finds mistakes, too."""
    fields, defaults = cls._fields, cls._defaults
    known, left = frozenset(fields), _FEW

    def init(self: Value, *positional: Any, **named: Any) -> None:
        nonlocal left
        left -= 1
        given = dict(zip(fields, positional, strict=False)) | named
        values = defaults | given
        is_sound = len(given) == len(positional) + len(named) and values.keys() == known
        if left > 0 and is_sound:
            for name, value in values.items():
                object.__setattr__(self, name, value)
            return
        compiled = _init_of_many(cls)
        cls.__init__ = compiled  # type: ignore[method-assign]
        compiled(self, *positional, **named)

    return init


def _init_of_many(cls: type[Value]) -> Callable[..., None]:
    fields, defaults = cls._fields, cls._defaults
    scope: dict[str, Any] = {f"_set_{f}": getattr(cls, f).__set__ for f in fields}
    scope |= {f"_default_{f}": value for f, value in defaults.items()}
    head = ", ".join(f"{f}=_default_{f}" if f in defaults else f for f in fields)
    body = "; ".join(f"_set_{f}(self, {f})" for f in fields) or "pass"
    exec(f"def __init__(self, {head}): {body}", scope)
    made: Callable[..., None] = scope["__init__"]
    return made


class _ValueType(type):
    """Turns the annotations of a class body into slots and a generated `__init__`."""

    def __new__(mcs, name: str, bases: tuple[type, ...], space: dict[str, Any]) -> _ValueType:
        own = [field for field in space.get("__annotations__", {}) if not field.startswith("_")]
        defaults: dict[str, Any] = {}
        fields: list[str] = []
        for base in bases:
            fields += getattr(base, "_fields", ())
            defaults |= getattr(base, "_defaults", {})
        defaults |= {field: space.pop(field) for field in own if field in space}
        fields += [field for field in own if field not in fields]
        space["__slots__"] = tuple(own)
        space["_fields"] = space["__match_args__"] = tuple(fields)
        space["_defaults"] = defaults
        cls = super().__new__(mcs, name, bases, space)
        cls.__init__ = _init_of_few(cls)  # type: ignore[misc, arg-type]
        return cls


@dataclass_transform(frozen_default=True)
class Value(metaclass=_ValueType):
    """Base of every value that crosses a layer. Subclasses list annotated fields, no more."""

    if TYPE_CHECKING:
        _fields: tuple[str, ...]
        _defaults: dict[str, Any]

    def _content(self) -> tuple[object, ...]:
        return tuple([getattr(self, field) for field in self._fields])

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if type(other) is not type(self):
            return NotImplemented
        return self._content() == other._content()

    def __hash__(self) -> int:
        return hash((type(self), *self._content()))

    def __repr__(self) -> str:
        pairs = ", ".join(f"{field}={getattr(self, field)!r}" for field in self._fields)
        return f"{type(self).__name__}({pairs})"

    def __reduce__(self) -> tuple[type[Self], tuple[object, ...]]:
        """Return what pickle makes it anew from."""
        return type(self), self._content()

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen: cannot set {name}")

    def replace(self, **changes: Any) -> Self:
        """Return a copy with *changes*; raises TypeError for a field that does not exist."""
        fields = {field: getattr(self, field) for field in self._fields}
        return type(self)(**{**fields, **changes})
