"""From here to a command inside a chroot: user, groups, environment, working directory, execve.

The command is a child: of `entering.terminal`, which carries the bytes, where there is a terminal,
else of `entering.parent`, which waits and passes signals on. Both only ever in a process of its own
with one thread; a program that has more to do than this takes `run_apart`.

Signals come from `_signal`, which is what the `signal` module itself is made of and is part of
the interpreter: `signal` adds enum types to it, for 1 to 6 ms.
"""

from __future__ import annotations

import os
import sys

from ..errors import ChrootError, EnterError, UsageError
from ..kernel import syscalls
from ..value import Value
from . import users

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Mapping, Sequence
    from threading import Event as CancelEvent
    from typing import NoReturn

    from ..config.chroot_toml import RunDefaults
    from ..kernel.rootpath import Root
    from .users import User
else:
    import _signal as signal

SCRIPTS = "/chroot.d"
DISPATCHER = f"{SCRIPTS}/chroot-cmd"
ROOT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
USER_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games"
"""ENV_SUPATH and ENV_PATH as Debian's login.defs(5) has them."""
_IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)
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


class Launch(Value):
    """A command with everything looked up: nothing can be asked any more once inside."""

    program: str
    argv: tuple[str, ...]
    cwd: str
    user: User
    environment: tuple[tuple[str, str], ...]


class Refused(Exception):  # noqa: N818 (core.execerror makes the error of it)
    """The kernel refused a step on the way in: `stage` is "enter", "cwd" or "exec"."""

    def __init__(self, stage: str, number: int) -> None:
        super().__init__(stage, number)
        self.stage = stage
        self.number = number


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
    for directory in ROOT_PATH.split(":"):
        program = f"{directory}/{words[0]}"
        if _is_file(root, program):
            return f"with its whole path it needs neither: {' '.join((program, *words[1:]))}"
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


# -- going in ---------------------------------------------------------------------------------


def run(root: Root, wanted: Command) -> int:
    """Run a command inside *root*; return its exit code, 128+N where signal N ended it.

    Where stdin and stdout are not both a terminal, this process has /dev/null in their place
    afterwards. Raises UsageError, EnterError and other ChrootErrors where the command could not be
    started; RuntimeError in a process with more than one thread, whose locks a fork would leave
    taken.
    """
    if len(os.listdir("/proc/self/task")) != 1:
        raise RuntimeError("only a process with one thread can enter a chroot")
    launch = prepare(root, wanted)
    for stream in (sys.stdout, sys.stderr):
        if stream:  # None where the caller closed the descriptor
            stream.flush()
    if os.isatty(0) and os.isatty(1):
        from .terminal import run as start
    else:
        from .parent import run as start
    return start(root, launch)


def become(root_fd: int, launch: Launch, *, ends_with: int = 0) -> NoReturn:
    """Make this process the command of *launch* in the root behind *root_fd*.

    Signals that Python ignores get their default back; those the caller ignores stay ignored, so
    that `nohup` works. The command is killed when its parent *ends_with* (a pid) ends. Raises
    Refused; then the process is half inside, and good for nothing but to end.
    """
    stage = "enter"
    try:
        syscalls.close_range(3, syscalls.CLOSE_RANGE_CLOEXEC)
        os.fchdir(root_fd)
        os.chroot(".")
        _set_user(launch.user)
        if ends_with:
            _end_with(ends_with)
        stage = "cwd"
        os.chdir(launch.cwd)
        for number in _IGNORED_BY_PYTHON:
            signal.signal(number, signal.SIG_DFL)
        stage = "exec"
        os.execve(launch.program, launch.argv, dict(launch.environment))
    except OSError as error:
        raise Refused(stage, error.errno or 0) from error


def _set_user(user: User) -> None:
    """Take the groups and the ids of *user*, and none of root's capabilities along."""
    os.setgroups(user.groups)
    os.setresgid(user.gid, user.gid, user.gid)
    if user.uid:
        syscalls.clear_ambient_capabilities()
        os.setresuid(user.uid, user.uid, user.uid)


def _end_with(parent: int) -> None:
    syscalls.set_parent_death_signal(signal.SIGKILL)
    # It may have ended before. 0: it is outside of our pid namespace, and cannot be asked for.
    if os.getppid() not in (parent, 0):
        os.kill(os.getpid(), signal.SIGKILL)


# -- from a process that must not go in itself ------------------------------------------------

_STARTER = """
import sys
sys.path.insert(0, sys.argv[1])
from chroot_tool.core.entering.enter import main
sys.exit(main(sys.argv[2]))
"""
_VARIABLE = "CHROOT_TOOL_COMMAND"


def run_apart(
    root: Root,
    defaults: RunDefaults,
    words: Sequence[str],
    on_line: Callable[[str], None],
    cancelled: CancelEvent | None = None,
) -> int:
    """Run *words* inside from a process with threads; return the exit code as `run` has it.

    stdin is empty; *on_line* gets every line of stdout and stderr, the tool's own error among
    them. Raises UsageError and EnterError where the words mean no command, Cancelled.
    """
    import json

    from ..programs import environment as outer_environment
    from ..programs import run as start

    wanted = command(root, defaults, words)
    fields = json.dumps({name: getattr(wanted, name) for name in Command._fields})
    packages = __file__.rpartition("/chroot_tool/")[0]
    done = start(
        [sys.executable, "-I", "-S", "-c", _STARTER, packages, root.path],
        env=outer_environment({_VARIABLE: fields}),  # everybody can read an argument list
        on_line=on_line,
        cancelled=cancelled,
    )
    return done.code if done.code >= 0 else 128 - done.code


def main(path: str) -> int:
    """Be the program that `run_apart` starts. Prints its own errors, as the command line does."""
    import json

    from ..kernel.rootpath import Root
    from ..text import safe

    fields = json.loads(os.environ[_VARIABLE])
    fields["argv"] = tuple(fields["argv"])
    fields["env"] = tuple((name, value) for name, value in fields["env"])
    try:
        with Root(path) as root:
            return run(root, Command(**fields))
    except ChrootError as error:
        hint = f"\nhint: {safe(error.hint)}" if error.hint else ""
        os.write(2, os.fsencode(f"chroot-tool: {safe(error.message)}{hint}\n"))
        return error.code if isinstance(error, EnterError) else 125
