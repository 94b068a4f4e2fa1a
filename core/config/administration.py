"""What the administrator of this host says of chroots, outside of them: /etc/chroot-tool.

It counts for root, so it is read only where root alone can have written it.
"""

from __future__ import annotations

import os
import stat

from .. import chroot
from ..chroot import CONFIG_LIMIT
from ..errors import ChrootError, PolicyError, Problem, hint_of
from ..kernel.ownership import Foreign, walk
from ..kernel.rootpath import Root, descriptor_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .policy import Policy, Rules

POLICY = "policy.toml"


def read_policy() -> Policy | None:
    """Return the policy of this host, None where there is none. Raises PolicyError."""
    if not chroot.is_administered():
        return None
    file = f"{chroot.ADMINISTRATOR}/{POLICY}"
    data = read_own(file)
    if data is None:
        return None
    from .policy import parse

    return parse(data, file)


def rules_for(path: str) -> Rules | None:
    """Return what holds for the chroot at the physical *path*; None: all is allowed.

    Raises PolicyError where that can't be known.
    """
    policy = read_policy()
    return policy.for_chroot(path, physical) if policy else None


def read_own(path: str) -> bytes | None:
    """Return the content of a file that root alone can write, None where there is none.

    Raises PolicyError where somebody else can write it or a directory on the way, where it is no
    file, or can't be read.
    """
    try:
        with Root("/") as root, walk(root, path) as way:
            if way.foreign:
                raise PolicyError([not_roots(path, way.foreign)])
            if way.rest:
                if way.links:
                    raise PolicyError([Problem(f"{path} leads nowhere", "mend the link")])
                return None
            return _content(way.fd, path)
    except OSError as error:
        problem = Problem(f"{path}: {error.strerror}", hint_of(error))
        raise PolicyError([problem]) from error


def not_roots(path: str, found: Foreign) -> Problem:
    """Return what is to be said of a file that somebody else can write too."""
    what = f"{path} is not root's alone: "
    if found.path != path:
        what += f"{found.path} "
    return Problem(f"{what}{found.why}", found.mend)


def _content(fd: int, path: str) -> bytes:
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        raise PolicyError([Problem(f"{path} is no regular file", "move it away")])
    opened = os.open(f"/proc/self/fd/{fd}", os.O_RDONLY | os.O_CLOEXEC)
    try:
        data = b""
        while chunk := os.read(opened, CONFIG_LIMIT + 1 - len(data)):
            data += chunk
    finally:
        os.close(opened)
    if len(data) > CONFIG_LIMIT:
        raise PolicyError(
            [Problem(f"{path} is larger than {CONFIG_LIMIT} bytes", "make it smaller")]
        )
    return data


def physical(path: str) -> str:
    """Return where *path* leads, links followed where root alone could have put them."""
    try:
        with Root("/") as root, walk(root, path) as way:
            return "/".join([descriptor_path(way.fd).rstrip("/"), *way.rest]) or "/"
    except (OSError, ChrootError):
        return path
