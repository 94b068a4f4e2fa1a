"""The command line as values: what a completion script is made of, read off the parser.

What can stand for an argument is said by `KINDS`, by its name in the parser. A kind that the shell
knows itself (FILE, DIRECTORY, ENVIRONMENT) costs nothing to complete; for every other one the
script asks `chroot-tool __complete KIND` (names.py).
"""

from __future__ import annotations

import argparse
import re

from ....core.value import Value
from ..arguments import verbs_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

FILE, DIRECTORY, ENVIRONMENT = "file", "directory", "environment"
CHROOT = "chroot"
"""A name, which the tool is asked for, or a directory, which the shell knows."""

KINDS = {
    "dir": CHROOT, "new": CHROOT, "base": DIRECTORY, "config": DIRECTORY, "file": FILE,
    "env": ENVIRONMENT, "host": "host", "user": "user", "cwd": "inside", "ignore": "inside",
    "suite": "suite", "arch": "architecture", "variant": "variant", "timezone": "timezone",
    "target": "target", "only": "wanted", "who": "who", "tag": "tag", "inventory": FILE,
}  # fmt: skip
"""What stands for an argument, by its name, wherever it means the same."""
_OF_VERBS = {
    ("base", "names"): "base",
    ("bind", "file"): "edited",
    ("bind", "source"): FILE,
    ("create", "source"): FILE,
    ("deploy", "target"): "host",
    ("run", "words"): "script",
    ("snapshot", "words"): "snapshot",
    ("sudoers", "user"): "person",
    ("sudoers", "group"): "group",
    ("trash", "names"): "trashed",
}
"""The same where it is another in one verb."""
_FURTHER = {"run": FILE}
"""Of a verb whose words are of one kind at first and of another from then on."""


class Argument(Value):
    """An option, or with no names a word by its place."""

    names: tuple[str, ...]
    metavar: str
    help: str
    takes_value: bool
    kind: str = ""
    """What completes its value: one of those above, of NAMES, or "" where nobody knows."""
    choices: tuple[str, ...] = ()
    many: bool = False

    @property
    def short_help(self) -> str:
        """What it is for in a few words: for a line beside many others."""
        return re.split(r"[;(]| \u2026|, by ssh|: a ", self.help)[0].strip().rstrip(",.:")


class Verb(Value):
    """A command and what may stand behind it."""

    name: str
    summary: str
    options: tuple[Argument, ...]
    words: tuple[Argument, ...]


def read(parser: argparse.ArgumentParser) -> Verb:
    """Return what stands before the verb, of the whole parser, whose `words` are empty."""
    return _verb("", parser)


def verbs(parser: argparse.ArgumentParser, pages: tuple[str, ...] = ()) -> Iterator[Verb]:
    """Yield every verb of the whole parser, in its order; `help` takes them, and *pages*."""
    parsers = verbs_of(parser)
    for name, one in parsers.items():
        verb = _verb(name, one)
        if name == "help":
            [page] = verb.words
            verb = verb.replace(words=(page.replace(choices=(*parsers, *pages)),))
        yield verb


def _verb(name: str, parser: argparse.ArgumentParser) -> Verb:
    found = [
        _argument(name, action)
        for action in parser._actions  # noqa: SLF001
        if not isinstance(action, argparse._SubParsersAction)  # noqa: SLF001
        and action.help != argparse.SUPPRESS
    ]
    words = [one for one in found if not one.names]
    if words and name in _FURTHER:
        words.append(words[-1].replace(kind=_FURTHER[name], many=True))
    summary = (parser.description or "").partition("\n")[0].rstrip(".")
    return Verb(name, summary, tuple(one for one in found if one.names), tuple(words))


def _argument(verb: str, action: argparse.Action) -> Argument:
    own = _OF_VERBS.get((verb, action.dest), "")
    kind = own or KINDS.get(action.dest, "")
    takes_value = action.nargs != 0
    choices = () if own else tuple(map(str, action.choices or ()))
    metavar = action.metavar if isinstance(action.metavar, str) else action.dest
    further = action.nargs in ("*", "+") and verb not in _FURTHER
    return Argument(
        tuple(action.option_strings),
        metavar,
        (action.help or "").replace("%%", "%"),
        takes_value,
        kind if takes_value and not choices else "",
        choices,
        further or isinstance(action, argparse._AppendAction),  # noqa: SLF001
    )
