"""What `create` needs of this host: programs, keys, a mirror that answers, a place for bases."""

from __future__ import annotations

import os
import tempfile
import time

from .. import programs
from ..creating import mirror as mirrors
from ..creating import suites
from ..creating.bases.store import Store
from ..creating.namespaces import PROGRAMS
from ..creating.options import CreateOptions, default_options
from ..errors import ChrootError, PrivilegeError
from ..host import apt_proxy, debian
from .check import HOST, Check
from .finding import note, ok, problem, warning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from .finding import Finding
    from .subject import Subject

_OTHERS = {
    "xz": ("xz-utils", ".tar.xz can't be packed or unpacked"),
    "zstd": ("zstd", ".tar.zst can't be packed or unpacked"),
    "skopeo": ("skopeo", "docker:// images can't be fetched"),
    "umoci": ("umoci", "images can't be unpacked"),
}
"""Programs that some verbs use: their package, and what does not work without."""
_GPG_SECONDS = 8.0
_SOON = 30 * 86400
_SKEW = 600
"""Seconds that clocks may differ."""
_MIRROR_SECONDS = 35.0
"""Two requests, each of which mirror.py gives 15 s."""


def debootstrap(subject: Subject, scripts: str = suites.SCRIPTS) -> Iterator[Finding]:
    """See that debootstrap is there and knows the suite of this host."""
    if not programs.find("debootstrap"):
        severity = problem if subject.backend == "debootstrap" else note
        yield severity("debootstrap is not installed", "create needs it", "apt install debootstrap")
        return
    suite = debian.suite() or "stable"
    if os.path.lexists(f"{scripts}/{suite}"):
        yield ok(f"it is installed, and knows {suite}")
    else:
        yield warning(
            f"it knows no suite {suite}",
            "create makes older ones only",
            "a newer debootstrap, or --backend mmdebstrap",
        )


def mmdebstrap(subject: Subject) -> Iterator[Finding]:
    """See whether mmdebstrap is there, where it is wanted."""
    if programs.find("mmdebstrap"):
        yield ok("it is installed")
    elif subject.backend == "mmdebstrap":
        yield problem(
            "mmdebstrap is not installed",
            "the settings say that create takes it",
            "apt install mmdebstrap",
        )
    else:
        yield note(
            "mmdebstrap is not installed",
            "only --backend mmdebstrap needs it",
            "apt install mmdebstrap",
        )


def helpers(
    _subject: Subject, find: Callable[[str], str | None] = programs.find
) -> Iterator[Finding]:
    """See which of the other programs are there."""
    needed = [name for name in PROGRAMS if not find(name)]
    missing = {name: told for name, told in _OTHERS.items() if not find(name)}
    if needed:
        yield problem(
            f"{' and '.join(needed)} not installed",
            "create works in namespaces that they make",
            "apt install util-linux",
        )
    if missing:
        packages = " ".join(package for package, _ in missing.values())
        yield note(
            f"not installed: {', '.join(missing)}",
            "; ".join(harm for _, harm in missing.values()),
            f"apt install {packages}",
        )
    if not needed and not missing:
        yield ok("all that some verb uses is installed")


# -- keys ----------------------------------------------------------------------------------------


def keys(_subject: Subject, path: str = "") -> Iterator[Finding]:
    """Look at the keys that the suite of this host is checked with, the expired ones by name."""
    suite = debian.suite() or "stable"
    try:
        ring = path or mirrors.keyring(suite)
    except ChrootError as error:
        yield problem(error.message, f"create could not trust any {suite}", error.hint)
        return
    if not ring:
        yield note(f"debootstrap names no keys for {suite}", "what it downloads is not checked")
    elif not programs.find("gpg"):
        yield note(
            f"{ring} is there; without gpg nobody sees whether a key has expired",
            "`mirror` tells whether the suite can be checked with it",
            "apt install gpg",
        )
    else:
        yield from _judged(ring, tuple(_dates(ring)), time.time())


def _judged(ring: str, found: tuple[tuple[str, float], ...], now: float) -> Iterator[Finding]:
    expired = [_named(one) for one in found if 0 < one[1] < now]
    soon = [_named(one) for one in found if now <= one[1] < now + _SOON]
    package = "a newer one has those of today: apt install --only-upgrade debian-archive-keyring"
    if not found or len(expired) == len(found):
        said = f"every key in {ring} has expired: " if found else f"{ring} holds no key"
        yield problem(
            said + "; ".join(expired), "create, and apt inside, refuse what they sign", package
        )
        return
    if expired:
        yield note(
            f"expired, in {ring}: {'; '.join(expired)}",
            "what only they sign is refused: old suites, mostly",
            package,
        )
    if soon:
        yield warning(f"expires soon: {'; '.join(soon)}", "then it is refused", package)
    if not expired and not soon:
        yield ok(f"{len(found)} keys in {ring}, none expired")


