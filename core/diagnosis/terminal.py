"""The terminal that it is used from: its colours, its keys, and whether the chroot knows it."""

from __future__ import annotations

import os

from .. import programs
from ..errors import ChrootError
from .check import CHROOT, HOST, Check
from .finding import note, ok, warning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .finding import Finding
    from .subject import Subject

_PLACES = ("/etc/terminfo", "/lib/terminfo", "/usr/share/terminfo", "/usr/lib/terminfo")
_SECONDS = 5.0
_MANY = 256
_DUMB = ("", "dumb", "unknown")
_SLOW = 100
"""Milliseconds that tmux may wait after Esc before it is felt."""
_WORDS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-+._")


def colours(subject: Subject) -> Iterator[Finding]:
    """Look at what TERM says of colours."""
    env = subject.environment
    term = env.get("TERM", "")
    if term in _DUMB:
        yield note(
            f"TERM is {term or 'not set'}: no terminal that could show the UI",
            "run and shell give it to the chroot as it is",
            "on a terminal that is one: TERM=xterm-256color chroot-tool",
        )
        return
    count = _colours_of(term)
    if count < 0:
        yield warning(
            f"this host knows no terminal {term}",
            "programs that ask terminfo will not know it, here and inside",
            "apt install ncurses-term, or TERM=xterm-256color",
        )
    elif env.get("NO_COLOR"):
        yield note(f"{term}; NO_COLOR is set, so that nothing is coloured")
    elif env.get("COLORTERM") in ("truecolor", "24bit"):
        yield ok(f"{term}, with all colours")
    elif count < _MANY:
        yield note(
            f"{term} has {count} colours",
            "the UI looks plain; every state has a sign and a word, too",
            "TERM=xterm-256color, where the terminal can do it",
        )
    else:
        yield ok(f"{term}, with {count} colours")


def _colours_of(term: str) -> int:
    """Return how many colours terminfo gives a terminal, -1 where it knows none of that name."""
    if not _WORDS.issuperset(term):
        return -1
    try:
        return max(int(programs.output(["tput", "-T", term, "colors"], timeout=_SECONDS)), 0)
    except (ChrootError, ValueError):
        return -1


def keyboard(subject: Subject) -> Iterator[Finding]:
    """Look at what stands between the keyboard and the UI."""
    env = subject.environment
    found = False
    if env.get("TMUX"):
        found = True
        yield from _tmux(env["TMUX"])
    elif env.get("STY"):
        found = True
        yield note("in screen: ctrl+a is its own", "no key of ours; for a program inside: twice")
    if env.get("TERM") == "linux":
        found = True
        yield note(
            "the console: shift and ctrl with arrows, home, end or page keys don't come through",
            "scroll a panel by pageup and pagedown",
            "keys can be rebound: docs/keys.md",
        )
    if env.get("TERM_PROGRAM") == "vscode":
        found = True
        yield note("the terminal of the editor keeps ctrl+p", "the palette is under :, too")
    if not found:
        yield ok("nothing is known to keep keys from coming through")


def _tmux(place: str) -> Iterator[Finding]:
    said: list[str] = []
    env = programs.environment({"TMUX": place})
    argv = ["tmux", "show-options", "-sv", "escape-time"]
    try:
        programs.run(argv, env=env, on_line=said.append, timeout=_SECONDS, grace=0.0)
    except ChrootError:
        said = []
    slow = said[0] if said and said[0].isdigit() and int(said[0]) > _SLOW else ""
    if slow:
        yield warning(
            f"in tmux, which holds Esc back for {slow} ms",
            "Esc is late, and with a key typed after it may become another key",
            "set -s escape-time 10, in ~/.tmux.conf",
        )
    else:
        yield note("in tmux: its prefix (ctrl+b) is its own", "no key of ours is on it")


def terminfo(subject: Subject) -> Iterator[Finding]:
    """See whether the chroot knows the terminal that TERM names."""
    term = subject.environment.get("TERM", "")
    if term in _DUMB:
        yield ok("TERM is none that a program inside would look for")
        return
    with subject.open() as root:
        names = [f"{place}/{part}/{term}" for place in _PLACES for part in _parts(term)]
        known = _WORDS.issuperset(term) and any(root.stat(name) for name in names)
    if known:
        yield ok(f"TERM={term} is known inside")
    else:
        inside = f"chroot-tool run -d {subject.path} -- apt-get install ncurses-term"
        yield warning(
            f"TERM={term} is not known inside",
            "editors, less and top draw nonsense, or refuse",
            f"{inside}; or -e TERM=xterm",
        )


def _parts(term: str) -> tuple[str, str]:
    """Return both names that the directory of an entry may have: term(5)."""
    return term[0], f"{ord(term[0]):x}"


def size(_subject: Subject) -> Iterator[Finding]:
    """Look at the size of the terminal."""
    for fd in (1, 2, 0):
        try:
            columns, rows = os.get_terminal_size(fd)
        except OSError:
            continue
        if columns < 80 or rows < 24:
            yield note(f"{columns}x{rows}: less than 80x24", "the UI leaves out columns and panes")
        else:
            yield ok(f"{columns}x{rows}")
        return
    yield ok("this is no terminal")


CHECKS = (
    Check("colours", "what `TERM`, `COLORTERM` and `NO_COLOR` come to", colours, (HOST,)),
    Check("keyboard", "what keeps keys from coming through: tmux, screen, the console", keyboard,
          (HOST,)),
    Check("screen", "whether it is large enough for the UI", size, (HOST,)),
    Check("terminfo", "whether `TERM` is known inside", terminfo, (CHROOT,)),
)  # fmt: skip
