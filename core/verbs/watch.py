"""`watch`: what changed, one chroot after the other, for who has no use for whole snapshots."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..engine import Following
    from ..errors import Problem
    from ..looking.status import ChrootStatus


def changes(following: Following) -> Iterator[tuple[str, ChrootStatus | Problem | None]]:
    """Yield (name, status) of every chroot now, and again whenever it changes; None when gone.

    Where nothing can be seen, or only late, it is ("", why), once until that changes.

    What counts is state, mounts, problems and which processes live inside; their CPU and memory
    change all the time and do not. Never ends by itself; *following* is closed when it is ended.
    """
    try:
        known: dict[str, tuple[object, ...]] = {}
        why = ""
        while True:
            snapshot = following.snapshot()
            problem = snapshot.problem or snapshot.late
            if problem and problem.message != why:  # its hint is another at each try
                yield "", problem
            why = problem.message if problem else ""
            found = {one.name: one for one in snapshot.chroots}
            for name in sorted(known.keys() - found.keys()):
                del known[name]
                yield name, None
            for name, one in found.items():
                content = (one.state, one.mounts, one.problems, [p.pid for p in one.processes])
                if known.get(name) != content:
                    known[name] = content
                    yield name, one
            following.wait()
    finally:
        following.close()
