"""`off`: `stop` inside, then everything unmounted; who is in the way is named, or ended."""

from __future__ import annotations

from ..chroot import open_chroot
from ..errors import BusyError, Cancelled, ChrootError, Problem
from ..events import Output, Warned, ignore
from ..kernel.mount_table import MountTable
from ..lock import Lock
from ..mounts.plan import plan_off as plan_all
from ..need_root import need_root
from .shared.in_use import holders_of, lives_inside
from .shared.switching import carry_out, is_program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from threading import Event as Flag

    from ..events import Report
    from ..kernel.rootpath import Root
    from ..plan import Plan
    from ..process import Holder

_NO_ANSWER = 127
"""Exit code of `stop` where a chroot has no such command: no error."""


def plan_off(path: str, *, lazy: bool = False) -> Plan:
    """As `Engine.plan_off`."""
    with open_chroot(path) as root:
        return plan_all(MountTable.read(), root.path, lazy=lazy)


def holders(path: str) -> tuple[Holder, ...]:
    """As `Engine.holders`."""
    with open_chroot(path) as root:
        return holders_of(root)


def off(
    path: str,
    *,
    stop: bool = True,
    kill: bool = False,
    timeout: float = 10.0,
    lazy: bool = False,
    report: Report = ignore,
    cancelled: Flag | None = None,
) -> Plan:
    """As `Engine.off`."""
    with open_chroot(path) as root, Lock(root.path):

        def planned(*, lazy: bool) -> tuple[Plan, MountTable]:
            table = MountTable.read()
            return plan_all(table, root.path, lazy=lazy), table

        plan, table = planned(lazy=lazy)
        if not plan and not lives_inside(root):
            return plan
        need_root(
            f"switching {root.path} off"
        )  # before `stop` fails for want of it, and tells another story
        if stop:
            _stop(root, report, cancelled)
            plan, table = planned(lazy=lazy)
        if not lazy and lives_inside(root):
            _clear(root, kill=kill, timeout=timeout, report=report, cancelled=cancelled)
            plan, table = planned(lazy=False)
        try:
            carry_out(root, plan, table, report, cancelled)
        except BusyError:
            # Somebody of the host's. To look for such before would cost more than all the rest.
            _clear(root, kill=kill, timeout=timeout, report=report, cancelled=cancelled)
            plan, table = planned(lazy=lazy)
            carry_out(root, plan, table, report, cancelled)
        return plan


def _clear(
    root: Root, *, kill: bool, timeout: float, report: Report, cancelled: Flag | None
) -> None:
    """See that nobody lives inside or holds a mount. Raises BusyError with those who do."""
    from ..processes.in_the_way import stands_in
    from ..processes.signalling import end
    from ..text import processes

    found = holders_of(root)
    if not found:
        return
    if stands_in(found):  # which --kill would spare
        raise BusyError(
            f"the shell that started this stands in {root.path} itself",
            "leave it first: cd /",
            found,
        )
    if kill:
        found = end(root, found, timeout=timeout, report=report, cancelled=cancelled)
    if found:
        hint = "they could not be ended" if kill else "end them, or let --kill do it"
        raise BusyError(f"{root.path} is in use by {processes(len(found))}", hint, found)


def _stop(root: Root, report: Report, cancelled: Flag | None) -> None:
    """Run `stop` by the rules of `run`; what goes wrong is reported and does not hinder."""
    from ..config.host_cmd import HOST_CMD
    from ..config.read import read_config
    from ..entering.own_process import run_apart
    from ..host.mount_points import host_facts
    from ..programs import run
    from .shared.host_command import host_command

    def said(line: str) -> None:
        report(Output(root.path, line))

    code = 0
    try:
        if is_program(root, HOST_CMD):  # not with our own stdout, which is the plan's or the UI's
            command = host_command(root, ("stop",))
            code = run(
                command.argv, env=command.env, keep=command.keep, on_line=said, cancelled=cancelled
            ).code
            code = code if code >= 0 else 128 - code
        if not code:
            code = run_apart(root, read_config(root, host_facts()).run, ("stop",), said, cancelled)
    except Cancelled as error:  # which names the program that was ended: Python, as often as not
        raise Cancelled("interrupted while `stop` ran; nothing was unmounted") from error
    except ChrootError as error:
        is_there = is_program(root, "stop") or is_program(root, "chroot-cmd")
        if is_there or getattr(error, "code", 0) != _NO_ANSWER:
            problem = Problem(f"stop could not be run: {error.message}", error.hint)
            report(Warned(root.path, problem))
        return
    if code and code != _NO_ANSWER:
        problem = Problem(
            f"stop failed with exit code {code}", "`off` goes on; -S leaves `stop` out"
        )
        report(Warned(root.path, problem))
