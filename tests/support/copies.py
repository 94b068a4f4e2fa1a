"""Trees of a test's own, copied from what all share. Imported as `support.copies`."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path


def copy(source: Path, target: Path, *options: str) -> None:
    """Copy *source* with all that it is to *target*, or into it where that is a directory."""
    subprocess.run(["cp", "-a", *options, source, target], check=True)


def copy_debian(base: Path, root: Path) -> None:
    """Make *root* a copy of the Debian *base*, but /usr (120 MB) is hard links.

    A disk that others use too takes ten seconds for it. Programs replace what they change there
    (dpkg, adduser, pip), except localedef; the fixture `base_chroot` checks at the end that nothing
    was written through.
    """
    root.mkdir()
    for entry in base.iterdir():
        if entry.name != "usr":
            copy(entry, root)
    copy(base / "usr", root, "--link")
    archive = root / "usr/lib/locale"
    if archive.exists():
        shutil.rmtree(archive)
        copy(base / "usr/lib/locale", archive.parent)
