"""The Debian package of this checkout, built. Imported as `support.package`."""

from __future__ import annotations

import subprocess
from pathlib import Path

from . import CHECKOUT


def build(folder: Path) -> Path:
    """Build it in *folder*, in which there is none; return its path."""
    subprocess.run([CHECKOUT / "dev", "deb", folder], check=True, capture_output=True)
    [made] = folder.glob("*.deb")
    return made
