"""docs/architecture.md and CONTRIBUTING.md say where things stand: what they name is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chroot_tool.core.diagnosis.all_checks import CHECKS
from support import CHECKOUT

PARTS = ("app", "core", "widgets", "tests")
PLACE = re.compile(rf"`((?:{'|'.join(PARTS)}|bench|docs|screenshots)/[\w/.-]*)`")


def places(document: str) -> list[str]:
    return PLACE.findall((CHECKOUT / document).read_text())


@pytest.mark.parametrize("document", ["docs/architecture.md", "CONTRIBUTING.md"])
def test_every_file_that_is_named_is_there(document: str) -> None:
    named = places(document)
    assert len(named) > 5
    assert [place for place in named if not (CHECKOUT / place).exists()] == []


def test_the_rooms_are_those_that_there_are() -> None:
    text = (CHECKOUT / "docs/architecture.md").read_text()
    rooms = text.partition("\n## Rooms\n")[2].partition("\n## ")[0]
    named = {place.rstrip("/") for place in PLACE.findall(rooms) if place.endswith("/")}
    assert {place for place in named if "/" in place and not place.startswith("tests")} == {
        str(path.parent.relative_to(CHECKOUT))
        for part in ("app", "core", "widgets")
        for path in (CHECKOUT / part).rglob("__init__.py")
        if path.parent != CHECKOUT / part
    }


def test_what_lies_in_no_room_is_named() -> None:
    text = (CHECKOUT / "docs/architecture.md").read_text()
    rooms = text.partition("\n## Rooms\n")[2].partition("\n## ")[0]
    assert {place for place in PLACE.findall(rooms) if re.fullmatch(r"\w+/\w+\.py", place)} == {
        str(path.relative_to(CHECKOUT))
        for part in ("app", "core", "widgets")
        for path in (CHECKOUT / part).glob("*.py")
        if path.name != "__init__.py"
    }


def test_each_package_and_module_says_what_it_is_for() -> None:
    silent = [
        path.relative_to(CHECKOUT)
        for part in ("app", "core", "widgets")
        for path in (CHECKOUT / part).rglob("*.py")
        if not path.read_text().startswith('"""')
    ]
    assert silent == list[Path]()


def test_every_check_of_the_doctor_stands_in_its_document() -> None:
    text = (CHECKOUT / "docs/doctor.md").read_text().partition("\n## Checks\n")[2]
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert rows == [f"| `{one.name}` | {' and '.join(one.of)} | {one.about} |" for one in CHECKS]
