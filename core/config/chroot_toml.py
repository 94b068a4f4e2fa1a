"""`chroot.d/chroot.toml`: reading it strictly, and editing it without loss.

Pure: bytes in, values or bytes out. Read with tomllib; an entry is edited with tomlkit, and only
the text of that entry goes through it, so that the rest of the file is the same bytes whatever
tomlkit makes of it. Both are imported when they are needed: most chroots have no such file.

Of several entries with one target the last counts, so the last is the one that is replaced or
ignored; `remove` takes them all, or an earlier one would come back to life.
"""

from __future__ import annotations

from ..errors import ConfigError, Problem, UsageError
from .bind import (
    CHROOT_TOML,
    checked,
    collect,
    default_options,
    default_source,
    find_entry,
    normalise_target,
    split_options,
)
from .chroot_toml_values import ChrootToml, RunDefaults, SystemSettings
from .toml_value_types import ABSOLUTE, Key, Table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from .bind import Bind
    from .toml_places import Path, Place
    from .toml_reader import Reader

RUN = Table(
    (
        Key("user", str, "who commands run as: a name, or a number in quotes, as the chroot "
            "knows it", "root", pattern="."),
        Key("cwd", str, "where commands start, inside the chroot", "", pattern=ABSOLUTE),
        Key("env", dict, "variables for every command"),
    )
)  # fmt: skip
SYSTEM = Table(
    (
        Key("dev", str, "private: a /dev of its own; host: all devices of the host", "private",
            ("private", "host")),
        Key("resolv", str, "the host's resolv.conf, bound or copied; off: the chroot's own", "bind",
            ("bind", "copy", "off")),
    )
)  # fmt: skip
BIND = Table(
    (
        Key("target", str, "an absolute path inside the chroot, without .., not /", "",
            pattern=ABSOLUTE),
        Key("source", str, "a path on the host, a device, or a word such as none; default: the "
            "target for binds, none for tmpfs"),
        Key("fs", str, "bind, bind-ro, tmpfs or another file system type", "bind"),
        Key("options", list, "of the mount: ro, nosuid, rbind, size=64M and the like; default: "
            "none for binds, noexec, nosuid and nodev for tmpfs"),
        Key("ignore", bool, "whether the target is left out", False),
        Key("optional", bool, "whether it is left out, and that is no error, where its source is "
            "missing", False),
    ),
    ("target",),
)  # fmt: skip
TOP = Table(
    (
        Key("description", str, "shown beside the name", ""),
        Key("tags", list, "what lists are filtered by, and grouped by the first: words of letters, "
            "digits and . _ + -", pattern="^[A-Za-z0-9][A-Za-z0-9._+-]{0,31}$"),
        Key("run", dict, "defaults of run and shell", table=RUN),
        Key("system", dict, "the system's own mount points", table=SYSTEM),
        Key("bind", list, "what is mounted inside, an entry each", table=BIND),
        Key("path", str, "of a file in /etc/chroot-tool/chroots.d: the chroot that it is for", "",
            pattern=ABSOLUTE),
    )
)  # fmt: skip
_BLANK = " \t\r\n"
_LONGEST_TAG = 32
_SIGNS_OF_TAGS = str.maketrans("", "", "._+-")


def parse(data: bytes, path: str, problems: list[Problem]) -> ChrootToml:
    """Read a chroot.toml; each error is added to *problems* as `path:line: …`, none is raised.

    What is wrong has its default in the result. Of errors in the TOML itself only the first is
    found.
    """
    from .toml_reader import Reader

    reader = Reader(data, path)
    result = _read(reader)
    problems += reader.problems()
    return result


def add(data: bytes, bind: Bind) -> bytes:
    """Return *data* with an entry for *bind* after the last one.

    Raises UsageError where the target is listed already or TOML can't hold the bind, ConfigError
    where *data* has errors.
    """
    bind = _utf8(checked(bind))
    file, binds = _opened(data)
    for listed in binds:
        if listed.target == bind.target:
            raise UsageError(
                f"{bind.target!r} is listed already, in line {listed.line} of chroot.toml",
                "edit or remove that entry",
            )
    pairs = [f"{key} = {_literal(value)}" for key, value in _changes({}, bind).items()]
    last = file.found["bind", len(binds) - 1] if binds else None
    array = file.found.get(("bind",))
    if array and not file.text.startswith("[[", array.start):
        inline = f"{{ {', '.join(pairs)} }}"
        at = last.end if last else array.start + 1
        return _spliced(file.text, at, at, f", {inline}" if last else inline)
    at = last.end if last else len(file.text)
    lines = ["", "[[bind]]", *pairs, ""] if at else ["[[bind]]", *pairs, ""]
    if at and file.text[at - 1] != "\n":
        lines.insert(0, "")
    return _spliced(file.text, at, at, ("\r\n" if "\r\n" in file.text else "\n").join(lines))


