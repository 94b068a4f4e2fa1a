"""Tags set in chroot.toml: nothing else of it changes, whatever it says."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as some

from chroot_tool.core.config import chroot_toml
from chroot_tool.core.config.edits import Files, tagged
from chroot_tool.core.errors import ConfigError, UsageError
from chroot_tool.core.local_engine import LocalEngine

TEXTS = (
    "",
    "# mine\n",
    "#:schema x.json\n",
    "#:schema x.json",
    'description = "x"   # why',
    'description = "x"   # why\n\n# about it\n[run]\nuser = "a"\n',
    '# head\n[[bind]]\ntarget = "/t"\n',
    'tags = ["a"]  # these\n[[bind]]\ntarget = "/t"\n',
    'run.user = "x"\r\ntags = [ # first\r\n  "a",\r\n  "b" ]\r\n\r\n[system]\r\ndev = "host"\r\n',
    'tags = [\n    # the arch\n    "amd64",  # mine\n    "a"  # last\n    , "build" # odd\n]\n',
    'tags = [\n  "a",\n  "build",\n  "x.y",\n]  # of all\ndescription = "x"\n',
    'tags = [ "a", "a", "build" # two\n  # and the end\n]\n',
    'tags = ["a",\n"build", "amd64" ]\n',
    'bind = [\n  { target = "/t" },\n  { target = "/u", options = ["ro"] },\n]\n',
    'description = """\n[run]\ntags = ["no"]\n"""\n[run]\ncwd = "/"\n',
)
WORDS = some.lists(some.sampled_from(["a", "build", "amd64", "x.y", "a-b_c+d"]), max_size=4)


@given(some.sampled_from(TEXTS), WORDS, WORDS)
@example(TEXTS[9], ["a"], ["a", "build"])
def test_only_the_tags_change(text: str, first: list[str], then: list[str]) -> None:
    data = text.encode()
    for words in (first, then):
        wanted = list(dict.fromkeys(words))
        data = chroot_toml.tag(data, wanted)
        said = tomllib.loads(data.decode())
        assert said.pop("tags", []) == wanted
        before = tomllib.loads(text)
        before.pop("tags", None)
        assert said == before
        comments = [line.partition("#")[2] for line in text.splitlines() if "#" in line]
        assert all(one.rstrip() in data.decode() for one in comments)
        problems: list[object] = []
        assert list(chroot_toml.parse(data, "x", problems).tags) == wanted  # type: ignore[arg-type]
        assert problems == []


def test_what_says_so_already_is_the_same_bytes() -> None:
    data = b'tags = [ "a" , "b" ]  # so\n'
    assert chroot_toml.tag(data, ["a", "b"]) == data


def test_it_stands_behind_the_description_and_goes_without_a_trace() -> None:
    data = b'#:schema x\ndescription = "x"\n\n[run]\nuser = "a"\n'
    with_tags = chroot_toml.tag(data, ["a"])
    assert with_tags == b'#:schema x\ndescription = "x"\ntags = ["a"]\n\n[run]\nuser = "a"\n'
    assert chroot_toml.tag(with_tags, []) == data


_LINES = """\
# above
tags = [  # of the machine
    # its kind
    "build",  # who builds
    "web",    # who serves
    "db"      # who keeps
    # and no more
]  # after
"""


@pytest.mark.parametrize(
    ("tags", "change"),
    [
        (
            ["build", "web", "db", "x"],
            {'    "db"      # who keeps': '    "db",      # who keeps\n    "x"'},
        ),
        (["new", "build", "web", "db"], {"of the machine\n": 'of the machine\n    "new",\n'}),
        (["build", "mid", "web", "db"], {"who builds\n": 'who builds\n    "mid",\n'}),
        (["build", "db"], {'    "web",    # who serves': "    # who serves"}),
        (["web", "db", "build"],
         {'    "build",  # who builds': "    # who builds",
          '    "db"      # who keeps': '    "db",      # who keeps\n    "build"'}),
        ([], {'    "build",  #': "    #", '    "web",    #': "    #", '    "db"      #': "    #"}),
    ],
)  # fmt: skip
def test_comments_stay_where_they_are(tags: list[str], change: dict[str, str]) -> None:
    wanted = _LINES
    for old, new in change.items():
        assert old in wanted
        wanted = wanted.replace(old, new)
    assert chroot_toml.tag(_LINES.encode(), tags).decode() == wanted


@pytest.mark.parametrize(
    ("before", "tags", "after"),
    [
        ('tags = ["a", "b"]\n', ["b", "a"], 'tags = ["b", "a"]\n'),
        ('tags = ["a", "b"]\n', ["a"], 'tags = ["a"]\n'),
        ('tags = ["a", "b"]\n', ["b"], 'tags = ["b"]\n'),
        ('tags = ["a", "b"]\n', ["x", "y"], 'tags = ["x", "y"]\n'),
        ("tags = []\n", ["x", "y"], 'tags = ["x", "y"]\n'),
        ('tags = ["a"]  # why\n', [], "tags = []  # why\n"),
        ('tags = [\n  "a",\n  "b",\n]\n', ["a", "c", "d"], 'tags = [\n  "a",\n  "c",\n  "d",\n]\n'),
        ('tags = [\n  "a",\n  "b",\n]\n', ["b"], 'tags = [\n  "b",\n]\n'),
    ],
)  # fmt: skip
def test_it_is_written_as_it_was(before: str, tags: list[str], after: str) -> None:
    assert chroot_toml.tag(before.encode(), tags).decode() == after


@pytest.mark.parametrize("word", ["", "-a", "a b", "ä", "a" * 33, "a\n", 'a"'])
def test_what_can_be_no_tag_is_refused(word: str) -> None:
    with pytest.raises(UsageError, match="can be no tag"):
        chroot_toml.tag(b"", [word])


def test_a_file_with_errors_is_left_alone() -> None:
    with pytest.raises(ConfigError):
        tagged(Files(chroot_toml=b"nonsense = 1\n"), ["a"])
    assert tagged(Files(), []) == Files()
    assert tagged(Files(), ["a", "a"]).chroot_toml is not None


def test_of_a_chroot(tiny_chroot: Path) -> None:
    engine = LocalEngine(str(tiny_chroot.parent))
    assert engine.set_tags(str(tiny_chroot), ("a", "b"))
    assert not engine.set_tags(str(tiny_chroot), ("a", "b"))
    assert engine.config(str(tiny_chroot)).tags == ("a", "b")
    assert engine.set_tags(str(tiny_chroot), ())
    assert engine.config(str(tiny_chroot)).tags == ()
