"""The engine of a session, and its base directory: the only place that makes an engine."""

from __future__ import annotations

import os

from ..core.errors import ConfigError
from ..core.kernel import answering
from ..core.kernel.answering import PATIENCE, NotAnswering, set_patience
from ..core.local_engine import LocalEngine
from . import privilege
from .paths import settings_file
from .privilege import program, started

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..core.creating.preferences import Habits
    from ..core.engine import Engine
    from ..core.remote.between_machines import Program
    from ..core.remote.inventory import Target
    from ..core.remote.machines import Machines
    from ..core.remote.remote_engine import RemoteEngine
    from ..core.remote.stream import End

DEFAULT_BASE = "/srv/chroot"


def open_engine(base: str = "", host: str = "", backend: str = "") -> Engine:
    """Return the engine for what `--base` and `--host` say, "" where one is not given.

    *backend* is what makes chroots here where nothing else is said, "" for the settings'. Raises
    ConfigError, UsageError for a host that is none.
    """
    if host:
        return _elsewhere(host, base, ask=True).of()
    set_patience(_patience)
    own = (lambda: habits().replace(backend=backend)) if backend else habits
    unasked = (privilege.UNASKED,) if privilege.is_wanted() else ()
    asks = _asks if unasked else None
    return LocalEngine(
        base_directory(base), own, started(), program, unasked, asks, privilege.asking,
        privilege.owner, lambda: unasked or privilege.for_caller(),
    )  # fmt: skip


def _asks() -> bool:
    """Tell whether a password is to be given, on a terminal that is new, for what root does."""
    from .settings.file import load

    before = privilege.prefix(load().privilege)
    return bool(before) and not privilege.lets(privilege.fresh(before))  # without it is refused


def open_machines(
    names: Sequence[str], base: str = "", host: str = "", rise_by: tuple[str, ...] = ()
) -> Machines:
    """Return the engine of this machine, or of *host*, with those of *names* beside it.

    *host* is connected to now, since ssh can still ask. *rise_by*: by what root's privilege is
    had here, where this is not root (`privilege.prefix`). Raises ConfigError, ChrootError.
    """
    from ..core.remote.machines import Machines

    if host:
        from ..core.remote.ssh import Host

        there = Host(host, ask=True)
        engine = there.engine(base)
        engine.connection()
        there.ask_no_more()  # the next, where this one is lost: what is typed is for the UI then
        return Machines(engine.of(), (), _at_rest)
    here = open_engine(base)
    if not rise_by or not privilege.is_wanted():
        return Machines(here, names, _at_rest)
    return Machines(here, names, _at_rest, lambda: _as_root(rise_by, here.base))


def _as_root(before: tuple[str, ...], base: str) -> RemoteEngine:
    """Return the engine on *base* that is root, behind *before*; nobody is asked for a password."""
    from ..core.remote.connection import Connection
    from ..core.remote.remote_engine import RemoteEngine

    words = ("--base", base, "serve", "--json", "--backend", habits().backend)
    argv = privilege.elevated(privilege.quiet(before), *words)
    how = "" if before[0] == "sudo" else f" --for {before[0]}"
    rule = (
        f"chroot-tool sudoers {privilege.asking()}{how}, as root, prints the rule that is missing"
    )
    in_a_window = before[0] == "pkexec"  # by an agent, who takes the time it takes

    def unasked(words: Sequence[str]) -> tuple[str, ...]:
        return (*program(), privilege.UNASKED, *words)

    # What is started on a terminal becomes root by itself, and asks where it has to.
    return RemoteEngine(
        lambda: Connection(argv, "as root", ask=in_a_window, hint=rule),
        lambda words: (*program(), *words), base,
        piped=unasked, unasked=unasked, asks=_asks,
    )  # fmt: skip


def _at_rest(host: str) -> RemoteEngine:
    """Return the engine of a host that nobody is asked anything for: the terminal is the UI's."""
    return _elsewhere(host, "", ask=False)


def open_target(target: Target, base: str = "", *, is_look: bool = False) -> RemoteEngine | Engine:
    """Return the engine of a machine of an inventory, which asks nobody anything.

    *is_look*: it is only to be looked at (`core.remote.ssh.Host.engine`).
    Raises ConfigError, UsageError for an address that is none.
    """
    if not target.address:
        return open_engine(base)
    from ..core.remote.ssh import Host

    return Host(target.name, address=target.address, options=target.options).engine(
        base, is_look=is_look
    )


def split_host(text: str) -> tuple[str, str]:
    """Return host and directory of HOST:DIR; the host is "" for a DIR here. Raises UsageError."""
    if ":" not in text:  # the way of `run`
        return "", text
    from ..core.remote.address import split

    host, directory = split(text)
    return host, directory or "."


def _elsewhere(host: str, base: str, *, ask: bool) -> RemoteEngine:
    from ..core.remote.ssh import Host

    return Host(host, ask=ask).engine(base)


def end_of(host: str, words: Sequence[str]) -> End:
    """Return the chroot-tool that does *words* at one end of a stream: on *host*, "" for here."""
    from ..core.remote.stream import End

    if not host:  # it has pipes in the place of a terminal: `elevate.beforehand` has asked
        unasked = (privilege.UNASKED,) if privilege.is_wanted() else ()
        return End("", LocalEngine("", program=started()).command("", (*unasked, *words)))
    from ..core.remote.ssh import Host

    return End(host, Host(host).piped(words))


def third(host: str) -> Program:
    """Return what makes the chroot-tool of *host* an end of a stream, once it is connected to.

    ssh can still ask now. Raises ChrootError, UsageError for a host that is none.
    """
    _elsewhere(host, "", ask=True).connection()
    return lambda words: end_of(host, words)


def beside(host: str, words: Sequence[str], *, terminal: bool) -> tuple[str, ...]:
    """Return what runs *words* on *host* by the connection that is open; nothing is asked."""
    from ..core.remote.ssh import Host

    return Host(host).beside(words, terminal=terminal)


def _patience() -> float:
    """Return how long a file system that does not answer is waited for: asked when one does not."""
    from .settings.file import load

    try:
        return load().patience
    except ConfigError:
        return PATIENCE  # who uses the settings for anything else is told


def habits() -> Habits:
    """Return how the user makes chroots. Raises ConfigError where the settings file is wrong."""
    from ..core.creating.bases.store import DIRECTORY, Cache
    from ..core.creating.preferences import Habits
    from .settings.file import load

    settings = load()
    place = os.environ.get("CHROOT_TOOL_CACHE", "") or settings.cache or DIRECTORY
    return Habits(settings.backend, Cache(place, settings.cache_size))


def base_directory(given: str, home: str = "") -> str:
    """Return the base directory: *given* where it is not empty, else as README.md orders.

    That is the environment, the settings file (that of another, whose *home* that is), the default.
    Raises ConfigError where the settings file must be read and is wrong.
    """
    if given or (given := os.environ.get("CHROOT_TOOL_BASE", "")):
        return given
    path = settings_file(home)
    try:
        there = answering.look(path, lambda: os.path.exists(path), seconds=answering.LOOK)
    except NotAnswering as error:
        from .exits import say

        say(f"warning: {path} {error.strerror}: the base directory is {DEFAULT_BASE}")
        return DEFAULT_BASE
    if there:
        from .settings.file import load

        return load(path, home or "~").base or DEFAULT_BASE
    return DEFAULT_BASE