def replace(data: bytes, old_target: str, bind: Bind) -> bytes:
    """Return *data* with the entry that has *old_target* saying what *bind* says.

    Keys that say so already keep their place, form and comments. Raises UsageError where there is
    no such entry or TOML can't hold the bind, ConfigError where *data* has errors.
    """
    bind = _utf8(checked(bind))
    file, binds = _opened(data)
    index = find_entry(binds, old_target, CHROOT_TOML)
    changes = _changes(file.document["bind"][index], bind)
    return _edited(file.text, file.found["bind", index], changes)


def remove(data: bytes, target: str) -> bytes:
    """Return *data* without the entries that have *target*, and without a gap where they stood.

    Comments stay. Raises UsageError where there is no such entry, ConfigError where *data* has
    errors.
    """
    file, binds = _opened(data)
    text = file.text
    wanted = binds[find_entry(binds, target, CHROOT_TOML)].target
    for index in range(len(binds) - 1, -1, -1):
        if binds[index].target == wanted:
            place = file.found["bind", index]
            cut = _without_table if text.startswith("[[", place.start) else _without_item
            text = cut(text, place)
    return text.encode()


def ignore(data: bytes, target: str, ignored: bool) -> bytes:
    """Return *data* with `ignore = true` set on, or taken from, the entry that has *target*.

    An entry that was only written to ignore a system point becomes a bind of the host's when it is
    no longer ignored: such an entry is to be removed instead. Raises UsageError where there is no
    such entry, ConfigError where *data* has errors.
    """
    file, binds = _opened(data)
    index = find_entry(binds, target, CHROOT_TOML)
    if binds[index].ignored == ignored:
        return data
    return _edited(file.text, file.found["bind", index], {"ignore": True if ignored else None})


def tag(data: bytes, tags: Sequence[str]) -> bytes:
    """Return *data* saying that the tags are these; without any the key goes, if nothing is said
    beside it: every comment stays.

    Raises UsageError for a word that can't be one, ConfigError where *data* has errors.
    """
    check_tags(tags)
    file, _ = _opened(data)
    text, place = file.text, file.found.get(("tags",))
    if tuple(file.document.get("tags", ())) == tuple(tags):
        return data
    if place is None:
        said = f"tags = [{', '.join(map(_literal, tags))}]"
        at = _above_tables(text, file.found)
        end = "\r\n" if "\r\n" in text else "\n"
        before = end if at and text[at - 1] != "\n" else ""
        after = end if text[at : at + 1] not in ("", "\r", "\n") else ""
        return _spliced(text, at, at, f"{before}{said}{end}{after}")
    stop = text.find("\n", place.end) + 1 or len(text)
    if not tags and "#" not in text[place.start : stop]:
        return _spliced(text, text.rfind("\n", 0, place.start) + 1, stop, "")
    from .toml_array import with_words

    there = file.document["tags"]
    items = [file.found["tags", index] for index in range(len(there))]
    return with_words(text, place, items, there, tags).encode()


def check_tags(tags: Iterable[str]) -> None:
    """Raise UsageError for a word that can be no tag."""
    for word in tags:
        if not _is_tag(word):
            raise UsageError(
                f"{word!r} can be no tag: letters, digits and . _ + -",
                f"at most {_LONGEST_TAG}, the first a letter or digit",
            )


def _above_tables(text: str, found: dict[Path, Place]) -> int:
    """Return where a key of no table can be put: behind the last of those, else at the top."""
    heads = [place.start for place in found.values() if _is_header(text, place)]
    above = [place.end for place in found.values() if place.end <= min(heads, default=len(text))]
    if above:
        stop = text.find("\n", max(above))
        return len(text) if stop < 0 else stop + 1
    directive = text.startswith("#:")  # of an editor, which looks for it in the first line
    return (text.find("\n") + 1 or len(text)) if directive else 0


