"""What a person can ask of `create`: the options, their defaults, and what is wrong with them.

The checks are pure but for a look at this host's own lists (debootstrap's scripts, the time zones,
the locales): `check_form_of_…` is without that, for a host that is elsewhere. All are quick enough
for every key stroke in a form. Each returns nothing or raises UsageError with a hint. What only the
network or the disk can tell is in `create.check`.
"""

from __future__ import annotations

from ..errors import ChrootError, UsageError
from ..host import apt_proxy, apt_sources
from ..host import debian as host
from ..text import did_you_mean, suggestion
from ..value import Value
from . import suites
from .mirror import host_mirror

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ..host.apt_sources import Source

SUPPORTED = "/usr/share/i18n/SUPPORTED"

BACKENDS = ("debootstrap", "mmdebstrap")
VARIANTS = ("minbase", "buildd", "important")
"""minbase: required packages and apt. buildd: those and build-essential. important: required and
important packages, what debootstrap does without --variant."""

ARCHITECTURES = tuple(host.QEMU)

PLAIN_LOCALES = ("C.UTF-8", "C", "POSIX")
"""In every Debian without the package locales."""
UTC = ("UTC", "Etc/UTC")

_LOWER = frozenset("abcdefghijklmnopqrstuvwxyz")
_DIGITS = frozenset("0123456789")
_WORD = _LOWER | frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ") | _DIGITS
_SUITE = _LOWER | _DIGITS | frozenset(".+-")
_ADDRESS = _WORD | frozenset("-._~:/@%+,=[]")
_SOME_LOCALES = "for example: C.UTF-8, de_DE.UTF-8"
_SOME_ZONES = "for example: Etc/UTC, Europe/Berlin"
_NOT_IN_PATH = frozenset(" \t\n\"'`$\\*?[]{}();&|<>!#~%")


class CreateOptions(Value):
    """What `create` is asked for. "" and () mean: as the host has it (`default_options`)."""

    suite: str = ""
    arch: str = ""
    mirror: str = ""
    """Stays "" where the host has none for the suite: then it is debootstrap's own."""
    variant: str = ""
    include: tuple[str, ...] = ()
    locales: tuple[str, ...] = ()
    """The first one is the default inside."""
    timezone: str = ""
    backend: str = ""
    proxy: str = ""
    """An address, `none`, or "": as the host's apt goes."""
    cache: bool = True
    """Whether a base may be unpacked, and kept (`bases`)."""
    refresh: bool = True
    """Whether what a base gives is brought up to date where the mirror has newer."""
    offline: bool = False
    """Whether nothing may be asked over the network: only a base will do then."""
    source: str = ""
    """What it is made of instead (`from_source`): an archive, a directory, an image."""


def default_options(
    options: CreateOptions,
    backend: str = BACKENDS[0],
    sources: Callable[[], Iterable[Source]] = apt_sources.sources,
) -> CreateOptions:
    """Return *options* with everything filled in that was left open, asking dpkg and apt.

    *backend* is what makes it where none is asked for; *sources* gives what apt has, where that
    is needed.

    Raises ChrootError where dpkg fails.
    """
    suite = options.suite or host.suite() or "stable"
    mirror = options.mirror or host_mirror(suite, sources())
    return options.replace(
        suite=suite,
        arch=options.arch or host.architecture(),
        mirror=mirror,
        variant=options.variant or VARIANTS[0],
        locales=options.locales or PLAIN_LOCALES[:1],
        timezone=options.timezone or host.timezone(),
        backend=options.backend or backend,
    )


def check_options(options: CreateOptions) -> None:
    """Check everything that is filled in; what is "" or () passes."""
    if options.backend and options.backend not in BACKENDS:
        raise UsageError(
            f"unknown backend {options.backend!r}", suggestion(options.backend, BACKENDS)
        )
    if options.suite:
        check_suite(options.suite, options.backend or BACKENDS[0])
    if options.arch:
        check_arch(options.arch)
    if options.mirror:
        check_mirror(options.mirror)
    if options.variant:
        check_variant(options.variant)
    for package in options.include:
        check_package(package)
    for locale in options.locales:
        check_locale(locale)
    if options.timezone:
        check_timezone(options.timezone)
    if options.proxy:
        check_proxy(options.proxy)
    if options.offline and not options.cache:
        raise UsageError(
            "without the network a chroot can only come from a base", "leave one of both out"
        )


def check_path(path: str) -> None:
    """Check the whole path of a new chroot. debootstrap hands it to a shell's eval."""
    wrong = [c for c in path if c in _NOT_IN_PATH or not c.isprintable()]
    if wrong:
        raise UsageError(
            f"{path!r} holds {wrong[0]!r}, with which debootstrap cannot work",
            "choose a path without spaces, quotes and the shell's signs",
        )


def check_form_of_suite(suite: str) -> None:
    """Check that *suite* can be the name of one."""
    if not suite or suite[0] not in _SUITE - set(".+-") or not _SUITE.issuperset(suite):
        raise UsageError(f"{suite!r} is no name of a suite", "for example: bookworm, stable, sid")


