"""`chroot-tool disable`: nothing is done with a chroot at boot any more."""

from __future__ import annotations

from ... import exits
from ..arguments import add, add_examples, add_json_events, chroot_of
from ..long_call import LongCall
from ..options import DIR
from .enable import told

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def add_options(parser: ArgumentParser) -> None:
    """Give the parser of `disable` its options."""
    add(parser, DIR)
    parser.add_argument(
        "--now", action="store_true", help="and switch it off now, as at a shutdown"
    )
    add_json_events(parser)
    add_examples(
        parser,
        "chroot-tool disable -d deb          it stays as it is until the next boot",
        "chroot-tool disable --now -d deb    and off at once",
    )


def execute(arguments: Namespace) -> int:
    """Have nothing done at boot; return the exit code."""
    engine, path = chroot_of(arguments)
    with LongCall(json=arguments.json) as (report, cancelled):
        changed = engine.disable(path, now=arguments.now, report=report, cancelled=cancelled)
        report.end()
        told(arguments, path, changed, enabled=False)
    return exits.DONE
