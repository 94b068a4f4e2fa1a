"""What no two systems may have in common: renewed where a tree served for another one before.

A package makes these when it is installed, so a base with such a package has them, and each chroot
unpacked from it would have them: the machine's id, the keys of sshd, the certificate of ssl-cert.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..kernel.rootpath import Root

    RunInside = Callable[[Sequence[str]], object]

_MACHINE_IDS = ("/etc/machine-id", "/var/lib/dbus/machine-id")
_SSH = "/etc/ssh"
_SNAKEOIL = "/etc/ssl/private/ssl-cert-snakeoil.key"


def renew(root: Root, run_inside: RunInside) -> None:
    """Give the system in *root* an identity of its own. Raises OSError, ChrootError."""
    _machine_id(root)
    if _drop_ssh_keys(root):
        run_inside(["ssh-keygen", "-A"])
    if root.stat(_SNAKEOIL, follow=False) is not None:
        run_inside(["make-ssl-cert", "generate-default-snakeoil", "--force-overwrite"])


def _machine_id(root: Root) -> None:
    """Write another id over each that there is; empty or missing says "not yet" (machine-id(5))."""
    new = f"{os.urandom(16).hex()}\n".encode()
    for path in _MACHINE_IDS:
        there = root.stat(path, follow=False)
        if there is not None and there.st_size > 1 and not _is_link(there):
            root.write(path, new, 0o444)


def _is_link(status: os.stat_result) -> bool:
    import stat

    return stat.S_ISLNK(status.st_mode)


def _drop_ssh_keys(root: Root) -> bool:
    """Delete sshd's keys; return whether there were any."""
    try:
        fd = root.open(_SSH, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return False
    try:
        keys = [name for name in os.listdir(fd) if name.startswith("ssh_host_")]
        for name in keys:
            os.unlink(name, dir_fd=fd)
    finally:
        os.close(fd)
    return bool(keys)
