"""The first line of a file that we make leads to a schema that is there, or is not written."""

from __future__ import annotations

from pathlib import Path

import pytest

from chroot_tool.core.config import schema_line
from chroot_tool.core.config.bind import make
from chroot_tool.core.config.edits import Added, Files, Removed, changed

NAME = "chroot.toml"


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    found = [tmp_path / "local", tmp_path / "package"]
    for folder in found:
        folder.mkdir()
    monkeypatch.setattr(schema_line, "PLACES", tuple(map(str, found)))
    return found


def test_the_administrators_schema_comes_before_the_packages(places: list[Path]) -> None:
    assert schema_line.header(NAME) == b""
    for folder in reversed(places):
        schema = folder / f"{NAME}.schema.json"
        schema.touch()
        assert schema_line.header(NAME) == f"#:schema file://{schema}\n".encode()
    assert schema_line.header("settings") == b""


def test_a_file_that_has_nothing_else_left_is_empty(places: list[Path]) -> None:
    schema = places[1] / f"{NAME}.schema.json"
    schema.touch()
    made = changed(Files(), [Added(make("/a", "/b"))])
    assert (made.chroot_toml or b"").startswith(schema_line.header(NAME))
    schema.unlink()  # the package was purged since
    assert changed(made, [Removed("/a")]).chroot_toml == b""


def test_without_one_a_new_file_begins_with_what_it_says(places: list[Path]) -> None:
    made = changed(Files(), [Added(make("/a", "/b"))])
    assert (made.chroot_toml or b"").startswith(b"[[bind]]")
