"""The root of a session: an overlay on a chroot's tree, in a mount namespace that holds only that.

The lower layer is the tree as it is on its own mount: what is mounted in the chroot below is
neither seen nor touched, an overlay takes no more of a path than its one mount. The upper layer is
a tmpfs that nothing but the overlay has; it ends with the namespace.

All this is done by the first process of a session, which is good for nothing else afterwards.
"""

from __future__ import annotations

import os
import stat

from ..config.bind import Bind
from ..errors import ChrootError, PrivilegeError
from ..events import ignore
from ..kernel import syscalls
from ..kernel.mount_table import MountTable
from ..kernel.rootpath import Root
from ..mounts.apply import apply
from ..mounts.observe import Observer, flags_of
from ..mounts.plan import plan_on
from ..value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_DIRECTORY = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC
_NAMESPACES = syscalls.CLONE_NEWNS | syscalls.CLONE_NEWIPC | syscalls.CLONE_NEWUTS
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


class Made(Value):
    """A root that was made: descriptors, and what is left to do with them."""

    tree: int
    """Of the root, with all that is mounted on it."""
    bare: int
    """Of a view of the same tree that has no mounts and can only be read: what is to be kept."""
    namespace: int

    def leave_the_host(self) -> None:
        """Make it the root of the namespace and of this process; no mount of the host's is left."""
        syscalls.setns(self.namespace, syscalls.CLONE_NEWNS)  # pivot_root(2) wants a mounted root
        os.fchdir(self.tree)
        syscalls.pivot_root(".", ".")
        syscalls.umount2(".", syscalls.MNT_DETACH)
        os.chdir("/")


def make(below: Root, binds: Iterable[Bind], bound: int) -> Made:
    """Take namespaces of our own, and make a root in them on the tree *below*, with *binds*.

    *bound* is how many bytes can be written in it. Raises ChrootError; this process then has to
    end.
    """
    try:
        os.fchdir(below.fd)
        syscalls.unshare(_NAMESPACES)
        lower = os.open(".", _DIRECTORY)  # the same directory, on the mount that is our own
        namespace = os.open("/proc/self/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
        top = _let_nothing_out(namespace)
        scratch = _scratch(bound, top)
    except OSError as error:
        raise _explained(error) from error
    tree = _overlay(lower, scratch, below.path)
    bare = syscalls.open_tree(tree, "", syscalls.OPEN_TREE_CLONE | syscalls.AT_EMPTY_PATH)
    syscalls.mount_setattr(bare, below.path, set_=_VIEW, clear=syscalls.MOUNT_ATTR__ATIME)
    with Root(f"/proc/self/fd/{tree}") as root:
        root.path = below.path  # what messages are about
        _mount(root, binds)
    return Made(tree, bare, namespace)


def _let_nothing_out(namespace: int) -> int:
    """Have nothing that is mounted from now on reach the host; return the namespace's own root.

    What the host mounts and unmounts still comes in: nothing of it is kept in use. In a chroot the
    root that propagation is changed from is above ours, and reached by joining the namespace.
    """
    here = os.open("/", _DIRECTORY)
    syscalls.setns(namespace, syscalls.CLONE_NEWNS)
    top = os.open("/", _DIRECTORY)
    syscalls.mount_setattr(top, "/", propagation=syscalls.MS_SLAVE, recursive=True)
    os.fchdir(here)
    os.chroot(".")
    os.close(here)
    return top


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


def _mount(root: Root, binds: Iterable[Bind]) -> None:
    """Mount in the session what `on` would mount in the chroot."""
    nothing = MountTable(())  # is mounted in it; what is on the host needs no look for that
    observer = Observer(nothing)
    wanted = observer.wanted(root, [_of_its_own(bind) for bind in binds])
    apply(root, plan_on(wanted, nothing, root.path, observer.host_pts), ignore)


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


def _explained(error: OSError) -> ChrootError:
    what = f"no session could be made: {error.strerror}"
    if error.errno == 1:
        return PrivilegeError(what, "run as root")
    if error.errno == 28:  # ENOSPC
        return ChrootError(what, "see /proc/sys/user/max_mnt_namespaces")
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
