"""`chroot-tool __complete KIND VALUE WORD…`: the names that a completion script asks for.

*VALUE* is what stands at the cursor so far, *WORD…* what stands before it, as it is typed. Names
are printed a line each, all that may be meant; the shell chooses among them. Only this machine is
asked, no other by ssh, and whatever is wrong there are no names and nothing is said: who types
has not asked for anything yet.
"""

from __future__ import annotations

import os
import sys

from ....core import chroot
from ....core.config.bind import CHROOT_TOML, TOOL_CONF
from ....core.errors import ChrootError
from ....core.kernel.mount_table import MountTable
from ....core.text import safe
from ....core.value import Value
from ...engine import open_engine, split_host
from ..options import BASE, CHROOT_WORDS, DIR, HOST, found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ....core.engine import Engine


_FILES = (TOOL_CONF, CHROOT_TOML)
_PEOPLE = range(1000, 65534)
"""The user ids of people, as Debian has them (policy 9.2.2); nobody is behind them."""


class Asked(Value):
    """What somebody is typing."""

    value: str
    """At the cursor, perhaps the first part of it."""
    rest: tuple[str, ...]
    """The words before it that are none of ours, the verb first."""
    base: str
    directory: str

    @property
    def engine(self) -> Engine:
        """The engine of this machine."""
        return open_engine(self.base)

    @property
    def path(self) -> str:
        """The chroot that is meant. Raises ChrootError."""
        return self.engine.locate(self.directory)


def main(arguments: list[str]) -> int:
    """Print names; return 0, for what goes wrong is nobody's business here."""
    kind, value, *words = [*arguments, "", ""][: max(len(arguments), 2)]
    try:
        names = tuple(NAMES[kind](_asked(value, words))) if kind in NAMES else ()
    except (ChrootError, OSError, ValueError):
        names = ()
    told = [f"{name}\n" for name in dict.fromkeys(names) if _is_sayable(name)]
    try:
        sys.stdout.write("".join(told))
    except OSError:
        pass
    return 0


def _is_sayable(name: str) -> bool:
    """Tell whether *name* is printed as it is: with a `?` in it, it would be another."""
    try:
        name.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return name == safe(name)


def _asked(value: str, words: list[str]) -> Asked:
    """Take what is ours out of *words*. Raises ChrootError where it is about another machine."""
    values: dict[str, str] = {}
    rest = []
    pending = words[::-1]
    while pending:
        word = pending.pop()
        option = found(word, (DIR, BASE, HOST))
        if option is None:
            rest.append(word)
            continue
        given = option[1] if option[1] is not None else (pending.pop() if pending else "")
        values[option[0].key] = os.path.expanduser(given)
    host, directory = split_host(values.get(DIR.key, DIR.default))
    if host or values.get(HOST.key):
        raise ChrootError("no other machine is asked for names")
    return Asked(value, tuple(rest), values.get(BASE.key, ""), directory)


def _chroots(asked: Asked) -> Iterable[str]:
    return (one.name for one in chroot.find(asked.engine.base, MountTable.read()))


def _scripts(asked: Asked) -> Iterable[str]:
    """What answers a word of `run`; a program inside where a path is typed."""
    if asked.value.startswith("/"):
        return _inside(asked)
    return (*asked.engine.scripts(asked.path), *CHROOT_WORDS)


def _inside(asked: Asked) -> Iterable[str]:
    return asked.engine.binds(asked.path).complete_target(asked.value)


def _targets(asked: Asked) -> Iterable[str]:
    """The targets there are, where one of them is meant, else paths inside."""
    if not {"remove", "ignore", "restore"} & set(asked.rest):
        return _inside(asked)
    if "ignore" in asked.rest:
        return _wanted(asked)
    binds = asked.engine.config(asked.path).binds
    if "restore" in asked.rest:
        return (bind.target for bind in binds if bind.ignored)
    return (bind.target for bind in binds if bind.origin in _FILES)


def _wanted(asked: Asked) -> Iterable[str]:
    return (bind.target for bind in asked.engine.config(asked.path).binds if not bind.ignored)


def _edited(asked: Asked) -> Iterable[str]:
    return _FILES if "edit" in asked.rest else ()


def _people(_asked: Asked) -> Iterable[str]:
    """The people of this host."""
    import pwd

    return (one.pw_name for one in pwd.getpwall() if one.pw_uid in _PEOPLE)


def _groups(_asked: Asked) -> Iterable[str]:
    """The groups of this host."""
    import grp

    return (one.gr_name for one in grp.getgrall())


def _who(asked: Asked) -> Iterable[str]:
    """The people of this host, and its groups as sudoers(5) names them."""
    return (*_people(asked), *(f"%{one}" for one in _groups(asked)))


def _tags(asked: Asked) -> Iterable[str]:
    """The tags of all chroots, of those whose configuration can be read."""
    for one in chroot.find(asked.engine.base, MountTable.read()):
        try:
            yield from asked.engine.config(one.path).tags
        except (ChrootError, OSError):
            continue


def _users(asked: Asked) -> Iterable[str]:
    return asked.engine.users(asked.path)


def _snapshots(asked: Asked) -> Iterable[str]:
    words = ("list", "restore", "remove")
    if not set(words) & set(asked.rest):
        return words
    return () if "list" in asked.rest else (one.name for one in asked.engine.snapshots(asked.path))


def _trashed(asked: Asked) -> Iterable[str]:
    engine = asked.engine
    return () if "list" in asked.rest else (one.id for one in engine.trash(engine.base))


def _bases(asked: Asked) -> Iterable[str]:
    return (one.name for one in asked.engine.bases().list()) if "remove" in asked.rest else ()


def _hosts(_asked: Asked) -> Iterable[str]:
    from ....core.remote.known_hosts import names

    return names()


def _suites(_asked: Asked) -> Iterable[str]:
    from ....core.creating import suites

    return suites.known() or ("stable", "testing", "sid")


def _architectures(_asked: Asked) -> Iterable[str]:
    from ....core.host.debian import QEMU

    return QEMU


def _variants(_asked: Asked) -> Iterable[str]:
    from ....core.creating.options import VARIANTS

    return VARIANTS


def _timezones(_asked: Asked) -> Iterable[str]:
    from ....core.host.debian import timezones

    return timezones()


NAMES: dict[str, Callable[[Asked], Iterable[str]]] = {
    "chroot": _chroots,
    "script": _scripts,
    "inside": _inside,
    "target": _targets,
    "wanted": _wanted,
    "edited": _edited,
    "who": _who,
    "person": _people,
    "group": _groups,
    "user": _users,
    "tag": _tags,
    "snapshot": _snapshots,
    "trashed": _trashed,
    "base": _bases,
    "host": _hosts,
    "suite": _suites,
    "architecture": _architectures,
    "variant": _variants,
    "timezone": _timezones,
}
"""What can be asked for, by its kind."""
