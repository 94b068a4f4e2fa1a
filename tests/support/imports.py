"""What a start imports, and what it had better not. Imported as `support.imports`."""

from __future__ import annotations

import re

UI = {"textual", "rich", "bittty"}
SLOW = UI | {
    "asyncio", "ast", "dataclasses", "importlib.metadata", "inspect", "json", "logging",
    "pathlib", "psutil", "subprocess", "tempfile", "tomlkit", "typing",
}  # fmt: skip
"""Not imported on the way of `run`: each costs more than the command itself."""


def imported(told: str) -> set[str]:
    """Return the modules that `python -X importtime` has *told* of on stderr."""
    return set(re.findall(r"^import time: .*\| +(\S+)$", told, re.MULTILINE))
