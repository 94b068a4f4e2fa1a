"""File systems of their own for tests, on loop devices, gone at the end. Imported as `disks`."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from chroot_tool.core.kernel import syscalls
from chroot_tool.core.processes.uses import Scan

_MAKE = {
    "btrfs": ("mkfs.btrfs", "-q"),
    "xfs": ("mkfs.xfs", "-q"),
    "ext4": ("mkfs.ext4", "-q"),
}


@contextmanager
def disk(
    folder: Path, kind: str, megabytes: int = 512, *, make: tuple[str, ...] = (), options: str = ""
) -> Iterator[Path]:
    """Mount a new file system of *kind* (tmpfs, btrfs, xfs, ext4) on a new directory.

    *make* are more words for mkfs, *options* more for mount, with commas.
    """
    point = folder / f"disk-{kind}"
    point.mkdir()
    if kind == "tmpfs":
        mount: list[str | Path] = [
            "mount",
            "-t",
            "tmpfs",
            "-o",
            f"size={megabytes}M{options and ','}{options}",
            "none",
            point,
        ]
    else:
        image = folder / f"{kind}.image"
        with open(image, "wb") as file:
            file.truncate(megabytes << 20)
        subprocess.run([*_MAKE[kind], *make, image], check=True, capture_output=True)
        mount = ["mount", "-o", f"loop{options and ','}{options}", image, point]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if "unknown filesystem" in done.stderr and os.environ.get("CI") != "true":
        pytest.skip(f"this kernel has no {kind}")
    assert done.returncode == 0, done.stderr
    try:
        yield point
    finally:
        done = subprocess.run(["umount", point], capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{done.stderr}{_holders(point) or 'held by nobody any more'}"


def _holders(point: Path) -> str:
    """Who uses what of the file system, a line each, this process among them."""
    above = str(point.parent)
    scan = Scan(above, syscalls.identity(syscalls.AT_FDCWD, above))
    found = {process: scan.holds(process.pid) for process in psutil.process_iter(["cmdline"])}
    return "\n".join(
        f"{one.pid} {one.info['cmdline']}: {held}" for one, held in found.items() if held
    )
