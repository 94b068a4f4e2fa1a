"""`chroot-tool deploy`: this program put on another machine, or taken away from there."""

from __future__ import annotations

import os

from .... import __version__
from ....core.text import safe
from ... import exits, json_fields
from ..arguments import add_examples, add_json, stay_here

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def add_options(parser: ArgumentParser) -> None:
    """Give the parser of `deploy` its options."""
    parser.add_argument("target", metavar="HOST", help="a name of ssh_config, or USER@HOST")
    parser.add_argument("--remove", action="store_true", help="take it away again")
    place = parser.add_mutually_exclusive_group()
    place.add_argument(
        "--system", dest="place", action="store_const", const="system", default="auto",
        help="into /usr/local, by sudo (default for who may)",
    )  # fmt: skip
    place.add_argument(
        "--user", dest="place", action="store_const", const="user", help="into ~/.local"
    )
    parser.add_argument("--force", action="store_true", help="over a newer one, too")
    add_json(parser)
    add_examples(
        parser,
        "chroot-tool deploy build1",
        "chroot-tool deploy build1 --remove",
        "",
        "It needs Python 3.11 there, as Debian 12 has it. The terminal UI stays here:",
        "chroot-tool -H build1 shows the chroots there.",
    )


def execute(arguments: Namespace) -> int:
    """Put it there, or take it away; return the exit code."""
    from ....core.remote import deploy
    from ....core.remote.ssh import Host

    stay_here(
        arguments, "deploy goes from this machine, to the one that it names",
        f"chroot-tool deploy {safe(arguments.target)}",
    )  # fmt: skip
    host = Host(arguments.target, ask=True)
    other = ""
    if arguments.remove:
        path, changed = deploy.remove(host, place=arguments.place)
    else:
        path, changed, other = deploy.put(
            host, __version__, place=arguments.place, force=arguments.force
        )
    done = "removed" if arguments.remove else __version__
    if arguments.json:
        json_fields.write(
            {"host": host.name, "path": path, "removed": arguments.remove, "changed": changed}
        )
    else:
        exits.tell(f"{safe(host.name)}:{safe(path)}: {done}\n")
    if other:
        exits.say(
            f"warning: {host.name}: {other} is another, and comes first there",
            f"there: take that away, or have {os.path.dirname(path)} before it in PATH",
        )
    return exits.DONE
