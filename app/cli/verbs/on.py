"""`chroot-tool on`: mount what the configuration says."""

from __future__ import annotations

from ....core.errors import UsageError
from ....core.text import safe
from ... import exits, json_fields
from ..arguments import add, add_dry_run, add_examples, chroot_of
from ..long_call import LongCall
from ..options import CONFIG, DIR, Option
from ..output import print_plan, tell_state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

ONLY = Option(
    ("--only",), "only", "TARGET", "this mount alone, by its path inside; the rest stays as it is"
)
_BIND = Option(
    ("-b", "--bind"), "binds", "BIND",
    "one more bind: SRC[:TGT[:OPT,…]] or 'src:… tgt:… opt:…'", many=True,
)  # fmt: skip


def add_options(parser: ArgumentParser) -> None:
    """Give the parser of `on` its options."""
    add(parser, DIR, CONFIG, _BIND, ONLY)
    add_dry_run(parser)
    add_examples(
        parser,
        "chroot-tool on -d deb",
        "chroot-tool on -d deb --dry-run               what would be mounted",
        "chroot-tool on -d deb -b /home/me/src:/src    one more; read only: :ro",
        "chroot-tool on -d deb --only /home            that mount alone",
        "",
        "What is mounted as it should be is left alone; what is on already it mends:",
        "what is missing or has drifted. An error takes back what it had mounted.",
    )


def execute(arguments: Namespace) -> int:
    """Switch a chroot on, or say what that would do; return the exit code."""
    from ....core.config.merge import parse_bind_argument

    engine, path = chroot_of(arguments)
    extra = tuple(parse_bind_argument(text) for text in arguments.binds)
    config_dir = arguments.config or None
    if arguments.only:
        return switch_one(arguments, on=True)
    if arguments.dry_run:
        print_plan(arguments, path, engine.plan_on(path, config_dir=config_dir, extra=extra))
        return exits.DONE
    with LongCall(json=arguments.json) as (report, cancelled):
        plan = engine.on(
            path, config_dir=config_dir, extra=extra, report=report, cancelled=cancelled
        )
        report.end()
        tell_state(arguments, path, "on", len(plan.steps))
    return exits.DONE


def switch_one(arguments: Namespace, *, on: bool) -> int:
    """Mount or unmount what --only names; return the exit code."""
    engine, path = chroot_of(arguments)
    with_it = [name for name in ("dry_run", "config", "binds", "kill", "lazy")
               if getattr(arguments, name, None)]  # fmt: skip
    if with_it:
        raise UsageError(
            f"--only goes with no --{with_it[0].replace('_', '-').removesuffix('s')}",
            "leave one of the two out",
        )
    with LongCall(json=arguments.json) as (report, cancelled):
        plan = engine.switch_bind(path, arguments.only, on=on, report=report, cancelled=cancelled)
        report.end()
        if arguments.json:
            state = engine.status(path).state
            steps = len(plan.steps)
            json_fields.write({"event": "done", "chroot": path, "state": state, "steps": steps})
        else:
            word = "mounted" if on else "unmounted"
            exits.tell(f"{safe(arguments.only)}: {word if plan else f'already {word}'}\n")
    return exits.DONE
