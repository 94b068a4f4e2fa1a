"""The measurements of docs/benchmarks.md, as `./dev bench` runs them (`python -m bench`)."""

import sys
from pathlib import Path

# `support` makes the tiny roots of the tests; here they are measured.
sys.path.append(str(Path(__file__).absolute().parent.parent / "tests"))
