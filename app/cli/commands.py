"""Every command but the `run` family: from parsed arguments to the engine and to the screen."""

from __future__ import annotations

import gc
import os
import sys
import time

from ...core.engine import Engine
from ...core.errors import Cancelled, ChrootError, UsageError
from ...core.local_engine import LocalEngine
from ...core.looking.status import DRIFTED, FOREIGN_MOUNT, MISSING
from ...core.text import safe
from .. import exits, history, json_output
from ..base_directory import base_directory
from ..narrate import Narrator
from . import tables
from .interrupt import Interruptible
from .parser import build

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable

    from ...core.config.bind import Bind
    from ...core.looking.status import ChrootStatus


def main(words: list[str]) -> int:
    """Parse *words*, do what they say, return the exit code."""
    try:
        code = _parsed(words)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        exits.deafen(1)  # whoever read our stdout has seen enough
        return exits.DONE
    except OSError as error:
        exits.deafen(1)
        exits.say(("" if error.filename else "stdout: ") + exits.reason(error))
        return exits.FAILED


def _parsed(words: list[str]) -> int:
    try:
        first = words[0] if words else ""
        arguments = build(first if first in _COMMANDS else "").parse_args(words)
    except SystemExit as end:
        return int(end.code or 0)
    try:
        return _COMMANDS[arguments.command](arguments)
    except ChrootError as error:
        return _failed(error, arguments)
    except KeyboardInterrupt:
        exits.say("interrupted")
        return exits.INTERRUPTED


def _failed(error: ChrootError, arguments: Namespace) -> int:
    code = exits.code_of(error)
    streams = arguments.command in ("create", "on", "off") and arguments.json
    if streams and not getattr(arguments, "dry_run", False):
        try:
            json_output.write(json_output.error(error, code))
        except OSError:
            exits.deafen(1)  # stderr still says it
    exits.complain(error)
    return code


def _engine(arguments: Namespace) -> Engine:
    return LocalEngine(base_directory(arguments.base))


def _path(arguments: Namespace) -> tuple[Engine, str]:
    engine = _engine(arguments)
    return engine, engine.locate(arguments.dir)


def _print(lines: list[str]) -> None:
    encoding = sys.stdout.encoding or "utf-8"
    for line in lines:
        sys.stdout.write(line.encode(encoding, "replace").decode(encoding) + "\n")


def _list(arguments: Namespace) -> int:
    gc.disable()  # nothing of such a short life is garbage, and to look for it is a tenth of it
    engine = _engine(arguments)
    found = engine.list()
    if arguments.json:
        json_output.write([json_output.chroot(one) for one in found])
    elif found:
        _print(tables.chroots(found))
    else:
        exits.tell(
            f"no chroot under {safe(engine.base)}\n"
            f"hint: make one: chroot-tool create -d {safe(engine.base)}/deb\n"
        )
    return exits.DONE


def _bare(arguments: Namespace) -> int:
    """The terminal UI; where there is no terminal, the list and the help."""
    # Textual draws on stderr.
    if all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        from ..settings.file import load
        from ..tui.follow import Follower
        from ..tui.paint_rate import paint_often

        paint_often()
        gc.disable()  # until the UI is there: it walks what is being imported again and again
        settings = load()
        base = arguments.base or base_directory("")
        follower = Follower(LocalEngine(base))
        from ..tui.app import run

        return run(base, settings, follower)
    arguments.json = False
    _list(arguments)
    sys.stdout.write("\n" + build().format_help())
    return exits.DONE


def _status(arguments: Namespace) -> int:
    engine, path = _path(arguments)
    found = engine.status(path)
    if arguments.json:
        json_output.write(json_output.chroot(found))
    else:
        _print(tables.status(found, time.time()))
    return exits.DONE


def _watch(arguments: Namespace) -> int:
    from ...core.verbs.watch import changes

    try:
        for name, found in changes(_engine(arguments).follow()):
            _watched(name, found, json=arguments.json)
    except KeyboardInterrupt:
        pass  # that is how it ends
    return exits.INTERRUPTED


def _watched(name: str, found: ChrootStatus | None, *, json: bool) -> None:
    if json and found:
        json_output.write({"event": "chroot", **json_output.chroot(found)})
    elif json:
        json_output.write({"event": "gone", "name": name})
    else:
        _print([tables.watched(found) if found else f"gone {safe(name)}"])
        sys.stdout.flush()


def _on(arguments: Namespace) -> int:
    engine, path = _path(arguments)
    extra = _extra(arguments.binds)
    config_dir = arguments.config or None
    if arguments.dry_run:
        plan = engine.plan_on(path, config_dir=config_dir, extra=extra)
        return _show_plan(arguments, path, plan)
    narrator = Narrator(json=arguments.json)
    with Interruptible() as cancelled:
        plan = engine.on(
            path, config_dir=config_dir, extra=extra, report=narrator, cancelled=cancelled
        )
    return _done(arguments, path, "on", len(plan.steps), "already on")


def _extra(texts: list[str]) -> tuple[Bind, ...]:
    from ...core.config.merge import parse_bind_argument

    return tuple(parse_bind_argument(text) for text in texts)


def _off(arguments: Namespace) -> int:
    engine, path = _path(arguments)
    if not arguments.timeout >= 0:  # nor NaN
        raise UsageError("--timeout is a number of seconds, 0 or more")
    if arguments.dry_run:
        plan = engine.plan_off(path, lazy=arguments.lazy)
        if plan and not arguments.no_stop:
            exits.tell("first `stop` would be run inside, then:\n")
        return _show_plan(arguments, path, plan)
    narrator = Narrator(json=arguments.json, output=True)
    with Interruptible() as cancelled:
        plan = engine.off(
            path,
            stop=not arguments.no_stop,
            kill=arguments.kill,
            timeout=arguments.timeout,
            lazy=arguments.lazy,
            report=narrator,
            cancelled=cancelled,
        )
    narrator.end()
    return _done(arguments, path, "off", len(plan.steps), "already off")


