"""Other machines by OpenSSH: names are those of ssh_config, and so is all that is asked or checked.

One connection a host is kept open for a while (ControlMaster, ControlPersist of ssh_config(5)), so
that the next command, shell or panel needs no new one.
"""

from __future__ import annotations

import os
import shlex
import stat
from functools import cache

from ..chroot import current_directory
from . import idle_connections
from .address import checked
from .connection import Connection
from .remote_engine import RemoteEngine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .idle_connections import Idle

_LONGEST_SOCKET = 108 - 1 - 17  # unix(7), the end of a string, what ssh adds while it makes one
_DIGEST = 40

_FIND = """
for c in "$(command -v chroot-tool)" "$HOME/.local/bin/chroot-tool" /usr/local/bin/chroot-tool
do [ -x "$c" ] && break; c=; done
[ "$c" ] || { echo "chroot-tool: not found" >&2; exit 127; }
"""
# Becomes root where the user may: `sudo -l` tells without asking what is allowed, and complains to
# nobody; but not whether that wants a password, where any other rule wants none (listpw of
# sudoers(5)). Who is root owns the root directory, and a program that says so would be one more for
# each question.
# What PATH finds is started by its name: `$(…)` would be a process more for each question.
_QUIETLY = f"""
[ -O / ] && command -v chroot-tool >/dev/null && exec chroot-tool "$@"
{_FIND}
[ -O / ] && exec "$c" "$@"
sudo -n -l "$c" serve --json >/dev/null 2>&1 && sudo -n -- "$c" --version >/dev/null 2>&1 &&
    exec sudo -n -- "$c" "$@"
exec "$c" "$@"
"""
# On a terminal it becomes root by itself, by what that machine has for it, and knows for whom.
_ON_A_TERMINAL = f"""{_FIND}
exec "$c" "$@"
"""
# Without a terminal there, which would hang it up when ssh goes, it is found by a variable. Nothing
# else tells it: of a shared connection sshd closes its stdout alone, as where `head` has enough.
_ON_STREAMS = f"""{_FIND}
export CHROOT_TOOL_ASKED_BY="$1"; shift
exec "$c" "$@"
"""
_HANG_UP = """
for found in $(grep -lsF "CHROOT_TOOL_ASKED_BY=$1" /proc/[0-9]*/environ)
do
    found=${found%/environ}
    kill -HUP "${found#/proc/}" || [ ! -e "$found" ] || left=1  # it went with the one before
done
[ ! "$left" ]
"""
# The same where what is typed comes by somebody else: it is no place for a password.
_UNASKED = f"""{_FIND}
[ "$(id -u)" = 0 ] || sudo -n -k -- "$c" --version >/dev/null 2>&1 || {{
    echo "chroot-tool: sudo has a password to ask for, and does not in a panel" >&2
    exit 125
}}
exec "$c" "$@"
"""


