"""Users and groups as a chroot knows them: from its own etc/passwd and etc/group, never the host's.

What stands there is hostile: a line that makes no sense is skipped, as libc does (passwd(5),
group(5)).
"""

from __future__ import annotations

from ..errors import ChrootError, UsageError
from ..value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..kernel.rootpath import Root

_LIMIT = 8 << 20
"""Bytes of passwd or group that are read: about 100,000 users."""
_TOP_ID = 0xFFFF_FFFE
"""4294967295 is -1, which setresuid(2) takes for "leave as it is": such a user would stay root."""


class User(Value):
    """Who a command runs as. `groups` holds `gid` too, as setgroups(2) wants it."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]
    home: str
    shell: str


def lookup(root: Root, name: str) -> User:
    """Return the user that *name* is inside *root*: a name, else a number; "" is root.

    A number without an entry is a user with that number as its only group: never group 0, which
    owns things. Root needs no entry either, so that a half-made chroot can be entered. Raises
    UsageError for a name that is unknown, ChrootError where the files cannot be read.
    """
    wanted = name or "root"
    entries = _entries(root, "/etc/passwd", 7)
    entry = _find(entries, wanted)
    if entry:
        login, _, uid, gid, _, home, shell = entry
        groups = _groups(root, login, int(gid))
        return User(login, int(uid), int(gid), groups, home or "/", shell or "/bin/sh")
    if wanted in ("root", "0"):
        return User("root", 0, 0, _groups(root, "root", 0), "/root", "/bin/sh")
    if is_id(wanted):
        return User(wanted, int(wanted), int(wanted), (int(wanted),), "/", "/bin/sh")
    raise UsageError(f"there is no user {wanted!r} in {root.path}", _suggestion(entries, wanted))


def names(root: Root) -> tuple[str, ...]:
    """Return the names of the users that there are inside *root*. Raises ChrootError."""
    return tuple(entry[0] for entry in _entries(root, "/etc/passwd", 7))


def entry_of(root: Root, name: str) -> list[str] | None:
    """Return the fields of the user called *name*, None for none. Raises ChrootError."""
    entries = _entries(root, "/etc/passwd", 7)
    return next((entry for entry in entries if entry[0] == name), None)


def _find(entries: list[list[str]], wanted: str) -> list[str] | None:
    """Return the first entry of that name, else of that number, as getent(1) looks it up."""
    for entry in entries:
        if entry[0] == wanted:
            return entry
    number = int(wanted) if is_id(wanted) else None
    return next((entry for entry in entries if int(entry[2]) == number), None)


def is_id(text: str) -> bool:
    """Tell whether *text* is a number that a user or a group can have."""
    return text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= _TOP_ID


def _entries(root: Root, path: str, count: int) -> list[list[str]]:
    """Return the well-formed lines of a passwd or group file; none where there is no file."""
    try:
        data = root.read(path, _LIMIT)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise ChrootError(f"cannot read {root.path}{path}: {error.strerror}") from error
    lines = data.decode("utf-8", "surrogateescape").split("\n")
    rows = [line.split(":") for line in lines if line and "\0" not in line]
    ids = (2, 3) if count == 7 else (2,)
    return [row for row in rows if len(row) == count and row[0] and all(is_id(row[i]) for i in ids)]


def _groups(root: Root, login: str, gid: int) -> tuple[int, ...]:
    """Return *gid* and every group that lists *login* as a member, as initgroups(3) does."""
    members = _entries(root, "/etc/group", 4)
    also = [int(entry[2]) for entry in members if login in entry[3].split(",")]
    return tuple(dict.fromkeys([gid, *also]))


def _suggestion(entries: list[list[str]], wanted: str) -> str:
    from difflib import get_close_matches

    close = get_close_matches(wanted, [entry[0] for entry in entries], 1)
    return f"did you mean {close[0]!r}?" if close else "a number does without an entry: -u 1000"
