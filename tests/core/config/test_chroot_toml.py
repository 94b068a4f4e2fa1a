"""chroot.toml: every key, every error with its line, and edits that touch only their entry."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chroot_tool.core.config import chroot_toml
from chroot_tool.core.config.bind import CHROOT_TOML, Bind
from chroot_tool.core.config.chroot_toml_values import ChrootToml, RunDefaults, SystemSettings
from chroot_tool.core.config.toml_places import places
from chroot_tool.core.errors import ConfigError, Problem, UsageError

EXAMPLE = """\
description = "build box for bookworm"

[run]                      # defaults of run and shell
user = "root"
cwd = "/root"
env = { LANG = "C.UTF-8" }

[system]
dev = "private"            # or "host"
resolv = "bind"            # or "copy", "off"

[[bind]]
source = "/home/me/src"
target = "/src"
options = ["ro", "nosuid"] # also: rbind, private/slave/shared, any mount option
[[bind]]
target = "/var/cache"
fs = "tmpfs"
options = ["size=64M"]
[[bind]]
target = "/sys"
ignore = true
[[bind]]
source = "/media/usb"
target = "/media/usb"
optional = true            # a missing source is no error, the bind is left out
"""


def read(data: bytes) -> ChrootToml:
    """Parse what has to be without error."""
    problems: list[Problem] = []
    result = chroot_toml.parse(data, "F", problems)
    assert problems == []
    return result


def plain(data: bytes) -> list[Bind]:
    """The binds without what only their place in the file says."""
    return [bind.replace(line=0) for bind in read(data).binds]


def entry(target: str, **fields: Any) -> Bind:
    return Bind(target, fields.pop("source", target), origin=CHROOT_TOML, **fields)


def test_the_example() -> None:
    assert read(EXAMPLE.encode()) == ChrootToml(
        "build box for bookworm",
        RunDefaults("root", "/root", (("LANG", "C.UTF-8"),)),
        SystemSettings("private", "bind"),
        (
            entry("/src", source="/home/me/src", options=("ro", "nosuid"), line=12),
            entry("/var/cache", source="none", fs="tmpfs", options=("size=64M",), line=16),
            entry("/sys", ignored=True, line=20),
            entry("/media/usb", optional=True, line=23),
        ),
    )


@pytest.mark.parametrize("text", ["", "# nothing\n", "bind = []", "[run]\n[system]\n"])
def test_defaults(text: str) -> None:
    assert read(text.encode()) == ChrootToml()


@pytest.mark.parametrize(
    ("text", "binds"),
    [
        ('bind = [{target = "/a"},\n {target = "/b"}]', [entry("/a", line=1), entry("/b", line=2)]),
        ('[[ "bind" ]]\n"target" = \'/a\'', [entry("/a", line=1)]),
        ('[[bind]]\r\ntarget = "/a"\r\n', [entry("/a", line=1)]),
        ('[[bind]]\ntarget = "/a/./b/"', [entry("/a/b", line=1)]),
        ('[[bind]]\ntarget = "/a"\nfs = "bind-ro"', [entry("/a", options=("ro",), line=1)]),
        (
            '[[bind]]\ntarget = "/a"\noptions = ["rbind", "slave"]',
            [entry("/a", recursive=True, propagation="slave", line=1)],
        ),
        (
            'description = """\n[[bind]]\n"""\n[[bind]]\ntarget = "/a"\nfs = "tmpfs"',
            [entry("/a", source="none", fs="tmpfs", options=("noexec", "nosuid", "nodev"), line=4)],
        ),
    ],
)
def test_ways_to_write_binds(text: str, binds: list[Bind]) -> None:
    assert list(read(text.encode()).binds) == binds


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("", ()),
        ("tags = []", ()),
        ("tags = ['web', 'amd64', 'web']", ("web", "amd64")),
        ("tags = ['a', 'A.b_c+d-1', '9']", ("a", "A.b_c+d-1", "9")),
        (f"tags = ['{'a' * 32}']", ("a" * 32,)),
    ],
)
def test_tags(text: str, tags: tuple[str, ...]) -> None:
    assert read(text.encode()).tags == tags


ERRORS = [
    ("a = 1\n\ndescriptoin = 1", "1: unknown key 'a'", "one of: description, tags, run"),
    ("\ndescriptoin = 1", "2: unknown key 'descriptoin'", "did you mean 'description'?"),
    ("\ndescription = 1", "2: description is an integer, expected a string", '"1"'),
    ("tags = 'a'", "1: tags is a string, expected an array", ""),
    ("tags = ['a', 1]", "1: tags holds an integer, expected strings only", '"1"'),
    ("tags = ['a b']", "1: tags holds 'a b', expected letters, digits and . _ + -", "letter"),
    ("tags = ['']", "1: tags holds ''", ""),
    ("tags = ['-a']", "1: tags holds '-a'", "the first a letter"),
    ("tags = ['\u00e4']", "1: tags holds 'ä'", ""),
    (f"tags = ['{'a' * 33}']", "1: tags holds 'aaa", "at most 32"),
    ("run = 1", "1: run is an integer, expected a table", "[run]"),
    ("[[run]]", "1: run is an array, expected a table", "[run]"),
    ("[run]\nusr = 'me'", "2: unknown key 'usr' in run", "did you mean 'user'?"),
    ("[run]\n#\nuser = 1000", "3: user is an integer, expected a string", '"1000"'),
    ("[run]\nuser = ''", "2: user is ''", "root"),
    ("[run]\ncwd = 'root'", "2: cwd is 'root', expected an absolute path", "/"),
    ("run.cwd = ''", "1: cwd is ''", "/"),
    ("[run]\nenv = []", "2: env is an array, expected a table", ""),
    ("[run]\nenv = {A = 'b', C = 1}", "2: C is an integer, expected a string", '"1"'),
    ("[run.env]\nA = 'b'\nC = true", "3: C is true or false, expected a string", ""),
    ("[run.env]\n'A=B' = 'b'", "2: env holds 'A=B'", "NAME"),
    ("[system]\ndev = 'hots'", "2: dev is 'hots', expected one of", "did you mean 'host'?"),
    ("[system]\nresolv = false", "2: resolv is true or false", ""),
    ("[bind]\ntarget = '/a'", "1: bind is no array", "[[bind]]"),
    ("bind = '/a'", "1: bind is no array", "[[bind]]"),
    ("bind = [\n '/a']", "2: bind is a string, expected a table", "[[bind]]"),
    ("[[bind]]\n\n[[bind]]\ntarget = '/b'", "1: a bind without target", "target ="),
    ("[[bind]]\nsource = '/a'\ntgt = '/a'\ntarget='/b'", "3: unknown key 'tgt'", "'target'"),
    ("[[bind]]\ntarget = 'a'", "2: target 'a', expected an absolute path", "/"),
    ("[[bind]]\ntarget = '/a/../b'", "2: target '/a/../b' holds '..'", "write"),
    ("[[bind]]\ntarget = '/a'\nsource = 'b'", "3: source 'b', expected an absolute path", "/"),
    ("[[bind]]\ntarget = '/a'\nfs = 'proc'", "1: no source for proc", "proc"),
    ("[[bind]]\ntarget = '/a'\nfs = 'a b'", "3: file system type 'a b'", ""),
    ("[[bind]]\ntarget = '/a'\noptions = 'ro'", "3: options is a string, expected an array", ""),
    ("[[bind]]\ntarget = '/a'\noptions = [\n'ro',\n1]", "5: options holds an integer", '"1"'),
    ("[[bind]]\ntarget = '/a'\noptions = ['ro,nodev']", "3: option 'ro,nodev'", "by itself"),
    ("[[bind]]\ntarget = '/a'\noptions = ['nodve']", "3: option 'nodve' on", "'nodev'"),
    ("[[bind]]\ntarget = '/a'\nignore = 'yes'", "3: ignore is a string, expected true or", ""),
    ("[[bind]]\ntarget = '/a'\noptional = 1", "3: optional is an integer", ""),
    ("[[bind]]\ntarget = '/a'\n[bind.more]\nx=1", "3: unknown key 'more' in bind", ""),
    ("[[bind]]\ntarget = 1979-05-27", "2: target is a date or time", ""),
    ("a = 1\nb = /x\n", "2: Invalid value: 'b = /x', expected TOML", "quotes"),
    ("a = 1\na = 2", "2: Cannot overwrite a value: 'a = 2'", "quotes"),
    ("a = 1\nb = [1,\n", "2: ", "quotes"),
    ("a = " + "[" * 9999, "1: arrays or tables nested too deeply", "flat"),
    ("a = " + "9" * 9999, "1: ", "quotes"),
]


@pytest.mark.parametrize(("text", "message", "hint"), ERRORS, ids=range(len(ERRORS)))
def test_errors(text: str, message: str, hint: str) -> None:
    problems: list[Problem] = []
    chroot_toml.parse(text.encode(), "D/chroot.toml", problems)
    assert problems[0].message.startswith(f"D/chroot.toml:{message}")
    assert hint in problems[0].hint
    assert "\n" not in problems[0].message


def test_bytes_that_are_not_utf8() -> None:
    problems: list[Problem] = []
    chroot_toml.parse(b'[[bind]]\ntarget = "/\xff"\n', "F", problems)
    (problem,) = problems
    assert problem.message == "F:2: the byte 0xff, expected UTF-8"
    assert "tool.conf" in problem.hint


def test_all_errors_of_a_file_are_told() -> None:
    text = """\
        colour = 1
        [run]
        user = 1
        [[bind]]
        target = "a"
        source = "b"
        options = ["ro", "rw"]
        clour = 1
        [[bind]]
        target = "/ok"
        [[bind]]
        options = "ro"
    """
    problems: list[Problem] = []
    binds = chroot_toml.parse(text.encode(), "F", problems).binds
    assert [bind.target for bind in binds] == ["/ok"]
    lines = [int(problem.message.split(":")[1]) for problem in problems]
    assert lines == [1, 3, 5, 6, 7, 8, 11, 12]


# edits by example

BIND = entry("/n")
NEW = '[[bind]]\nsource = "/s p"\ntarget = "/n"\noptions = ["ro"]\noptional = true\n'
INLINE = '{ source = "/s p", target = "/n", options = ["ro"], optional = true }'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", NEW),
        ("# c", f"# c\n\n{NEW}"),
        ("a = 1\n", f"a = 1\n\n{NEW}"),
        ('[[bind]]\ntarget = "/a"', f'[[bind]]\ntarget = "/a"\n\n{NEW}'),
        (
            '[[bind]]\ntarget = "/a" # c\n\n# about system\n[system]\n',
            f'[[bind]]\ntarget = "/a" # c\n\n{NEW}\n# about system\n[system]\n',
        ),
        ("[run]\r\n", "[run]\r\n\r\n" + NEW.replace("\n", "\r\n")),
        (
            "bind = [] # none\n",
            f"bind = [{INLINE}] # none\n",
        ),
        (
            'bind = [\n {target = "/a"}, # last\n]\n',
            f'bind = [\n {{target = "/a"}}, {INLINE}, # last\n]\n',
        ),
    ],
)
def test_add(text: str, expected: str) -> None:
    text = text.replace("a = 1", 'description = "x"')
    expected = expected.replace("a = 1", 'description = "x"')
    bind = entry("/n", source="/s p", options=("ro",), optional=True)
    assert chroot_toml.add(text.encode(), bind).decode() == expected


def test_add_then_remove_leaves_no_trace() -> None:
    for text in (EXAMPLE, EXAMPLE + "\n[run.more]\n".replace("run.more", "run.env")):
        text = text.replace('env = { LANG = "C.UTF-8" }\n', "")
        assert chroot_toml.remove(chroot_toml.add(text.encode(), BIND), "/n").decode() == text


def test_add_of_a_listed_target_is_refused() -> None:
    with pytest.raises(UsageError, match="line 12"):
        chroot_toml.add(EXAMPLE.encode(), entry("/src"))


def test_replace_keeps_what_stays_true() -> None:
    text = """\
