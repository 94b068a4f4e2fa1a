"""What a pattern says of a name."""

from __future__ import annotations

import pytest

from chroot_tool.widgets.text.name_pattern import name_matcher

NAMES = ("deb12", "deb13-build", "Trixie-Build", "jammy", "a*b", "[x]")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("deb", ("deb12", "deb13-build")),
        ("BUILD", ("deb13-build", "Trixie-Build")),
        ("deb*", ("deb12", "deb13-build")),
        ("*build", ("deb13-build", "Trixie-Build")),
        ("deb1?", ("deb12",)),
        ("deb1[23]*", ("deb12", "deb13-build")),
        ("[!dt]*", ("jammy", "a*b", "[x]")),
        ("jam deb12", ("deb12", "jammy")),
        ("jam deb1?", ("deb12", "jammy")),
        ("", ()),
        ("  ", ()),
        ("nothing", ()),
        ("[", ()),
        ("*", NAMES),
    ],
)
def test_which_names_are_meant(text: str, meant: tuple[str, ...]) -> None:
    matches = name_matcher(text)
    assert tuple(name for name in NAMES if matches(name)) == meant
