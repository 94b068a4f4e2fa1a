"""What a chroot may be called, and the names of the system in it, which follow it.

A copy or a renamed chroot gets new ones where they were ours; what somebody has written there
himself is left alone. Every path goes through `rootpath`.
"""

from __future__ import annotations

import os

from ..errors import ChrootError, Problem, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ..kernel.rootpath import Root

    Warn = Callable[[Problem], None]

_OWN_ADDRESS = "127.0.1.1"
"""Where `create`, as Debian's installer, puts a machine's own name in /etc/hosts."""
_LIMIT = 1 << 16
_START = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
_LONGEST = 100


def check_name(name: str) -> None:
    """Check the name of a new chroot: one component, which becomes its host name too."""
    if not name or name in (".", ".."):
        raise UsageError("a chroot needs a name", "letters, digits, '-', '_' and '.'")
    wrong = sorted({character for character in name if character not in _START | set("-_.+")})
    if wrong:
        raise UsageError(
            f"the name {name!r} holds {wrong[0]!r}", "letters, digits, '-', '_', '+' and '.' only"
        )
    if name[0] not in _START:
        raise UsageError(f"the name {name!r} starts with {name[0]!r}", "start with a letter")
    if len(name) > _LONGEST:
        raise UsageError(f"the name is longer than {_LONGEST} characters")


def host_name(name: str) -> str:
    """Return *name* as a host name: letters, digits and hyphens, at most 63 (hostname(7))."""
    letters = [c if c.isascii() and c.isalnum() else "-" for c in name.lower()]
    return "".join(letters)[:63].strip("-") or "chroot"


def rename_host(root: Root, old: str, new: str, warn: Warn) -> bool:
    """Let the system in *root*, a chroot called *old* until now, be called *new*.

    /etc/debian_chroot, which says what it is called, is that of whatever it was made from where
    that came here under another name: it follows, and so do /etc/hostname and the line of 127.0.1.1
    in /etc/hosts where they say *old* or what it said. Doing it again does nothing. What can't be
    written is told to *warn*. Tells whether anything was changed.
    """
    done = False
    said = _read(root, "/etc/debian_chroot")
    names = {host_name(old)}
    if said is not None and said.strip():
        names.add(host_name(said.strip()))
        if said.strip() != new:
            done = _write(root, "/etc/debian_chroot", f"{new}\n", warn)
    other = host_name(new)
    text = _read(root, "/etc/hostname")
    if text is not None and text.strip() in names - {other}:
        done = _write(root, "/etc/hostname", f"{other}\n", warn) or done
    hosts = _read(root, "/etc/hosts")
    if hosts is not None:
        lines = hosts.splitlines(keepends=True)
        for one in sorted(names):
            lines = [_renamed(line, one, other) for line in lines]
        if "".join(lines) != hosts:
            done = _write(root, "/etc/hosts", "".join(lines), warn) or done
    return done


def _renamed(line: str, old: str, new: str) -> str:
    """Return a line of /etc/hosts with the new name in place of the old one."""
    words = line.partition("#")[0].split()
    if not words or words[0] != _OWN_ADDRESS or old not in words[1:] or old == new:
        return line
    # The host's own name stays: hostname(1) says it inside, too.
    stays = (old,) if old == os.uname().nodename else ()
    names = [name for word in words[1:] for name in ((*stays, new) if word == old else (word,))]
    comment = line.rstrip("\n").partition("#")
    rest = f" #{comment[2]}" if comment[1] else ""
    return f"{words[0]} {' '.join(dict.fromkeys(names))}{rest}\n"


def _read(root: Root, inside: str) -> str | None:
    """Return a text file of the system; None where there is none, or what is there is none."""
    try:
        return root.read(inside, _LIMIT).decode("utf-8", "surrogateescape")
    except (OSError, ChrootError):
        return None


def _write(root: Root, inside: str, text: str, warn: Warn) -> bool:
    try:
        root.write(inside, text.encode("utf-8", "surrogateescape"))
    except (OSError, ChrootError) as error:
        why = getattr(error, "strerror", "") or str(error)
        warn(Problem(f"{inside} is still that of the original: {why}"))
        return False
    return True
