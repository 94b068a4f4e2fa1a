"""The one door: everything that chroot-tool can do, as methods with typed results.

The command line, the UI and programs that import this call the same methods. Each verb is short:
lock, observe, plan, apply, report. Long ones take `report`, called with an event for everything
that happens, and `cancelled`, a flag that they look at.
"""

from __future__ import annotations

import os
import stat

from .chroot import (
    CONFIG_DIRECTORY,
    Chroot,
    find,
    has_system,
    is_incomplete,
    locate,
    no_system,
    open_chroot,
    unfinished,
)
from .config.merge import host_facts
from .errors import BusyError, Cancelled, ChrootError, PrivilegeError, Problem
from .events import Output, Stage, Warned, ignore
from .kernel.mount_table import MountTable
from .lock import Lock
from .looking.survey import read_config, survey
from .mounts.compare import difference
from .mounts.observe import Observer
from .mounts.plan import plan_off, plan_on, unmounts
from .plan import Plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from threading import Event as Flag

    from .config import edits
    from .config.bind import Bind
    from .config.merge import Config
    from .creating.options import CreateOptions
    from .events import Report
    from .kernel.mount_table import MountEntry
    from .kernel.rootpath import Root
    from .looking.status import ChrootStatus
    from .process import Holder

_NO_ANSWER = 127
"""Exit code of `stop` where a chroot has no such command: no error."""


