"""The root of a session: an overlay on a chroot's tree, with what `on` would mount in that.

The lower layer is the tree as it is on its own mount: what is mounted in the chroot below is
neither seen nor touched, an overlay takes no more of a path than its one mount. The upper layer is
a tmpfs that nothing but the overlay has; it ends with the namespace.

Two do it. The process that starts the session makes what can be made in an `OwnNamespace` of its
own. The first process of the session does the rest, and lives in it: a proc is that of the pid
namespace of the one who mounts it.
"""

from __future__ import annotations

import os
import stat

from ..config.bind import Bind
from ..errors import ChrootError, PrivilegeError
from ..events import ignore
from ..kernel import answering, syscalls
from ..kernel.mount_table import MountTable
from ..kernel.rootpath import Root
from ..mounts.apply import apply
from ..mounts.observe import Observer
from ..mounts.plan import plan_on
from ..mounts.sources import flags_of
from ..mounts.steps import Mount
from ..plan import Plan
from .own_namespace import current_namespace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..mounts.limits import Limits
    from ..plan import Step

_DIRECTORY = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC
_INHERITED = {
    "nosuid": syscalls.MOUNT_ATTR_NOSUID,
    "nodev": syscalls.MOUNT_ATTR_NODEV,
    "noexec": syscalls.MOUNT_ATTR_NOEXEC,
    "nosymfollow": syscalls.MOUNT_ATTR_NOSYMFOLLOW,
}
"""What holds for the tree below holds for the overlay, which would know nothing of it."""
_OPTIONS = (
    ("redirect_dir", "on"),  # else a directory of the chroot cannot be renamed (EXDEV)
    ("metacopy", "off"),  # a chown that copies no data would still read it below, much later
    ("index", "off"),  # a chroot below that changes meanwhile would make stale handles of it
    ("xino", "off"),  # inode numbers of 64 bits are none for the programs of a 32-bit chroot
)
"""Said, because what is not said is as the kernel was built (filesystems/overlayfs.rst)."""
_VIEW = syscalls.MOUNT_ATTR_RDONLY | syscalls.MOUNT_ATTR_NODEV | syscalls.MOUNT_ATTR_NOATIME
_NAME_LIMIT = 255  # fsconfig(2) takes strings of 256 bytes
_PROC = Bind("/proc", "proc", "proc", ("nosuid", "nodev", "noexec"))


class Overlay:
    """A session's root, with all that is mounted on it but what `finish` mounts."""

    def __init__(
        self,
        below: Root,
        binds: Iterable[Bind],
        limits: Limits | None,
        bound: int,
        top: int,
        *,
        is_kept: bool,
    ) -> None:
        """Make it on the tree *below*, which is the working directory, with *binds*.

        *bound* is how many bytes can be written in it; *top* is the topmost directory of the
        namespace. Raises ChrootError, OSError.
        """
        scratch = _scratch(bound, top)
        tree = _overlay(os.open(".", _DIRECTORY), scratch, below.path)
        self.view = _view(tree, below.path) if is_kept else -1
        """A descriptor of the tree without mounts, which can only be read; -1 where none is kept.
        Made here, since of a mount of another namespace no second one can be had (open_tree(2))."""
        self.root = Root(f"/proc/self/fd/{tree}")
        self.root.path = below.path  # what messages are about
        self._rest = _mount(self.root, binds, limits)

    def finish(self) -> None:
        """Mount the rest, and have this process and its namespace live in it.

        No mount of the host's is left in the namespace then. Raises ChrootError, OSError.
        """
        syscalls.unshare(syscalls.CLONE_NEWIPC | syscalls.CLONE_NEWUTS)
        apply(self.root, self._rest, _far(), ignore)
        namespace = current_namespace()
        syscalls.setns(
            namespace, syscalls.CLONE_NEWNS
        )  # pivot_root(2) wants a root that is mounted
        os.fchdir(self.root.fd)
        syscalls.pivot_root(".", ".")
        syscalls.umount2(".", syscalls.MNT_DETACH)
        os.chdir("/")


def _scratch(bound: int, top: int) -> int:
    """Mount what is written to; nobody finds it, since nobody's root is above *top*'s."""
    inodes = max(bound >> 12, 1024)  # a page each: empty files take memory, too
    options = (("size", str(bound)), ("nr_inodes", str(inodes)), ("mode", "0700"))
    tree = _new("tmpfs", options)
    syscalls.move_mount(tree, top, "", "/")
    for name in ("upper", "work", "root"):
        os.mkdir(name, 0o700, dir_fd=tree)
    return tree


