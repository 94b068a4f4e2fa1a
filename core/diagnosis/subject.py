"""What is looked at, this host or one chroot, and what several checks want to know of it.

Checks run beside each other, each in a thread of its own: what they share is looked up by the first
that asks, and each opens the chroot for itself, so that nothing is closed under a slow one.
"""

from __future__ import annotations

import os
from threading import Lock

from ..chroot import open_directory
from ..config.read import read_config
from ..creating.bases.store import Cache
from ..errors import ConfigError
from ..host.mount_points import host_facts
from ..kernel import answering
from ..looking import status
from ..mounts.limits import limits_of
from ..mounts.observe import Observer
from ..value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TypeVar

    from ..config.merge import Config
    from ..errors import Problem
    from ..host.apt_proxy import Proxies
    from ..kernel.mount_table import MountTable
    from ..kernel.rootpath import Root
    from ..looking.status import MountStatus
    from ..mounts.compare import Wanted
    from ..mounts.limits import Limits

    T = TypeVar("T")


class Seen(Value):
    """What a chroot is, as its status has it, with what that was made of."""

    root: str
    """Its physical path."""
    config: Config | None
    mistakes: tuple[Problem, ...]
    """Why there is no `config`, or why nothing of it may be mounted."""
    wanted: tuple[Wanted, ...]
    table: MountTable
    host_pts: str
    mounts: tuple[MountStatus, ...]
    state: str
    """off, on or partial."""


class Subject:
    """What is looked at. `path` is "" for this host."""

    def __init__(
        self,
        base: str,
        path: str = "",
        *,
        backend: str = "",
        cache: Cache | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Look at the chroot at *path*; *backend* and *cache* are how new ones are made."""
        self.base = base
        self.path = path
        self.backend = backend or "debootstrap"
        self.cache = cache or Cache()
        self.environment = os.environ if environment is None else environment
        self._lock = Lock()
        self._seen: Seen | None = None
        self._proxies: Proxies | None = None

    @property
    def place(self) -> str:
        """The directory that is looked at: that of the chroot, or of all chroots."""
        return self.path or self.base

    def open(self) -> Root:
        """Open the chroot; the caller closes it. Raises ChrootError."""
        return open_directory(self.path)

    @property
    def proxies(self) -> Proxies:
        """How mirrors are reached from here."""
        from ..host.apt_proxy import host_proxies

        with self._lock:
            if self._proxies is None:
                self._proxies = host_proxies()
            return self._proxies

    @property
    def seen(self) -> Seen:
        """What the chroot is. Raises ChrootError where it can't be opened."""
        with self._lock:
            if self._seen is None:
                with self.open() as root:
                    self._seen = _look(root)
            return self._seen


def _look(root: Root) -> Seen:
    mistakes: tuple[Problem, ...] = ()
    config: Config | None = None
    limits: Limits | None = None
    try:
        config = read_config(root, host_facts())
        limits = limits_of(root.path, config)
    except ConfigError as error:
        mistakes = error.problems
    observer = Observer(seconds=answering.LOOK)
    wanted = observer.wanted(root, config.binds, limits) if config else ()
    known = wanted if config else None
    mounts, _ = status.mounts(known, observer.table, root.path, observer.host_pts)
    return Seen(
        root.path, config, mistakes, wanted, observer.table, observer.host_pts, mounts,
        status.state(mounts),
    )  # fmt: skip
