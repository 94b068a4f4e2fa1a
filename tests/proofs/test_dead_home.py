"""The host's own files on a file system that does not answer, and several such file systems."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from chroot_tool.core.errors import ChrootError
from chroot_tool.core.events import Event, StepDone, Warned
from chroot_tool.core.host import mount_points
from chroot_tool.core.kernel import answering
from chroot_tool.core.kernel.rootpath import Root
from chroot_tool.core.local_engine import LocalEngine
from chroot_tool.core.mounts.attached import umount
from proving import Proof
from support import PATIENCE, Cli, detach, mounts_below, wait_until
from support.served import Served

PROMISE = (
    "Nor do the host's resolv.conf, the user's own files, or several that do not answer at once: "
    "they cost one wait, and `off` needs none of them."
)
pytestmark = [pytest.mark.root, pytest.mark.slow]

SILENT = "is not answering"


@pytest.fixture(autouse=True)
def counted(proof: Proof) -> None:
    proof.count("ways to meet one", 1)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    (tmp_path / "far/src").mkdir(parents=True)
    (tmp_path / "far/resolv.conf").write_text("nameserver 192.0.2.1\n")
    with Served(tmp_path / "far", tmp_path / "near") as found:
        yield found


@pytest.fixture
def sure() -> Iterator[None]:
    """Where all answer, they may take their time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(answering, "PATIENCE", PATIENCE)
        yield


@pytest.fixture
def hosts_resolv(served: Served) -> Iterator[Served]:
    """The host's resolv.conf is a file that is served."""
    file = "/etc/resolv.conf"
    subprocess.run(["mount", "--bind", served.point / "resolv.conf", file], check=True)
    yield served
    served.go_on()
    detach([file])


def configure(root: Path, text: str) -> None:
    (root / "chroot.d/chroot.toml").write_text(text)


def test_a_resolv_conf_that_does_not_answer(
    cli: Cli, tiny_chroot: Path, hosts_resolv: Served
) -> None:
    hosts_resolv.stop()
    done = cli("on", "-d", tiny_chroot)
    assert done.returncode == 1
    assert f"/etc/resolv.conf, wanted at /etc/resolv.conf, {SILENT}" in done.stderr
    assert not mounts_below(tiny_chroot)
    configure(tiny_chroot, '[system]\nresolv = "copy"\n')
    assert cli("on", "-d", tiny_chroot).returncode == 1
    configure(tiny_chroot, '[system]\nresolv = "off"\n')
    cli.ok("on", "-d", tiny_chroot)
    cli.ok("off", "-d", tiny_chroot)


