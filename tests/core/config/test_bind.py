"""The rules of a bind's fields, which both files, the command line and the UI's form share."""

from __future__ import annotations

import pytest

from chroot_tool.core.config.bind import (
    Bind,
    check_fs,
    check_options,
    check_source,
    checked,
    collect,
    default_source,
    make,
    normalise_target,
)
from chroot_tool.core.errors import UsageError


@pytest.mark.parametrize(
    ("written", "target"),
    [("/a", "/a"), ("/a//b/", "/a/b"), ("/a/./b", "/a/b"), ("//a", "/a"), ("/a b", "/a b")],
)
def test_target_is_normalised(written: str, target: str) -> None:
    assert normalise_target(written) == target


@pytest.mark.parametrize("target", ["", "a", "./a", "/", "//", "/.", "/..", "/a/../b", "/a\0b"])
def test_target_that_names_no_place(target: str) -> None:
    with pytest.raises(UsageError):
        normalise_target(target)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (f"/a/{'é' * 128}", "target with a name 'ééé"),
        (f"/{'a/' * 2048}", "target '/a/a/a"),
        (f"/{'a' * 5000}", "of 5000 bytes, expected at most 255"),
    ],
    ids=["name", "path", "both"],
)
def test_target_that_no_file_system_holds(written: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        normalise_target(written)
    assert len(caught.value.message) < 120
    assert caught.value.hint


def test_the_longest_target() -> None:
    longest = "/" + "/".join(["a" * 255] * 15 + ["b" * 254])
    assert len(longest) == 4095
    assert normalise_target(f"{longest}//") == longest


@pytest.mark.parametrize(
    ("fs", "kind"),
    [("bind", "bind"), ("bind-ro", "bind"), ("tmpfs", "tmpfs"), ("fuse.sshfs", "fuse.sshfs")],
)
def test_fs(fs: str, kind: str) -> None:
    assert check_fs(fs) == kind


@pytest.mark.parametrize("fs", ["", "a b", "rbind", "copy", "tmpfs,ro", "a/b", "a\0", "été"])
def test_fs_that_is_none(fs: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_fs(fs)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("source", "fs"), [("/", "bind"), ("/a/../b", "bind-ro"), ("none", "tmpfs"), ("proc", "proc")]
)
def test_source(source: str, fs: str) -> None:
    assert check_source(source, fs) == source


@pytest.mark.parametrize(
    ("source", "fs"), [("rel", "bind"), ("", "bind"), ("", "ext4"), ("/a\0", "bind"), ("a", "")]
)
def test_source_that_is_none(source: str, fs: str) -> None:
    with pytest.raises(UsageError):
        check_source(source, fs)


@pytest.mark.parametrize(
    ("words", "fs", "result"),
    [
        ([], "bind", ((), "private", False)),
        (["ro", "slave"], "bind", (("ro",), "slave", False)),
        (["rbind", "nosuid"], "bind", (("nosuid",), "private", True)),
        (["bind"], "bind", ((), "private", False)),
        (["shared", "slave"], "bind", ((), "slave", False)),
        (["nosuid"], "bind-ro", (("ro", "nosuid"), "private", False)),
        (["ro"], "bind-ro", (("ro",), "private", False)),
        (["size=1M", "whatever"], "tmpfs", (("size=1M", "whatever"), "private", False)),
    ],
)
def test_options(words: list[str], fs: str, result: tuple[tuple[str, ...], str, bool]) -> None:
    assert check_options(words, fs) == result


@pytest.mark.parametrize(
    ("words", "fs", "hint"),
    [
        (["nosiud"], "bind", "did you mean 'nosuid'?"),
        (["RO"], "bind", "did you mean 'ro'?"),
        (["rprivate"], "bind", "did you mean 'private'?"),
        (["size=1M"], "bind", "one of: "),
        (["ro,nosuid"], "bind", "by itself"),
        ([""], "tmpfs", "by itself"),
        (["a\nb"], "tmpfs", "by itself"),
        (["ro", "rw"], "bind", "leave one of them out"),
        (["rw"], "bind-ro", "leave one of them out"),
        (["relatime", "noatime"], "tmpfs", "leave one of them out"),
        (["rbind"], "tmpfs", "leave it out"),
    ],
)
def test_options_that_are_wrong(words: list[str], fs: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_options(words, fs)
    assert hint in caught.value.hint


def test_only_binds_and_tmpfs_have_a_default_source() -> None:
    assert default_source("/a", "bind-ro") == "/a"
    assert default_source("/a", "tmpfs") == "none"
    with pytest.raises(UsageError):
        default_source("/a", "proc")


def test_collect_tells_every_wrong_field_by_name() -> None:
    errors: dict[str, UsageError] = {}
    assert collect(errors, "a", "b", "bind", ["c"]) is None
    assert list(errors) == ["target", "source", "options"]


def test_make_raises_the_first_error() -> None:
    with pytest.raises(UsageError, match="target 'a'"):
        make("a", "b")


def test_default_source_is_the_normalised_target() -> None:
    assert make("/a/./b/").source == "/a/b"


def test_no_file_can_list_what_the_tool_makes_itself() -> None:
    with pytest.raises(UsageError, match="device nodes"):
        checked(Bind("/dev", "none", "tmpfs", nodes=True))
    with pytest.raises(UsageError, match="copy"):
        checked(Bind("/etc/resolv.conf", "/etc/resolv.conf", "copy"))
