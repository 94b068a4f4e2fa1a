"""From words to a command, and from a command to a launch: user, environment, directory, program.

Nothing is started here. What is looked up is looked up inside the chroot.
"""

from __future__ import annotations

import os

from ..errors import ChrootError, EnterError, UsageError
from ..value import Value
from . import users
from .launch import Launch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..config.chroot_toml_values import RunDefaults
    from ..kernel.rootpath import Root
    from .users import User

SCRIPTS = "/chroot.d"
DISPATCHER = f"{SCRIPTS}/chroot-cmd"
ROOT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
USER_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games"
"""ENV_SUPATH and ENV_PATH as Debian's login.defs(5) has them."""
_TERMINFO = ("/lib/terminfo", "/usr/share/terminfo", "/etc/terminfo")


class Command(Value):
    """A command that is wanted inside, as it was asked for.

    `argv[0]` is the program's path inside; an empty `argv` with `login` is the user's shell.
    `cwd` is absolute inside; "" is the home of the user for a login, else `/`. `user` is a name or
    number, "" is root. `env` comes on top of the clean environment, a later pair wins.
    """

    argv: tuple[str, ...]
    cwd: str = ""
    user: str = ""
    env: tuple[tuple[str, str], ...] = ()
    login: bool = False


# -- from words to a command ------------------------------------------------------------------


def command(
    root: Root,
    defaults: RunDefaults,
    words: Sequence[str],
    *,
    user: str = "",
    cwd: str = "",
    env: Mapping[str, str] | None = None,
) -> Command:
    """Return the command that *words* mean in *root*; without words the user's login shell.

    What is given here goes before the *defaults* of the chroot. Raises UsageError, EnterError.
    """
    argv, place = resolve_word(root, tuple(words)) if words else ((), "")
    pairs = (*defaults.env, *(env or {}).items())
    return Command(
        argv, cwd or defaults.cwd or place, user or defaults.user, pairs, login=not words
    )


def resolve_word(root: Root, words: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    """Return (argv, working directory) inside by the three rules of `run`.

    1. The first word starts with `/`: as it is, in `/`. 2. There is a file of that name in
    chroot.d: that. 3. chroot-cmd with all words. Raises what `split` raises, EnterError (127) where
    rule 3 finds no chroot-cmd.
    """
    words = split(words)
    if words[0].startswith("/"):
        return words, "/"
    script = f"{SCRIPTS}/{words[0]}"
    if ".." not in words[0].split("/") and _is_file(root, script):
        return (script, *words[1:]), SCRIPTS
    if _is_file(root, DISPATCHER):
        return (DISPATCHER, *words), SCRIPTS
    raise EnterError(
        f"there is neither {script} nor {DISPATCHER} in {root.path}", _way_out(root, words), 127
    )


def split(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return *words*, a single one with white space split as a shell splits it.

    Raises UsageError for no word and an open quote.
    """
    if len(words) == 1 and any(space in words[0] for space in " \t\r\n"):
        import shlex

        try:
            words = tuple(shlex.split(words[0]))
        except ValueError as error:
            raise UsageError(f"cannot split {words[0]!r}: {error}", "close the quote") from None
    if not words or not words[0]:
        raise UsageError("there is no command", "name one: chroot-tool run COMMAND")
    return words


def _is_file(root: Root, inside: str) -> bool:
    from stat import S_ISREG

    there = root.stat(inside)
    return there is not None and S_ISREG(there.st_mode)


def _way_out(root: Root, words: tuple[str, ...]) -> str:
    from .shell_words import SHELL_WORDS, shell_of

    for directory in ROOT_PATH.split(":"):
        program = f"{directory}/{words[0]}"
        if _is_file(root, program):
            return f"with its whole path it needs neither: {' '.join((program, *words[1:]))}"
    if words[0] in SHELL_WORDS:
        shell = shell_of(words[0])
        return f"{words[0]} is a shell's own word: /bin/{shell} -c '…' has one read it"
    return f"write {DISPATCHER}, or name a program by its whole path"


# -- from a command to a launch ---------------------------------------------------------------


def environment(
    root: Root, user: User, extras: Sequence[tuple[str, str]], outer_term: str
) -> dict[str, str]:
    """Return the whole environment inside: the clean one, and *extras* on top, later ones winning.

    Raises UsageError for a name that no variable can have.
    """
    clean = {
        "PATH": USER_PATH if user.uid else ROOT_PATH,
        "HOME": user.home,
        "USER": user.name,
        "LOGNAME": user.name,
        "SHELL": user.shell,
        "TERM": _term(root, outer_term),
        "LANG": _lang(root),
    }
    for name, value in extras:
        if not name or "=" in name or "\0" in name + value:
            raise UsageError(f"{name!r} cannot be a variable of the environment")
        clean[name] = value
    return clean


def _term(root: Root, outer: str) -> str:
    """Return the terminal's name as far as programs inside can know it (terminfo(5))."""
    if not outer:
        return "dumb"
    known = "/" not in outer and any(
        root.stat(f"{directory}/{outer[0]}/{outer}") for directory in _TERMINFO
    )
    return outer if known else "xterm-256color"


def _lang(root: Root) -> str:
    try:
        text = os.fsdecode(root.read("/etc/default/locale", 1 << 16))
    except (OSError, ChrootError):  # a language is no reason to refuse a command
        text = ""
    for line in text.split("\n"):
        name, _, value = line.strip().partition("=")
        if name == "LANG" and value and "\0" not in value:
            return value.strip("\"'")
    return "C.UTF-8"


def prepare(root: Root, wanted: Command) -> Launch:
    """Return *wanted* with everything looked up in *root*. Raises UsageError, ChrootError."""
    user = users.lookup(root, wanted.user)
    argv = wanted.argv or ((user.shell,) if wanted.login else ())
    if not argv:
        raise UsageError("there is no command", "name one: chroot-tool run COMMAND")
    if any("\0" in word for word in (*argv, wanted.cwd)):
        raise UsageError("a NUL byte cannot be part of a command")
    if wanted.cwd and not wanted.cwd.startswith("/"):
        raise UsageError(
            f"working directory {wanted.cwd!r} is not absolute", "write it from the chroot's /"
        )
    pairs = environment(root, user, wanted.env, os.environ.get("TERM", ""))
    shown = f"-{argv[0].rpartition('/')[2]}" if wanted.login else argv[0]
    cwd = wanted.cwd or (_home(root, user) if wanted.login else "/")
    return Launch(argv[0], (shown, *argv[1:]), cwd, user, tuple(pairs.items()))


def _home(root: Root, user: User) -> str:
    """Return the home of *user*, `/` where it does not exist, as login(1) does."""
    return user.home if user.home.startswith("/") and root.stat(user.home) else "/"
