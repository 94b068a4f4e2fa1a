"""The user's settings: one TOML file, read strictly, edited without loss.

Every error of the file is told at once, each as `path:line: …`. Read on the way of `list` and
`run` where the file exists (it may name the base directory), so nothing of Textual is imported
here; what a setting may say stands as plain data in `keymap` and `themes`.
"""

from __future__ import annotations

import os

from ...core.config.schema_line import header
from ...core.errors import ChrootError, ConfigError, Problem, UsageError
from ...core.kernel import answering, small_file
from ...core.kernel.answering import PATIENCE, NotAnswering
from ...core.text import suggestion
from ...core.value import Value
from ..paths import settings_file
from .all_settings import (
    COLUMNS,
    COLUMNS_OF,
    CONFIRM,
    LEAST_DOCK,
    MOST_DOCK,
    MOST_PATIENCE,
    MOST_TRASH,
    TOP,
    TRASH,
)
from .sizes import bytes_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from ...core.config.toml_places import Path
    from ...core.config.toml_reader import Reader
    from .commands import Command


class Settings(Value):
    """What the user has chosen, or the defaults."""

    theme: str = ""
    """A theme's name; empty: what fits the terminal (`themes.chosen`)."""
    base: str = ""
    """The base directory, absolute; empty where the file names none."""
    columns: tuple[str, ...] = COLUMNS
    confirm_quit: bool = True
    """Whether quitting asks while something runs."""
    dock: int = 50
    """The share of jobs and panels in the screen, in percent."""
    backend: str = "debootstrap"
    """What makes a chroot: one of `BACKENDS`."""
    cache: str = ""
    """Where bases are kept, absolute; empty where the file names no place."""
    cache_size: int = 4 << 30
    """Bytes that all bases together may have; 0: none are kept."""
    keys: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Bindings with other keys than their own, by id: (id, Textual's key names)."""
    patience: float = PATIENCE
    """Seconds that `on` and `run` wait for a file system that does not answer."""
    hosts: tuple[str, ...] = ()
    """The other machines whose chroots the UI shows, by their names for ssh."""
    privilege: str = "auto"
    """One of `PRIVILEGES`."""
    commands: tuple[Command, ...] = ()
    """Commands of the user's own, for the UI."""
    signs: str = "auto"
    """One of `SIGNS`."""
    mounts_columns: tuple[str, ...] = COLUMNS_OF["mounts"].ids
    processes_columns: tuple[str, ...] = COLUMNS_OF["processes"].ids
    line: str = "auto"
    """One of `LINES`."""
    trash: float = TRASH
    """Days that a chroot stays in the trash; 0: the UI does not offer it."""

    @property
    def keymap(self) -> dict[str, str]:
        """What Textual's `App.set_keymap` wants for the keys."""
        return {ident: ",".join(keys) for ident, keys in self.keys}

    @property
    def columns_of(self) -> dict[str, tuple[str, ...]]:
        """The columns of each table that can have others, as `COLUMNS_OF` calls it."""
        return {
            "environments": self.columns, "mounts": self.mounts_columns,
            "processes": self.processes_columns,
        }  # fmt: skip


def load(path: str = "", home: str = "~") -> Settings:
    """Return what the settings file says; the defaults where there is none.

    It may be another's: at *path*, and with what `~` is in it.

    Raises ConfigError with everything that is wrong in it, and where it cannot be read.
    """
    path = path or settings_file()
    data = _content(path)
    return Settings() if data is None else parse(data, path, home)


def _content(path: str) -> bytes | None:
    """Return what stands in a file, None where there is none. Raises ConfigError."""
    try:
        return answering.look(path, lambda: small_file.read(path), seconds=answering.LOOK)
    except FileNotFoundError:
        return None
    except NotAnswering as error:
        hint = "set HOME or XDG_CONFIG_HOME to another place, or see to who serves it"
        raise ConfigError([Problem(f"{path} {error.strerror}", hint)]) from error
    except OSError as error:
        raise ConfigError([Problem(f"{path}: {error.strerror}", "look at its mode")]) from error


def parse(data: bytes, path: str, home: str = "~") -> Settings:
    """Return what the settings file *path* with content *data* says; *home*: what `~` is in it.

    Raises ConfigError.
    """
    from ...core.config.toml_reader import Reader

    reader = Reader(data, path)
    settings = _read(reader, home)
    if reader.errors:
        raise ConfigError(reader.problems())
    return settings


def begin() -> str:
    """Return the path of the settings file; where there is none, make one that only explains:
    every setting is in it, commented out.

    Raises ConfigError where it can't be read, ChrootError where it can't be made.
    """
    from .all_commented import text

    path = settings_file()
    if _content(path) is None:
        _replace(path, header("settings") + text().encode())
    return path


def save(changes: Mapping[str, object]) -> None:
    """Write *changes* (top-level keys and their values) into the settings file.

    Everything else in it stays as it is. The file, and its folder, are made where there are none,
    and replaced at once or not at all. Raises ConfigError where the file, or what would become of
    it, has errors; nothing is written then. Raises ChrootError where it cannot be written.
    """
    path = settings_file()
    old = _content(path)
    old = header("settings") if old is None else old
    parse(old, path)
    new = _edited(old, changes)
    parse(new, path)
    if new != old:
        _replace(path, new)


def _edited(data: bytes, changes: Mapping[str, object]) -> bytes:
    """Return the file with *changes*. tomlkit writes the values and nothing else.

    Were the whole file to go through it, a new key would come between a table and the comment
    above it.
    """
    import tomlkit

    from ...core.config.toml_places import places

    text = data.decode()
    for key, value in changes.items():
        literal = tomlkit.item(value).as_string()
        place = places(text).get((key,))
        if place:
            text = text[: place.start] + literal + text[place.end :]
        else:
            text = _with_line(text, f"{key} = {literal}")
    return text.encode()


def _with_line(text: str, line: str) -> str:
    """Put *line* after the last key that stands above all tables, or above the first table.

    Where it stands commented out, as in a file of `begin`, in the place of that: a table that is
    commented out further down may be one by and by.
    """
    from ...core.config.toml_places import places

    end = "\r\n" if "\r\n" in text else "\n"
    commented = text.find(f"\n#{line.partition('=')[0]}=") + 1
    first = min((p.start for p in places(text).values() if _is_header(text, p.start)),
                default=len(text))  # fmt: skip
    stop = text.find("\n", commented) + 1
    if commented and stop and commented < first:
        return f"{text[:commented]}{line}{end}{text[stop:]}"
    found = places(text).values()
    table = min((p.start for p in found if _is_header(text, p.start)), default=len(text))
    last = max((p.end for p in found if p.end <= table), default=0)
    if last or table == len(text):
        stop = text.find("\n", last or table)
        at = len(text) if stop < 0 else stop + 1
    else:
        lines = text[:table].splitlines(keepends=True)
        while lines and lines[-1].startswith("#"):
            lines.pop()  # a comment right above a table belongs to it
        at = len("".join(lines))
        line += end
    before = text[:at]
    if before and not before.endswith("\n"):
        before += end
    return before + line + end + text[at:]


def _is_header(text: str, start: int) -> bool:
    """Tell a `[table]` from an array, which stands behind its key (none is in another array)."""
    return text[start] == "[" and not text[text.rfind("\n", 0, start) + 1 : start].strip()


def _replace(path: str, data: bytes) -> None:
    """Replace the file, or what it is a link to: people keep such files elsewhere."""
    from ...core.kernel.rootpath import Root

    folder, _, name = path.rpartition("/")
    try:
        os.makedirs(folder, 0o700, exist_ok=True)  # XDG Base Directory Specification
        with Root("/") as root:
            root.write(f"{folder}/{name}", data, 0o600)
    except OSError as error:
        raise ChrootError(
            f"cannot write {path}: {error.strerror}", "the choice holds until the end"
        ) from error


def _read(reader: Reader, home: str) -> Settings:
    top = reader.table(reader.document, (), TOP.names)
    confirm = reader.table(top.get("confirm", {}), ("confirm",), CONFIRM.names)
    keys = _keys(reader, top)
    return Settings(
        _theme(reader, top),
        _directory(reader, top, "base", home),
        _columns(reader, top, "environments"),
        reader.take(confirm, ("confirm",), CONFIRM["quit"]),
        _dock(reader, top),
        reader.take(top, (), TOP["backend"]),
        _directory(reader, top, "cache", home),
        _cache_size(reader, top),
        keys,
        _patience(reader, top),
        _hosts(reader, top),
        reader.take(top, (), TOP["privilege"]),
        _commands(reader, top, keys),
        reader.take(top, (), TOP["signs"]),
        _columns(reader, top, "mounts"),
        _columns(reader, top, "processes"),
        reader.take(top, (), TOP["line"]),
        _trash(reader, top),
    )


def _keys(reader: Reader, top: dict[str, Any]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if "keys" not in top:
        return ()
    from .own_keys import bindings

    return bindings(reader, top["keys"])


def _commands(
    reader: Reader, top: dict[str, Any], keys: tuple[tuple[str, tuple[str, ...]], ...]
) -> tuple[Command, ...]:
    if "command" not in top:
        return ()
    from .commands import commands

    return commands(reader, top["command"], dict(keys))


def _theme(reader: Reader, top: dict[str, Any]) -> str:
    from .themes import NAMES

    name = reader.typed(top, (), "theme", str, "")
    if "theme" in top and name not in NAMES and type(top["theme"]) is str:
        reader.wrong(
            ("theme",), f"theme is {name!r}, expected the name of one", suggestion(name, NAMES)
        )
    return name


def _directory(reader: Reader, top: dict[str, Any], key: str, home: str) -> str:
    given = reader.typed(top, (), key, str, "")
    if key not in top or type(top[key]) is not str:
        return ""
    at_home = home + given[1:] if given == "~" or given.startswith("~/") else given
    expanded = "" if "\0" in given else os.path.expanduser(at_home)
    if not expanded.startswith("/"):
        reader.wrong(
            (key,), f"{key} is {given!r}, expected an absolute path", "write it from / or from ~/"
        )
    return expanded


def _hosts(reader: Reader, top: dict[str, Any]) -> tuple[str, ...]:
    from ...core.remote.address import checked

    given = top.get("hosts", [])
    if type(given) is not list or not all(type(one) is str for one in given):
        reader.wrong(("hosts",), "hosts is no list of names", 'for example: hosts = ["build1"]')
        return ()
    for number, name in enumerate(given):
        try:
            checked(name)
        except UsageError as error:
            reader.wrong(("hosts", number), error.message, error.hint)
    return tuple(given)


def _cache_size(reader: Reader, top: dict[str, Any]) -> int:
    default = Settings().cache_size
    given = top.get("cache-size", default)
    size = bytes_of(given) if isinstance(given, str) else given
    if type(size) is not int or size < 0:
        reader.wrong(
            ("cache-size",), f"cache-size is {given!r}, expected a size",
            'write "4G", "500M", a number of bytes, or 0 to keep no bases',
        )  # fmt: skip
        return default
    return size


def _patience(reader: Reader, top: dict[str, Any]) -> float:
    hint = f"write a number up to {MOST_PATIENCE}: how long `on` and `run` wait for an answer"
    return _number(
        reader, top, "patience", "seconds", PATIENCE, lambda n: 0 < n <= MOST_PATIENCE, hint
    )


def _trash(reader: Reader, top: dict[str, Any]) -> float:
    hint = f"write a number up to {MOST_TRASH}, or 0 to be offered no trash"
    return _number(reader, top, "trash", "days", TRASH, lambda n: 0 <= n <= MOST_TRASH, hint)


def _number(
    reader: Reader, top: dict[str, Any], key: str, of: str, default: float,
    allowed: Callable[[float], bool], hint: str,
) -> float:  # fmt: skip
    given = top.get(key, default)
    if type(given) not in (int, float) or not allowed(given):
        reader.wrong((key,), f"{key} is {given!r}, expected a number of {of}", hint)
        return default
    return float(given)


def _dock(reader: Reader, top: dict[str, Any]) -> int:
    share: int = reader.take(top, (), TOP["dock"])
    if not LEAST_DOCK <= share <= MOST_DOCK:
        reader.wrong(
            ("dock",),
            f"dock is {share}, expected a share of the screen in percent",
            f"write a number from {LEAST_DOCK} to {MOST_DOCK}",
        )
    return share


def _columns(reader: Reader, top: dict[str, Any], table: str) -> tuple[str, ...]:
    """Return the columns that *table* is to have, each as `name` or `name:cells`."""
    setting = COLUMNS_OF[table]
    wanted = reader.strings(top, (), setting.key)
    if wanted is None:
        return setting.ids
    names: list[str] = []
    is_meant = False
    for index, said in enumerate(wanted):
        if type(said) is not str:
            continue  # told already
        place: Path = (setting.key, index)
        name, sized, cells = said.partition(":")
        if name not in setting.ids:
            hint = suggestion(name, setting.ids)
            reader.wrong(place, f"{name!r} is no column", hint)
            is_meant = is_meant or hint == suggestion(setting.must, setting.ids)
        elif name in names:
            reader.wrong(place, f"column {name!r} stands there twice", "leave one of them out")
        elif sized and not _is_width(cells):
            reader.wrong(
                place, f"column {said!r}, expected its width in cells behind the colon",
                f"write {name}:20, or {name} alone: as wide as it needs",
            )  # fmt: skip
        names.append(name)
    if setting.must not in names and not is_meant and type(top[setting.key]) is list:
        reader.wrong(
            (setting.key,), f"{setting.key} without {setting.must!r}, expected it",
            f'add "{setting.must}"',
        )  # fmt: skip
    return tuple(wanted)


def _is_width(cells: str) -> bool:
    from ...widgets.tables.chosen import LEAST, MOST

    return cells.isascii() and cells.isdigit() and len(cells) < 4 and LEAST <= int(cells) <= MOST
