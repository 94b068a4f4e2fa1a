"""Root's privilege for somebody who is not root: by which program it is had, and what is run so."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from typing import NoReturn
else:
    import _signal as signal  # without enum, which costs `run` 2 ms

ELEVATED = "--elevated="
"""Begins the first word of a chroot-tool that another has started with privilege; then comes by
what. It tries no more to get any, and knows who it works for."""
REFUSED = "--refused="
"""Begins the first word of what `chroot-tool.sh` has told to whom that was refused."""
UNASKED = "--unasked"
"""The first word of a chroot-tool whose terminal is not the user's own, as that of a panel, where
what is typed comes by others: nobody is asked for a password on it."""
BEGAN = signal.SIGURG
"""By which an elevated chroot-tool tells whom it works for that it has begun.

Its exit code may be any, sudo's own for a refusal, too; no descriptor gets through sudo; and
nothing happens to who does not expect this signal.
"""
VARIABLE = "CHROOT_TOOL_PRIVILEGE"
_PREFIXES = {
    "sudo": ("sudo", "--"),
    "doas": ("doas", "--"),
    "pkexec": ("pkexec", "--keep-cwd"),
}
_QUIET = {
    "sudo": ("sudo", "-n", "--"),
    "doas": ("doas", "-n", "--"),
    "pkexec": ("pkexec", "--disable-internal-agent", "--keep-cwd"),
}
"""The same where nobody is to be asked on this terminal."""
_CALLERS = {"sudo": "SUDO_UID", "doas": "DOAS_USER", "pkexec": "PKEXEC_UID"}
"""The variables that these set to who called them."""
_PLACES = ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME")

_FRESH = _QUIET | {
    "sudo": ("sudo", "-n", "-k", "--"),
    "doas": ("setsid", "--wait", "doas", "-n", "--"),  # `persist` is for one session and parent
}
"""The same where it does not count that a password was given on this terminal."""

_elevated = ""
_asks_nobody = False
_started: tuple[str, ...] = ()


def be_started_by(command: tuple[str, ...]) -> None:
    """Have *command*, a command line without its words, be what starts chroot-tool once more."""
    global _started
    _started = command


def started() -> tuple[str, ...]:
    """Return the command line that starts chroot-tool once more, () where nobody has said it."""
    return _started


def program() -> tuple[str, ...]:
    """Return what is run with privilege: the one program that a rule has to name, where there is.

    That is `chroot-tool.sh` of a checkout, the command that a package or `deploy` has installed.
    """
    script = os.path.abspath(_started[-1]) if _started else ""
    directory, _, name = script.rpartition("/")
    if name == "start.py":
        above = directory.rpartition("/")[0]
        if directory.endswith("/.pkg"):
            return (f"{above}/chroot-tool.sh",)
        # As `core/remote/put_there.py` lays it out: TOP/lib/chroot-tool/VERSION/start.py.
        top = above.rpartition("/")[0].rpartition("/")[0]
        return (f"{top}/bin/chroot-tool",)
    if name not in ("", "__main__.py", "chroot_tool") and os.access(script, os.X_OK):
        return (script,)
    return (sys.executable, "-I", "-m", __name__.partition(".")[0])


# -- becoming root -------------------------------------------------------------------------------


def prefix(kind: str) -> tuple[str, ...]:
    """Return what stands before a command that is to run as root; *kind* as in the settings.

    The variable CHROOT_TOOL_PRIVILEGE comes first. () where nothing may or can do that.
    """
    kind = os.environ.get(VARIABLE, "") or kind
    kinds = tuple(_PREFIXES) if kind == "auto" else (kind,)
    prefixes = _QUIET if _asks_nobody else _PREFIXES
    for one in kinds:
        found = prefixes.get(one, ())
        if found and _is_there(found[0]):
            return found
    return ()


def _is_there(name: str) -> bool:
    places = os.environ.get("PATH", os.defpath).split(":")
    return any(os.access(f"{place}/{name}", os.X_OK) for place in places if place)


def elevated(before: tuple[str, ...], *words: str) -> tuple[str, ...]:
    """Return the command line of a chroot-tool that *before* (`prefix`) starts as root."""
    kind = next(one for one in before if one in _PREFIXES)
    return (*before, *program(), ELEVATED + kind, *words)


def quiet(before: tuple[str, ...]) -> tuple[str, ...]:
    """Return a `prefix` as it is where nobody is to be asked on this terminal."""
    return _QUIET[before[0]]


def fresh(before: tuple[str, ...]) -> tuple[str, ...]:
    """Return a `prefix` that is quiet, as it is on a terminal that is new."""
    return _FRESH[before[0]]


def lets(before: tuple[str, ...]) -> bool:
    """Tell whether a `prefix` that is quiet or fresh makes us root now, by our --version.

    (`sudo -v` may want a password where the rule wants none.)
    """
    from ..core import programs

    argv = elevated(before, "--version")
    return programs.run(argv, env=os.environ, on_line=lambda _: None).code == 0


def ask_nobody() -> None:
    """Have nobody asked for a password from now on: where that is needed, it is refused."""
    global _asks_nobody
    _asks_nobody = True


def asks(before: tuple[str, ...]) -> tuple[str, ...]:
    """Return the command line that asks now, on its terminal, for what `quiet` needs later."""
    return ("sudo", "-v") if before[0] == "sudo" else elevated(before, "--version")


# -- being root for somebody ---------------------------------------------------------------------


def take_over(word: str) -> bool:
    """Tell whether *word* is the one of `elevated`; then this works for who called.

    Nothing of theirs is root's: its settings, history and logs are those of root's own home.
    """
    global _elevated
    if not word.startswith(ELEVATED):
        return False
    _elevated = word.removeprefix(ELEVATED)
    if os.geteuid() == 0:
        import pwd

        os.environ["HOME"] = pwd.getpwuid(0).pw_dir
        for name in _PLACES:
            os.environ.pop(name, None)
        _answer_to_caller()
    return True


def _answer_to_caller() -> None:
    """Tell whom this works for that it has begun, and end when they do."""
    try:
        pid = _caller_pid()
        if pid:
            os.kill(pid, BEGAN)
            _end_with(pid)
    except OSError:
        pass  # they have ended, or there is no memory for one who looks


def _caller_pid() -> int:
    """Return the nearest ancestor that is not root's, as sudo is; 0 for none. Raises OSError."""
    pid = os.getppid()
    while pid > 1:
        with open(f"/proc/{pid}/status", "rb") as file:  # proc_pid_status(5)
            fields = dict(line.split(b":", 1) for line in file)
        # The effective one; the real one of sudo is the caller's.
        if fields[b"Uid"].split()[1] != b"0":
            return pid
        pid = int(fields[b"PPid"])
    return 0


