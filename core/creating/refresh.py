"""Bringing a tree that a base gave up to date, by its own apt, before anything else is put in.

Afterwards it is what a bootstrap would make now, so that it can be the base from then on.
"""

from __future__ import annotations

import os

from ..errors import Cancelled, ChrootError
from ..host.mount_points import RESOLV_CONF
from ..kernel.rootpath import Root
from .bootstrap import run_inside
from .initial_setup import POLICY, POLICY_TEXT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from threading import Event as CancelEvent

    from ..host.apt_proxy import Proxies
    from .bases.store import Facts
    from .mirror import Release
    from .progress import Teller

_APT = (
    "apt-get", "-q", "-y", "-o", "Dpkg::Use-Pty=0",
    # Packages that nobody has changed yet ask nothing; if one does, its old file stays.
    "-o", "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold",
    # No fsync for each file: what is cut off here is thrown away whole.
    "-o", "Dpkg::Options::=--force-unsafe-io",
    "-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache=",
)  # fmt: skip
_LISTS = "/var/lib/apt/lists"
_PACKAGE_SECONDS = 0.35
_APT_SECONDS = 4.0
"""What an upgrade took for each package, and around all of them; docs/images.md has the figures."""


class Changes:
    """What an upgrade would do: packages with a newer version, and others that come or go."""

    def __init__(self, lines: Iterable[str]) -> None:
        """Read the lines of `apt-get --simulate dist-upgrade`."""
        self.upgraded = self.others = 0
        for line in lines:
            words = line.split()
            if words[:1] == ["Inst"] and len(words) > 2 and words[2].startswith("["):
                self.upgraded += 1
            elif words[:1] in (["Inst"], ["Remv"]):
                self.others += 1

    @property
    def any(self) -> bool:
        """Whether there is anything to do."""
        return self.upgraded > 0 or self.others > 0

    def quicker_than(self, facts: Facts) -> bool:
        """Tell whether upgrading takes less time than bootstrapping did.

        Where packages come or go it is no question of time: an upgrade keeps what a bootstrap
        would not install any more, and from base to base that would grow.
        """
        return not self.others and (
            _APT_SECONDS + self.upgraded * _PACKAGE_SECONDS < max(facts.seconds, _APT_SECONDS)
        )


def is_newer(release: Release, facts: Facts) -> bool:
    """Tell whether the mirror's *release* is newer than the one that a base was made from.

    A mirror that lags behind is none that has news.
    """
    from email.utils import parsedate_to_datetime

    try:
        now = parsedate_to_datetime(release.field("Date"))
        return now > parsedate_to_datetime(facts.release)
    except (ValueError, TypeError):  # one of them says none, or not when in a time zone
        return release.field("Date") != facts.release


def is_another(release: Release, facts: Facts) -> bool:
    """Tell whether the suite has moved on to another release: `stable` after a release day."""
    codename = release.field("Codename")
    return bool(codename and facts.codename and codename != facts.codename)


class Refresh:
    """Apt at work in the tree at *path*, kept from starting daemons, asking its own mirror."""

    def __init__(
        self,
        path: str,
        address: str,
        proxies: Proxies,
        tell: Teller,
        cancelled: CancelEvent | None,
    ) -> None:
        self._path = path
        self._proxy = proxies.for_address(address)
        self._tell = tell
        self._cancelled = cancelled
        self._had_lists = True

    def look(self) -> Changes:
        """Fetch the package lists and return what would change.

        Raises ChrootError where the mirror, or what it signs with, is not to apt's mind. The tree
        is as good as before then, but for its lists.
        """
        with Root(self._path) as root:
            self._had_lists = _has_lists(root)
            _write_resolv_conf(root)
        said = self._apt("-o", "APT::Update::Error-Mode=any", "update")
        # Before 2.3 apt had no such mode, and took a mirror that is gone for a warning.
        failed = [line for line in said if line.startswith(("Err:", "W: Failed to fetch"))]
        if failed:
            raise ChrootError(failed[-1])
        return Changes(self._apt("--simulate", "dist-upgrade"))

    def upgrade(self) -> None:
        """Install what is newer. Raises ChrootError; the tree is good for nothing then."""
        with Root(self._path) as root:
            had_policy = root.stat(POLICY, follow=False) is not None
            if not had_policy:
                root.write(POLICY, POLICY_TEXT, 0o755)
        self._apt("dist-upgrade")
        self._apt("clean")
        if not had_policy:
            with Root(self._path) as root:
                _unlink(root, POLICY)

    def leave(self) -> None:
        """Take the lists away where the back end had left none."""
        if not self._had_lists:
            with Root(self._path) as root:
                _drop_lists(root)

    def _apt(self, *words: str) -> list[str]:
        return run_inside(self._path, [*_APT, *words], self._tell, self._cancelled, self._proxy)


class Asked:
    """A question to the mirror that is answered while something else is done."""

    def __init__(self, mirrors: tuple[str, ...], suite: str, proxies: Proxies) -> None:
        import queue
        import threading

        self._answer: queue.Queue[Release | Exception] = queue.Queue()
        self._question = (mirrors, suite, proxies)
        threading.Thread(target=self._ask, daemon=True).start()

    def _ask(self) -> None:
        from .mirror import find_release

        mirrors, suite, proxies = self._question
        try:
            self._answer.put(find_release(mirrors, suite, None, proxies))
        except Exception as error:  # handed on to who waits
            self._answer.put(error)

    @property
    def is_answered(self) -> bool:
        """Whether `answer` would return or raise at once."""
        return not self._answer.empty()

    def answer(self, seconds: float, cancelled: CancelEvent | None) -> Release:
        """Return the answer. Raises ChrootError where there is none within *seconds*, Cancelled."""
        import queue
        from time import monotonic

        until = monotonic() + seconds
        while True:
            try:
                got = self._answer.get(timeout=0.1)
            except queue.Empty:
                if cancelled and cancelled.is_set():
                    raise Cancelled("asking the mirror was stopped") from None
                if monotonic() > until:
                    raise ChrootError("the mirror does not answer") from None
                continue
            if isinstance(got, Exception):
                raise got
            return got


def _has_lists(root: Root) -> bool:
    """Tell whether the package lists are kept: debootstrap leaves them, mmdebstrap does not."""
    return any(name.endswith("_Packages") for name in _listed(root))


def _listed(root: Root) -> list[str]:
    try:
        fd = root.open(_LISTS, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return []
    try:
        return os.listdir(fd)
    finally:
        os.close(fd)


def _drop_lists(root: Root) -> None:
    for name in _listed(root):
        if name not in ("lock", "partial", "auxfiles"):
            _unlink(root, f"{_LISTS}/{name}")


def _unlink(root: Root, inside: str) -> None:
    place, name = root.parent(inside)
    with place as parent:
        os.unlink(name, dir_fd=parent)


def _write_resolv_conf(root: Root) -> None:
    """Give apt the name servers of today: the base has those of the day it was made on."""
    try:
        with open(RESOLV_CONF, "rb") as file:
            root.write(root.resolve("/etc/resolv.conf"), file.read(1 << 16), 0o644)
    except FileNotFoundError:
        pass
