"""tool.conf: the golden vectors, every error, and edits that touch nothing but their record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chroot_tool.core.config import tool_conf
from chroot_tool.core.config.bind import NAME_MAX, TOOL_CONF, Bind
from chroot_tool.core.config.tool_conf_grammar import BLANK, split
from chroot_tool.core.errors import ConfigError, Problem, UsageError

Vector = tuple[str, str, str, tuple[str, ...], str]
"""target, source, type, options, propagation."""

A: Vector = ("/a", "/a", "bind", (), "private")
B: Vector = ("/b", "/b", "bind", (), "private")

GOLDEN: list[tuple[str, list[Vector]]] = [
    ("tgt:/a", [A]),
    ("tgt : /a  src :/s", [("/a", "/s", "bind", (), "private")]),
    ('tgt:"/a b"', [("/a b", "/a b", "bind", (), "private")]),
    ('tgt:/a"x y"z', [("/ax yz", "/ax yz", "bind", (), "private")]),
    ('tgt:"/a:b"', [("/a:b", "/a:b", "bind", (), "private")]),
    ("tgt:/a;tgt:/b", [A, B]),
    (";;tgt:/a;;", [A]),
    ("tgt:/a tgt:/b", [B]),
    ("tgt:/a//b/", [("/a/b", "/a/b", "bind", (), "private")]),
    ("tgt:/a/./b", [("/a/b", "/a/b", "bind", (), "private")]),
    ("tgt:/a src:/", [("/a", "/", "bind", (), "private")]),
    ("tgt:/a fs:tmpfs opt:size=1M", [("/a", "none", "tmpfs", ("size=1M",), "private")]),
    ("tgt:/a fs:bind-ro", [("/a", "/a", "bind", ("ro",), "private")]),
    ("tgt:/a fs:bind-ro opt:nosuid,slave", [("/a", "/a", "bind", ("ro", "nosuid"), "slave")]),
    ("tgt:/a fs:proc src:proc", [("/a", "proc", "proc", (), "private")]),
    ('tgt:/a opt:""', [A]),
    ("tgt:/a opt:,,nosuid,,", [("/a", "/a", "bind", ("nosuid",), "private")]),
    ("# text", []),
    ("  # text", []),
    # not among the golden vectors, the same rules
    ("tgt:/a fs:tmpfs", [("/a", "none", "tmpfs", ("noexec", "nosuid", "nodev"), "private")]),
    ('tgt:/a fs:tmpfs opt:""', [("/a", "none", "tmpfs", (), "private")]),
    (r"tgt:/a\ b\;\:\"\\", [(r"/a b;:" + '"\\', r"/a b;:" + '"\\', "bind", (), "private")]),
    (r'tgt:"/a\"b"', [('/a"b', '/a"b', "bind", (), "private")]),
    ("tgt:/it's", [("/it's", "/it's", "bind", (), "private")]),
    ("tgt:/a#b", [("/a#b", "/a#b", "bind", (), "private")]),
]

GOLDEN_ERRORS = [
    ("tgt:/a:b", "':' after the value '/a'"),
    ('tgt:"/a', "open quote"),
    ("tgt:/a/../b", "'..'"),
    ("tgt:/..", "'..'"),
    ("tgt:/x/../../../etc", "'..'"),
    ("tgt:/ src:/s", "the root itself"),
    ("tgt:/a fs:proc", "no source for proc"),
    ("tgt:/a opt:", "nothing after 'opt:'"),
    ("tgt:/a src:rel", "source 'rel'"),
    ("tgt:a", "target 'a'"),
    ("src:/t", "without tgt"),
    ("TGT:/a", "unknown key 'TGT'"),
    ("tgt:/a ignore:Yes", "expected ignore:yes"),
    ("tgt:/a ignore:true", "expected ignore:yes"),
    ("tgt:/a bogus:1", "unknown key 'bogus'"),
    ("tgt", "'tgt' without ':'"),
    ("tgt:", "nothing after 'tgt:'"),
    (":x", "nothing before ':'"),
    ("tgt:/a # c", "'#' without ':'"),
    # not among the golden vectors, the same rules
    ("tgt:/a\\", "nothing after the \\"),
    ("tgt:/a\\ ", "nothing after the \\"),
    ("[my bind]", "'[my' without ':'"),
    ("tgt:/a fs:rbind", "type 'rbind'"),
    ("tgt:/a opt:bogus", "option 'bogus'"),
]


def parsed(data: bytes) -> tuple[Bind, ...]:
    """Parse what has to be without error."""
    problems: list[Problem] = []
    result = tool_conf.parse(data, "F", problems)
    assert problems == []
    return result.binds


def plain(bind: Bind) -> Bind:
    """The bind without what only its place in a file says."""
    return bind.replace(origin=TOOL_CONF, line=0)


@pytest.mark.parametrize(("line", "expected"), GOLDEN)
@pytest.mark.parametrize("newline", ["\n", "\r\n", ""])
def test_golden_vectors(line: str, expected: list[Vector], newline: str) -> None:
    binds = parsed(f"[bind]\n{line}{newline}".encode())
    assert [(b.target, b.source, b.fs, b.options, b.propagation) for b in binds] == expected
    assert all(b.origin == "tool.conf" and b.line == 2 and not b.ignored for b in binds)


@pytest.mark.parametrize(("line", "words"), GOLDEN_ERRORS)
def test_golden_errors(line: str, words: str) -> None:
    problems: list[Problem] = []
    assert tool_conf.parse(f"[bind]\n\n{line}\n".encode(), "D/tool.conf", problems).binds == ()
    assert len(problems) == 1
    assert problems[0].message.startswith("D/tool.conf:3: ")
    assert words in problems[0].message
    assert problems[0].hint


@pytest.mark.parametrize(
    ("text", "ignored"),
    [
        ("tgt:/a ignore:yes", [True]),
        ("tgt:/a ignore:yes\ntgt:/a", [True, False]),
        ("tgt:/a\ntgt:/a ignore:yes", [False, True]),
    ],
)
def test_ignored_records_stay_in_the_list(text: str, ignored: list[bool]) -> None:
    assert [bind.ignored for bind in parsed(f"[bind]\n{text}\n".encode())] == ignored


@pytest.mark.parametrize("header", ["[bind]", "  [bind]  ", "[other]\nany thing\n[bind]"])
def test_header_is_a_trimmed_line(header: str) -> None:
    assert [bind.target for bind in parsed(f"{header}\ntgt:/a\n".encode())] == ["/a"]


def test_header_of_another_name_is_another_section() -> None:
    assert parsed(b"[Bind]\ntgt:/a\n") == ()


def test_sections_of_one_name_add_up() -> None:
    data = b"[bind]\ntgt:/a\n[exclude]\nvar/cache/apt\n# no\n[bind]\ntgt:/b\n[exclude]\n tmp dir \n"
    problems: list[Problem] = []
    result = tool_conf.parse(data, "F", problems)
    assert [(bind.target, bind.line) for bind in result.binds] == [("/a", 2), ("/b", 7)]
    assert result.exclude == ("var/cache/apt", "tmp dir")


def test_recursive_and_the_last_propagation() -> None:
    (bind,) = parsed(b"[bind]\ntgt:/a opt:rbind,shared,slave\n")
    assert (bind.recursive, bind.propagation, bind.options) == (True, "slave", ())


def test_all_errors_of_a_file_are_told() -> None:
    data = b"tgt:/early\n[bind]\ntgt:/a sorce:/b\nsrc:rel tgt:rel\n\ntgt:/ok ; tgt ; opt:x tgt:/x\n"
    problems: list[Problem] = []
    assert [bind.target for bind in tool_conf.parse(data, "F", problems).binds] == ["/ok"]
    assert [problem.message.split(":")[1] for problem in problems] == ["1", "3", "4", "4", "6", "6"]
    assert "before any section" in problems[0].message
    assert problems[1].hint == "did you mean 'src'?"


def test_bytes_that_are_not_utf8_come_through() -> None:
    (bind,) = parsed(b"[bind]\ntgt:/a\xff\n")
    assert bind.target == "/a\udcff"
    assert tool_conf.add(b"", bind) == b'[bind]\ntgt:"/a\xff"\n'


# edits by example


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", b"[bind]\ntgt:/n\n"),
        (b"# c", b"# c\n[bind]\ntgt:/n\n"),
        (b"[exclude]\r\nx\r\n", b"[exclude]\r\nx\r\n[bind]\r\ntgt:/n\r\n"),
        (b"[bind]", b"[bind]\ntgt:/n"),
        (b"[bind]\ntgt:/a", b"[bind]\ntgt:/a\ntgt:/n"),
        (b"[bind]\r\ntgt:/a  \r\n\r\n", b"[bind]\r\ntgt:/a  \r\ntgt:/n\r\n\r\n"),
        (
            b"[bind]\ntgt:/a\n\n# e\n[exclude]\nx\n",
            b"[bind]\ntgt:/a\ntgt:/n\n\n# e\n[exclude]\nx\n",
        ),
        (b"[bind]\n[x]\n[bind]\n[x]\n", b"[bind]\n[x]\n[bind]\ntgt:/n\n[x]\n"),
    ],
)
def test_add(data: bytes, expected: bytes) -> None:
    assert tool_conf.add(data, Bind("/n", "/n")) == expected


def test_add_of_a_listed_target_is_refused() -> None:
    with pytest.raises(UsageError, match="line 2"):
        tool_conf.add(b"[bind]\ntgt:/a ignore:yes\n", Bind("/a", "/s"))


@pytest.mark.parametrize(
    ("bind", "record"),
    [
        (Bind("/a", "/a"), "tgt:/a"),
        (Bind("/a", "/s", options=("ro",)), "src:/s tgt:/a opt:ro"),
        (Bind("/a", "/a", recursive=True, propagation="slave"), "tgt:/a opt:rbind,slave"),
        (Bind("/a", "/a", ignored=True), "tgt:/a ignore:yes"),
        (Bind("/a", "none", "tmpfs", ("noexec", "nosuid", "nodev")), "tgt:/a fs:tmpfs"),
        (Bind("/a", "none", "tmpfs"), 'tgt:/a fs:tmpfs opt:""'),
        (Bind("/a", "big", "tmpfs", ("size=1M",)), "src:big tgt:/a fs:tmpfs opt:size=1M"),
        (Bind("/a", "proc", "proc"), "src:proc tgt:/a fs:proc"),
        (Bind("/a b", '/"\\:;#'), r'src:"/\"\\:;#" tgt:"/a b"'),
    ],
)
def test_write(bind: Bind, record: str) -> None:
    assert tool_conf.write(bind) == record


@pytest.mark.parametrize(
    "bind",
    [Bind("/a\nb", "/a"), Bind("/a", "/s\n"), Bind("/a", "/a", optional=True), Bind("/a", "rel")],
)
def test_what_tool_conf_cannot_say(bind: Bind) -> None:
    with pytest.raises(UsageError) as caught:
        tool_conf.add(b"", bind)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("line", "target", "expected"),
    [
        ("tgt:/a", "/a", ""),
        ("  tgt:/a ; ;  ", "/a", ""),
        ("tgt:/a ; tgt:/b ; tgt:/c", "/a", "tgt:/b ; tgt:/c\n"),
        ("tgt:/a ; tgt:/b ; tgt:/c", "/b", "tgt:/a ; tgt:/c\n"),
        ("tgt:/a ; tgt:/b ;tgt:/c ", "/c", "tgt:/a ; tgt:/b \n"),
        ("tgt:/a;tgt:/b;tgt:/a", "/a", "tgt:/b\n"),
        ("tgt:/a;tgt:/a", "/a", ""),
    ],
)
def test_remove(line: str, target: str, expected: str) -> None:
    data = tool_conf.remove(f"[bind]\n{line}\n[x]\n".encode(), target)
    assert data.decode() == f"[bind]\n{expected}[x]\n"


def test_remove_takes_every_record_of_the_target() -> None:
    assert tool_conf.remove(b"[bind]\ntgt:/a\ntgt:/b\ntgt:/a//\n", "/a") == b"[bind]\ntgt:/b\n"


def test_replace_and_ignore_take_the_record_that_counts() -> None:
    data = b"[bind]\ntgt:/a\ntgt:/a src:/s"
    assert tool_conf.replace(data, "/a", Bind("/b", "/b")) == b"[bind]\ntgt:/a\ntgt:/b"
    assert tool_conf.ignore(data, "/a", True) == data + b" ignore:yes"


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ("tgt:/a  ignore:yes", "tgt:/a"),
        ("ignore : yes  tgt:/a   src:/b", "tgt:/a   src:/b"),
        ("tgt:/a ignore:yes   src:/b", "tgt:/a   src:/b"),
        ("ignore:yes ignore:yes tgt:/a ignore:yes", "tgt:/a"),
    ],
)
def test_ignore_no_longer(record: str, expected: str) -> None:
    data = f"[bind]\ntgt:/x;{record} ; tgt:/y".encode()
    assert tool_conf.ignore(data, "/a", False) == f"[bind]\ntgt:/x;{expected} ; tgt:/y".encode()


EDITS: list[Callable[[bytes], bytes]] = [
    lambda data: tool_conf.replace(data, "/dta", Bind("/x", "/x")),
    lambda data: tool_conf.remove(data, "/dta"),
    lambda data: tool_conf.ignore(data, "/dta", True),
]


@pytest.mark.parametrize("edit", EDITS)
def test_an_entry_that_is_not_there(edit: Callable[[bytes], bytes]) -> None:
    with pytest.raises(UsageError) as caught:
        edit(b"[bind]\ntgt:/data\n")
    assert caught.value.hint == "did you mean '/data'?"


def test_what_has_errors_is_not_edited() -> None:
    with pytest.raises(ConfigError, match=r"tool\.conf:3") as caught:
        tool_conf.remove(b"[bind]\ntgt:/a\ntgt\ntgt:b\n", "/a")
    assert len(caught.value.problems) == 2


# edits of anything

NAME = st.binary(min_size=1, max_size=8).map(lambda raw: raw.decode("utf-8", "surrogateescape"))
LONGEST = NAME_MAX // 4
"""Letters at most, each of up to four bytes: what is longer no file may hold."""
LETTERS = st.characters(exclude_characters="\n\0/", codec="utf-8")
WORD = st.text(LETTERS, min_size=1, max_size=LONGEST) | NAME
COMPONENT = WORD.map(lambda word: word.translate({0: "n", 10: "l", 47: "s"})).filter(
    lambda word: word not in (".", "..")
)
PATH = st.lists(COMPONENT, min_size=1, max_size=3).map(lambda names: "/" + "/".join(names))
FLAGS = st.sampled_from([(), ("ro",), ("nosuid", "nodev"), ("noatime",)])
SIZES = st.sampled_from([(), ("size=64M", "mode=0755"), ("noexec", "nosuid", "nodev")])
PROPAGATION = st.sampled_from(["private", "slave", "shared", "unbindable"])
BINDS = st.builds(
    Bind, PATH, PATH, st.just("bind"), FLAGS, PROPAGATION, st.booleans(), ignored=st.booleans()
) | st.builds(
    Bind, PATH, st.sampled_from(["none", "some thing"]), st.sampled_from(["tmpfs", "ext4"]), SIZES
)
BINDS = BINDS.map(lambda bind: bind.replace(origin=TOOL_CONF))
BLANKS = st.text(" \t", max_size=2)
NOISE = st.sampled_from(["", "   ", "# tgt:/no", '\t# a ; b "', ";;", " ; "])


@st.composite
def spelled(draw: st.DrawFn, word: str) -> str:
    """A value in one of the ways it can be written."""
    whole = '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'
    escaped = "".join(c if c.isalnum() else f"\\{c}" for c in word)
    if not word or word[-1] in BLANK:  # lines are trimmed before they are read
        escaped = whole
    return draw(st.sampled_from([whole, whole + '""', escaped]))


@st.composite
def records(draw: st.DrawFn, bind: Bind) -> str:
    """A record that means *bind*, with any spacing and order."""
    options = ",".join(bind.shown_options())
    pairs = [("src", bind.source), ("tgt", bind.target), ("fs", bind.fs), ("opt", options)]
    if bind.ignored:
        pairs.append(("ignore", "yes"))
    written = []
    for key, value in draw(st.permutations(pairs)):
        text = draw(spelled(value))
        written.append(f"{key}{draw(BLANKS)}:{draw(BLANKS)}{text}")
    return draw(st.sampled_from([" ", "  ", "\t"])).join(written)


@st.composite
def files(draw: st.DrawFn) -> tuple[list[str], dict[int, Bind]]:
    """A file in pieces; the number of a record's piece goes with the bind that it means."""
    binds = draw(st.lists(BINDS, max_size=5, unique_by=lambda bind: bind.target))
    pieces = [
        draw(st.sampled_from(["[bind]\n", "[exclude]\na/b\n  [bind] \r\n", "\n# c\r\n[bind]\n"]))
    ]
    meant = {}
    for bind in binds:
        pieces.append(draw(NOISE.filter(lambda noise: "#" not in noise)))
        meant[len(pieces)] = bind
        pieces.append(draw(records(bind)))
        newline = draw(st.sampled_from(["\n", "\r\n", " \n"]))
        pieces.append(
            draw(st.sampled_from([" ; ", ";", f"{newline}{draw(NOISE)}{newline}", newline]))
        )
    pieces.append(draw(st.sampled_from(["", "\n", "\n[exclude]\r\nx:\n", '\n[Other]\n\n;"\n#'])))
    return pieces, meant


