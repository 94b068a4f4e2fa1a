"""The command line that does what a key does: words, and how a shell wants them quoted.

What the UI does in its own process, and what is typed here, ask the engine for the same; a test
runs these lines and looks at what came of them.
"""

from __future__ import annotations

import itertools
import os
from typing import TYPE_CHECKING

from ....core.text import safe

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ....core.config.bind import Bind
    from ....core.config.edits import Change
    from ....core.creating.options import CreateOptions
    from ....core.plan import Plan

_VERBS = {
    "unmount": "off", "mount": "on", "remount": "on", "set-propagation": "on", "write-file": "on",
}  # fmt: skip
"""Steps of a plan, and what does one of them alone."""
_PLAIN = bytes(byte for byte in range(0x20, 0x7F) if byte not in b"\\'")
Words = tuple[str, ...]


def without_values(words: Words) -> Words:
    """Return *words* with `…` for the values of the variables that a command is given by `-e`."""
    options = words[: words.index("--")] if "--" in words else words
    found = list(words)
    for at, (option, word) in enumerate(itertools.pairwise(options), 1):
        name, equals, _ = word.partition("=")
        if option in ("-e", "--env") and equals:
            found[at] = f"{name}=…"
    return tuple(found)


def quoted(words: Sequence[str]) -> str:
    """Return *words* as a line that a shell splits into them: safe to show, and to paste."""
    return " ".join(map(_quoted, words))


def _quoted(word: str) -> str:
    if safe(word) == word:
        import shlex

        return shlex.quote(word)
    # What can't be seen is written out, by dollar-single-quotes (POSIX.1-2024, 2.2.4).
    written = (chr(b) if b in _PLAIN else f"\\{b:03o}" for b in _bytes(word))
    return "$'" + "".join(written) + "'"


def _bytes(word: str) -> bytes:
    try:
        return os.fsencode(word)
    except UnicodeEncodeError:
        return word.encode("utf-8", "replace")


def create(path: str, options: CreateOptions) -> Words:
    """Return the words that make the chroot *path*."""
    named = {
        "--from": options.source, "--suite": options.suite, "--arch": options.arch,
        "--mirror": options.mirror, "--variant": options.variant,
        "--include": ",".join(options.include), "--timezone": options.timezone,
        "--backend": options.backend, "--proxy": options.proxy,
    }  # fmt: skip
    words = ["create", "-d", path]
    for option, value in named.items():
        words += [option, value] if value else []
    for locale in options.locales:
        words += ["--locale", locale]
    switches = (
        ("--no-cache", not options.cache), ("--no-refresh", not options.refresh),
        ("--offline", options.offline),
    )  # fmt: skip
    return (*words, *(word for word, given in switches if given))


def pack(path: str, output: str, exclude: Iterable[str], *, oci: bool, checksum: bool) -> Words:
    """Return the words that pack the chroot *path* into *output*."""
    words = ["pack", "-d", path, "-f", output]
    words += [word for one in exclude for word in ("-i", one)]
    return (*words, *(("--oci",) if oci else ()), *(("--checksum",) if checksum else ()))


def follow(path: str, plan: Plan) -> tuple[Words, ...]:
    """Return the words of the commands that do *plan*, by which mounts follow an edit."""
    verbs = ((_VERBS.get(step.kind), step.target) for step in plan.steps)
    return tuple(
        (verb, "-d", path, "--only", target)
        for verb, target in dict.fromkeys(verbs) if verb
    )  # fmt: skip


def binds(path: str, changes: Iterable[Change]) -> tuple[Words, ...]:
    """Return the words of the commands that make *changes* to the binds of the chroot *path*."""
    from ....core.config.edits import Added, Ignored, Removed, Replaced  # after the first paint

    found: list[Words] = []
    for change in changes:
        if isinstance(change, Removed):
            found.append(("bind", "remove", "-d", path, "--target", change.target))
        elif isinstance(change, Ignored):
            verb = "ignore" if change.ignored else "restore"
            found.append(("bind", verb, "-d", path, "--target", change.target))
        elif isinstance(change, Replaced):
            found.append(("bind", "remove", "-d", path, "--target", change.old.target))
            found.append(_add(path, change.bind))
        elif isinstance(change, Added):
            found.append(_add(path, change.bind))
    return tuple(found)


def _add(path: str, bind: Bind) -> Words:
    words = ["bind", "add", "-d", path, "--target", bind.target]
    if bind.fs != "bind":
        words += ["--fs", bind.fs]
    if bind.source and bind.source != bind.target:
        words += ["--source", bind.source]
    for option in bind.shown_options():
        words += ["--option", option]
    return (*words, *(("--optional",) if bind.optional else ()))
