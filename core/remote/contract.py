"""What can be asked of an engine from afar: the methods of its contract, as they are declared.

Both ends read the same declarations (`core.engine`), so that a method that is added there is
added here. Not among them are those that need this machine's terminal, `run` and
`run_ephemeral`: for them chroot-tool is started there (`command`).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, get_type_hints

from .. import engine
from . import documents

if TYPE_CHECKING:
    from collections.abc import Callable

FOLLOW = "follow"
"""The one request that is answered until it is cancelled."""
_ELSEWHERE = frozenset(("follow", "command", "run", "run_ephemeral", "sizes", "binds", "bases"))
_OTHERS = dict.fromkeys(("Following", "Sizes", "Binds", "Bases"), object)
"""Named by methods that are not asked from afar."""
PARTS = {"binds": engine.Binds, "bases": engine.Bases, "sizes": engine.Sizes}
"""What methods of the engine return that is asked further, as `binds.save`."""


class Method(NamedTuple):
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

    def bind(self, positional: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments by name."""
        return dict(zip(self.parameters, positional, strict=False)) | named


@cache
def methods() -> dict[str, Method]:
    """Return every method by the name that a request has."""
    found = {name: method for name, method in _of(engine.Engine, "") if name not in _ELSEWHERE}
    for prefix, part in PARTS.items():
        found |= dict(_of(part, f"{prefix}."))
    return found


def _of(contract: type, prefix: str) -> list[tuple[str, Method]]:
    return [
        (prefix + name, _method(prefix + name, function))
        for name, function in vars(contract).items()
        if not name.startswith("_") and callable(function)
    ]


def _method(name: str, function: Callable[..., Any]) -> Method:
    hints = get_type_hints(function, localns=documents.names() | _OTHERS)
    code = function.__code__
    every = code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]
    parameters = {one: hints[one] for one in every if one not in ("report", "cancelled")}
    usual = len(function.__defaults__ or ())
    optional = set(every[code.co_argcount - 1 - usual : code.co_argcount - 1])
    optional |= set(function.__kwdefaults__ or ())
    required = frozenset(parameters) - optional
    reports, stops = (one in every for one in ("report", "cancelled"))
    return Method(name, parameters, required, hints["return"], reports, stops)
