"""The examples of docs/api.md as one program. Imported as `support.examples`."""

from __future__ import annotations

import re

from . import CHECKOUT

_EXAMPLES = re.compile(r"```python\n(.*?)```\n(?:```\n(.*?)```)?", re.DOTALL)
_END = "-- end\n"


def program(base: str) -> str:
    """All of them one after the other, as who reads them would try them, on *base*'s `deb`."""
    codes = [code for code, _ in _examples()]
    return f"base = {base!r}\n" + "".join(f"{code}\nprint({_END!r}, end='')\n" for code in codes)


def check(output: str) -> None:
    """Fail where the program did not print what the document says that each prints."""
    assert output.split(_END)[:-1] == [said for _, said in _examples()]


def _examples() -> list[tuple[str, str]]:
    found = _EXAMPLES.findall((CHECKOUT / "docs/api.md").read_text())
    assert len(found) > 5
    return found
