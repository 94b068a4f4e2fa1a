"""What the panes are made of, without a widget: fitting text, sharing width, words for states."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from chroot_tool.core.kernel.rootpath import Root
from chroot_tool.core.looking.architecture import architecture
from chroot_tool.widgets.binds import table as bind_table
from chroot_tool.widgets.dialogs import stop_processes
from chroot_tool.widgets.job_status import JobStatus
from chroot_tool.widgets.panes import jobs_pane
from chroot_tool.widgets.tables import mounts_table, processes_table
from chroot_tool.widgets.tables.chroot_columns import (
    COLUMNS,
    ChrootRow,
    columns,
    natural,
    short_system,
)
from chroot_tool.widgets.tables.columns import Column, place
from chroot_tool.widgets.text.amounts import age, cpu, percent
from chroot_tool.widgets.text.fitting import brief, fit, shorten, wrap
from chroot_tool.widgets.text.states import doing
from ui_samples import CHROOTS, DEB12, TRIXIE, clock
from uisupport import HOSTILE

FOREIGN = st.one_of(st.sampled_from(HOSTILE), st.text(), st.text(alphabet="a b字é👩‍🇩🇪\u0301"))
NOT_SHOWN = [*range(0x20), *range(0x7F, 0xA0), *range(0xD800, 0xE000), 0x200B, 0x202E]


TABLES = (
    columns(COLUMNS, clock),
    mounts_table.COLUMNS,
    processes_table._columns(clock),
    jobs_pane._columns(clock),
    stop_processes.COLUMNS,
    bind_table.COLUMNS,
)


@pytest.mark.parametrize("table", TABLES)
def test_every_title_leaves_room_for_the_sort_mark(table: tuple[Column[Any], ...]) -> None:
    assert [one.title for one in table if 0 < one.width <= len(one.title)] == []


@given(FOREIGN, st.integers(0, 40), st.booleans())
def test_a_cell_is_exactly_as_wide_as_its_column(text: str, width: int, right: bool) -> None:
    cell = fit(text, width, right=right)
    assert cell_len(cell) == width
    assert not {ord(c) for c in cell} & set(NOT_SHOWN)


@given(FOREIGN, st.integers(1, 40))
def test_a_shortened_text_is_no_wider_than_allowed(text: str, width: int) -> None:
    assert cell_len(shorten(text, width)) <= width


@given(FOREIGN, st.integers(2, 40))
@example("000000 \u0300", 2)
def test_wrapped_lines_lose_nothing_and_fit(text: str, width: int) -> None:
    lines = wrap(text, width)
    assert lines
    assert all(cell_len(line) <= width for line in lines)
    whole = "".join(wrap(text, 10_000))
    assert "".join(lines).replace(" ", "") == whole.replace(" ", "")


@given(FOREIGN, st.integers(3, 40))
def test_what_is_brief_has_no_long_word(text: str, word: int) -> None:
    said = brief(text, word, 100)
    assert cell_len(said) <= 100
    assert all(cell_len(one) <= word for one in said.split(" "))


def test_a_path_is_shortened_where_it_says_least() -> None:
    assert shorten("/srv/chroot/very/long/way/deb12", 15) == "/srv/ch…y/deb12"
    assert shorten("/srv/chroot", 15) == "/srv/chroot"


def test_words_are_kept_whole_where_they_can_be() -> None:
    assert wrap("no space left on device", 10) == ["no space", "left on", "device"]
    assert wrap("abcdefgh", 3) == ["abc", "def", "gh"]


def fixed(name: str, width: int, rank: int, **more: object) -> Column[str]:
    return Column(name, name, lambda row, _: (row, ""), lambda row: row, width, rank=rank, **more)  # type: ignore[arg-type]


def test_the_least_important_column_is_left_out_first() -> None:
    every = (fixed("a", 5, 2), fixed("b", 5, 0), fixed("c", 5, 1))
    assert [one.column.id for one in place(every, {}, 0, 17)] == ["a", "b", "c"]
    assert [one.column.id for one in place(every, {}, 0, 16)] == ["b", "c"]
    assert [one.column.id for one in place(every, {}, 0, 10)] == ["b"]


def test_growing_columns_take_what_they_need_by_importance() -> None:
    every = (fixed("a", 4, 1, most=20), fixed("b", 4, 0, most=6), fixed("c", 3, 2, fills=True))
    placed = {
        one.column.id: (one.start, one.width) for one in place(every, {"a": 9, "b": 30}, 1, 30)
    }
    assert placed["b"] == (12, 6)
    assert placed["a"] == (1, 9)
    assert placed["c"] == (20, 10), "what is left, up to the edge"


def test_a_spare_column_waits_until_the_others_have_what_they_need() -> None:
    every = (fixed("a", 4, 0, most=20), fixed("b", 4, 1, spare=True))
    assert len(place(every, {"a": 10}, 0, 14)) == 1
    assert len(place(every, {"a": 10}, 0, 15)) == 2


@given(st.integers(0, 260), st.integers(0, 60), st.integers(0, 60))
def test_columns_never_overlap_or_stand_over_the_edge(width: int, name: int, system: int) -> None:
    placed = place(columns(COLUMNS, clock), {"name": name, "system": system}, 2, width)
    ends = [one.start + one.width for one in placed]
    assert all(end < one.start for end, one in zip(ends, placed[1:], strict=False))
    assert len(placed) == 1 or ends[-1] <= width


def test_eighty_columns_show_the_seven_that_matter_unclipped() -> None:
    every = columns(COLUMNS, clock)
    rows = [ChrootRow(one) for one in CHROOTS]
    needs = {c.id: max(c.needs(row) for row in rows) for c in every if c.most}
    placed = place(every, needs, 2, 79)
    assert [one.column.id for one in placed] == list(COLUMNS[:7])
    for row in rows:
        for one in placed:
            assert cell_len(one.column.cell(row, one.width)[0]) <= one.width


@pytest.mark.parametrize(
    ("name", "width", "short"),
    [
        ("Debian GNU/Linux 12 (bookworm)", 20, "Debian 12 (bookworm)"),
        ("Debian GNU/Linux 12 (bookworm)", 12, "Debian 12"),
        ("Debian GNU/Linux forky/sid", 20, "Debian forky/sid"),
        ("Ubuntu 24.04.1 LTS", 20, "Ubuntu 24.04.1 LTS"),
        ("Ubuntu 24.04.1 LTS", 12, "Ubuntu 24.04"),
        ("Arch Linux", 20, "Arch"),
        ("", 12, ""),
    ],
)
def test_the_name_of_a_system_is_shortened_by_words(name: str, width: int, short: str) -> None:
    assert short_system(name, width) == short


@pytest.mark.parametrize(
    ("seconds", "word"),
    [(-5, "now"), (59, "now"), (60, "1m"), (3599, "59m"), (86400, "1d"), (2629800 * 11, "11mo"),
     (31557600 * 30, "30y")],
)  # fmt: skip
def test_ages_have_one_unit(seconds: float, word: str) -> None:
    assert age(seconds) == word


@pytest.mark.parametrize(
    ("share", "text"), [(0.0, "-"), (0.3, "0.3"), (99.9, "99.9"), (99.96, "100"), (1234.5, "1234")]
)
def test_a_share_of_the_cpu_fits_its_column(share: float, text: str) -> None:
    assert cpu(share) == text


@pytest.mark.parametrize(
    ("job", "text"),
    [
        (JobStatus(1, "create", "x", "/x", fraction=0.426), "creating 42 %"),
        (JobStatus(1, "on", "x", "/x"), "switching on…"),
        (JobStatus(1, "off", "x", "/x"), "switching off"),
        (JobStatus(1, "off", "x", "/x", fraction=1.0), "100 %…"),
    ],
)
def test_what_a_job_does_fits_the_state_column(job: JobStatus, text: str) -> None:
    assert doing(job, 13) == text


def test_percent_stays_within_bounds() -> None:
    assert [percent(x) for x in (-1.0, 0.999, 7.0)] == ["0 %", "99 %", "100 %"]


def test_names_are_sorted_as_people_count() -> None:
    names = ["²", "deb10", "Deb2", "deb1", "deb", "7up"]
    assert sorted(names, key=natural) == ["7up", "deb", "deb1", "Deb2", "deb10", "²"]


def test_what_has_no_bounds_is_cut_before_it_costs_anything() -> None:
    flood = "\x1b字" * 1_000_000
    assert cell_len(fit(flood, 20)) == 20
    assert cell_len(shorten(flood, 20)) <= 20
    assert len("".join(wrap(flood, 20))) < 20_000
    assert natural("9" * 10_000) < natural("9" * 10_001)


def test_a_filter_looks_for_every_word_in_name_system_and_state() -> None:
    row = ChrootRow(DEB12)
    assert row.matches(("deb12",))
    assert row.matches(("bookworm", "on"))
    assert not row.matches(("deb12", "trixie"))
    assert ChrootRow(TRIXIE).matches(("partial",))
    assert ChrootRow(DEB12.replace(name="a\x1bb")).matches(("\\e",)), "as it is shown"


ELF = b"\x7fELF"


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (ELF + b"\x02\x01" + b"\0" * 12 + b"\x3e\0", "amd64"),
        (ELF + b"\x01\x01" + b"\0" * 12 + b"\x3e\0", "x32"),
        (ELF + b"\x02\x01" + b"\0" * 12 + b"\xb7\0", "arm64"),
        (ELF + b"\x02\x02" + b"\0" * 12 + b"\0\x16", "s390x"),
        (ELF + b"\x02\x01" + b"\0" * 12 + b"\xff\xff", ""),
        (ELF, ""),
        (b"#!/bin/busybox sh\n...", ""),
    ],
)
def test_the_architecture_is_what_the_shell_is_built_for(
    tmp_path: Path, head: bytes, name: str
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/sh").write_bytes(head)
    with Root(str(tmp_path)) as root:
        assert architecture(root) == name


def test_the_architecture_of_a_link_is_looked_up_inside(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/sh").symlink_to("/usr/bin/true")  # there on the host, not in here
    with Root(str(tmp_path)) as root:
        assert architecture(root) == ""