def check_suite(suite: str, backend: str = BACKENDS[0]) -> None:
    """Check that *suite* is one that debootstrap knows; mmdebstrap takes any that a mirror has."""
    check_form_of_suite(suite)
    known = suites.known()
    if backend == "mmdebstrap" or not known or suite in known:
        return
    hint = did_you_mean(suite, known) or f"ls {suites.SCRIPTS} shows all"
    raise UsageError(f"debootstrap knows no suite {suite!r}", hint)


def check_arch(arch: str) -> None:
    """Check that *arch* is one of Debian's."""
    if arch not in host.QEMU:
        alias = next((debian for debian, qemu in host.QEMU.items() if qemu == arch), "")
        hint = f"did you mean {alias!r}?" if alias else suggestion(arch, host.QEMU)
        raise UsageError(f"Debian has no architecture {arch!r}", hint)


def check_mirror(mirror: str) -> None:
    """Check that *mirror* is an address of http, https or file."""
    scheme, separator, rest = mirror.partition("://")
    host, _, path = rest.partition("/")
    wrong = next((character for character in mirror if character not in _ADDRESS), "")
    hint = "for example: http://mirror.example/debian"
    if wrong:
        raise UsageError(f"the mirror {mirror!r} holds {wrong!r}", hint)
    if not separator or scheme not in ("http", "https", "file"):
        raise UsageError(f"the mirror {mirror!r} is no http, https or file address", hint)
    if scheme == "file" and (host or not path):
        raise UsageError(f"the mirror {mirror!r} names no folder", "file:///path/to/debian")
    if scheme != "file" and not host:
        raise UsageError(f"the mirror {mirror!r} names no host", hint)


def check_proxy(proxy: str) -> None:
    """Check that *proxy* is the address of an http proxy, or `none`."""
    if proxy == apt_proxy.NONE:
        return
    scheme, separator, rest = proxy.partition("://")
    wrong = next((character for character in proxy if character not in _ADDRESS), "")
    hint = "for example: http://proxy.example:3142, or none"
    if wrong:
        raise UsageError(f"the proxy {apt_proxy.shown(proxy)!r} holds {wrong!r}", hint)
    if not separator or scheme not in ("http", "https") or not rest.strip("/"):
        raise UsageError(f"the proxy {apt_proxy.shown(proxy)!r} is no http address", hint)


def check_variant(variant: str) -> None:
    """Check that *variant* is one of `VARIANTS`."""
    if variant not in VARIANTS:
        raise UsageError(f"unknown variant {variant!r}", suggestion(variant, VARIANTS))


def check_package(package: str) -> None:
    """Check the form of a package's name (Debian Policy 5.6.1)."""
    known = _SUITE.issuperset(package)
    if len(package) < 2 or not known or package[0] in ".+-":
        raise UsageError(
            f"{package!r} is no name of a package",
            "lower-case letters, digits, '+', '-' and '.', at least two",
        )


def check_form_of_locale(locale: str) -> None:
    """Check that *locale* can be the name of one."""
    if not locale or locale[0] not in _WORD or not (_WORD | set("_.@-")).issuperset(locale):
        raise UsageError(f"{locale!r} is no name of a locale", _SOME_LOCALES)


def check_locale(locale: str) -> None:
    """Check that *locale* is one that can be made inside (SUPPORTED, where the host has it)."""
    if locale in PLAIN_LOCALES:
        return
    check_form_of_locale(locale)
    try:
        with open(SUPPORTED, encoding="ascii") as file:
            known = [line.split()[0] for line in file if line.strip() and line[0] != "#"]
    except OSError:
        return
    if locale not in known:
        near = did_you_mean(locale, known) or _SOME_LOCALES
        raise UsageError(f"there is no locale {locale!r}", near)


def check_form_of_timezone(timezone: str) -> None:
    """Check that *timezone* can be the name of one."""
    if not host.can_name_a_timezone(timezone):
        raise UsageError(f"{timezone!r} is no name of a time zone", _SOME_ZONES)


def check_timezone(timezone: str) -> None:
    """Check that *timezone* is a name below the host's zoneinfo."""
    check_form_of_timezone(timezone)
    if host.has_timezone(timezone):
        return
    known = host.timezones()
    near = did_you_mean(timezone, known) or _SOME_ZONES
    raise UsageError(f"there is no time zone {timezone!r}", near)


def check_runnable(arch: str, own: str, binfmt: str = "/proc/sys/fs/binfmt_misc") -> None:
    """Check that this kernel can execute programs of *arch*. Raises ChrootError."""
    if arch == own or (own, arch) in (("amd64", "i386"), ("arm64", "armhf"), ("arm64", "armel")):
        return
    try:
        with open(f"{binfmt}/qemu-{host.QEMU[arch]}", encoding="ascii") as file:
            lines = file.read().splitlines()
    except OSError:
        lines = []
    # F: the kernel opened the interpreter when it was registered, so that it need not be inside.
    flags = next((line.partition(":")[2] for line in lines if line.startswith("flags:")), "")
    if "enabled" not in lines or "F" not in flags:
        raise ChrootError(
            f"this {own} host cannot execute programs of {arch}",
            "apt install qemu-user-static binfmt-support",
        )
