"""The tree of a new chroot: unpacked from a base where there is one, else bootstrapped and kept.

Nothing that goes wrong with keeping a base hinders a create: that is told, and the chroot is made.
A base that is damaged is thrown away, what came out of it too, and a new one is made.
"""

from __future__ import annotations

import os
import time
from contextlib import contextmanager

from .. import programs
from ..errors import Cancelled, ChrootError
from ..kernel.rootpath import Root
from .bases import archive
from .bases.archive import DamagedError
from .bases.keeping import CreateRequest, age, make_room, no_base, pack
from .bases.key import key_of
from .bases.lock import BaseLock
from .bases.store import Base, Facts, Store
from .bootstrap import bootstrap, checked_release, mirrors_of
from .mirror import check_release
from .refresh import Asked, Refresh, is_another, is_newer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from threading import Event as CancelEvent

    from .mirror import Release
    from .progress import Teller

_PATIENCE = 4.0
"""Seconds that the mirror has, once the base is unpacked, to say whether there is anything new."""
_BEGIN, _KEEP = 0.02, 0.93  # where bootstrapping and packing lie in the whole
_UNPACK_END = 0.80


def supply(request: CreateRequest, tell: Teller, cancelled: CancelEvent | None) -> bool:
    """Make the system of *request* in its tree; tell whether it came from a base.

    Raises ChrootError where it cannot be had, Cancelled; what is in the tree then is worth nothing.
    """
    store = _opened(request, tell)
    if store is None:
        _bootstrapped(request, tell, cancelled)
        return False
    with store:
        return BaseOrBootstrap(request, store, tell, cancelled).run()


def _opened(request: CreateRequest, tell: Teller) -> Store | None:
    """Return the store of bases; None, told with the reason, where it cannot be used."""
    if not request.options.cache or not request.cache.limit:
        return None
    for program in archive.PROGRAMS:
        if programs.find(program) is None:
            tell.warn(f"no base is kept: {program} is not installed", f"apt install {program}")
            return None
    try:
        return Store(request.cache.directory, make=True)
    except ChrootError as error:
        tell.warn(error.message, error.hint)
    except OSError as error:
        tell.warn(f"no base is kept: {request.cache.directory}: {error.strerror}")
    return None


def _bootstrapped(request: CreateRequest, tell: Teller, cancelled: CancelEvent | None) -> Facts:
    """Bootstrap the tree of *request*; return what is to be known of it."""
    if request.options.offline:
        raise no_base(request.options)
    begun = time.monotonic()
    release = request.release or checked_release(request.options, request.proxies, cancelled)
    tell.part(_BEGIN, _KEEP)
    bootstrap(request.tree, request.options, release, request.proxies, tell, cancelled)
    return Facts(
        time.time(), round(time.monotonic() - begun, 1), _packages(request.tree),
        release.field("Date") if release else "", release.field("Codename") if release else "",
    )  # fmt: skip


