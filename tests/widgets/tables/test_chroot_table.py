"""The environments table as a person meets it: keys, mouse, filter, marks, updates."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.message import Message
from textual.pilot import Pilot
from textual.strip import Strip
from textual.widgets import Static

from chroot_tool.core.errors import Problem
from chroot_tool.core.looking.snapshot import Machine
from chroot_tool.core.looking.status import ChrootStatus
from chroot_tool.widgets.job_status import FAILED, RUNNING, JobStatus
from chroot_tool.widgets.tables.chroot_columns import COLUMNS
from chroot_tool.widgets.tables.chroot_table import ChrootTable
from support.samples import BASE, CHROOTS, JOBS, NOW, SIZES, clock, hostile_chroot
from support.screen import HOSTILE, screen_lines, screen_text, stray_controls

NAMES = [one.name for one in CHROOTS]


def many(count: int) -> tuple[ChrootStatus, ...]:
    return tuple(
        ChrootStatus(f"c{i}", f"{BASE}/c{i}", "off", changed=NOW - i) for i in range(count)
    )


class Host(App[None]):
    """The table alone; keeps what it says and notes escapes that nobody took."""

    BINDINGS = [("escape", "escaped")]  # noqa: RUF012

    def __init__(self, columns: tuple[str, ...] = COLUMNS) -> None:
        super().__init__()
        self.table = ChrootTable(columns=columns, clock=clock)
        self.said: list[Message] = []
        self.escapes = 0

    def compose(self) -> ComposeResult:
        yield self.table
        yield Static("below", id="below")

    def on_mount(self) -> None:
        self.table.focus()

    def on_chroot_table_highlighted(self, message: ChrootTable.Highlighted) -> None:
        self.said.append(message)

    on_chroot_table_activated = on_chroot_table_highlighted
    on_chroot_table_filter_changed = on_chroot_table_highlighted

    def action_escaped(self) -> None:
        self.escapes += 1

    def take(self, kind: type[Any]) -> list[Any]:
        """Return the messages of a kind that came since the last time."""
        found = [message for message in self.said if isinstance(message, kind)]
        self.said = [message for message in self.said if not isinstance(message, kind)]
        return found

    @property
    def at(self) -> str:
        one = self.table.highlighted
        return one.name if one else ""

    def marks(self) -> tuple[str, ...]:
        return self.table.marked

    @property
    def order(self) -> list[str]:
        return [path.rpartition("/")[2] for path in self.table.rows.keys]


@pytest.fixture
def host() -> Host:
    return Host()


async def shown(host: Host, pilot: Pilot[None], chroots: tuple[ChrootStatus, ...]) -> None:
    host.table.show(chroots, (), SIZES)
    await pilot.pause()


async def test_it_says_which_chroot_is_highlighted_and_when_that_one_changes(host: Host) -> None:
    async with host.run_test() as pilot:
        await shown(host, pilot, CHROOTS)
        assert [m.status for m in host.take(ChrootTable.Highlighted)] == [CHROOTS[0]]
        await pilot.press("j", "j")
        assert host.take(ChrootTable.Highlighted)[-1].status == CHROOTS[2]
        changed = (*CHROOTS[:2], CHROOTS[2].replace(state="partial"), *CHROOTS[3:])
        await shown(host, pilot, changed)
        assert [m.status for m in host.take(ChrootTable.Highlighted)] == [changed[2]]
        await shown(host, pilot, (changed[0].replace(state="on"), *changed[1:]))
        assert not host.take(ChrootTable.Highlighted), "another one changed"
        await shown(host, pilot, ())
        assert [m.status for m in host.take(ChrootTable.Highlighted)] == [None]


@pytest.mark.parametrize(
    ("keys", "name"),
    [
        ("j", "broken"), ("j down k", "broken"), ("down up up", "arm"), ("G", "trixie-build"),
        ("end", "trixie-build"), ("G g", "arm"), ("end home", "arm"), ("G j", "trixie-build"),
        ("pagedown", "trixie-build"), ("G pageup", "arm"),
    ],
)  # fmt: skip
async def test_the_keys_that_move(host: Host, keys: str, name: str) -> None:
    async with host.run_test() as pilot:
        await shown(host, pilot, CHROOTS)
        await pilot.press(*keys.split())
        assert host.at == name


async def test_pages_and_scrolling_keep_the_cursor_in_view(host: Host) -> None:
    async with host.run_test(size=(80, 14)) as pilot:
        await shown(host, pilot, many(100))
        for key in ("pagedown", "pagedown", "G", "pageup", "k", "g"):
            await pilot.press(key)
            assert host.at in screen_text(host)
        await pilot.press("pagedown")
        assert host.at == "c10", "a page less a row"


async def test_cursor_scroll_and_marks_survive_updates(host: Host) -> None:
    async with host.run_test(size=(80, 14)) as pilot:
        chroots = many(100)
        await shown(host, pilot, chroots)
        await pilot.press(*["pagedown"] * 4, "k", "k", "space")
        at, top = host.at, host.table.rows.scroll_offset.y
        assert top
        line = next(i for i, text in enumerate(screen_lines(host)) if at in text)
        without = chroots[5:50] + tuple(one.replace(state="on") for one in chroots[50:])
        await shown(host, pilot, without)
        assert host.at == at
        assert host.marks() == (f"{BASE}/{at}",)
        assert at in screen_lines(host)[line], "five went above it, and it stands where it stood"


async def test_a_chroot_that_vanishes_takes_its_mark_along(host: Host) -> None:
    async with host.run_test() as pilot:
        await shown(host, pilot, CHROOTS)
        await pilot.press("j", "space")
        assert host.marks() == (f"{BASE}/broken",)
        await shown(host, pilot, (CHROOTS[0], *CHROOTS[2:]))
        assert host.marks() == ()
        assert host.at == "deb12", "the one that took its place"
        assert "broken" not in screen_text(host)
        await shown(host, pilot, CHROOTS)
        assert host.marks() == ()
        assert host.at == "deb12"


async def test_what_has_not_changed_is_not_painted(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    painted: list[int] = []
    async with host.run_test() as pilot:
        await shown(host, pilot, CHROOTS)
        rows = host.table.rows
        real = rows.render_line

        def noting(y: int) -> Strip:
            painted.append(y)
            return real(y)

        monkeypatch.setattr(rows, "render_line", noting)
        await shown(host, pilot, CHROOTS)
        await shown(host, pilot, tuple(one.replace() for one in CHROOTS))
        assert painted == []
        await shown(host, pilot, (*CHROOTS[:3], CHROOTS[3].replace(state="off"), *CHROOTS[4:]))
        assert painted == [4], "one row, below the header"
        painted.clear()
        await pilot.press("j")
        assert sorted(painted) == [1, 2], "where the cursor was and where it is"


async def test_a_running_job_stands_where_the_state_was(host: Host) -> None:
    async with host.run_test() as pilot:
        host.table.show(CHROOTS, JOBS, SIZES)
        await pilot.pause()
        text = screen_text(host)
        assert "switching on… jammy" in text
        assert "creating 42 %" in text
        assert "partial !" in text, "its last job failed, and nobody has dismissed it"
        over = tuple(job for job in JOBS if job.state not in (RUNNING, FAILED))
        host.table.show(CHROOTS, over, SIZES)
        await pilot.pause()
        assert "switching" not in screen_text(host)
        assert "!" not in screen_text(host)


async def test_marks(host: Host) -> None:
    async with host.run_test() as pilot:
        await shown(host, pilot, CHROOTS)
        await pilot.press("G", "space", "g", "space")
        assert host.marks() == (f"{BASE}/arm", f"{BASE}/trixie-build"), "as they are listed"
        assert "✓ 2 marked" in screen_text(host)
        await pilot.press("space")
        assert host.marks() == (f"{BASE}/trixie-build",)
        await pilot.press("escape")
        assert host.marks() == ()
        assert host.escapes == 0
        await pilot.press("escape")
        assert host.escapes == 1, "there is nothing to clear: it goes to others"


@pytest.mark.slow
async def test_the_filter_works_while_it_is_typed_and_enter_keeps_it(host: Host) -> None:
    async with host.run_test() as pilot:
        await shown(host, pilot, CHROOTS)
        await pilot.press("slash", *"debian")
        assert host.order == ["arm", "deb12", "trixie-build"]
        await pilot.press("space", *"on")
        assert host.order == ["deb12"], "the state, too; the space is the filter's"
        assert host.marks() == ()
        await pilot.press("enter")
        assert host.table.rows.has_focus
        assert "Chroots 1 of 7  /debian on" in screen_text(host)
        assert [m.text for m in host.take(ChrootTable.FilterChanged)][-1] == "debian on"
        await pilot.press("slash", "backspace", "backspace", "backspace", "escape")
        assert host.order == sorted(NAMES)
        assert host.table.filter_text == ""
        assert host.table.rows.has_focus


async def test_the_title_counts_the_states_but_for_off_and_not_while_filtered(host: Host) -> None:
    async with host.run_test() as pilot:
        await shown(host, pilot, CHROOTS)
        title = screen_text(host).splitlines()[0].strip().split("  ")
        assert title[0] == f"Chroots {len(CHROOTS)}"
        counts = Counter(one.state for one in CHROOTS)
        assert counts.pop("off")
        assert sorted(part[2:].rstrip() for part in title[1:] if part) == sorted(
            f"{count} {state}" for state, count in counts.items()
        )
        await pilot.press("slash", *"debian", "enter")
        assert "on" not in screen_text(host).splitlines()[0].split()


async def test_escape_clears_the_filter_before_the_marks(host: Host) -> None:
    async with host.run_test() as pilot:
        await shown(host, pilot, CHROOTS)
        await pilot.press("space", "slash", *"trix", "enter")
        assert host.marks() == (f"{BASE}/arm",), "though it is not seen now"
        await pilot.press("escape")
        assert (host.order, host.marks()) == (sorted(NAMES), (f"{BASE}/arm",))
        await pilot.press("escape")
        assert host.marks() == ()


async def test_a_filter_holds_for_what_comes_later(host: Host) -> None:
    async with host.run_test() as pilot:
        await shown(host, pilot, CHROOTS[:3])
        host.table.set_filter("deb12")
        await shown(host, pilot, (*CHROOTS, ChrootStatus("deb123", f"{BASE}/deb123", "off")))
        assert host.order == ["deb12", "deb123"]


async def test_clicking_elsewhere_keeps_the_filter(host: Host) -> None:
    async with host.run_test() as pilot:
        await shown(host, pilot, CHROOTS)
        await pilot.press("slash", *"arm")
        await pilot.click(host.table.rows, offset=(10, 1))
        assert host.order == ["arm"]
        assert "/arm" in screen_lines(host)[0]
        assert host.table.rows.has_focus


async def test_an_empty_table_says_why(host: Host) -> None:
    async with host.run_test() as pilot:
        host.table.empty_hint = (f"no chroot under {BASE} yet", "press n to make one")
        await shown(host, pilot, ())
        assert f"no chroot under {BASE} yet" in screen_text(host)
        assert "press n to make one" in screen_text(host)
        await shown(host, pilot, CHROOTS)
        host.table.set_filter("nosuch")
        await pilot.pause()
        assert "nothing matches nosuch" in screen_text(host)
        await pilot.press("j", "space", "enter", "less_than_sign", "G")
        assert host.table.highlighted is None
        assert not host.take(ChrootTable.Activated)


async def test_sorting_by_keys_goes_through_the_columns_that_are_seen(host: Host) -> None:
    async with host.run_test(size=(80, 24)) as pilot:
        await shown(host, pilot, CHROOTS)
        assert "Name▲" in screen_text(host)
        await pilot.press("greater_than_sign")
        assert "System▲" in screen_text(host)
        await pilot.press(*["greater_than_sign"] * 3)
        assert "▼CPU %" in screen_text(host), "the busiest first"
        assert host.order[0] == "deb12"
        await pilot.press("equals_sign")
        assert host.order[-1] == "deb12"
        await pilot.press("greater_than_sign", "greater_than_sign")
        assert "State▲" in screen_text(host), "after the last comes the first"
        assert host.order[0] == "deb12"
        await pilot.press("less_than_sign")
        assert "▼Memory" in screen_text(host)


@pytest.mark.parametrize("width", [16, 24, 33, 48, 71, 80, 120])
async def test_the_sort_mark_stands_at_its_title_and_at_no_other(host: Host, width: int) -> None:
    async with host.run_test(size=(width, 10)) as pilot:
        await shown(host, pilot, CHROOTS)
        titles = {placed.column.title for placed in host.table.rows._layout.placed}
        marked = set()
        for _ in titles:
            await pilot.press("greater_than_sign")
            line = f" {screen_lines(host)[1]} "
            marked |= {
                title for title in titles if re.search(f" (▲|▼){title} | {title}(▲|▼) ", line)
            }
        assert marked == titles


async def test_the_cursor_stays_on_its_chroot_when_the_order_changes(host: Host) -> None:
    async with host.run_test(size=(80, 14)) as pilot:
        await shown(host, pilot, many(50))
        await pilot.press("j", "j")
        await pilot.press("equals_sign")
        assert host.at == "c2"
        assert host.order[-3] == "c2"
        assert "c2 " in screen_text(host)


async def test_the_mouse_sorts_marks_moves_and_chooses(host: Host) -> None:
    async with host.run_test(size=(80, 24)) as pilot:
        await shown(host, pilot, CHROOTS)
        rows = host.table.rows
        header = screen_lines(host)[1]
        await pilot.click(rows, offset=(header.index("CPU"), 0))
        assert host.order[0] == "deb12"
        await pilot.click(rows, offset=(header.index("Name"), 0))
        await pilot.click(rows, offset=(header.index("Name"), 0))
        assert host.order == sorted(NAMES, reverse=True)
        await pilot.click(rows, offset=(20, 3))
        assert host.at == "jammy"
        await pilot.click(rows, offset=(0, 5))
        assert host.marks() == (f"{BASE}/deb12",)
        assert not host.take(ChrootTable.Activated)
        await pilot.double_click(rows, offset=(20, 3))
        assert [m.status.name for m in host.take(ChrootTable.Activated)] == ["jammy"]
        await pilot.click(rows, offset=(20, 15))
        assert host.at == "jammy", "there is no row"


async def test_enter_activates(host: Host) -> None:
    async with host.run_test() as pilot:
        await shown(host, pilot, CHROOTS)
        await pilot.press("j", "enter")
        assert [m.status for m in host.take(ChrootTable.Activated)] == [CHROOTS[1]]


@pytest.mark.parametrize(
    ("width", "last"), [(250, "Changed"), (110, "Changed"), (80, "Memory"), (45, "Mounts")]
)
async def test_columns_go_with_the_width(host: Host, width: int, last: str) -> None:
    async with host.run_test(size=(width, 24)) as pilot:
        await shown(host, pilot, CHROOTS)
        assert screen_lines(host)[1].split()[-1] == last


async def test_resizing_keeps_the_cursor_in_view_and_nothing_clipped(host: Host) -> None:
    async with host.run_test(size=(120, 40)) as pilot:
        await shown(host, pilot, many(200))
        await pilot.press("G")
        for size in ((80, 24), (40, 8), (250, 70), (20, 5)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            assert host.at in screen_text(host)
            assert all(len(line) == size[0] for line in screen_lines(host))


async def test_columns_can_be_chosen_and_ordered() -> None:
    host = Host(columns=("name", "size", "state"))
    async with host.run_test() as pilot:
        await shown(host, pilot, CHROOTS)
        assert screen_lines(host)[1].split() == ["Name▲", "Disk", "State"]
        host.table.set_columns(("state", "changed"))
        await pilot.pause()
        assert screen_lines(host)[1].split() == ["State", "Changed"]
        assert "70d" not in screen_text(host)
        assert "2mo" in screen_text(host)


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["textual-light", "ansi-dark"])
async def test_hostile_text_is_shown_and_does_nothing(host: Host, theme: str) -> None:
    async with host.run_test(size=(100, 20)) as pilot:
        host.theme = theme
        for text in HOSTILE:
            host.table.show((), ())
            host.table.empty_hint = (text, text)
            await pilot.pause()
            assert stray_controls(host) == []
            job = JobStatus(1, text, text, f"{BASE}/{text}", stage=text)
            for jobs in (), (job,):
                host.table.show((hostile_chroot(text),), jobs)
                host.table.set_filter(text)
                await pilot.pause()
                assert stray_controls(host) == []
            for y in range(4):
                await pilot.click(host.table, offset=(20, y))
            assert host.is_running


FARM = tuple(
    Machine(name, answers=name != "b3", problem=Problem("refused") if name == "b3" else None)
    for name in ("b1", "b2", "b3", "b10")
)


def farmed() -> tuple[ChrootStatus, ...]:
    return tuple(
        ChrootStatus(name, f"{host}:/srv/{name}" if host else f"/srv/{name}", state, host=host)
        for host, name, state in (
            ("b10", "deb", "off"), ("", "here", "off"), ("b2", "sid", "on"), ("b2", "deb", "off"),
        )
    )  # fmt: skip


async def test_of_many_machines_it_is_a_tree(host: Host) -> None:
    """Folded, counted, with how each answers; sorting and filter go on as they were."""
    async with host.run_test(size=(100, 20)) as pilot:
        host.table.show(farmed(), (), SIZES, machines=FARM[:3])
        await pilot.pause()
        assert len(host.order) == 4, "few are a list"
        host.table.show(farmed(), (), SIZES, machines=FARM)
        await pilot.pause()
        assert host.order == ["\0", "here", "\0b1", "\0b2", "deb", "sid", "\0b3", "\0b10", "deb"]
        text = screen_text(host)
        assert "✗ lost" in text
        assert "2 chroots" in text
        host.table.rows.sort_by("state")
        assert host.order[3:6] == ["\0b2", "sid", "deb"]
        host.table.rows.sort_by("state")
        assert host.order[3:6] == ["\0b2", "deb", "sid"]
        await pilot.press("g", "j", "j", "j")
        assert (host.at, host.table.machine) == ("", "b2")
        await pilot.press("enter")
        assert host.order[3:5] == ["\0b2", "\0b3"]
        assert "▸ b2" in screen_text(host)
        await pilot.press("space")
        assert host.marks() == ("b2:/srv/sid", "b2:/srv/deb")
        await pilot.press("space")
        assert host.marks() == ()
        host.table.set_filter("deb")
        await pilot.pause()
        assert set(host.table.rows.keys) == {"b2:/srv/deb", "b10:/srv/deb"}
        host.table.set_filter("")
        assert host.table.move_to("b2:/srv/deb")
        assert host.at == "deb"
        await pilot.pause()
        assert host.order[3:6] == ["\0b2", "deb", "sid"]
        host.table.show(farmed(), (), SIZES, machines=FARM[:2])
        await pilot.pause()
        assert len(host.order) == 4
        assert host.at == "deb"


async def test_all_below_a_head_are_marked_at_once(host: Host) -> None:
    async with host.run_test() as pilot:
        await shown(host, pilot, tuple(one.replace(tags=("web",)) for one in many(30)))
        await pilot.press("g", "space")
        await pilot.pause()
        assert len(host.marks()) == 30
        await pilot.press("space")
        await pilot.pause()
        assert host.marks() == ()


async def test_the_cursor_begins_at_a_chroot_when_the_first_comes(host: Host) -> None:
    """Not at the head of a machine, which may be there before; then it stays where it is."""
    async with host.run_test(size=(100, 20)) as pilot:
        host.table.show((), machines=FARM)
        await pilot.pause()
        assert (host.at, host.table.machine) == ("", "b1")
        host.table.show(farmed(), machines=FARM)
        assert host.at == "here"
        await pilot.press("k")
        host.table.show(farmed()[:-1], machines=FARM)
        assert host.at == ""
