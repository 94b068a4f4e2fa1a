"""Finding: a filter in every table, with what it has found marked."""

from __future__ import annotations

import pytest
from rich.style import Style

from chroot_tool.widgets.tables.painting import marked_words
from support.samples import CHROOTS, DEB12, PROCESSES
from support.whole_ui import ui

SIZES = pytest.mark.parametrize("size", [(80, 24), (160, 50)], ids=["80x24", "160x50"])


def marked(text: str, *words: str) -> list[str]:
    """What of *text* is marked."""
    segments = marked_words(text, words, Style())
    assert "".join(segment.text for segment in segments) == text
    return [one.text for one in segments if one.style is not None and one.style.underline]


def test_every_word_is_marked_wherever_it_stands() -> None:
    assert marked("make -j8 Make", "make") == ["make", "Make"]
    assert marked("aaa", "a", "aa") == ["aa", "a"]
    assert marked("a.b axb", "a.b") == ["a.b"]
    assert marked("nothing here", "x") == []
    assert marked("as it is") == []


def test_what_has_other_letters_in_lower_case_is_not_marked_at_all() -> None:
    assert marked("Straße make", "make") == []
    assert marked("\u0130stanbul", "stan") == []


@SIZES
@pytest.mark.parametrize(
    ("key", "typed", "left", "gone"),
    [("2", "home", "/home/build/", "/dev/pts"), ("3", "cc1", "cc1 -O2", "sshd -D"),
     ("3", "ANN", "make -j8", "sshd -D")],
    ids=["mounts", "processes", "any case"],
)  # fmt: skip
async def test_a_filter_in_the_details(
    size: tuple[int, int], key: str, typed: str, left: str, gone: str
) -> None:
    async with ui(*CHROOTS, size=size) as run:
        await run.on_row("deb12")
        await run.press(key)
        await run.shows(left, gone)
        await run.press("slash")
        await run.shows("filter: any column")
        await run.write(typed)
        await run.shows(left)
        await run.hides(gone)
        await run.press("enter")
        await run.shows(f"/{typed}")
        await run.until(lambda: run.app.main.details.has_focus_within)
        await run.press("escape")
        await run.shows(left, gone)
        assert run.app.main.details.has_focus_within
        await run.press("escape")
        await run.until(lambda: run.app.main.table.rows.has_focus)


async def test_a_filter_holds_for_what_comes_and_says_where_nothing_is_left() -> None:
    async with ui(*CHROOTS) as run:
        await run.on_row("deb12")
        await run.press("3", "slash")
        await run.shows("filter: any column")
        await run.write("zz")
        await run.shows("nothing matches zz", "Esc shows all again")
        await run.press("enter")
        await run.on_row("trixie-build")
        await run.shows("Processes /zz")
        await run.press("3", "slash")
        await run.shows("zz")
        await run.press("escape")
        await run.hides("/zz")


@SIZES
async def test_processes_as_a_tree(size: tuple[int, int]) -> None:
    sshd, make, cc1 = PROCESSES
    tree = DEB12.replace(processes=(sshd, make, cc1.replace(parent=make.pid)))
    async with ui(tree, size=size) as run:
        await run.press("3", "T")
        await run.shows("└ cc1 -O2", "make -j8")
        await run.press("T")
        await run.hides("└ cc1")


async def test_in_the_overview_the_key_is_that_of_the_environments() -> None:
    async with ui(*CHROOTS) as run:
        await run.on_row("deb12")
        await run.press("1", "slash")
        await run.shows("filter: name, system or state")