def joined(pieces: list[str]) -> bytes:
    return "".join(pieces).encode("utf-8", "surrogateescape")


@given(files())
def test_any_file_is_read_as_it_was_meant(file: tuple[list[str], dict[int, Bind]]) -> None:
    pieces, meant = file
    assert [plain(bind) for bind in parsed(joined(pieces))] == list(meant.values())


@given(files(), BINDS)
def test_add_only_adds(file: tuple[list[str], dict[int, Bind]], bind: Bind) -> None:
    data, binds = joined(file[0]), list(file[1].values())
    if bind.target in [other.target for other in binds]:
        return
    added = tool_conf.add(data, bind)
    assert [plain(found) for found in parsed(added)] == [*binds, bind]
    at = next((i for i, (a, b) in enumerate(zip(data, added, strict=False)) if a != b), len(data))
    assert any(
        data[:cut] == added[:cut] and added.endswith(data[cut:]) for cut in range(at, -1, -1)
    )


@given(files().filter(lambda file: bool(file[1])), BINDS, st.data())
def test_replace_touches_only_its_record(
    file: tuple[list[str], dict[int, Bind]], bind: Bind, data: st.DataObject
) -> None:
    pieces, meant = file
    index = data.draw(st.sampled_from(sorted(meant)))
    replaced = tool_conf.replace(joined(pieces), meant[index].target, bind)
    expected = {**meant, index: bind}
    assert [plain(found) for found in parsed(replaced)] == list(expected.values())
    assert replaced.startswith(joined(pieces[:index]))
    assert replaced.endswith(joined(pieces[index + 1 :]))


