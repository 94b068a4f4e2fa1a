"""`enable` and `disable`, with the real systemctl on a host that is not booted: `--root`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from chroot_tool.core.errors import ChrootError
from chroot_tool.core.events import Event, Warned
from chroot_tool.core.host import boot
from chroot_tool.core.local_engine import LocalEngine
from chroot_tool.core.looking.watch import Watcher
from support import CHECKOUT, Cli, mounts_below

pytestmark = pytest.mark.root


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """The root of a host's units: only what systemctl wants of it."""
    root = tmp_path / "host"
    (root / "etc/systemd/system").mkdir(parents=True)
    return root


@pytest.fixture
def booting(cli: Cli, host: Path) -> Cli:
    return cli.booting(host)


def links(host: Path) -> set[str]:
    """What is enabled, as `WANTS/UNIT`."""
    top = host / "etc/systemd/system"
    return {str(path.relative_to(top)) for path in top.glob("*.wants/*")}


def wanted(root: Path) -> str:
    return f"chroot-tool.target.wants/{boot.unit(str(root))}"


def test_enabled_and_disabled(booting: Cli, host: Path, tiny_chroot: Path) -> None:
    assert booting.json("status", "-d", tiny_chroot)["enabled"] is False
    done = booting("enable", "-d", tiny_chroot)
    assert done.returncode == 0, done.stderr
    assert f"{tiny_chroot}: enabled" in done.stderr
    assert "systemd does not run here" in done.stderr  # and says so
    assert links(host) == {wanted(tiny_chroot), "multi-user.target.wants/chroot-tool.target"}
    assert booting.json("status", "-d", tiny_chroot)["enabled"] is True
    assert "boot    on" in booting.ok("status", "-d", tiny_chroot)
    again = booting("enable", "-d", tiny_chroot)
    assert "already enabled" in again.stderr

    assert "disabled" in booting("disable", "-d", tiny_chroot).stderr
    # The target is still there for the others.
    assert links(host) == {"multi-user.target.wants/chroot-tool.target"}
    assert booting.json("status", "-d", tiny_chroot)["enabled"] is False
    assert "already disabled" in booting("disable", "-d", tiny_chroot).stderr


def test_the_unit_does_what_the_command_line_does(
    booting: Cli, host: Path, tiny_chroot: Path
) -> None:
    events = booting.events("enable", "-d", tiny_chroot)
    assert events[-1] == {"event": "done", "chroot": str(tiny_chroot), "enabled": True}
    text = (host / "etc/systemd/system/chroot-tool@.service").read_text()
    starts = [line for line in text.splitlines() if line.startswith("Exec")]
    said = [line.partition(f"{host} ")[2].partition(" -d %f")[0] for line in starts]
    stops = ["off --kill --timeout 20", "off -S --kill --timeout 20", "off", "off -S"]
    assert said == ["on", "start", *stops]


def as_systemd(cli: Cli, text: str, path: Path, *settings: str) -> list[int]:
    """Run what *settings* of a unit say as systemd.service(5) has it; return the exit codes.

    The first that is no success is the last.
    """
    lines = [line.partition("=")[::2] for line in text.splitlines() if line[:1] not in "#["]
    fine = {0, *(int(code) for key, codes in lines if key == "SuccessExitStatus"
                 for code in codes.split())}  # fmt: skip
    codes: list[int] = []
    for key, command in lines:
        if key in settings and fine.issuperset(codes):
            words = command.partition("/usr/bin/chroot-tool ")[2].split()
            codes.append(cli(*(str(path) if word == "%f" else word for word in words)).returncode)
    return codes if fine.issuperset(codes) else [*codes, -1]


@pytest.mark.parametrize("start", ["", "exit 0", "exit 3"])
def test_what_the_unit_has_switched_on_is_switched_off(
    cli: Cli, tiny_chroot: Path, start: str
) -> None:
    """Also where there is no `start` in it, which is no failure, and where that fails."""
    text = (CHECKOUT / "core/host/units" / boot.SERVICE).read_text()
    for name in ("chroot-cmd", "start", "stop"):
        (tiny_chroot / "chroot.d" / name).unlink(missing_ok=True)
    if start:
        script = tiny_chroot / "chroot.d/start"
        script.write_text(f"#!/bin/sh\n{start}\n")
        script.chmod(0o755)
    code = {"": 127, "exit 0": 0, "exit 3": 3}[start]
    has_failed = start == "exit 3"
    assert as_systemd(cli, text, tiny_chroot, "ExecStart") == [0, code, *[-1] * has_failed]
    assert mounts_below(tiny_chroot)
    settings = ("ExecStopPost",) if has_failed else ("ExecStop", "ExecStopPost")
    assert as_systemd(cli, text, tiny_chroot, *settings) == [0, 0] * len(settings)
    assert mounts_below(tiny_chroot) == []


