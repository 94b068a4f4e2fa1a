"""The command `chroot-tool`: looks at the first word and goes the shortest way to what it asks."""

from __future__ import annotations

import sys

from .options import RUN_WORDS


def main(arguments: list[str] | None = None) -> int:
    """Run chroot-tool with *arguments* (sys.argv's where None); return the exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    before: list[str] = []
    rest = words
    while rest and rest[0].split("=")[0] == "--base":
        count = 1 if "=" in rest[0] else 2
        before += rest[:count]
        rest = rest[count:]
    if rest and rest[0] in RUN_WORDS:
        from .run_words import main as run

        return run(rest[0], [*before, *rest[1:]])
    from .commands import main as other

    return other(words)
