"""`chroot-tool tag`: the words that lists are grouped and filtered by."""

from __future__ import annotations

from ....core.errors import ChangedError, UsageError
from ....core.text import safe
from ... import exits, json_fields
from ..arguments import add, add_examples, add_json, chroot_of
from ..options import DIR
from ..output import print_lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

_LIST, _ADD, _REMOVE, _SET = "list", "add", "remove", "set"
_ATTEMPTS = 20


def add_options(parser: ArgumentParser) -> None:
    """Give the parser of `tag` its options."""
    parser.add_argument(
        "action", choices=(_LIST, _ADD, _REMOVE, _SET),
        help="print them; add or take away some; have these and no others",
    )  # fmt: skip
    parser.add_argument("tags", metavar="TAG", nargs="*", help="letters, digits and . _ + -")
    add(parser, DIR)
    add_json(parser)
    add_examples(
        parser,
        "chroot-tool tag add build amd64 -d deb",
        "chroot-tool tag list -d deb",
        "chroot-tool tag set -d deb                  none any more",
        "chroot-tool list --tag build",
        "",
        "They stand in chroot.toml. The list of the UI is grouped by the first.",
    )


def _wanted(action: str, there: tuple[str, ...], said: tuple[str, ...]) -> tuple[str, ...]:
    if action == _REMOVE:
        return tuple(tag for tag in there if tag not in said)
    return tuple(dict.fromkeys((*there, *said) if action == _ADD else said))


def execute(arguments: Namespace) -> int:
    """Print the tags, or change them; return the exit code."""
    engine, path = chroot_of(arguments)
    action, said = arguments.action, tuple(arguments.tags)
    if action == _LIST:
        if said:
            raise UsageError("tag list takes no tag", "those that have it: list --tag TAG")
        tags = [*engine.config(path).tags]
        if arguments.json:
            json_fields.write(tags)
        else:
            print_lines(map(safe, tags))
        return exits.DONE
    if not said and action != _SET:
        raise UsageError(f"tag {action} needs a tag", "chroot-tool tag --help")
    for attempt in range(_ATTEMPTS):
        there = engine.config(path).tags
        wanted = _wanted(action, there, said)
        try:
            changed = engine.set_tags(path, wanted, seen=there)
            break
        except ChangedError:  # somebody else's came in between
            if attempt == _ATTEMPTS - 1:
                raise
    if arguments.json:
        json_fields.write({"chroot": path, "tags": wanted, "changed": changed})
        return exits.DONE
    before = "" if changed else ", as before"
    exits.tell(f"{safe(path)}: {' '.join(map(safe, wanted)) or 'no tags'}{before}\n")
    return exits.DONE