class Engine:
    """Works on the chroots under *base* and on any other directory that is named."""

    def __init__(self, base: str) -> None:
        self.base = base

    # -- looking ---------------------------------------------------------------------------------

    def locate(self, directory: str) -> str:
        """Return the path that DIR means: a path, or the name of a chroot under the base."""
        return locate(directory, self.base)

    def list(self) -> tuple[ChrootStatus, ...]:
        """Return the status of every chroot under the base. Raises PrivilegeError."""
        return self._survey(find(self.base))

    def status(self, path: str) -> ChrootStatus:
        """Return the status of one chroot. Raises ChrootError where *path* is none."""
        with open_chroot(path) as root:
            physical = root.path
        return self._survey((Chroot(os.path.basename(physical), physical),))[0]

    def _survey(self, chroots: Sequence[Chroot]) -> tuple[ChrootStatus, ...]:
        from .processes.residents import Sampler

        return survey(chroots, Sampler())

    def config(self, path: str, *, config_dir: str | None = None) -> Config:
        """Return the merged configuration of a chroot. Raises ChrootError, ConfigError."""
        with open_chroot(path) as root:
            return read_config(root, host_facts(), config_dir=config_dir)

    def scripts(self, path: str) -> tuple[str, ...]:
        """Return the words that a chroot answers by an executable in its chroot.d."""
        with open_chroot(path) as root:
            try:
                fd = root.open(CONFIG_DIRECTORY, os.O_RDONLY | os.O_DIRECTORY)
            except OSError:
                return ()
            try:
                names = sorted(os.listdir(fd))
            finally:
                os.close(fd)
            hidden = ("chroot-cmd", "host-cmd")
            return tuple(n for n in names if n not in hidden and _is_program(root, n))

    # -- editing binds ---------------------------------------------------------------------------

    def add_bind(self, path: str, bind: Bind) -> tuple[str, ...]:
        """Add an entry; return the files written. Raises UsageError, ConfigError."""
        from .config.edits import Added

        return self._edit(path, Added(bind))

    def remove_bind(self, path: str, target: str) -> tuple[str, ...]:
        """Remove the entry for *target*; return the files. Raises UsageError without one."""
        from .config.edits import Removed

        return self._edit(path, Removed(target))

    def ignore_bind(self, path: str, target: str) -> tuple[str, ...]:
        """Have *target* left out; return the files that say so now. Raises UsageError."""
        from .config.edits import Ignored

        return self._edit(path, Ignored(target))

    def _edit(self, path: str, change: edits.Change) -> tuple[str, ...]:
        from .config import edits

        with open_chroot(path) as root, Lock(root.path):
            before = edits.read(root)
            saved = edits.save(root, before, edits.changed(before, (change,), root.path))
            return tuple(root.path + name for name in saved.names)

    def bind_files(self, path: str) -> edits.Files:
        """Return the bytes of both configuration files: what an editor of them has seen."""
        from .config import edits

        with open_chroot(path) as root:
            return edits.read(root)

    def preview_edits(self, path: str, changes: Sequence[edits.Change]) -> tuple[str, ...]:
        """Return as lines of a unified diff what *changes* would do to the files as they are now.

        Raises ConfigError where a file has errors, UsageError for a change that makes no sense,
        ChangedError for one to an entry that says something else meanwhile.
        """
        from .config import edits

        with open_chroot(path) as root:
            before = edits.read(root)
            return edits.difference(before, edits.changed(before, changes, root.path))

    def preview_binds(self, path: str, changes: Sequence[edits.Change]) -> tuple[Bind, ...]:
        """Return the merged binds, system points among them, as they would be after *changes*.

        Raises as `preview_edits` does.
        """
        from .config import edits
        from .config.merge import parse

        with open_chroot(path) as root:
            after = edits.changed(edits.read(root), changes, root.path)
            where = root.path + CONFIG_DIRECTORY
            return parse(
                after.tool_conf, after.chroot_toml, where=where, conf_sh=False, host=host_facts()
            ).binds

    def save_edits(
        self, path: str, changes: Sequence[edits.Change], seen: edits.Files
    ) -> edits.Saved:
        """Make *changes* in both files, or in none; what is returned undoes them (`undo_edits`).

        *seen* are the files as the caller has shown them (`bind_files`). Raises as
        `preview_edits` does, and ChangedError where a file is another by now: to merge, preview
        and save the same changes with what `bind_files` returns then.
        """
        from .config import edits

        with open_chroot(path) as root, Lock(root.path):
            return edits.save(root, seen, edits.changed(seen, changes, root.path))

    def undo_edits(self, path: str, saved: edits.Saved) -> edits.Saved:
        """Take back a save; what is returned makes it again. Raises ChangedError."""
        from .config import edits

        with open_chroot(path) as root, Lock(root.path):
            return edits.save(root, saved.after, saved.before)

    def complete_inside(self, path: str, text: str) -> tuple[str, ...]:
        """Return the paths inside that *text*, an absolute path there, can be the start of."""
        from .looking import completion

        with open_chroot(path) as root:
            return completion.inside(root, text)

    def inspect_target(self, path: str, target: str) -> str:
        """Say in a few words what is at *target* inside now. Raises UsageError for no target."""
        from .looking import completion

        with open_chroot(path) as root:
            return completion.inspect(root, target, MountTable.read())

    def mount_state(self, path: str, target: str) -> str:
        """Return the state of the mount at *target*; "" for none, and where the chroot is off."""
        from .config.bind import normalise_target
        from .looking.status import ON, PARTIAL

        target = normalise_target(target)
        with open_chroot(path) as root:
            try:
                # One that is in the configuration has the target's name, any other the place's.
                places = (target, root.resolve(target))
            except OSError:
                return ""  # links that lead nowhere: nothing is mounted there
        found = self.status(path)
        states = [mount.state for mount in found.mounts if mount.target in places]
        return states[0] if states and found.state in (ON, PARTIAL) else ""

    # -- on and off ------------------------------------------------------------------------------

    def plan_on(
        self, path: str, *, config_dir: str | None = None, extra: tuple[Bind, ...] = ()
    ) -> Plan:
        """Return what `on` would do; empty when the chroot is on."""
        with open_chroot(path) as root:
            return _plan_on(root, _config(root, config_dir, extra))

    def on(
        self,
        path: str,
        *,
        config_dir: str | None = None,
        extra: tuple[Bind, ...] = (),
        report: Report = ignore,
        cancelled: Flag | None = None,
    ) -> Plan:
        """Bring the mounts to what the configuration says; return what was done.

        Raises ConfigError; ChrootError where a step fails, after taking back this run's steps;
        BusyError where something that must go is in use or another chroot-tool is at work.
        """
        with open_chroot(path) as root, Lock(root.path):
            return _on(root, _config(root, config_dir, extra), report, cancelled)

    def switch_bind(
        self,
        path: str,
        target: str,
        *,
        on: bool,
        report: Report = ignore,
        cancelled: Flag | None = None,
    ) -> Plan:
        """Mount, or unmount with what stands on it, the one bind whose target is *target*.

        Everything else is left as it is. Raises as `on` does; BusyError with the holders where
        an unmount is in the way of somebody.
        """
        with open_chroot(path) as root, Lock(root.path):
            config = _config(root, None, ())
            plan = _plan_one(root, config, target, on=on)
            try:
                apply(root, plan, report, cancelled)
            except BusyError as error:
                points = [root.path + step.target for step in plan.steps]
                raise BusyError(error.message, error.hint, _holders(root, points)) from error
            return plan

    def plan_sync(self, path: str, before: Sequence[Bind]) -> Plan:
        """Return what makes a chroot that is on agree with an edited configuration.

        *before* are the merged binds from before the edit: what they had mounted and is wanted
        no more is unmounted. What somebody else has mounted is left alone.
        """
        with open_chroot(path) as root:
            return _plan_sync(root, _config(root, None, ()), before)

    def sync(
        self,
        path: str,
        before: Sequence[Bind],
        *,
        report: Report = ignore,
        cancelled: Flag | None = None,
    ) -> Plan:
        """Do what `plan_sync` says; return what was done. Raises as `on` does."""
        with open_chroot(path) as root, Lock(root.path):
            plan = _plan_sync(root, _config(root, None, ()), before)
            try:
                apply(root, plan, report, cancelled)
            except BusyError as error:
                points = [root.path + step.target for step in plan.steps]
                raise BusyError(error.message, error.hint, _holders(root, points)) from error
            return plan

    def plan_off(self, path: str, *, lazy: bool = False) -> Plan:
        """Return what `off` would unmount."""
        with open_chroot(path) as root:
            return plan_off(MountTable.read(), root.path, lazy=lazy)

    def holders(self, path: str) -> tuple[Holder, ...]:
        """Return the processes that `off` would hit: who lives inside or holds a mount."""
        with open_chroot(path) as root:
            return _holders(root)

    def off(
        self,
        path: str,
        *,
        stop: bool = True,
        kill: bool = False,
        timeout: float = 10.0,
        lazy: bool = False,
        report: Report = ignore,
        cancelled: Flag | None = None,
    ) -> Plan:
        """Run `stop` inside, then unmount everything below the chroot; return what was done.

        *timeout* is in seconds, between TERM and KILL. Raises BusyError with the holders where
        something is in use, PrivilegeError without root; nothing is unmounted then.
        """
        with open_chroot(path) as root, Lock(root.path):
            plan = plan_off(MountTable.read(), root.path, lazy=lazy)
            if not plan and not _lives_inside(root):
                return plan
            if os.geteuid():  # before `stop` fails for want of it, and tells another story
                raise PrivilegeError(f"switching {root.path} off needs root", "run as root")
            if stop:
                _stop(root, report, cancelled)
                plan = plan_off(MountTable.read(), root.path, lazy=lazy)
            if not lazy and _lives_inside(root):
                _clear(root, kill=kill, timeout=timeout, report=report, cancelled=cancelled)
                plan = plan_off(MountTable.read(), root.path)
            try:
                apply(root, plan, report, cancelled)
            except BusyError:
                # Somebody of the host's. To look for such before would cost more than all the rest.
                _clear(root, kill=kill, timeout=timeout, report=report, cancelled=cancelled)
                plan = plan_off(MountTable.read(), root.path, lazy=lazy)
                apply(root, plan, report, cancelled)
            return plan

    # -- running ---------------------------------------------------------------------------------

    def run(
        self,
        path: str,
        words: tuple[str, ...],
        *,
        user: str = "",
        cwd: str = "",
        env: Mapping[str, str] | None = None,
        config_dir: str | None = None,
    ) -> int:
        """Switch on, then run a command inside; return its exit code (128+N for a signal).

        No *words*: the user's login shell. Only for a process that has one thread: it forks.
        stdin, stdout, stderr and signals are the command's while it runs. Where stdin or stdout is
        no terminal, both are /dev/null for this process afterwards. Raises ChrootError where the
        command could not be started; then they are as before.
        """
        from .entering import enter

        with open_chroot(path) as root:
            if is_incomplete(root):
                Lock(root.path).close()  # raises LockedError where it is being made just now
            config = _config(root, config_dir, ())
            if _plan_on(root, config):  # else a second `run` would wait for a first
                with Lock(root.path):
                    _on(root, config, ignore, None)
            argv = _host_cmd(root, words)
            if argv:
                from .programs import passthrough

                code = passthrough(argv, env=_host_env(root))
                if code:
                    return code
            command = enter.command(root, config.run, words, user=user, cwd=cwd, env=env or {})
            return enter.run(root, command)

    # -- creating and deleting -------------------------------------------------------------------

    def create(
        self,
        path: str,
        options: CreateOptions,
        *,
        report: Report = ignore,
        cancelled: Flag | None = None,
    ) -> None:
        """Make a Debian in *path*. Raises ChrootError, Cancelled; then *path* is as before."""
        from .creating import bootstrap

        bootstrap.create(path, options, report, cancelled)

    def delete(
        self,
        path: str,
        *,
        timeout: float = 10.0,
        report: Report = ignore,
        cancelled: Flag | None = None,
    ) -> None:
        """Switch off, ending what runs inside, and remove the directory with all it holds.

        Never crosses a mount. Raises BusyError where something is mounted or runs inside that
        could not be ended; nothing is removed then.
        """
        from .trees import remove

        with open_chroot(path) as root:
            physical = root.path
            if MountTable.read().at(physical):
                raise ChrootError(
                    f"{physical} is itself a mount point", "unmount it, or empty it by hand"
                )
            sound = has_system(root) and not is_incomplete(root)
        self.off(
            physical, stop=sound, kill=True, timeout=timeout, report=report, cancelled=cancelled
        )
        with Lock(physical):
            report(Stage(physical, "removing"))
            remove.chroot(physical, report, cancelled)


