"""A chroot as a row: its cells, what it is sorted and filtered by."""

from __future__ import annotations

import pytest

from chroot_tool.widgets.tables.chroot_columns import (
    ChrootRow,
    natural,
    short_system,
)
from support.samples import DEB12, TRIXIE


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


def test_names_are_sorted_as_people_count() -> None:
    names = ["²", "deb10", "Deb2", "deb1", "deb", "7up"]
    assert sorted(names, key=natural) == ["7up", "deb", "deb1", "Deb2", "deb10", "²"]


def test_a_filter_looks_for_every_word_in_name_system_and_state() -> None:
    row = ChrootRow(DEB12)
    assert row.matches(("deb12",))
    assert row.matches(("bookworm", "on"))
    assert not row.matches(("deb12", "trixie"))
    assert ChrootRow(TRIXIE).matches(("partial",))
    assert ChrootRow(DEB12.replace(name="a\x1bb")).matches(("\\e",)), "as it is shown"
