"""`chroot-tool create`: make a Debian in a directory."""

from __future__ import annotations

import time

from ....core.text import safe
from ... import exits, json_output
from ..arguments import add, add_json_events, chroot_of
from ..long_call import LongCall
from ..options import DIR, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

_OPTIONS = (
    Option(("--suite",), "suite", "S", "bookworm, trixie, stable … (default: the host's)"),
    Option(("--arch",), "arch", "A", "amd64, arm64 … (default: the host's)"),
    Option(("--mirror",), "mirror", "URL", "where packages come from (default: the host's)"),
    Option(("--variant",), "variant", "V", "minbase, buildd, … (default: minbase)"),
    Option(("--include",), "include", "P,…", "more packages", many=True),
    Option(("--locale",), "locales", "L", "a locale, the first is the default", many=True),
    Option(("--timezone",), "timezone", "TZ", "Europe/Berlin … (default: the host's)"),
)


def add_options(parser: ArgumentParser) -> None:
    """Give the parser of `create` its options."""
    add(parser, DIR, *_OPTIONS)
    parser.add_argument(
        "--backend", choices=("debootstrap", "mmdebstrap"), default="", help="what makes it"
    )
    add_json_events(parser)


def execute(arguments: Namespace) -> int:
    """Make a chroot; return the exit code."""
    from ....core.creating.options import CreateOptions

    engine, path = chroot_of(arguments)
    options = CreateOptions(
        suite=arguments.suite,
        arch=arguments.arch,
        mirror=arguments.mirror,
        variant=arguments.variant,
        include=tuple(p for text in arguments.include for p in text.split(",") if p),
        locales=tuple(arguments.locales),
        timezone=arguments.timezone,
        backend=arguments.backend,
    )
    started = time.monotonic()
    with LongCall(json=arguments.json) as (report, cancelled):
        engine.create(path, options, report=report, cancelled=cancelled)
    if arguments.json:
        json_output.write({"event": "done", "chroot": path, "state": "off"})
    else:
        exits.tell(
            f"{safe(path)}: created in {time.monotonic() - started:.0f} s\n"
            f"hint: chroot-tool shell -d {safe(path)}\n"
        )
    return exits.DONE
