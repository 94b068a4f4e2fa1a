"""Chroots below their tags: shown, folded, counted, marked, filtered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chroot_tool.core.errors import Problem
from chroot_tool.core.looking.snapshot import Machine, Snapshot
from chroot_tool.widgets.dialogs.confirm import Confirm
from chroot_tool.widgets.dialogs.tags import TagsDialog
from support.samples import BASE, CHROOTS
from support.whole_ui import Ui, ui

SIZES = pytest.mark.parametrize("size", [(80, 24), (160, 50)], ids=["80x24", "160x50"])
TAGS = {"arm": ("build", "arm64"), "deb12": ("web",), "jammy": ("build",), "trixie-build": ()}
TAGGED = tuple(
    one.replace(tags=TAGS[one.name], processes=()) for one in CHROOTS if one.name in TAGS
)


def order(t: Ui) -> list[str]:
    """What stands in the list from top to bottom, as it is called."""
    rows = t.app.main.table.rows
    return [rows.known_rows[key].status.name for key in rows.keys]


@pytest.mark.slow
@SIZES
async def test_they_stand_below_their_first_tag_and_the_rest_at_the_end(
    size: tuple[int, int],
) -> None:
    async with ui(*TAGGED, size=size) as t:
        await t.shows("▾ build", "2 chroots", "▾ web", "1 chroot", "▾ no tag")
        assert order(t) == ["build", "arm", "jammy", "web", "deb12", "no tag", "trixie-build"]
        assert t.highlighted == "arm"  # no head: what keys are for is a chroot
        await t.press("number_sign")
        await t.hides("▾ build")
        assert order(t) == ["arm", "deb12", "jammy", "trixie-build"]
        await t.press("number_sign")
        await t.shows("▾ build")


@pytest.mark.slow
@SIZES
async def test_the_cursor_begins_at_the_first_chroot_and_stays_where_it_is_put(
    size: tuple[int, int],
) -> None:
    async with ui(*TAGGED, size=size) as t:
        await t.shows("▾ build")
        await t.until(lambda: t.highlighted == "arm")
        await t.press("k")
        await t.until(lambda: t.highlighted == "")
        t.feed.show(*TAGGED[:-1])
        await t.until(lambda: len(order(t)) < len(TAGGED) + 3)
        assert t.app.main.table.rows.cursor_key == t.app.main.table.rows.keys[0]


@SIZES
async def test_the_head_above_the_first_chroot_is_seen_at_the_start(size: tuple[int, int]) -> None:
    names = [f"many-{number:02}" for number in range(60)]
    many = [TAGGED[0].replace(name=name, path=f"{BASE}/{name}") for name in names]
    async with ui(*many, size=size) as t:
        await t.until(lambda: t.highlighted == "many-00")
        await t.shows("▾ build", "60 chroots", "many-01")
        assert t.app.main.table.rows.scroll_offset.y == 0


@pytest.mark.slow
@SIZES
async def test_enter_folds_and_opens_and_what_is_gone_to_is_seen(size: tuple[int, int]) -> None:
    async with ui(*TAGGED, size=size) as t:
        await t.shows("▾ build")
        await t.press("g", "enter")
        await t.shows("▸ build")
        assert order(t) == ["build", "web", "deb12", "no tag", "trixie-build"]
        await t.press("enter")
        await t.shows("▾ build")
        await t.press("enter")
        t.app.main.go_to(f"{BASE}/jammy")
        await t.until(lambda: t.highlighted == "jammy")
        assert "jammy" in order(t)


@pytest.mark.slow
async def test_space_on_a_tag_marks_all_below_it() -> None:
    async with ui(*TAGGED) as t:
        await t.shows("▾ build")
        await t.press("g", "space")
        await t.shows("2 marked")
        assert t.app.main.table.marked == (f"{BASE}/arm", f"{BASE}/jammy")
        await t.press("space")
        await t.hides("marked")


@pytest.mark.slow
@pytest.mark.parametrize("typed", ["#build", "build #b", "arm64", "#arm"])
async def test_a_filter_finds_tags(typed: str) -> None:
    async with ui(*TAGGED) as t:
        await t.press("slash")
        for character in typed:
            await t.press({"#": "number_sign", " ": "space"}.get(character, character))
        wanted = ["arm", "jammy"] if "build" in typed else ["arm"]
        await t.until(lambda: order(t) == wanted)


@pytest.mark.slow
async def test_tags_come_and_go_while_one_looks() -> None:
    plain = tuple(one.replace(tags=()) for one in TAGGED)
    async with ui(*plain) as t:
        assert order(t) == ["arm", "deb12", "jammy", "trixie-build"]
        await t.press("number_sign")
        await t.says("none has a tag")
        t.feed.show(*TAGGED)
        await t.shows("▾ build")
        t.feed.show(*plain)
        await t.hides("▾ build")


@pytest.mark.slow
async def test_with_many_machines_the_key_goes_through_machines_tags_and_the_list() -> None:
    far = tuple(Machine(f"build{n}", answers=True) for n in range(4))
    async with ui(*TAGGED) as t:
        t.feed.see(Snapshot(BASE, TAGGED, machines=far))
        await t.shows("▾ this machine", "▾ build0")
        await t.press("number_sign")
        await t.shows("▾ build", "▾ no tag")
        await t.hides("this machine")
        await t.press("number_sign")
        await t.hides("▾ no tag")
        assert order(t)[0] == "arm"
        await t.press("number_sign")
        await t.shows("▾ this machine")


@pytest.mark.slow
@SIZES
async def test_on_a_head_the_details_say_what_it_is_of_and_what_its_keys_do(
    size: tuple[int, int],
) -> None:
    lost = Machine("vault", answers=False, problem=Problem("no route to host", "is it on?"))
    far = (*(Machine(f"build{n}", answers=True, looks_only=n == 2) for n in range(3)), lost)
    async with ui(*TAGGED, size=size) as t:
        await t.shows("▾ build")
        await t.press("k")
        await t.shows("2 chroots with the tag build", "marks all of its chroots")
        await t.press("G", "k")
        await t.shows("1 chroot without a tag")
        await t.hides("log in")
        t.feed.see(Snapshot(BASE, TAGGED, machines=far))
        await t.press("g")
        await t.shows("4 chroots on this machine", "H ")
        await t.press("G")
        await t.shows("0 chroots on vault: ✗ lost", "no route to host", "is it on?", "log in")
        await t.press("k")
        await t.shows("0 chroots on build2: ● open", "looking only: not root there")
        await t.press("g", "j")
        await t.hides("chroots on this machine")


async def test_the_overview_has_them_all() -> None:
    async with ui(*TAGGED) as t:
        await t.on_row("arm")
        await t.shows("tags build arm64")


@pytest.mark.slow
@SIZES
async def test_what_is_folded_and_how_it_is_grouped_is_so_at_the_next_start(
    size: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    kept = tmp_path / "chroot-tool/view.json"
    async with ui(*TAGGED, size=size) as t:
        await t.shows("▾ build")
        await t.press("g", "enter")
        await t.shows("▸ build")
        await t.until(lambda: kept.exists() and "#build" in kept.read_text())
    async with ui(*TAGGED, size=size) as t:
        await t.shows("▸ build", "▾ web")
        assert order(t) == ["build", "web", "deb12", "no tag", "trixie-build"]
        await t.press("number_sign")
        await t.until(lambda: json.loads(kept.read_text())["below"] == "")
    async with ui(*TAGGED, size=size) as t:
        await t.until(lambda: order(t) == ["arm", "deb12", "jammy", "trixie-build"])
        await t.press("number_sign")
        await t.shows("▸ build")
        await t.press("g", "enter")
        await t.until(lambda: json.loads(kept.read_text())["folded"] == [])


@pytest.mark.parametrize(
    "said", ["", "{", "[]", '{"folded": 3}', '{"folded": ["#web"], "below": 7}', '{"below": "x"}']
)
async def test_what_is_kept_may_be_anything(
    said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    (tmp_path / "chroot-tool").mkdir()
    (tmp_path / "chroot-tool/view.json").write_text(said)
    async with ui(*TAGGED) as t:
        await t.shows("▾ build", "▸ web" if "web" in said else "▾ web")


# -- editing them ----------------------------------------------------------------------------------


@pytest.mark.slow
@SIZES
async def test_tags_of_one_are_edited_and_taken_back(size: tuple[int, int]) -> None:
    async with ui(*TAGGED, size=size) as t:
        await t.on_row("arm")
        await t.press("L")
        dialog = await t.dialog(TagsDialog)
        assert dialog.value("tags") == "build arm64"
        dialog.field("tags").value = "build -x"
        await t.press("enter")
        await t.shows("can be no tag")
        dialog.field("tags").value = " web  build web "
        await t.press("enter")
        await t.main()
        await t.until(lambda: t.engine.called("set_tags") == [(f"{BASE}/arm", ("web", "build"))])
        await t.idle()
        await t.press("U")
        await t.dialog(Confirm)
        await t.shows("tag set web build -d", "the tags of arm are again: build arm64")
        await t.press("enter")
        await t.until(
            lambda: t.engine.called("set_tags")[1:] == [(f"{BASE}/arm", ("build", "arm64"))]
        )
        await t.idle()


@pytest.mark.slow
async def test_tags_of_several_are_those_that_all_have() -> None:
    async with ui(*TAGGED) as t:
        await t.shows("▾ build")
        await t.press("g", "space", "L")
        dialog = await t.dialog(TagsDialog)
        await t.shows("tags of 2 chroots", "each keeps what else it has")
        assert dialog.value("tags") == "build"
        dialog.field("tags").value = "ci"
        await t.press("enter")
        await t.says("tag: 2 done")
        assert sorted(t.engine.called("set_tags")) == [
            (f"{BASE}/arm", ("ci", "arm64")), (f"{BASE}/jammy", ("ci",))
        ]  # fmt: skip


@pytest.mark.slow
async def test_tags_that_stay_as_they_are_change_nothing() -> None:
    async with ui(*TAGGED) as t:
        await t.on_row("deb12")
        for key in ("enter", "escape"):
            await t.press("L")
            await t.dialog(TagsDialog)
            await t.press(key)
            await t.main()
        assert t.engine.called("set_tags") == []


@pytest.mark.slow
async def test_tags_that_were_changed_meanwhile_stay_so() -> None:
    async with ui(*TAGGED) as t:
        await t.on_row("arm")
        await t.press("L")
        dialog = await t.dialog(TagsDialog)
        assert dialog.value("tags") == "build arm64"
        meanwhile = {"arm": ("arm64", "ci")}  # build went, ci came
        t.feed.show(*(one.replace(tags=meanwhile.get(one.name, one.tags)) for one in TAGGED))
        await t.until(lambda: any("ci" in one.tags for one in t.app.main.chroots))
        dialog.field("tags").value = "build web"
        await t.press("enter")
        await t.main()
        await t.until(lambda: t.engine.called("set_tags") == [(f"{BASE}/arm", ("web", "ci"))])
        await t.idle()
