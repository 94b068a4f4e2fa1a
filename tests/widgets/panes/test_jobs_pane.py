"""Jobs and their output as a person meets them, and with hostile text."""

from __future__ import annotations

from typing import Any

import pytest
from textual.geometry import Offset
from textual.selection import Selection

from chroot_tool.widgets.copying import CopyRequested
from chroot_tool.widgets.job_status import FAILED, RUNNING
from chroot_tool.widgets.panes.jobs_pane import JobsPane
from support.samples import (
    JOBS,
    clock,
    hostile_job,
)
from support.screen import HOSTILE, screen_lines, screen_text, stray_controls
from support.widget_host import WidgetHost


def jobs_host() -> tuple[WidgetHost, JobsPane]:
    pane = JobsPane(clock=clock)
    return WidgetHost(pane), pane


async def test_jobs_with_progress_time_and_outcome() -> None:
    host, pane = jobs_host()
    async with host.run_test(size=(100, 20)) as pilot:
        pane.show(())
        await pilot.pause()
        assert "nothing is being done" in screen_text(host)
        pane.show(JOBS)
        await pilot.pause()
        text = screen_text(host)
        assert "━━━─────  42 %   1m 23s  unpacking libc6" in text
        assert "✗ failed" in text
        assert "- cancelled" in text
        assert "✓ done" in text
        assert pane.selected == JOBS[0], "the newest"


async def test_a_new_job_is_selected_unless_the_reader_is_at_another() -> None:
    host, pane = jobs_host()
    async with host.run_test() as pilot:
        host.set_focus(None)
        pane.show(JOBS[2:])
        pane.show(JOBS[1:])
        await pilot.pause()
        assert pane.selected == JOBS[1]
        pane.focus()
        await pilot.pause()
        await pilot.press("j")
        pane.show(JOBS)
        await pilot.pause()
        assert pane.selected == JOBS[2]


async def test_keys_apply_to_what_they_can_apply_to() -> None:
    host, pane = jobs_host()
    async with host.run_test() as pilot:
        pane.show(JOBS)
        pane.focus()
        await pilot.pause()
        await pilot.press("x", "c")
        [cancel] = host.said
        assert isinstance(cancel, JobsPane.CancelRequested)
        assert cancel.job_id == 5
        host.said.clear()
        await pilot.press("j", "j", "c", "x", "y")
        dismissed, copy = host.said
        assert isinstance(dismissed, JobsPane.Dismissed)
        assert dismissed.job_id == 3
        assert isinstance(copy, CopyRequested)
        assert copy.lines == (
            "on trixie-build: cannot mount /tmp: no space left on device",
            "hint: free some memory, or mount less",
        )


async def test_a_failure_stands_there_with_its_hint() -> None:
    host, pane = jobs_host()
    async with host.run_test(size=(80, 16)) as pilot:
        pane.show(JOBS)
        pane.select(3)
        await pilot.pause()
        assert "✗ cannot mount /tmp: no space left on device" in screen_text(host)
        assert "→ free some memory, or mount less" in screen_text(host)
        pane.select(4)
        await pilot.pause()
        assert "→" not in screen_text(host)


async def test_output_is_that_of_the_selected_job_and_is_copied() -> None:
    host, pane = jobs_host()
    async with host.run_test() as pilot:
        pane.show(JOBS)
        pane.append_output(5, ["of five"])
        pane.append_output(4, ["of four"])
        pane.focus()
        await pilot.pause()
        assert "of five" in screen_text(host)
        await pilot.press("j")
        assert "of four" in screen_text(host)
        assert "of five" not in screen_text(host)
        await pilot.press("y")
        copy: Any = host.said[-1]
        assert copy.lines == ("of four",)


@pytest.mark.slow
async def test_output_is_followed_unless_the_reader_has_scrolled_up() -> None:
    host, pane = jobs_host()
    async with host.run_test(size=(80, 24)) as pilot:
        pane.show(JOBS)
        pane.append_output(5, [f"line {i}" for i in range(100)])
        await pilot.pause()
        assert "line 99" in screen_text(host)
        pane.append_output(5, ["line 100"])
        await pilot.pause()
        assert "line 100" in screen_text(host)
        pane.output.focus()
        await pilot.press("pageup", "pageup")
        await pilot.wait_for_scheduled_animations()
        seen = [text[:70] for text in screen_lines(host)]  # without the scrollbar
        pane.append_output(5, [f"more {i}" for i in range(50)])
        await pilot.pause()
        assert [text[:70] for text in screen_lines(host)] == seen
        await pilot.press("G")
        await pilot.wait_for_scheduled_animations()
        pane.append_output(5, ["the end"])
        await pilot.pause()
        assert "the end" in screen_text(host)


async def test_output_is_bounded_and_does_not_slide_away_under_a_reader() -> None:
    host, pane = jobs_host()
    async with host.run_test(size=(80, 24)) as pilot:
        pane.show(JOBS)
        pane.append_output(5, [f"line {i}." for i in range(5000)])
        await pilot.pause()
        pane.output.scroll_to(y=3000, animate=False, immediate=True)
        await pilot.pause()
        assert "line 3000." in screen_text(host)
        pane.append_output(5, [f"more {i}" for i in range(1000)])
        await pilot.pause()
        assert len(pane.output.lines) == 5000
        assert pane.output_of(5).count("\n") == 4999
        assert "line 3000." in screen_text(host)


async def test_lines_that_are_dropped_take_the_selection_with_them() -> None:
    """It goes by the numbers of lines: copied was what came there meanwhile."""
    host, pane = jobs_host()
    async with host.run_test(size=(80, 24)) as pilot:
        pane.show(JOBS)
        pane.append_output(5, [f"line {i}." for i in range(4999)])
        await pilot.pause()
        host.screen.selections = {pane.output: Selection(Offset(0, 100), Offset(9, 100))}
        pane.append_output(5, ["one more"])
        await pilot.pause()
        assert host.screen.get_selected_text() == "line 100."
        pane.append_output(5, ["and one"])
        await pilot.pause()
        assert not host.screen.get_selected_text()


async def test_a_pane_that_was_hidden_while_jobs_ran_is_whole_when_it_is_shown() -> None:
    host, pane = jobs_host()
    async with host.run_test(size=(80, 24)) as pilot:
        pane.display = False
        await pilot.pause()
        pane.show(JOBS)
        pane.append_output(5, [f"line {i}" for i in range(100)])
        await pilot.pause(0.1)
        pane.display = True
        await pilot.pause(0.1)
        assert "What" in screen_lines(host)[0]
        assert "line 99" in screen_text(host)


@pytest.mark.slow
@pytest.mark.parametrize("state", [RUNNING, FAILED])
async def test_hostile_text_in_jobs_and_their_output(state: str) -> None:
    host, pane = jobs_host()
    async with host.run_test(size=(80, 24)) as pilot:
        pane.focus()
        for text in HOSTILE:
            pane.show((hostile_job(text).replace(state=state, fraction=0.5),))
            pane.append_output(1, [text] * 3)
            await pilot.pause()
            assert stray_controls(host) == []
            await pilot.click(pane.output, offset=(3, 1))
            assert host.is_running
