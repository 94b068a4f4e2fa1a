"""`run`, `start`, `stop`, `restart`, `update`, `shell`: the way that has to be short.

Nothing is imported here that this way does not need; test_hygiene holds the list.
"""

from __future__ import annotations

import os

from ...core.errors import Cancelled, ChrootError, UsageError
from .. import exits, privilege
from ..engine import open_engine, split_host
from .options import (
    BASE,
    CHROOT_WORDS,
    DIR,
    FLEET,
    HOSTS,
    JSON,
    RUN_OPTIONS,
    SESSION_OPTIONS,
    SESSION_WORDS,
    found,
    refuse_without_hosts,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...core.engine import Engine
    from ...core.events import Event
    from .options import Option

_HELP = ("-h", "--help")
_NOT_FOUND = 127
"""What a shell, chroot-cmd among them, makes of a command that it does not find."""
_OPERATORS = frozenset(("|", "||", "&&", "&", ";", ">", ">>", "<", "2>", "2>&1"))


def main(word: str, arguments: list[str]) -> int:
    """Run *word* with its arguments; return the exit code."""
    try:
        values, words = read(arguments)
        if values is None:
            from .commands import main as other

            return other([word, "--help"], word)
        return _run(word, values, words)
    except Cancelled as error:
        exits.complain(error)
        return exits.INTERRUPTED
    except ChrootError as error:
        exits.complain(error)
        # Whatever went wrong here went wrong before the command ran.
        return int(getattr(error, "code", exits.TOOL_FAILED))
    except OSError as error:
        exits.say(exits.reason(error))
        return exits.TOOL_FAILED
    except KeyboardInterrupt:
        return exits.INTERRUPTED


def _run(word: str, values: dict[str, list[str]], words: list[str]) -> int:
    if word == "run":
        if not words:
            raise UsageError("run what?", "chroot-tool run COMMAND [ARG…] -d DIR")
    elif words:
        raise UsageError(
            f"{word} takes no {words[0]!r}", f"chroot-tool run {word} {words[0]} … passes arguments"
        )
    elif word != "shell":
        words = [word]
    ephemeral = any(option.key in values for option in SESSION_OPTIONS)
    if ephemeral and word not in SESSION_WORDS:
        raise UsageError(
            f"{word} takes no -x: what it starts ends with the session, which ends with it",
            f"chroot-tool shell -x, and {word} it there",
        )
    refuse_without_hosts(values)
    user, cwd, config_dir = (_last(values, key) for key in ("user", "cwd", "config"))
    env = dict(pair for text in values.get("env", []) for pair in _pair(text))
    host, directory = split_host(values.get(DIR.key, [DIR.default])[-1])
    host = host or _last(values, "host")
    if HOSTS.key in values:
        if ephemeral or not words:
            raise UsageError(f"{'-x' if ephemeral else word} takes no --hosts", "run COMMAND does")
        if host:
            raise UsageError(f"--hosts says where, and {host} does, too", "one of them will do")
        return _on_hosts(
            values, directory, words, user=user, cwd=cwd, env=env, config_dir=config_dir or None
        )
    if JSON.key in values:
        raise UsageError("--json of run is for --hosts", "else stdout is the command's")
    if not host and privilege.is_wanted():
        from .elevate import elevate, run_words

        code = elevate(word, run_words(word, values, words if word == "run" else ()))
        if code is not None:
            return code
    _mind_operators(words)
    engine = open_engine(_last(values, "base"), host)
    path = engine.locate(directory)
    # A word of the chroot's own is its own affair, which is root's, whoever says it, and how.
    is_the_chroots = len(words) == 1 and words[0] in CHROOT_WORDS
    caller = None if user or host or is_the_chroots else privilege.caller()
    if ephemeral:
        from .throw_away import run

        code = run(
            engine, path, tuple(words), user=user, cwd=cwd, env=env, config_dir=config_dir or None,
            size=_last(values, "size"), keep=_last(values, "keep"), caller=caller,
        )  # fmt: skip
    else:
        code = engine.run(
            path, tuple(words), user=user, cwd=cwd, env=env, config_dir=config_dir or None,
            caller=caller, report=_warn,
        )  # fmt: skip
    if code == _NOT_FOUND and not host:  # there it was said already
        _mind_shell_words(words, engine, path)
    return code


def _on_hosts(
    values: dict[str, list[str]], directory: str, words: list[str], **options: Any
) -> int:
    """Run *words* in the chroots of a group of machines; *options* are those of `Engine.run`."""
    from .fleet import Asked, run_everywhere

    _mind_operators(words)
    hosts, inventory, forks, base = (_last(values, option.key) for option in (*FLEET, BASE))
    asked = Asked(hosts, inventory, forks, base, json=JSON.key in values)
    return run_everywhere(asked, directory, tuple(words), **options)


def _warn(event: Event) -> None:
    """Be the `report` of a command inside, which has warnings alone to report."""
    problem = getattr(event, "problem", None)
    if problem is not None:
        exits.say(problem.message, problem.hint)


def _mind_operators(words: list[str]) -> None:
    """Say so where somebody seems to believe that a shell reads the command."""
    text = words[0] if len(words) == 1 else ""
    found = next((part for part in text.split() if part in _OPERATORS), "")
    if found and not {'"', "'", "\\"} & set(text):
        exits.say(
            f"no shell reads this command: {found} is an argument like any other",
            f"chroot-tool run -- sh -c {text!r}",
        )


def _mind_shell_words(words: list[str], engine: Engine, path: str) -> None:
    """Say why a command was not found that is no program, but a word of a shell's own."""
    from ...core.entering.shell_words import SHELL_WORDS, shell_of

    text = words[0] if len(words) == 1 else ""
    first = next(iter(text.split() or words), "")
    if first in SHELL_WORDS and not _is_script(first, engine, path):
        import shlex

        exits.say(
            f"{first} is a shell's own word, and no shell reads this command",
            f"chroot-tool run -- {shell_of(first)} -c {shlex.quote(text or shlex.join(words))}",
        )


def _is_script(name: str, engine: Engine, path: str) -> bool:
    try:
        return name in engine.scripts(path)
    except ChrootError:
        return False  # it is gone meanwhile


def _last(values: dict[str, list[str]], key: str) -> str:
    return values.get(key, [""])[-1]


def _pair(text: str) -> tuple[tuple[str, str], ...]:
    """Return the variable that *text* sets; without `=` the caller's own, none where unset."""
    key, equals, value = text.partition("=")
    if not key:
        raise UsageError(f"-e {text!r} names no variable", "write -e NAME=VALUE")
    if not equals and key not in os.environ:
        return ()
    return ((key, value if equals else os.environ[key]),)


def read(arguments: list[str]) -> tuple[dict[str, list[str]] | None, list[str]]:
    """Return (options by key, the command's words); None for the options when help is wanted.

    Options may stand before and after the command; `--` ends them, what follows is the
    command's. Raises UsageError for an option that is not ours.
    """
    values: dict[str, list[str]] = {}
    words: list[str] = []
    pending = arguments[::-1]
    while pending:
        argument = pending.pop()
        if argument == "--":
            return values, words + pending[::-1]
        if argument in _HELP:
            return None, words
        if not argument.startswith("-") or argument == "-":
            words.append(argument)
            continue
        option, value = _option(argument)
        if option.flag:
            if value:  # more options, stuck to it
                pending.append(f"-{value}")
            value = ""
        if value is None:
            if not pending:
                raise UsageError(f"{argument} needs a {option.metavar}")
            value = pending.pop()
        values.setdefault(option.key, []).append(value)
    return values, words


def _option(argument: str) -> tuple[Option, str | None]:
    """Find the option that *argument* is, and the value that is stuck to it."""
    option = found(argument, RUN_OPTIONS)
    if option is None:
        raise UsageError(
            f"unknown option {argument.partition('=')[0]}",
            "put -- before a command that has options of its own",
        )
    return option
