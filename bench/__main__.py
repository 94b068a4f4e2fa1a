"""Run the measurements: `./dev bench [PART…] [--write]`.

Each part is a module with `run() -> list[Row]`. What is mounted meanwhile is in the mount namespace
that `./dev` starts this in. `--write` puts the tables into docs/benchmarks.md. The exit code is 1
where a limit is missed.
"""

from __future__ import annotations

import os
import platform
import sys
import time
from argparse import ArgumentParser
from importlib import import_module
from pathlib import Path

from .rows import table

PARTS = {
    "engine": "The engine and the command line",
    "ui": "The terminal UI",
    "terminal": "The terminal panel",
    "reach": "Other machines, and many of them",
    "images": "Making, copying, packing",
    "privilege": "Without root",
    "hour": "The terminal UI for an hour",
}
"""The modules and the titles of their tables."""
_ASKED_FOR = ("hour",)
"""What is not measured unless it is named: it takes so long."""
DOCUMENT = Path(__file__).absolute().parent.parent / "docs/benchmarks.md"


def main() -> int:
    """Parse the arguments, run the parts, print and write the tables."""
    parser = ArgumentParser(prog="./dev bench", description="Measure what the project promises.")
    parser.add_argument("parts", metavar="PART", nargs="*", help=f"of: {', '.join(PARTS)}")
    parser.add_argument("--write", action="store_true", help=f"into docs/{DOCUMENT.name}")
    arguments = parser.parse_args()
    if unknown := [part for part in arguments.parts if part not in PARTS]:
        parser.error(f"no part {unknown[0]!r}, expected one of: {', '.join(PARTS)}")
    met = True
    for part in arguments.parts or [part for part in PARTS if part not in _ASKED_FOR]:
        rows = import_module(f"{__package__}.{part}").run()
        text = f"{table(rows)}\n\n{_where()}"
        print(f"\n## {PARTS[part]}\n\n{text}", flush=True)
        if arguments.write:
            _write(part, text)
        met = met and all(row.ok for row in rows)
    return 0 if met else 1


def _where() -> str:
    """Say on what it was measured: figures of two machines are not to be compared, ratios are."""
    linux = platform.release().partition("-")[0]
    python = ".".join(platform.python_version_tuple()[:2])
    return (
        f"Measured {time.strftime('%Y-%m-%d')} on Linux {linux}, "
        f"{os.cpu_count()} CPUs, Python {python}."
    )


def _write(part: str, text: str) -> None:
    """Put *text* between the markers of *part*; the document has them for every part."""
    document = DOCUMENT.read_text()
    begin, end = f"<!-- {part}: written by ./dev bench -->", f"<!-- /{part} -->"
    before, found, rest = document.partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise SystemExit(f"{DOCUMENT}: no place for {part}: {begin} … {end}")
    DOCUMENT.write_text(f"{before}{begin}\n{text}\n{end}{after}")


if __name__ == "__main__":
    sys.exit(main())
