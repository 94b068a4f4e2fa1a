"""A command done as root for who is not root: chroot-tool once more, behind sudo or its like.

`chroot-tool.sh` does the same, sooner, where no more is to be looked at than a shell can.
"""

from __future__ import annotations

import os

from ...core.chroot import absolute
from ...core.errors import PrivilegeError
from .. import exits, privilege
from ..engine import base_directory, habits, split_host
from .options import RUN_OPTIONS, RUN_WORDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping, Sequence

NEED_ROOT = frozenset((
    "create", "on", "off", "pack", "unpack", "clone", "rename", "delete", "enable", "disable",
    "adopt", *RUN_WORDS,
))  # fmt: skip
"""Verbs that can't be done without root. Others are tried first."""
_PLACES = ("dir", "new", "file")
"""Arguments that may be of another machine: HOST:DIR."""
_ENDS = {"clone": ("dir", "new"), "pack": ("dir",), "unpack": ("dir",)}
"""Arguments whose chroot is one end of a stream, where the other is on another machine."""
_REFUSALS = (1, 126, 127)
"""Exit codes of sudo and doas, and of pkexec, for what they did not let begin; or of anything."""


def needs_root(arguments: Namespace) -> bool:
    """Tell whether nothing of a verb of the parser can be done without root."""
    if arguments.verb == "doctor":
        return bool(arguments.mend)
    if arguments.verb == "unpack" and arguments.send:
        return False  # it only reads
    if arguments.verb == "pack" and arguments.store:
        return not _may_write(absolute(arguments.file))  # stdin is for who writes it
    return arguments.verb in NEED_ROOT or getattr(arguments, "action", "") == "edit"


def _may_write(path: str) -> bool:
    """Tell whether the user can put a file at *path*, or another in the place of the one there."""
    import stat

    from ...core.archives.writing import part

    folder, name = os.path.split(path)
    if not os.access(folder, os.W_OK | os.X_OK):
        return False
    try:
        if os.lstat(os.path.join(folder, part(name))).st_uid != os.geteuid():
            return False  # a kill of another's has left it
    except OSError:
        pass
    try:
        above, there = os.stat(folder), os.lstat(path)
    except OSError:
        return True  # there is none yet
    return not above.st_mode & stat.S_ISVTX or os.geteuid() in (above.st_uid, there.st_uid)


def is_here(arguments: Namespace) -> bool:
    """Tell whether a verb concerns this machine alone. Raises UsageError."""
    given = [getattr(arguments, name, "") for name in _PLACES]
    names = [one for one in given if isinstance(one, str)]
    return not arguments.host and not any(split_host(name)[0] for name in names)


def with_backend(words: Sequence[str], arguments: Namespace) -> list[str]:
    """Return *words* with what the user's settings say of how chroots are made."""
    given = getattr(arguments, "backend", None)
    if given is None or given or getattr(arguments, "source", ""):
        return list(words)
    return [*words, "--backend", habits().backend]


def run_words(word: str, values: Mapping[str, Sequence[str]], command: Sequence[str]) -> list[str]:
    """Return the words of `run` or its kin for another process, whose environment is another."""
    words = [word]
    for option in RUN_OPTIONS:
        for value in values.get(option.key, ()):
            if option.key == "env" and "=" not in value:
                if value not in os.environ:
                    continue
                value = f"{value}={os.environ[value]}"
            words += [option.names[0]] if option.flag else [option.names[0], value]
    return [*words, "--", *command] if command else words


def elevate(verb: str, words: Sequence[str]) -> int | None:
    """Do *words* as root; return the exit code, None where the user has it that nothing may.

    Raises PrivilegeError where it is refused (`refused`), ConfigError.
    """
    before = privilege.prefix(_kind())
    if not before:
        return None
    argv = privilege.elevated(before, "--base", base_directory(""), *words)
    code, began = _run(argv)
    return refused(before[0], verb) if code in _REFUSALS and not began else code


def beforehand(arguments: Namespace) -> None:
    """Have asked on this terminal, now, what the end of a stream here can't ask: it has pipes.

    Nothing is asked for a verb that has none. Raises PrivilegeError where it is refused,
    ConfigError, UsageError.
    """
    given = (getattr(arguments, name) for name in _ENDS.get(arguments.verb, ()))
    if arguments.host or all(split_host(one)[0] for one in given):
        return
    before = privilege.prefix(_kind())
    if not before:
        return  # it says itself what it lacks
    code, _ = _run(privilege.elevated(before, "--version"), stdout=os.devnull)
    if code:
        refused(before[0], arguments.verb)


def quietly(words: Sequence[str]) -> int | None:
    """Do *words* as root where nobody is asked for that; return the exit code, else None.

    pkexec would ask, in a window of its own. Raises ConfigError.
    """
    before = privilege.prefix(_kind())
    if not before or before[0] == "pkexec":
        return None
    quiet = privilege.quiet(before)
    if not privilege.lets(quiet):
        return None
    return _run(privilege.elevated(quiet, "--base", base_directory(""), *words))[0]


def _kind() -> str:
    """Return what the settings say, which need not be read where the variable says it."""
    if os.environ.get(privilege.VARIABLE, ""):
        return ""
    from ..settings.file import load

    return load().privilege


def _run(argv: tuple[str, ...], stdout: str = "") -> tuple[int, bool]:
    """Run an elevated chroot-tool on this terminal, whose keys are for it alone.

    Returns the exit code, and whether it has begun. *stdout* is a file in the place of ours.
    """
    import signal

    began = False

    def take(*_: object) -> None:
        nonlocal began
        began = True

    def nothing(*_: object) -> None:
        """Not SIG_IGN, which exec would hand on."""

    handlers = {signal.SIGINT: nothing, signal.SIGQUIT: nothing, privilege.BEGAN: take}
    kept = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        opened = [(os.POSIX_SPAWN_OPEN, 1, stdout, os.O_WRONLY, 0)] if stdout else []
        child = os.posix_spawnp(argv[0], argv, os.environ, file_actions=opened)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
    return code if code >= 0 else 128 - code, began


def refused(kind: str, verb: str) -> int:
    """Raise PrivilegeError: *kind* did not let us; of `run` and its kin say so, return the code."""
    name = privilege.asking()
    how = "" if kind == "sudo" else f" --for {kind}"
    error = PrivilegeError(
        f"{verb} needs root, and {kind} does not make {name} root here",
        f"the rule that is missing is printed, for root, by: chroot-tool sudoers {name}{how}",
    )
    if verb not in RUN_WORDS:
        raise error
    exits.complain(error)
    return exits.TOOL_FAILED
