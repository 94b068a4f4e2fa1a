from __future__ import annotations

from pathlib import Path

import pytest

from chroot_tool.core.diagnosis import bind_entries
from chroot_tool.core.diagnosis.finding import NOTE, OK, PROBLEM, WARNING
from support.doctor import bare_root, of, said, worst


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return bare_root(tmp_path)


def tool_conf(root: Path, *lines: str) -> None:
    (root / "chroot.d/tool.conf").write_text("\n".join(["[bind]", *lines, ""]))


def chroot_toml(root: Path, *lines: str) -> None:
    (root / "chroot.d/chroot.toml").write_text("\n".join([*lines, ""]))


def test_a_configuration_without_mistakes(root: Path) -> None:
    tool_conf(root, "src:/usr tgt:/src")
    assert worst(bind_entries.configuration(of(root))).severity == OK


def test_each_mistake_is_a_problem_with_its_line(root: Path) -> None:
    tool_conf(root, "src:/usr tgt:src", "bogus:1")
    found = said(bind_entries.configuration(of(root)))
    assert [severity for severity, _ in found] == [PROBLEM, PROBLEM]
    assert "tool.conf:2" in found[0][1]
    assert "tool.conf:3" in found[1][1]


def test_a_script_that_is_not_run(root: Path) -> None:
    assert worst(bind_entries.conf_sh(of(root))).severity == OK
    (root / "chroot.d/conf.sh").write_text("echo tgt:/x\n")
    assert worst(bind_entries.conf_sh(of(root))).severity == WARNING


@pytest.mark.parametrize(
    ("lines", "toml", "expected"),
    [
        (["src:/usr tgt:/a", "src:/opt tgt:/b"], [], ""),
        (["src:/usr tgt:/a", "src:/opt tgt:/a"], [], "tool.conf:2 is replaced by tool.conf:3"),
        (["src:/usr tgt:/a", "src:/usr tgt:/a/"], [], "tool.conf:2 says the same as tool.conf:3"),
        (["src:/usr tgt:/a", "tgt:/a ignore:yes"], [], "tool.conf:2 is left out by tool.conf:3"),
        (
            ["src:/usr tgt:/a"],
            ["[[bind]]", 'source = "/opt"', 'target = "/a"'],
            "tool.conf:2 is replaced by chroot.toml:",
        ),
    ],
)
def test_of_two_entries_one_counts(
    root: Path, lines: list[str], toml: list[str], expected: str
) -> None:
    tool_conf(root, *lines)
    if toml:
        chroot_toml(root, *toml)
    found = worst(bind_entries.shadowed(of(root)))
    assert found.severity == (WARNING if expected else OK)
    assert expected in found.found


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("src:/usr tgt:/a", ""),
        ("tgt:/sys ignore:yes", ""),
        ("tgt:/nowhere ignore:yes", "nothing else wants it"),
        ("tgt:/proc", "is mounted like that anyway"),
        ("tgt:/proc opt:nosuid", ""),
    ],
)
def test_entries_that_change_nothing(root: Path, line: str, expected: str) -> None:
    tool_conf(root, line)
    found = worst(bind_entries.no_effect(of(root)))
    assert found.severity == (NOTE if expected else OK)
    assert expected in found.found


def test_an_optional_entry_whose_source_is_not_there(root: Path) -> None:
    lines = ["[[bind]]", 'source = "/media/nowhere"', 'target = "/a"', "optional = true"]
    chroot_toml(root, *lines)
    found = worst(bind_entries.no_effect(of(root)))
    assert (found.severity, "/a is left out now" in found.found) == (NOTE, True)


def test_mistakes_are_told_once(root: Path) -> None:
    tool_conf(root, "bogus:1")
    assert worst(bind_entries.shadowed(of(root))).severity == OK
    assert worst(bind_entries.no_effect(of(root))).severity == OK