def _is_header(text: str, place: Place) -> bool:
    line = text[text.rfind("\n", 0, place.start) + 1 : place.start]
    return text.startswith("[", place.start) and not line.strip()


def _read(reader: Reader) -> ChrootToml:
    top = reader.table(reader.document, (), TOP.names)
    system = reader.table(top.get("system", {}), ("system",), SYSTEM.names)
    return ChrootToml(
        reader.take(top, (), TOP["description"]),
        _run(reader, reader.table(top.get("run", {}), ("run",), RUN.names)),
        SystemSettings(
            reader.take(system, ("system",), SYSTEM["dev"]),
            reader.take(system, ("system",), SYSTEM["resolv"]),
            reader.line(("system", "dev")) if system.get("dev") == "host" else 0,
        ),
        _binds(reader, top.get("bind", [])),
        _path(reader, top),
        reader.line(("path",)) if "path" in top else 0,
        _tags(reader, top),
    )


def _path(reader: Reader, top: dict[str, Any]) -> str:
    path: str = reader.take(top, (), TOP["path"])
    if "path" in top and (not path.startswith("/") or "\0" in path):
        reader.wrong(("path",), f"path is {path!r}, expected an absolute path",
                     "write where the chroot is")  # fmt: skip
    return path


def _tags(reader: Reader, top: dict[str, Any]) -> tuple[str, ...]:
    """Return the tags, each once. The words are few, so that none is a line of its own."""
    tags: list[str] = reader.take(top, (), TOP["tags"]) or []
    for index, tag in enumerate(tags):
        if type(tag) is str and not _is_tag(tag):
            reader.wrong(
                ("tags", index), f"tags holds {tag!r}, expected letters, digits and . _ + -",
                f"at most {_LONGEST_TAG}, the first a letter or digit: \"build-amd64\"",
            )  # fmt: skip
    return tuple(dict.fromkeys(tag for tag in tags if type(tag) is str and _is_tag(tag)))


def _is_tag(text: str) -> bool:
    letters = text.translate(_SIGNS_OF_TAGS)
    return (
        0 < len(text) <= _LONGEST_TAG and text.isascii() and text[0].isalnum()
        and (not letters or letters.isalnum())
    )  # fmt: skip


def _run(reader: Reader, run: dict[str, Any]) -> RunDefaults:
    user: str = reader.take(run, ("run",), RUN["user"]) if "user" in run else ""
    if "user" in run and (not user or "\0" in user):
        reader.wrong(
            ("run", "user"), f"user is {user!r}, expected a name, or a number in quotes",
            "leave it out for root",
        )  # fmt: skip
    cwd: str = reader.take(run, ("run",), RUN["cwd"])
    if "cwd" in run and (not cwd.startswith("/") or "\0" in cwd):
        reader.wrong(
            ("run", "cwd"), f"cwd is {cwd!r}, expected an absolute path",
            "write it from the chroot's /",
        )  # fmt: skip
    return RunDefaults(user, cwd, _env(reader, run))


