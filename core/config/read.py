"""Reading what a chroot says of itself: both files, from inside it or from the host."""

from __future__ import annotations

from ..chroot import CONFIG_DIRECTORY, CONFIG_LIMIT, is_administered
from ..errors import ChrootError, ConfigError, Problem, hint_of
from ..kernel.rootpath import Root
from .bind import CHROOT_TOML, TOOL_CONF
from .merge import Config, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..host.mount_points import HostFacts
    from .bind import Bind


def read_config(
    root: Root,
    host: HostFacts,
    *,
    config_dir: str | None = None,
    extra: tuple[Bind, ...] = (),
) -> Config:
    """Read and merge the configuration of a chroot, from its own `chroot.d` or *config_dir*.

    What the administrator has put in the place of the chroot's own counts alone (`home`).
    *config_dir* is a directory on the host. Raises ConfigError with every problem found.
    """
    if config_dir is None:
        outside = _outside(root, host, extra) if is_administered() else None
        return outside or _parse(root, CONFIG_DIRECTORY, host, extra)
    try:
        with Root(config_dir) as directory:
            return _parse(directory, "", host, extra)
    except OSError as error:
        raise ConfigError([Problem(f"{config_dir}: {error.strerror}", "look at -c")]) from error


def _outside(root: Root, host: HostFacts, extra: tuple[Bind, ...]) -> Config | None:
    """Return what the administrator has put in the place of the chroot's own files."""
    from .administration import read_own
    from .home import home_of

    with home_of(root) as home:
        if not home.outside:
            return None
        paths = home.paths
    conf, toml = map(read_own, paths)
    found = parse(conf, toml, where="", conf_sh=False, host=host, extra=extra, names=paths)
    there = [path for path, data in zip(paths, (conf, toml), strict=True) if data is not None]
    return found.replace(files=paths, outside=tuple(there))


def _parse(root: Root, directory: str, host: HostFacts, extra: tuple[Bind, ...]) -> Config:
    there = root.stat(directory or "/") is not None
    found = parse(
        _optional(root, f"{directory}/tool.conf") if there else None,
        _optional(root, f"{directory}/chroot.toml") if there else None,
        where=root.path + directory,
        conf_sh=there and root.stat(f"{directory}/conf.sh") is not None,
        host=host,
        extra=extra,
    )
    where = root.path + directory
    return found.replace(files=(f"{where}/{TOOL_CONF}", f"{where}/{CHROOT_TOML}"))


def _optional(root: Root, name: str) -> bytes | None:
    try:
        return root.read(name, CONFIG_LIMIT)
    except FileNotFoundError:
        return None
    except OSError as error:
        problem = Problem(f"{root.path}{name}: {error.strerror}", hint_of(error))
        raise ConfigError([problem]) from error
    except ChrootError as error:
        raise ConfigError([Problem(error.message, "move it away")]) from error
