"""Being in a mount namespace of one's own for a moment, and coming back as if nothing had been."""

from __future__ import annotations

import os

from ..kernel import syscalls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

_DIRECTORY = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC


def current_namespace() -> int:
    """Return a descriptor of the mount namespace that this process is in."""
    return os.open("/proc/self/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)


class OwnNamespace:
    """While this context is entered, this process is in a copy of its mount namespace.

    Its working directory is *directory* there, on the copy's own mount. What it forks stays there.
    Nothing that is mounted in the copy reaches the host; what the host mounts and unmounts still
    comes in, so nothing of it is kept in use. Raises OSError (EPERM without privilege).
    """

    def __init__(self, directory: int) -> None:
        self._directory = directory
        self._places = [os.open(place, _DIRECTORY) for place in ("/", ".")]
        self._before = current_namespace()

    def __enter__(self) -> int:
        """Go there; return the topmost directory of the new namespace, which may be above our root.

        In a chroot that is so, and the propagation of a root that is no mount can't be changed.
        """
        os.fchdir(self._directory)
        syscalls.unshare(syscalls.CLONE_NEWNS)
        try:
            directory, here = (os.open(place, _DIRECTORY) for place in (".", "/"))
            top = self._top()
            os.fchdir(here)
            os.chroot(".")
            os.fchdir(directory)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        os.close(directory)
        os.close(here)
        return top

    @staticmethod
    def _top() -> int:
        namespace = current_namespace()
        syscalls.setns(namespace, syscalls.CLONE_NEWNS)  # its root is where that leads
        os.close(namespace)
        top = os.open("/", _DIRECTORY)
        syscalls.mount_setattr(top, "/", propagation=syscalls.MS_SLAVE, recursive=True)
        return top

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        syscalls.setns(self._before, syscalls.CLONE_NEWNS)
        root, cwd = self._places
        os.fchdir(root)
        os.chroot(".")
        os.fchdir(cwd)
        self.close()

    def close(self) -> None:
        """Close the descriptors; for one that was never entered."""
        for fd in (*self._places, self._before):
            os.close(fd)
