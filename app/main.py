"""The command `chroot-tool`: looks at the first word and goes the shortest way to what it asks."""

from __future__ import annotations

import os
import sys

from .cli.options import EVERYWHERE, RUN_WORDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from .cli.options import Option


_BEFORE = tuple(name for option in EVERYWHERE for name in option.names)


def main(arguments: list[str] | None = None) -> int:
    """Run chroot-tool with *arguments* (sys.argv's where None); return the exit code."""
    _open_streams()
    _keep_to_ourselves()
    words = sys.argv[1:] if arguments is None else arguments
    before, rest = _split(words)
    if rest and rest[0] in RUN_WORDS:
        from .cli.run import main as run

        code = run(rest[0], [*before, *rest[1:]])
    elif rest or before[-1:] in [
        [name] for name in _BEFORE
    ]:  # without its directory: the parser says so
        from .cli.commands import main as execute

        code = execute(words, rest[0] if rest else "")
    else:
        code = _bare(before)
    if arguments is None and rest:  # the terminal UI ends in good order
        _leave(code)
    return code


def _split(words: list[str]) -> tuple[list[str], list[str]]:
    """Return the options that stand before the verb, --base and --host, and the rest."""
    rest = words
    while rest and rest[0].split("=")[0] in _BEFORE:
        rest = rest[1 if "=" in rest[0] else 2 :]
    return words[: len(words) - len(rest)], rest


def _bare(before: list[str]) -> int:
    """Show the terminal UI; where there is no terminal, the list and the help."""
    # Textual draws on stderr.
    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        from .cli.commands import overview

        return overview(before)
    from . import exits
    from .tui.start import main as show

    base, host = (_last(before, option) for option in EVERYWHERE)
    return exits.answer(lambda: show(base, host))


def _last(before: list[str], option: Option) -> str:
    """Return the value that *option* was given last, "" where it was not."""
    found = ""
    for word, value in zip(before, [*before, ""][1:], strict=True):
        name, equals, stuck = word.partition("=")
        if name in option.names:
            found = stuck if equals else value
    return found


def _open_streams() -> None:
    """Open /dev/null where the caller closed stdin, stdout or stderr.

    Else what is opened next would take their numbers: a descriptor of the host's that a command
    inside inherits, a mount point that messages are written to.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
            os.set_inheritable(number, True)
            mode = "w" if number else "r"
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115


def _keep_to_ourselves() -> None:
    """Hand on no descriptor but those three: what the caller had open is no business of programs
    that are started for a chroot.
    """
    try:
        numbers = os.listdir("/proc/self/fd")
    except OSError:
        return  # without /proc little else will work
    for number in map(int, numbers):
        if number > 2:
            try:
                os.set_inheritable(number, False)
            except OSError:
                pass  # that of the listing


def _leave(code: int) -> NoReturn:
    """End at once: to take the interpreter down in good order costs 3 ms, of the 20 of `run`."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            pass  # closed, or nobody reads it: there is nothing to be said any more
    os._exit(code)
