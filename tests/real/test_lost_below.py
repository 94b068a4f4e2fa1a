"""What has come along with a recursive bind: brought back by `on` where it is gone."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import Cli, detach, mounts_below

pytestmark = [pytest.mark.root, pytest.mark.slow]

ADDED = ("/data", "/data/inner", "/data/inner/deep", "/data/shut")


@pytest.fixture
def bound(cli: Cli, tiny_chroot: Path, tmp_path: Path) -> Iterator[Path]:
    """The chroot, on, with a recursive bind of a directory that three things are mounted in."""
    data = tmp_path / "data"
    mount(data / "inner")
    mount(data / "inner/deep")
    mount(data / "shut")
    (data / "later").mkdir()
    (tiny_chroot / "chroot.d/tool.conf").write_text(f'[bind]\nsrc:"{data}" tgt:/data opt:rbind,ro')
    cli.ok("on", "-d", tiny_chroot)
    yield tiny_chroot
    detach(mounts_below(data))


def mount(place: Path) -> None:
    place.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "x", place], check=True)


def unmount(*places: Path) -> None:
    for place in places:
        subprocess.run(["umount", place], check=True)


def below(root: Path) -> list[str]:
    prefix = f"{root}/data"
    return sorted(p.removeprefix(str(root)) for p in mounts_below(root) if p.startswith(prefix))


def test_what_is_lost_is_seen_and_comes_back(cli: Cli, bound: Path, tmp_path: Path) -> None:
    assert below(bound) == sorted(ADDED)
    unmount(bound / "data/inner/deep", bound / "data/inner")
    (drifted,) = [
        one for one in cli.json("status", "-d", bound)["mounts"] if one["state"] == "drifted"
    ]
    assert (drifted["target"], drifted["reason"]) == ("/data", "lacks /data/inner")
    dry = cli("on", "--dry-run", "-d", bound)
    assert f"bind {tmp_path}/data/inner on /data/inner (rbind,ro,private)" in dry.stdout
    cli.ok("on", "-d", bound)
    assert below(bound) == sorted(ADDED)
    with pytest.raises(OSError, match="Read-only"):
        (bound / "data/inner/deep/new").touch()
    assert "already on" in cli("on", "-d", bound).stderr


def test_what_is_mounted_there_later_is_not_its_business(
    cli: Cli, bound: Path, tmp_path: Path
) -> None:
    mount(tmp_path / "data/later")
    assert "already on" in cli("on", "-d", bound).stderr
    unmount(tmp_path / "data/shut", bound / "data/shut")
    mount(tmp_path / "data/shut")
    assert "already on" in cli("on", "-d", bound).stderr
    assert cli.json("status", "-d", bound)["state"] == "on"


def test_what_somebody_mounted_over_it_stays(cli: Cli, bound: Path) -> None:
    unmount(bound / "data/inner/deep", bound / "data/inner")
    subprocess.run(["mount", "-t", "tmpfs", "x", bound / "data/inner"], check=True)
    assert "already on" in cli("on", "-d", bound).stderr
    assert below(bound) == ["/data", "/data/inner", "/data/shut"]
