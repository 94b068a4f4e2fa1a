"""The whole program in a real terminal, as a person meets it: tmux, 80x24, nothing faked."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import PATIENCE, Cli, Program, mounts_below, processes_below, wait_until
from support.served import Served
from support.tmux import DEADLINE, Tmux


@pytest.fixture
def terminal(tiny_chroot: Path, cli: Cli, request: pytest.FixtureRequest) -> Iterator[Tmux]:
    """The UI without a word, as chroot-tool.sh starts it, on the folder in which tiny_chroot is.

    A parameter names the bounds that are out of reach.
    """
    unbounded = cli.without(*getattr(request, "param", ()))
    argv = [os.fsdecode(word) for word in unbounded.argv()]
    base = {"CHROOT_TOOL_BASE": str(tiny_chroot.parent)}
    made = Tmux(argv, cli.environment(base))
    yield made
    made.close()


def mounted(root: Path) -> list[str]:
    """Ask findmnt, which is not ours."""
    lines = subprocess.run(
        ["findmnt", "--raw", "--noheadings", "--output", "TARGET"],
        capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    return [line for line in lines if line.startswith(f"{root}/")]


@pytest.mark.slow
@pytest.mark.root
def test_on_seen_by_findmnt_umount_seen_by_us_and_a_shell(
    terminal: Tmux, tiny_chroot: Path
) -> None:
    terminal.shows("○ off tiny", "quit")
    terminal.press("o")
    terminal.shows("● on tiny")
    assert str(tiny_chroot / "proc") in mounted(tiny_chroot)

    subprocess.run(["umount", tiny_chroot / "tmp"], check=True)
    terminal.shows("◐ partial tiny")
    terminal.press("o")
    terminal.shows("● on tiny")
    assert str(tiny_chroot / "tmp") in mounted(tiny_chroot)

    keys = "space mark / filter o on/off s shell r run b binds n new m menu q quit ? help"
    before = terminal.shows("● 1 on", keys)  # all of it: a picture may be of half a paint
    terminal.press("S")
    terminal.until(lambda text: "Chroots" not in text and "#" in text)
    terminal.write("echo $((40+2))-$(tty); ls -d /chroot.d")
    terminal.press("Enter")
    terminal.shows("42-/dev/pts/0", "/chroot.d")
    terminal.press("C-d")
    terminal.until(lambda text: "● on tiny" in text and frame(text) == frame(before))
    assert "42-" not in terminal.text

    terminal.press("o")
    terminal.shows("○ off tiny")
    assert mounted(tiny_chroot) == []
    terminal.press("q")
    left = terminal.shows("left with 0")
    assert "Chroots" not in left  # the screen that was there before is back
    assert mounts_below(tiny_chroot) == []


def frame(text: str) -> list[str]:
    """What does not change by itself: the line of each pane and the footer."""
    return [line for line in text.splitlines() if re.search("Chroots|State|q quit", line)]


@pytest.mark.slow
@pytest.mark.root
@pytest.mark.parametrize("terminal", [("doctor",)], ids=["doctor"], indirect=True)
def test_the_doctor_finds_what_is_amiss_and_mends_it(terminal: Tmux, tiny_chroot: Path) -> None:
    terminal.shows("○ off tiny", "quit")
    terminal.press("o")
    terminal.shows("● on tiny")
    subprocess.run(["umount", tiny_chroot / "tmp"], check=True)
    subprocess.run(["mount", "-t", "tmpfs", "none", tiny_chroot / "home"], check=True)
    terminal.shows("◐ partial tiny")
    terminal.press("D")
    terminal.shows("doctor: tiny and this host", "drift", "stray", "terminfo")
    text = terminal.until(lambda text: "looking" not in text)
    rows = [line.split() for line in text.splitlines() if re.search("[✗!] (problem|warning)", line)]
    terminal.press("g")
    for _ in range([row[3] for row in rows].index("drift")):  # what else is amiss: who knows
        terminal.press("j")
    terminal.press("Enter")
    terminal.shows("→ m mends it, or chroot-tool on -d")
    terminal.press("m")
    terminal.shows("mend this?", "mount tmpfs on /tmp")
    terminal.press("Enter")
    terminal.says("mended: 1 step")
    assert str(tiny_chroot / "tmp") in mounted(tiny_chroot)
    assert str(tiny_chroot / "home") in mounted(tiny_chroot), "which is somebody else's"


@pytest.mark.slow
@pytest.mark.root
def test_a_shell_that_is_killed_leaves_the_screen_whole(terminal: Tmux, tiny_chroot: Path) -> None:
    terminal.shows("○ off tiny", "quit")
    terminal.press("S")
    terminal.until(lambda text: "Chroots" not in text and "#" in text)
    terminal.write("stty raw -echo; kill -KILL $$")
    terminal.press("Enter")
    terminal.shows("● on tiny")
    terminal.says("exit code 137")
    terminal.press("2")
    terminal.shows("● mounted /proc")
    terminal.press("C-c")  # is no way out
    terminal.press("1")
    terminal.shows("architecture")
    terminal.press("o")
    terminal.shows("○ off tiny")
    terminal.press("q")
    terminal.shows("left with 0")


@pytest.mark.slow
@pytest.mark.root
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_in_order(
    terminal: Tmux, tiny_chroot: Path, cli: Cli, number: signal.Signals
) -> None:
    stop = tiny_chroot / "chroot.d/stop"
    stop.write_text("#!/bin/sh\nexec sleep 1000\n")
    stop.chmod(0o755)
    terminal.shows("○ off tiny", "quit")
    assert terminal.modes == "1 1 0"
    terminal.press("s")
    terminal.shows("● on tiny", "#")
    terminal.write("echo $((40+2))")
    terminal.press("Enter")
    terminal.shows("42")
    terminal.press("C-]")
    terminal.shows("into it")
    terminal.press("Escape")
    terminal.shows("on/off")
    terminal.press("o")
    terminal.until(lambda _: "1000" in str(processes_below(tiny_chroot).values()))
    terminal.ui.send_signal(number)
    terminal.shows(f"left with {128 + number}")
    assert terminal.modes == "0 0 1"
    assert "1000" not in str(processes_below(tiny_chroot).values())
    terminal.until(lambda _: not processes_below(tiny_chroot))
    cli.ok("off", "-S", "-d", tiny_chroot)


@pytest.mark.slow
@pytest.mark.root
def test_a_signal_takes_the_terminal_back_from_a_shell_on_the_whole_screen(
    terminal: Tmux, tiny_chroot: Path, cli: Cli
) -> None:
    terminal.shows("○ off tiny", "quit")
    terminal.press("S")
    terminal.until(lambda text: "Chroots" not in text and "#" in text)
    terminal.ui.send_signal(signal.SIGTERM)
    terminal.shows("left with 143")
    assert terminal.modes == "0 0 1"
    terminal.until(lambda _: not processes_below(tiny_chroot))
    cli.ok("off", "-d", tiny_chroot)


@pytest.mark.slow
@pytest.mark.parametrize("session", [["--ctty"], []])
def test_a_terminal_that_goes_away_ends_it(tmp_path: Path, cli: Cli, session: list[str]) -> None:
    outer, inner = pty.openpty()
    argv = ["setsid", *session, *cli.argv("--base", tmp_path)]
    with Program(
        argv, stdin=inner, stdout=inner, stderr=inner,
        env=cli.environment({"TERM": "xterm-256color"}),
    ) as program:  # fmt: skip
        os.close(inner)
        seen = b""
        while b"Chroots" not in seen:
            assert select.select([outer], [], [], DEADLINE)[0], seen
            seen += os.read(outer, 1 << 16)
        os.close(outer)
        try:
            assert program.wait(DEADLINE) == 129
        finally:
            program.kill()


@pytest.mark.slow
@pytest.mark.root
def test_a_shell_that_stops_itself_stops_nobody(terminal: Tmux) -> None:
    """There is no shell above that could continue it, as in `xterm -e chroot-tool`."""
    terminal.shows("○ off tiny", "quit")
    terminal.press("S")
    terminal.until(lambda text: "Chroots" not in text and "#" in text)
    terminal.write("kill -STOP $$\r")
    terminal.write("echo alive-$((40+2))\r")
    terminal.shows("alive-42")
    terminal.press("C-d")
    terminal.shows("● on tiny", "quit")
    terminal.press("o")
    terminal.shows("○ off tiny")


@pytest.mark.slow
@pytest.mark.root
@pytest.mark.parametrize("terminal", [("keys",)], ids=["keys"], indirect=True)
def test_what_is_typed_ahead_waits_for_what_it_is_meant_for(terminal: Tmux) -> None:
    terminal.shows("○ off tiny", "quit")
    terminal.write("node")  # o and d would be keys of the list
    terminal.shows("new chroot", "Name ode")
    terminal.press("Escape")
    terminal.shows("What is filled in would be lost")
    terminal.press("Right", "Enter")
    terminal.until(lambda text: "new chroot" not in text)
    terminal.write("/ox")
    terminal.shows("ox", "nothing matches ox")
    terminal.press("Escape")
    terminal.shows("○ off tiny")
    terminal.write("secho $((40+2)) ood\r")
    terminal.shows("42 ood")
    terminal.press("C-]")
    terminal.shows("zoom")
    terminal.press("Escape")
    terminal.shows("● on tiny", "mark")
    terminal.write("dtin")
    terminal.shows("delete tiny", "tin")
    terminal.press("Escape")
    terminal.until(lambda text: "delete tiny" not in text)
    assert "failed" not in terminal.text


_HANDS_OVER = """
import sys
from textual.app import App
from chroot_tool.app.tui.terminal.handover import hand_over
from chroot_tool.widgets.sure_timers import SureTimers
class Hands(SureTimers, App):
    async def on_mount(self):
        self.call_after_refresh(self.over)
    async def over(self):
        self.run_worker(self.really_over())
    async def really_over(self):
        wait = 'echo over; until [ -e "$0" ]; do sleep 0.02; done'
        await hand_over(self, ["sh", "-c", wait, sys.argv[1]])
        self.title = "back"
        self.set_timer(0.3, lambda: self.exit(self.typed))
    typed = ""
    def on_key(self, event):
        self.typed += event.key
