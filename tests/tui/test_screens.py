"""How every screen of the whole app looks, held as pictures: those of screenshots/, and the same.

After a change that is meant: `pytest tests/tui/test_screens.py --snapshot-update`, then look at the
difference, and make the pictures of the README anew with `./dev screenshots`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from screenshots.scenes import SCENES, Scene, same_everywhere

Compare = Callable[..., bool]


@pytest.fixture(autouse=True)
def for_everybody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Time zone, user and files of whoever runs this are not in the pictures."""
    for kind in ("CONFIG", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(tmp_path / kind.lower()))
    with same_everywhere():
        yield


@pytest.mark.slow
@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_screen(scene: Scene, snap_compare: Compare) -> None:
    same = snap_compare(scene.app(), terminal_size=scene.size, run_before=scene.prepare)
    assert same, f"{scene.name} looks other: snapshot_report.html shows how"
