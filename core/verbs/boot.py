"""`enable` and `disable`: on and `start` at boot, `stop` and off at shutdown, by systemd's units.

The units are those that a package has installed, else ours, which `enable` writes beside what the
administrator has, with the program that it was asked by. What is enabled is systemctl's business.
"""

from __future__ import annotations

import os

from .. import programs
from ..chroot import open_chroot
from ..errors import ChrootError, PrivilegeError, Problem
from ..events import Warned, ignore
from ..host import boot
from ..host.trusted import executed, writable_by_others
from ..kernel.replace_file import replace
from ..kernel.rootpath import Place
from .off import off, plan_off
from .on import on

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from threading import Event as Flag

    from ..events import Report

_MARK = "# Made by `chroot-tool enable`, which writes it anew: change it by systemctl edit."
_TIMEOUT = 20.0
"""Seconds that who runs inside has to end, as in the unit."""
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._+-=:@,")


def enable(
    path: str,
    program: Sequence[str],
    *,
    now: bool = False,
    report: Report = ignore,
    cancelled: Flag | None = None,
) -> bool:
    """As `Engine.enable`; *program* is the command line that starts chroot-tool."""
    physical, unit = _asked(path, now=now)
    was_enabled = boot.is_enabled(physical)
    if _write_units(program):
        _mind_others(physical, program, report)
    _systemctl("enable", boot.TARGET, unit, cancelled=cancelled)
    if now:
        # A unit that is active starts nothing: not what somebody has switched off by hand either.
        _systemctl("start" if plan_off(path) else "restart", unit, cancelled=cancelled)
        on(path, report=report, cancelled=cancelled)  # what it has lost meanwhile
    else:
        _mind_not_running(physical, report)
    return not was_enabled


def disable(
    path: str, *, now: bool = False, report: Report = ignore, cancelled: Flag | None = None
) -> bool:
    """As `Engine.disable`."""
    physical, unit = _asked(path, now=now)
    was_enabled = boot.is_enabled(physical)
    _systemctl("disable", unit, cancelled=cancelled)
    if now:
        _systemctl("stop", unit, cancelled=cancelled)
        # What was switched on by hand no unit stops.
        off(path, kill=True, timeout=_TIMEOUT, report=report, cancelled=cancelled)
    else:
        _mind_not_running(physical, report)
    return was_enabled


def forget(physical: str, report: Report) -> None:
    """Disable a chroot that is gone, or was when a kill came: its place may become another's."""
    if boot.is_enabled(physical):
        _settle(physical, report, ("disable", boot.unit(physical)))


def move(physical: str, new: str, report: Report) -> None:
    """Have what was enabled as *physical* be enabled as *new*."""
    if boot.is_enabled(physical):
        _settle(
            new, report, ("enable", boot.unit(new)), ("disable", boot.unit(physical))
        )  # fmt: skip


def recall(physical: str, report: Report) -> None:
    """Enable a chroot again that was, and is back in its place."""
    _settle(physical, report, ("enable", boot.unit(physical)))


def _settle(about: str, report: Report, *calls: tuple[str, ...]) -> None:
    try:
        for call in calls:
            _systemctl(*call)
    except ChrootError as error:
        said = Problem(f"what is done at boot stays as it was: {error.message}", error.hint)
        report(Warned(about, said))


def _asked(path: str, *, now: bool) -> tuple[str, str]:
    """Return the physical path and the unit of a chroot. Raises where there is nothing to do."""
    with open_chroot(path) as root:
        physical = root.path
    if programs.find("systemctl") is None:
        raise ChrootError(
            "there is no systemd here, which would switch it on at boot: systemctl is missing",
            f"have what starts services here run: chroot-tool on -d {physical}, then start; "
            "and off --kill at the end",
        )
    if os.geteuid():
        raise PrivilegeError("what is done at boot is root's to say", "run as root")
    if now and not boot.is_running():
        raise ChrootError(
            "systemd does not run here: nothing can be done now",
            f"leave --now out; chroot-tool on -d {physical}",
        )
    return physical, boot.unit(physical)


def _systemctl(*words: str, cancelled: Flag | None = None) -> None:
    """Have systemctl do something. Raises ChrootError with what it says of a failure."""
    where = (f"--root={boot.ROOT}",) if boot.ROOT else ()
    said: list[str] = []
    done = programs.run(["systemctl", *where, *words], on_line=said.append, cancelled=cancelled)
    if done.code:
        reasons = [line for line in said if line and not line.startswith("See ")]
        why = reasons[-1] if reasons else f"exit code {done.code}"
        raise ChrootError(f"systemctl {words[0]} failed: {why}", f"systemctl status {words[-1]}")


def _mind_not_running(physical: str, report: Report) -> None:
    if not boot.is_running():
        about = "systemd does not run here: it counts when this system is booted by it"
        report(Warned(physical, Problem(about)))


def _write_units(program: Sequence[str]) -> bool:
    """Have the units there; tell whether they are ours, and not a package's."""
    own = boot.ROOT + boot.UNITS
    packaged = any(os.path.exists(f"{boot.ROOT}{place}/{boot.SERVICE}") for place in boot.VENDORS)
    for name in (boot.SERVICE, boot.TARGET):
        there = _read(f"{own}/{name}")
        if there is not None and not there.startswith(_MARK):
            continue  # the administrator's own
        if packaged and there is not None:
            os.unlink(f"{own}/{name}")  # from before there was the package
        elif not packaged:
            _replace(own, name, there, unit_text(name, program))
    return not packaged


def unit_text(name: str, program: Sequence[str]) -> str:
    """Return the text of one of our units that starts *program*."""
    text = _read(os.path.join(os.path.dirname(boot.__file__), "units", name)) or ""
    words = " ".join(_word(one) for one in program)
    return f"{_MARK}\n{text.replace(f'{boot.PROGRAM} ', f'{words} ')}"


def _word(text: str) -> str:
    """Return *text* as a word of a command line in a unit (systemd.service(5))."""
    text = text.replace("%", "%%")
    if _PLAIN.issuperset(text):
        return text
    inner = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{inner}"'


def _read(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except FileNotFoundError:
        return None


def _replace(directory: str, name: str, there: str | None, text: str) -> None:
    if there == text:
        return
    try:
        os.makedirs(directory, exist_ok=True)
        with Place(os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)) as parent:
            replace(parent, name, text.encode("utf-8", "surrogateescape"), 0o644, is_synced=True)
    except OSError as error:
        raise ChrootError(f"cannot write {directory}/{name}: {error.strerror}") from error


def _mind_others(physical: str, program: Sequence[str], report: Report) -> None:
    """Warn where somebody else than root can write what root will execute at boot."""
    try:
        found = writable_by_others(executed(program))
    except OSError as error:
        about = f"{error.filename or program[0]}: {error.strerror}"
        said = f"whether root alone can write what is run at boot is not known: {about}"
        report(Warned(physical, Problem(said)))
        return
    if found:
        said = f"{found.path} {found.why}: who can write it is root at the next boot"
        hint = f"install chroot-tool where root alone writes, or: {found.mend}"
        report(Warned(physical, Problem(said, hint)))
