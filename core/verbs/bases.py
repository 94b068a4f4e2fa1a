"""Bases: the trees that `create` unpacks instead of bootstrapping them."""

from __future__ import annotations

import os

from ..creating.base_or_bootstrap import BaseOrBootstrap
from ..creating.bases import keeping
from ..creating.bases.key import Key, key_of
from ..creating.bases.lock import BaseLock, try_lock
from ..creating.bases.store import BUILD, Base, Cache, Store
from ..creating.create import checked
from ..creating.options import default_options
from ..creating.progress import Teller
from ..engine_parts import Outlook, Pruned
from ..errors import Cancelled, ChrootError, UsageError
from ..events import ignore
from ..need_root import need_root
from ..text import suggestion
from ..trees.remove import tree as remove_tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from threading import Event as Flag

    from ..creating.options import CreateOptions
    from ..events import Report

_DIFFERS = {
    "suite": "another suite",
    "arch": "another architecture",
    "variant": "another variant",
    "backend": "another back end",
    "mirror": "another mirror",
    "include": "other packages",
    "keyring": "other keys of the mirror",
}


class LocalBases:
    """The `Bases` of this machine, in the directory of *cache*; *backend* makes new ones."""

    def __init__(self, cache: Cache, backend: str) -> None:
        self._cache = cache
        self._backend = backend

    def list(self) -> tuple[Base, ...]:
        """As `Bases.list`."""
        try:
            with Store(self._cache.directory) as store:
                return store.bases()
        except FileNotFoundError:
            return ()

    def outlook(self, options: CreateOptions) -> Outlook:
        """As `Bases.outlook`."""
        options = default_options(options, self._backend)
        if not self._cache.limit:
            return Outlook(None, "no bases are kept: cache-size is 0 in the settings")
        if not options.cache:
            return Outlook(None, "made without a base")
        try:
            key, there = key_of(options), self.list()
        except ChrootError as error:
            return Outlook(None, error.message)
        base = next((base for base in there if base.key == key), None)
        if base:
            return Outlook(base, "")
        if options.offline:
            return Outlook(None, keeping.no_base(options).message)
        return Outlook(None, _why_not(key, there))

    def make(
        self, options: CreateOptions, *, report: Report = ignore, cancelled: Flag | None = None
    ) -> Base:
        """As `Bases.make`."""
        if not self._cache.limit:
            raise ChrootError("no bases are kept: cache-size is 0 in the settings", "raise it")
        need_root("making a base")
        options = options.replace(backend=options.backend or self._backend, cache=True)
        with Store(self._cache.directory, make=True) as store:
            tell = Teller(store.path, report)
            tell.stage("checking")
            request = checked(f"{store.path}/base", options, self._cache, cancelled)
            key = key_of(request.options)

            def waiting(pid: int) -> None:
                who = f" (process {pid})" if pid else ""
                tell.stage(f"waiting for another create of the same kind{who}")

            with BaseLock(store, key.name, waiting, cancelled):
                store.tidy(key.name)
                return _made(store, request, key, tell, cancelled)

    def remove(self, names: Sequence[str]) -> tuple[str, ...]:
        """As `Bases.remove`."""
        with _there(self._cache) as store:
            known = store.names()
            for name in names:
                if name not in known:
                    raise UsageError(
                        f"there is no base {name!r}", suggestion(name, known) or "`base list`"
                    )
            for name in names:
                lock = try_lock(store, name)
                if lock is None:
                    raise ChrootError(f"the base {name} is being made just now", "wait for it")
                with lock:
                    store.remove(name)
        return tuple(names)

    def prune(self, limit: int | None = None) -> Pruned:
        """As `Bases.prune`."""
        try:
            store = Store(self._cache.directory)
        except FileNotFoundError:
            return Pruned((), 0)
        with store:
            freed = 0
            for name in store.names():
                lock = try_lock(store, name)
                if lock:
                    with lock:
                        freed += store.tidy(name)
            most = self._cache.limit if limit is None else limit
            gone = keeping.shrink(store, most)
            freed += sum(base.size for base in gone)
        return Pruned(tuple(base.name for base in gone), freed)


def _there(cache: Cache) -> Store:
    try:
        return Store(cache.directory)
    except FileNotFoundError:
        raise ChrootError(f"there are no bases: {cache.directory} does not exist") from None


def _made(
    store: Store, request: keeping.CreateRequest, key: Key, tell: Teller, cancelled: Flag | None
) -> Base:
    """Make or refresh the base of *key*, whose lock the caller has, in a directory beside it."""
    build = key.name + BUILD
    os.mkdir(build, 0o700, dir_fd=store.fd)
    try:
        tree = f"{store.path}/{build}/root"
        os.mkdir(tree)
        os.chmod(tree, 0o755)
        BaseOrBootstrap(request.replace(tree=tree), store, tell, cancelled, making=True).run()
    except Cancelled as error:
        raise Cancelled(
            f"making the base {key.name} was interrupted; what it had made is gone"
        ) from error
    finally:
        _remove_build(store, build, tell)
    base = store.find(key)
    if base is None:
        raise ChrootError(f"the base {key.name} is gone again", "another process removed it")
    tell.stage("done", 1.0)
    return base


def _remove_build(store: Store, build: str, tell: Teller) -> None:
    """Remove what a base was made in. What is left does not hinder: the base is there, or not."""
    tell.stage("removing what it was made in")
    try:
        remove_tree(store.fd, build)
    except (ChrootError, OSError) as error:
        why = getattr(error, "strerror", "") or str(error)
        tell.warn(f"{store.path}/{build} could not be removed: {why}", "`base prune` removes it")


def _why_not(key: Key, there: Sequence[Base]) -> str:
    """Say in what the nearest base is another one."""
    if not there:
        return "there is no base yet"
    near = min((_differences(key, base.key) for base in there), key=len)
    if not 0 < len(near) <= 2:
        return "there is no base of this kind"
    return f"the nearest base has {' and '.join(near)}"


def _differences(wanted: Key, other: Key) -> list[str]:
    """Return in what *other* is not what is *wanted*, in words for people."""
    return [
        said for name, said in _DIFFERS.items() if getattr(wanted, name) != getattr(other, name)
    ]
