"""The engine that is elsewhere: the contract of engine.py, asked by JSON lines.

Its methods are made of the contract's own declarations (`contract`): arguments become documents,
answers become the values that they are declared as.
"""

from __future__ import annotations

import math
import subprocess
import threading
import time

from ..errors import Cancelled, ChrootError, PrivilegeError, Problem
from ..events import Warned, ignore
from ..looking.status import ChrootStatus
from ..run_words import run_words
from . import contract, documents
from .connection import ConnectionLostError
from .prefixed_with_host import hint_of, told_here

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, cast

    from ..engine import Engine
    from ..engine_parts import Bases, Binds, Following, Sizes
    from ..events import Report
    from ..looking.snapshot import Snapshot
    from .connection import Connection
    from .idle_connections import Idle

    Connect = Callable[[], Connection]
    Command = Callable[[Sequence[str]], tuple[str, ...]]
else:

    def cast(_type, value):
        """Tell type checkers only; typing takes its time to be imported."""
        return value


_SSH_FAILED = 255
"""ssh(1): the exit code "if an error occurred", of its own."""
_LOOK_FIRST = "whether the command came to its end is not known: look before you run it again"
_PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Seconds before a connection is tried again, by how often it was."""
_LONGEST_LOOK = 300.0
"""Seconds. Where every chroot is on a server that is gone, each is waited for."""
_MOST_CHROOTS = 5_000
_GOODBYE = 10.0
"""Seconds for ending there what had this process's streams."""
_MOST_BYTES = 32 << 20
"""Of what another machine may tell of its chroots: it is all kept, and shown."""