def _show_plan(arguments: Namespace, path: str, plan: object) -> int:
    from ...core.plan import Plan

    assert isinstance(plan, Plan)
    if arguments.json:
        json_output.write(json_output.plan(path, plan))
    else:
        _print([safe(step.describe()) for step in plan.steps] or ["nothing to do"])
    return exits.DONE


def _done(arguments: Namespace, path: str, state: str, steps: int, idle: str) -> int:
    if arguments.json:
        json_output.write({"event": "done", "chroot": path, "state": state, "steps": steps})
    else:
        exits.tell(f"{safe(path)}: {state if steps else idle}\n")
    return exits.DONE


def _create(arguments: Namespace) -> int:
    from ...core.creating.options import CreateOptions

    engine, path = _path(arguments)
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
    narrator = Narrator(json=arguments.json)
    started = time.monotonic()
    try:
        with Interruptible() as cancelled:
            engine.create(path, options, report=narrator, cancelled=cancelled)
    finally:
        narrator.end()
    if arguments.json:
        json_output.write({"event": "done", "chroot": path, "state": "off"})
    else:
        exits.tell(
            f"{safe(path)}: created in {time.monotonic() - started:.0f} s\n"
            f"hint: chroot-tool shell -d {safe(path)}\n"
        )
    return exits.DONE


def _delete(arguments: Namespace) -> int:
    engine, path = _path(arguments)
    found = engine.status(path)
    if not arguments.yes:
        _confirm(found)
    narrator = Narrator(json=False)
    try:
        with Interruptible() as cancelled:
            engine.delete(path, report=narrator, cancelled=cancelled)
    finally:
        narrator.end()
    try:
        history.forget(found.path)
    except OSError as error:
        exits.say(f"the history of {found.path} is kept: {exits.reason(error)}")
    exits.tell(f"{safe(found.path)}: deleted\n")
    return exits.DONE


def _confirm(found: ChrootStatus) -> None:
    """Ask for the name. Raises UsageError without a terminal, Cancelled for another answer."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError("delete asks first, and there is no terminal to ask on", "add --yes")
    ends = f", ending {len(found.processes)} processes inside" if found.processes else ""
    exits.tell(
        f"This removes {safe(found.path)} and everything in it{ends}.\n"
        "Binds are unmounted first; what they show stays.\n"
        f"Type the name ({safe(found.name)}) to go on: "
    )
    if sys.stdin.readline().strip() not in (found.name, safe(found.name)):
        raise Cancelled("not deleted: that is not its name")


def _bind(arguments: Namespace) -> int:
    engine, path = _path(arguments)
    if arguments.action == "list":
        entries = engine.config(path).binds
        if arguments.json:
            json_output.write([json_output.bind(entry) for entry in entries])
        else:
            _print(tables.binds(entries))
        return exits.DONE
    if not arguments.target:
        raise UsageError(f"bind {arguments.action} needs a target", "give it with --target PATH")
    changed = _EDITS[arguments.action](engine, path, arguments)
    for name in changed:
        exits.tell(f"{safe(name)}: saved\n")
    if not changed:
        exits.tell("nothing to change\n")
    elif arguments.action == "add":
        _tell_absent(arguments)
    if changed and not arguments.json:
        _tell_mounted(engine, path, arguments.target)
    return exits.DONE


def _add(engine: Engine, path: str, arguments: Namespace) -> tuple[str, ...]:
    from ...core.config.bind import CHROOT_TOML, make
    from ...core.config.edits import Added

    words = [word for text in arguments.options for word in text.split(",") if word]
    bind = make(
        arguments.target,
        arguments.source or None,
        arguments.fs or "bind",
        words or None,
        optional=arguments.optional,
        origin=CHROOT_TOML,
    )
    return engine.binds(path).change(Added(bind))


def _remove(engine: Engine, path: str, arguments: Namespace) -> tuple[str, ...]:
    from ...core.config.edits import Removed

    return engine.binds(path).change(Removed(arguments.target))


def _ignore(engine: Engine, path: str, arguments: Namespace) -> tuple[str, ...]:
    from ...core.config.edits import Ignored

    return engine.binds(path).change(Ignored(arguments.target))


def _tell_absent(arguments: Namespace) -> None:
    """Say so where what was just added will make `on` fail."""
    source = arguments.source or arguments.target
    if arguments.fs in ("", "bind") and not arguments.optional and not os.path.exists(source):
        exits.tell(
            f"warning: {safe(source)} does not exist: `on` will fail until it does\n"
            "hint: make it, or add the entry with --optional\n"
        )


def _tell_mounted(engine: Engine, path: str, target: str) -> None:
    """Say so where a chroot that is on has it otherwise than what was just edited."""
    means = _MEANS.get(engine.binds(path).mount_state(target))
    if means:
        exits.tell(f"{safe(target)} {means} -d {safe(path)}\n")


_MEANS = {
    FOREIGN_MOUNT: "stays mounted until: chroot-tool off",
    MISSING: "is not mounted yet: chroot-tool on",
    DRIFTED: "is still mounted as it was: chroot-tool on",
}

_EDITS: dict[str, Callable[[Engine, str, Namespace], tuple[str, ...]]] = {
    "add": _add,
    "remove": _remove,
    "ignore": _ignore,
}

_COMMANDS: dict[str | None, Callable[[Namespace], int]] = {
    None: _bare,
    "create": _create,
    "on": _on,
    "off": _off,
    "list": _list,
    "status": _status,
    "watch": _watch,
    "bind": _bind,
    "delete": _delete,
}
