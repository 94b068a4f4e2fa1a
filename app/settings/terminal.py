"""What the terminal can show, by the environment: colours, which signs, how much how fast."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_CONSOLES = ("linux", "vt100", "vt102", "vt220", "ansi", "cons25")
"""Terminals (TERM) whose fonts have letters, and few signs or none."""
_UTF_8 = "utf-8"


def no_colours(environ: Mapping[str, str]) -> bool:
    """Tell whether the user wants no colours (no-color.org): an empty variable says nothing."""
    return bool(environ.get("NO_COLOR"))


def ascii_for(signs: str, environ: Mapping[str, str]) -> str:
    """Return the encoding of letters where signs are to be ASCII, "" where they need not be.

    *signs* is the setting: `ascii`, `unicode`, or `auto`, which is by the locale and the terminal.
    """
    encoding = _encoding(environ)
    if signs == "auto":
        few = encoding != _UTF_8 or environ.get("TERM", "") in _CONSOLES
    else:
        few = signs == "ascii"
    return encoding if few else ""


def _encoding(environ: Mapping[str, str]) -> str:
    """Return the encoding of the locale's letters (locale(7)), as Python calls it.

    The variables are looked at, not what Python made of them: it takes UTF-8 for granted in the
    locale C (PEP 540). With none set at all nobody has said anything: UTF-8.
    """
    import codecs

    names = (environ.get(name) for name in ("LC_ALL", "LC_CTYPE", "LANG"))
    locale = next(filter(None, names), "C.UTF-8")
    if locale in ("C", "POSIX"):
        return "ascii"
    charset = locale.partition(".")[2].partition("@")[0]
    try:
        return codecs.lookup(charset or _UTF_8).name
    except (LookupError, ValueError):  # half a character is a UnicodeError
        return _UTF_8


def is_far(line: str, environ: Mapping[str, str], parents: Iterable[str] | None = None) -> bool:
    """Tell whether the terminal is behind a line that a flood would fill.

    *line* is the setting: `near`, `far`, or `auto`, which is far behind ssh. sudo takes its
    variables away: the programs that this one was started by, *parents*, are looked at, too.
    """
    if line != "auto":
        return line == "far"
    if environ.get("SSH_CONNECTION") or environ.get("SSH_TTY"):
        return True
    return any(one.startswith("sshd") for one in (_parents() if parents is None else parents))


def _parents() -> Iterator[str]:
    """Yield the names of the processes above this one (proc_pid_stat(5): comm, ppid)."""
    import os

    pid = os.getppid()
    while pid > 0:
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
                name, _, rest = file.read().partition("(")[2].rpartition(") ")
        except OSError:
            return  # it has ended, or belongs to somebody who is not to be seen
        yield name
        pid = int(rest.split()[1])
