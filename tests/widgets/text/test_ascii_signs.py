"""ASCII for signs: each as wide as the sign, and no two states the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chroot_tool.core.diagnosis import finding
from chroot_tool.core.looking import status
from chroot_tool.widgets import job_status
from chroot_tool.widgets.text import states
from chroot_tool.widgets.text.ascii_signs import in_ascii
from chroot_tool.widgets.text.braille import graph
from chroot_tool.widgets.text.fitting import width_of
from support import CHECKOUT

_STATES: list[tuple[Callable[[str], states.Cell], tuple[str, ...]]] = [
    (states.chroot_state, (status.ON, status.OFF, status.PARTIAL, status.CREATING,
                           status.BROKEN, status.NOT_ANSWERING)),
    (states.mount_state, (status.MOUNTED, status.MISSING, status.DRIFTED, status.IGNORED,
                          status.FOREIGN_MOUNT)),
    (states.job_state, (job_status.RUNNING, job_status.DONE, job_status.FAILED,
                        job_status.CANCELLED)),
    (states.severity, (finding.PROBLEM, finding.WARNING, finding.NOTE, finding.OK)),
]  # fmt: skip


@pytest.mark.parametrize(("cell", "words"), _STATES, ids=["chroot", "mount", "job", "finding"])
def test_states_are_told_apart_by_the_sign_alone(
    cell: Callable[[str], states.Cell], words: tuple[str, ...]
) -> None:
    signs = {in_ascii(cell(word)[0], "ascii").split()[0] for word in words}
    assert len(signs) == len(words)
    assert all(sign.isascii() and sign.isprintable() and sign.strip() for sign in signs)


def _signs_of(folder: Path) -> set[str]:
    texts = (file.read_text("utf-8") for file in folder.rglob("*.py"))
    return {char for text in texts for char in text if char > "\x7f"}


def test_every_sign_of_the_program_has_one_of_its_own() -> None:
    signs = _signs_of(CHECKOUT / "widgets") | _signs_of(CHECKOUT / "app" / "tui")
    assert len(signs) > 10
    assert {sign for sign in signs - {"�"} if in_ascii(sign, "ascii") == "?"} == set()


def test_frames_bars_and_graphs() -> None:
    assert in_ascii("╭──╮ ┌─┐ │ ━━─ ▊▔▁▎", "ascii") == "+--+ +-+ | ==- |-_|"
    assert in_ascii(graph([0, 1, 0, 2, 4, 4], 4, 3, 1)[0], "ascii") == ".:#"


def test_letters_stay_where_the_terminal_has_them() -> None:
    assert in_ascii("● Übung", "utf-8") == "@ Übung"
    assert in_ascii("● Übung", "iso8859-1") == "@ Übung"
    assert in_ascii("● Übung 日本", "ascii") == "@ ?bung ????"
    assert in_ascii("€", "no such") == "?"


@given(st.text(st.characters(exclude_categories=["C"])))
def test_nothing_moves(text: str) -> None:
    assert in_ascii(text, "ascii").isascii()
    for encoding in ("ascii", "iso8859-15", "utf-8"):
        for char in text:
            assert width_of(in_ascii(char, encoding)) == width_of(char)
