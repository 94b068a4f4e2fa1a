"""What a package mirror says, before anything is downloaded to stay: is the suite there, is it
signed by a key this host has, does it offer the architecture. And which mirror the host itself
uses.

debootstrap finds all of that out too, but only after it has begun to write, and in words that name
neither the cause nor the cure.
"""

from __future__ import annotations

import os

from .. import programs
from ..errors import Cancelled, ChrootError, UsageError
from ..host import apt_proxy, debian
from ..host.apt_proxy import Proxies
from ..value import Value
from .suites import script_words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from threading import Event as CancelEvent

    from ..host.apt_sources import Source

_TIMEOUT = 15.0
_LARGEST = 16 << 20
"""sid's InRelease has 0.2 MB; a mirror must not be able to fill our memory."""
_AS_THE_CALLER = Proxies()
_PACKAGE_OF_KEYRING = {"debian-archive-removed-keys.gpg": "debian-archive-keyring"}


class Release(Value):
    """A mirror's description of a suite."""

    mirror: str
    suite: str
    text: bytes
    signed: bool
    """Whether *text* holds its signature (InRelease)."""

    def field(self, name: str) -> str:
        """Return a field of the header, "" where it has none."""
        for line in self.text.decode("utf-8", "replace").splitlines():
            key, separator, value = line.partition(":")
            if separator and key == name:
                return value.strip()
        return ""


def host_mirror(suite: str, sources: Iterable[Source]) -> str:
    """Return the mirror from which this host would install *suite*, "" where none is known.

    *sources* are those of its apt. That is the one it uses for *suite*, else the one for its own
    release, if both suites are of the same distribution (debootstrap checks them with the same
    keyring).
    """
    own = debian.suite()
    listed = [source for source in sources if "main" in source.component]
    wanted = [suite]
    if own and script_words(own, "keyring") == script_words(suite, "keyring") != ():
        wanted += [own, "stable", "testing", "unstable", "sid"]
    for name in wanted:
        for source in listed:
            if source.suite == name:
                return source.mirror
    return ""


def default_mirrors(suite: str) -> tuple[str, ...]:
    """Return the mirrors that debootstrap would use for *suite*, read from its own files.

    For Debian's own suites that is one; a script that tells architectures apart may name more.
    """
    named = script_words(suite, "default_mirror")
    if named:
        return named
    try:
        with open(programs.require("debootstrap"), encoding="utf-8") as file:
            lines = [line.strip().partition("=") for line in file]
    except (ChrootError, OSError):
        return ()
    return tuple(value.strip('"') for key, _, value in lines if key == "DEF_MIRROR")


def keyring(suite: str) -> str:
    """Return the keyring file with which debootstrap checks *suite*, "" where it names none.

    Raises ChrootError with the package where the file is missing.
    """
    path = next(iter(script_words(suite, "keyring")), "")
    if path and not os.path.exists(path):
        name = path.rpartition("/")[2]
        package = _PACKAGE_OF_KEYRING.get(name, name.removesuffix(".gpg"))
        raise ChrootError(
            f"the keys to check {suite} are not on this host: {path} is missing",
            f"apt install {package}",
        )
    return path


def find_release(
    mirrors: tuple[str, ...],
    suite: str,
    cancelled: CancelEvent | None = None,
    proxies: Proxies = _AS_THE_CALLER,
) -> Release:
    """Return the release file of *suite* from the first of *mirrors* that has it.

    Raises ChrootError with the reason of the last one, Cancelled.
    """
    error = ChrootError(f"no mirror is known for {suite}", "name one: --mirror URL")
    for mirror in mirrors:
        try:
            return _release(mirror.rstrip("/"), suite, cancelled, proxies)
        except Cancelled:
            raise
        except ChrootError as reason:
            error = reason
    raise error


def _release(mirror: str, suite: str, cancelled: CancelEvent | None, proxies: Proxies) -> Release:
    proxy = proxies.for_address(mirror)
    for name in ("InRelease", "Release"):
        text = _fetch(f"{mirror}/dists/{suite}/{name}", proxy, cancelled)
        if text is not None:
            return Release(mirror, suite, text, name == "InRelease")
    raise ChrootError(
        f"the mirror {without_password(mirror)} has no suite {suite!r}",
        "an old suite has moved to the archive: name that with --mirror URL",
    )


def check_release(release: Release, arch: str) -> None:
    """Check that *release* is the suite that was asked for and offers *arch*."""
    names = (release.field("Suite"), release.field("Codename"))
    if release.suite not in names:
        said = " / ".join(name for name in names if name) or "no suite at all"
        raise ChrootError(
            f"asked for {release.suite}, {without_password(release.mirror)} gives {said}",
            "something on the way answers for the mirror, or the mirror is broken",
        )
    offered = release.field("Architectures").split()
    if arch not in offered:
        raise UsageError(
            f"{release.suite} on {without_password(release.mirror)} has no architecture {arch!r}",
            f"it has: {', '.join(name for name in offered if name != 'all')}",
        )


def check_signature(release: Release, keys: str) -> None:
    """Check that a key of the keyring file *keys* signed *release*. Raises ChrootError.

    Left to debootstrap where there is no gpgv (Debian 13 has sqv in its place) or where the
    signature is in a file of its own.
    """
    words = _of_gpgv(release, keys)
    # As debootstrap judges (read_gpg_status): one valid signature is enough.
    if words is None or any(w[1:2] == ["VALIDSIG"] for w in words):
        return
    where = f"{release.suite} on {without_password(release.mirror)}"
    unknown = next((w[2] for w in words if w[1:2] == ["NO_PUBKEY"] and len(w) > 2), "")
    if unknown and not any(w[1:2] == ["BADSIG"] for w in words):
        package = keys.rpartition("/")[2].removesuffix(".gpg")
        raise ChrootError(
            f"{where} is signed by a key that {keys} has not: {unknown}",
            f"a newer keyring may have it: apt install {package}",
        )
    raise ChrootError(
        f"{where} has no valid signature",
        "the mirror, or something on the way, has changed it: try another --mirror",
    )