def _env(reader: Reader, run: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    place = ("run", "env")
    table: dict[str, Any] = reader.typed(run, ("run",), "env", dict, {})
    pairs = []
    for name in table:
        value = reader.typed(table, place, name, str, "")
        if not name or "=" in name or "\0" in name + value:
            reader.wrong(
                (*place, name), f"env holds {name!r}, expected a name without '=' and NUL",
                'write NAME = "value"',
            )  # fmt: skip
        pairs.append((name, value))
    return tuple(pairs)


def _binds(reader: Reader, entries: object) -> tuple[Bind, ...]:
    if not isinstance(entries, list):
        reader.wrong(("bind",), "bind is no array, expected [[bind]] tables", "write [[bind]]")
        return ()
    binds = [_bind(reader, entry, ("bind", index)) for index, entry in enumerate(entries)]
    return tuple([bind for bind in binds if bind is not None])


def _bind(reader: Reader, value: object, place: Path) -> Bind | None:
    entry = reader.table(value, place, BIND.names)
    if not isinstance(value, dict):
        return None
    before = len(reader.errors)
    if "target" not in entry:
        reader.wrong(place, "a bind without target, expected one", 'add target = "/path"')
    target, source, fs, options, ignored, optional = (
        reader.take(entry, place, key) for key in BIND.keys
    )
    if len(reader.errors) > before:
        return None
    errors: dict[str, UsageError] = {}
    bind = collect(
        errors, target, source, fs, options,
        optional=optional, ignored=ignored,
        origin=CHROOT_TOML, line=reader.line(place),
    )  # fmt: skip
    for field, error in errors.items():
        reader.wrong((*place, field), error.message, error.hint)
    return bind


def _opened(data: bytes) -> tuple[Reader, tuple[Bind, ...]]:
    """Return a reader and the binds, one for each entry; what has errors is not edited."""
    from .toml_reader import Reader

    reader = Reader(data, CHROOT_TOML)
    binds = _read(reader).binds
    if reader.errors:
        raise ConfigError(reader.problems())
    return reader, binds


def _utf8(bind: Bind) -> Bind:
    try:
        "".join([bind.target, bind.source, *bind.options]).encode()
    except UnicodeEncodeError:
        raise UsageError(
            f"bind {bind.target!r} holds bytes that are not UTF-8, which TOML can't",
            "list it in tool.conf",
        ) from None
    return bind


def _changes(entry: dict[str, Any], bind: Bind) -> dict[str, Any]:
    """Return what has to be set in *entry* to make it say *bind*; None: the key is to go.

    What the entry says already, be it in another way or as a default, is left alone.
    """
    words = list(bind.shown_options())
    if words[-1] == "private":
        words.pop()
    wanted = {
        "source": bind.source, "target": bind.target, "fs": bind.fs, "options": words,
        "ignore": bind.ignored, "optional": bind.optional,
    }  # fmt: skip
    defaults = {
        "fs": "bind", "options": list(default_options(bind.fs)), "ignore": False, "optional": False,
    }  # fmt: skip
    if bind.fs in ("bind", "tmpfs"):
        defaults["source"] = default_source(bind.target, bind.fs)
    changes = {}
    for key, value in wanted.items():
        default = key in defaults and value == defaults[key]
        if key not in entry and not default:
            changes[key] = value
        elif key in entry and not _same(key, entry[key], value):
            changes[key] = None if default and key != "source" else value
    return changes


def _same(key: str, old: Any, new: Any) -> bool:
    if key == "target":
        old = normalise_target(old)
    elif key == "options":
        old, new = split_options(old), split_options(new)
    return bool(old == new)


def _literal(value: object) -> str:
    import tomlkit

    return tomlkit.item(value).as_string()


def _edited(text: str, place: Place, changes: dict[str, Any]) -> bytes:
    """Return the file with *changes* made in the entry at *place*, node by node."""
    import tomlkit

    old = text[place.start : place.end]
    table = old.startswith("[[")
    head = "" if table else "entry = "
    document: Any = tomlkit.parse(head + old.replace("\r\n", "\n"))
    entry = document["bind"][0] if table else document["entry"]
    for key, value in changes.items():
        if value is None:
            del entry[key]
        else:
            entry[key] = value
    new = tomlkit.dumps(document).removeprefix(head)
    if not old.endswith("\n"):
        new = new.removesuffix("\n")
    return _spliced(
        text, place.start, place.end, new.replace("\n", "\r\n" if "\r\n" in old else "\n")
    )


def _spliced(text: str, start: int, end: int, new: str) -> bytes:
    return (text[:start] + new + text[end:]).encode()


def _without_table(text: str, place: Place) -> str:
    """Cut a `[[bind]]` out, and blank lines so that no gap is left.

    A comment right above it stays apart from what comes next.
    """
    before, after = text[: place.start], text[place.end :]
    written = len(before.rstrip(_BLANK))
    above = before[before.find("\n", written) + 1 :] if written else before
    if above or not written:
        left = after.lstrip(_BLANK)
        after = after[after.rfind("\n", 0, len(after) - len(left)) + 1 :] if left else ""
    if not after:
        before = before[: len(before) - len(above)]
    return before + after


def _without_item(text: str, place: Place) -> str:
    """Cut an item out of `bind = [ … ]`, with the comma after it where there is one."""
    comma = place.end
    while text[comma] in _BLANK + "#":
        stop = text.find("\n", comma)
        comma = stop if text[comma] == "#" else comma + 1
    if text[comma] == ",":
        text = text[:comma] + text[comma + 1 :]
    return text[: place.start] + text[place.end :]
