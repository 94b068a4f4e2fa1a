"""`chroot-tool create`: make a Debian in a directory."""

from __future__ import annotations

import time

from ....core.chroot import absolute
from ....core.errors import ChrootError, UsageError
from ....core.text import safe
from ... import exits, json_fields
from ...engine import split_host
from ..arguments import add, add_json_events, chroot_of, host_of, is_elsewhere, known_as
from ..long_call import LongCall
from ..options import DIR, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from ....core.creating.options import CreateOptions

OPTIONS = (
    Option(("--suite",), "suite", "S", "bookworm, trixie, stable … (default: the host's)"),
    Option(("--arch",), "arch", "A", "amd64, arm64 … (default: the host's)"),
    Option(("--mirror",), "mirror", "URL", "where packages come from (default: the host's)"),
    Option(("--variant",), "variant", "V", "minbase, buildd, … (default: minbase)"),
    Option(("--include",), "include", "P,…", "more packages", many=True),
    Option(("--locale",), "locales", "L", "a locale, the first is the default", many=True),
    Option(("--timezone",), "timezone", "TZ", "Europe/Berlin … (default: the host's)"),
    Option(
        ("--proxy",), "proxy", "URL|none",
        "the way to the mirror, inside too (default: as the host's apt, then http_proxy)",
    ),
)  # fmt: skip
_BACKEND = (
    "what makes it (default: the settings', else debootstrap); "
    "mmdebstrap makes the same in half the time"
)
_FROM = Option(
    ("--from",), "source", "SOURCE",
    "of this instead of a mirror: an archive, a directory, oci:DIR[:TAG], docker://IMAGE; "
    "on another machine one of that machine, by its whole path",
)  # fmt: skip
_EXAMPLES = """\
The second one of a kind is there in a second or two: it is unpacked from the
base that the first one left (`chroot-tool base list`), and brought up to date
where the mirror has newer packages.

examples:
  chroot-tool create -d deb                   the host's own release, minbase
  chroot-tool create -d build --suite sid --variant buildd --backend mmdebstrap
  chroot-tool create -d train --offline       from a base, asking nobody
  chroot-tool create -d deb --proxy http://proxy.example:3142
  chroot-tool create -d new --from rootfs.tar.xz   a system of another's making
  chroot-tool create -d alp --from docker://alpine by skopeo and umoci
"""


def add_options(parser: ArgumentParser) -> None:
    """Give the parser of `create` its options."""
    parser.epilog = _EXAMPLES
    add(parser, DIR, _FROM, *OPTIONS)
    add_backend(parser)
    parser.add_argument(
        "--no-cache", dest="cache", action="store_false", help="use no base, and keep none"
    )
    parser.add_argument(
        "--no-refresh", dest="refresh", action="store_false",
        help="take a base as it is, however old; the mirror is not asked",
    )  # fmt: skip
    parser.add_argument(
        "--offline", action="store_true", help="ask nothing of the network: only from a base"
    )
    add_json_events(parser)


def add_backend(parser: ArgumentParser) -> None:
    """Add --backend."""
    parser.add_argument(
        "--backend", choices=("debootstrap", "mmdebstrap"), default="", help=_BACKEND
    )


def execute(arguments: Namespace) -> int:
    """Make a chroot; return the exit code."""
    engine, path = chroot_of(arguments, new=True)
    options = asked(arguments)
    started = time.monotonic()
    try:
        with LongCall(json=arguments.json) as (report, cancelled):
            engine.create(path, options, report=report, cancelled=cancelled)
            report.end()
            _tell(arguments, path, started)
    except ChrootError as error:
        # There may be one of that name here.
        if options.source and error.message.startswith(options.source) and not arguments.hosts:
            error.message = known_as(arguments, error.message)
        raise
    return exits.DONE


def _tell(arguments: Namespace, path: str, started: float) -> None:
    if arguments.json:
        json_fields.write({"event": "done", "chroot": path, "state": "off"})
    else:
        exits.tell(
            f"{safe(path)}: created in {spent(started)}\n"
            f"hint: chroot-tool shell -d {safe(known_as(arguments, path))}\n"
        )


def spent(started: float) -> str:
    """Return the seconds since *started*; of few the tenths too."""
    seconds = time.monotonic() - started
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"


def asked(arguments: Namespace) -> CreateOptions:
    """Return what the arguments ask for."""
    from ....core.creating.options import CreateOptions

    return CreateOptions(
        suite=arguments.suite,
        arch=arguments.arch,
        mirror=arguments.mirror,
        variant=arguments.variant,
        include=tuple(p for text in arguments.include for p in text.split(",") if p),
        locales=tuple(arguments.locales),
        timezone=arguments.timezone,
        backend=arguments.backend,
        proxy=arguments.proxy,
        cache=getattr(arguments, "cache", True),
        refresh=getattr(arguments, "refresh", True),
        offline=getattr(arguments, "offline", False),
        source=_source(arguments),
    )


def _source(arguments: Namespace) -> str:
    """Return the source as it is from anywhere: a path here becomes a whole one.

    Raises UsageError for what says nothing on the machine where the chroot is made.
    """
    text: str = getattr(arguments, "source", "")
    if text and (arguments.hosts or is_elsewhere(arguments)):
        return _source_there(text, arguments)
    is_path = text and text != "-" and ":" not in text.partition("/")[0]
    return absolute(text) if is_path else text


def _source_there(text: str, arguments: Namespace) -> str:
    from ....core.creating import images

    kind = images.kind_of(text)
    if kind and (kind not in images.LOCAL or text.removeprefix(kind).startswith("/")):
        return text
    host, path = split_host(text)
    if not kind and path.startswith("/") and host in ("", host_of(arguments)):
        return path
    raise UsageError(
        f"--from {text} would be looked for where the chroot is made, by a whole path alone",
        "chroot-tool unpack -f FILE -d HOST:DIR takes an archive from here there",
    )
