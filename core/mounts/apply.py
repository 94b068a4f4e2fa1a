"""Doing a plan, and taking it back when a step fails.

Every target is opened inside the root without following a link and worked on by descriptor. What
was done is undone in reverse: a mount is unmounted, an unmounted one is attached again from a
detached copy that was taken before (its content, a tmpfs say, lives on in the copy) or, where the
host shows the same, bound again, and a mount point that was made is removed while it is empty.
"""

from __future__ import annotations

import _thread
import os

from ..errors import BusyError, Cancelled, ChrootError, PrivilegeError, Problem
from ..events import StepDone, StepUndone, Warned
from ..kernel import answering, syscalls
from ..kernel.answering import HINT, NotAnswering
from ..kernel.mount_table import MountTable, inside
from ..kernel.rootpath import Root
from ..kernel.syscalls import mount_id
from ..plan import Step
from .attached import attach, holds_files, open_mount, reconfigure, see, subtree, umount
from .new_mount import ATIME_ATTRIBUTES, PROPAGATION, attributes, detached_mount
from .plan import unmounts
from .steps import MakeTarget, Mount, Remount, SetPropagation, Unmount, WriteFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event as Flag

    from ..events import Event, Report
    from ..kernel.mount_table import MountEntry
    from ..plan import Plan

    Undo = Callable[[], None]

_COPY = syscalls.OPEN_TREE_CLONE | syscalls.AT_SYMLINK_NOFOLLOW
_EBUSY = 16
_ECANCELED = 125
_INTERRUPTED = "interrupted; what it had done is taken back"
_IN_MEMORY = ("devpts", "devtmpfs", "tmpfs")
_WRONG = (2, 15, 22)
"""ENOENT, ENOTBLK, EINVAL: no such device, none at all, options the file system does not take."""


def apply(
    root: Root, plan: Plan, table: MountTable, report: Report, cancelled: Flag | None = None
) -> None:
    """Do every step of *plan* below *root*, or none; *table* is what the plan was made of.

    Raises ChrootError (BusyError for a mount in use, PrivilegeError) after everything this run
    did was taken back; what could not be is reported as `Warned`. A step that somebody does not
    answer to is one that fails.
    """
    run = _Run(root, plan, table if table.answered_for else None)
    try:
        for step in plan.steps:
            if cancelled and cancelled.is_set():
                raise Cancelled(_INTERRUPTED)
            run.do(step, cancelled)
            report(StepDone(root.path, step))
    except OSError as error:
        run.take_back(report)
        if cancelled and cancelled.is_set():
            raise Cancelled(_INTERRUPTED) from error
        raise _explained(step, error) from error
    except BaseException:
        run.take_back(report)
        raise
    finally:
        run.close()


def _explained(step: Step, error: OSError) -> ChrootError:
    why = error.strerror or str(error)
    is_told = isinstance(error, NotAnswering) or error.filename in (None, step.target)
    if not is_told and error.filename not in why:
        why += f" ({error.filename})"
    bind = step.bind if isinstance(step, Mount) else None
    where = f"{bind.origin}:{bind.line}: " if bind and bind.line else ""
    if isinstance(error, NotAnswering) and isinstance(step, Unmount):
        # What stands on such a mount is reached by nobody but by asking: path_resolution(7).
        hint = "see to who serves it, or let go of all that is there: off --lazy"
        return ChrootError(f"cannot {step.describe()}: {error.filename} {why}", hint)
    if isinstance(error, NotAnswering):
        return ChrootError(f"{where}{error.filename}, wanted at {step.target}, {why}", HINT)
    message = f"{where}cannot {step.describe()}: {why}"
    if error.errno == _EBUSY:
        return BusyError(message, "end the processes that use it, or use --kill")
    if error.errno in (1, 13):
        return PrivilegeError(message, "run as root")
    if error.errno == 38:
        return ChrootError(message, "this needs Linux 5.12 or newer")
    if error.errno == 19 and bind:
        return ChrootError(message, f"the kernel knows no file system {bind.fs}")
    return ChrootError(message, "correct the entry" if where and error.errno in _WRONG else "")


