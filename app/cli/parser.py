"""The argument parser of every command but the `run` family, and the help of all."""

from __future__ import annotations

import argparse
import sys

from ... import __version__
from .. import exits
from .options import BASE, CONFIG, DIR, RUN_OPTIONS, RUN_WORDS, SESSION_OPTIONS, SESSION_WORDS, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, NoReturn

_ABOUT = """\
Light "virtual machines" as chroots: a Debian in a directory, entered with
chroot, sharing the host's network and processes. Without a command: the
terminal UI."""

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


class _Parser(argparse.ArgumentParser):
    """Says errors as everything else here does: one line, a hint, exit 2."""

    def error(self, message: str) -> NoReturn:
        exits.say(message, f"{self.prog} --help")
        sys.exit(exits.USAGE)


class _Command(_Parser):
    """The parser of one command; says itself what it does not know, with its own help as hint."""

    def parse_known_args(  # type: ignore[override]  # what it gives back is argparse's affair
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[Any, list[str]]:
        found, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"unknown: {' '.join(unknown)}")
        return found, unknown


_RUN_HELP = {
    "run": (
        "run a command inside",
        (
            "COMMAND that begins with / is run as it is. Else chroot.d/COMMAND is run where it "
            "exists, else /chroot.d/chroot-cmd COMMAND. One word with spaces is split as a shell "
            "splits words. Put -- before a command that has options of its own."
        ),
    ),
    "start": ("run `start` inside", ""),
    "stop": ("run `stop` inside", ""),
    "restart": ("run `restart` inside", ""),
    "update": ("run `update` inside", ""),
    "shell": ("a login shell inside, on this terminal", ""),
}


def _add(parser: argparse.ArgumentParser, *options: Option) -> None:
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


def build(only: str = "") -> argparse.ArgumentParser:
    """Return the parser of the whole command line.

    With *only*, the name of a command, of that one alone: to build all of them takes 6 ms.
    """
    parser = _Parser(
        prog="chroot-tool",
        description=_ABOUT,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"chroot-tool {__version__}")
    _add(parser, BASE)
    commands = parser.add_subparsers(
        prog=parser.prog, dest="command", metavar="COMMAND", parser_class=_Command
    )
    for name, (text, more, fill) in _COMMANDS.items():
        if only in ("", name):
            described = f"{text[0].upper()}{text[1:]}. {more}".strip()
            sub = commands.add_parser(name, help=text, description=described, allow_abbrev=False)
            # Stands before and after the command; the one behind it wins where both are given.
            sub.add_argument(
                *BASE.names, dest="base", metavar="DIR", help=BASE.help, default=argparse.SUPPRESS
            )
            fill(sub)
    return parser


def _create(sub: argparse.ArgumentParser) -> None:
    _add(
        sub, DIR,
        Option(("--suite",), "suite", "S", "bookworm, trixie, stable … (default: the host's)"),
        Option(("--arch",), "arch", "A", "amd64, arm64 … (default: the host's)"),
        Option(("--mirror",), "mirror", "URL", "where packages come from (default: the host's)"),
        Option(("--variant",), "variant", "V", "minbase, buildd, … (default: minbase)"),
        Option(("--include",), "include", "P,…", "more packages", many=True),
        Option(("--locale",), "locales", "L", "a locale, the first is the default", many=True),
        Option(("--timezone",), "timezone", "TZ", "Europe/Berlin … (default: the host's)"),
    )  # fmt: skip
    sub.add_argument(
        "--backend", choices=("debootstrap", "mmdebstrap"), default="", help="what makes it"
    )
    _json(sub, "a JSON object a line for all that happens")


def _on(sub: argparse.ArgumentParser) -> None:
    _add(
        sub, DIR, CONFIG,
        Option(
            ("-b", "--bind"), "binds", "BIND",
            "one more bind: SRC[:TGT[:OPT,…]] or 'src:… tgt:… opt:…'", many=True,
        ),
    )  # fmt: skip
    _dry_run(sub)


def _off(sub: argparse.ArgumentParser) -> None:
    _add(sub, DIR)
    sub.add_argument("-S", "--no-stop", action="store_true", help="do not run `stop` inside")
    sub.add_argument("--kill", action="store_true", help="end the processes that are in the way")
    sub.add_argument(
        "--timeout", type=float, default=10.0, metavar="SECONDS",
        help="how long --kill waits between TERM and KILL (default: 10)",
    )  # fmt: skip
    sub.add_argument(
        "--lazy", action="store_true", help="unmount now, let go when nobody uses it any more"
    )
    _dry_run(sub)


def _dry_run(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--dry-run", action="store_true", help="say what would be done")
    _json(sub, "a JSON object a line for all that happens")


def _run(sub: argparse.ArgumentParser) -> None:
    sub.usage = "chroot-tool run COMMAND [ARG…] [-d DIR] [option…]"
    sub.add_argument("words", metavar="COMMAND", nargs="*", help="see above")
    _run_word(sub)


def _run_word(sub: argparse.ArgumentParser) -> None:
    word = sub.prog.rpartition(" ")[2]
    hidden = (BASE,) if word in SESSION_WORDS else (BASE, *SESSION_OPTIONS)
    _add(sub, *(option for option in RUN_OPTIONS if option not in hidden))


def _status(sub: argparse.ArgumentParser) -> None:
    _json(sub)
    _add(sub, DIR)


def _bind(sub: argparse.ArgumentParser) -> None:
    sub.add_argument(
        "action", choices=("list", "add", "remove", "ignore"),
        help="show all entries; change the one of --target",
    )  # fmt: skip
    _add(
        sub, DIR,
        Option(("--source",), "source", "S", "a path on the host (default: the target)"),
        Option(("--target",), "target", "T", "a path inside the chroot"),
        Option(("--fs",), "fs", "TYPE", "a file system type instead of a bind, tmpfs say"),
        Option(("--option",), "options", "O", "ro, nosuid, rbind, size=1G …", many=True),
    )  # fmt: skip
    sub.add_argument("--optional", action="store_true", help="no error where the source is absent")
    _json(sub)


def _delete(sub: argparse.ArgumentParser) -> None:
    _add(sub, DIR)
    sub.add_argument("--yes", action="store_true", help="do not ask")


def _json(sub: argparse.ArgumentParser, text: str = "JSON") -> None:
    sub.add_argument("--json", action="store_true", help=text)


_COMMANDS: dict[str, tuple[str, str, Callable[[argparse.ArgumentParser], None]]] = {
    "create": ("make a Debian in a directory", "", _create),
    "on": ("mount what the configuration says", "", _on),
    "off": ("run `stop` inside, then unmount everything", "", _off),
    **{word: (*_RUN_HELP[word], _run if word == "run" else _run_word) for word in RUN_WORDS},
    "list": ("the chroots under the base directory", "", _json),
    "status": ("one chroot in full: mounts, processes, problems", "", _status),
    "watch": ("a line now and at every change, until interrupted", "", _json),
    "bind": ("list and edit bind entries, without loss", "", _bind),
    "delete": ("switch a chroot off and remove it", "", _delete),
}
"""What each does in a few words, more about it, and what gives it its options."""
