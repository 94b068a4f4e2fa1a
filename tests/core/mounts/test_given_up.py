"""A step that was given up is not done later, when who held it up goes on."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
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

    monkeypatch.setattr(answering, "await_answer", lambda _: None)
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


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("source", "far", "in_time"),
    [
        ("near", "elsewhere", []),
        ("far", "far", ["/far", "/after"]),  # what is mounted may be in the way of what follows
        ("link", "far", ["/link", "/after"]),
        ("near", "root/mnt", ["/near", "/after"]),
        ("near", "root", ["/near", "/after"]),
        ("near", "", ["/near", "/after"]),
    ],
)
def test_a_bound_is_for_what_may_ask_one_who_does_not_answer(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    source: str,
    far: str,
    in_time: list[str],
) -> None:
    """All else is done without a thread, which on a busy machine might not begin within it."""
    for name in ("near", "far", "root"):
        (tmp_path / name).mkdir()
    (tmp_path / "link").symlink_to("far")
    bounded: list[str] = []

    def ask(_key: str, _path: str, call: Callable[[], object], **_how: object) -> object:
        bounded.append("")
        return call()

    def attach(_root: Root, _tree: int, target: str) -> None:
        if bounded and not bounded[-1]:
            bounded[-1] = target

    monkeypatch.setattr(answering, "ask", ask)
    monkeypatch.setattr(answering, "await_answer", lambda _: None)
    monkeypatch.setattr(applying, "detached_mount", lambda *_: os.open(tmp_path, os.O_PATH))
    monkeypatch.setattr(applying, "attach", attach)
    point = os.path.normpath(tmp_path / far) if far else "/"
    table = MountTable.parse(b"9 1 0:99 / %b rw - fuse.x x rw\n" % os.fsencode(point))
    steps = (
        Mount("/before", Bind("/before", "none", "tmpfs")),
        Mount(f"/{source}", Bind(f"/{source}", str(tmp_path / source))),
        Mount("/after", Bind("/after", "none", "tmpfs")),
    )
    with Root(str(tmp_path / "root")) as root:
        applying.apply(root, Plan(steps), table, ignore)
    is_near = far not in ("elsewhere", "far")
    assert bounded == (["/before"] if is_near else []) + in_time
