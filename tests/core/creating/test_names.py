"""What a chroot may be called, and what that makes of its host name."""

from __future__ import annotations

import pytest

from chroot_tool.core.creating import names
from chroot_tool.core.errors import UsageError


@pytest.mark.parametrize("name", ["deb12", "a", "web_1.example", "x+y", "9"])
def test_names_that_are_taken(name: str) -> None:
    names.check_name(name)


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "a b", "-a", ".a", "a\n", "é", "a\udcff", "x" * 101, "$(id)"]
)
def test_names_that_are_not(name: str) -> None:
    with pytest.raises(UsageError):
        names.check_name(name)


@pytest.mark.parametrize(
    ("name", "host"),
    [("deb12", "deb12"), ("Web_1.x", "web-1-x"), ("größe", "gr--e"), ("-._", "chroot"),
     ("a" * 62 + "-b", "a" * 62)],
)  # fmt: skip
def test_host_names(name: str, host: str) -> None:
    assert names.host_name(name) == host