class _Run:
    """One run of a plan: what was done so far, and how to take it back."""

    def __init__(self, root: Root, plan: Plan, table: MountTable | None) -> None:
        """Work on *root*; *table* is the mount table where somebody may not answer."""
        self._root = root
        self._table = table
        self._is_apart = not any(
            _is_in(root.path, entry.target) or _is_in(entry.target, root.path)
            for entry in (table.answered_for if table else ())
        )
        """Whether nothing is on the way to the root, or mounted in it, that may not answer."""
        self._own = {mount_id(root.fd), *plan.own}
        self._steps = plan.steps
        self._done = 0
        self._undo: list[tuple[Step, Undo]] = []
        self._copies: list[int] = []
        self._is_given_up = False
        self._is_left = False
        """Whether a step goes on that was given up."""
        self._at_work = _thread.allocate_lock()
        """Held while a step is waited for, and then until all is taken back."""

    def do(self, step: Step, cancelled: Flag | None) -> None:
        """Do one step; how to undo it is noted before it can fail. Raises OSError, ChrootError."""
        if self._table is None or self._asks_nobody(step, self._table):
            self._do(step)
        else:
            self._do_in_time(step, self._table, cancelled)
            self._is_apart = False  # what was mounted may be one that does not answer
        self._done += 1

    def _asks_nobody(self, step: Step, table: MountTable) -> bool:
        """Tell whether a step needs no bound: it has to do with none who may not answer.

        On a busy machine a bound is over before a thread has even begun.
        """
        if not self._is_apart or not isinstance(step, Mount):
            return self._is_apart
        bind = step.bind
        if bind.fs != "bind":
            return bind.fs in _IN_MEMORY
        return not (bind.recursive or step.limits or answering.place(table, bind.source))

    def _do_in_time(self, step: Step, table: MountTable, cancelled: Flag | None) -> None:
        """Do a step that may ask who does not answer; it is taken back if it is done too late.

        Not an unmount: by then others may have worked on the chroot, and it may be off.
        """
        path = self._root.path + step.target
        found = None
        # First what is on the way: to wait for it in the step would be to wait for both, and which
        # of the two is given up first, and named, would be chance.
        if self._root.guard:
            self._root.guard(path, at=False, cancelled=cancelled)

        def do() -> BaseException | None:
            try:
                if found:
                    answering.await_answer(found[0].target)
                self._go_on()
                self._do(step)
            except BaseException as error:  # given back, so that its end is told in any case
                return error
            return None

        if isinstance(step, Mount):
            path = step.bind.source
            found = answering.place(table, path) if step.bind.fs == "bind" else None
        self._at_work.acquire()
        try:
            failed = answering.ask(
                found[0].device if found else f"step {path}", path, do,
                seconds=answering.patience(), left=self._leave,
                late=lambda _: self._end_late(step), cancelled=cancelled,
            )  # fmt: skip
            if failed is not None:
                raise failed
        except BaseException:
            self._is_given_up = True
            raise
        finally:
            if not self._is_left:
                self._at_work.release()

    def _leave(self) -> None:
        self._root.hold()
        self._is_left = True

    def _go_on(self) -> None:
        """Do nothing more where all was given up: others may work on the root by now.

        Raises OSError.
        """
        if self._is_given_up:
            raise OSError(_ECANCELED, "given up")

    def _end_late(self, step: Step) -> None:
        with self._at_work:
            try:
                for done, undo in reversed(self._undo):
                    if done is step and not isinstance(step, Unmount):
                        undo()
            finally:
                self._root.let_go()

    def _do(self, step: Step) -> None:
        match step:
            case Mount():
                self._mount(step, self._go_on)
            case Unmount():
                self._unmount(step)
            case MakeTarget():
                self._make(step)
            case Remount():
                self._remount(step)
            case SetPropagation():
                self._propagation(step)
            case WriteFile():
                self._write(step)
            case _:
                raise TypeError(step)

    def take_back(self, report: Report) -> None:
        """Undo everything in reverse, and report it; what is done to the end stays done."""
        if self._done == len(self._steps):
            return
        path = self._root.path
        for step, undo in reversed(self._undo):
            told: Event = StepUndone(path, step)
            try:
                undo()
            except (OSError, ChrootError) as error:
                why = getattr(error, "strerror", "") or str(error)
                message = f"could not be taken back: {step.describe()}: {why}"
                told = Warned(path, Problem(message, f"chroot-tool status -d {path}"))
            try:
                report(told)
            except Exception:
                continue  # who cannot be told must not be left with half of it

    def close(self) -> None:
        """Let go of the detached copies."""
        for copy in self._copies:
            os.close(copy)
        self._copies.clear()
        if self._is_left:
            self._at_work.release()

    def _make(self, step: MakeTarget) -> None:
        made: list[str] = []
        self._undo.append((step, lambda: self._unmake(made)))
        self._root.make(step.target, file=step.file, allowed=self._own.__contains__, made=made)

    def _unmake(self, made: list[str]) -> None:
        for path in reversed(made):
            self._root.unmake(path)

    def _mount(self, step: Mount, go_on: Callable[[], object]) -> None:
        tree = detached_mount(step.bind, step.limits)
        try:
            ident = mount_id(tree)
            go_on()
            attach(self._root, tree, step.target)
            self._undo.append((step, self._unmounted(step, ident)))
            if step.below_shared:  # sharedsubtree.rst: what is attached there becomes shared
                syscalls.mount_setattr(
                    tree, step.target, propagation=PROPAGATION[step.bind.propagation],
                    recursive=step.bind.recursive,
                )  # fmt: skip
        finally:
            os.close(tree)  # a descriptor that stays open makes the later unmount EBUSY
        if step.bind.fs == "tmpfs":
            self._own.add(ident)

    def _unmounted(self, step: Mount, ident: int) -> Undo:
        """Return how a mount that was just attached is taken away, with what has come along."""
        if not step.bind.recursive:
            return lambda: self._take_away(step.target, ident)
        came = {entry.id for entry in subtree(MountTable.read(), ident)}

        def undo() -> None:
            # As it is by now: what is attached below a shared mount becomes shared itself.
            entries = [entry for entry in MountTable.read().entries if entry.id in came]
            for one in unmounts(entries, self._root.path):
                if isinstance(one, SetPropagation):
                    self._set_propagation(one.target, one.mount_id, one.propagation)
                elif isinstance(one, Unmount):
                    self._take_away(one.target, one.mount_id)

        return undo

    def _take_away(self, target: str, ident: int) -> None:
        parent, name = self._root.parent(target)
        with parent as directory:
            see(directory, name, target, ident)
            umount(directory, name, target)

    def _unmount(self, step: Unmount) -> None:
        parent, name = self._root.parent(step.target)
        with parent as directory:
            see(directory, name, step.target, step.mount_id)
            if step.spare_files and holds_files(directory, name):
                path = self._root.path
                raise ChrootError(
                    f"{step.target} in {path} is to be unmounted, and the tmpfs there holds files "
                    "that are nowhere else",
                    f"save them, then umount {path}{step.target}, or chroot-tool off -d {path}",
                )
            self._go_on()
            # Nothing can fail after the last step, so that is never taken back.
            keep = not step.restored_by and step is not self._steps[-1]
            copy = self._copy(directory, name) if keep else -1
            umount(directory, name, step.target, lazy=step.lazy)

        def undo() -> None:
            if step.restored_by:
                self._mount(Mount(step.target, step.restored_by, below_shared=True), bool)
            elif copy < 0:
                raise ChrootError("it could not be copied")
            else:
                attach(self._root, copy, step.target)

        self._undo.append((step, undo))

    def _copy(self, directory: int, name: str) -> int:
        """Return a detached copy, with all its content, of what is mounted at *name*."""
        try:
            copy = syscalls.open_tree(directory, name, _COPY)
        except OSError:
            return -1  # an unbindable mount can't be copied, so not be taken back either
        self._copies.append(copy)
        return copy

    def _remount(self, step: Remount) -> None:
        back = _reversed(step, self._root.path)

        def undo() -> None:
            for one in back:
                self._change(one)

        self._undo.append((step, undo))  # flags are changed before options are refused
        self._change(step)

    def _change(self, step: Remount) -> None:
        fd = open_mount(self._root, step.target, step.mount_id)
        try:
            set_, clear = attributes(set(step.set_flags), set(step.clear_flags), step.set_flags)
            syscalls.mount_setattr(
                fd, step.target, set_=set_, clear=clear, recursive=step.recursive
            )
            if step.super_options:
                reconfigure(fd, step.target, step.super_options)
        finally:
            os.close(fd)

    def _propagation(self, step: SetPropagation) -> None:
        before = [(step.target, step.mount_id, step.before)]
        if step.recursive:
            entries = subtree(MountTable.read(), step.mount_id)
            before = [(inside(e.target, self._root.path), e.id, e.propagation) for e in entries]
        self._set_propagation(step.target, step.mount_id, step.propagation, step.recursive)

        def undo() -> None:
            for target, ident, kind in before:
                self._set_propagation(target, ident, kind)

        self._undo.append((step, undo))

    def _set_propagation(self, target: str, ident: int, to: str, recursive: bool = False) -> None:
        fd = open_mount(self._root, target, ident)
        try:
            kind = PROPAGATION[to]
            syscalls.mount_setattr(fd, target, propagation=kind, recursive=recursive)
        finally:
            os.close(fd)

    def _write(self, step: WriteFile) -> None:
        before = self._content(step.target)
        made: list[str] = []

        def undo() -> None:
            if self._content(step.target) != before:
                # `unmake` removes nothing that holds anything.
                self._root.write(step.target, before or b"", allowed=self._own.__contains__)
            if before is None:
                self._root.unmake(step.target)
            self._unmake(made)

        self._undo.append((step, undo))
        parent = step.target.rpartition("/")[0]
        if parent:
            self._root.make(parent, file=False, allowed=self._own.__contains__, made=made)
        self._root.write(step.target, step.content, allowed=self._own.__contains__)

    def _content(self, inside: str) -> bytes | None:
        try:
            return self._root.read(inside)
        except FileNotFoundError:
            return None  # anything else that can't be read could not be put back either


