"""Every command but the `run` family: from words to the verb that does what they say."""

from __future__ import annotations

import sys
from functools import partial

from ...core.errors import ChrootError, PrivilegeError, UsageError
from .. import exits, privilege
from .options import CHROOT_WORDS, refuse_without_hosts
from .output import write_error
from .parser import build, whole
from .verbs import SUMMARIES, module_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable

    from ...core.engine import Engine

_OF_A_FLEET = (
    "create", "base", "on", "off", "run", *CHROOT_WORDS, "list", "status",
    "bind", "tag", "clone", "rename", "snapshot", "delete", "trash", "enable", "disable", "adopt",
    "doctor",
)  # fmt: skip
"""What may be done on many hosts at once: what needs no terminal, and has an end."""
_LOOKS = ("list", "status")
"""Those of them by which nothing is changed."""
_INSTEAD = {
    "watch": "one machine at a time: chroot-tool watch -H HOST; H in the terminal UI has many",
    "pack": "an archive is of one machine: chroot-tool pack -d HOST:DIR -f FILE",
    "unpack": "an archive goes to one machine: chroot-tool unpack -f FILE -d HOST:DIR",
    "deploy": "one machine at a time; the role chroot_tool.chroots.host is for many",
}
"""What does it all the same, of verbs that a group may be meant for."""
_SEE_MORE = ("doctor",)
"""What has less to say of who is not root, and is root's where nobody has to be asked for that."""
_NEVER_HELD_UP = ("watch", "serve", "completion", "schema", "help")
"""All that they ask is asked within a bound."""


def main(words: list[str], verb: str = "") -> int:
    """Do what *words* say and return the exit code. *verb* is that among them, "" for none."""
    return exits.answer(partial(_execute, words, verb))


def overview(words: list[str]) -> int:
    """Print the list and the help: what the bare command does without a terminal."""
    return exits.answer(partial(_overview, words))


def _overview(words: list[str]) -> int:
    code = _execute([*words, "list"], "list")
    sys.stdout.write("\n" + build().format_help())
    return code


def _execute(words: list[str], verb: str) -> int:
    parser = build(verb if verb in SUMMARIES else "")
    try:
        arguments = parser.parse_args(words)
        if arguments.verb is None:
            parser.error("which command?")
    except SystemExit as end:  # the help, the version
        return int(end.code or 0)
    except UsageError as error:
        if verb in SUMMARIES and "--json" in words:
            write_error(error)
        raise
    if _writes_an_archive(arguments):
        sys.stdout = sys.stderr
    try:
        refuse_without_hosts(vars(arguments))
        code = _across(arguments) if arguments.hosts else _do(arguments, words)
    except ChrootError as error:
        if getattr(arguments, "json", False):
            write_error(error)
        raise
    except OSError as error:
        if getattr(arguments, "json", False) and not isinstance(error, BrokenPipeError):
            write_error(ChrootError(exits.reason(error)))
        raise
    return code


def _writes_an_archive(arguments: Namespace) -> bool:
    """Tell whether stdout is not for what is told, of errors before the verb begins, too."""
    if arguments.verb == "pack":
        return arguments.json and bool(arguments.file == "-")
    return arguments.verb == "unpack" and bool(arguments.send)


def _across(arguments: Namespace) -> int:
    """Execute the verb on every host of a group. Raises UsageError for one that makes no sense."""
    from .fleet import Asked, across

    if arguments.verb not in _OF_A_FLEET:
        hint = _INSTEAD.get(arguments.verb, f"those that do: {', '.join(_OF_A_FLEET)}")
        raise UsageError(f"{arguments.verb} takes no --hosts", hint)
    if arguments.host:
        raise UsageError("--host and --hosts are two ways to say where", "one of them will do")
    verb = module_of(arguments.verb)
    with_json, in_words = (getattr(arguments, name, False) for name in ("json", "plain"))
    asked = Asked(
        arguments.hosts, arguments.inventory, arguments.forks, arguments.base,
        json=with_json, plain=in_words, is_look=arguments.verb in _LOOKS,
    )  # fmt: skip
    if arguments.verb == "list" and not with_json and not in_words:
        return across(
            asked, lambda _, engine: verb.chosen(arguments, engine.list()), rows=verb.of_hosts
        )
    execute: Callable[[Namespace], int] = verb.execute

    def do(host: str, engine: Engine) -> int:
        own = type(arguments)(**vars(arguments))
        own.host, own.engine = host, engine
        return execute(own)

    return across(asked, do)


def _do(arguments: Namespace, words: list[str]) -> int:
    """Execute the verb; as root where who asks is not, it is needed, and can be had."""
    if not privilege.is_wanted():
        return _here(arguments)
    from . import elevate

    if not elevate.is_here(arguments):
        elevate.beforehand(arguments)
        return _here(arguments)
    refused: PrivilegeError | None = None
    if not elevate.needs_root(arguments):
        if arguments.verb in _SEE_MORE:
            code = elevate.quietly(elevate.with_backend(words, arguments))
            if code is not None:
                return code
        try:
            return _here(arguments)
        except PrivilegeError as error:
            refused = error
    code = elevate.elevate(arguments.verb, elevate.with_backend(words, arguments))
    if code is None and refused is not None:
        raise refused
    return _here(arguments) if code is None else code


def _here(arguments: Namespace) -> int:
    """Execute the verb: in a thread of its own where it may be held up, so that signals end it."""
    from ...core.kernel.answering import may_wait

    arguments.whole = whole  # for verbs that tell of all the others
    execute: Callable[[Namespace], int] = module_of(arguments.verb).execute
    if arguments.verb in _NEVER_HELD_UP or not may_wait():
        return execute(arguments)
    from .in_a_thread import beside

    return beside(partial(execute, arguments))
