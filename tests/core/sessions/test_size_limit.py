"""How much a session may write."""

from __future__ import annotations

import os

import pytest

from chroot_tool.core.errors import UsageError
from chroot_tool.core.sessions.size_limit import room

MEMORY = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


@pytest.mark.parametrize(
    ("size", "count"),
    [
        ("1", 1),
        ("4096", 4096),
        ("3k", 3 << 10),
        ("24M", 24 << 20),
        ("2G", 2 << 30),
        ("1t", 1 << 40),
    ],
)
def test_a_size(size: str, count: int) -> None:
    assert room(size) == count


def test_a_share_of_the_memory() -> None:
    assert abs(room("25%") - MEMORY // 4) < MEMORY // 50
    assert abs(room("100%") - room("25%") * 4) < 8


def test_the_default_is_less_than_half() -> None:
    assert 0 < room("") <= room("50%")


@pytest.mark.parametrize("size", ["101%", "300%"])
def test_more_than_there_is(size: str) -> None:
    with pytest.raises(UsageError, match="more than all the memory"):
        room(size)


@pytest.mark.parametrize(
    "size",
    ["0", "0M", "%", "M", "-1", "1.5G", "4Q", "1 G", "G4", "٤", "0%", "9" * 30, "9999999999T", " "],
)
def test_no_size(size: str) -> None:
    with pytest.raises(UsageError, match="is no size"):
        room(size)
