"""Through which proxy this host's apt reaches a mirror. apt's configuration is asked, and its
detection program, in the order that apt itself has (its proxy.cc, apt-transport-http(1)):

1. `Acquire::http::Proxy::HOST`
2. what the program `Acquire::http::Proxy-Auto-Detect` prints for the address
3. `Acquire::http::Proxy`
4. the variable http_proxy, where HOST is not in no_proxy

For https the same with its own names, and those of http after 1 and 3. `DIRECT` is no proxy.
"""

from __future__ import annotations

from .. import programs
from ..errors import ChrootError
from ..value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from threading import Event as Flag

NONE = "none"
"""What `--proxy` says for no proxy at all."""
_DIRECT = "DIRECT"
_DETECTORS = ("proxy-auto-detect", "proxyautodetect")  # the second is apt's old name
_DETECTING = 10.0
"""Seconds. apt itself waits as long as it takes; a detector asks the local network, no more."""
_SCHEMES = ("http", "https")


class Setting(Value):
    """A proxy in apt's words."""

    scheme: str
    """http or https."""
    host: str
    """The mirror's host that it is for, "" for all."""
    proxy: str
    """Its address, or DIRECT."""


class Proxies(Value):
    """How mirrors are reached: as the host's apt does it, or as a person said."""

    settings: tuple[Setting, ...] = ()
    detectors: tuple[tuple[str, str], ...] = ()
    """(scheme, program) of each detection program."""
    wanted: str = ""
    """An address, `none`, or "" where the host decides."""

    def for_address(self, address: str) -> str:
        """Return the proxy for the mirror at *address*, "" for none.

        Raises ChrootError where a detection program fails.
        """
        scheme, host = _scheme_and_host(address)
        if self.wanted or scheme not in _SCHEMES:
            return "" if self.wanted == NONE or scheme not in _SCHEMES else self.wanted
        found = self._configured(scheme, host) or _of_environment(scheme)
        return "" if found == _DIRECT or _is_excepted(host) else _whole(found)

    def _configured(self, scheme: str, host: str) -> str:
        return (
            _look_up(self.settings, scheme, host)
            or self._detected(scheme, host)
            or _look_up(self.settings, scheme, "")
        )

    def _detected(self, scheme: str, host: str) -> str:
        program = dict(self.detectors).get(scheme, "")
        return detected(program, f"{scheme}://{host}") if program else ""

    def apt_lines(self, addresses: Iterable[str]) -> tuple[str, ...]:
        """Return the lines of an apt configuration that has apt inside go the same ways.

        *addresses* are the mirrors it will ask; for them stands there what was detected here.
        Empty where all goes direct. Raises as `for_address` does.
        """
        if self.wanted:
            return () if self.wanted == NONE else (_line(Setting("http", "", self.wanted)),)
        settings = list(self.settings)
        for scheme in _SCHEMES:
            proxy = _of_environment(scheme)
            if proxy and not _look_up(settings, scheme, ""):
                settings.append(Setting(scheme, "", _whole(proxy)))
        for address in addresses:
            scheme, host = _scheme_and_host(address)
            if scheme not in _SCHEMES:
                continue
            written = _look_up(settings, scheme, host) or _look_up(settings, scheme, "")
            found = self.for_address(address)
            if found != ("" if written == _DIRECT else _whole(written)):
                settings.append(Setting(scheme, host, found or _DIRECT))
        return tuple(dict.fromkeys(_line(setting) for setting in settings))


def host_proxies(wanted: str = "", cancelled: Flag | None = None) -> Proxies:
    """Return how this host's apt reaches mirrors, or as *wanted* says: an address or `none`.

    Where it is cancelled that is as without apt.
    """
    if wanted or not programs.find("apt-config"):
        return Proxies(wanted=wanted)
    try:
        asked = ["apt-config", "dump", "--format", "%f\t%v%n"]
        lines = programs.output(asked, cancelled=cancelled, grace=1.0).splitlines()
    except ChrootError:
        return Proxies()  # a configuration with mistakes is the host's business; --proxy works
    return parsed(lines)


def parsed(lines: Iterable[str]) -> Proxies:
    """Return what the lines of `apt-config dump`, each a name, a tab and a value say of proxies.

    Names have no case there; those of hosts keep theirs.
    """
    settings: list[Setting] = []
    detectors: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition("\t")
        parts = name.split("::", 3)
        if len(parts) < 3 or parts[0].lower() != "acquire" or not value or '"' in value:
            continue
        scheme, word = parts[1].lower(), parts[2].lower()
        if scheme in _SCHEMES and word == "proxy":
            settings.append(Setting(scheme, parts[3] if len(parts) > 3 else "", value))
        elif scheme in _SCHEMES and word in _DETECTORS:
            detectors.setdefault(scheme, value)
    return Proxies(tuple(settings), tuple(detectors.items()))


def detected(program: str, address: str) -> str:
    """Return what the detection program says for *address*: a proxy, DIRECT, or "".

    apt takes its first line. Raises ChrootError where it fails or takes too long.
    """
    said: list[str] = []
    hint = "apt-config dump shows it as Proxy-Auto-Detect; --proxy URL or --proxy none goes past it"
    try:
        done = programs.run(
            [program, address], on_line=said.append, on_error=_ignore, timeout=_DETECTING, grace=1.0
        )
    except ChrootError as error:
        raise ChrootError(f"looking for the proxy of apt: {error.message}", hint) from error
    if done.code:
        raise ChrootError(f"looking for the proxy of apt: {program} failed ({done.code})", hint)
    first = said[0].strip() if said else ""
    return first if first == _DIRECT or first.startswith(("http", "socks5h")) else ""


def environment(proxy: str) -> dict[str, str]:
    """Return the environment for programs that are to go through *proxy*, or direct where it is "".

    What the caller's own variables say is in neither: it has been asked already.
    """
    env = programs.environment()
    for name in programs.PASSED:
        env.pop(name, None)
        env.pop(name.upper(), None)
    if proxy:
        env |= dict.fromkeys(("http_proxy", "https_proxy"), proxy)
    return env


def has_password(lines: Iterable[str]) -> bool:
    """Tell whether a line of `apt_lines` has credentials in it."""
    return any("@" in line.partition('"')[2] for line in lines)


def shown(proxy: str) -> str:
    """Return host and port of a proxy, without name and password."""
    return proxy.rpartition("://")[2].rpartition("@")[2].rstrip("/")


def _look_up(settings: Iterable[Setting], scheme: str, host: str) -> str:
    """Return what is written for *host* ("": for all); https goes as http where it says nothing."""
    found = {(s.scheme, s.host.lower()): s.proxy for s in settings}
    return found.get((scheme, host)) or found.get(("http", host)) or ""


def _ignore(_line: str) -> None:
    """Drop what it says on stderr, as apt does."""


def _scheme_and_host(address: str) -> tuple[str, str]:
    from urllib.parse import urlsplit

    parts = urlsplit(address)
    return parts.scheme, parts.hostname or ""


def _of_environment(scheme: str) -> str:
    from urllib.request import getproxies

    proxies: Mapping[str, str] = getproxies()
    return proxies.get(scheme) or proxies.get("all") or ""


def _is_excepted(host: str) -> bool:
    from urllib.request import proxy_bypass  # on Linux: what no_proxy says

    return bool(proxy_bypass(host))


def _whole(proxy: str) -> str:
    return proxy if "://" in proxy or not proxy else f"http://{proxy}"


def _line(setting: Setting) -> str:
    host = f"::{setting.host}" if setting.host else ""
    return f'Acquire::{setting.scheme}::Proxy{host} "{setting.proxy}";'
