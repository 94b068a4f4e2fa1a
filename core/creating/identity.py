"""What no two systems may have in common: renewed where a tree served for another one before.

A package makes these when it is installed, so a base with such a package has them, and each chroot
unpacked from it would have them: the machine's id, the keys of sshd, the certificate of ssl-cert.
"""

from __future__ import annotations

import os
import stat

from ..errors import ChrootError, Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..kernel.rootpath import Root

    Warn = Callable[[Problem], None]
    RunInside = Callable[[Sequence[str]], object]

_MACHINE_IDS = ("/etc/machine-id", "/var/lib/dbus/machine-id")
_SSH = "/etc/ssh"
_SNAKEOIL = "/etc/ssl/private/ssl-cert-snakeoil.key"


def renew(root: Root, run_inside: RunInside) -> None:
    """Give the system in *root* an identity of its own. Raises OSError, ChrootError."""
    _machine_id(root, f"{os.urandom(16).hex()}\n".encode())
    if _drop_ssh_keys(root):
        run_inside(["ssh-keygen", "-A"])
    if root.stat(_SNAKEOIL, follow=False) is not None:
        run_inside(["make-ssl-cert", "generate-default-snakeoil", "--force-overwrite"])


def forget(root: Root, path: str, warn: Warn) -> None:
    """Take from a copied system what must not be twice, starting no program of its.

    *warn* gets what could not be, and how the keys are made anew in the chroot that will be at
    *path*.
    """
    try:
        _machine_id(root, b"")
    except (OSError, ChrootError) as error:
        warn(Problem(f"its machine id is still that of the original: {_why(error)}"))
    try:
        had_keys = _drop_ssh_keys(root)
    except OSError as error:
        warn(Problem(f"keys in {_SSH} are still those of the original: {_why(error)}"))
        return
    if had_keys:
        warn(
            Problem(
                "the keys of its ssh server are gone, so that they are not the same twice",
                f"make new ones: chroot-tool run -d {path} -- ssh-keygen -A",
            )
        )


def _why(error: Exception) -> str:
    return getattr(error, "strerror", "") or str(error)


def _machine_id(root: Root, new: bytes) -> None:
    """Write *new* over each that there is; empty or missing says "not yet" (machine-id(5))."""
    for path in _MACHINE_IDS:
        there = root.stat(path, follow=False)
        if there is not None and there.st_size > 1 and stat.S_ISREG(there.st_mode):
            root.write(path, new, 0o444)


def _drop_ssh_keys(root: Root) -> bool:
    """Delete sshd's keys; return whether there were any."""
    try:
        fd = root.open(_SSH, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return False
    try:
        names = [name for name in os.listdir(fd) if name.startswith("ssh_host_")]
        keys = [name for name in names if name.endswith(("_key", ".pub"))]
        for name in keys:
            os.unlink(name, dir_fd=fd)
    finally:
        os.close(fd)
    return bool(keys)
