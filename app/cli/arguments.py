"""What the verbs' arguments have in common: giving them to argparse, and what they come to."""

from __future__ import annotations

import argparse

from ...core.errors import UsageError
from ..engine import open_engine, split_host

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Mapping

    from ...core.engine import Engine
    from .options import Option


def add(parser: ArgumentParser, *options: Option) -> None:
    """Give *parser* these options."""
    for option in options:
        if option.flag:
            parser.add_argument(
                *option.names, dest=option.key, help=option.help, action="store_true"
            )
            continue
        parser.add_argument(
            *option.names,
            dest=option.key,
            metavar=option.metavar,
            help=option.help,
            default=[] if option.many else option.default,
            action="append" if option.many else "store",
        )


def add_examples(parser: ArgumentParser, *lines: str) -> None:
    """End the help of a verb with example calls, as they stand."""
    parser.epilog = "\n".join(["examples:", *(f"  {line}".rstrip() for line in lines)])


def verbs_of(parser: ArgumentParser) -> Mapping[str, ArgumentParser]:
    """Return the parsers of the verbs, by their names, of the whole command line's."""
    for action in parser._actions:  # noqa: SLF001 (argparse shows them in no other way)
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            return action.choices
    return {}


def add_json(parser: ArgumentParser) -> None:
    """Add --json to a verb that prints one document."""
    parser.add_argument("--json", action="store_true", help="JSON")


def add_json_events(parser: ArgumentParser) -> None:
    """Add --json to a verb that prints an object for each event."""
    parser.add_argument(
        "--json", action="store_true", help="a JSON object a line for all that happens"
    )


def add_dry_run(parser: ArgumentParser) -> None:
    """Add --dry-run, and --json as a verb with events has it."""
    parser.add_argument("--dry-run", action="store_true", help="say what would be done")
    add_json_events(parser)


def engine_of(arguments: Namespace) -> Engine:
    """Return the engine for the base directory that is meant. Raises ConfigError."""
    return _engine_at("", arguments)


def _engine_at(host: str, arguments: Namespace) -> Engine:
    given: Engine | None = getattr(arguments, "engine", None)
    if given is None:
        return open_engine(arguments.base, host or arguments.host)
    if host:
        raise UsageError(f"--hosts says where, and {host}: does, too", "a DIR alone is on each")
    return given


def chroot_of(arguments: Namespace, *, new: bool = False) -> tuple[Engine, str]:
    """Return the engine, and the path of the chroot that --dir means; *new*: that is to be made.

    Raises UsageError, ChrootError.
    """
    return place_of(arguments.dir, arguments, new=new)


def place_of(text: str, arguments: Namespace, *, new: bool = False) -> tuple[Engine, str]:
    """Return the engine, and the path there, that *text* means: DIR, or HOST:DIR.

    Raises UsageError, ChrootError.
    """
    host, directory = split_host(text)
    engine = _engine_at(host, arguments)
    return engine, engine.locate(directory, new=new)


def host_of(arguments: Namespace) -> str:
    """Return the machine that is meant, by --dir or by --host; "" for this. Raises UsageError."""
    return split_host(getattr(arguments, "dir", ""))[0] or str(arguments.host)


def is_elsewhere(arguments: Namespace) -> bool:
    """Tell whether another machine is meant. Raises UsageError."""
    return bool(host_of(arguments))


def known_as(arguments: Namespace, path: str) -> str:
    """Return by what name the chroot at *path*, which --dir means, is known here: HOST:PATH."""
    from ...core.remote.address import joined

    return joined(host_of(arguments), path)


def stay_here(arguments: Namespace, why: str, hint: str) -> None:
    """Raise UsageError where another machine is meant by what is done on this one alone."""
    if is_elsewhere(arguments):
        raise UsageError(why, hint)