def _named(one: tuple[str, float]) -> str:
    return f"{one[0]} ({time.strftime('%Y-%m-%d', time.gmtime(one[1]))})"


def _dates(ring: str) -> Iterable[tuple[str, float]]:
    """Return name and time of expiry (0: never) of each primary key; DETAILS of gnupg, "Field"."""
    lines: list[str] = []
    with tempfile.TemporaryDirectory(prefix="chroot-tool-") as home:  # gpg would make one for good
        argv = ["gpg", "--homedir", home, "--batch", "--no-options", "--with-colons"]
        argv += ["--show-keys", ring]
        programs.run(argv, on_line=lines.append, on_error=_ignore, timeout=_GPG_SECONDS, grace=0.0)
    expires = None
    for fields in (line.split(":") for line in lines):
        if fields[0] == "pub" and len(fields) > 6:
            expires = float(fields[6] or 0)
        elif fields[0] == "uid" and len(fields) > 9 and expires is not None:
            yield fields[9].replace("\\x3a", ":"), expires
            expires = None


def _ignore(_line: str) -> None:
    """Drop what gpg says of things beside the keys."""


# -- the mirror ----------------------------------------------------------------------------------


def mirror(subject: Subject, options: CreateOptions | None = None) -> Iterator[Finding]:
    """Ask the mirror for the suite of this host, on the way that create goes."""
    options = default_options(options or CreateOptions(), subject.backend)
    places = (options.mirror,) if options.mirror else mirrors.default_mirrors(options.suite)
    try:
        release = mirrors.find_release(places, options.suite, proxies=subject.proxies)
        mirrors.check_release(release, options.arch)
        ring = mirrors.keyring(options.suite)
        mirrors.check_signature(release, ring)
        expired = mirrors.expired_signers(release, ring)
    except ChrootError as error:
        yield problem(
            error.message, "create would fail, unless a base of that kind is kept", error.hint
        )
        return
    if expired:
        yield problem(
            f"{options.suite} is signed by nothing but expired keys: {'; '.join(expired)}",
            "debootstrap takes it, and apt inside refuses it",
            "a mirror that is up to date, or a newer keyring; an old suite stays as it is",
        )
        return
    proxy = subject.proxies.for_address(release.mirror)
    way = f"by the proxy {apt_proxy.shown(proxy)}" if proxy else "without a proxy"
    where = mirrors.without_password(release.mirror)
    yield from _dated(release, time.time()) or (
        ok(f"{where} answers, {way}: {options.suite} for {options.arch}"),
    )


def _dated(release: mirrors.Release, now: float) -> tuple[Finding, ...]:
    """Compare the dates of a release file with the clock, as apt does."""
    made, until = (moment(release.field(name)) for name in ("Date", "Valid-Until"))
    if made and made > now + _SKEW:
        return (
            problem(
                f"the suite is of {release.field('Date')}, which this clock has not reached",
                "apt refuses it: not valid yet",
                "set the clock: timedatectl set-ntp true",
            ),
        )
    if until and until < now:
        return (
            problem(
                f"the suite was valid until {release.field('Valid-Until')}",
                "apt refuses it: the mirror is out of date, or this clock is ahead",
                "date shows the clock; another --mirror has a newer one",
            ),
        )
    return ()


def moment(text: str) -> float:
    """Return the time of a release file's date, 0 where there is none."""
    from email.utils import parsedate_to_datetime  # RFC 5322, which those dates are but for UTC

    try:
        return parsedate_to_datetime(text).timestamp() if text else 0.0
    except ValueError:
        return 0.0


def cache(subject: Subject) -> Iterator[Finding]:
    """Look at the directory of bases."""
    if not subject.cache.limit:
        yield note("no bases are kept: cache-size is 0", "every create takes its time", "raise it")
        return
    directory = subject.cache.directory
    try:
        with Store(directory) as store:
            there = store.bases()
    except FileNotFoundError:
        yield ok("no base is kept yet; the first create of a kind makes one")
    except PrivilegeError as error:
        yield note(error.message, "", error.hint)
    except ChrootError as error:
        yield warning(error.message, "every create bootstraps anew", error.hint)
    else:
        yield ok(f"{len(there)} kept in {directory}: those kinds are made without a mirror, too")


CHECKS = (
    Check("debootstrap", "whether it is there, and knows this host's suite", debootstrap, (HOST,)),
    Check("mmdebstrap", "whether it is there, where the settings want it", mmdebstrap, (HOST,)),
    Check("programs", "the other programs that some verb uses", helpers, (HOST,)),
    Check("keys", "the keys of the suite: there, expired (by name), soon to expire", keys, (HOST,)),
    Check("mirror", "whether it answers and by which way, signature and dates", mirror, (HOST,),
          _MIRROR_SECONDS),
    Check("bases", "the directory of what `create` keeps", cache, (HOST,)),
)  # fmt: skip
