"""Lines that are typed in: what is pasted into one of them harms no terminal."""

from __future__ import annotations

import pytest
from textual.events import Paste
from textual.widgets import Input

from chroot_tool.widgets.panes.find_line import FindLine
from chroot_tool.widgets.tables.filter_line import FilterLine
from chroot_tool.widgets.tables.mark_bar import MarkLine
from support.screen import stray_controls
from support.widget_host import WidgetHost


@pytest.mark.parametrize("line", [FilterLine, MarkLine, FindLine])
async def test_control_characters_are_neither_pasted_nor_painted(line: type[Input]) -> None:
    made = line("names")
    host = WidgetHost(made)
    async with host.run_test() as pilot:
        made.focus()
        made.post_message(Paste("ls\x1b[2J\x9bm -l\nrm x"))
        await pilot.pause()
        assert made.value == "ls[2Jm -l"
        made.value = "a\x1b[2Jb"
        await pilot.pause()
        assert stray_controls(host) == []
