"""The heads that chroots stand below: of their machines where these are many, or of tags. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ...core.value import Value
from .chroot_columns import TAG, Head

if TYPE_CHECKING:
    from ...core.looking.snapshot import Machine
    from ...core.looking.status import ChrootStatus

MANY = 4
"""Other machines from which on they have heads; of fewer the column *Host* tells enough."""
MACHINES, TAGS, NONE = "machine", "tag", ""
"""What chroots can stand below."""


class Grouping(Value):
    """What the user has chosen of heads."""

    way: str | None = None
    """What chroots are to stand below, where they can; None: what one expects."""
    folded: frozenset[str] = frozenset()
    """The keys of the heads below which nothing is shown."""


def ways(machines: tuple[Machine, ...], chroots: Iterable[ChrootStatus]) -> tuple[str, ...]:
    """Return what these can stand below, the first of which is what one expects."""
    tagged = any(one.tags for one in chroots)
    many = len(machines) >= MANY
    return (*((MACHINES,) if many else ()), *((TAGS,) if tagged else ()), NONE)


def head_of(one: ChrootStatus, way: str) -> str | None:
    """Return the key of the head that a chroot stands below; None: of none."""
    if way == MACHINES:
        return one.host
    return TAG + next(iter(one.tags), "") if way == TAGS else None


def heads(
    below: Iterable[str | None], way: str, machines: tuple[Machine, ...], folded: frozenset[str]
) -> tuple[Head, ...]:
    """Return the heads of chroots that stand *below* these keys, of machines without any, too."""
    counts: dict[str, int] = {}
    for key in below:
        if key is not None:
            counts[key] = counts.get(key, 0) + 1
    if way == MACHINES:
        named = {one.name: one for one in machines}
        keys = (*(("",) if "" in counts else ()), *named)
        return tuple(Head(k, counts.get(k, 0), named.get(k), k in folded) for k in keys)
    return tuple(Head(key, count, None, key in folded) for key, count in counts.items())
