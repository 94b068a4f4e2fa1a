"""The settings file as it is made to be edited: every setting, commented out, with its default.

Made of what the file is read by (`all_settings`), so that nothing can be missing or stale.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

import tomlkit

from ...core.config.toml_value_types import Key
from ...core.creating.bases.store import DIRECTORY
from .all_settings import COMMAND, CONFIRM, TOP
from .keymap import BINDINGS, default_keys

_LEAD = """\
The settings of chroot-tool; man chroot-tool-settings has more of each. A line without its # holds \
once this file is saved; the UI tells what is wrong. Each stands here with its default."""
_EXAMPLES = {
    "theme": "dark", "base": "/srv/chroot", "cache": DIRECTORY,
    "name": "syslog", "key": "f5", "run": "tail -f {path}/var/log/syslog",
}  # fmt: skip
"""Of what has no default: what it is without, or might be."""
_WIDTH = 98


def text() -> str:
    """Return the file. Lines that explain begin with `# `, settings with `#` alone."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield from _said(_LEAD)
    for key in TOP.keys:
        if key.kind is not dict and not key.table:
            yield ""
            yield from _setting(key)
    yield ""
    yield "#[confirm]"
    for key in CONFIRM.keys:
        yield from _setting(key)
    yield ""
    yield from _said(TOP["keys"].about)
    yield "#[keys]"
    yield f"#{BINDINGS[0].id} = {_literal(list(default_keys(BINDINGS[0].id)))}"
    yield ""
    yield from _said(TOP["command"].about)
    yield "#[[command]]"
    for key in COMMAND.keys:
        yield from _setting(key)


def _setting(key: Key) -> Iterator[str]:
    choices = f": {', '.join(key.choices)}" if key.kind is str and key.choices else ""
    yield from _said(f"{key.about}{choices}")
    yield f"#{key.name} = {_literal(_EXAMPLES[key.name] if key.default is None else key.default)}"


def _said(words: str) -> Iterator[str]:
    return (f"# {line}" for line in textwrap.wrap(words, _WIDTH))


def _literal(value: object) -> str:
    return tomlkit.item(list(value) if isinstance(value, tuple) else value).as_string()
