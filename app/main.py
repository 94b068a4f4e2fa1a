"""The command `chroot-tool`: looks at the first word and goes the shortest way to what it asks."""

from __future__ import annotations

import os
import sys

from . import compiled_modules, privilege
from .cli.options import COMPLETE, EVERYWHERE, HOSTS, PLAIN, RUN_WORDS, found, refuse_without_hosts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


_OF_THE_UI = ("textual", "rich", "bittty")
"""Not there where `deploy` has put us."""


def main(arguments: list[str] | None = None) -> int:
    """Run chroot-tool with *arguments* (sys.argv's where None); return the exit code."""
    try:
        return _run(arguments)
    except KeyboardInterrupt:  # while what does it was being loaded
        from . import exits

        exits.say("interrupted")
        return exits.INTERRUPTED


def _run(arguments: list[str] | None) -> int:
    if arguments is None:
        compiled_modules.find_quickly(__package__.partition(".")[0])
    _open_streams()
    if arguments is None and sys.stdout.errors == "strict":
        # What its encoding does not have is no reason to say nothing: of help in Latin-1, say.
        sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    _keep_to_ourselves()
    words = sys.argv[1:] if arguments is None else arguments
    if arguments is None:
        before = sys.orig_argv[1 : len(sys.orig_argv) - len(words)]
        privilege.be_started_by((sys.executable, *before))
    if words and privilege.take_over(words[0]):
        words = words[1:]
    if words and words[0] == privilege.UNASKED:
        privilege.ask_nobody()
        words = words[1:]
    given, rest = _split(words)
    if rest:
        _look_for_little_garbage()
    if rest and rest[0] in PLAIN.names:
        words = [*words[: len(words) - len(rest)], "watch", *rest]
        rest = ["watch", *rest]
    if rest and rest[0].startswith(privilege.REFUSED):
        from . import exits

        return exits.answer(lambda: _refused(rest))
    if rest and rest[0] in RUN_WORDS:
        from .cli.run_and_shell import main as run

        code = run(rest[0], [*words[: len(words) - len(rest)], *rest[1:]])
    elif rest and rest[0] == COMPLETE:
        from .cli.completion.names import main as names

        code = names(rest[1:])
    elif rest == ["serve", "--json"] and given.keys() <= {"base"} and all(given.values()):
        # As another machine starts it, for each question: without a parser, a tenth sooner.
        code = _serve(given.get("base") or "")
    elif rest or None in given.values():  # one without its value: the parser says so
        from .cli.commands import main as execute

        code = execute(words, rest[0] if rest else "")
    else:
        code = _bare(words, **given)
    if arguments is None and rest:  # the terminal UI ends in good order
        _leave(code)
    return code


def _split(words: list[str]) -> tuple[dict[str, str | None], list[str]]:
    """Return the options that stand before the verb, None for one without a value, and the rest."""
    given: dict[str, str | None] = {}
    rest = words
    while rest and (option := found(rest[0], EVERYWHERE)):
        stuck = option[1] is not None
        given[option[0].key] = option[1] if stuck else (rest[1] if len(rest) > 1 else None)
        rest = rest[1 if stuck else 2 :]
    return given, rest


def _look_for_little_garbage() -> None:
    """Have the collector come rarely: to walk what is being imported, again and again, is a
    twentieth of a short command.
    """
    import gc

    gc.set_threshold(50_000)


def _refused(words: list[str]) -> int:
    """Tell that sudo has refused what `chroot-tool.sh` asked it for; return the exit code."""
    from ..core.errors import PrivilegeError
    from .cli.elevate import refused
    from .cli.output import write_error

    try:
        return refused(words[0].removeprefix(privilege.REFUSED), " ".join(words[1:2]))
    except PrivilegeError as error:
        if "--json" in words:
            write_error(error)
        raise


def _serve(base: str = "") -> int:
    from . import exits
    from .cli.verbs.serve import told

    return exits.answer(lambda: told(base))


def _bare(
    words: list[str], base: str | None = "", host: str | None = "", **fleet: str | None
) -> int:
    """Show the terminal UI; where there is no terminal, the list and the help."""
    from . import exits

    # Textual draws on stderr.
    on_terminal = all(one.isatty() for one in (sys.stdin, sys.stdout, sys.stderr))
    if not on_terminal or exits.is_dumb():
        from .cli.commands import overview

        code = overview(words)
        if on_terminal:
            term = os.environ.get("TERM") or "not set"
            exits.say(
                f"TERM is {term}: no terminal that could show the UI",
                "on one that can: TERM=xterm-256color chroot-tool",
            )
        return code
    return exits.answer(lambda: _show(base or "", host or "", fleet))


def _show(base: str, host: str, fleet: dict[str, str | None]) -> int:
    refuse_without_hosts(fleet)
    if group := fleet.get(HOSTS.key):
        from ..core.errors import UsageError

        raise UsageError(
            f"the terminal UI takes no --hosts: it shows the machines that H adds, not {group!r}",
            "chroot-tool list --hosts GROUP shows those of an inventory",
        )
    import gc

    gc.disable()  # until the UI is there: it walks what is being imported again and again
    from .tui.start import main as show

    try:
        return show(base, host)
    except ModuleNotFoundError as error:
        if error.name not in _OF_THE_UI:
            raise
        from ..core.errors import ChrootError

        raise ChrootError(
            f"{error.name} is not here, which the terminal UI needs",
            "chroot-tool -H HOST, elsewhere, shows the chroots of this machine",
        ) from error


def _open_streams() -> None:
    """Open /dev/null where the caller closed stdin, stdout or stderr.

    Else what is opened next would take their numbers: a descriptor of the host's that a command
    inside inherits, a mount point that messages are written to. That of stdout can't be written:
    what was asked for and can't be told is an error, the one that a closed stdout is (EBADF).
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDONLY if number == 1 else os.O_RDWR)
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
        except (OSError, ValueError, AttributeError, KeyboardInterrupt):
            pass  # closed, nobody reads it, too late: there is nothing to be said any more
    os._exit(code)