def _config(root: Root, config_dir: str | None, extra: tuple[Bind, ...]) -> Config:
    if is_incomplete(root):
        problem = unfinished(root)
        raise ChrootError(f"{root.path} is incomplete: {problem.message}", problem.hint)
    if not has_system(root):
        problem = no_system(root)
        raise ChrootError(problem.message, problem.hint)
    return read_config(root, host_facts(), config_dir=config_dir, extra=extra)


def apply(root: Root, plan: Plan, report: Report, cancelled: Flag | None) -> None:
    """Do a plan; see core.mounts.apply, which a `run` that finds everything on never needs."""
    if plan:
        from .mounts.apply import apply

        apply(root, plan, report, cancelled)


def _plan_on(root: Root, config: Config) -> Plan:
    observer = Observer()
    wanted = observer.wanted(root, config.binds)
    return plan_on(wanted, observer.table, root.path, observer.host_pts)


def _on(root: Root, config: Config, report: Report, cancelled: Flag | None) -> Plan:
    """Plan and apply; the caller holds the lock."""
    plan = _plan_on(root, config)
    try:
        apply(root, plan, report, cancelled)
    except BusyError as error:
        raise BusyError(error.message, error.hint, _holders(root)) from error
    return plan


def _is_program(root: Root, name: str) -> bool:
    there = root.stat(f"{CONFIG_DIRECTORY}/{name}")
    return there is not None and stat.S_ISREG(there.st_mode) and bool(there.st_mode & 0o111)