def _overlay(lower: int, scratch: int, path: str) -> int:
    """Mount the overlay in *scratch*, and return its descriptor. Raises ChrootError."""
    try:
        _liken(os.open("upper", os.O_RDONLY | os.O_CLOEXEC, dir_fd=scratch), lower)
        options = (
            ("source", path if len(os.fsencode(path)) <= _NAME_LIMIT else "overlay"),
            ("lowerdir", f"/proc/self/fd/{lower}"),
            ("upperdir", f"/proc/self/fd/{scratch}/upper"),
            ("workdir", f"/proc/self/fd/{scratch}/work"),
            *_OPTIONS,
        )
        attributes = sum(_INHERITED.get(word, 0) for word in flags_of(lower))
        tree = _new("overlay", options, attributes)
        syscalls.move_mount(tree, scratch, "root", path)
    except OSError as error:
        raise _refused(error, lower, path) from error
    for fd in (lower, scratch):
        os.close(fd)
    return tree


def _new(fs: str, options: Iterable[tuple[str, str]], attributes: int = 0) -> int:
    context = syscalls.fsopen(fs)
    try:
        for key, value in options:
            syscalls.fsconfig(context, syscalls.FSCONFIG_SET_STRING, key, value)
        syscalls.fsconfig(context, syscalls.FSCONFIG_CMD_CREATE)
        return syscalls.fsmount(context, attributes, fs)
    finally:
        os.close(context)


def _liken(upper: int, lower: int) -> None:
    """Give the upper layer's root, which is the one that is seen, what the chroot's root has."""
    there = os.fstat(lower)
    for name in os.listxattr(f"/proc/self/fd/{lower}"):
        if name.startswith(("security.", "system.posix_acl_", "user.")):
            try:
                os.setxattr(upper, name, os.getxattr(f"/proc/self/fd/{lower}", name))
            except OSError:
                pass  # a tmpfs has user.* since Linux 6.6 only
    os.fchown(upper, there.st_uid, there.st_gid)
    os.fchmod(upper, stat.S_IMODE(there.st_mode))
    os.utime(upper, ns=(there.st_atime_ns, there.st_mtime_ns))
    os.close(upper)


def _view(tree: int, path: str) -> int:
    view = syscalls.open_tree(tree, "", syscalls.OPEN_TREE_CLONE | syscalls.AT_EMPTY_PATH)
    syscalls.mount_setattr(view, path, set_=_VIEW, clear=syscalls.MOUNT_ATTR__ATIME)
    return view


def _mount(root: Root, binds: Iterable[Bind], limits: Limits | None) -> Plan:
    """Mount in the session what `on` would mount in the chroot; return what is left to be done."""
    nothing = MountTable(())  # is mounted in it; what is on the host needs no look for that
    observer = Observer(nothing, MountTable.read() if limits else None)
    wanted = observer.wanted(root, [_of_its_own(bind) for bind in binds], limits)
    plan = plan_on(wanted, nothing, root.path, observer.host_pts)
    later = {one.target for one in wanted if one.bind.fs == "proc"}
    first: list[Step] = []
    rest: list[Step] = []
    for step in plan.steps:
        waits = isinstance(step, Mount) and any(
            f"{step.target}/".startswith(f"{target}/") for target in later
        )
        (rest if waits else first).append(step)
    apply(root, plan.replace(steps=tuple(first)), _far(), ignore)
    return plan.replace(steps=tuple(rest))


def _far() -> MountTable:
    """Return what is mounted here where somebody else answers for any of it, else nothing."""
    return answering.table() or MountTable(())


def _of_its_own(bind: Bind) -> Bind:
    """Return the bind as it is in a session, out of which nothing is mounted.

    The host's /proc would show the host's processes.
    """
    if bind.propagation == "shared":
        bind = bind.replace(propagation="slave")
    if (bind.fs, bind.source, bind.target) != ("bind", "/proc", "/proc"):
        return bind
    options = dict.fromkeys((*bind.options, *_PROC.options))
    return bind.replace(fs=_PROC.fs, source=_PROC.source, options=tuple(options), recursive=False)


def explained(error: OSError) -> ChrootError:
    """Return what to say where the system refuses what a session is made of."""
    what = f"no session could be made: {error.strerror}"
    if error.errno == 1:
        return PrivilegeError(what, "run as root")
    if error.errno == 28:  # ENOSPC
        return ChrootError(what, "see /proc/sys/user/max_mnt_namespaces, max_pid_namespaces …")
    if error.errno == 38:  # ENOSYS
        return ChrootError(what, "this needs Linux 5.12 or newer")
    return ChrootError(what)


def _refused(error: OSError, lower: int, path: str) -> ChrootError:
    """Return what to say where the kernel makes no overlay on the chroot."""
    what = f"no overlay can be laid over {path}: {error.strerror}"
    if error.errno == 1:
        return PrivilegeError(what, "run as root")
    if error.errno == 19:  # ENODEV
        return ChrootError(what, "the kernel has no overlay file system: modprobe overlay")
    entry = MountTable.read().by_id.get(syscalls.mount_id(lower))
    fs = entry.fs if entry else ""
    if fs == "overlay":
        return ChrootError(
            what, "it lies on an overlay itself, and no more than two can be stacked"
        )
    return ChrootError(what, f"its file system ({fs}) may not do for it" if fs else "")
