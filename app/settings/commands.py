"""`[[command]]` of the settings: commands of the user's own, for the chroots that the UI shows.

Words, not a line for a shell: what stands for a place in braces is one word or a part of one,
whatever it holds. A shell has a say only where `shell = true`; then the values come as variables,
so that nothing in a name is ever evaluated.
"""

from __future__ import annotations

import re
import shlex

from ...core.text import did_you_mean, safe
from ...core.value import Value
from .all_settings import COMMAND, OUTPUTS, ROWS, WHERE
from .key_names import key_name, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ...core.config.toml_places import Path
    from ...core.config.toml_reader import Reader

HOST, INSIDE = WHERE
PANEL, JOB, TOAST = OUTPUTS
CHROOT, MOUNT, PROCESS, ANY = ROWS
_STANDS = {
    CHROOT: ("path", "name"),
    MOUNT: ("path", "name", "target"),
    PROCESS: ("path", "name", "pid"),
    ANY: (),
}
"""For which kind of row a command can be, and what can stand in it for the row."""
_WORDS = ("path", "name", "pid", "target")
_PLACE = re.compile(r"\{\{(\w+)\}\}|\{(\w+)\}")
_LONGEST_NAME = 40


class Command(Value):
    """One command of the user's own."""

    name: str
    words: tuple[str, ...]
    """What is run; where a *shell* reads it, one line."""
    key: str = ""
    """Under Textual's name; "": it has none."""
    where: str = HOST
    rows: str = CHROOT
    output: str = PANEL
    ask: bool = False
    shell: bool = False

    @property
    def id(self) -> str:
        """What its binding is called."""
        return f"command.{self.name}"

    def argv(self, values: Mapping[str, str]) -> tuple[tuple[str, ...], dict[str, str]]:
        """Return the words to run for *values* (path, name, …), and variables they need."""
        if not self.shell:
            return tuple(_filled(word, values) for word in self.words), {}
        variables = {f"CHROOT_{name.upper()}": value for name, value in values.items()}
        line = _PLACE.sub(
            lambda match: f"{{{match[1]}}}" if match[1] else _variable(match, values), self.words[0]
        )
        return ("/bin/sh", "-c", line), variables


def _filled(word: str, values: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        if match[1]:
            return f"{{{match[1]}}}"
        return values.get(match[2], match[0])

    return _PLACE.sub(value, word)


def _variable(match: re.Match[str], values: Mapping[str, str]) -> str:
    return f'"$CHROOT_{match[2].upper()}"' if match[2] in values else match[0]


def commands(
    reader: Reader, value: object, keys: Mapping[str, tuple[str, ...]]
) -> tuple[Command, ...]:
    """Return the commands of *value*, what stands at `command`; errors are the reader's.

    *keys* are those of the bindings that the user has changed, by id: no command has one of them.
    """
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        reader.wrong(("command",), "command is no list of tables", "write [[command]]")
        return ()
    found: list[Command] = []
    for number, one in enumerate(value):
        place: Path = ("command", number)
        made = _command(reader, reader.table(one, place, COMMAND.names), place)
        if made.name and any(made.name == other.name for other in found):
            reader.wrong((*place, "name"), f"two commands are called {made.name!r}", "rename one")
        if whose := _whose(made.key, found, keys):
            reader.wrong(
                (*place, "key"), f"key {shown(made.key)!r} of {made.name!r} is the key of {whose}",
                "give one of them another key; all are in docs/keys.md",
            )  # fmt: skip
        found.append(made)
    return tuple(found)


def _command(reader: Reader, table: dict[str, Any], place: Path) -> Command:
    """Return what stands in *table*, with what is wrong left out."""
    errors = len(reader.errors)
    shell = reader.typed(table, place, "shell", bool, False)
    rows = reader.choice(table, place, "rows", ROWS)
    made = Command(
        _name(reader, table, place),
        _words(reader, table, place, shell=shell),
        _key(reader, table, place),
        reader.choice(table, place, "where", WHERE),
        rows,
        reader.choice(table, place, "output", OUTPUTS),
        reader.typed(table, place, "ask", bool, False),
        shell,
    )
    if made.where == INSIDE and rows == ANY:
        reader.wrong(place, "a command inside needs a chroot", 'rows = "chroot"')
    if len(reader.errors) == errors:  # else it may be the kind of row that is wrong
        for word in made.words:
            _check_places(reader, place, rows, word)
    return made


def _name(reader: Reader, table: dict[str, Any], place: Path) -> str:
    name = reader.typed(table, place, "name", str, "")
    if "name" not in table:
        reader.wrong(place, "a command without name, expected one", 'name = "syslog"')
    elif type(table["name"]) is str and (not name.strip() or safe(name) != name):
        reader.wrong((*place, "name"), f"name is {name!r}, expected words", 'name = "syslog"')
    elif len(name) > _LONGEST_NAME:
        reader.wrong((*place, "name"), f"a name of more than {_LONGEST_NAME} letters", "shorten it")
    return name


def _words(reader: Reader, table: dict[str, Any], place: Path, *, shell: bool) -> tuple[str, ...]:
    """Return what is to be run: a list, or a string that is split as a shell splits words."""
    at, run = (*place, "run"), table.get("run")
    example = 'run = "tail -f {path}/var/log/syslog"'
    if run is None:
        reader.wrong(place, "a command without run, expected what is to be run", example)
        return ()
    if shell and type(run) is not str:
        reader.wrong(at, "run is no string, expected a line for the shell", example)
        return ()
    if type(run) is list and all(type(word) is str for word in run):
        words = tuple(run)
    elif type(run) is str:
        try:
            words = (run,) if shell else tuple(shlex.split(run))
        except ValueError as error:
            reader.wrong(at, f"run can't be split into words: {str(error).lower()}", "close it")
            return ()
    else:
        reader.wrong(at, "run is neither a string nor a list of strings", example)
        return ()
    if not words or not words[0].strip() or any("\0" in word for word in words):
        reader.wrong(at, "run is empty, expected a program", example)
        return ()
    return words


def _key(reader: Reader, table: dict[str, Any], place: Path) -> str:
    key = reader.typed(table, place, "key", str, "")
    if "key" not in table or type(table["key"]) is not str:
        return ""
    name, message, hint = key_name(key)
    if message:
        reader.wrong((*place, "key"), message, hint)
    return name


def _check_places(reader: Reader, place: Path, rows: str, word: str) -> None:
    for match in _PLACE.finditer(word):
        name = match[2]
        if name in _WORDS and name not in _STANDS[rows]:
            known = ", ".join(f"{{{one}}}" for one in _STANDS[rows]) or "nothing in braces"
            reader.wrong(
                (*place, "run"), f"{{{name}}} is not known for rows = {rows!r}",
                f"known there: {known}; {{{{{name}}}}} is the text itself",
            )  # fmt: skip
        # Where it is no slip, what stands in braces is a program's own (awk).
        elif name and name not in _WORDS and (near := did_you_mean(name, _WORDS)):
            reader.wrong((*place, "run"), f"{{{name}}} stands for nothing", near)


def _whose(key: str, others: list[Command], changed: Mapping[str, tuple[str, ...]]) -> str:
    """Return whose a key is already, "" where it is free."""
    from . import keymap

    if not key:
        return ""
    for binding in keymap.BINDINGS:
        here = keymap.meet(keymap.EVERYWHERE, binding.place)
        if here and key in changed.get(binding.id, binding.keys):
            return binding.id
    return next((f"the command {one.name!r}" for one in others if one.key == key), "")
