"""The configuration of a chroot: the system points and both files, merged. Pure.

The files are read by the caller, from inside the chroot, and come in as bytes. Nothing is cached
and nothing is executed: a status reads all of this many times a minute.
"""

from __future__ import annotations

from ..errors import ConfigError, Problem, UsageError
from ..value import Value
from .bind import CHROOT_TOML, COMMAND_LINE, TOOL_CONF, Bind, make
from .chroot_toml_values import ChrootToml, RunDefaults
from .system_points import system_points

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..host.mount_points import HostFacts


class Config(Value):
    """What is wanted of a chroot. `problems` are those that do not hinder."""

    binds: tuple[Bind, ...]
    """Merged, ignored ones among them, parents before children."""
    run: RunDefaults = RunDefaults()
    description: str = ""
    tags: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    """Paths that `pack` leaves out."""
    problems: tuple[Problem, ...] = ()
    files: tuple[str, str] = ("", "")
    """Where a tool.conf and a chroot.toml stand, or would; see `home`."""
    outside: tuple[str, ...] = ()
    """The administrator's files that it was read from, where the chroot's own do not count."""


def merge(*layers: Iterable[Bind]) -> tuple[Bind, ...]:
    """Merge binds by target: a later one replaces an earlier one whole.

    One that is ignored stays in the result, marked so, until a later one brings the target back;
    what only says so keeps type, source and options of what it leaves out, for those who show it.
    Sorted by path component, which puts parents before children and does not depend on the order
    of the files.
    """
    merged: dict[str, Bind] = {}
    for layer in layers:
        for bind in layer:
            hidden = merged.get(bind.target)
            # A copy is no mount, and is shown nowhere: left out, it would not be seen either.
            if hidden and hidden.fs != "copy" and bind.only_ignores:
                bind = hidden.replace(ignored=True, origin=bind.origin, line=bind.line)
            merged[bind.target] = bind
    return tuple(sorted(merged.values(), key=lambda bind: bind.target.split("/")))


def parse(
    tool_conf: bytes | None,
    chroot_toml: bytes | None,
    *,
    where: str,
    conf_sh: bool,
    host: HostFacts,
    extra: tuple[Bind, ...] = (),
    names: tuple[str, str] | None = None,
) -> Config:
    """Read and merge what a chroot says of itself; None is a file that is not there.

    *where* is the directory of the files, for messages; *conf_sh* whether the original's conf.sh
    stands there; *extra* are binds given on the command line; *names* what the files are called
    where they stand outside of the chroot. Raises ConfigError with all problems of both files.
    """
    is_outside = names is not None
    names = names or (f"{where}/{TOOL_CONF}", f"{where}/{CHROOT_TOML}")
    problems: list[Problem] = []
    listed: tuple[Bind, ...] = ()
    exclude: tuple[str, ...] = ()
    if tool_conf is not None:
        from .tool_conf import parse as parse_tool_conf  # 0.8 ms, and most chroots have none

        plain = parse_tool_conf(tool_conf, names[0], problems)
        listed, exclude = plain.binds, plain.exclude
    toml = ChrootToml()
    if chroot_toml is not None:
        from .chroot_toml import parse as parse_chroot_toml  # likewise

        toml = parse_chroot_toml(chroot_toml, names[1], problems)
        if toml.path_line and not is_outside:
            message = f"{names[1]}:{toml.path_line}: path stands in a chroot itself"
            problems.append(Problem(message, "leave it out: it says which chroot a file is for"))
    if problems:
        raise ConfigError(problems)
    binds = merge(system_points(toml.system, host), listed, toml.binds, extra)
    noted = (_conf_sh(where),) if conf_sh else ()
    return Config(binds, toml.run, toml.description, toml.tags, exclude, noted)


def parse_bind_argument(text: str) -> Bind:
    """Read a bind from the command line: `SRC[:TGT[:OPTION,…]]`, or a record as in tool.conf.

    A text that begins with `/` has the short form, in which no path can hold a `:`. Raises
    UsageError.
    """
    return _short(text) if text.startswith("/") else _record(text)


def _conf_sh(where: str) -> Problem:
    return Problem(
        f"{where}/conf.sh is not read: shell code is never run to learn a configuration",
        f"list its binds in {where}/{CHROOT_TOML}, each as [[bind]] with source = and target =,"
        " then delete conf.sh",
    )


def _short(text: str) -> Bind:
    source, *rest = text.split(":")
    if len(rest) > 2:
        raise UsageError(
            f"bind {text!r} has {len(rest)} ':', expected SRC, SRC:TGT or SRC:TGT:OPTION,…",
            """write paths that hold ':' as 'src:"/a:b" tgt:"/a:b"'""",
        )
    options = [word for word in rest[1].split(",") if word] if len(rest) == 2 else None
    return make(rest[0] if rest else source, source, "bind", options)


def _record(text: str) -> Bind:
    from . import tool_conf
    from .tool_conf_grammar import BLANK, split

    if not text.lstrip(BLANK).startswith(tool_conf.KEYS):
        raise UsageError(
            f"bind {text!r}, expected SRC[:TGT[:OPTION,…]] with absolute paths",
            "or a record as in tool.conf: 'src:/a tgt:/b opt:ro'",
        )
    records = list(split(text.rstrip(BLANK)))
    if len(records) != 1:
        raise UsageError(f"bind {text!r} holds more than one entry", "give -b for each")
    errors: list[UsageError] = []
    bind = tool_conf.from_record(records[0], COMMAND_LINE, 0, errors)
    if bind is None:
        raise errors[0]
    return bind