def _lives_inside(root: Root) -> bool:
    """Tell whether a process has its root here: a pass over /proc that takes 5 µs for each."""
    from .processes.residents import pids_by_root

    status = os.fstat(root.fd)
    return any(pids_by_root({root.path: (status.st_dev, status.st_ino)}).values())


def _plan_sync(root: Root, config: Config, before: Sequence[Bind]) -> Plan:
    observer = Observer()
    wanted = observer.wanted(root, config.binds)
    kept = {one.target for one in wanted if one.active}
    gone: list[MountEntry] = []
    for one in observer.wanted(root, before):
        stack = observer.table.at(root.path + one.target)
        if not one.active or one.target in kept or not stack:
            continue
        if not difference(one, stack[-1], observer.host_pts):
            gone += [stack[-1], *observer.table.below(root.path + one.target)]
    ids = {entry.id for entry in gone}
    left = MountTable(entry for entry in observer.table.entries if entry.id not in ids)
    places = tuple(f"{entry.target}/" for entry in gone)
    # What a mount point lies on goes, and nobody knows what is below.
    wanted = tuple(
        one.replace(exists=one.exists and not (root.path + one.target).startswith(places))
        for one in wanted
    )
    steps = unmounts(list({entry.id: entry for entry in gone}.values()), root.path)
    plan = plan_on(wanted, left, root.path, observer.host_pts)
    return Plan((*steps, *plan.steps), plan.own)


