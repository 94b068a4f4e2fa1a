"""Where this host gets its packages from. apt itself is asked."""

from __future__ import annotations

from .. import programs
from ..errors import ChrootError
from ..value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from threading import Event as Flag

_MARK = "source"


class Source(Value):
    """One suite and component of the host's apt sources."""

    mirror: str
    """Without a slash at the end."""
    suite: str
    component: str


def sources(cancelled: Flag | None = None) -> tuple[Source, ...]:
    """Return what this host's apt is configured for; () where there is no apt, or it is cancelled.

    apt itself is asked, so both forms of its files and all its own rules count. It is kept from
    opening its lists: with them the answer is the same and takes 0.7 s instead of 0.03 s.
    """
    if not programs.find("apt-get"):
        return ()
    form = f"{_MARK}\t$(REPO_URI)\t$(RELEASE)\t$(COMPONENT)"
    argv = ["apt-get", "indextargets", "--no-release-info", "-o", "Dir::State::lists=/nonexistent"]
    try:
        asked = [*argv, "--format", form, "Created-By: Packages"]
        lines = programs.output(asked, cancelled=cancelled, grace=1.0).splitlines()
    except ChrootError:
        return ()  # a broken sources.list is the host's business, --mirror still works
    rows = [line.split("\t") for line in lines]
    found = [
        Source(row[1].rstrip("/"), row[2], row[3])
        for row in rows
        if len(row) == 4
        and row[0] == _MARK
        and row[1].startswith(("http://", "https://", "file:/"))
    ]
    return tuple(dict.fromkeys(found))