print("typed", Hands().run() or "nothing")
"""


@pytest.mark.slow
def test_what_was_typed_for_the_other_program_is_no_key_here(cli: Cli, tmp_path: Path) -> None:
    script = tmp_path / "hands.py"
    script.write_text(_HANDS_OVER)
    argv = [sys.executable, str(script), str(tmp_path / "go")]
    terminal = Tmux(argv, cli.environment())
    try:
        terminal.shows("over")
        terminal.write("nodx")
        terminal.shows("nodx")  # echoed: they are there
        (tmp_path / "go").touch()
        terminal.shows("typed nothing")
    finally:
        terminal.close()


@pytest.mark.slow
@pytest.mark.root
def test_a_dead_source_in_a_real_terminal(tiny_chroot: Path, cli: Cli, tmp_path: Path) -> None:
    second = tmp_path / "b2"
    subprocess.run(["cp", "-a", tiny_chroot, second], check=True)
    with Served(tmp_path / "srv/far", tmp_path / "srv/near") as served:
        (second / "chroot.d/tool.conf").write_text(f"[bind]\nsrc:{served.point} tgt:/data\n")
        served.stop()
        argv = [os.fsdecode(word) for word in cli.argv("--base", tmp_path)]
        # However busy this machine is: what answers has time.
        conf = tmp_path / "conf"
        (conf / "chroot-tool").mkdir(parents=True)
        (conf / "chroot-tool/settings.toml").write_text(f"patience = {PATIENCE}\n")
        terminal = Tmux(argv, cli.environment() | {"XDG_CONFIG_HOME": str(conf)})
        try:
            terminal.shows("not answering b2", "not answering: ", "○ off tiny", "quit")
            terminal.press("j")
            terminal.press("o")
            terminal.shows("● on tiny")
            terminal.press("o")
            terminal.shows("○ off tiny")
            served.go_on()
            terminal.shows("○ off b2", "○ off tiny")
            served.stop()
            terminal.press("q")
            terminal.shows("left with 0")
        finally:
            terminal.close()
    assert mounts_below(tiny_chroot) == []


@pytest.mark.slow
@pytest.mark.root
@pytest.mark.parametrize(
    ("how", "said", "code"),
    [
        ("done", "off tiny: done", 0),
        ("busy", "chroot-tool: off tiny: ", 4),
        ("C-c", "chroot-tool: off tiny: interrupted while `stop` ran; nothing was unmounted", 130),
    ],
)
def test_a_job_that_goes_on_after_q_says_how_it_ends(
    how: str, said: str, code: int, terminal: Tmux, tiny_chroot: Path, cli: Cli
) -> None:
    stop = tiny_chroot / "chroot.d/stop"
    stop.write_text("#!/bin/sh\nread go < /go\n")
    stop.chmod(0o755)
    os.mkfifo(tiny_chroot / "go")
    terminal.shows("○ off tiny", "quit")
    terminal.press("o")
    terminal.shows("● on tiny")
    terminal.press("o")
    with open(tiny_chroot / "go", "w") as go:  # when it is read
        terminal.press("q")
        terminal.shows("quit while something runs")
        terminal.press("Right", "Enter")
        terminal.shows("off tiny: ")
        with contextlib.ExitStack() as stack:
            if how == "busy":
                holder = stack.enter_context(Program(["sleep", "1000"], cwd=tiny_chroot / "tmp"))
                stack.callback(holder.kill)
                wait_until(Path(f"/proc/{holder.pid}/cmdline").read_bytes)  # it is what is told
            if how == "C-c":
                terminal.press("C-c")
            else:
                go.close()
            text = terminal.shows(f"left with {code}").replace("\n", "")
    assert said in text
    assert ("sleep 1000: " in text) == (how == "busy")
    cli.ok("off", "-S", "-d", tiny_chroot)
