"""Programs beside the UI that are another machine's: so many at a time go there by ssh."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event, Semaphore
from types import SimpleNamespace
from typing import Any

import pytest

from chroot_tool.app.tui.actions import captured
from chroot_tool.core.events import ignore
from support import PATIENCE, wait_until


class Room(Semaphore):
    """Room for two; `full` once somebody has found none."""

    def __init__(self) -> None:
        super().__init__(2)
        self.full = Event()

    def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:
        got = super().acquire(blocking, timeout)
        if not got:
            self.full.set()
        return got


@pytest.mark.slow
def test_in_a_ui_begun_for_another_machine_programs_take_turns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There all chroots are of that machine (`-H`), and no path of theirs says so."""
    rooms = {"one": Room()}
    monkeypatch.setattr(captured, "_room", rooms)
    session: Any = SimpleNamespace(
        machines=SimpleNamespace(has_risen=False), log=SimpleNamespace(host="one")
    )
    waits = f"cd {tmp_path}; touch begun-$0; until [ -e go ]; do sleep 0.1; done; echo $0"

    def run(number: int) -> str:
        argv = ("sh", "-c", waits, str(number))
        return captured.run(session, argv, f"/b/{number}", deque(), ignore, Event())

    def begun() -> set[str]:
        return {path.name for path in tmp_path.glob("begun-*")}

    with ThreadPoolExecutor(3) as pool:
        try:
            jobs = [pool.submit(run, number) for number in range(2)]
            wait_until(lambda: begun() == {"begun-0", "begun-1"})
            jobs.append(pool.submit(run, 2))
            wait_until(lambda: rooms["one"].full.is_set() or "begun-2" in begun())
            assert begun() == {"begun-0", "begun-1"}
        finally:
            (tmp_path / "go").touch()
        assert [job.result(PATIENCE) for job in jobs] == ["0", "1", "2"]
