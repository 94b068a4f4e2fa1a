"""Which lines make a user known inside: planned without a root, for files of any content."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chroot_tool.core.entering.people import (
    FILES,
    GROUP,
    GSHADOW,
    PASSWD,
    SHADOW,
    AddLine,
    MakeHome,
    Person,
    added,
    check,
    steps,
)
from chroot_tool.core.errors import ChrootError, UsageError
from chroot_tool.core.plan import Step

ANN = Person("ann", 1000, 1001, "people", "/home/ann", "/bin/sh")
EMPTY: dict[str, bytes | None] = {
    PASSWD: b"root:x:0:0:root:/root:/bin/sh\n", GROUP: b"root:x:0:\n",
    SHADOW: b"root:*:1::::::\n", GSHADOW: b"root:*::\n",
}  # fmt: skip


def plan(files: dict[str, bytes | None], person: Person = ANN, home: bool = False) -> list[Step]:
    return list(steps(files, person, has_home=home, day=20000, place="deb"))


def carried_out(files: dict[str, bytes | None], done: list[Step]) -> dict[str, bytes | None]:
    result = dict(files)
    for step in done:
        if isinstance(step, AddLine):
            result[step.target] = added(result[step.target], step.line)
    return result


def test_a_number_may_have_any_length() -> None:
    long = b"9" * 5000
    assert plan({**EMPTY, PASSWD: b"bob:x:" + long + b":1::/:/bin/sh\n"})
    with pytest.raises(ChrootError, match="the user ann is 9999999999 in deb"):
        plan({**EMPTY, PASSWD: b"ann:x:" + long + b":1::/:/bin/sh\n"})


def test_each_file_gets_a_line_and_passwd_the_last() -> None:
    done = plan(EMPTY)
    assert done == [
        AddLine(GROUP, "people:x:1001:"),
        AddLine(GSHADOW, "people:!::"),
        AddLine(SHADOW, "ann:!:20000:0:99999:7:::"),
        MakeHome("/home/ann", 1000, 1001),
        AddLine(PASSWD, "ann:x:1000:1001::/home/ann:/bin/sh"),
    ]
    assert plan(carried_out(EMPTY, done)) == []


@pytest.mark.parametrize("done", range(5))
def test_what_was_cut_off_goes_on(done: int) -> None:
    cut = carried_out(EMPTY, plan(EMPTY)[:done])
    rest = plan(cut, home=done > 3)
    assert carried_out(cut, rest) == carried_out(EMPTY, plan(EMPTY))


def test_where_there_are_no_shadow_files_there_need_be_none() -> None:
    alone = EMPTY | {SHADOW: None, GSHADOW: None}
    lines = [step.line for step in plan(alone, home=True) if isinstance(step, AddLine)]
    assert lines == ["people:x:1001:", "ann:*:1000:1001::/home/ann:/bin/sh"]


@pytest.mark.parametrize(
    ("file", "line", "said"),
    [
        (PASSWD, b"ann:x:1002:1:::/bin/sh", "ann is 1002 in deb, and 1000 out here"),
        (PASSWD, b"bob:x:1000:1:::/bin/sh", "1000 is the user bob in deb, not ann"),
        (GROUP, b"people:x:7:", "people is 7 in deb, and 1001 out here"),
        (GROUP, b"staff:x:1001:bob", "1001 is the group staff in deb, not people"),
    ],
)
def test_a_name_or_number_of_somebody_else_is_refused(file: str, line: bytes, said: str) -> None:
    with pytest.raises(ChrootError, match=said) as told:
        plan(EMPTY | {file: (EMPTY[file] or b"") + line + b"\n"})
    assert told.value.hint


@pytest.mark.parametrize(
    "person",
    [
        ANN.replace(uid=0), ANN.replace(name="a:b"), ANN.replace(name="a\nroot"),
        ANN.replace(name=""), ANN.replace(name="-x"), ANN.replace(name="123"),
        ANN.replace(name="a" * 33), ANN.replace(group="x,y"), ANN.replace(home="/a:b"),
        ANN.replace(home="rel"), ANN.replace(home="/a\n/b"),
        Person("ann", 1000, 1001, "people", "/", "/bin/sh\n"),
        ANN.replace(home="/home/../etc/x"), ANN.replace(uid=1 << 33), ANN.replace(gid=-1),
    ],
)  # fmt: skip
def test_what_can_be_no_line_is_no_person(person: Person) -> None:
    check(ANN)
    with pytest.raises(UsageError):
        check(person)


@given(st.dictionaries(st.sampled_from(FILES), st.none() | st.binary(max_size=60)))
def test_nothing_of_any_content_is_lost(content: dict[str, bytes | None]) -> None:
    files = EMPTY | content
    try:
        done = plan(files)
    except ChrootError:
        return
    after = carried_out(files, done)
    for path in FILES:
        before = files[path] or b""
        assert (after[path] or b"").startswith(before)
    assert plan(after, home=True) == []
