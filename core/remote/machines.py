"""Several machines as one engine: a path that begins with `HOST:` is one of that host.

What is named without a host is here. Every other machine is looked at in a thread of its own: one
that does not answer holds up neither the others nor whoever asks.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, cast

from ..errors import ChrootError, UsageError
from ..events import ignore
from .address import checked, joined, split
from .following_all import FollowingAll
from .prefixed_with_host import of_host, path_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..engine import Engine
    from ..engine_parts import Bases, Binds, Following, Sizes
    from ..looking.status import ChrootStatus
    from ..trees.disk_size import Taken
    from .between_machines import Program
    from .remote_engine import RemoteEngine

    Open = Callable[[str], RemoteEngine]

_PATHS = ("path", "directory", "text", "at")
"""Arguments that say where something is: the first that is given says which machine is asked."""
_GIVE_PATHS = frozenset(("locate", "complete", "rename", "rests", "restore_trashed"))
"""Methods that return paths as texts."""
_PLACES = ("new", "output", "source")
"""Arguments that are a place on the same machine."""
_BETWEEN = {"clone": "new", "pack": "output", "unpack": "source"}
"""Methods whose place may be on another machine, and that place: without a host it is here."""


class Machines:
    """An `Engine` on the chroots of this machine and of others (`of`)."""

    def __init__(
        self,
        here: Engine,
        names: Sequence[str],
        open_host: Open,
        open_as_root: Callable[[], RemoteEngine] | None = None,
    ) -> None:
        """*open_host* returns the engine of a host; nothing is asked of it before it is needed.

        *open_as_root* returns that of this machine with root's privilege, where *here* is without
        (`rise`). Raises UsageError for a name that is none.
        """
        self._here = here
        self._open = open_host
        self._open_as_root = open_as_root
        self._root: RemoteEngine | None = None
        """The engine that `rise` has made."""
        self._rising = threading.Lock()
        self._changing = threading.Lock()
        """Held while others come or go, or another begins to follow all of them."""
        self.has_risen = False
        """Whether what is done here is done as root, for who is not."""
        self._hosts: dict[str, RemoteEngine] = {}
        self._onlookers: list[FollowingAll] = []
        for name in names:
            self.add(name)

    def of(self) -> Engine:
        """Return this, by the contract of an engine."""
        return cast("Engine", self)

    # -- which there are -------------------------------------------------------------------------

    @property
    def names(self) -> tuple[str, ...]:
        """The other machines."""
        return tuple(self._hosts)

    def add(self, name: str) -> None:
        """Have another machine among these. Raises UsageError for a name that is none."""
        with self._changing:
            if checked(name) not in self._hosts:
                self._hosts[name] = self._open(name)
                for one in self._onlookers:
                    one.look_at(name, self._hosts[name])

    def remove(self, name: str) -> None:
        """Have it among these no more; what is under way there is stopped."""
        with self._changing:
            engine = self._hosts.pop(name, None)
            if engine is None:
                return  # the settings, read anew, were quicker
            for one in self._onlookers:
                one.forget(name)
        threading.Thread(target=engine.close, name=f"close {name}").start()

    def retry(self, name: str) -> None:
        """Have a connection that was lost tried again now, and one where root is missing made anew.

        Who logs in there may become it by now.
        """
        engine = self._hosts.get(name)
        if engine is not None and engine.is_open and not engine.is_root:
            engine.close(wait=False)
        for one in self._onlookers:
            one.retry(name)

    def close(self) -> None:
        """End every connection, after what is under way by it was taken back."""
        for name in self.names:
            self.remove(name)
        if self.has_risen:
            cast("RemoteEngine", self._here).close()

    # -- as root ---------------------------------------------------------------------------------

    @property
    def can_rise(self) -> bool:
        """Whether `rise` is of use."""
        return self._open_as_root is not None and not self.has_risen

    def rise(self) -> None:
        """Have all that is asked here from now on be asked of one who is root.

        Nobody is asked for a password. Raises ChrootError; then all is as before.
        """
        with self._rising:
            if self._open_as_root is None or self.has_risen:
                return
            engine = self._root = self._open_as_root()
            engine.connection()
            with self._changing:
                self._here, self.has_risen = engine.of(), True
                for one in self._onlookers:
                    one.look_as(self._here)

    def rise_no_more(self) -> None:
        """Have nobody waited for who is asked, in a window, whether this may `rise`."""
        self._open_as_root = None
        if self._root is not None and not self.has_risen:
            self._root.close(wait=False)

    def host(self, name: str) -> RemoteEngine:
        """Return the engine of a host. Raises UsageError where it is none of these."""
        engine = self._hosts.get(name)
        if engine is None:
            raise UsageError(f"{name!r} is none of the machines that are looked at", "add it first")
        return engine

    def at(self, path: str) -> tuple[str, Engine, str]:
        """Return the host of *path*, its engine, and the path there. Raises UsageError."""
        host, there = split(path)
        return (host, self.host(host).of(), there) if host else ("", self._here, path)

    # -- what is asked ---------------------------------------------------------------------------

    @property
    def is_here(self) -> bool:
        """Whether what is named without a host is on this machine."""
        from .remote_engine import RemoteEngine

        return self.has_risen or not isinstance(self._here, RemoteEngine)

    @property
    def base(self) -> str:
        """The base directory here."""
        return self._here.base

    def base_at(self, path: str) -> str:
        """As `Engine.base_at`."""
        host, engine, there = self.at(path)
        return joined(host, engine.base_at(there))

    def list(self) -> tuple[ChrootStatus, ...]:
        """As `Engine.list`: those of every machine. Raises where one does not answer."""
        found = self._here.list()
        for host, engine in tuple(self._hosts.items()):
            found += of_host(host, engine.of().list())
        return found

    def command(self, path: str, words: Sequence[str]) -> tuple[str, ...]:
        """As `Engine.command`: where *path* is among the words it is the one there, too."""
        _host, engine, there = self.at(path)
        return engine.command(there, [there if word == path else word for word in words])

    def unasked(self, path: str, words: Sequence[str]) -> tuple[str, ...]:
        """As `Engine.unasked`, and as `command`."""
        _host, engine, there = self.at(path)
        return engine.unasked(there, [there if word == path else word for word in words])

    def asks(self, path: str) -> bool:
        """As `Engine.asks`."""
        _host, engine, there = self.at(path)
        return engine.asks(there)

    def binds(self, path: str) -> Binds:
        """As `Engine.binds`."""
        _host, engine, there = self.at(path)
        return engine.binds(there)

    def bases(self, at: str = "") -> Bases:
        """As `Engine.bases`."""
        _host, engine, there = self.at(at)
        return engine.bases(there)

    def sizes(self) -> Sizes:
        """As `Engine.sizes`."""
        return cast("Sizes", _Sizes(self))

    def follow(self) -> Following:
        """As `Engine.follow`."""
        here = self._here
        following = FollowingAll(here.follow())
        with self._changing:
            if self._here is not here:  # it became another's meanwhile
                following.look_as(self._here)
            open_still = (one for one in self._onlookers if not one.is_closed)
            self._onlookers = [*open_still, following]
            for name, engine in self._hosts.items():
                following.look_at(name, engine)
        return cast("Following", following)

    def __getattr__(self, name: str) -> Any:
        """Return a method of the contract that asks the machine of its path."""
        if name.startswith("_") or not hasattr(self._here, name):
            raise AttributeError(name)
        if not self._hosts:
            return getattr(self._here, name)
        from .contract import method as method_of

        method = method_of(name)
        return lambda *positional, **named: self._ask(name, method.bind(positional, named))

    def _ask(self, name: str, arguments: dict[str, Any]) -> Any:
        where = next((key for key in _PATHS if arguments.get(key)), "")
        host, engine, there = self.at(arguments.get(where, ""))
        if where:
            arguments[where] = there
        between = name in _BETWEEN and self._is_elsewhere(host, arguments[_BETWEEN[name]])
        for key in _PLACES if not between else ():
            if isinstance(arguments.get(key), str):
                arguments[key] = _same(host, arguments[key])
        report = arguments.get("report")
        about = split(arguments["new"])[0] if between and name == "clone" else host
        if about and report is not None:
            arguments["report"] = lambda event: report(of_host(about, event))
        if between:
            return self._stream(name, host, arguments)
        found = getattr(engine, name)(**arguments)
        if host and name in _GIVE_PATHS:
            one = isinstance(found, str)
            return path_of(host, found) if one else tuple(path_of(host, path) for path in found)
        return of_host(host, found)

    @staticmethod
    def _is_elsewhere(host: str, place: str) -> bool:
        """Tell whether *place* is not on *host*, where a plain name is where *host* is."""
        other, there = split(place)
        return other != host and bool(other or there.startswith("/"))

    def _stream(self, name: str, host: str, arguments: dict[str, Any]) -> Any:
        """Do what has its two ends on two machines; what comes of it is named as it was asked."""
        from . import between_machines

        path = arguments.pop("path")
        arguments.setdefault("report", ignore)
        arguments["cancelled"] = arguments.get("cancelled") or threading.Event()
        if name == "clone":
            other, new = split(arguments.pop("new"))
            cloned = between_machines.clone(
                self._program(host), path, self._program(other), new,
                exact=arguments.pop("exact", False), **arguments,
            )  # fmt: skip
            return of_host(other, cloned)
        place = arguments.pop(_BETWEEN[name])
        other, there = split(place)
        third = self._program(other) if other else None
        if name == "pack":
            return between_machines.pack(self._program(host), path, there, sink=third, **arguments)
        return between_machines.unpack(self._program(host), path, there, sender=third, **arguments)

    def _program(self, host: str) -> Program:
        """Return what makes the chroot-tool of a machine an end of a stream."""
        from .stream import End

        if not host:
            return lambda words: End("", self._piped(words))
        engine = self.host(host)
        return lambda words: End(host, engine.piped(words))

    def _piped(self, words: Sequence[str]) -> tuple[str, ...]:
        piped = getattr(self._here, "piped", None)
        # In the background of a terminal whoever asks on it is stopped, and stays so.
        found: tuple[str, ...] = piped(words) if piped else self._here.unasked("", words)
        return found


def _same(host: str, path: str) -> str:
    """Return *path* as it is on *host*. Raises UsageError where it is another machine's."""
    other, there = split(path)
    if other == host or (not other and not path.startswith("/")):
        return there
    raise UsageError(
        f"{path} is on {other or 'this machine'}, not on {host or 'this machine'}",
        f"{joined(host, '/…')} is there",
    )


class _Sizes:
    """Counts on every machine that answers."""

    def __init__(self, machines: Machines) -> None:
        self._machines = machines
        self._sizes: dict[str, tuple[Engine, Sizes]] = {}

    def get(self, path: str, cancelled: threading.Event | None = None) -> Taken | None:
        """As `Sizes.get`; None, too, where the machine does not answer."""
        try:
            sizes, there = self._at(path)
            return sizes.get(there, cancelled) if sizes else None
        except ChrootError:
            return None

    def forget(self, path: str) -> None:
        """As `Sizes.forget`."""
        try:
            sizes, there = self._at(path)
            if sizes:
                sizes.forget(there)
        except ChrootError:
            pass  # it remembers nothing then, or is asked no more

    def _at(self, path: str) -> tuple[Sizes | None, str]:
        host, engine, there = self._machines.at(path)
        if host and not self._machines.host(host).is_open:
            return None, there  # to connect is the affair of who follows
        of, sizes = self._sizes.get(host, (None, None))
        if of is not engine or sizes is None:  # another now: of a host added again, of root
            sizes = engine.sizes()
            self._sizes[host] = (engine, sizes)
        return sizes, there
