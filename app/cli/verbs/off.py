"""`chroot-tool off`: run `stop` inside, then unmount everything."""

from __future__ import annotations

from ....core.errors import UsageError
from ... import exits
from ..arguments import add, add_dry_run, add_examples, chroot_of
from ..long_call import LongCall
from ..options import DIR
from ..output import print_plan, tell_state
from .on import ONLY, switch_one

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def add_options(parser: ArgumentParser) -> None:
    """Give the parser of `off` its options."""
    add(parser, DIR, ONLY)
    parser.add_argument("-S", "--no-stop", action="store_true", help="do not run `stop` inside")
    parser.add_argument("--kill", action="store_true", help="end the processes that are in the way")
    parser.add_argument(
        "--timeout", type=float, default=10.0, metavar="SECONDS",
        help="how long --kill waits between TERM and KILL (default: 10)",
    )  # fmt: skip
    parser.add_argument(
        "--lazy", action="store_true", help="unmount now, let go when nobody uses it any more"
    )
    add_dry_run(parser)
    add_examples(
        parser,
        "chroot-tool off -d deb",
        "chroot-tool off -d deb --kill       and end who is in the way",
        "chroot-tool off -d deb --lazy       who is in the way keeps what he has",
        "chroot-tool off -d deb --dry-run    what would be unmounted",
    )


def execute(arguments: Namespace) -> int:
    """Switch a chroot off, or say what that would do; return the exit code."""
    engine, path = chroot_of(arguments)
    if not arguments.timeout >= 0:  # nor NaN
        raise UsageError("--timeout is a number of seconds, 0 or more")
    if arguments.only:
        return switch_one(arguments, on=False)
    if arguments.dry_run:
        plan = engine.plan_off(path, lazy=arguments.lazy)
        if plan and not arguments.no_stop:
            exits.tell("first `stop` would be run inside, then:\n")
        print_plan(arguments, path, plan)
        return exits.DONE
    with LongCall(json=arguments.json, output=True) as (report, cancelled):
        plan = engine.off(
            path,
            stop=not arguments.no_stop,
            kill=arguments.kill,
            timeout=arguments.timeout,
            lazy=arguments.lazy,
            report=report,
            cancelled=cancelled,
        )
        report.end()
        tell_state(arguments, path, "off", len(plan.steps))
    return exits.DONE
