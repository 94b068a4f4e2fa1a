"""`tag`: the words of a chroot's configuration that lists are grouped and filtered by."""

from __future__ import annotations

from ..chroot import open_chroot
from ..config import edits
from ..config.home import home_of
from ..config.read import read_config
from ..errors import ChangedError
from ..host.mount_points import host_facts
from ..lock import Lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def set_tags(path: str, tags: Sequence[str], *, seen: Sequence[str] | None = None) -> bool:
    """As `Engine.set_tags`."""
    with open_chroot(path) as root, Lock(root.path), home_of(root) as home:
        if seen is not None and tuple(seen) != read_config(root, host_facts()).tags:
            raise ChangedError(f"the tags of {root.path} were changed meanwhile", "look again")
        before = edits.read(home)
        after = edits.tagged(before, tags, home.prefix)
        if after == before:
            return False
        edits.save(home, before, after)
        return True