[[bind]] # mine
target = '/a'   # there
options = [     # two
  "ro", "nodev",
]
source="/b"
"""
    changed = chroot_toml.replace(text.encode(), "/a", entry("/a", options=("ro", "nodev")))
    assert changed.decode() == text.replace('source="/b"', 'source="/a"')
    changed = chroot_toml.replace(text.encode(), "/a", entry("/c", source="/b", optional=True))
    assert changed.decode() == (
        '[[bind]] # mine\ntarget = "/c"   # there\nsource="/b"\noptional = true\n'
    )


def test_replace_of_another_kind() -> None:
    data = b'[[bind]]\ntarget = "/a"\nfs = "bind-ro"'
    assert plain(chroot_toml.replace(data, "/a", entry("/a", options=("ro",)))) == [
        entry("/a", options=("ro",))
    ]
    tmpfs = entry("/a", source="none", fs="tmpfs")
    assert chroot_toml.replace(data, "/a", tmpfs).decode() == (
        '[[bind]]\ntarget = "/a"\nfs = "tmpfs"\noptions = []'
    )


@pytest.mark.parametrize(
    ("text", "target", "expected"),
    [
        ('[[bind]]\ntarget = "/a"\n', "/a", ""),
        ('# c\n[[bind]]\ntarget = "/a"\n\n[system]\n', "/a", "# c\n\n[system]\n"),
        ('# x\n\n[[bind]]\ntarget = "/a"\n\n \n# r\n[system]\n', "/a", "# x\n\n# r\n[system]\n"),
        ('# x\n[[bind]]\ntarget = "/a" # c\n\n\n', "/a", "# x\n\n\n"),
        ('# x\n\n[[bind]]\ntarget = "/a"\n', "/a", "# x\n"),
        ('[[bind]]\ntarget="/a"\n[[bind]]\ntarget="/b"\n', "/a", '[[bind]]\ntarget="/b"\n'),
        (
            '[[bind]]\ntarget="/a"\n\n[[bind]]\ntarget="/b"\n\n[[bind]]\ntarget="/a"\n',
            "/a",
            '[[bind]]\ntarget="/b"\n',
        ),
        ('bind = [{target="/a"}]\n', "/a", "bind = []\n"),
        ('bind = [\n{target="/a"} # a\n, # c\n]\n', "/a", "bind = [\n # a\n # c\n]\n"),
        ('bind = [{target="/a"}, {target="/b"}]', "/b", 'bind = [{target="/a"}, ]'),
        ('bind = [{target="/a"}, {target="/b"}]', "/a", 'bind = [ {target="/b"}]'),
    ],
)
def test_remove(text: str, target: str, expected: str) -> None:
    data = chroot_toml.remove(text.encode(), target)
    assert data.decode() == expected
    assert target not in [bind.target for bind in read(data).binds]


def test_replace_and_ignore_take_the_entry_that_counts() -> None:
    data = b'[[bind]]\ntarget = "/a"\n[[bind]]\ntarget = "/a/"\n'
    assert chroot_toml.ignore(data, "/a", True) == data + b"ignore = true\n"
    assert plain(chroot_toml.replace(data, "/a", BIND)) == [entry("/a"), BIND]


def test_edits_inside_an_inline_array() -> None:
    data = b'bind = [\n  { target = "/a" }, # a\n  { target = "/b", ignore = true },\n]\n'
    assert plain(chroot_toml.ignore(data, "/b", False)) == [entry("/a"), entry("/b")]
    assert plain(chroot_toml.replace(data, "/a", BIND)) == [BIND, entry("/b", ignored=True)]
    assert b", # a\n" in chroot_toml.replace(data, "/a", BIND)


@pytest.mark.parametrize(
    "bind", [entry("/\udcff"), entry("/a", source="/\udcff"), entry("/a", source="rel")]
)
def test_what_toml_cannot_say(bind: Bind) -> None:
    with pytest.raises(UsageError) as caught:
        chroot_toml.add(b"", bind)
    assert caught.value.hint


EDITS: list[Callable[[bytes], bytes]] = [
    lambda data: chroot_toml.replace(data, "/scr", BIND),
    lambda data: chroot_toml.remove(data, "/scr"),
    lambda data: chroot_toml.ignore(data, "/scr", True),
]


@pytest.mark.parametrize("edit", EDITS)
def test_an_entry_that_is_not_there(edit: Callable[[bytes], bytes]) -> None:
    with pytest.raises(UsageError) as caught:
        edit(EXAMPLE.encode())
    assert caught.value.hint == "did you mean '/src'?"


def test_what_has_errors_is_not_edited() -> None:
    with pytest.raises(ConfigError, match=r"chroot\.toml:2") as caught:
        chroot_toml.remove(b"[[bind]]\ntarget = 'a'\ntgt = 1", "/a")
    assert len(caught.value.problems) == 2


# edits of anything

TEXT = st.text(
    st.characters(exclude_characters="\0", codec="utf-8") | st.sampled_from("\"'\\#[]{}=,"),
    min_size=1,
    max_size=8,
)
COMPONENT = TEXT.map(lambda text: text.replace("/", "s")).filter(lambda t: t not in (".", ".."))
PATH = st.lists(COMPONENT, min_size=1, max_size=3).map(lambda names: "/" + "/".join(names))
FLAGS = st.sampled_from([(), ("ro",), ("nosuid", "nodev"), ("noatime",)])
SIZES = st.sampled_from([(), ("size=64M", 'a="\\'), ("noexec", "nosuid", "nodev")])
PROPAGATION = st.sampled_from(["private", "slave", "shared", "unbindable"])
BINDS = st.builds(
    Bind, PATH, PATH, st.just("bind"), FLAGS, PROPAGATION, st.booleans(), st.booleans(),
    st.booleans(), st.just(CHROOT_TOML),
) | st.builds(
    Bind, PATH, st.sampled_from(["none", "some thing"]), st.sampled_from(["tmpfs", "ext4"]), SIZES,
    origin=st.just(CHROOT_TOML),
)  # fmt: skip
TAILS = st.sampled_from(["", "  ", " # [[bind]]", "\t#'''"])
GAPS = st.sampled_from(["", "\n", "# [x]\n", " \n  # target = '\n\n", '#"""\n'])


