"""Proofs: the suites of tests/proofs, each of which shows a promise of docs/safety.md.

A suite says its promise in `PROMISE`, one sentence. Its tests ask the fixture `proof` how much to
do: `./dev test` has the short form of each, `./dev prove` (`--prove`) the long one, with a table of
what was done at its end, which `--write` puts into the document. Imported by conftest.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pytest

DOCUMENT = Path(__file__).absolute().parent.parent / "docs/safety.md"
BEGIN, END = "<!-- proofs: written by ./dev prove -->", "<!-- /proofs -->"
HEAD = ("promise", "suite", "figures")
FIGURE = "figure: "
LONG_LIMIT = 3 * 3600
"""Seconds for a test in its long form."""


class Proof:
    """What a test of a suite does how often, in the form that was asked for."""

    def __init__(self, item: pytest.Item) -> None:
        self._item = item
        self.is_long: bool = item.config.getoption("prove")

    def amount(self, short: int, long: int) -> int:
        """How much of something the test is to do: *short* in `./dev test`."""
        return long if self.is_long else short

    def count(self, name: str, amount: int) -> None:
        """Add *amount* to the figure *name* ("kills") of this suite."""
        self._item.user_properties.append((f"{FIGURE}{name}", amount))


@pytest.fixture
def proof(request: pytest.FixtureRequest) -> Proof:
    return Proof(request.node)


class Row(NamedTuple):
    """A line of the table, as text."""

    promise: str
    suite: str
    figures: str


class Suite:
    """What the tests of one file have said so far."""

    def __init__(self, promise: str, name: str) -> None:
        self.promise, self.name = promise, name
        self.figures: dict[str, int] = {}
        self.failed = 0

    def row(self) -> Row:
        """The suite as a line of the table, a failure before all figures."""
        said = [f"{amount:,} {name}" for name, amount in sorted(self.figures.items())]
        failed = [f"{self.failed} FAILED"] if self.failed else []
        return Row(self.promise, self.name, ", ".join([*failed, *said]))


_suites: dict[str, Suite] = {}
"""By the path of the file; only where tests are reported, not in a worker of pytest-xdist."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """What `./dev prove` asks for."""
    group = parser.getgroup("proofs")
    group.addoption("--prove", action="store_true", help="the long form, and a table of figures")
    group.addoption("--write", action="store_true", help=f"with --prove, into {DOCUMENT.name}")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Refuse to write the figures of a part of a suite."""
    options, paths = session.config.option, session.config.args
    parts = options.keyword or options.markexpr or any("::" in path for path in paths)
    if options.write and (parts or not options.prove):
        raise pytest.UsageError("--write goes with --prove, and takes whole files")


def pytest_itemcollected(item: pytest.Item) -> None:
    promise = getattr(getattr(item, "module", None), "PROMISE", "")
    if promise:
        item.user_properties.append(("promise", promise))
        if item.config.getoption("prove") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(LONG_LIMIT))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    said = report.user_properties
    promise = next((str(value) for name, value in said if name == "promise"), "")
    if not promise:
        return
    suite = _suites.setdefault(report.fspath, Suite(promise, report.fspath))
    suite.failed += report.failed
    if report.when == "call" and report.passed:
        for name, amount in said:
            if name.startswith(FIGURE) and isinstance(amount, int):
                figure = name.removeprefix(FIGURE)
                suite.figures[figure] = suite.figures.get(figure, 0) + amount


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config
) -> None:
    if not config.getoption("prove") or not _suites:
        return
    rows = [suite.row() for suite in _suites.values()]
    terminalreporter.write_sep("=", "proofs")
    terminalreporter.write_line(table(rows))
    # A worker has but its own figures, and does not know what failed elsewhere.
    if config.getoption("write") and exitstatus == 0 and not hasattr(config, "workerinput"):
        write(rows)


def table(rows: Iterable[Row]) -> str:
    """*rows* as a Markdown table in the order of their suites, aligned."""
    lines = [HEAD, *sorted(rows, key=lambda row: row.suite)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rule = tuple("-" * width for width in widths)
    drawn = [
        " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        for line in [HEAD, rule, *lines[1:]]
    ]
    return "\n".join(f"| {line} |" for line in drawn)


def write(rows: Iterable[Row], document: Path = DOCUMENT) -> None:
    """Put *rows* between the markers; rows of other suites stay, where there is such a file."""
    before, _, rest = document.read_text().partition(BEGIN)
    old, closed, after = rest.partition(END)
    assert closed, f"{document}: no place for the table: {BEGIN} … {END}"
    merged = {row.suite: row for row in _rows(old)} | {row.suite: row for row in rows}
    there = [row for row in merged.values() if (document.parent.parent / row.suite).exists()]
    linux = platform.release().partition("-")[0]
    where = f"{time.strftime('%Y-%m-%d')}, Linux {linux}, {os.cpu_count()} CPUs."
    document.write_text(f"{before}{BEGIN}\n{table(there)}\n\n{where}\n{END}{after}")


def _rows(text: str) -> Iterable[Row]:
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) == len(HEAD) and cells[1].endswith(".py"):
            yield Row(*cells)
