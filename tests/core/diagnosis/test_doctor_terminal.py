from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from chroot_tool.core.diagnosis import terminal
from chroot_tool.core.diagnosis.finding import NOTE, OK, WARNING
from support import PATIENCE
from support.doctor import bare_root, host, of, worst


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked answers, however slow this machine is."""
    monkeypatch.setattr(terminal, "_SECONDS", PATIENCE)


@pytest.mark.parametrize(
    ("variables", "severity"),
    [
        ({"TERM": "xterm-256color"}, OK),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, OK),
        ({"TERM": "xterm"}, NOTE),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, NOTE),
        ({"TERM": "dumb"}, NOTE),
        ({}, NOTE),
        ({"TERM": "no-such-terminal"}, WARNING),
        ({"TERM": "../../etc/x"}, WARNING),
    ],
)
def test_what_the_variables_say_of_colours(variables: dict[str, str], severity: str) -> None:
    assert worst(terminal.colours(host(**variables))).severity == severity


@pytest.mark.parametrize(
    ("variables", "severity"),
    [
        ({"TERM": "xterm"}, OK),
        ({"TERM": "linux"}, NOTE),
        ({"STY": "1.pts"}, NOTE),
        ({"TERM_PROGRAM": "vscode"}, NOTE),
        ({"TMUX": "/nowhere,1,0"}, NOTE),
    ],
)
def test_what_keeps_keys_from_coming_through(variables: dict[str, str], severity: str) -> None:
    assert worst(terminal.keyboard(host(**variables))).severity == severity


@pytest.mark.parametrize(("milliseconds", "severity"), [(500, WARNING), (10, NOTE)])
def test_tmux_is_asked_how_long_it_holds_esc(
    tmp_path: Path, milliseconds: int, severity: str
) -> None:
    socket = tmp_path / "tmux"
    base = ["tmux", "-S", str(socket), "-f", "/dev/null"]
    subprocess.run([*base, "new-session", "-d", "sleep 100"], check=True)
    try:
        subprocess.run([*base, "set", "-s", "escape-time", str(milliseconds)], check=True)
        found = worst(terminal.keyboard(host(TMUX=f"{socket},1,0")))
        assert found.severity == severity, found
    finally:
        subprocess.run([*base, "kill-server"], check=True)


@pytest.mark.parametrize("place", ["etc/terminfo/x", "usr/share/terminfo/x", "lib/terminfo/78"])
def test_a_terminal_that_is_known_inside(tmp_path: Path, place: str) -> None:
    root = bare_root(tmp_path)
    (root / place).mkdir(parents=True)
    (root / place / "xterm-kitty").touch()
    assert worst(terminal.terminfo(of(root, TERM="xterm-kitty"))).severity == OK


@pytest.mark.parametrize("term", ["xterm-kitty", "../../../../etc/passwd"])
def test_a_terminal_that_is_not(tmp_path: Path, term: str) -> None:
    root = bare_root(tmp_path)
    found = worst(terminal.terminfo(of(root, TERM=term)))
    assert found.severity == WARNING
    assert "ncurses-term" in found.mend


def test_no_terminal_is_looked_for_by_nobody(tmp_path: Path) -> None:
    assert worst(terminal.terminfo(of(bare_root(tmp_path)))).severity == OK


@pytest.mark.parametrize(
    ("columns", "rows", "severity"), [(80, 24, OK), (79, 24, NOTE), (80, 20, NOTE)]
)
def test_a_small_terminal_is_noted(
    monkeypatch: pytest.MonkeyPatch, columns: int, rows: int, severity: str
) -> None:
    import os

    monkeypatch.setattr(os, "get_terminal_size", lambda _fd: os.terminal_size((columns, rows)))
    assert worst(terminal.size(host())).severity == severity