def basic(text: str) -> str:
    """A TOML string with everything escaped that may be."""
    return '"' + "".join(c if c.isalnum() else f"\\U{ord(c):08x}" for c in text) + '"'


@st.composite
def strings(draw: st.DrawFn, text: str) -> str:
    """*text* in one of the ways TOML has for it."""
    ways = [basic(text), '"""\n' + basic(text)[1:-1] + '"""', '"""\\\n   ' + basic(text)[1:] + '""']
    if text.isprintable():
        short = text.replace("\\", "\\\\")
        ways += ['"' + short.replace('"', '\\"') + '"']
        ways += ['"""' + short.replace('"""', '""\\"') + '"""']  # may end in four or five quotes
    if text.isprintable() and "'" not in text:
        ways += [f"'{text}'"]
    if text.isprintable() and "'''" not in text:
        ways += [f"'''{text}'''", f"'''\n{text}'''"]
    return draw(st.sampled_from(ways))


@st.composite
def values(draw: st.DrawFn, value: object, long: bool = True) -> str:
    """*value* in one of the ways TOML has for it; not *long*: as it may be in an inline table."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return draw(strings(value)) if long else basic(value)
    if isinstance(value, dict):
        pairs = [f"{basic(key)} = {draw(values(item, False))}" for key, item in value.items()]
        return "{" + ", ".join(pairs) + "}"
    assert isinstance(value, list)
    items = [draw(values(item, long)) for item in value]
    gap = draw(st.sampled_from(["", " ", "\n", " # ] , '\n"])) if long else ""
    comma = draw(st.sampled_from(["", ","])) if items else ""
    return f"[{gap}" + f"{gap},{gap}".join(items) + f"{gap}{comma}{gap}]"


@st.composite
def entries(draw: st.DrawFn, bind: Bind) -> str:
    """A `[[bind]]` that means *bind*."""
    fields: list[tuple[str, object]] = [
        ("source", bind.source), ("target", bind.target), ("options", [*bind.shown_options()]),
    ]  # fmt: skip
    if bind.fs != "bind" or draw(st.booleans()):
        fields.append(("fs", bind.fs))
    if bind.ignored or draw(st.booleans()):
        fields.append(("ignore", bind.ignored))
    if bind.optional or draw(st.booleans()):
        fields.append(("optional", bind.optional))
    header = draw(st.sampled_from(["[[bind]]", '[[ "bind" ]]', "[[\t'bind']]"]))
    text = header + draw(TAILS) + "\n"
    for key, value in draw(st.permutations(fields)):
        text += draw(st.sampled_from(["", "", "# in between\n"]))
        name = draw(st.sampled_from([key, f'"{key}"', f"  '{key}' "]))
        text += f"{name}={draw(st.sampled_from(['', ' ']))}{draw(values(value))}{draw(TAILS)}\n"
    return text


@st.composite
def files(draw: st.DrawFn) -> tuple[list[str], dict[int, Bind]]:
    """A file in pieces; the number of an entry's piece goes with the bind that it means."""
    binds = draw(st.lists(BINDS, max_size=4, unique_by=lambda bind: bind.target))
    tables = ["[run]\nuser = 'me'\n", "[run.env]\n'A b' = '''\n[[bind]]\n'''\n", "[system] #\n"]
    others: list[str] = draw(st.permutations(tables))
    trap = draw(values("[[bind]]\ntarget = 1"))
    description = f"description = {trap}\n"
    pieces = [draw(GAPS), draw(st.sampled_from(["", description])), draw(GAPS)]
    meant = {}
    for bind in binds:
        meant[len(pieces)] = bind
        pieces += [draw(entries(bind)).rstrip("\n") + "\n", draw(GAPS)]
        between: bool = draw(st.booleans())
        if others and between:
            pieces += [others.pop(), draw(GAPS)]
    if draw(st.booleans()):
        pieces = [piece.replace("\n", "\r\n") for piece in pieces]
    return pieces, meant