def test_the_unit_starts_what_will_still_be_there(
    host: Path, tiny_chroot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boot, "ROOT", str(host))
    others = tiny_chroot.with_name("others")
    others.mkdir(mode=0o777)
    others.chmod(0o777)
    told: list[Event] = []
    program = f"{others}/chroot-tool.sh"
    LocalEngine("", installed=lambda: (program,)).enable(str(tiny_chroot), report=told.append)
    text = (host / "etc/systemd/system/chroot-tool@.service").read_text()
    assert f"ExecStart=:{program} on -d %f\n" in text
    said = [one.problem.message for one in told if isinstance(one, Warned)]
    assert any("who can write it is root at the next boot" in line for line in said)


def test_what_can_not_be_looked_at_is_warned_of(
    host: Path, tiny_chroot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a loop of links, or a file that goes while the others are looked at."""
    monkeypatch.setattr(boot, "ROOT", str(host))
    loop = tiny_chroot.with_name("loop")
    loop.symlink_to(loop)
    told: list[Event] = []
    engine = LocalEngine("", installed=lambda: (str(loop),))
    assert engine.enable(str(tiny_chroot), report=told.append)
    assert wanted(tiny_chroot) in links(host)
    said = [one.problem.message for one in told if isinstance(one, Warned)]
    assert any(f"is not known: {loop}" in line for line in said), said


@pytest.mark.parametrize("by", ["us", "the administrator"])
def test_whose_unit_counts(booting: Cli, host: Path, tiny_chroot: Path, by: str) -> None:
    """A package's replaces ours of before; what the administrator wrote stays."""
    own = host / "etc/systemd/system/chroot-tool@.service"
    packaged = host / "usr/lib/systemd/system/chroot-tool@.service"
    if by == "us":
        booting.ok("enable", "-d", tiny_chroot)
    else:
        own.write_text("[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=chroot-tool.target\n")
    packaged.parent.mkdir(parents=True)
    packaged.write_text("[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=chroot-tool.target\n")
    (packaged.parent / "chroot-tool.target").write_text("[Install]\nWantedBy=multi-user.target\n")
    booting.ok("enable", "-d", tiny_chroot)
    assert own.exists() == (by != "us")
    assert wanted(tiny_chroot) in links(host)


def test_rename_and_delete_take_it_along(booting: Cli, host: Path, tiny_chroot: Path) -> None:
    booting.ok("enable", "-d", tiny_chroot)
    new = tiny_chroot.with_name("another")
    booting.ok("rename", "-d", tiny_chroot, "another")
    try:
        assert links(host) == {wanted(new), "multi-user.target.wants/chroot-tool.target"}
        assert booting.json("status", "-d", new)["enabled"] is True
    finally:
        booting.ok("delete", "-d", new, "--yes")
    assert links(host) == {"multi-user.target.wants/chroot-tool.target"}


def test_now_wants_a_systemd_that_runs(booting: Cli, host: Path, tiny_chroot: Path) -> None:
    done = booting("enable", "--now", "-d", tiny_chroot)
    assert (done.returncode, links(host)) == (1, set())
    assert "systemd does not run here" in done.stderr
    assert "hint: leave --now out" in done.stderr


def test_without_systemd_it_says_so(tiny_chroot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chroot_tool.core.programs.find", lambda _name: None)
    with pytest.raises(ChrootError, match="no systemd here") as failed:
        LocalEngine("/srv/chroot").enable(str(tiny_chroot))
    assert f"chroot-tool on -d {tiny_chroot}" in failed.value.hint


def test_what_is_no_chroot_is_not_enabled(booting: Cli, tmp_path: Path) -> None:
    done = booting("enable", "-d", tmp_path)
    assert done.returncode == 1
    assert "is no chroot" in done.stderr


@pytest.mark.slow
def test_the_ui_is_told(host: Path, tiny_chroot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also by somebody else, and the first time, when the directory of links is not there yet."""
    monkeypatch.setattr(boot, "ROOT", str(host))
    watcher = Watcher(str(tiny_chroot.parent))
    try:

        def enabled() -> list[bool]:
            return [one.enabled for one in watcher.snapshot().chroots if one.name == "tiny"]

        def see(expected: list[bool]) -> None:
            for _ in range(100):
                if enabled() == expected:
                    return
                watcher.wait()
            pytest.fail("it was not told")

        assert enabled() == [False]
        LocalEngine("").enable(str(tiny_chroot))
        see([True])
        LocalEngine("").disable(str(tiny_chroot))
        see([False])
        LocalEngine("").enable(str(tiny_chroot))
        see([True])
    finally:
        watcher.close()
    assert os.path.isdir(host)