def _plan_one(root: Root, config: Config, target: str, *, on: bool) -> Plan:
    """Plan to mount or unmount one target; a foreign mount can only be unmounted."""
    observer = Observer()
    wanted = observer.wanted(root, config.binds)
    one = next((w for w in wanted if target in (w.bind.target, w.target)), None)
    if on:
        if one is None or not one.active:
            raise ChrootError(f"nothing is configured to be mounted at {target}", "edit its binds")
        return plan_on((one,), observer.table, root.path, observer.host_pts)
    point = root.path + (one.target if one else target)
    table = observer.table
    return Plan(unmounts([*table.at(point), *table.below(point)], root.path))


def _holders(root: Root, points: Sequence[str] | None = None) -> tuple[Holder, ...]:
    from .processes.holders import holders

    status = os.fstat(root.fd)
    found = holders(root.path, (status.st_dev, status.st_ino), points)
    return tuple(holder for holder in found if holder.blocks)


def _clear(
    root: Root, *, kill: bool, timeout: float, report: Report, cancelled: Flag | None
) -> None:
    """See that nobody lives inside or holds a mount. Raises BusyError with those who do."""
    from .processes.holders import end, stands_in
    from .text import processes

    found = _holders(root)
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


def _host_cmd(root: Root, words: tuple[str, ...]) -> list[str]:
    """Return how to run `chroot.d/host-cmd` for *words*; empty where there is no executable one."""
    if not words or not _is_program(root, "host-cmd"):
        return []
    from .entering.enter import split

    return [root.path + root.resolve(f"{CONFIG_DIRECTORY}/host-cmd"), *split(words)]


def _host_env(root: Root) -> dict[str, str]:
    return {**os.environ, "CHROOT_TOOL_DIR": root.path}


def _stop(root: Root, report: Report, cancelled: Flag | None) -> None:
    """Run `stop` by the rules of `run`; what goes wrong is reported and does not hinder."""
    from .entering import enter
    from .programs import run

    def said(line: str) -> None:
        report(Output(root.path, line))

    code = 0
    try:
        argv = _host_cmd(root, ("stop",))
        if argv:  # not with our own stdout, which is the plan's or the UI's
            code = run(argv, env=_host_env(root), on_line=said, cancelled=cancelled).code
            code = code if code >= 0 else 128 - code
        if not code:
            code = enter.run_apart(
                root, read_config(root, host_facts()).run, ("stop",), said, cancelled
            )
    except Cancelled as error:  # which names the program that was ended: Python, as often as not
        raise Cancelled("interrupted while `stop` ran; nothing was unmounted") from error
    except ChrootError as error:
        if getattr(error, "code", 0) != _NO_ANSWER:
            problem = Problem(f"stop could not be run: {error.message}", error.hint)
            report(Warned(root.path, problem))
        return
    if code and code != _NO_ANSWER:
        problem = Problem(
            f"stop failed with exit code {code}", "`off` goes on; -S leaves `stop` out"
        )
        report(Warned(root.path, problem))
