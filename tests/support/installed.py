"""chroot-tool as an administrator installs it: a checkout that root alone can write, at /mnt.

It lies in a tmpfs of the tests' own mount namespace, so that whoever the checkout under test
belongs to, and wherever tests write, what root executes here is root's.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support import CHECKOUT

PARTS = (".pkg", "app", "core", "widgets", "chroot-tool.sh", "pyproject.toml")
LIBRARIES = ("psutil", "tomlkit")
OF_THE_UI = (
    "textual", "rich", "bittty", "markdown_it", "mdit_py_plugins", "mdurl", "platformdirs",
    "pygments", "typing_extensions.py", "wcwidth",
)  # fmt: skip
PLACE = Path("/mnt")


@contextmanager
def installed(*, ui: bool = False) -> Iterator[Path]:
    """Have an installation; gives its `chroot-tool.sh`. *ui*: with what the UI needs."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "chroot-tool", PLACE], check=True)
    try:
        here = PLACE / "chroot-tool"
        here.mkdir()
        for part in PARTS:
            _copy(CHECKOUT / part, here)
        _make_environment(here, LIBRARIES + (OF_THE_UI if ui else ()))
        subprocess.run(["chown", "-hR", "root:root", here], check=True)
        subprocess.run(["chmod", "-R", "u=rwX,go=rX", here], check=True)
        yield here / "chroot-tool.sh"
    finally:
        subprocess.run(["umount", "--lazy", PLACE], check=True)


def _copy(source: Path, into: Path) -> None:
    """Copy a file, or a directory without what others are just compiling there."""
    if source.is_dir():
        compiling = shutil.ignore_patterns("*.pyc.*")
        shutil.copytree(source, into / source.name, symlinks=True, ignore=compiling)
    else:
        shutil.copy2(source, into)


def _make_environment(here: Path, libraries: tuple[str, ...]) -> None:
    """Make a .venv as `.pkg/setup.sh` does, out of what the tests have."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    site = here / ".venv/lib" / version / "site-packages"
    site.mkdir(parents=True)
    known = CHECKOUT / ".venv/lib" / version / "site-packages"
    for library in libraries:
        _copy(known / library, site)
    programs = here / ".venv/bin"
    programs.mkdir()
    interpreter = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    (programs / "python").symlink_to(interpreter)
    shutil.copy(CHECKOUT / ".venv/pyvenv.cfg", here / ".venv")
    (here / ".venv/ready-run").write_text(f"{here}\n")
