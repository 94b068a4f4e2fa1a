"""What a `chroot.d/chroot.toml` says, as values. Pure.

They stand apart from the reader, which most chroots need none of: they have no such file.
"""

from __future__ import annotations

from ..value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .bind import Bind


class RunDefaults(Value):
    """Defaults of `run` and `shell`. `user` and `cwd` are empty where nothing is configured."""

    user: str = ""
    cwd: str = ""
    env: tuple[tuple[str, str], ...] = ()


class SystemSettings(Value):
    """What the system points are to be: `dev` private or host, `resolv` bind, copy or off."""

    dev: str = "private"
    resolv: str = "bind"
    dev_line: int = 0
    """Where `dev` stands; 0: nowhere."""


class ChrootToml(Value):
    """What a chroot.toml says, its binds in the order of the file."""

    description: str = ""
    run: RunDefaults = RunDefaults()
    system: SystemSettings = SystemSettings()
    binds: tuple[Bind, ...] = ()
    path: str = ""
    """Of a file outside: the chroot that it is for. "": not said."""
    path_line: int = 0
    tags: tuple[str, ...] = ()
