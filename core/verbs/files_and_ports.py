"""What those who live in a chroot have open, and where they listen."""

from __future__ import annotations

from ..chroot import open_chroot
from ..kernel import syscalls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..process import Listener, OpenFile


def open_files(path: str, pid: int) -> tuple[OpenFile, ...]:
    """As `Engine.open_files`."""
    from ..errors import ChrootError
    from ..processes import files_and_ports

    root_path, inside = _inhabitants(path)
    if pid not in inside:
        raise ChrootError(f"process {pid} does not live in {root_path} any more")
    return files_and_ports.open_files(pid, root_path)


def all_open_files(path: str) -> tuple[OpenFile, ...]:
    """As `Engine.all_open_files`."""
    from ..processes import files_and_ports

    root_path, inside = _inhabitants(path)
    return files_and_ports.all_open_files(inside, root_path)


def listeners(path: str) -> tuple[Listener, ...]:
    """As `Engine.listeners`."""
    from ..processes import files_and_ports

    return files_and_ports.listeners(_inhabitants(path)[1])


def _inhabitants(path: str) -> tuple[str, tuple[int, ...]]:
    """Return the physical path of a chroot, and who lives in it."""
    from ..processes.residents import pids_by_root

    with open_chroot(path) as root:
        identity = syscalls.identity(root.fd, "")
        return root.path, pids_by_root({root.path: identity})[root.path]
