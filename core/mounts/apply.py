"""Doing a plan, and taking it back when a step fails.

Every target is opened inside the root without following a link and worked on by descriptor. What
was done is undone in reverse: a mount is unmounted, an unmounted one is attached again from a
detached copy that was taken before (its content, a tmpfs say, lives on in the copy) or, where the
host shows the same, bound again, and a mount point that was made is removed while it is empty.
"""

from __future__ import annotations

import os
import stat

from ..errors import BusyError, Cancelled, ChrootError, PrivilegeError, Problem
from ..events import StepDone, StepUndone, Warned
from ..kernel import syscalls
from ..kernel.mount_table import MountTable
from ..kernel.rootpath import Root
from ..kernel.syscalls import mount_id
from ..plan import Step
from .new_mount import (
    ATIME_ATTRIBUTES,
    DEV_LINKS,
    PROPAGATION,
    attributes,
    configure,
    detached_mount,
)
from .steps import MakeTarget, Mount, Remount, SetPropagation, Unmount, WriteFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event as Flag

    from ..events import Event, Report
    from ..plan import Plan

    Undo = Callable[[], None]

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_LEVELS = 16
"""How far down files are looked for: who fills a chroot must not lead us down without end."""
_COPY = syscalls.OPEN_TREE_CLONE | syscalls.AT_SYMLINK_NOFOLLOW
_EBUSY = 16
_WRONG = (2, 15, 22)
"""ENOENT, ENOTBLK, EINVAL: no such device, none at all, options the file system does not take."""


def apply(root: Root, plan: Plan, report: Report, cancelled: Flag | None = None) -> None:
    """Do every step of *plan* below *root*, or none.

    Raises ChrootError (BusyError for a mount in use, PrivilegeError) after everything this run
    did was taken back; what could not be is reported as `Warned`.
    """
    run = _Run(root, plan)
    try:
        for step in plan.steps:
            if cancelled and cancelled.is_set():
                raise Cancelled("cancelled")
            run.do(step)
            report(StepDone(root.path, step))
    except OSError as error:
        run.take_back(report)
        raise _explained(step, error) from error
    except BaseException:
        run.take_back(report)
        raise
    finally:
        run.close()


def _explained(step: Step, error: OSError) -> ChrootError:
    why = error.strerror or str(error)
    if error.filename and error.filename != step.target and error.filename not in why:
        why += f" ({error.filename})"
    bind = step.bind if isinstance(step, Mount) else None
    where = f"{bind.origin}:{bind.line}: " if bind and bind.line else ""
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

    def __init__(self, root: Root, plan: Plan) -> None:
        self._root = root
        self._own = {mount_id(root.fd), *plan.own}
        self._steps = plan.steps
        self._undo: list[tuple[Step, Undo]] = []
        self._copies: list[int] = []

    def do(self, step: Step) -> None:
        """Do one step and remember how to undo it. Raises OSError, ChrootError."""
        match step:
            case Mount():
                undo = self._mount(step)
            case Unmount():
                undo = self._unmount(step)
            case MakeTarget():
                undo = self._make(step)
            case Remount():
                undo = self._remount(step)
            case SetPropagation():
                undo = self._propagation(step)
            case WriteFile():
                undo = self._write(step)
            case _:
                raise TypeError(step)
        self._undo.append((step, undo))

    def take_back(self, report: Report) -> None:
        """Undo everything in reverse, and report it; what is done to the end stays done."""
        if len(self._undo) == len(self._steps):
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
        self._undo.clear()

    def close(self) -> None:
        """Let go of the detached copies."""
        for copy in self._copies:
            os.close(copy)
        self._copies.clear()

    def _make(self, step: MakeTarget) -> Undo:
        made = self._root.make(step.target, file=step.file, allowed=self._own.__contains__)

        def undo() -> None:
            for path in reversed(made):
                self._root.unmake(path)

        return undo

    def _mount(self, step: Mount) -> Undo:
        tree = detached_mount(step.bind, step.limits)
        try:
            _attach(self._root, tree, step.target)
            if step.below_shared:  # sharedsubtree.rst: what is attached there becomes shared
                syscalls.mount_setattr(
                    tree, step.target, propagation=PROPAGATION[step.bind.propagation],
                    recursive=step.bind.recursive,
                )  # fmt: skip
            ident = mount_id(tree)
        finally:
            os.close(tree)  # a descriptor that stays open makes the later unmount EBUSY
        if step.bind.fs == "tmpfs":
            self._own.add(ident)

        def undo() -> None:
            parent, name = self._root.parent(step.target)
            with parent as directory:
                _see(directory, name, step.target, ident)
                _umount(directory, name, step.target)

        return undo

    def _unmount(self, step: Unmount) -> Undo:
        parent, name = self._root.parent(step.target)
        with parent as directory:
            _see(directory, name, step.target, step.mount_id)
            if step.spare_files and _holds_files(directory, name):
                path = self._root.path
                raise ChrootError(
                    f"{step.target} in {path} is to be unmounted, and the tmpfs there holds files "
                    "that are nowhere else",
                    f"save them, then umount {path}{step.target}, or chroot-tool off -d {path}",
                )
            # Nothing can fail after the last step, so that is never taken back.
            keep = not step.restored_by and step is not self._steps[-1]
            copy = self._copy(directory, name) if keep else -1
            _umount(directory, name, step.target, lazy=step.lazy)

        def undo() -> None:
            if step.restored_by:
                self._mount(Mount(step.target, step.restored_by, below_shared=True))
            elif copy < 0:
                raise ChrootError("it could not be copied")
            else:
                _attach(self._root, copy, step.target)

        return undo

    def _copy(self, directory: int, name: str) -> int:
        """Return a detached copy, with all its content, of what is mounted at *name*."""
        try:
            copy = syscalls.open_tree(directory, name, _COPY)
        except OSError:
            return -1  # an unbindable mount can't be copied, so not be taken back either
        self._copies.append(copy)
        return copy

    def _remount(self, step: Remount) -> Undo:
        back = _reversed(step)
        try:
            self._change(step)
        except OSError:
            self._change(back)  # flags are changed before options are refused
            raise
        return lambda: self._change(back)

    def _change(self, step: Remount) -> None:
        fd = _open_mount(self._root, step.target, step.mount_id)
        try:
            set_, clear = attributes(set(step.set_flags), set(step.clear_flags), step.set_flags)
            syscalls.mount_setattr(
                fd, step.target, set_=set_, clear=clear, recursive=step.recursive
            )
            if step.super_options:
                _reconfigure(fd, step)
        finally:
            os.close(fd)

    def _propagation(self, step: SetPropagation) -> Undo:
        def change(to: str) -> None:
            fd = _open_mount(self._root, step.target, step.mount_id)
            try:
                kind = PROPAGATION[to]
                syscalls.mount_setattr(fd, step.target, propagation=kind, recursive=step.recursive)
            finally:
                os.close(fd)

        change(step.propagation)
        return lambda: change(step.before)

    def _write(self, step: WriteFile) -> Undo:
        try:
            before: bytes | None = self._root.read(step.target)
        except FileNotFoundError:
            before = None  # what can't be read could not be put back either
        parent = step.target.rpartition("/")[0]
        made = []
        if parent:
            made = self._root.make(parent, file=False, allowed=self._own.__contains__)
        self._root.write(step.target, step.content, allowed=self._own.__contains__)

        def undo() -> None:
            if before is not None:
                self._root.write(step.target, before, allowed=self._own.__contains__)
            else:
                self._root.write(step.target, b"", allowed=self._own.__contains__)
                self._root.unmake(step.target)
            for path in reversed(made):
                self._root.unmake(path)

        return undo