def joined(pieces: list[str]) -> bytes:
    return "".join(pieces).encode()


@given(files())
def test_any_file_is_read_as_it_was_meant(file: tuple[list[str], dict[int, Bind]]) -> None:
    pieces, meant = file
    binds = read(joined(pieces)).binds
    assert [bind.replace(line=0) for bind in binds] == list(meant.values())
    lines = [joined(pieces[:index]).count(b"\n") + 1 for index in meant]
    assert [bind.line for bind in binds] == lines


@given(files(), BINDS)
def test_add_only_adds(file: tuple[list[str], dict[int, Bind]], bind: Bind) -> None:
    data, binds = joined(file[0]), list(file[1].values())
    if bind.target in [other.target for other in binds]:
        return
    added = chroot_toml.add(data, bind)
    assert plain(added) == [*binds, bind]
    at = max(file[1], default=len(file[0])) + 1
    assert added.startswith(joined(file[0][:at]))
    assert added.endswith(joined(file[0][at:]))


@pytest.mark.slow
@given(files().filter(lambda file: bool(file[1])), BINDS, st.data())
def test_replace_touches_only_its_entry(
    file: tuple[list[str], dict[int, Bind]], bind: Bind, data: st.DataObject
) -> None:
    pieces, meant = file
    index = data.draw(st.sampled_from(sorted(meant)))
    replaced = chroot_toml.replace(joined(pieces), meant[index].target, bind)
    assert plain(replaced) == list({**meant, index: bind}.values())
    assert replaced.startswith(joined(pieces[:index]))
    assert replaced.endswith(joined(pieces[index + 1 :]))


