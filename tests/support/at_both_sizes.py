"""The UI in tmux, on a chroot and one like it, at the two sizes that terminals often have."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from . import Cli, mounts_below
from .tmux import Tmux

Start = Callable[..., Tmux]
WriteSettings = Callable[[str], object]


@pytest.fixture(params=[(80, 24), (160, 50)], ids=["80x24", "160x50"])
def terminal_size(request: pytest.FixtureRequest) -> tuple[int, int]:
    found: tuple[int, int] = request.param
    return found


@pytest.fixture
def ui_home(tmp_path: Path) -> Path:
    """Where this test's settings are, and what is kept over the next start."""
    return tmp_path / "home"


@pytest.fixture
def write_settings(ui_home: Path) -> WriteSettings:
    """Writes the settings file; before, there is none, nor its folder."""

    def write(text: str) -> object:
        file = ui_home / "config/chroot-tool/settings.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        return file.write_text(text)

    return write


@pytest.fixture
def start(
    tiny_chroot: Path, cli: Cli, ui_home: Path, terminal_size: tuple[int, int], tmp_path: Path
) -> Iterator[Start]:
    """Starts it, on the folder in which tiny_chroot is or another, with words or without."""
    made: list[Tmux] = []

    def begin(*words: str, base: Path = tmp_path, **more: str) -> Tmux:
        own = {f"XDG_{kind}_HOME": str(ui_home / kind.lower()) for kind in ("CONFIG", "STATE")}
        # By env(1): tmux itself is to have the locale of everybody.
        argv = ["env", *(f"{name}={value}" for name, value in more.items())]
        argv += [os.fsdecode(word) for word in cli.argv(*words)]
        env = cli.environment({"CHROOT_TOOL_BASE": str(base), **own})
        made.append(Tmux(argv, env, terminal_size))
        return made[-1]

    yield begin
    for each in made:
        each.close()


@pytest.fixture
def tidy(tiny_chroot: Path, cli: Cli) -> Iterator[Path]:
    """A second one, which is like the first."""
    root = tiny_chroot.with_name("tidy")
    subprocess.run(["cp", "-a", tiny_chroot, root], check=True)
    yield root
    if mounts_below(root):
        cli.ok("off", "-S", "--kill", "--timeout", "2", "-d", root)


def over(terminal: Tmux, verb: str) -> None:
    """Wait until the job of the last key is over: what it did is seen a little before."""
    terminal.press("C")
    done = rf"Time State .*\n.*✓ done .*chroot-tool {verb} "
    terminal.until(lambda text: ". repeat" in text and re.search(done, text))
    terminal.press("4")
    terminal.until(lambda text: ". repeat" not in text)


def is_mounted(place: Path) -> bool:
    """Ask findmnt, which is not ours."""
    return subprocess.run(["findmnt", "--mountpoint", place], capture_output=True).returncode == 0
