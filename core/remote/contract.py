"""What can be asked of an engine from afar: the methods of its contract, as they are declared.

Both ends read the same declarations (`core.engine`), so that a method that is added there is
added here. Not among them are those that need this machine's terminal, `run` and
`run_ephemeral`: for them chroot-tool is started there (`command`).
"""

from __future__ import annotations

from .. import engine, engine_parts
from ..remembered import remembered
from ..value import Value
from . import documents

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FOLLOW = "follow"
"""The one request that is answered until it is cancelled."""
_ELSEWHERE = frozenset(
    (
        "base_at",
        "follow",
        "command",
        "unasked",
        "asks",
        "run",
        "run_ephemeral",
        "sizes",
        "binds",
        "bases",
    )
)
_LONG = frozenset(("bases.remove", "bases.prune"))
"""What takes its time, though it neither reports nor can be stopped: trees are deleted."""
PARTS = {
    "binds": engine_parts.Binds,
    "bases": engine_parts.Bases,
    "sizes": engine_parts.Sizes,
}
"""What methods of the engine return that is asked further, as `binds.save`."""


class Method(Value):
    """How a method is called and what it gives."""

    name: str
    """As a request has it."""
    parameters: dict[str, Any]
    """Types by name, in order, without `report` and `cancelled`."""
    required: frozenset[str]
    """Those that have no default."""
    result: Any
    reports: bool
    stops: bool
    """Whether it takes `cancelled`."""

    @property
    def is_brief(self) -> bool:
        """Whether it looks at something, or does what takes no longer than that."""
        return not self.reports and not self.stops and self.name not in _LONG

    def bind(self, positional: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments by name."""
        return dict(zip(self.parameters, positional, strict=False)) | named


@remembered
def names() -> tuple[str, ...]:
    """Return the names of all methods, as requests have them, sorted."""
    whole = [name for name in _functions(engine.Engine) if name not in _ELSEWHERE]
    parts = [f"{part}.{name}" for part, of in PARTS.items() for name in _functions(of)]
    return tuple(sorted((*whole, *parts)))


@remembered
def method(name: str) -> Method:
    """Return the method of a request. Raises KeyError for one that there is not."""
    if name not in names():
        raise KeyError(name)
    part, _, word = name.rpartition(".")
    function = _functions(PARTS[part] if part else engine.Engine)[word]
    types = documents.hints(function)
    code = function.__code__
    every = code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]
    parameters = {one: types[one] for one in every if one not in ("report", "cancelled")}
    usual = len(function.__defaults__ or ())
    optional = set(every[code.co_argcount - 1 - usual : code.co_argcount - 1])
    optional |= set(function.__kwdefaults__ or ())
    required = frozenset(parameters) - optional
    reports, stops = (one in every for one in ("report", "cancelled"))
    return Method(name, parameters, required, types["return"], reports, stops)


def _functions(contract: type) -> dict[str, Any]:
    return {
        name: function
        for name, function in vars(contract).items()
        if not name.startswith("_") and callable(function)
    }
