"""`chroot-tool adopt`: a user of the host made a user inside."""

from __future__ import annotations

from ....core.text import safe
from ... import exits, json_fields
from ...progress_lines import Narrator
from ..arguments import add, add_dry_run, add_examples, chroot_of
from ..options import DIR
from ..output import print_plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def add_options(parser: ArgumentParser) -> None:
    """Give the parser of `adopt` its options."""
    add(parser, DIR)
    parser.add_argument(
        "-u", "--user", dest="user", metavar="USER", default="",
        help="this user of the host (default: who asks; elsewhere: who logs in there)",
    )  # fmt: skip
    add_dry_run(parser)
    add_examples(
        parser,
        "chroot-tool adopt -d deb",
        "chroot-tool adopt -d deb -u ann --dry-run",
        "",
        "Name, group, both ids, home and shell are those out here, and there is no",
        "password. From then on `run` and `shell` of who is not root are theirs inside;",
        "-u root is root. What is somebody else's name or id inside is refused.",
    )


def execute(arguments: Namespace) -> int:
    """Make the user known inside; return the exit code."""
    engine, path = chroot_of(arguments)
    user = arguments.user or engine.who_asks(path)
    if arguments.dry_run:
        print_plan(arguments, path, engine.plan_adopt(path, user))
        return exits.DONE
    done = engine.adopt(path, user, report=Narrator(json=arguments.json))
    if arguments.json:
        steps = len(done.steps)
        json_fields.write({"event": "done", "chroot": path, "user": user, "steps": steps})
    else:
        now = "is a user inside" if done else "is a user inside already"
        exits.tell(f"{safe(path)}: {safe(user)} {now}\n")
    return exits.DONE
