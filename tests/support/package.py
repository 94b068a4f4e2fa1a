"""What a release has of this checkout, built: Debian package and wheel. As `support.package`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from . import CHECKOUT


def build(folder: Path) -> Path:
    """Build the Debian package in *folder*, in which there is none; return its path."""
    subprocess.run([CHECKOUT / "dev", "deb", folder], check=True, capture_output=True)
    [made] = folder.glob("*.deb")
    return made


def build_wheel(folder: Path) -> Path:
    """The same for the wheel, made from the source distribution as it is for a release."""
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, CHECKOUT],
        check=True, capture_output=True,
    )  # fmt: skip
    [made] = folder.glob("*.whl")
    return made
