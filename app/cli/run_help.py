"""The options of `run` and its kin, for their help alone: `run.py` reads their words itself."""

from __future__ import annotations

from .arguments import add
from .options import EVERYWHERE, JSON, RUN_OPTIONS, SESSION_OPTIONS, SESSION_WORDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser

_RUN = """\
COMMAND that begins with / is run as it is. Else chroot.d/COMMAND is run
where it exists, else /chroot.d/chroot-cmd COMMAND. One word with spaces is
split as a shell splits words. Put -- before a command that has options of
its own."""

_SESSION = """\
A throw-away session (-x) has processes, mounts and a host name of its own;
the network is the host's, and what is written to a bind of the host's
reaches the host. All the rest is gone at its end, with every process that
it has left."""


def add_options(parser: ArgumentParser) -> None:
    """Give the parser of `run`, or of one of its kin, its options."""
    word = parser.prog.rpartition(" ")[2]
    takes_session = word in SESSION_WORDS
    left_out = EVERYWHERE if takes_session else (*EVERYWHERE, *SESSION_OPTIONS)
    if word == "shell":
        left_out = (*left_out, JSON)
    if takes_session:
        parser.epilog = _SESSION
    if word == "run":
        parser.usage = "chroot-tool run COMMAND [ARG…] [-d DIR] [option…]"
        parser.description = f"{parser.description}\n\n{_RUN}"
        parser.add_argument("words", metavar="COMMAND", nargs="*", help="see above")
    add(parser, *(option for option in RUN_OPTIONS if option not in left_out))
