"""Rows of `bench images`: `pack` beside the same `tar | zstd`, `unpack` beside plain tar."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from .chroots import TOOL, Command, environment, medians
from .copies import system
from .rows import Row

_ROUNDS = 7
_SAME = (
    "--format=posix --pax-option=delete=atime,delete=ctime --xattrs --xattrs-include='*' --acls"
    " --selinux --numeric-owner --sparse --sort=name"
)
_PROGRAMS = "/usr/bin"
"""Of this host: what compresses as programs do."""


def packing(base: Path) -> Iterator[Row]:
    """Measure both ways with a tree of as many files as a small Debian has, and real programs."""
    env = environment(base)
    root = base / "deb"
    (root / "chroot.d").mkdir(parents=True)
    system(root)
    shutil.copytree(_PROGRAMS, root / "bin", symlinks=True)
    ours, plain = base / "ours.tar.zst", base / "plain.tar.zst"
    tar = f"tar -C {root} {_SAME} -c . | zstd -q -T0 -f -o {plain} && sync {plain}"
    packed, by_hand = medians(
        _ROUNDS,
        Command([*TOOL, "pack", "-d", root, "-f", ours], env),
        Command(["sh", "-c", tar], env),
    )
    yield Row("pack", packed, "ms", other=by_hand, beside="the same tar | zstd -T0", times=1.1)
    unpacked, extracted = _unpacking(base, ours, env)
    yield Row("unpack", unpacked, "ms", other=extracted, beside="tar --zstd -xf", times=1.3)


def _unpacking(base: Path, archive: Path, env: dict[str, str]) -> list[float]:
    """Return the milliseconds of both, which take turns; each makes new ones."""
    numbers = iter(range(1000))

    def unpack() -> None:
        Command([*TOOL, "unpack", "-f", archive, "-d", base / f"new-{next(numbers)}"], env)()

    def extract() -> None:
        target = base / f"plain-{next(numbers)}"
        target.mkdir()
        words = ["--xattrs", "--xattrs-include=*", "--acls", "--numeric-owner"]
        Command(["tar", "--zstd", "-xpf", archive, "-C", target, *words], env)()

    return medians(_ROUNDS, unpack, extract)