@given(files().filter(lambda file: bool(file[1])), st.data())
def test_replace_by_the_same_and_ignore_as_it_is_change_nothing(
    file: tuple[list[str], dict[int, Bind]], data: st.DataObject
) -> None:
    pieces, meant = file
    bind = meant[data.draw(st.sampled_from(sorted(meant)))]
    assert chroot_toml.replace(joined(pieces), bind.target, bind) == joined(pieces)
    assert chroot_toml.ignore(joined(pieces), bind.target, bind.ignored) == joined(pieces)


@pytest.mark.slow
@given(files().filter(lambda file: bool(file[1])), st.data())
def test_ignore_and_back(file: tuple[list[str], dict[int, Bind]], data: st.DataObject) -> None:
    pieces, meant = file
    index = data.draw(st.sampled_from(sorted(meant)))
    bind = meant[index]
    after = chroot_toml.ignore(joined(pieces), bind.target, not bind.ignored)
    assert plain(after) == list({**meant, index: bind.replace(ignored=not bind.ignored)}.values())
    assert after.startswith(joined(pieces[:index]))
    assert after.endswith(joined(pieces[index + 1 :]))
    back = chroot_toml.ignore(after, bind.target, bind.ignored)
    assert plain(back) == list(meant.values())


@pytest.mark.slow
@given(files().filter(lambda file: bool(file[1])), st.data())
def test_remove_takes_an_entry_and_blank_lines_beside_it(
    file: tuple[list[str], dict[int, Bind]], data: st.DataObject
) -> None:
    pieces, meant = file
    index = data.draw(st.sampled_from(sorted(meant)))
    after = chroot_toml.remove(joined(pieces), meant[index].target)
    before, rest = joined(pieces[:index]), joined(pieces[index + 1 :])
    del meant[index]
    assert plain(after) == list(meant.values())
    assert after.startswith(before.rstrip())
    assert after.endswith(rest.lstrip(b" \r\n"))
    kept = iter(after.splitlines())
    assert all(line in kept for line in (before + rest).splitlines() if line.strip())


