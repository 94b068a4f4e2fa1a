"""Paths that another machine says: each is one of that machine, or is refused."""

from __future__ import annotations

from typing import Any, cast

import pytest

from chroot_tool.core.engine import Engine
from chroot_tool.core.errors import ChrootError
from chroot_tool.core.looking.status import ChrootStatus
from chroot_tool.core.remote.machines import Machines
from chroot_tool.core.remote.prefixed_with_host import hint_of
from chroot_tool.core.remote.remote_engine import RemoteEngine
from chroot_tool.core.trees.duplicate import Cloned


class Liar:
    """An engine whose every answer has *path*."""

    def __init__(self, path: str) -> None:
        self._path = path

    def of(self) -> Engine:
        return cast("Engine", self)

    def list(self) -> tuple[ChrootStatus, ...]:
        return (self.status(),)

    def status(self, **_: Any) -> ChrootStatus:
        return ChrootStatus("deb", self._path, "off")

    def clone(self, **_: Any) -> Cloned:
        return Cloned(self._path, "copy", 1, 1)

    def locate(self, **_: Any) -> str:
        return self._path

    def rests(self, **_: Any) -> tuple[str, ...]:
        return (self._path,)

    def close(self) -> None: ...


class Nothing(Liar):
    """This machine, without a chroot."""

    def list(self) -> tuple[ChrootStatus, ...]:
        return ()


def asked(path: str, name: str) -> Any:
    """What a machine `one` that says *path* is taken to have said."""
    machines = Machines(
        Nothing("/").of(), ["one"], lambda _name: cast("RemoteEngine", Liar(path))
    ).of()
    if name == "clone":
        return machines.clone("one:/a", "b").path
    if name == "list":
        return machines.list()[0].path
    found = getattr(machines, name)("one:/a")
    return found.path if name == "status" else found[0] if name == "rests" else found


EVERY = ["list", "status", "clone", "locate", "rests"]


@pytest.mark.parametrize("name", EVERY)
def test_a_path_is_one_of_the_machine_that_said_it(name: str) -> None:
    assert asked("/b", name) == "one:/b"


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("path", ["other:/x", "x", "./x"])
def test_what_is_no_path_is_refused(name: str, path: str) -> None:
    with pytest.raises(ChrootError, match=r"^one: its answer makes no sense: .* is no path"):
        asked(path, name)


@pytest.mark.parametrize(
    ("there", "here"),
    [
        ("chroot-tool off -d /b, then clone", "chroot-tool off -d one:/b, then clone"),
        ("chroot-tool trash restore b-1 --base /", "chroot-tool trash restore b-1 -H one --base /"),
        ("see chroot-tool trash list --base DIR", "see chroot-tool trash list --base DIR"),
    ],
)
def test_a_command_that_a_hint_names_is_as_it_is_typed_here(there: str, here: str) -> None:
    assert hint_of("one", there) == here