@given(files().filter(lambda file: bool(file[1])), st.data())
def test_ignore_and_back(file: tuple[list[str], dict[int, Bind]], data: st.DataObject) -> None:
    pieces, meant = file
    index = data.draw(st.sampled_from(sorted(meant)))
    bind = meant[index]
    before = joined(pieces)
    assert tool_conf.ignore(before, bind.target, bind.ignored) == before
    after = tool_conf.ignore(before, bind.target, not bind.ignored)
    expected = {**meant, index: bind.replace(ignored=not bind.ignored)}
    assert [plain(found) for found in parsed(after)] == list(expected.values())
    assert after.startswith(joined(pieces[:index]))
    assert after.endswith(joined(pieces[index + 1 :]))
    if not bind.ignored:
        assert tool_conf.ignore(after, bind.target, False) == before


@given(files().filter(lambda file: bool(file[1])), st.data())
def test_remove_leaves_every_other_record_and_line(
    file: tuple[list[str], dict[int, Bind]], data: st.DataObject
) -> None:
    pieces, meant = file
    index = data.draw(st.sampled_from(sorted(meant)))
    before = joined(pieces)
    line = before[: len(joined(pieces[:index]))].count(b"\n")
    after = tool_conf.remove(before, meant[index].target)
    del meant[index]
    assert [plain(found) for found in parsed(after)] == list(meant.values())
    lines = before.split(b"\n")
    assert after.startswith(b"".join(text + b"\n" for text in lines[:line]))
    assert after.endswith(b"\n".join(lines[line + 1 :]))
    for other in meant:
        assert joined([pieces[other]]) in after


