"""`chroot-tool on`: mount what the configuration says."""

from __future__ import annotations

from ... import exits
from ..arguments import add, add_dry_run, chroot_of
from ..long_call import LongCall
from ..options import CONFIG, DIR, Option
from ..output import print_plan, tell_state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

_BIND = Option(
    ("-b", "--bind"), "binds", "BIND",
    "one more bind: SRC[:TGT[:OPT,…]] or 'src:… tgt:… opt:…'", many=True,
)  # fmt: skip


def add_options(parser: ArgumentParser) -> None:
    """Give the parser of `on` its options."""
    add(parser, DIR, CONFIG, _BIND)
    add_dry_run(parser)


def execute(arguments: Namespace) -> int:
    """Switch a chroot on, or say what that would do; return the exit code."""
    from ....core.config.merge import parse_bind_argument

    engine, path = chroot_of(arguments)
    extra = tuple(parse_bind_argument(text) for text in arguments.binds)
    config_dir = arguments.config or None
    if arguments.dry_run:
        print_plan(arguments, path, engine.plan_on(path, config_dir=config_dir, extra=extra))
        return exits.DONE
    with LongCall(json=arguments.json) as (report, cancelled):
        plan = engine.on(
            path, config_dir=config_dir, extra=extra, report=report, cancelled=cancelled
        )
    tell_state(arguments, path, "on", len(plan.steps))
    return exits.DONE
