"""The frame of the proofs: how much, the table, and what docs/safety.md has of it."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import proving
from support import CHECKOUT

SUITES = sorted((CHECKOUT / "tests/proofs").glob("test_*.py"))
SUITE = """
import pytest
PROMISE = "Nothing is lost."

@pytest.mark.parametrize("number", range(4))
def test_it(number, proof):
    for _ in range(proof.amount(1, 500)):
        proof.count("kills", 1)
    assert number != {failing}
"""


def prove(folder: Path, *options: str, failing: int = -1) -> subprocess.CompletedProcess[str]:
    suite = folder / "test_kills.py"
    suite.write_text(SUITE.format(failing=failing))
    (folder / "conftest.py").write_text("from proving import *")
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--rootdir", folder, "-c", "/dev/null",
         "-p", "no:cacheprovider", "-p", "no:randomly", *options, suite],
        cwd=folder, env={"PYTHONPATH": str(CHECKOUT / "tests"), "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["0", "2"])
def test_figures_add_up_over_tests_and_workers(tmp_path: Path, workers: str) -> None:
    long = prove(tmp_path, "--prove", "-n", workers)
    assert long.returncode == 0, long.stdout + long.stderr
    assert "| Nothing is lost. | test_kills.py | 2,000 kills |" in long.stdout
    short = prove(tmp_path, "-n", workers)
    assert (short.returncode, "kills |" in short.stdout) == (0, False)


@pytest.mark.slow
def test_a_failure_stands_in_the_table_and_in_the_exit_code(tmp_path: Path) -> None:
    done = prove(tmp_path, "--prove", failing=2)
    assert done.returncode == 1
    assert "| 1 FAILED, 1,500 kills |" in done.stdout


@pytest.mark.slow
def test_the_figures_of_a_part_are_not_written(tmp_path: Path) -> None:
    done = prove(tmp_path, "--prove", "--write", "-k", "test_it")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "takes whole files" in done.stderr


def test_written_are_the_suites_that_ran_and_the_others_stay(tmp_path: Path) -> None:
    document = tmp_path / "docs/safety.md"
    document.parent.mkdir()
    for name in ("test_a.py", "test_b.py"):
        (tmp_path / name).touch()
    rows = [proving.Row("A holds.", f"test_{letter}.py", "1 kills") for letter in "abc"]
    document.write_text(f"before\n{proving.BEGIN}\n{proving.table(rows)}\n{proving.END}\nafter\n")

    proving.write([proving.Row("B holds.", "test_b.py", "2,000 kills")], document)

    text = document.read_text()
    assert text.startswith(f"before\n{proving.BEGIN}\n| promise  | suite     | figures     |\n")
    assert "| A holds. | test_a.py | 1 kills     |\n| B holds. | test_b.py | 2,000 kills |" in text
    assert "test_c.py" not in text  # there is no such suite any more
    assert text.endswith(f"{proving.END}\nafter\n")


def test_a_suite_says_its_promise_in_one_sentence() -> None:
    for suite in SUITES:
        said = [
            str(ast.literal_eval(node.value))
            for node in ast.parse(suite.read_text()).body
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "PROMISE"
        ]
        assert [text[-1] for text in said] == ["."], suite
        assert not {"|", "\n"} & set(said[0]), suite


def test_the_document_has_a_place_for_the_table() -> None:
    text = proving.DOCUMENT.read_text()
    assert text.index(proving.BEGIN) < text.index(proving.END)
