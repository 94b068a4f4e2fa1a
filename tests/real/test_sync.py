"""`Engine.sync`: a chroot that is on follows an edit of its configuration, and nothing else."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from chroot_tool.core.errors import BusyError
from chroot_tool.core.local_engine import LocalEngine
from chroot_tool.core.mounts.steps import MakeTarget, Mount, Unmount
from support import Cli, Program, mounts_below

pytestmark = pytest.mark.root


def test_what_was_removed_goes_and_what_was_added_comes(cli: Cli, tiny_chroot: Path) -> None:
    conf = tiny_chroot / "chroot.d/tool.conf"
    conf.write_text("[bind]\ntgt:/old fs:tmpfs\ntgt:/old/inner fs:tmpfs\ntgt:/same fs:tmpfs\n")
    cli.ok("on", "-d", tiny_chroot)
    (tiny_chroot / "same/kept").write_text("content")
    (tiny_chroot / "mine").mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "x", tiny_chroot / "mine"], check=True)
    engine, path = LocalEngine(str(tiny_chroot.parent)), str(tiny_chroot)
    before = engine.config(path).binds
    assert not engine.binds(path).plan_sync(before)
    conf.write_text("[bind]\ntgt:/old/inner fs:tmpfs\ntgt:/same fs:tmpfs\ntgt:/new fs:tmpfs\n")
    steps = engine.binds(path).plan_sync(before).steps
    assert [step.target for step in steps if isinstance(step, Unmount)] == ["/old/inner", "/old"]
    assert [step.target for step in steps if isinstance(step, Mount)] == ["/new", "/old/inner"]
    assert MakeTarget("/new") in steps
    engine.binds(path).sync(before)
    there = {point.removeprefix(path) for point in mounts_below(tiny_chroot)}
    assert {"/new", "/old/inner", "/same", "/mine"} <= there
    assert "/old" not in there
    assert (tiny_chroot / "same/kept").read_text() == "content"
    assert not engine.binds(path).plan_sync(before)


def test_who_holds_what_would_go_is_named_and_all_stays(cli: Cli, tiny_chroot: Path) -> None:
    conf = tiny_chroot / "chroot.d/tool.conf"
    conf.write_text("[bind]\ntgt:/old fs:tmpfs\n")
    cli.ok("on", "-d", tiny_chroot)
    engine, path = LocalEngine(str(tiny_chroot.parent)), str(tiny_chroot)
    before = engine.config(path).binds
    conf.write_text("[bind]\ntgt:/new fs:tmpfs\n")
    points = set(mounts_below(tiny_chroot))
    with Program(["sleep", "100"], cwd=tiny_chroot / "old") as holder:
        with pytest.raises(BusyError) as caught:
            engine.binds(path).sync(before)
        holder.kill()
    assert [one.pid for one in caught.value.holders] == [holder.pid]
    assert set(mounts_below(tiny_chroot)) == points