def _is_in(path: str, directory: str) -> bool:
    """Tell whether a path is a directory or lies in it."""
    return f"{path}/".startswith(f"{directory.rstrip('/')}/")


def _reversed(step: Remount, root_path: str) -> list[Remount]:
    """Return what takes *step*, which is not done yet, back: mount by mount."""
    table = MountTable.read()
    entries = subtree(table, step.mount_id)
    return [
        _as_before(step, entry, root_path) for entry in entries[: None if step.recursive else 1]
    ]


def _as_before(step: Remount, entry: MountEntry, root_path: str) -> Remount:
    time = next((word for word in entry.options if word in ATIME_ATTRIBUTES), "strictatime")
    changed = {*step.set_flags, *step.clear_flags}
    times = (time,) if changed & ATIME_ATTRIBUTES.keys() else ()
    flags = changed - ATIME_ATTRIBUTES.keys()
    keys = {option.partition("=")[0] for option in step.super_options}
    options = entry.super_options if entry.id == step.mount_id else ()
    return Remount(
        inside(entry.target, root_path),
        entry.id,
        set_flags=(*sorted(flags & set(entry.options)), *times),
        clear_flags=tuple(sorted(flags - set(entry.options))),
        super_options=tuple(o for o in options if o.partition("=")[0] in keys),
    )