def _reversed(step: Remount) -> Remount:
    """Return the step that takes *step*, which is not done yet, back."""
    entry = MountTable.read().by_id.get(step.mount_id)
    options, super_options = (entry.options, entry.super_options) if entry else ((), ())
    time = next((word for word in options if word in ("noatime", "relatime")), "strictatime")
    times = (time,) if set(step.set_flags) & ATIME_ATTRIBUTES.keys() else ()
    keys = {option.partition("=")[0] for option in step.super_options}
    return step.replace(
        set_flags=(*step.clear_flags, *times),
        clear_flags=tuple(flag for flag in step.set_flags if flag not in ATIME_ATTRIBUTES),
        super_options=tuple(o for o in super_options if o.partition("=")[0] in keys),
    )


def _reconfigure(fd: int, step: Remount) -> None:
    context = syscalls.fspick(fd, step.target)
    try:
        for option in step.super_options:
            configure(context, option)
        syscalls.fsconfig(context, syscalls.FSCONFIG_CMD_RECONFIGURE)
    finally:
        os.close(context)


def _holds_files(directory: int, name: str, levels: int = _LEVELS) -> bool:
    """Tell whether *name* is, or holds, more than what the tool makes: directories and a /dev."""
    mode = os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode
    if not stat.S_ISDIR(mode):
        return not (stat.S_ISCHR(mode) or (stat.S_ISLNK(mode) and name in dict(DEV_LINKS)))
    if not levels:
        return True
    fd = os.open(name, _DIRECTORY, dir_fd=directory)
    try:
        return any(_holds_files(fd, below, levels - 1) for below in os.listdir(fd))
    finally:
        os.close(fd)  # one that stays open makes the later unmount EBUSY


def _attach(root: Root, tree: int, target: str) -> None:
    parent, name = root.parent(target)
    with parent as directory:
        syscalls.move_mount(tree, directory, name, target)


def _open_mount(root: Root, target: str, ident: int) -> int:
    """Open the mount point *target* and see that the mount there is the one that is meant."""
    fd = root.open(target, os.O_PATH | os.O_NOFOLLOW, follow=False)
    try:
        _see(fd, "", target, ident)
    except BaseException:
        os.close(fd)
        raise
    return fd


def _see(fd: int, name: str, target: str, ident: int) -> None:
    """See that the mount at *name* in the directory, or *fd* itself, is the one that is meant."""
    if mount_id(fd, name) != ident:
        raise ChrootError(
            f"{target} is not the mount that it was a moment ago",
            "somebody else mounts here too, or it is hidden by another mount: look and try again",
        )


def _umount(directory: int, name: str, target: str, *, lazy: bool = False) -> None:
    """Unmount what is seen at *name* in a directory, which was just looked at."""
    flags = syscalls.UMOUNT_NOFOLLOW | (syscalls.MNT_DETACH if lazy else 0)
    try:
        syscalls.umount2(f"/proc/self/fd/{directory}/{name}", flags)
    except OSError as error:
        raise OSError(error.errno, error.strerror, target) from None
