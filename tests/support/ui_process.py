"""The whole UI in a process of its own, on the real engine, without a terminal: many at once.

`Ui` starts one, presses keys in it, and asks whether it shows what is so. Run as a program it is
the process. Imported as `ui_process`.
"""

from __future__ import annotations

import asyncio
import json
import re
import select
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from support import CHECKOUT

if TYPE_CHECKING:
    from textual.pilot import Pilot

PATIENCE = 40.0
"""Seconds after which a screen will not show any more what it is to show."""
LIMIT = 2 * PATIENCE
"""Seconds that an answer may take while twenty of these share the processors."""


class Ui:
    """A UI in a process of its own. Fails where it crashes or does not answer."""

    def __init__(
        self, base: Path, home: Path, said: Path, *hosts: str, env: Mapping[str, str] | None = None
    ) -> None:
        """*hosts* are other machines, as ssh knows them in *env*."""
        self._said = said
        environment = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **(env or {}), "HOME": str(home),
            "PYTHONPATH": f"{CHECKOUT / '.pkg'}:{CHECKOUT / 'tests'}",
        }  # fmt: skip
        with said.open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, __file__, str(base), *hosts], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=errors, env=environment, start_new_session=True,
            )  # fmt: skip

    @property
    def pid(self) -> int:
        return self._process.pid

    def ready(self) -> None:
        """Return when it is there."""
        assert self._answer() == "ready"

    def press(self, *keys: str) -> None:
        """Press keys, and do not wait for what comes of it: `pressed` does."""
        self._say("press", keys)

    def pressed(self) -> None:
        assert self._answer() == "pressed"

    def settle(self) -> None:
        """Return when nothing runs in it any more."""
        self._say("settle", None)
        assert self._answer() == "settled"

    def disagrees(self, states: Mapping[str, str]) -> str:
        """What is on its screen where, in the end, it does not show these chroots and states."""
        self._say("agree", states)
        return str(self._answer())

    def leave(self) -> None:
        """Have it quit, and see that all was well."""
        self._say("leave", None)
        assert self._process.wait(LIMIT) == 0, self.said()
        assert "Traceback" not in self.said()

    def said(self) -> str:
        return self._said.read_text(errors="replace")

    def _say(self, word: str, what: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([word, what]).encode() + b"\n")
        self._process.stdin.flush()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        assert select.select([self._process.stdout], [], [], LIMIT)[0], f"hung\n{self.said()}"
        line = self._process.stdout.readline()
        assert line, f"ended: {self._process.wait(LIMIT)}\n{self.said()}"
        return json.loads(line)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()


def _tell(what: object) -> None:
    sys.__stdout__.write(json.dumps(what) + "\n")  # type: ignore[union-attr]
    sys.__stdout__.flush()  # type: ignore[union-attr]


def _wrong(screen: str, states: Mapping[str, str]) -> str:
    """What of *states* is not on the screen, "" where all is."""
    rows = re.findall(r"^ *\S (\w+)(?: !)? +([\w.-]+) ", screen, re.MULTILINE)
    shown = {name: state for state, name in rows}
    return ", ".join(f"{n} is {s}" for n, s in states.items() if shown.get(n) != s)


async def _play(pilot: Pilot[Any]) -> None:
    from chroot_tool.app.tui.app import ChrootApp
    from support.screen import screen_text

    assert isinstance(pilot.app, ChrootApp)
    _tell("ready")
    while True:
        word, what = json.loads(await asyncio.to_thread(sys.stdin.readline))
        if word == "press":
            for key in what:
                await pilot.press(key)
            _tell("pressed")
        elif word == "settle":
            while pilot.app.main.session.running:
                await asyncio.sleep(0.02)
            _tell("settled")
        elif word == "agree":
            end = time.monotonic() + PATIENCE
            while wrong := _wrong(screen := screen_text(pilot.app), what):
                if time.monotonic() > end:
                    break
                await asyncio.sleep(0.05)
            _tell(f"{wrong}:\n{screen}" if wrong else "")
        else:
            pilot.app.exit()
            return


def _main(base: str, *hosts: str) -> None:
    from chroot_tool.app.engine import open_machines
    from chroot_tool.app.settings.file import Settings
    from chroot_tool.app.tui.app import ChrootApp
    from chroot_tool.app.tui.threads.watch_threads import WatchThread

    machines = open_machines(hosts, base)
    app = ChrootApp(machines, Settings(), follow=WatchThread(machines.of()).post_to)
    app.run(headless=True, size=(120, 60), auto_pilot=_play)
    app.main.session.jobs.wait()
    sys.exit(app.return_code or 0)


if __name__ == "__main__":
    _main(*sys.argv[1:])
