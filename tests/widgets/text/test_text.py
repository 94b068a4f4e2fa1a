"""Foreign text fitted to a width, amounts, and the words for what a job does."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from chroot_tool.widgets.job_status import JobStatus
from chroot_tool.widgets.tables.chroot_columns import (
    natural,
)
from chroot_tool.widgets.text.amounts import age, cpu, percent
from chroot_tool.widgets.text.fitting import brief, fit, shorten, wrap
from chroot_tool.widgets.text.states import doing
from support.screen import HOSTILE

FOREIGN = st.one_of(st.sampled_from(HOSTILE), st.text(), st.text(alphabet="a b字é👩‍🇩🇪\u0301"))
NOT_SHOWN = [*range(0x20), *range(0x7F, 0xA0), *range(0xD800, 0xE000), 0x200B, 0x202E]


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


def test_what_has_no_bounds_is_cut_before_it_costs_anything() -> None:
    flood = "\x1b字" * 1_000_000
    assert cell_len(fit(flood, 20)) == 20
    assert cell_len(shorten(flood, 20)) <= 20
    assert len("".join(wrap(flood, 20))) < 20_000
    assert natural("9" * 10_000) < natural("9" * 10_001)
