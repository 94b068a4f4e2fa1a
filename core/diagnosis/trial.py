"""Trying what mounting takes, in a process and namespaces of its own that end with it.

Nothing of it is seen outside: everything is made in a tmpfs that nobody has a path to.
"""

from __future__ import annotations

import os
import sys

from .. import programs
from ..config.bind import Bind
from ..kernel import syscalls
from ..mounts.new_mount import detached_mount
from ..sessions.own_namespace import OwnNamespace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_STARTER = """
import sys
sys.path.insert(0, sys.argv[1])
from chroot_tool.core.diagnosis.trial import main
main(sys.argv[2], sys.argv[3])
"""
_DIRECTORY = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC
_SECONDS = 8.0
_SCRATCH = Bind("/", "none", "tmpfs", ("size=1M", "mode=0700"))
_NAMESPACES = (
    ("mount", syscalls.CLONE_NEWNS),
    ("uts", syscalls.CLONE_NEWUTS),
    ("ipc", syscalls.CLONE_NEWIPC),
    ("pid", syscalls.CLONE_NEWPID),
)


class Refused(Exception):  # noqa: N818 (what a trial is for: no error of ours)
    """The kernel said no; the message says to what, and why."""


def attempt(name: str, path: str = "/") -> tuple[str, ...]:
    """Try *name* ("mounting", "devices", "overlay", "namespaces"); return what was refused, or ().

    *path* is the directory that an overlay is tried on. Raises ChrootError where it could not even
    be started.
    """
    said: list[str] = []
    packages = __file__.rpartition("/chroot_tool/")[0]
    argv = [sys.executable, "-I", "-S", "-c", _STARTER, packages, name, path]
    done = programs.run(argv, on_line=said.append, timeout=_SECONDS, grace=0.0)
    return tuple(said) or ((f"ended with {done.code}",) if done.code else ())


def main(name: str, path: str) -> None:
    """Be the program that `attempt` starts: print a line for each thing that is refused."""
    for line in _TRIALS[name](path):
        os.write(1, os.fsencode(f"{line}\n"))


def _mounting(_path: str) -> Iterator[str]:
    """Try what `on` and `off` do: a new file system, a read-only bind, taking it away."""
    try:
        tree = _scratch()
        for name in ("source", "target"):
            os.mkdir(name, dir_fd=tree)
        bind = _step("open_tree", syscalls.open_tree, tree, "source", syscalls.OPEN_TREE_CLONE)
        _step("mount_setattr", _seal, bind)
        _step("move_mount", syscalls.move_mount, bind, tree, "target", "target")
        os.close(bind)  # a mount with an open descriptor is busy
        place = f"/proc/self/fd/{tree}/target"
        try:
            os.mkdir(f"{place}/new")
            yield "mount_setattr: a read-only bind can be written"
        except OSError:
            pass
        _step("umount2", syscalls.umount2, place, syscalls.UMOUNT_NOFOLLOW)
    except Refused as refused:
        yield str(refused)


def _seal(bind: int) -> None:
    syscalls.mount_setattr(
        bind, "source", set_=syscalls.MOUNT_ATTR_RDONLY, propagation=syscalls.MS_PRIVATE
    )


def _devices(_path: str) -> Iterator[str]:
    """Try a /dev as chroots get it: its nodes are made, and then opened."""
    try:
        _away()
        dev = _step("mknod", detached_mount, Bind("/dev", "none", "tmpfs", nodes=True))
        _step("opening /dev/null", lambda: os.open("null", os.O_WRONLY, dir_fd=dev))
    except Refused as refused:
        yield str(refused)


def _overlay(path: str) -> Iterator[str]:
    """Try an overlay over *path*, as throw-away sessions have it."""
    try:
        tree = _scratch(path)
        lower = os.open(".", _DIRECTORY)  # on this namespace's own mount, or it is none to build on
        for name in ("upper", "work"):
            os.mkdir(name, dir_fd=tree)
        options = (
            f"lowerdir=/proc/self/fd/{lower}",
            f"upperdir=/proc/self/fd/{tree}/upper",
            f"workdir=/proc/self/fd/{tree}/work",
        )
        _step("overlay", detached_mount, Bind("/", "overlay", "overlay", options))
    except Refused as refused:
        yield str(refused)


def _own_namespaces(_path: str) -> Iterator[str]:
    """Try each kind of namespace that something here uses."""
    for name, flag in _NAMESPACES:
        try:
            _step(name, syscalls.unshare, flag)
        except Refused as refused:
            yield str(refused)


_TRIALS: dict[str, Callable[[str], Iterator[str]]] = {
    "mounting": _mounting,
    "devices": _devices,
    "overlay": _overlay,
    "namespaces": _own_namespaces,
}


def _step(name: str, call: Callable[..., int | None], *arguments: object) -> int:
    """Call; return what comes of it. Raises Refused, with *name*."""
    try:
        return call(*arguments) or 0
    except OSError as error:
        raise Refused(f"{name}: {error.strerror}") from error


def _scratch(path: str = "/") -> int:
    """Go away, with *path* as the working directory; return a tmpfs that is mounted there."""
    top = _away(path)
    tree = _step("fsopen", detached_mount, _SCRATCH)
    _step("move_mount", syscalls.move_mount, tree, top, "", "/")
    return tree


def _away(path: str = "/") -> int:
    """Go into a mount namespace of one's own, for good; return its topmost directory."""
    directory = _step(path, os.open, path, _DIRECTORY)
    return _step("unshare", OwnNamespace(directory).__enter__)
