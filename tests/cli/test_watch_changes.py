"""What `watch` makes of snapshots: what is told, and how often."""

from __future__ import annotations

from itertools import islice
from typing import cast

from chroot_tool.app.cli.verbs.watch import changes
from chroot_tool.core.engine_parts import Following
from chroot_tool.core.errors import Problem
from chroot_tool.core.looking.snapshot import Snapshot
from chroot_tool.core.looking.status import ChrootStatus


class Told:
    """Follows what it is given."""

    def __init__(self, *snapshots: Snapshot) -> None:
        self._next = iter(snapshots)
        self.is_closed = False

    def snapshot(self) -> Snapshot:
        return next(self._next)

    def wait(self) -> None: ...

    def close(self) -> None:
        self.is_closed = True


def test_why_nothing_is_seen_is_told_once() -> None:
    deb = ChrootStatus("deb", "/b/deb", "off")
    refused = [Problem("dead: refused", f"tried again in {wait} s") for wait in (1, 2, 4)]
    told = Told(
        Snapshot("/b", (), refused[0]), Snapshot("/b", (), refused[1]),
        Snapshot("/b", (), Problem("dead: gone")), Snapshot("/b", (deb,)),
        Snapshot("/b", (deb,), refused[2]),
    )  # fmt: skip
    found = changes(cast("Following", told))
    assert list(islice(found, 4)) == [
        ("", refused[0]), ("", Problem("dead: gone")), ("deb", deb), ("", refused[2]),
    ]  # fmt: skip
    getattr(found, "close")()  # noqa: B009
    assert told.is_closed


def test_why_changes_are_seen_late_is_told_once() -> None:
    deb = ChrootStatus("deb", "/b/deb", "off")
    late = Problem("no inotify left")
    told = Told(
        Snapshot("/b", (deb,), late=late), Snapshot("/b", (deb,), late=late),
        Snapshot("/b", (), late=late),
    )  # fmt: skip
    found = changes(cast("Following", told))
    assert list(islice(found, 3)) == [("", late), ("deb", deb), ("deb", None)]