def _packages(tree: str) -> int:
    """Return how many packages are installed in *tree*: dpkg has a list of files for each."""
    try:
        with Root(tree) as root:
            fd = root.open("/var/lib/dpkg/info", os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return 0
    try:
        return sum(name.endswith(".list") for name in os.listdir(fd))
    finally:
        os.close(fd)


class BaseOrBootstrap:
    """A request carried out with the store open.

    *making*: it is a base that is wanted, not what is in the tree. Then the caller has the lock of
    the base already, and it is an error where it cannot be kept.
    """

    def __init__(
        self,
        request: CreateRequest,
        store: Store,
        tell: Teller,
        cancelled: CancelEvent | None,
        *,
        making: bool = False,
    ) -> None:
        self._request = request
        self._store = store
        self._tell = tell
        self._cancelled = cancelled
        self._making = self._locked = making
        self._may_keep = True
        self._key = key_of(request.options)
        self._asked: Asked | None = None

    def run(self) -> bool:
        """Fill the tree; tell whether it came from a base. Raises as `supply` does."""
        while True:
            base = self._store.find(self._key)
            if base is None:
                with self._lock():
                    base = self._store.find(self._key)  # made while it was waited for
                    if base is None:
                        self._make()
                        return False
            if self._unpack(base):
                self._refresh(base)
                return True
            self._clear()

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """Have the lock of the base; it is had once, however often it is asked for."""

        def waiting(pid: int) -> None:
            who = f" (process {pid})" if pid else ""
            self._tell.stage(f"waiting for another create of the same kind{who}")

        if self._locked:
            yield
            return
        try:
            lock = BaseLock(self._store, self._key.name, waiting, self._cancelled)
        except OSError as error:  # a full disk: then without one, and nothing is kept
            self._not_kept(str(error.strerror))
            self._may_keep = False
            yield
            return
        with lock:
            self._locked = True
            try:
                self._store.tidy(self._key.name)
                yield
            finally:
                self._locked = False

    # -- making ----------------------------------------------------------------------------------

    def _make(self) -> None:
        self._keep(_bootstrapped(self._request, self._tell, self._cancelled))

    def _keep(self, facts: Facts) -> None:
        """Pack the tree as the base; tell where that is not possible. Raises Cancelled."""
        if not self._may_keep:
            return
        self._tell.stage("keeping it as a base", _KEEP)
        try:
            base = pack(self._request, self._store, self._key, facts, self._cancelled)
        except Cancelled:
            raise
        except ChrootError as error:
            self._not_kept(error.message, error.hint)
            return
        except OSError as error:
            self._not_kept(str(error.strerror))
            return
        try:
            make_room(self._store, base, self._request.cache.limit)
        except OSError as error:
            self._tell.warn(
                f"{self._store.path}/{error.filename} could not be removed: {error.strerror}",
                "`base prune` removes what is too much",
            )

    def _not_kept(self, why: str, hint: str = "") -> None:
        if self._making:
            raise ChrootError(f"the base could not be kept: {why}", hint)
        self._tell.warn(f"it was not kept in {self._store.path} as a base: {why}", hint)

    def _clear(self) -> None:
        """Make the tree an empty directory again."""
        from ..trees.remove import tree

        parent, _, name = self._request.tree.rpartition("/")
        fd = os.open(parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            tree(fd, name)
            os.mkdir(name, dir_fd=fd)
            os.chmod(name, 0o755, dir_fd=fd)
        finally:
            os.close(fd)

    # -- unpacking -------------------------------------------------------------------------------

    def _unpack(self, base: Base) -> bool:
        """Unpack *base*; False where it is not there any more, or damaged, and then thrown away."""
        options = self._request.options
        mirrors = mirrors_of(options)
        self._asked = None
        if options.refresh and not options.offline and mirrors:
            self._asked = Asked(mirrors, options.suite, self._request.proxies)
        try:
            fd = self._store.open_archive(base)
        except OSError:
            now = self._store.find(self._key)
            if now and now.sha256 == base.sha256:
                self._throw_away(base, "it cannot be read")
            return False
        self._tell.part(_BEGIN, _UNPACK_END)
        text = f"unpacking a base made {age(base.facts.made)}"
        self._tell.within(text, 0.0)

        def progress(fraction: float) -> None:
            self._tell.within(text, fraction)

        try:
            archive.unpack(fd, self._request.tree, base.sha256, progress, self._cancelled)
        except DamagedError as error:
            self._throw_away(base, error.message)
            return False
        finally:
            os.close(fd)
        self._store.touch(base)
        return True

    def _throw_away(self, base: Base, why: str) -> None:
        with self._lock():
            now = self._store.find(self._key)
            if now is None or now.sha256 == base.sha256:
                self._store.discard(base)
        self._tell.warn(f"the base {base.name} was damaged and is thrown away: {why}")

    # -- refreshing ------------------------------------------------------------------------------

    def _refresh(self, base: Base) -> None:
        """Bring what was unpacked up to date where the mirror has newer, and the base with it."""
        release = self._news(base)
        if release is None:
            return
        with self._lock():
            now = self._store.find(self._key)
            if now is not None and now.sha256 != base.sha256:  # somebody was quicker
                self._clear()
                if self._unpack(now):
                    return
                self._clear()
                self._make()
            elif is_another(release, base.facts) or not self._upgraded(base, release):
                self._tell.stage("making it anew")
                self._clear()
                self._request = self._request.replace(release=None)
                self._make()

    def _news(self, base: Base) -> Release | None:
        """Return what the mirror says of the suite, None where it has nothing new or is silent."""
        if self._asked is None:
            return None
        if not self._asked.is_answered:
            self._tell.stage("asking the mirror for news")
        try:
            release = self._asked.answer(_PATIENCE, self._cancelled)
            check_release(release, self._request.options.arch)
        except Cancelled:
            raise
        except ChrootError as error:
            self._not_refreshed(base, error)
            return None
        return release if is_newer(release, base.facts) else None

    def _not_refreshed(self, base: Base, error: ChrootError) -> None:
        self._tell.warn(
            f"it is as old as its base, made {age(base.facts.made)}: {error.message}",
            "apt-get update && apt-get dist-upgrade inside brings it up to date",
        )

    def _upgraded(self, base: Base, release: Release) -> bool:
        """Bring the tree up to date; False where making it anew is better."""
        self._tell.stage("looking for newer packages", _UNPACK_END)
        apt = Refresh(
            self._request.tree, release.mirror, self._request.proxies, self._tell, self._cancelled
        )
        facts = base.facts.replace(made=time.time(), release=release.field("Date"))
        try:
            changes = apt.look()
        except Cancelled:
            raise
        except ChrootError as error:
            self._not_refreshed(base, error)
            apt.leave()
            return True
        if not changes.any:
            apt.leave()
            self._note(base.replace(facts=facts))
            return True
        if not changes.quicker_than(facts):
            return False
        self._tell.stage(f"bringing {changes.upgraded} packages up to date", 0.85)
        try:
            apt.upgrade()
        except Cancelled:
            raise
        except ChrootError as error:
            self._tell.warn(f"it could not be brought up to date: {error.message}")
            return False
        apt.leave()
        self._keep(facts.replace(packages=_packages(self._request.tree)))
        return True

    def _note(self, base: Base) -> None:
        try:
            self._store.note(base)
        except OSError as error:
            self._tell.warn(f"the base {base.name} was not noted as fresh: {error.strerror}")
