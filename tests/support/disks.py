"""File systems of their own for tests, on loop devices, gone at the end. Imported as `disks`."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

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
    """Who has what open, mapped or as a directory on a file system, a line each."""
    device = os.stat(point).st_dev
    mapped = f" {os.major(device):02x}:{os.minor(device):02x} "
    found = []
    for process in psutil.process_iter():
        with suppress(OSError, psutil.Error):  # it has ended
            place = Path(f"/proc/{process.pid}")
            links = [place / "cwd", place / "root", *(place / "fd").iterdir()]
            held = [f"{link.name} {link.readlink()}" for link in links if _is_on(link, device)]
            maps = (place / "maps").read_text().splitlines()
            held += [f"mapped {line.split(None, 5)[-1]}" for line in maps if mapped in line]
            if held:
                found.append(f"{process.pid} {process.cmdline()}: {', '.join(held)}")
    return "\n".join(found)


def _is_on(link: Path, device: int) -> bool:
    with suppress(OSError):
        return link.stat().st_dev == device
    return False
