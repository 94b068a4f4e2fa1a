"""A user of the host made known inside: which lines a chroot's passwd and group lack. Pure.

What stands in the files stays as it is, byte for byte, and is hostile: lines that make no sense
are passed over, as in `users`. Where a name or a number is somebody else's already, nothing is
changed: files inside would be another's.
"""

from __future__ import annotations

from ..errors import ChrootError, UsageError
from ..plan import Step
from ..value import Value
from .users import is_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

PASSWD, GROUP, SHADOW, GSHADOW = "/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow"
FILES = (GROUP, GSHADOW, SHADOW, PASSWD)
"""In the order they are written: who stands in passwd has all the rest."""
_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
_DIGITS = 10  # of an id: what stands in a chroot may have any number
_LONGEST = 32  # of a name, useradd(8)
_TOP_ID = 0xFFFF_FFFE
_HOMELESS = ("/", "/nonexistent")


class Person(Value):
    """A user of the host, as passwd(5) and group(5) have him."""

    name: str
    uid: int
    gid: int
    group: str
    home: str
    shell: str


class AddLine(Step):
    """Add a line to a file of users or groups."""

    line: str

    def describe(self) -> str:  # noqa: D102 (Step.describe)
        return f"add {self.line.split(':')[0]} to {self.target}"


class MakeHome(Step):
    """Make the home of a user, with what skel has."""

    uid: int
    gid: int

    def describe(self) -> str:  # noqa: D102 (Step.describe)
        return f"make the home {self.target}"


def check(person: Person) -> None:
    """Raise UsageError for one that can't be made known inside."""
    if not person.uid:
        raise UsageError("root is known in every chroot", "name another with -u USER")
    for kind, name in (("user", person.name), ("group", person.group)):
        if not name or name[0] == "-" or name.isdigit() or not _NAME.issuperset(name):
            raise UsageError(f"{name!r} is no name for a {kind} inside")
        if len(name) > _LONGEST:
            raise UsageError(f"{name!r} is longer than {_LONGEST} characters")
    for path in (person.home, person.shell):
        if not path.startswith("/") or ":" in path or not path.isprintable() or "/../" in path:
            raise UsageError(f"{path!r} of {person.name} can't stand in a passwd file")
    if not (0 < person.uid <= _TOP_ID and 0 <= person.gid <= _TOP_ID):
        raise UsageError(f"{person.uid}:{person.gid} can't be the ids of a user")


def steps(
    files: Mapping[str, bytes | None], person: Person, *, has_home: bool, day: int, place: str
) -> tuple[Step, ...]:
    """Return what makes *person* known inside, () where he is.

    *files* are those of `FILES`, None for one that is not there; *day* is today, counted since 1970
    as in shadow(5); *place* is what errors call the chroot. Raises ChrootError for a conflict.
    """
    passwd, group = (_entries(files[path]) for path in (PASSWD, GROUP))
    known = _known(passwd, person.name, person.uid, place, "user")
    lines: dict[str, str] = {}
    if not known or known[3:4] == [str(person.gid)]:
        if not _known(group, person.group, person.gid, place, "group"):
            lines[GROUP] = f"{person.group}:x:{person.gid}:"
        lines[GSHADOW] = f"{person.group}:!::"
    lines[SHADOW] = f"{person.name}:!:{day}:0:99999:7:::"
    if not known:
        secret = "*" if files[SHADOW] is None else "x"
        ids = f"{person.uid}:{person.gid}"
        lines[PASSWD] = f"{person.name}:{secret}:{ids}::{person.home}:{person.shell}"
    found: list[Step] = []
    for path in FILES:
        line = lines.get(path)
        if line and _lacks(files[path], line, needed=path in (PASSWD, GROUP)):
            found.append(AddLine(path, line))
    if not known and not has_home and person.home not in _HOMELESS:
        found.insert(len(found) - 1, MakeHome(person.home, person.uid, person.gid))
    return tuple(found)


def added(data: bytes | None, line: str) -> bytes:
    """Return the content of a file with one more line."""
    before = data or b""
    if before and not before.endswith(b"\n"):
        before += b"\n"
    return before + line.encode() + b"\n"


def _entries(data: bytes | None) -> list[list[str]]:
    lines = (data or b"").decode("utf-8", "surrogateescape").split("\n")
    rows = [line.split(":") for line in lines]
    return [row for row in rows if len(row) > 2 and row[0] and row[2].isdecimal()]


def _is(entry: list[str], number: int) -> bool:
    return is_id(entry[2]) and int(entry[2]) == number


def _known(
    entries: list[list[str]], name: str, number: int, place: str, kind: str
) -> list[str] | None:
    """Return the entry of *name* and *number*, None for none. Raises where one of them differs."""
    for entry in entries:
        if entry[0] == name:
            if _is(entry, number):
                return entry
            change = "usermod -u" if kind == "user" else "groupmod -g"
            raise ChrootError(
                f"the {kind} {name} is {entry[2][:_DIGITS]} in {place}, and {number} out here",
                f"inside: {change} {number} {name}, and chown what was theirs",
            )
    other = next((entry[0] for entry in entries if _is(entry, number)), "")
    if not other:
        return None
    way = f"chroot-tool run -u {other} is them" if kind == "user" else f"groupmod -n {name} {other}"
    raise ChrootError(f"{number} is the {kind} {other} in {place}, not {name}", f"inside: {way}")


def _lacks(data: bytes | None, line: str, *, needed: bool) -> bool:
    """Tell whether a file lacks an entry of that name; one that is not there is made if needed."""
    if data is None:
        return needed
    name = line.encode().partition(b":")[0]
    return not any(one.startswith(name + b":") for one in data.split(b"\n"))
