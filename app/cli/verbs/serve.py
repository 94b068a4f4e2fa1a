"""`chroot-tool serve`: requests as JSON lines on stdin, answers on stdout, for one elsewhere."""

from __future__ import annotations

import os
import sys

from .... import __version__
from ....core.errors import ChrootError, UsageError
from ... import exits, privilege
from ...engine import base_directory, open_engine

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from argparse import ArgumentParser, Namespace
else:
    import _signal as signal  # see core.entering.launch


def add_options(parser: ArgumentParser) -> None:
    """Give the parser of `serve` its options."""
    from .create import add_backend

    parser.add_argument("--json", action="store_true", help="JSON lines, of which there must be")
    add_backend(parser)
    parser.epilog = "docs/serve.md has the requests. It ends when its input does."


def execute(arguments: Namespace) -> int:
    """Answer until the input ends; return the exit code."""
    if not arguments.json:
        raise UsageError("serve speaks nothing but JSON lines", "chroot-tool serve --json")
    return serve(arguments.base, arguments.host, arguments.backend)


def serve(base: str = "", host: str = "", backend: str = "") -> int:
    """Answer for what these options say until the input ends; return the exit code."""
    from ....core.remote.server import Server

    privilege.was_not_typed()
    source, sink = _streams()
    engine = open_engine(base or _base_of_caller(), host, backend)
    server = Server(engine, source, sink, version=__version__)
    # Keys are for who asks, who tells us what to stop. Who wants us to end takes our input away.
    for number in (signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: _close(source))
    server.serve()
    return exits.DONE


def _base_of_caller() -> str:
    """Return the base directory of whom sudo has made root, as it comes along to a verb of theirs.

    "" where that is nobody. Raises ConfigError.
    """
    found = privilege.caller()
    if found is None:
        return ""
    import pwd

    try:
        home = pwd.getpwuid(found[1]).pw_dir
    except KeyError:
        return ""
    return base_directory("", home)


def told(base: str) -> int:
    """Do as `execute` for *base*, "" for the usual one, and no more; an error is a line of JSON."""
    try:
        return serve(base)
    except ChrootError as error:
        from ..output import write_error

        write_error(error)
        raise


def _streams() -> tuple[int, int]:
    """Return stdin and stdout, which nothing that is started here gets into its hands."""
    sys.stdout.flush()
    source, sink = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    return source, sink


def _close(source: int) -> None:
    """Have a read of *source*, now and from now on, come to its end."""
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, source, inheritable=False)
    os.close(null)
