"""A server that does not answer, in the UI: what is shown, and that everything else goes on."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from chroot_tool.core.kernel import answering
from chroot_tool.core.looking.status import NOT_ANSWERING
from chroot_tool.widgets.dialogs.run_prompt import RunPrompt
from support import mounts_below, wait_until
from support.samples import CHROOTS, DEB12
from support.served import Served
from support.whole_ui import real_ui, ui

OTHER = CHROOTS[0]
SILENT = DEB12.replace(state=NOT_ANSWERING, unanswered=("/mnt/nas/src", "/mnt/nas/more"))


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    (tmp_path / "far").mkdir()
    with Served(tmp_path / "far", tmp_path / "near") as found:
        yield found


@pytest.fixture
def base(tiny_chroot: Path, served: Served) -> Path:
    """A directory with the chroots tiny and nas; the second one binds what is served."""
    nas = tiny_chroot.parent / "nas"
    subprocess.run(["cp", "-a", tiny_chroot, nas], check=True)
    (nas / "chroot.d/tool.conf").write_text(f"[bind]\nsrc:{served.point} tgt:/data\n")
    return tiny_chroot.parent


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_table_and_status_line_say_so(size: tuple[int, int]) -> None:
    async with ui(SILENT, OTHER, size=size) as t:
        await t.on_row(SILENT.name)
        await t.shows("not answering", "not answering: /mnt/nas/src")
        t.feed.show(DEB12, OTHER)
        await t.hides("not answering")


@pytest.mark.slow
async def test_o_switches_off_what_is_mounted_and_on_what_is_not() -> None:
    nothing = OTHER.replace(state=NOT_ANSWERING, unanswered=("/mnt/nas/src",))
    async with ui(SILENT, nothing) as t:
        await t.on_row(SILENT.name)
        await t.press("o")
        await t.until(lambda: len(t.engine.called("off")) == 1)
        await t.on_row(nothing.name)
        await t.press("o")
        await t.until(lambda: len(t.engine.called("on")) == 1)


@pytest.mark.slow
@pytest.mark.root
async def test_everything_else_goes_on_and_it_comes_right_by_itself(
    base: Path, served: Served
) -> None:
    served.stop()
    answering.set_patience(lambda: 0.5)
    try:
        async with real_ui(base) as t:
            await t.on_row("nas")
            await t.shows("! not answering", "wanted at /data, is")
            await t.shows("not answering: ")
            await t.press("o")
            await t.until(lambda: t.job_states.get("nas") == "failed")
            answering.set_patience(lambda: 20.0)  # however busy this machine is
            await t.on_row("tiny")
            await t.press("o")
            await t.shows("● on")
            await t.idle()
            await t.press("o")
            await t.shows("○ off")
            await t.press("r")
            await t.dialog(RunPrompt)
            await t.press("escape")
            await t.main()
            assert len(answering.waiting()) == 1
            await t.on_row("nas")
            served.go_on()
            await t.hides("not answering: ")
            await t.press("o")
            await t.shows("● on")
            await t.idle()
            served.stop()
            await t.press("o")  # asks no source
            await t.until(lambda: not mounts_below(base / "nas"))
    finally:
        answering.set_patience(lambda: answering.PATIENCE)
        served.go_on()
        wait_until(lambda: not answering.waiting())
