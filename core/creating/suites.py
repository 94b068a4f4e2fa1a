"""The suites that debootstrap knows: its scripts, one each, are the only list there is."""

from __future__ import annotations

import os

SCRIPTS = "/usr/share/debootstrap/scripts"


def known() -> tuple[str, ...]:
    """Return the suites that debootstrap knows, () where it is not installed."""
    try:
        names = os.listdir(SCRIPTS)
    except OSError:
        return ()
    return tuple(sorted(n for n in names if "." not in n and not n.endswith("-common")))


def script_words(suite: str, word: str) -> tuple[str, ...]:
    """Return what the script of *suite* gives to its command *word*, each once, in order.

    `keyring` and `default_mirror` are such commands (debootstrap's functions file).
    """
    try:
        with open(f"{SCRIPTS}/{suite}", encoding="utf-8") as file:
            lines = [line.split() for line in file]
    except OSError:
        return ()
    return tuple(dict.fromkeys(line[1] for line in lines if len(line) > 1 and line[0] == word))
