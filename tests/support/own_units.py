"""Units and links of systemd that are a test's own. Imported as `support.own_units`."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def own_units(folder: Path) -> Iterator[Path]:
    """Have *folder* in the place of /etc/systemd/system; no systemd is asked where one runs."""
    folder.mkdir()
    over: list[list[str | Path]] = [["--bind", folder, "/etc/systemd/system"]]
    if Path("/run/systemd").exists():
        over.append(["-t", "tmpfs", "none", "/run/systemd"])
    for words in over:
        subprocess.run(["mount", *words], check=True)
    try:
        yield folder
    finally:
        for words in over:
            subprocess.run(["umount", "--lazy", words[-1]], check=True)
