"""The argument parser: the whole of it for the help, that of one verb to be quick."""

from __future__ import annotations

import argparse
import os

from ... import __version__
from ...core.errors import UsageError
from ...core.text import did_you_mean, suggestion
from .arguments import add, verbs_of
from .options import EVERYWHERE
from .verbs import SUMMARIES, module_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, NoReturn

_ABOUT = """\
Light "virtual machines" as chroots: a Debian in a directory, entered with
chroot, sharing the host's network and processes. Without a command: the
terminal UI; with --plain alone, chroots and what changes in words, a line for
each fact, for screen readers."""

_EXAMPLES = """\
examples:
  chroot-tool create -d /srv/chroot/deb
  chroot-tool run "apt-get --version" -d deb
  chroot-tool shell -d deb
  chroot-tool off -d deb

exit codes:
  0 done, 1 failed, 2 usage, 3 configuration, 4 busy, 5 more privilege needed,
  130 interrupted
  run, shell, start …: the command's own, 128+N for a signal, 127 not found,
  126 not executable, 125 the tool itself failed before the command ran"""


class _Help(argparse.RawDescriptionHelpFormatter):
    """As wide as the terminal, which argparse asks of shutil: 3 ms for bz2, lzma and others.

    One is made for each option, whether or not there is help to be shown.
    """

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_columns() - 2)


class _NoColours(_Help):
    """For what needs none: since 3.14 colours cost dataclasses and inspect, once they are asked."""

    def _set_color(self, color: bool) -> None:
        """Leave out what argparse's own does."""


def _columns() -> int:
    """Return what shutil.get_terminal_size does."""
    try:
        columns = int(os.environ.get("COLUMNS", ""))
    except ValueError:
        columns = 0
    if columns <= 0:
        try:
            columns = os.get_terminal_size(1).columns
        except OSError:
            columns = 0
    return columns or 80


class _Parser(argparse.ArgumentParser):
    """Raises UsageError, so that errors are said as everything else here does."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(allow_abbrev=False, formatter_class=_Help, **settings)
        self.color = False  # since 3.14 there are some, also where TERM is not set

    def _get_validation_formatter(self) -> argparse.HelpFormatter:
        """By what argparse, since 3.14, looks at each option that is added."""
        return _NoColours(self.prog)

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Say which word is meant: argparse's own names all that there are."""
        if action.choices is None or value in action.choices:
            return
        what = action.metavar if isinstance(action.metavar, str) else action.dest
        if action.dest == "verb":  # help has them all, and what each is for
            hint = did_you_mean(str(value), action.choices) or f"{self.prog} --help"
        else:
            hint = suggestion(str(value), action.choices)
        raise UsageError(f"no {what.lower()} is called {value!r}", hint)

    def parse_args(  # type: ignore[override]  # what it gives back is argparse's affair
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> Any:
        found, unknown = self.parse_known_args(args, namespace)
        if unknown:
            self.refuse(unknown)
        return found

    def refuse(self, unknown: Sequence[str]) -> NoReturn:
        """Raise UsageError for words that nothing here takes, with the option that is meant."""
        word = unknown[0].partition("=")[0]
        options = self._option_string_actions if word.startswith("--") else ()
        near = did_you_mean(word, options)
        hint = f"{self.prog} --help"
        hint = f"{near} {hint} has them all" if near else hint
        raise UsageError(f"unknown: {' '.join(unknown)}", hint)

    def error(self, message: str) -> NoReturn:
        raise UsageError(message, f"{self.prog} --help")


class _VerbParser(_Parser):
    """The parser of one verb, whose module gives it its options when they are needed.

    It says itself what it does not know, with its own help as hint.
    """

    def __init__(self, *, verb: str, **settings: Any) -> None:
        super().__init__(**settings)
        self._verb = verb

    def fill(self) -> None:
        """Give it its options."""
        # Stands before and after the verb; the one behind it wins where both are given.
        for option in EVERYWHERE:
            self.add_argument(
                *option.names, dest=option.key, metavar=option.metavar, help=option.help,
                default=argparse.SUPPRESS,
            )  # fmt: skip
        module_of(self._verb).add_options(self)

    def parse_known_args(  # type: ignore[override]  # what it gives back is argparse's affair
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[Any, list[str]]:
        self.fill()
        found, unknown = super().parse_known_args(args, namespace)
        if unknown and not any(word.startswith("-") for word in unknown):
            # Words behind an option: argparse has given none to an argument that may have many.
            for one in self._actions:
                if one.nargs == "*" and not one.option_strings:
                    setattr(found, one.dest, [*(getattr(found, one.dest) or ()), *unknown])
                    return found, []
        if unknown:
            self.refuse(unknown)
        return found, unknown


def build(only: str = "") -> argparse.ArgumentParser:
    """Return the parser of the whole command line; with *only*, of that verb alone."""
    parser = _Parser(
        prog="chroot-tool",
        description=_ABOUT,
        epilog=_EXAMPLES,
    )
    parser.add_argument("--version", action="version", version=f"chroot-tool {__version__}")
    add(parser, *EVERYWHERE)
    verbs = parser.add_subparsers(
        prog=parser.prog, dest="verb", metavar="COMMAND", parser_class=_VerbParser
    )
    for name in (only,) if only else SUMMARIES:
        text = SUMMARIES[name]
        verbs.add_parser(name, verb=name, help=text, description=f"{text[0].upper()}{text[1:]}.")
    return parser


def whole() -> argparse.ArgumentParser:
    """Return the parser of the whole command line with every option: for what tells of it."""
    parser = build()
    for one in verbs_of(parser).values():
        one.fill()  # type: ignore[attr-defined]  # each is a _VerbParser
    return parser
