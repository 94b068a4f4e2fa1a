"""docs/api.md and docs/support.md: what they show is run, what they list is what there is."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.version import Version

from support import CHECKOUT, Cli, examples


@pytest.mark.root
def test_the_examples_do_what_they_say(cli: Cli, tiny_chroot: Path, tmp_path: Path) -> None:
    base = tmp_path / "base"
    base.mkdir()
    shutil.copytree(tiny_chroot, base / "deb", symlinks=True)
    (base / "deb/etc/resolv.conf").touch()
    try:
        done = subprocess.run(
            [sys.executable, "-c", examples.program(str(base))], env=cli.environment(),
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
    finally:
        cli("off", "-S", "--kill", "-d", base / "deb")
    assert done.returncode == 0, done.stderr
    examples.check(done.stdout)


def test_the_matrix_is_the_documents() -> None:
    command = [str(CHECKOUT / ".ci/matrix"), "--list"]
    rows = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    text = (CHECKOUT / "docs/support.md").read_text()
    assert re.findall(r"^\| `([\w.-]+)` \|", text, re.MULTILINE) == rows
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    oldest = project["requires-python"].removeprefix(">=")
    assert rows[0].startswith(f"python{oldest}-")
    assert f"Python {oldest} to 3." in text
    [textual] = [one for one in project["dependencies"] if one.startswith("textual")]
    assert f"Textual {textual.partition('>=')[2].partition(',')[0]} " in text
    pythons = {row.partition("-")[0] for row in rows if row.startswith("python")}
    known = [one.rpartition(" ")[2] for one in project["classifiers"] if ":: Python :: " in one]
    assert known == sorted((one.removeprefix("python") for one in pythons), key=Version)
    assert f"Python {known[0]} to {known[-1]}," in text
    control = (CHECKOUT / "debian/control").read_text()
    assert f"python3 (>= {oldest})" in control