def expired_signers(release: Release, keys: str) -> tuple[str, ...]:
    """Return the names of the keys that signed *release* where every one of them has expired.

    debootstrap takes that, apt does not (DETAILS of gnupg, "EXPKEYSIG"). Empty where nobody knows.
    """
    words = _of_gpgv(release, keys) or []
    if any(w[1:2] == ["GOODSIG"] for w in words):
        return ()
    return tuple([" ".join(w[3:]) for w in words if w[1:2] == ["EXPKEYSIG"]])


def _of_gpgv(release: Release, keys: str) -> list[list[str]] | None:
    """Return what gpgv says of the signatures, in words; None where it can't be asked."""
    if not keys or not release.signed or not programs.find("gpgv"):
        return None
    said: list[str] = []
    fd = os.memfd_create("InRelease")
    try:
        with open(fd, "wb", closefd=False) as file:
            file.write(release.text)
        os.lseek(fd, 0, os.SEEK_SET)
        argv = ["gpgv", "--status-fd", "3", "--keyring", keys, "--ignore-time-conflict"]
        programs.run(argv, stdin=fd, on_side=said.append, timeout=60)
    finally:
        os.close(fd)
    return [line.split() for line in said]


def _fetch(address: str, proxy: str, cancelled: CancelEvent | None) -> bytes | None:
    """Return what is at *address*, None where the server has no such thing.

    In a thread of its own: a name look-up cannot be interrupted, and who cancels must not wait.
    """
    import queue
    import threading

    answer: queue.Queue[bytes | ChrootError | None] = queue.Queue()
    threading.Thread(target=lambda: answer.put(_fetched(address, proxy)), daemon=True).start()
    while True:
        try:
            got = answer.get(timeout=0.1)
        except queue.Empty:
            if cancelled and cancelled.is_set():
                raise Cancelled("asking the mirror was stopped") from None
            continue
        if isinstance(got, ChrootError):
            raise got
        return got


def _fetched(address: str, proxy: str) -> bytes | ChrootError | None:
    from http.client import HTTPException
    from urllib.error import HTTPError, URLError
    from urllib.request import ProxyHandler, build_opener

    if proxy and not proxy.startswith("http"):
        return ChrootError(
            f"the proxy {apt_proxy.shown(proxy)} of apt is none for http",
            "--proxy URL names another one, --proxy none goes direct",
        )
    ways = dict.fromkeys(("http", "https"), proxy) if proxy else {}
    try:
        with build_opener(ProxyHandler(ways)).open(address, timeout=_TIMEOUT) as response:
            data: bytes = response.read(_LARGEST + 1)
    except HTTPError as error:
        if error.code in (404, 410):
            return None
        return _refused(address, proxy, error.code, error.reason)
    except URLError as error:
        reason = error.reason
        if isinstance(reason, FileNotFoundError) or "No such file" in str(reason):
            return None
        return _unreachable(address, proxy, reason)
    except (OSError, HTTPException) as error:
        return _unreachable(address, proxy, error)
    if len(data) > _LARGEST:
        return ChrootError(
            f"{without_password(address)} is larger than {_LARGEST} bytes: no release file"
        )
    return data


def _refused(address: str, proxy: str, code: int, reason: str) -> ChrootError:
    if code == 407:
        return ChrootError(
            f"the proxy {apt_proxy.shown(proxy)} wants a name and password",
            "put them into its address: http://NAME:PASSWORD@HOST:PORT",
        )
    return ChrootError(
        f"the mirror answers {code} ({reason}) to {without_password(address)}",
        "try another one: --mirror URL",
    )


def _unreachable(address: str, proxy: str, reason: object) -> ChrootError:
    import socket
    import ssl

    proxy = apt_proxy.shown(proxy)
    name = proxy or without_password(address).partition("://")[2].partition("/")[0]
    what = f"the proxy {name}" if proxy else f"the mirror {name}"
    if isinstance(reason, socket.gaierror):
        said = "its name could not be resolved"
        hint = "see whether the network is up and /etc/resolv.conf names a server that answers"
    elif isinstance(reason, TimeoutError):
        said = f"no answer within {_TIMEOUT:g} seconds"
        hint = "try again, or another one: --mirror URL"
    elif isinstance(reason, ssl.SSLError):
        said = f"its certificate does not hold ({getattr(reason, 'reason', None) or reason})"
        hint = "see whether the clock is right and ca-certificates is installed"
    else:
        said = str(getattr(reason, "strerror", None) or reason)
        hint = "see whether the network is up"
    if proxy and not isinstance(reason, ssl.SSLError):
        hint = "check --proxy and the proxies of this host's apt; --proxy none goes without one"
    elif not isinstance(reason, ssl.SSLError):
        hint += "; behind a proxy, name it: --proxy URL"
    return ChrootError(f"{what} cannot be reached: {said}", hint)


def without_password(address: str) -> str:
    """Return *address* without a password."""
    scheme, separator, rest = address.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{separator}{host.rpartition('@')[2]}{slash}{path}"
