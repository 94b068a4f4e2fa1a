"""The status line: what it says, however narrow it is."""

from __future__ import annotations

import pytest

from chroot_tool.widgets.bars.status_line import StatusLine
from chroot_tool.widgets.job_status import JobStatus
from support.samples import (
    BASE,
    JOBS,
    NOW,
)
from support.screen import HOSTILE, screen_lines, stray_controls
from support.widget_host import WidgetHost


async def test_the_status_line_says_where_who_and_what() -> None:
    line = StatusLine()
    host = WidgetHost(line)
    async with host.run_test(size=(100, 3)) as pilot:
        line.show(BASE, JOBS, "ann: looking only", "deb 12")
        await pilot.pause()
        said = screen_lines(host)[0]
        assert said.startswith(" /srv/chroot · ann: looking only ")
        assert said.rstrip().endswith("2 jobs: creating new 42 % … · /deb 12")
        waits = JobStatus(9, "off", "deb12", "", stage="ending 2 processes, KILL in 7 s")
        line.show(BASE, (waits,), "root")
        await pilot.pause()
        said = screen_lines(host)[0].rstrip()
        assert said.endswith("1 job: switching off deb12: ending 2 processes, KILL in 7 s")
        line.show(BASE, (), "root")
        await pilot.pause()
        assert screen_lines(host)[0].strip() == "/srv/chroot · root"


@pytest.mark.parametrize("width", [10, 20, 40, 60, 80, 120])
async def test_the_status_line_never_wraps(width: int) -> None:
    line = StatusLine()
    host = WidgetHost(line)
    async with host.run_test(size=(width, 3)) as pilot:
        line.show("/a/very/long/way/to/the/chroots" * 3, JOBS, "ann: looking only", "deb" * 20)
        await pilot.pause()
        lines = screen_lines(host)
        assert line.size.height == 1
        assert len(lines[0]) == width
        assert not "".join(lines[1:]).strip()
        if width >= 40:
            assert "2 jobs" in lines[0]


async def test_hostile_text_in_the_status_line() -> None:
    line = StatusLine()
    host = WidgetHost(line)
    async with host.run_test(size=(80, 3)) as pilot:
        for text in HOSTILE:
            line.show(text, (JobStatus(1, text, text, text, started=NOW),), text, text)
            await pilot.pause()
            assert stray_controls(host) == []
            assert line.size.height == 1