class Host:
    """A machine that ssh knows by a name."""

    def __init__(
        self, name: str, *, ask: bool = False, address: str = "", options: Sequence[str] = ()
    ) -> None:
        """*ask*: ssh may ask on this terminal. Raises UsageError for a name that is none.

        An inventory may know it by another *address*, and more *options* for ssh.
        """
        self.name = checked(name)
        self._address = checked(address or name)
        self._options = tuple(options)
        self._ask = ask

    def ask_no_more(self) -> None:
        """Have ssh ask nothing from now on: somebody else has the terminal."""
        self._ask = False

    def engine(self, base: str = "", *, is_look: bool = False) -> RemoteEngine:
        """Return the engine there, for the base directory *base*, "" for the one of its own.

        *is_look*: it is only for a look, for which a connection will do that another look has
        left, and which leaves one (`RemoteEngine.leave`).
        """
        before = ("--base", base) if base else ()
        sockets = _socket_directory() if is_look else ""
        place = sockets and f"{sockets}/idle"
        known = _who_ssh_knows(self._options) if place else ()
        key = os.fsencode("\n".join((base, self._address, *known)))

        def connect() -> Connection:
            if place and (idle := idle_connections.take(place, key)):
                return Connection(idle, self.name)
            quiet = () if self._ask else ("-o", "BatchMode=yes")
            argv = self.ssh(*quiet, script=_QUIETLY, words=(*before, "serve", "--json"))
            # ssh stays there for a while, and keeps the directory that it was started in busy. In
            # an inventory's options paths may begin in it.
            cwd = None if self._options else "/"
            return Connection(argv, self.name, ask=self._ask, cwd=cwd)

        def command(words: Sequence[str]) -> tuple[str, ...]:
            return self.ssh("-t", script=_ON_A_TERMINAL, words=(*before, *words))

        def on_streams(words: Sequence[str]) -> tuple[str, ...]:
            # A terminal there changes what it carries: with one, as here, only where both ends are.
            kind = "-t" if os.isatty(0) and os.isatty(1) else "-T"
            return self.ssh(kind, script=_ON_STREAMS, words=(asked_by, *before, *words))

        def unasked(words: Sequence[str]) -> tuple[str, ...]:
            given = (*before, *words)
            return self.ssh("-t", "-o", "BatchMode=yes", script=_UNASKED, words=given)

        def keep(idle: Idle) -> None:
            idle_connections.keep(place, key, idle)

        login = self.ssh(script="true")
        asked_by = os.urandom(16).hex()
        hang_up = self.ssh("-o", "BatchMode=yes", script=_HANG_UP, words=(asked_by,))
        return RemoteEngine(
            connect, command, base, login, self.piped, unasked,
            keep=keep if place else None, on_streams=on_streams, hang_up=hang_up,
        )  # fmt: skip

    def piped(self, words: Sequence[str]) -> tuple[str, ...]:
        """Return the command line of a chroot-tool there that has pipes, and no terminal.

        It asks nothing: the connection is there already, by `engine`.
        """
        return self.ssh("-o", "BatchMode=yes", script=_QUIETLY, words=words)

    def beside(self, words: Sequence[str], *, terminal: bool) -> tuple[str, ...]:
        """Return the command line that runs *words* there, as their user's shell takes them.

        On a *terminal* or with pipes. ssh asks nothing: what is typed comes by somebody else, and
        the connection is there already, by `engine`.
        """
        options = ("-t",) if terminal else ()
        return self._line(*options, "-o", "BatchMode=yes", there=shlex.join(words))

    def ssh(self, *options: str, script: str, words: Sequence[str] = ()) -> tuple[str, ...]:
        """Return the command line that runs a shell's *script* there with *words*."""
        there = shlex.join(("/bin/sh", "-c", script, "chroot-tool", *words))
        return self._line(*options, there=there)

    def _line(self, *options: str, there: str) -> tuple[str, ...]:
        return ("ssh", *_shared(), *self._options, *options, "--", self._address, there)


def _shared() -> tuple[str, ...]:
    """Return the options of ssh by which one connection serves all."""
    directory = _socket_directory()
    # Three questions without an answer: a machine that is gone, or a link that is down, is noticed
    # within 20 seconds. To ask costs a packet, and one that is only slow answers, for sshd does.
    alive = (
        "-o", "ConnectTimeout=10", "-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3",
    )  # fmt: skip
    if not directory:
        return alive
    place = f"ControlPath={directory}/%C"
    return ("-o", "ControlMaster=auto", "-o", "ControlPersist=60", "-o", place, *alive)


def _who_ssh_knows(options: Sequence[str]) -> Iterator[str]:
    """Yield what a name of a machine depends on: which ssh is found, and when it was told what."""
    yield os.environ.get("PATH", "")
    yield from _told(os.path.expanduser("~/.ssh"))
    if options:
        yield from (current_directory(), *options, *_times(options))  # paths in them begin there


@cache  # of a hundred hosts it is the same
def _told(home: str) -> tuple[str, ...]:
    folders = (home, f"{home}/config.d", "/etc/ssh", "/etc/ssh/ssh_config.d")
    return tuple(_times([one for folder in folders for one in _files(folder)]))


def _times(paths: Sequence[str]) -> Iterator[str]:
    for path in paths:
        try:
            yield f"{path} {os.stat(path).st_mtime_ns}"
        except OSError:
            continue  # an option need not be a file


def _files(folder: str) -> list[str]:
    """Return the files in it; known_hosts grows by itself."""
    try:
        found = [one.path for one in os.scandir(folder) if one.is_file()]
    except OSError:
        return []
    return sorted(path for path in found if "known_hosts" not in path)


def _socket_directory() -> str:
    """Return where the sockets of connections are, "" where there is no good place."""
    above = os.environ.get("XDG_RUNTIME_DIR", "")
    if not above or (above.startswith("/") and not _is_ours(above)):
        above = os.path.expanduser("~/.cache")
    place = f"{above}/chroot-tool/ssh"
    if not above.startswith("/") or len(place) + 1 + _DIGEST > _LONGEST_SOCKET or "%" in place:
        return ""
    try:
        os.makedirs(place, mode=0o700, exist_ok=True)
        found = os.lstat(place)
    except OSError:
        return ""
    ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
    return place if ours and not found.st_mode & 0o077 else ""


def _is_ours(directory: str) -> bool:
    """Whether it is this user's: `su` leaves that of who has called it, who could not make a place
    below ours, and could give another for it."""
    try:
        return os.stat(directory).st_uid == os.geteuid()
    except OSError:
        return False
