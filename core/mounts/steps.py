"""The steps that a plan of mounts is made of. Pure; `apply` does them."""

from __future__ import annotations

from ..plan import Step

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..config.bind import Bind
    from .limits import Limits


class MakeTarget(Step):
    """Make the mount point, and what is missing above it."""

    file: bool = False

    def describe(self) -> str:  # noqa: D102 (Step.describe)
        return f"make {'file' if self.file else 'directory'} {self.target}"


class Mount(Step):
    """Mount *bind* at the target, with its options and propagation."""

    bind: Bind
    below_shared: bool = False
    """Whether the kernel will make it shared, because what it is mounted on may be shared."""
    limits: Limits | None = None
    """What its source is to be checked against, when that is open."""

    def describe(self) -> str:  # noqa: D102 (Step.describe)
        bind = self.bind
        options = ",".join(bind.shown_options())
        what = f"bind {bind.source}" if bind.fs == "bind" else f"mount {bind.fs}"
        return f"{what} on {self.target} ({options})"


class Remount(Step):
    """Change the flags of a mount that is there, and the options of its file system."""

    mount_id: int
    set_flags: tuple[str, ...] = ()
    clear_flags: tuple[str, ...] = ()
    super_options: tuple[str, ...] = ()
    recursive: bool = False

    def describe(self) -> str:  # noqa: D102 (Step.describe)
        words = [*self.set_flags, *(f"not {flag}" for flag in self.clear_flags)]
        return f"remount {self.target} ({','.join([*words, *self.super_options])})"


class SetPropagation(Step):
    """Change the propagation of a mount that is there."""

    mount_id: int
    propagation: str
    before: str
    recursive: bool = False

    def describe(self) -> str:  # noqa: D102 (Step.describe)
        return f"make {self.target} {self.propagation}"


class Unmount(Step):
    """Unmount exactly the mount with this id. Never recursive."""

    mount_id: int
    lazy: bool = False
    restored_by: Bind | None = None
    """What takes it back, where a bind of something else that is mounted does (rebinding.py)."""
    spare_files: bool = False
    """Whether it is to fail where there are files, which would be gone with it."""

    def describe(self) -> str:  # noqa: D102 (Step.describe)
        how = " (lazily)" if self.lazy else " (if it holds no files)" if self.spare_files else ""
        return f"unmount {self.target}{how}"


class WriteFile(Step):
    """Write a file inside the chroot (a copied resolv.conf)."""

    content: bytes

    def describe(self) -> str:  # noqa: D102 (Step.describe)
        return f"write {self.target}"