JSON = st.recursive(
    st.booleans() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


def under(value: object, path: tuple[str | int, ...]) -> Any:
    for step in path:
        value = value[step]  # type: ignore[index]
    return value


@given(st.dictionaries(TEXT, JSON, max_size=4), st.data())
@pytest.mark.slow
def test_places_are_where_the_values_stand(document: dict[str, Any], data: st.DataObject) -> None:
    text = ""
    for key, value in document.items():
        text += data.draw(GAPS)
        text += f"{basic(key)} = {data.draw(values(value))}{data.draw(TAILS)}\n"
    assert tomllib.loads(text) == document
    found = places(text)
    for path, place in found.items():
        written = text[place.start : place.end]
        assert tomllib.loads(f"v = {written}")["v"] == under(document, path)
        assert place.line == text.count("\n", 0, place.start) + 1
    assert {path[0] for path in found} == set(document)


@pytest.mark.parametrize(
    "value",
    ['"""x"""""', '""""""""', "'''x''''", '"""\\""""', '"\\\\"', "'\\'", "1979-05-27 07:32:00Z"],
)
def test_places_of_values_that_end_oddly(value: str) -> None:
    place = places(f"a.b = [1, {value} ] # c\nb = 2")["a", "b", 1]
    assert (place.start, place.end) == (10, 10 + len(value))


@given(st.binary())
def test_parse_never_raises(data: bytes) -> None:
    problems: list[Problem] = []
    chroot_toml.parse(data, "F", problems)
    assert all(problem.message.startswith("F:") for problem in problems)
