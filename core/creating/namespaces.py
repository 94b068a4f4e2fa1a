"""Namespaces for programs that make or change a new system.

What is started in them ends with the thread that started it, mounts included: setpriv lets the
kernel kill unshare when that thread ends, unshare lets it kill the program, which is process 1 of
its pid namespace, with which all others in there end; the mounts go with the namespace. So nothing
outlives this process, not even a kill -9 of it.
"""

from __future__ import annotations

from .. import programs
from ..kernel.mount_table import MountTable

PROGRAMS = ("setpriv", "unshare")
"""What has to be installed for it."""

_ROOTED = """
mount --make-rprivate /proc && mount --rbind / /proc && mount --make-rprivate /proc || exit
root=/proc$1
shift
mount -t proc proc "$root/proc" || exit
umask 022
exec chroot "$root" "$@"
"""
"""What makes a mount namespace private from within a chroot, whose root is no mount point.

Then no call reaches the mount below, which may be shared. So its content is bound where nothing is
shared, over /proc, and that becomes the root.
"""


def apart(root: str = "/") -> list[str]:
    """Return the words that start what follows in namespaces that end with this thread.

    *root* will be its root. The umask is the usual one, not that of whoever called us.
    """
    start = [*programs.ENDS_WITH_US, "unshare", "--mount", "--pid", "--fork", "--kill-child"]
    if not MountTable.read().at("/"):
        return [*start, "--propagation", "unchanged", "sh", "-c", _ROOTED, "sh", root]
    return [
        *start, "--propagation", "private", f"--root={root}", "--mount-proc",
        "sh", "-c", 'umask 022; exec "$@"', "sh",
    ]  # fmt: skip
