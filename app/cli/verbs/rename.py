"""`chroot-tool rename`: another name for a chroot that is off."""

from __future__ import annotations

from ....core.errors import UsageError
from ....core.text import safe
from ... import exits, json_fields, run_history
from ...engine import split_host
from ...progress_lines import Narrator
from ..arguments import add, add_examples, add_json_events, chroot_of, host_of, known_as
from ..options import DIR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def add_options(parser: ArgumentParser) -> None:
    """Give the parser of `rename` its options."""
    add(parser, DIR)
    parser.add_argument(
        "new", metavar="NEW", help="a plain name, beside where it is; or a path on the same disk"
    )
    add_json_events(parser)
    add_examples(
        parser,
        "chroot-tool rename -d deb bookworm",
        "",
        "It has to be off. Host name, /etc/hosts and debian_chroot follow where they",
        "were its name; its snapshots and the history of its commands go along.",
    )


def execute(arguments: Namespace) -> int:
    """Rename a chroot, and what is remembered of it; return the exit code."""
    new = _new(arguments)
    engine, path = chroot_of(arguments)
    before = engine.status(path).path
    new = engine.rename(path, new, report=Narrator(json=arguments.json))
    try:
        run_history.move(*(known_as(arguments, one) for one in (before, new)))
    except OSError as error:
        exits.say(f"the history of {before} stays behind: {exits.reason(error)}")
    if arguments.json:
        json_fields.write({"event": "done", "chroot": new, "state": "off", "from": before})
    else:
        exits.tell(f"{safe(before)}: renamed to {safe(new)}\n")
    return exits.DONE


def _new(arguments: Namespace) -> str:
    """Return NEW as it is where the chroot is. Raises UsageError where it is on another machine."""
    host, new = split_host(arguments.new)
    if not host:
        return str(arguments.new)
    if arguments.hosts or host != host_of(arguments):
        raise UsageError(
            f"{arguments.new} is not where the chroot is, and rename leaves it on its machine",
            "chroot-tool clone makes a copy on another one",
        )
    return new
