"""Sizes on disk are counted beside the UI."""

from __future__ import annotations

import queue
from pathlib import Path

import pytest

from chroot_tool.app.tui.threads.messages import Counted
from chroot_tool.app.tui.threads.watch_threads import SizeThread
from chroot_tool.core.local_engine import LocalEngine
from chroot_tool.core.looking.status import ChrootStatus
from support.samples import BASE, NOW
from support.whole_ui import DEADLINE, ui


@pytest.mark.slow
async def test_a_size_is_counted_when_it_has_been_made() -> None:
    new = ChrootStatus("new", f"{BASE}/new", "creating", changed=NOW)
    async with ui(new, sizes={new.path: 67 << 20}) as t:
        await t.shows("creating")
        assert "67M" not in t.text  # which was counted before
        t.feed.sizes[new.path] = 175 << 20
        t.feed.show(new.replace(state="off"))
        await t.shows("175M")


def test_the_counter_counts_again_what_it_is_told(tmp_path: Path) -> None:
    said: queue.SimpleQueue[Counted] = queue.SimpleQueue()
    sizes = SizeThread(LocalEngine(""), said.put)  # type: ignore[arg-type]
    sizes.want((str(tmp_path),))
    first = said.get(timeout=DEADLINE)
    (tmp_path / "file").write_bytes(b"x" * 100_000)
    sizes.recount(str(tmp_path))  # it was counted just now
    assert said.get(timeout=DEADLINE).size > first.size
    sizes.close()
