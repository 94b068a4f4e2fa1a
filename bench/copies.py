"""Measures `clone` against `cp -a`, on loop devices with file systems of their own."""

from __future__ import annotations

import os
import random
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from support.disks import disk

from .chroots import TOOL, Command, environment
from .rows import Row

_ROUNDS = 7
_FILES, _SYSTEM = 10_000, 250 << 20
"""Files and bytes of what stands for a Debian: as many small and as few large ones."""
_LARGE, _LARGE_FILES = 2 << 30, 32
"""What stands for data bases and disk images in a chroot: little to do but for the bytes."""


def copying(base: Path) -> Iterator[Row]:
    """Measure clones by copy, by reflink and by snapshot, and a snapshot put back."""
    env = environment(base)
    with disk(base, "ext4", 3000) as where:
        system(_chroot(where / "deb"))
        yield _clone(where, env, "clone by copy, 10,000 files, 250 MB, ext4", times=1.1)
    with disk(base, "btrfs", 3000) as where:
        subprocess.run(["btrfs", "-q", "subvolume", "create", where / "deb"], check=True)
        system(_chroot(where / "deb"))
        yield _clone(where, env, "clone by snapshot, the same, btrfs", faster=10)
    with disk(base, "xfs", 9000) as where:
        large(_chroot(where / "deb"))
        yield _clone(where, env, "clone by reflink, 32 files, 2 GB, XFS", faster=10)
        shutil.rmtree(where / "deb")
        system(_chroot(where / "deb"))
        name = "clone by reflink, 10,000 files, 250 MB, XFS"
        yield _clone(where, env, name)
        yield _clone(where, env, name, beside="always")


def _clone(
    where: Path,
    env: Mapping[str, str],
    name: str,
    *,
    beside: str = "never",
    times: float | None = None,
    faster: float | None = None,
) -> Row:
    """Measure a clone of `deb` beside it, and `cp -a --reflink=BESIDE` of the same."""
    copy = ["cp", "-a", f"--reflink={beside}"]
    clone, by_hand = _in_turns(
        where,
        Command([*TOOL, "clone", "--exact", "-d", where / "deb", where / "copy"], env),
        Command([*copy, where / "deb", where / "copy"], env),
    )
    return Row(name, clone, "ms", None, by_hand, " ".join(copy), times, faster)


def _in_turns(where: Path, *calls: Callable[[], None]) -> list[float]:
    """Return the median milliseconds of calls that make `copy`, which is removed after each."""
    spent: list[list[float]] = [[] for _ in calls]
    for number in range(_ROUNDS + 1):
        # Who comes first meets another cache than who comes second.
        turns = list(zip(calls, spent, strict=True))
        for call, times in turns if number % 2 else turns[::-1]:
            os.sync()
            begun = time.perf_counter()
            call()
            times.append((time.perf_counter() - begun) * 1000)
            shutil.rmtree(where / "copy")
    return [statistics.median(times[1:]) for times in spent]


def _chroot(root: Path) -> Path:
    (root / "chroot.d").mkdir(parents=True)
    (root / "etc").mkdir()
    (root / "etc/hostname").write_text("deb\n")
    return root


def system(root: Path) -> None:
    """Fill *root* with about as many files, of about such sizes, as a small Debian has."""
    chance = random.Random(4711)
    sizes = [int(chance.lognormvariate(7.5, 2.2)) for _ in range(_FILES)]
    scale = _SYSTEM / sum(sizes)
    block = chance.randbytes(1 << 20)
    for number, size in enumerate(sizes):
        folder = root / f"usr/{number % 40}/{number % 800}"
        folder.mkdir(parents=True, exist_ok=True)
        with open(folder / f"file{number}", "wb") as file:
            left = max(int(size * scale), 100)
            while left > 0:
                left -= file.write(block[:left])
        if number % 50 == 0:
            (folder / f"link{number}").symlink_to(f"file{number}")


def large(root: Path) -> None:
    """Fill *root* with few large files."""
    (root / "var").mkdir()
    block = os.urandom(1 << 20)
    for number in range(_LARGE_FILES):
        with open(root / f"var/{number}", "wb") as file:
            for _ in range(_LARGE // _LARGE_FILES // len(block)):
                file.write(block)
