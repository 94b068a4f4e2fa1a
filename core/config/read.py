"""Reading what a chroot says of itself: both files, from inside it or from the host."""

from __future__ import annotations

from ..chroot import CONFIG_DIRECTORY, CONFIG_LIMIT
from ..errors import ChrootError, ConfigError, Problem, hint_of
from ..kernel.rootpath import Root
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

    *config_dir* is a directory on the host. Raises ConfigError with every problem found.
    """
    if config_dir is None:
        return _parse(root, CONFIG_DIRECTORY, host, extra)
    try:
        with Root(config_dir) as directory:
            return _parse(directory, "", host, extra)
    except OSError as error:
        raise ConfigError([Problem(f"{config_dir}: {error.strerror}", "look at -c")]) from error


def _parse(root: Root, directory: str, host: HostFacts, extra: tuple[Bind, ...]) -> Config:
    there = root.stat(directory or "/") is not None
    return parse(
        _optional(root, f"{directory}/tool.conf") if there else None,
        _optional(root, f"{directory}/chroot.toml") if there else None,
        where=root.path + directory,
        conf_sh=there and root.stat(f"{directory}/conf.sh") is not None,
        host=host,
        extra=extra,
    )


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
