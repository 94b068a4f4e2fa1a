"""What an administrator allows chroots to ask for: `policy.toml`, read strictly. Pure.

Every rule knows its line, since whoever breaks it is told. What forbids adds up over the whole file
and the `[[chroot]]` tables that match; of what allows the last that matches counts.
"""

from __future__ import annotations

from ..errors import PolicyError, Problem
from ..value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .toml_places import Path
    from .toml_reader import Reader

KEYS = (
    "allow_sources", "deny_sources", "read_only_sources", "allow_fs", "allow_dev",
    "allow_host_cmd",
)  # fmt: skip
PRIVATE, HOST = "private", "host"
"""Values of allow_dev."""
HARMLESS = ("tmpfs", "proc", "sysfs", "devpts", "mqueue")
"""Types that show no file of the host's that a chroot would not see without them."""


class Rule(Value):
    """One value of a key, and where it stands."""

    value: str
    line: int


class Rules(Value):
    """What holds for one chroot. None: nothing is said, and nothing restricted."""

    file: str
    deny_sources: tuple[Rule, ...] = ()
    read_only_sources: tuple[Rule, ...] = ()
    allow_sources: tuple[Rule, ...] | None = None
    sources_line: int = 0
    """Where allow_sources stands."""
    allow_fs: tuple[str, ...] | None = None
    fs_line: int = 0
    allow_dev: Rule | None = None
    allow_host_cmd: bool | None = None
    host_cmd_line: int = 0

    @property
    def about_sources(self) -> Rule | None:
        """The first rule about sources: what shows files by another way needs a word of its own."""
        if self.allow_sources is not None:
            return Rule("allow_sources", self.sources_line)
        for key, rules in (
            ("deny_sources", self.deny_sources), ("read_only_sources", self.read_only_sources),
        ):  # fmt: skip
            if rules:
                return Rule(key, rules[0].line)
        return None

    def over(self, other: Rules) -> Rules:
        """Return these on top of *other*."""
        return Rules(
            self.file,
            (*other.deny_sources, *self.deny_sources),
            (*other.read_only_sources, *self.read_only_sources),
            *_said(
                (self.allow_sources, self.sources_line), (other.allow_sources, other.sources_line)
            ),
            *_said((self.allow_fs, self.fs_line), (other.allow_fs, other.fs_line)),
            self.allow_dev or other.allow_dev,
            *_said(
                (self.allow_host_cmd, self.host_cmd_line),
                (other.allow_host_cmd, other.host_cmd_line),
            ),
        )


class Matching(Value):
    """Rules for the chroots whose path matches one of the patterns."""

    patterns: tuple[str, ...]
    rules: Rules


class Policy(Value):
    """A policy.toml: what holds for all, and for some."""

    rules: Rules
    chroots: tuple[Matching, ...] = ()

    def for_chroot(self, path: str, resolve: Callable[[str], str]) -> Rules:
        """Return what holds for the chroot at the physical *path*.

        *resolve* says where a path really leads: a pattern may begin with a link.
        """
        found = self.rules
        for one in self.chroots:
            if any(matches(path, _resolved(pattern, resolve)) for pattern in one.patterns):
                found = one.rules.over(found)
        return found


def matches(path: str, pattern: str) -> bool:
    """Tell whether *path* matches by components: `*` and the like stay in theirs."""
    from fnmatch import fnmatchcase

    names, parts = path.split("/"), pattern.split("/")
    return len(names) == len(parts) and all(map(fnmatchcase, names, parts))


def _resolved(pattern: str, resolve: Callable[[str], str]) -> str:
    parts = pattern.split("/")
    plain = next((i for i, part in enumerate(parts) if set(part) & set("*?[")), len(parts) - 1)
    return "/".join([resolve("/".join(parts[:plain]) or "/").rstrip("/"), *parts[plain:]])


def parse(data: bytes, path: str) -> Policy:
    """Read a policy.toml. Raises PolicyError with every mistake: half of one is none."""
    from .toml_reader import Reader

    reader = Reader(data, path)
    top = reader.table(reader.document, (), (*KEYS, "chroot"))
    policy = Policy(_rules(reader, top, ()), _chroots(reader, top.get("chroot", [])))
    problems = reader.problems()
    if problems:
        hint = "nothing is mounted until it is mended"
        raise PolicyError([Problem(p.message, p.hint or hint) for p in problems])
    return policy


def _chroots(reader: Reader, entries: object) -> tuple[Matching, ...]:
    if not isinstance(entries, list):
        reader.wrong(("chroot",), "chroot is no array, expected [[chroot]] tables",
                     'write [[chroot]] and match = "/path"')  # fmt: skip
        return ()
    found = []
    for index, entry in enumerate(entries):
        place: Path = ("chroot", index)
        table = reader.table(entry, place, ("match", *KEYS))
        found.append(Matching(_patterns(reader, table, place), _rules(reader, table, place)))
    return tuple(found)


def _patterns(reader: Reader, table: dict[str, Any], place: Path) -> tuple[str, ...]:
    if "match" not in table:
        reader.wrong(place, "a chroot without match, expected one", 'add match = "/srv/chroot/*"')
        return ()
    if isinstance(table["match"], str):
        table = {"match": [table["match"]]}
    given = reader.strings(table, place, "match") or []
    return tuple(rule.value for rule in _paths(reader, given, (*place, "match")))


def _rules(reader: Reader, table: dict[str, Any], place: Path) -> Rules:
    def listed(key: str) -> tuple[Rule, ...]:
        return _paths(reader, reader.strings(table, place, key) or [], (*place, key))

    def line(key: str) -> int:
        return reader.line((*place, key)) if key in table else 0

    types = reader.strings(table, place, "allow_fs")
    dev = reader.choice(table, place, "allow_dev", (PRIVATE, HOST))
    host_cmd = reader.typed(table, place, "allow_host_cmd", bool, False)
    return Rules(
        reader.path,
        listed("deny_sources"),
        listed("read_only_sources"),
        listed("allow_sources") if "allow_sources" in table else None,
        line("allow_sources"),
        None if types is None else tuple(types),
        line("allow_fs"),
        Rule(dev, line("allow_dev")) if "allow_dev" in table else None,
        host_cmd if "allow_host_cmd" in table else None,
        line("allow_host_cmd"),
    )


def _paths(reader: Reader, given: list[str], place: Path) -> tuple[Rule, ...]:
    found = []
    for index, path in enumerate(given):
        if type(path) is not str:
            continue  # told already
        parts = [part for part in path.split("/") if part not in ("", ".")]
        if not path.startswith("/") or "\0" in path or ".." in parts:
            reader.wrong(
                (*place, index), f"{path!r} in {place[-1]}, expected an absolute path without '..'",
                "write where it leads to",
            )  # fmt: skip
        found.append(Rule("/" + "/".join(parts), reader.line((*place, index))))
    return tuple(found)


def _said(one: tuple[Any, int], other: tuple[Any, int]) -> tuple[Any, int]:
    """Return the first of two values that says anything, with its line."""
    return other if one[0] is None else one
