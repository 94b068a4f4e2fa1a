"""`chroot-tool enable`: a chroot that is on from boot to shutdown."""

from __future__ import annotations

from ....core.text import safe
from ... import exits, json_fields
from ..arguments import add, add_examples, add_json_events, chroot_of
from ..long_call import LongCall
from ..options import DIR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def add_options(parser: ArgumentParser) -> None:
    """Give the parser of `enable` its options."""
    add(parser, DIR)
    parser.add_argument(
        "--now", action="store_true",
        help="and do it now: on and `start`, by its unit; what is on is not started again",
    )  # fmt: skip
    add_json_events(parser)
    add_examples(
        parser,
        "chroot-tool enable -d deb",
        "chroot-tool enable --now -d deb             started where it is off, else mended",
        "systemctl status 'chroot-tool@*'            what became of each",
        "systemctl stop 'chroot-tool@*'              all of them off",
        "systemctl start chroot-tool.target          and on again",
        "",
        "At boot it is switched on and `start` is run in it, when the network and all",
        "mounts are there; at shutdown it is switched off, which runs `stop`, and what",
        "still runs inside is ended. systemd does it, by chroot-tool@PATH.service.",
    )


def execute(arguments: Namespace) -> int:
    """Have a chroot on at boot; return the exit code."""
    engine, path = chroot_of(arguments)
    with LongCall(json=arguments.json) as (report, cancelled):
        changed = engine.enable(path, now=arguments.now, report=report, cancelled=cancelled)
        report.end()
        told(arguments, path, changed, enabled=True)
    return exits.DONE


def told(arguments: Namespace, path: str, changed: bool, *, enabled: bool) -> None:
    """Say what was done; *changed*: that it was otherwise before."""
    if arguments.json:
        json_fields.write({"event": "done", "chroot": path, "enabled": enabled})
        return
    state = "enabled" if enabled else "disabled"
    exits.tell(f"{safe(path)}: {state if changed else f'already {state}'}\n")