@given(BINDS)
def test_what_is_written_is_read(bind: Bind) -> None:
    assert [plain(found) for found in parsed(tool_conf.add(b"", bind))] == [bind]


@given(st.binary())
def test_parse_never_raises(data: bytes) -> None:
    problems: list[Problem] = []
    tool_conf.parse(b"[bind]\n" + data, "F", problems)
    assert all(
        problem.message.startswith("F:") and "\n" not in problem.message for problem in problems
    )


@pytest.mark.parametrize("end", ["", ";", ":", " ", "\t", '"', "\\"])
def test_a_word_ends_where_it_ends_however_long_it_is(end: str) -> None:
    for length in (*range(60, 70), *range(185, 200), 5000):
        word = "a" * length
        records = list(split(f"tgt:{word}{end}"))
        if end in ('"', "\\"):
            assert records[0].error is not None
        elif end == ":":
            assert "after the value" in str(records[0].error)
        else:
            assert [one.value for one in records[0].pairs] == [word]


class _Counted(str):
    """A text that counts the characters which are looked through in it."""

    looked = 0

    def find(self, sub: str, start: Any = 0, end: Any = None, /) -> int:
        found = super().find(sub, start, end)
        self.looked += (len(self) if end is None else end) - start
        return found


@pytest.mark.parametrize("text", ["tgt:/a;", "a;", "a:b;", 'a;"', ";", "a" * 50 + ";"])
def test_a_long_line_is_not_looked_through_again_for_each_word(text: str) -> None:
    line = _Counted(text * (40_000 // len(text)))
    list(split(line))
    assert line.looked < 1000 * len(line)
