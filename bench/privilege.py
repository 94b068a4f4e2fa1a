"""Measures what it costs an ordinary user that sudo stands before what root does at once."""

from __future__ import annotations

import os
from collections.abc import Iterator

from support.ordinary import Ordinary, ordinary

from .chroots import Command, chroots, medians
from .rows import Row

_ROUNDS = 30


class _Each:
    """Commands that are called one after the other."""

    def __init__(self, commands: list[Command]) -> None:
        self._commands = commands

    def __call__(self) -> None:
        for command in self._commands:
            command()


def run() -> list[Row]:
    """Measure everything; return the figures. Raises SystemExit without root."""
    if os.geteuid():
        raise SystemExit("another user is made, and root beside: sudo ./dev bench")
    with chroots(1) as base, ordinary(base / "user") as ann:
        ann.allow()
        return list(_rows(ann, str(base / "c0")))


def _rows(ann: Ordinary, path: str) -> Iterator[Row]:
    every: dict[str, list[tuple[str, ...]]] = {
        "run /bin/true, chroot is on": [("run", "-d", path, "/bin/true")],
        "on + off": [("off", "-S", "-d", path), ("on", "-d", path)],
        "bind add + remove": [
            ("bind", what, "-d", path, "--target", "/opt") for what in ("add", "remove")
        ],
        "clone + delete": [
            ("clone", "-d", path, f"{path}-copy"), ("delete", "-d", f"{path}-copy", "--yes"),
        ],
    }  # fmt: skip
    for name, words in every.items():
        # Both begin with the same program, which is what makes the user another.
        calls = [
            _Each([Command(ann.argv(*one, uid=uid), ann.environment()) for one in words])
            for uid in (ann.uid, 0)
        ]
        behind, root = medians(_ROUNDS, *calls)
        yield Row(f"{name}, behind sudo", behind, "ms", other=root, beside="as root", times=1.5)
