"""What is said of a source before, and where, it cannot be had."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from chroot_tool.core.chroot import DELETING, MARKER
from chroot_tool.core.creating import from_source, images, initial_setup, mirror
from chroot_tool.core.creating.directory import explained
from chroot_tool.core.creating.options import CreateOptions
from chroot_tool.core.errors import ChrootError, Problem
from chroot_tool.core.host.apt_proxy import Proxies
from chroot_tool.core.kernel.rootpath import Root
from chroot_tool.core.local_engine import LocalEngine


@pytest.fixture
def system(tmp_path: Path) -> Path:
    """A directory that holds a system without the package locales."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/sh").touch()
    return tmp_path


def test_a_locale_without_its_package_is_refused_before_the_copying(system: Path) -> None:
    wanted = CreateOptions(source=str(system), locales=("de_DE.UTF-8",))
    with pytest.raises(ChrootError, match="the package locales is missing inside") as caught:
        from_source.check(wanted)
    assert "apt install locales" in caught.value.hint
    from_source.check(wanted.replace(locales=("C.UTF-8",)))


def test_where_it_shows_only_afterwards_it_is_a_warning(system: Path) -> None:
    wanted = CreateOptions(locales=("de_DE.UTF-8",))
    warned: list[Problem] = []
    with Root(str(system)) as root:
        initial_setup.set_up_copy(root, "x", wanted, lambda _: None, warned.append)
    assert [one.message for one in warned] == [
        "the package locales is missing inside: de_DE.UTF-8 cannot be made"
    ]
    assert not (system / "etc/default/locale").exists()


def test_the_plan_tells_what_is_deleted_first(system: Path) -> None:
    options, path = CreateOptions(source=str(system)), system / "half"
    plan = LocalEngine(str(system)).plan_create
    path.mkdir()
    assert not any("deleted" in line for line in plan(str(path), options))
    (path / MARKER.lstrip("/")).mkdir()
    assert "not finished: what that has made is deleted first" in plan(str(path), options)[-1]
    (path / DELETING.lstrip("/")).mkdir()
    with pytest.raises(ChrootError, match="deleting it was not finished") as caught:
        plan(str(path), options)
    assert caught.value.hint == f"delete -d {path} removes the rest"


@pytest.mark.parametrize("source", ["nope", "./nope", "nope.tar.gz"])
def test_what_does_not_exist_has_a_hint(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ChrootError, match="does not exist") as caught:
        from_source.check(CreateOptions(source=source))
    assert "docker://" in caught.value.hint


def test_a_registry_that_is_not_there_has_a_hint() -> None:
    said = 'level=fatal msg="pinging: dial tcp: lookup nope.invalid: no such host"'
    assert "registry's name" in images._hint([said])


def test_a_full_disk_has_a_hint() -> None:
    error = explained(OSError(errno.ENOSPC, "No space left on device", "/x"), "/x")
    assert "free some space" in error.hint
    assert not explained(OSError(errno.EIO, "Input/output error", "/x"), "/x").hint


def test_a_proxy_that_does_not_answer_is_named_in_the_hint() -> None:
    with pytest.raises(ChrootError, match="the proxy") as caught:
        mirror.find_release(
            ("http://mirror.example",), "sid", None, Proxies(wanted="http://127.0.0.1:9")
        )
    assert "check --proxy" in caught.value.hint
