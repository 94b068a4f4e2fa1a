"""Whether `chroot.d/host-cmd`, which runs on the host as root, is to be run, and where it is."""

from __future__ import annotations

from ..chroot import CONFIG_DIRECTORY
from ..errors import PolicyError, Problem
from ..kernel.ownership import walk
from .administration import rules_for

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..kernel.rootpath import Root
    from .policy import Rules

HOST_CMD = "host-cmd"


def where_to_run(root: Root) -> str:
    """Return where it is inside, no link on the way.

    Raises PolicyError where the administrator does not want it run, or others can write it or a
    directory on the way.
    """
    _refuse(rules_for(root.path), f"{root.path}{CONFIG_DIRECTORY}/{HOST_CMD}")
    return _roots_own(root)


def _refuse(rules: Rules | None, path: str) -> None:
    if rules is None or rules.allow_host_cmd:
        return
    if rules.allow_host_cmd is None:
        about = rules.about_sources
        if about is None:
            return
        said, line = f"{about.value}, and no allow_host_cmd = true", about.line
    else:
        said, line = "allow_host_cmd = false", rules.host_cmd_line
    raise PolicyError(
        [Problem(f"{path} is not to be run: {rules.file}:{line}: {said}", "move it away")]
    )


def _roots_own(root: Root) -> str:
    """Return where it is inside, no link on the way. Raises PolicyError where others can write."""
    with walk(root, f"{CONFIG_DIRECTORY}/{HOST_CMD}") as way:
        if way.foreign:
            what = f"{root.path}{CONFIG_DIRECTORY}/{HOST_CMD} is not run on the host: "
            raise PolicyError(
                [Problem(f"{what}{way.foreign.path} {way.foreign.why}", way.foreign.mend)]
            )
        return "/".join([way.path, *way.rest])
