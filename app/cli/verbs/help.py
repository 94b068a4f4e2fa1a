"""`chroot-tool help`: the manual page of a command, or the text that `--help` prints."""

from __future__ import annotations

import os
import sys

from ....core import programs
from ....core.errors import ChrootError, UsageError
from ....core.text import suggestion
from ... import exits
from ..arguments import add_examples, stay_here, verbs_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

_PROGRAM = "chroot-tool"
_FILES = ("chroot.toml", "tool.conf")
PAGES = (*_FILES, "settings", "policy", "json", "privilege", "keys")
"""What has a page beside the commands; that of a file has the file's name."""


def add_options(parser: ArgumentParser) -> None:
    """Give the parser of `help` its options."""
    parser.add_argument(
        "page", metavar="COMMAND", nargs="?", default="",
        help=f"a command, or one of: {', '.join(PAGES)} (default: all in short)",
    )  # fmt: skip
    add_examples(parser, "chroot-tool help create", "chroot-tool help tool.conf")


def execute(arguments: Namespace) -> int:
    """Show the page, else print the help; return the exit code. Raises UsageError."""
    stay_here(arguments, "the help is of the chroot-tool that shows it", "leave -H out")
    page: str = arguments.page
    whole: ArgumentParser = arguments.whole()
    parsers = {"": whole, **verbs_of(whole)}
    if page not in parsers and page not in PAGES:
        known = (*filter(None, parsers), *PAGES)
        raise UsageError(f"there is no command and no page {page!r}", suggestion(page, known))
    if _shown(page if page in _FILES else "-".join(filter(None, (_PROGRAM, page)))):
        return exits.DONE
    if page not in parsers:
        raise ChrootError(f"no manual page of {page} is here, or no man to show it")
    sys.stdout.write(parsers[page].format_help())
    return exits.DONE


def _shown(page: str) -> bool:
    """Have man(1) show a page; tell whether it is there."""
    import subprocess

    if not programs.find("man"):
        return False
    # Pages of a wheel lie beside its program; a colon at the end stands for where man looks itself.
    env = os.environ | {"MANPATH": f"{sys.prefix}/share/man:{os.environ.get('MANPATH', '')}"}
    there = subprocess.run(["man", "-w", page], env=env, capture_output=True, check=False)
    if there.returncode == 0:
        subprocess.run(["man", page], env=env, check=False)
    return there.returncode == 0