def _end_with(pid: int) -> None:
    """Have SIGTERM sent to this process when *pid* ends. Raises OSError.

    By a process that waits for either: whoever called can't signal root's, sudo passes on nothing
    that comes from its own process group (a script's, timeout(1)'s), and the kernel tells only of
    a parent's end, which sudo is. It is nobody's child, and holds nothing of what it has got.
    """
    ends = [os.pidfd_open(one) for one in (pid, os.getpid())]
    try:
        child = os.fork()
        if not child:
            _watch(*ends)
        os.waitpid(child, 0)
    finally:
        for end in ends:
            os.close(end)


def _watch(caller_end: int, own_end: int) -> NoReturn:
    try:
        if os.fork():
            os._exit(0)
        import select

        os.setsid()
        os.chdir("/")
        null = os.open(os.devnull, os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(null, fd)
        poll = select.poll()
        for end in (caller_end, own_end):
            poll.register(end, select.POLLIN)  # pidfd_open(2): readable when it ended
        if own_end not in dict(poll.poll()):
            signal.pidfd_send_signal(own_end, signal.SIGTERM)
    finally:  # never back into the other's code
        os._exit(0)


def is_wanted() -> bool:
    """Tell whether this is not root, and nobody has tried yet to make it so."""
    return os.geteuid() != 0 and not _elevated


def caller() -> tuple[str, int] | None:
    """Return name and uid of whom this works for as root; None where that is root itself."""
    given = os.environ.get(_CALLERS.get(_elevated, ""), "")
    if not given or os.geteuid():
        return None
    import pwd

    try:
        found = pwd.getpwuid(int(given)) if given.isdecimal() else pwd.getpwnam(given)
    except (KeyError, OverflowError):
        return None
    return (found.pw_name, found.pw_uid) if found.pw_uid else None


def for_caller() -> tuple[str, ...]:
    """Return the first words of a chroot-tool, started as root, that works for whom this does."""
    return (ELEVATED + _elevated,) if caller() else ()


def was_not_typed() -> None:
    """Work for whom sudo has made root, if it has: over ssh a program has called that, no person.

    Who types it wants to be root.
    """
    global _elevated
    if os.geteuid() == 0 and not _elevated and os.environ.get("SUDO_UID", ""):
        _elevated = "sudo"


def owner() -> tuple[int, int] | None:
    """Return uid and gid of whom this works for as root; None where that is root itself."""
    found = caller()
    if found is None:
        return None
    import pwd

    try:
        return found[1], pwd.getpwuid(found[1]).pw_gid
    except KeyError:
        return None


def asking() -> str:
    """Return the name of who asks, out here: also behind a sudo that was typed; root for root."""
    import pwd

    found = caller()
    if found:
        return found[0]
    typed = os.environ.get("SUDO_USER", "") if os.geteuid() == 0 else ""
    try:
        return typed or pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
