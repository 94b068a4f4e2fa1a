"""The JSON Schema of the settings file: its keys as `file` reads them, with what is known apart."""

from __future__ import annotations

from ...core.config import toml_value_types
from .all_settings import COLUMNS_OF, TOP
from .keymap import BINDINGS
from .themes import NAMES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def schema() -> dict[str, Any]:
    """Return it, of draft 2020-12."""
    found = toml_value_types.schema("settings.toml", "what a user of chroot-tool has chosen", TOP)
    found["properties"]["theme"]["enum"] = list(NAMES)
    for one in COLUMNS_OF.values():
        items = {"type": "string", "pattern": f"^({'|'.join(one.ids)})(:[0-9]{{1,3}})?$"}
        found["properties"][one.key]["items"] = items
    found["properties"]["keys"] |= _bindings()
    return found


def _bindings() -> dict[str, Any]:
    """Return what `[keys]` may hold: `a.b = "x"` is a table in a table, `"a.b" = "x"` is not."""
    top: dict[str, Any] = {}
    for binding in BINDINGS:
        keys = {
            "description": f"{binding.does} ({binding.place})",
            "type": ["string", "array"], "items": {"type": "string"}, "minItems": 1,
        }  # fmt: skip
        top[binding.id] = keys
        first, _, rest = binding.id.partition(".")
        if rest:
            inner = top.setdefault(first, {"type": [], "properties": {}})
            inner["type"] = list(dict.fromkeys([*inner["type"], "object"]))
            inner.setdefault("properties", {})[rest] = keys
            inner["additionalProperties"] = False
    return {"properties": top, "additionalProperties": False}
