"""The settings are read again when their file changes; what is wrong is told, and nothing taken."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.widgets._toast import Toast

from chroot_tool.app.paths import view_file
from chroot_tool.app.settings.file import Settings
from chroot_tool.app.settings.file import save as save_settings
from chroot_tool.app.tui.panes import kept_view
from chroot_tool.app.tui.threads import settings_thread
from chroot_tool.app.tui.threads.messages import SettingsRead
from chroot_tool.app.tui.threads.settings_thread import SettingsThread
from chroot_tool.app.tui.user import ask_and_tell
from chroot_tool.core.kernel import syscalls
from support import PATIENCE, descriptors, wait_until
from support.samples import BASE, CHROOTS
from support.screen import screen_lines
from support.whole_ui import Ui, ui

ARM = f"{BASE}/arm"
COMMAND = '[[command]]\nname = "tell"\nkey = "f5"\nrun = "/bin/echo {name}"\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the settings are; not there yet, nor the folder."""
    return tmp_path / "home/config/chroot-tool/settings.toml"


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def replace(file: Path, text: str) -> None:
    """As editors do it: another file, in its place."""
    other = file.with_suffix(".new")
    other.write_text(text)
    other.replace(file)


@pytest.mark.slow
async def test_a_file_that_is_made_while_it_runs_holds(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ui(*CHROOTS, follow_settings=True) as t:
        told: list[str] = []  # on a busy machine a toast may be gone before one looks
        monkeypatch.setattr(t.app, "notify", lambda message, **_: told.append(message))
        write(file, f'theme = "light"\ncolumns = ["name", "state"]\n{COMMAND}')
        await t.shows("f5 tell")
        await t.until(lambda: "the settings were read again" in told)
        await t.until(lambda: t.app.theme == "light")
        await t.hides("Memory")
        await t.on_row("arm")
        await t.press("f5")
        await t.shows("arm", "exit 0")


@pytest.mark.slow
async def test_keys_hold_at_once_and_go_again(file: Path) -> None:
    write(file, "")
    async with ui(*CHROOTS, follow_settings=True) as t:
        await t.on_row("arm")
        replace(file, '[keys]\nenvironments.toggle = "e"\n')
        await t.shows("e on/off")
        await t.press("o")
        await t.press("e")
        await t.until(lambda: t.engine.calls == [("on", ARM)])
        file.unlink()
        await t.shows("o on/off")


@pytest.mark.slow
async def test_what_says_which_key_to_press_says_the_new_one(file: Path) -> None:
    write(file, "")
    async with ui(follow_settings=True) as t:
        await t.shows("press n to make one", "n a new one: a Debian")
        replace(file, '[keys]\nenvironments.create = "f6"\n')
        await t.shows("press f6 to make one", "f6 a new one: a Debian")


@pytest.mark.slow
@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
async def test_errors_are_told_with_their_line_and_the_old_settings_stay(
    file: Path, size: tuple[int, int]
) -> None:
    write(file, COMMAND)
    async with ui(*CHROOTS, size=size, follow_settings=True) as t:
        await t.on_row("arm")
        replace(file, COMMAND + "# another")
        await t.until(lambda: in_footer(t) == "tell")
        replace(file, f'{COMMAND}theme = "lihgt"\n')
        await t.says(f"{file}:5: unknown key 'theme' in command")
        await t.says("the settings of before hold on")
        replace(file, f'theme = "dark"\n\n{COMMAND}output = "pannel"\n')
        await t.says(f"{file}:7: output is 'pannel', expected one of 'panel', 'job', 'toast'")
        await t.until(lambda: "settings of before hold on" in " ".join(toasts(t)))
        assert in_footer(t) == "tell"
        await t.press("f5")
        await t.shows("arm", "exit 0")
        t.app.main.table.focus()
        replace(file, f'theme = "light"\n{COMMAND.replace("tell", "told")}')
        await t.until(lambda: in_footer(t) == "told")


def in_footer(t: Ui) -> str:
    """What F5 is called there, where there is room; "" where it is nothing."""
    active = t.app.main.active_bindings.get("f5")
    return active.binding.description if active and active.binding.show else ""


@pytest.mark.slow
@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
async def test_the_path_of_what_is_wrong_is_told_whole(file: Path, size: tuple[int, int]) -> None:
    write(file, "")
    async with ui(*CHROOTS, size=size, follow_settings=True) as t:
        replace(file, 'theme = "dark"\nwhatever = 1\n')
        await t.says(f"{file}:2: ")
        # Behind it a line may end.
        await t.until(lambda: f"{file}:2:" in "".join(toasts(t)))
        replace(file, f'"{"x" * 5000}" = 1\n')
        await t.until(lambda: any("xxx…xxx" in said for said in t.said))
        assert max(map(len, t.said)) <= 400


def toasts(t: Ui) -> list[str]:
    """The lines of the toasts, as they are on the screen."""
    lines = screen_lines(t.app)
    regions = [toast.content_region for toast in t.app.screen.query(Toast)]
    return [
        lines[y][one.x : one.right].rstrip() for one in regions for y in range(one.y, one.bottom)
    ]


@pytest.mark.slow
async def test_a_link_to_a_file_elsewhere_is_followed(file: Path, tmp_path: Path) -> None:
    kept = tmp_path / "dotfiles/settings.toml"
    write(kept, "")
    file.parent.mkdir(parents=True)
    file.symlink_to(kept)
    async with ui(*CHROOTS, follow_settings=True) as t:
        replace(kept, COMMAND)
        await t.shows("f5 tell")


@pytest.mark.slow
def test_where_others_have_used_up_inotify_the_file_is_looked_at_now_and_then(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def used_up() -> int:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(syscalls, "inotify_init", used_up)
    said: list[SettingsRead] = []
    thread = SettingsThread(Settings(), said.append)  # type: ignore[arg-type]
    thread.start()
    write(file, 'theme = "light"\n')
    wait_until(lambda: any(one.settings.theme == "light" for one in said))
    monkeypatch.undo()
    thread.close()


def test_a_link_that_is_replaced_while_it_is_read_is_followed_afterwards(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for theme in ("dark", "light"):
        write(tmp_path / theme / "settings.toml", f'theme = "{theme}"\n')
    file.parent.mkdir(parents=True)
    file.symlink_to(tmp_path / "dark/settings.toml")
    gone, readlink = threading.Event(), os.readlink

    def once_gone(path: str) -> str:
        if not gone.is_set():
            gone.set()
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        return readlink(path)

    monkeypatch.setattr(os, "readlink", once_gone)
    said: list[object] = []
    thread = SettingsThread(Settings(), said.append)
    thread.start()
    try:
        assert gone.wait(PATIENCE)
        other = file.with_suffix(".new")
        other.symlink_to(tmp_path / "light/settings.toml")
        other.replace(file)
        wait_until(
            lambda: any(isinstance(m, SettingsRead) and m.settings.theme == "light" for m in said)
        )
    finally:
        thread.close()


def test_the_thread_ends_and_leaves_nothing_open(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings_thread, "_DECENT", PATIENCE)
    before = descriptors()
    for started in (False, True):
        said: list[object] = []
        thread = SettingsThread(Settings(), said.append)
        if started:
            thread.start()
        thread.close()
        wait_until(lambda: set(descriptors()) <= set(before))
        assert said == [] or isinstance(said[0], SettingsRead)


@pytest.mark.slow
async def test_a_theme_that_is_taken_out_of_the_file_stays_out(file: Path) -> None:
    write(file, 'theme = "light"\nsigns = "unicode"\n')
    async with ui(*CHROOTS, follow_settings=True, theme="light") as t:
        replace(file, 'signs = "unicode"\n')
        await t.until(lambda: t.app.theme != "light")
        await t.pilot.pause()
        assert file.read_text() == 'signs = "unicode"\n'


@pytest.mark.slow
async def test_a_theme_that_is_chosen_is_kept_also_where_it_is_the_one_from_before(
    file: Path,
) -> None:
    async with ui(*CHROOTS, theme="light") as t:
        for name in ("nord", "light"):
            t.app.theme = name
            await t.until(lambda name=name: file.exists() and f'"{name}"' in file.read_text())  # type: ignore[misc]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["settings", "view"])
async def test_what_is_chosen_just_before_quitting_is_kept(
    file: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    gate, begun = threading.Event(), threading.Event()

    def held(write: Callable[[Any], None]) -> Callable[[Any], None]:
        def save(wanted: Any) -> None:
            begun.set()
            assert gate.wait(PATIENCE)
            write(wanted)

        return save

    monkeypatch.setattr(ask_and_tell, "save", held(save_settings))
    monkeypatch.setattr(kept_view, "_save", held(kept_view._save))
    view = Path(view_file())
    try:
        async with ui(*(one.replace(tags=("web",)) for one in CHROOTS)) as t:
            if kind == "settings":
                t.app.theme = "light"
                await t.until(begun.is_set)
                t.app.theme = "nord"
            else:
                await t.press("number_sign")
                await t.until(begun.is_set)
                await t.press("number_sign")
                last = t.app.main.table.grouping.way
    finally:
        gate.set()
    if kind == "settings":
        await wait_for(lambda: 'theme = "nord"' in read(file))
    else:
        await wait_for(lambda: f'"below": {json.dumps(last)}' in read(view))


def read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


async def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until that holds; threads of this loop go on."""
    await asyncio.to_thread(wait_until, condition)


@pytest.mark.slow
async def test_how_far_the_terminal_is_holds_for_panels_that_are_there(file: Path) -> None:
    write(file, 'line = "near"\n')
    async with ui(*CHROOTS, follow_settings=True, line="near") as t:
        pace = t.app.main.session.line.pace
        assert pace.room > 10_000
        assert not t.app.has_class("-spares")
        replace(file, 'line = "far"\n')
        await t.until(lambda: pace.room < 10_000)
        await t.until(lambda: t.app.has_class("-spares"))
