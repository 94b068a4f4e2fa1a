"""Bases as a whole: what is asked for, finding one, packing one, keeping to the bound."""

from __future__ import annotations

import os
import time

from ...errors import ChrootError
from ...text import ago, size
from ...value import Value
from ..directory import NEEDED
from . import archive
from .key import Key, key_of
from .lock import try_lock
from .store import PART, Base, Cache, Facts, Store, archive_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from threading import Event as CancelEvent

    from ...host.apt_proxy import Proxies
    from ..mirror import Release
    from ..options import CreateOptions


class CreateRequest(Value):
    """What is wanted, and how it is to be had."""

    tree: str
    """The empty directory that it is made in; nobody but root can get there."""
    options: CreateOptions
    """Whole."""
    proxies: Proxies
    cache: Cache
    release: Release | None = None
    """What the mirror said of the suite, where it was asked already."""


def find(options: CreateOptions, cache: Cache) -> Base | None:
    """Return the base that whole *options* would be made from, None where none is there.

    Raises what `Store` raises where the directory cannot be trusted.
    """
    if not options.cache or not cache.limit:
        return None
    try:
        with Store(cache.directory) as store:
            return store.find(key_of(options))
    except FileNotFoundError:
        return None


def no_base(options: CreateOptions) -> ChrootError:
    """Return the error for a create that may use nothing but a base where there is none."""
    what = f"{options.suite} ({options.arch}, {options.variant}, {options.backend})"
    return ChrootError(
        f"there is no base for {what}, and without the network none can be made",
        "`base list` shows what is there, `base make` makes one where there is a network",
    )


def pack(
    request: CreateRequest, store: Store, key: Key, facts: Facts, cancelled: CancelEvent | None
) -> Base:
    """Pack the tree of *request* as the base of *key*, whose lock the caller has.

    Raises ChrootError, OSError, Cancelled.
    """
    disk = os.fstatvfs(store.fd)
    free, needed = disk.f_bavail * disk.f_frsize, NEEDED[request.options.variant]
    if free < needed:
        raise ChrootError(
            f"{size(free)} are free in {store.path}, {size(needed)} should be",
            "`base prune --to SIZE` removes the oldest",
        )
    fd = store.begin(key.name)
    try:
        sha256, count = archive.pack(request.tree, fd, cancelled)
        if count > request.cache.limit:
            raise ChrootError(
                f"it has {size(count)}, all bases together may have {size(request.cache.limit)}",
                "the setting `cache-size` says how much",
            )
        base = Base(key, facts, archive_name(key, sha256), sha256, count, time.time())
        store.finish(base)
    except BaseException:
        store.unlink(key.name + PART)
        raise
    finally:
        os.close(fd)
    return base


def make_room(store: Store, base: Base, limit: int) -> None:
    """Remove what the new *base* has taken the place of, and the oldest that pass *limit* bytes.

    The caller has its lock. Raises OSError with the name of what could not be removed.
    """
    store.remove_older(base)
    shrink(store, limit, keep=base.name)


def shrink(store: Store, limit: int, *, keep: str = "") -> tuple[Base, ...]:
    """Remove bases, the one that was used longest ago first, until they have *limit* bytes.

    The one called *keep* stays, and so does one that somebody makes now. Returns what went.
    """
    bases = store.bases()
    total = sum(base.size for base in bases)
    gone: list[Base] = []
    for base in reversed(bases):
        if total <= limit:
            break
        if base.name == keep:
            continue
        lock = try_lock(store, base.name)
        if lock is None:
            continue
        with lock:
            store.remove(base.name)
        total -= base.size
        gone.append(base)
    return tuple(gone)


def age(made: float) -> str:
    """Return how long ago *made* was, in words."""
    return ago(time.time() - made)
