"""Processes as a tree: each below the one that started it. Pure; knows no widget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...core.process import Process


def tree(keys: Sequence[str], rows: Mapping[str, Process]) -> dict[str, int]:
    """Return *keys* in the order of a tree, each with how deep it stands.

    Siblings stay in the order they are given in. Whose parent is not among them is at the top; so
    is, should processes be each other's parents, the first of them.
    """
    by_pid = {rows[key].pid: key for key in keys}
    children: dict[str, list[str]] = {}
    tops: list[str] = []
    for key in keys:
        parent = by_pid.get(rows[key].parent)
        if parent is None or parent == key:
            tops.append(key)
        else:
            children.setdefault(parent, []).append(key)
    found: dict[str, int] = {}
    for top in (*tops, *keys):  # of a ring nobody is a top
        waiting = [(top, 0)]
        while waiting:
            key, depth = waiting.pop()
            if key not in found:
                found[key] = depth
                below = children.get(key, ())
                waiting += [(child, depth + 1) for child in reversed(below)]
    return found
