"""The options of `run` and its kin, for their help alone: `run_and_shell` reads their words."""

from __future__ import annotations

from .arguments import add, add_examples
from .options import EVERYWHERE, JSON, RUN_OPTIONS, SESSION_OPTIONS, SESSION_WORDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser

_RUN = """\
COMMAND that begins with / is run as it is. Else chroot.d/COMMAND is run
where it exists, else /chroot.d/chroot-cmd COMMAND. One word with spaces is
split as a shell splits words. Put -- before a command that has options of
its own."""

_EXAMPLES = {
    "run": (
        "chroot-tool run apt-get update -d deb",
        'chroot-tool run "ls -l /etc" -d deb',
        "chroot-tool run -d deb -u me -w /src -- make -j4",
        "chroot-tool run -x -d deb -- apt-get -y install gcc     to try it: -x",
    ),
    "start": ("chroot-tool start -d deb    chroot.d/start, else /chroot.d/chroot-cmd start",),
    "stop": ("chroot-tool stop -d deb",),
    "restart": ("chroot-tool restart -d deb",),
    "update": ("chroot-tool update -d deb",),
    "shell": (
        "chroot-tool shell -d deb",
        "chroot-tool shell -d deb -u me",
        "chroot-tool shell -x -d deb     what is done in it is gone at its end",
    ),
}
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
    add_examples(parser, *_EXAMPLES[word], *(["", *_SESSION.splitlines()] if takes_session else ()))
    if word == "run":
        parser.usage = "chroot-tool run COMMAND [ARG…] [-d DIR] [option…]"
        parser.description = f"{parser.description}\n\n{_RUN}"
        parser.add_argument("words", metavar="COMMAND", nargs="*", help="see above")
    add(parser, *(option for option in RUN_OPTIONS if option not in left_out))