class RemoteEngine:
    """Works on the chroots of another machine, or on this one's with another's privilege.

    It is an `Engine`; type checkers, which do not see methods that are made, are told so by `of`.
    """

    def __init__(
        self, connect: Connect, command: Command, base: str = "", login: tuple[str, ...] = (),
        piped: Command | None = None, unasked: Command | None = None,
        asks: Callable[[], bool] | None = None, keep: Callable[[Idle], None] | None = None,
        on_streams: Command | None = None, hang_up: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        """*connect* opens a connection. Raises nothing: that is done when something is asked.

        *command* gives the command line that starts the chroot-tool there with this terminal,
        *login* is one that asks on this terminal what has to be asked first, *piped* starts the
        chroot-tool there with pipes in the place of a terminal (*command*, where there is none),
        *unasked* one that asks nothing on its terminal (likewise), and *asks* tells whether
        *command* would, where that is more than whether the one there is root. *keep* is who
        keeps a connection open that is left (`leave`). *on_streams* is as *command*, with this
        process's own streams, whatever they are, and *hang_up* ends what that has started.
        """
        self._connect = connect
        self._command = command
        self.piped = piped or command
        self._unasked = unasked or command
        self._asks = asks
        self._keep = keep
        self._on_streams = on_streams or command
        self._hang_up = hang_up
        self.login = login
        self._connection: Connection | None = None
        self._connecting = threading.Lock()
        self.refused: ChrootError | None = None
        """Why there is no connection, while somebody follows and tries again now and then: whoever
        else asks is told at once."""
        self.base = base

    def of(self) -> Engine:
        """Return this, by its contract."""
        return cast("Engine", self)

    def connection(self) -> Connection:
        """Return the connection, opened where there is none. Raises ChrootError."""
        with self._connecting:
            if self._connection is None or self._connection.lost.is_set():
                if self._connection:
                    self._connection.close(wait=0)
                try:
                    self._connection = self._connect()  # which `close` ends before it has answered
                except OSError as error:  # no descriptor is left, say
                    raise ChrootError(f"cannot connect: {error.strerror}") from error
            connection = self._connection
            if not connection.hello:
                connection.greet()
                self.base = connection.hello["base"]
            return connection

    def close(self, *, wait: bool = True) -> None:
        """End the connection, and what is under way by it; without *wait* it is on its own."""
        one = self._connection  # which another thread may `leave` just now
        if one is not None:
            one.close(*(() if wait else (0.0,)))

    def leave(self) -> None:
        """Have no more to do with the connection: it is kept for who is next, or ended."""
        one = self._connection
        if one is not None and self._keep is not None and one.leave(self._keep):
            self._connection = None
        self.close(wait=False)

    def ask(self, method: contract.Method, of: str, arguments: dict[str, Any]) -> Any:
        """Call a method of the contract there."""
        report: Report | None = arguments.pop("report", None)
        cancelled = arguments.pop("cancelled", None)
        if cancelled is not None and cancelled.is_set():
            raise Cancelled("stopped by you")
        if self.refused is not None:
            raise self.refused
        connection = self.connection()
        if method.name not in connection.hello.get("methods", ()):
            version = connection.hello["version"]
            raise ChrootError(
                f"{connection.name}: its chroot-tool {version} knows no {method.name}",
                f"chroot-tool deploy {connection.name}",
            )
        parameters = {name: documents.encode(value) for name, value in arguments.items()}
        if of:
            parameters["of"] = of

        elsewhere = connection.name if self.login else ""

        def take(found: dict[str, Any], _size: int) -> None:
            event = documents.event(found)
            if report is not None and event is not None:
                report(told_here(elsewhere, event))

        within = _LONGEST_LOOK if method.is_brief else math.inf
        try:
            result = connection.ask(method.name, parameters, take, cancelled, within=within)
        except ChrootError as error:
            if not elsewhere:
                raise
            if isinstance(error, PrivilegeError) and connection.hello.get("root") is not True:
                raise _wants_root(elsewhere, error) from error
            error.hint = hint_of(elsewhere, error.hint)
            raise
        try:
            return documents.decode(result, method.result)
        except ValueError as error:
            raise ChrootError(f"{connection.name}: its answer makes no sense: {error}") from error

    def binds(self, path: str) -> Binds:
        """As `Engine.binds`."""
        return cast("Binds", _RemoteBinds(self, path))

    def base_at(self, path: str) -> str:
        """As `Engine.base_at`; what was asked for, while nobody has answered."""
        return self.base

    @property
    def is_open(self) -> bool:
        """Whether there is a connection, as far as is known."""
        one = self._connection
        return one is not None and bool(one.hello) and not one.lost.is_set()

    @property
    def is_root(self) -> bool:
        """Whether the one there is root: it became that without a word, or it did not (`serve`)."""
        one = self._connection
        return one is not None and one.hello.get("root") is True

    def bases(self, at: str = "") -> Bases:
        """As `Engine.bases`."""
        return cast("Bases", _RemoteBases(self, ""))

    def sizes(self) -> Sizes:
        """As `Engine.sizes`."""
        return cast("Sizes", _RemoteSizes(self, ""))

    def follow(self) -> Following:
        """As `Engine.follow`."""
        return RemoteFollowing(self)

    def command(self, path: str, words: Sequence[str]) -> tuple[str, ...]:
        """As `Engine.command`."""
        return self._command(words)

    def unasked(self, path: str, words: Sequence[str]) -> tuple[str, ...]:
        """As `Engine.unasked`."""
        return self._unasked(words)

    def asks(self, path: str) -> bool:
        """As `Engine.asks`; no, where there is no connection: what is started says why."""
        if self._asks is not None:
            return self._asks()
        return self.is_open and not self.is_root

    def run(self, path: str, words: tuple[str, ...], **options: Any) -> int:
        """As `Engine.run`, by a chroot-tool that is started there with this terminal."""
        return self._start(path, run_words(path, words, **_said(options)), options)

    def run_ephemeral(self, path: str, words: tuple[str, ...], **options: Any) -> int:
        """As `Engine.run_ephemeral`, by a chroot-tool that is started there."""
        more = [f"--{name}={options[name]}" for name in ("size", "keep") if options.get(name)]
        return self._start(path, run_words(path, words, "-x", *more, **_said(options)), options)

    def _start(self, path: str, words: tuple[str, ...], options: Mapping[str, Any]) -> int:
        # Who asks for a password there needs a terminal for that, whatever it does to the rest.
        wants_root = self.is_open and not self.is_root
        argv = (self._command if wants_root else self._on_streams)(words)
        try:
            code = subprocess.run(argv, check=False).returncode
        except OSError as error:
            raise ChrootError(f"cannot start {argv[0]}: {error.strerror}") from error
        except KeyboardInterrupt:  # no terminal there has taken it
            hint = "what was begun there goes on until it next writes"
            raise Cancelled(
                "the connection was closed", "" if self._has_hung_up() else hint
            ) from None
        if code == _SSH_FAILED and self._is_cut():
            report: Report = options.get("report", ignore)
            report(Warned(path, Problem(f"{self._name}: the connection was lost", _LOOK_FIRST)))
        return code if code >= 0 else 128 - code

    def _is_cut(self) -> bool:
        """Tell whether nobody there answers any more: 255 is a command's own code, too."""
        try:
            if self._connection is not None:
                self._connection.ask("locate", {"directory": "."}, lambda _found, _size: None)
        except ConnectionLostError:
            return True
        except ChrootError:
            pass  # whatever the answer is
        return False

    @property
    def _name(self) -> str:
        return self._connection.name if self._connection is not None else ""

    def _has_hung_up(self) -> bool:
        if not self._hang_up:
            return False
        quiet = subprocess.DEVNULL
        try:
            done = subprocess.run(
                self._hang_up, check=False, stdin=quiet, stdout=quiet, stderr=quiet,
                timeout=_GOODBYE,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired, KeyboardInterrupt):
            return False
        return done.returncode == 0


def _said(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return those that are said on the command line there: who asks is somebody else there."""
    return {one: options[one] for one in ("user", "cwd", "env", "config_dir") if one in options}


def _wants_root(host: str, error: PrivilegeError) -> PrivilegeError:
    """Return what is said where who logs in on *host* is not root there, and does not become it."""
    rule = f"chroot-tool sudoers USER, as root on {host}, prints the rule that is missing"
    told = PrivilegeError(f"{host}: {error.message}", rule)
    told.host = host
    return told


class _Part:
    """What a method of the engine returns that is asked further there."""

    def __init__(self, engine: RemoteEngine, of: str) -> None:
        self.engine = engine
        self.of = of


class _RemoteBinds(_Part):
    """The bind entries of a chroot there."""


class _RemoteBases(_Part):
    """The bases there."""


class _RemoteSizes(_Part):
    """Counts there."""


def _asking(name: str) -> Callable[..., Any]:
    def ask(self: Any, *positional: Any, **named: Any) -> Any:
        engine, of = (self.engine, self.of) if isinstance(self, _Part) else (self, "")
        method = contract.method(name)
        return engine.ask(method, of, method.bind(positional, named))

    ask.__doc__ = f"As `{name}` of the contract."
    return ask


_PARTS = {"": RemoteEngine, "binds": _RemoteBinds, "bases": _RemoteBases, "sizes": _RemoteSizes}
for _name in contract.names():
    _part, _, _word = _name.rpartition(".")
    setattr(_PARTS[_part], _word, _asking(_name))


class RemoteFollowing:
    """Follows the chroots there; where the connection is lost it is tried again and again."""

    def __init__(self, engine: RemoteEngine) -> None:
        self._engine = engine
        self._chroots: dict[str, ChrootStatus] = {}
        self._sizes: dict[str, int] = {}
        """Bytes of what was said of each."""
        self._size = 0
        self._seen: Snapshot | None = None
        self._changed = threading.Event()
        self._ended = threading.Event()
        self._again = threading.Event()
        self._stop: Callable[[], None] | None = None
        self._since = math.inf
        """When the connection stood; never, until one does."""
        self._thread = threading.Thread(target=self._run, name="follow there", daemon=True)
        self._thread.start()

    def snapshot(self) -> Snapshot:
        """As `Following.snapshot`: what was told last. The first time it is waited for."""
        while self._seen is None and not self._ended.is_set():
            self._changed.wait()
            self._changed.clear()
        return self._seen or _seen(self._engine.base)

    def wait(self) -> None:
        """As `Following.wait`; nothing more comes after `close`."""
        if not self._ended.is_set():  # of which `snapshot` may have taken the word
            self._changed.wait()
            self._changed.clear()

    def wake(self) -> None:
        """As `Following.wake`; a connection that was lost is tried again at once."""
        self._again.set()
        self._changed.set()

    def close(self) -> None:
        """As `Following.close`."""
        self._ended.set()
        if self._stop is not None:
            self._stop()
        self.wake()

    def _run(self) -> None:
        failed = 0
        while not self._ended.is_set():
            self._since = math.inf
            try:
                self._follow()
            except ChrootError as error:
                if self._ended.is_set():
                    return
                self._engine.refused = error
                if time.monotonic() - self._since > _PAUSES[-1]:
                    failed = 0
                pause = _PAUSES[min(failed, len(_PAUSES) - 1)]
                failed += 1
                again = f"tried again in {pause:.0f} s"
                hint = f"{error.hint} · {again}" if error.hint else again
                self._tell(Problem(error.message, hint))
                self._again.wait(pause)
                self._again.clear()

    def _follow(self) -> None:
        connection = self._engine.connection()
        self._since = time.monotonic()
        self._engine.refused = None
        self._forget()
        connection.ask(contract.FOLLOW, {}, self._take, begun=self._begun)
        raise ChrootError(f"{connection.name}: the chroot-tool there was ended")

    def _begun(self, stop: Callable[[], None]) -> None:
        self._stop = stop
        if self._ended.is_set():  # before there was anything to stop
            stop()

    def _take(self, found: dict[str, Any], size: int) -> None:
        event = found.get("event")
        if event == "chroot":
            one = documents.decode(found.get("chroot"), ChrootStatus)
            if not one.path.startswith("/"):
                raise ValueError(f"{one.path!r} is no path")
            self._chroots[one.path] = one
            self._size += size - self._sizes.get(one.path, 0)
            self._sizes[one.path] = size
            self._mind()
        elif event == "gone":
            path = documents.decode(found.get("path"), str)
            self._chroots.pop(path, None)
            self._size -= self._sizes.pop(path, 0)
        elif event == "seen":
            why = documents.optional(Problem)
            self._tell(
                documents.decode(found.get("problem"), why),
                documents.decode(found.get("late"), why),  # an older one does not say it
            )

    def _mind(self) -> None:
        """Have no more to do with one that says more than can be. Raises ChrootError."""
        if len(self._sizes) <= _MOST_CHROOTS and self._size <= _MOST_BYTES:
            return
        self._forget()
        self._engine.close(wait=False)
        raise ChrootError(
            f"what is said to be there is too much: more than {_MOST_CHROOTS} chroots, or "
            f"{_MOST_BYTES >> 20} MiB"
        )

    def _forget(self) -> None:
        self._chroots, self._sizes, self._size = {}, {}, 0

    def _tell(self, problem: Problem | None, late: Problem | None = None) -> None:
        chroots = tuple(sorted(self._chroots.values(), key=lambda one: one.name))
        found = _seen(self._engine.base, chroots, problem, late)
        if found != self._seen:
            self._seen = found
            self._changed.set()


def _seen(
    base: str, chroots: tuple[ChrootStatus, ...] = (), problem: Problem | None = None,
    late: Problem | None = None,
) -> Snapshot:  # fmt: skip
    from ..looking.snapshot import Snapshot  # it costs those 5 ms who only ask once

    return Snapshot(base, chroots, problem, late=late)
