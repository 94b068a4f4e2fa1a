"""core.entering.users: who somebody is, by the files of the chroot and never by the host's."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chroot_tool.core.entering import users
from chroot_tool.core.entering.users import User
from chroot_tool.core.errors import ChrootError, UsageError
from chroot_tool.core.kernel.rootpath import Root

PASSWD = """\
root:x:0:0:root:/root:/bin/bash
daemon:x:1:1::/usr/sbin:/usr/sbin/nologin
app:x:1000:1000:App,,,:/home/app:/bin/sh
bare:x:1001:100::
"""
GROUP = """\
root:x:0:
audio:x:29:other,app
apples:x:30:apple,xapp
app:x:1000:
video:x:44:app
users:x:100:app,bare
"""


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Root]:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").write_text(PASSWD)
    (tmp_path / "etc/group").write_text(GROUP)
    with Root(str(tmp_path)) as opened:
        yield opened


def write(root: Root, name: str, text: str | bytes) -> None:
    data = text if isinstance(text, bytes) else os.fsencode(text)
    Path(root.path, "etc", name).write_bytes(data)


@pytest.mark.parametrize("name", ["app", "1000"])
def test_a_name_and_a_number_find_the_same_user_with_all_groups(root: Root, name: str) -> None:
    groups = (1000, 29, 44, 100)
    assert users.lookup(root, name) == User("app", 1000, 1000, groups, "/home/app", "/bin/sh")


@pytest.mark.parametrize("name", ["", "root", "0"])
def test_no_name_is_root(root: Root, name: str) -> None:
    assert users.lookup(root, name) == User("root", 0, 0, (0,), "/root", "/bin/bash")


def test_a_name_goes_before_a_number(root: Root) -> None:
    write(root, "passwd", "one:x:7:7::/:\n7:x:8:8::/:\n")
    assert users.lookup(root, "7").uid == 8


def test_a_number_without_an_entry_is_in_no_group_of_root(root: Root) -> None:
    assert users.lookup(root, "4711") == User("4711", 4711, 4711, (4711,), "/", "/bin/sh")


@pytest.mark.parametrize("number", ["4294967295", "4294967296", "-1", "99999999999", "²", "٣"])
def test_a_number_that_is_no_user_id_is_an_unknown_name(root: Root, number: str) -> None:
    with pytest.raises(UsageError):
        users.lookup(root, number)


def test_an_unknown_name_is_an_error_with_a_suggestion(root: Root) -> None:
    with pytest.raises(UsageError, match="no user 'deamon'") as caught:
        users.lookup(root, "deamon")
    assert "'daemon'" in caught.value.hint


@pytest.mark.parametrize(
    "line",
    [
        "evil:x:4294967295:0::/:/bin/sh",  # -1: setresuid would leave root
        "evil:x:0:4294967295::/:/bin/sh",
        "evil:x::0::/:/bin/sh",
        "evil:x:-5:0::/:/bin/sh",
        "evil:x:0x0:0::/:/bin/sh",
        "evil:x:1:1",
        "evil:x:1:1::/:/bin/sh:more",
        "evil:x:1:1::/\0:/bin/sh",
        "+evil",
    ],
)
def test_a_malformed_line_is_no_user(root: Root, line: str) -> None:
    write(root, "passwd", f"{line}\n{PASSWD}")
    with pytest.raises(UsageError):
        users.lookup(root, "evil")
    assert users.lookup(root, "app").uid == 1000


def test_a_malformed_group_is_skipped(root: Root) -> None:
    write(root, "group", f"a:x:-1:app\nb:x:4294967295:app\nc:x:5\n:x:6:app\n\n{GROUP}")
    assert users.lookup(root, "app").groups == (1000, 29, 44, 100)


def test_names_that_are_not_utf8_survive(root: Root) -> None:
    write(root, "passwd", b"b\xe9:x:5:5::/home/b\xe9:/bin/sh\n")
    found = users.lookup(root, os.fsdecode(b"b\xe9"))
    assert os.fsencode(found.home) == b"/home/b\xe9"


def test_root_and_numbers_need_no_files(tmp_path: Path) -> None:
    with Root(str(tmp_path)) as root:
        assert users.lookup(root, "") == User("root", 0, 0, (0,), "/root", "/bin/sh")
        assert users.lookup(root, "12").gid == 12
        with pytest.raises(UsageError):
            users.lookup(root, "app")


def test_a_link_out_of_the_root_finds_nothing_of_the_host(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("spy:x:5:5::/:/bin/sh\n")
    inside = tmp_path / "root"
    (inside / "etc").mkdir(parents=True)
    (inside / "etc/passwd").symlink_to(outside)
    with Root(str(inside)) as root, pytest.raises(UsageError):
        users.lookup(root, "spy")


def test_what_is_no_regular_file_is_not_read(root: Root) -> None:
    Path(root.path, "etc/passwd").unlink()
    os.mkfifo(Path(root.path, "etc/passwd"))
    with pytest.raises(ChrootError, match="no regular file"):
        users.lookup(root, "app")


def test_a_huge_file_is_an_error(root: Root) -> None:
    with open(Path(root.path, "etc/passwd"), "wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(ChrootError, match="larger than"):
        users.lookup(root, "app")


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(passwd=st.binary(max_size=300), group=st.binary(max_size=300))
def test_whatever_stands_there_never_makes_an_impossible_user(
    root: Root, passwd: bytes, group: bytes
) -> None:
    write(root, "passwd", b"app:x:" + passwd)
    write(root, "group", b"app:x:1:app\n" + group)
    try:
        found = users.lookup(root, "app")
    except UsageError:
        return
    assert all(0 <= number < 0xFFFF_FFFF for number in (found.uid, found.gid, *found.groups))
