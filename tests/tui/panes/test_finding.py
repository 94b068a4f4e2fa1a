"""Finding: a filter in every table, a search in the overview, with what is found marked."""

from __future__ import annotations

import pytest
from rich.segment import Segment
from rich.style import Style

from chroot_tool.widgets.dialogs.create import CreateForm
from chroot_tool.widgets.panes.overview import Overview
from chroot_tool.widgets.tables.painting import marked_words
from support.samples import CHROOTS, DEB12, PROCESSES
from support.whole_ui import Ui, ui

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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
@SIZES
async def test_processes_as_a_tree(size: tuple[int, int]) -> None:
    sshd, make, cc1 = PROCESSES
    tree = DEB12.replace(processes=(sshd, make, cc1.replace(parent=make.pid)))
    async with ui(tree, size=size) as run:
        await run.press("3", "T")
        await run.shows("└ cc1 -O2", "make -j8")
        await run.press("T")
        await run.hides("└ cc1")


# -- in the overview -------------------------------------------------------------------------------


def found(t: Ui) -> list[str]:
    """What is marked in the overview; of the place that is shown with a star."""
    overview = t.app.main.query_one(Overview)
    return [
        f"{'*' * bool(one.style.reverse)}{one.text}"
        for y in range(t.app.size.height)
        for one in strip_at(t, overview, y)
        if one.style is not None and one.style.underline and one.style.bold
    ]


def strip_at(t: Ui, overview: Overview, y: int) -> list[Segment]:
    if not overview.region.contains(overview.region.x, y):
        return []
    line = t.app.screen._compositor.render_strips()[y]
    return list(line.crop(overview.region.x, overview.region.right))


LONG = DEB12.replace(
    description="a needle here", problems=(), tags=("Needle", *(f"tag{n}" for n in range(1200)))
)
LONGER = LONG.replace(configuration="/etc/needle.toml")


@pytest.mark.slow
@SIZES
async def test_in_the_overview_the_key_searches_its_text(size: tuple[int, int]) -> None:
    async with ui(LONGER, size=size) as t:
        await t.on_row("deb12")
        await t.press("1")
        overview = t.app.main.query_one(Overview)
        await t.until(lambda: overview.has_focus)
        await t.press("slash")
        await t.shows("find in the overview")
        await t.write("needle")
        await t.shows("1 of 3")
        await t.until(lambda: found(t)[:1] == ["*needle"])
        await t.press("down")
        await t.shows("2 of 3")
        await t.press("enter")
        await t.shows("/needle 2 of 3")
        await t.until(lambda: overview.has_focus)
        assert overview.scroll_offset.y == 0
        await t.press("n")
        await t.shows("/needle 3 of 3")
        await t.until(lambda: found(t)[-1:] == ["*needle"])
        assert overview.scroll_offset.y > 0, "what stands below is shown"
        await t.press("n")
        await t.shows("/needle 1 of 3")
        await t.until(lambda: found(t)[:1] == ["*needle"])
        await t.press("N")
        await t.shows("/needle 3 of 3")
        await t.press("escape")
        await t.hides(" /needle")
        assert found(t) == []
        assert overview.has_focus
        await t.press("escape")
        await t.until(lambda: t.app.main.table.rows.has_focus)


@pytest.mark.slow
async def test_escape_in_the_line_goes_back_to_what_was_shown() -> None:
    async with ui(LONGER) as t:
        await t.on_row("deb12")
        await t.press("1", "slash")
        overview = t.app.main.query_one(Overview)
        await t.write("needle.toml")
        await t.until(lambda: overview.scroll_offset.y > 0)
        await t.press("escape")
        await t.until(lambda: overview.scroll_offset.y == 0)
        await t.until(lambda: overview.has_focus)
        await t.hides("needle.toml ")
        await t.press("slash")
        await t.shows("needle.toml")  # and it is there to search for again
        await t.write("zz")
        await t.shows("not found")
        await t.press("enter")
        await t.says("not found")
        await t.hides(" /needle")


@pytest.mark.slow
async def test_without_a_search_n_is_a_new_chroot_and_from_the_list_the_key_is_the_lists() -> None:
    async with ui(*CHROOTS) as t:
        await t.on_row("deb12")
        await t.press("1", "n")
        await t.dialog(CreateForm)
        await t.press("escape")
        await t.main()
        await t.press("escape", "slash")
        await t.shows("filter: name, system or state")


@pytest.mark.slow
async def test_a_search_is_for_one_chroot_and_one_tab() -> None:
    async with ui(*CHROOTS) as t:
        await t.on_row("deb12")
        await t.press("1", "slash")
        await t.write("name")
        await t.shows("1 of")
        await t.press("enter", "2", "n")
        await t.dialog(CreateForm)
        await t.press("escape")
        await t.main()
        await t.shows("/name 1 of")
        await t.on_row("jammy")
        await t.hides("/name")


@pytest.mark.slow
async def test_what_is_being_typed_is_looked_for_in_another_chroot_that_is_shown() -> None:
    async with ui(*CHROOTS) as t:
        await t.on_row("deb12")
        await t.press("1", "slash")
        await t.write("jammy")
        await t.shows("not found")
        t.app.main.table.move_to(next(one.path for one in CHROOTS if one.name == "jammy"))
        await t.shows("1 of")


@pytest.mark.slow
async def test_what_the_graphs_say_is_found_too() -> None:
    async with ui(*CHROOTS, size=(160, 50)) as t:
        await t.on_row("deb12")
        await t.shows("peak")
        await t.press("1", "slash")
        await t.write("peak")
        await t.until(lambda: "*peak" in found(t))
        assert found(t).count("peak") >= 2
        await t.press("enter", "n")
        await t.shows("/peak 2 of")
