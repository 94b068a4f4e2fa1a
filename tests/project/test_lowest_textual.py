"""The lowest Textual that is allowed will do: what of .ci/matrix wants no other Python."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from support import CHECKOUT

SAMPLE = ("tests/settings/test_themes.py", "tests/tui/test_finding.py")
"""Every theme; the main screen with its tables and dialogs, driven by keys."""


@pytest.mark.network
def test_the_ui_works_with_it(tmp_path: Path) -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    [wanted] = [one for one in project["dependencies"] if one.startswith("textual")]
    lowest = wanted.partition(">=")[2].partition(",")[0]
    pip = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    place = tmp_path / "lowest"
    subprocess.run([*pip, "--no-deps", "--target", place, f"textual=={lowest}"], check=True)
    env = {**os.environ, "PYTHONPATH": str(place)}
    version = "import textual; print(textual.__version__)"
    said = subprocess.run([sys.executable, "-c", version], env=env, capture_output=True, check=True)
    assert said.stdout.decode().strip() == lowest
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "0", "--quick", "-m", "not root",
         "-o", "cache_dir=" + str(tmp_path / "cache"), "--basetemp", tmp_path / "of", *SAMPLE],
        cwd=CHECKOUT, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, " passed" in done.stdout) == (0, True), done.stdout[-5000:]
