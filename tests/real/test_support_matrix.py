"""A sample of what docs/support.md promises beyond the machine of this run: each day another row.

`./dev release` has all of every row.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time

import pytest

from support import CHECKOUT, Cli

MATRIX = str(CHECKOUT / ".ci/matrix")


def row_of(day: int) -> str:
    return subprocess.run(
        [MATRIX, "--list", str(day)], capture_output=True, text=True, check=True
    ).stdout.strip()


@pytest.mark.root
@pytest.mark.network
@pytest.mark.slow
def test_a_sample_of_the_row_of_this_day(cli: Cli) -> None:
    row = row_of(time.gmtime().tm_yday)
    # What this run of pytest and its Textual have set is none of that one's.
    own = {n: v for n, v in os.environ.items() if not n.startswith(("PYTEST_", "TEXTUAL_"))}
    bases = {"CHROOT_TOOL_CACHE": str(cli.bases)}
    # To compile all that is installed, and to import it in a second worker, takes longer than to
    # compile and import what the sample needs.
    quick, alone = {"PIP_NO_COMPILE": "1"}, ("--", "-n", "0")
    # Not in tmp_path: paths of sockets have to be short.
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [MATRIX, "--sample", row, *alone], env=own | bases | quick | {"TMPDIR": folder},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    if done.stdout.splitlines()[-1] != f"== {row}: passed":
        pytest.skip(f"{done.stdout}{done.stderr}")


@pytest.mark.slow
def test_each_row_has_its_turn() -> None:
    """But a Python that no Debian has, where this machine has none either."""
    document = (CHECKOUT / "docs/support.md").read_text().splitlines()
    by_turns = {
        line.split("`")[1] for line in document if line.startswith("| `") and "by turns" in line
    }
    had = {row_of(day) for day in range(1, 6)}
    assert {row for row in by_turns if "3.12" not in row} <= had <= by_turns
