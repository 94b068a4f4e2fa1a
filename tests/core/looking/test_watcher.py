"""The stream of snapshots: what is looked at again costs those who show it nothing."""

from __future__ import annotations

from pathlib import Path

from chroot_tool.core.looking.watch import Watcher


def test_what_is_looked_at_again_and_is_the_same_stays_the_same_value(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name / "chroot.d").mkdir(parents=True)
    watcher = Watcher(str(tmp_path))
    try:
        first = watcher.snapshot().chroots
        (tmp_path / "two/chroot.d/chroot.toml").write_text('tags = ["other"]\n')
        watcher._due.everything = True
        second = watcher.snapshot().chroots
    finally:
        watcher.close()
    assert second[0] is first[0]
    assert second[1].tags == ("other",)
