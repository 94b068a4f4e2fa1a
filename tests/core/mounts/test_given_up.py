"""A step that was given up is not done later, when who held it up goes on."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from chroot_tool.core.config.bind import Bind
from chroot_tool.core.errors import ChrootError
from chroot_tool.core.events import ignore
from chroot_tool.core.kernel import answering
from chroot_tool.core.kernel.mount_table import MountTable
from chroot_tool.core.kernel.rootpath import Root
from chroot_tool.core.mounts import apply as applying
from chroot_tool.core.mounts.steps import Mount
from chroot_tool.core.plan import Plan
from support import wait_until


@pytest.fixture
def impatient() -> Iterator[None]:
    answering.set_patience(lambda: 0.05)
    yield
    answering.set_patience(lambda: answering.PATIENCE)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("held", ["await_answer", "detached_mount"])
def test_what_was_given_up_is_attached_to_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: str
) -> None:
    source = tmp_path / "src"
    source.mkdir()
    gate, attached = threading.Event(), []

    def hold(*_: object) -> int:
        gate.wait()
        return os.open(source, os.O_PATH)

    def attach(root: Root, *_: object) -> None:
        attached.append(root.path)

    monkeypatch.setattr(applying, "detached_mount", lambda *_: os.open(source, os.O_PATH))
    monkeypatch.setattr(applying, "attach", attach)
    monkeypatch.setattr(answering if held == "await_answer" else applying, held, hold)
    table = MountTable.parse(b"9 1 0:99 / %b rw - fuse.x x rw\n" % os.fsencode(source))
    plan = Plan((Mount("/mnt", Bind("/mnt", str(source))),))
    with Root(str(tmp_path)) as root, pytest.raises(ChrootError, match="is not answering"):
        applying.apply(root, plan, table, ignore)
    assert answering.waiting() == ("0:99",)
    gate.set()  # the root is closed by now; its number may be another one's
    wait_until(lambda: not answering.waiting())
    assert attached == []