def test_a_resolv_conf_that_leads_there(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = tmp_path / "link"
    link.symlink_to(served.point / "resolv.conf")
    monkeypatch.setattr(mount_points, "RESOLV_CONF", str(link))
    wait_until(lambda: mount_points.host_facts().resolv == f"{served.point}/resolv.conf")
    wait_until(lambda: not answering.waiting())
    served.stop()
    assert mount_points.host_facts().resolv == str(link)  # which is told of where it is bound
    assert len(answering.waiting()) == 1
    served.go_on()
    wait_until(lambda: not answering.waiting())


def test_one_that_was_mounted_before_is_no_matter(
    cli: Cli, tiny_chroot: Path, hosts_resolv: Served
) -> None:
    cli.without("looks").ok("on", "-d", tiny_chroot)
    hosts_resolv.stop()
    assert cli.ok("run", "id -u", "-d", tiny_chroot) == "0\n"
    assert cli.json("list", "--base", tiny_chroot.parent)
    cli.without("looks").ok("off", "-d", tiny_chroot)
    assert not mounts_below(tiny_chroot)


def test_a_home_that_does_not_answer(tiny_chroot: Path, served: Served) -> None:
    cli = Cli(served.point / "home")
    settings = served.top / "home/config/chroot-tool/settings.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text("patience = 9\n")
    assert cli.ok("list", "--base", tiny_chroot.parent)
    served.stop()
    assert cli.ok("list", "--base", tiny_chroot.parent)
    cli.ok("on", "-d", tiny_chroot)
    assert cli.ok("run", "id -u", "-d", tiny_chroot) == "0\n"
    cli.ok("off", "-d", tiny_chroot)
    assert f"settings.toml {SILENT}" in cli("off", "-d", tiny_chroot).stderr
    cli.ok("delete", "--yes", "-d", tiny_chroot)  # whose history is there


def test_several_cost_one_wait(cli: Cli, tiny_chroot: Path, tmp_path: Path) -> None:
    entries = ""
    with ExitStack() as servers:
        for number in range(4):
            far = servers.enter_context(Served(tmp_path / f"far{number}", tmp_path / f"at{number}"))
            entries += f'[[bind]]\nsource = "{far.point}"\ntarget = "/{number}"\noptional = true\n'
            far.stop()
        configure(tiny_chroot, entries)
        answering.set_patience(lambda: 1.0 if len(answering.waiting()) < 4 else PATIENCE)
        try:
            LocalEngine(str(tiny_chroot.parent)).on(str(tiny_chroot))
        finally:
            answering.set_patience(lambda: answering.PATIENCE)
        assert len(answering.waiting()) == 4
        assert cli.ok("run", "id -u", "-d", tiny_chroot) == "0\n"
        states = {one.target: one.state for one in LocalEngine("/").status(str(tiny_chroot)).mounts}
        assert {states[f"/{number}"] for number in range(4)} == {"ignored"}
    wait_until(lambda: not answering.waiting())
    LocalEngine("/").off(str(tiny_chroot))


def test_off_with_a_bind_below_one_that_does_not_answer(
    cli: Cli, tiny_chroot: Path, tmp_path: Path, served: Served
) -> None:
    (served.top / "src/inner").mkdir()
    (tmp_path / "mine").mkdir()
    configure(
        tiny_chroot,
        f'[[bind]]\nsource = "{served.point}/src"\ntarget = "/far"\n'
        f'[[bind]]\nsource = "{tmp_path}/mine"\ntarget = "/far/inner"\n'
        f'[[bind]]\ntarget = "/far/inner/deep"\nfs = "tmpfs"\n',
    )
    (tmp_path / "mine/deep").mkdir()
    cli.without("looks").ok("on", "-d", tiny_chroot)
    served.stop()
    done = cli("off", "-d", tiny_chroot)
    assert done.returncode == 1
    assert f"cannot unmount /far/inner/deep: {tiny_chroot}/far {SILENT}" in done.stderr
    assert "off --lazy" in done.stderr
    assert "taken back" not in done.stderr  # what was unmounted before is there again
    assert f"{tiny_chroot}/etc/resolv.conf" in mounts_below(tiny_chroot)
    assert len(mounts_below(tiny_chroot)) > 3
    cli.without("looks").ok("off", "--lazy", "-d", tiny_chroot)
    assert not mounts_below(tiny_chroot)
    assert (tmp_path / "mine/deep").is_dir()


def impatient_at(step: int, told: list[Event]) -> None:
    """Have a step be given up soon, and no other; *told* is what is told of them."""

    def patience() -> float:
        done = sum(isinstance(event, StepDone) for event in told)
        return 0.3 if done >= step else PATIENCE

    answering.set_patience(patience)


@pytest.mark.usefixtures("sure")
def test_what_was_unmounted_before_one_that_is_given_up_is_there_again(
    tiny_chroot: Path, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(
        tiny_chroot,
        f'[[bind]]\nsource = "{served.point}/src"\ntarget = "/far"\n'
        f'[[bind]]\ntarget = "/far/inner"\nfs = "tmpfs"\n',
    )
    (served.top / "src/inner").mkdir()
    engine = LocalEngine("/")
    engine.on(str(tiny_chroot))
    before = mounts_below(tiny_chroot)
    go_on = threading.Event()

    def held_up(directory: int, name: str, target: str, **how: Any) -> None:
        assert target != "/far/inner" or go_on.wait(60)
        umount(directory, name, target, **how)

    monkeypatch.setattr("chroot_tool.core.mounts.apply.umount", held_up)
    told: list[Event] = []
    steps = [step.target for step in engine.plan_off(str(tiny_chroot)).steps]
    impatient_at(steps.index("/far/inner"), told)
    try:
        with pytest.raises(ChrootError, match=r"cannot unmount /far/inner: .* is not answering"):
            engine.off(str(tiny_chroot), report=told.append)
        assert not [one for one in told if isinstance(one, Warned)]
        assert sorted(mounts_below(tiny_chroot)) == sorted(before)
    finally:
        answering.set_patience(lambda: answering.PATIENCE)
        go_on.set()
    wait_until(lambda: not answering.waiting())
    monkeypatch.undo()
    engine.off(str(tiny_chroot))


@pytest.mark.usefixtures("sure")
def test_a_step_that_was_given_up_never_writes_into_another_root(
    tiny_chroot: Path, served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It is mounted before: from there on each step is one that may be given up.
    source = f'[[bind]]\nsource = "{served.point}/src"\ntarget = "/a"\n'
    configure(tiny_chroot, f'[system]\nresolv = "copy"\n{source}')
    other = tmp_path / "other"
    (other / "etc").mkdir(parents=True)
    go_on, write = threading.Event(), Root.write

    def held_up(root: Root, *what: Any, **how: Any) -> None:
        assert go_on.wait(60)
        write(root, *what, **how)

    monkeypatch.setattr(Root, "write", held_up)
    engine = LocalEngine("/")
    told: list[Event] = []
    steps = [step.describe() for step in engine.plan_on(str(tiny_chroot)).steps]
    impatient_at(steps.index("write /etc/resolv.conf"), told)
    opened: list[Root] = []
    try:
        with pytest.raises(ChrootError, match="is not answering"):
            engine.on(str(tiny_chroot), report=told.append)
        opened += [Root(str(other)) for _ in range(50)]  # one has the descriptor that it had
    finally:
        answering.set_patience(lambda: answering.PATIENCE)
        go_on.set()
    wait_until(lambda: not answering.waiting())
    for one in opened:
        one.close()
    assert not list((other / "etc").iterdir())
    assert not mounts_below(tiny_chroot)
