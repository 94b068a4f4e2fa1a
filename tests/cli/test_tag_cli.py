"""`tag` on the command line."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from chroot_tool.core.errors import ChangedError
from chroot_tool.core.local_engine import LocalEngine
from support import Cli


@pytest.mark.root
def test_tags_are_listed_added_taken_away_and_set(cli: Cli, tiny_chroot: Path) -> None:
    def tags() -> list[str]:
        return cli.ok("tag", "list", "-d", tiny_chroot).split()

    assert tags() == []
    assert "build web" in cli("tag", "add", "build", "web", "-d", tiny_chroot).stderr
    assert "as before" in cli("tag", "add", "web", "-d", tiny_chroot).stderr
    assert tags() == ["build", "web"]
    assert "tiny" in cli.ok("list", "--tag", "web", "--base", tiny_chroot.parent)
    cli.ok("tag", "remove", "build", "none", "-d", tiny_chroot)
    assert tags() == ["web"]
    cli.ok("tag", "set", "a", "b", "-d", tiny_chroot)
    assert tags() == ["a", "b"]
    assert "c a b" in cli("tag", "set", "-d", tiny_chroot, "c", "a", "b").stderr
    assert tags() == ["c", "a", "b"]
    assert "no tags" in cli("tag", "set", "-d", tiny_chroot).stderr
    assert tags() == []


@pytest.mark.root
def test_json_says_the_tags_and_whether_they_were_others(cli: Cli, tiny_chroot: Path) -> None:
    def said(*words: str) -> object:
        return cli.json("tag", *words, "-d", tiny_chroot)

    path = str(tiny_chroot)
    assert said("list") == []
    assert said("add", "b", "a") == {"chroot": path, "tags": ["b", "a"], "changed": True}
    assert said("set", "b", "a") == {"chroot": path, "tags": ["b", "a"], "changed": False}
    assert said("remove", "b") == {"chroot": path, "tags": ["a"], "changed": True}
    assert said("list") == ["a"]


@pytest.mark.root
def test_of_two_who_add_at_once_neither_is_lost(cli: Cli, tiny_chroot: Path) -> None:
    words = [f"t{number}" for number in range(6)]
    with ThreadPoolExecutor() as pool:
        done = list(pool.map(lambda word: cli("tag", "add", word, "-d", tiny_chroot), words))
    there = set(cli.ok("tag", "list", "-d", tiny_chroot).split())
    assert there == {word for word, one in zip(words, done, strict=True) if not one.returncode}
    assert there


@pytest.mark.root
def test_what_was_changed_meanwhile_is_not_overwritten(tiny_chroot: Path) -> None:
    engine = LocalEngine(str(tiny_chroot.parent))
    engine.set_tags(str(tiny_chroot), ("a",), seen=())
    with pytest.raises(ChangedError, match="changed meanwhile"):
        engine.set_tags(str(tiny_chroot), ("b",), seen=())
    assert engine.config(str(tiny_chroot)).tags == ("a",)


@pytest.mark.root
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("list", "x"), "takes no tag"), (("add",), "needs a tag"), (("remove",), "needs a tag"),
        (("add", "a b"), "can be no tag"), (("set", "-x"), "unknown: -x"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_said(
    cli: Cli, tiny_chroot: Path, words: tuple[str, ...], said: str
) -> None:
    done = cli("tag", *words, "-d", tiny_chroot)
    assert done.returncode == 2
    assert said in done.stderr
