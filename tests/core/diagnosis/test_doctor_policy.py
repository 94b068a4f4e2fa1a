"""What the administrator allows, as the doctor sees it; and that mending keeps to it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from chroot_tool.core import chroot
from chroot_tool.core.diagnosis import bind_entries, mounts
from chroot_tool.core.diagnosis.finding import OK, PROBLEM
from chroot_tool.core.verbs import doctor
from support import Cli, mounts_below
from support.doctor import host, of, said, worst

pytestmark = pytest.mark.root


@pytest.fixture
def etc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The administrator's directory."""
    folder = tmp_path / "etc"
    folder.mkdir()
    monkeypatch.setattr(chroot, "ADMINISTRATOR", str(folder))
    return folder


def test_a_policy_that_can_be_read_and_one_that_can_not(etc: Path) -> None:
    assert worst(bind_entries.policy(host())).severity == OK
    (etc / "policy.toml").write_text('deny_sources = ["/home"]\n')
    assert worst(bind_entries.policy(host())).severity == OK
    (etc / "policy.toml").write_text('deny_sources = ["home"]\nallow_dev = "none"\n')
    assert [severity for severity, _ in said(bind_entries.policy(host()))] == [PROBLEM, PROBLEM]
    (etc / "policy.toml").write_text("")
    (etc / "policy.toml").chmod(0o666)
    found = worst(bind_entries.policy(host()))
    assert (found.severity, "not root's alone" in found.found) == (PROBLEM, True)


@pytest.mark.slow
def test_an_entry_that_is_not_allowed_is_a_problem_and_not_mended(
    cli: Cli, tiny_chroot: Path, etc: Path
) -> None:
    cli.ok("bind", "add", "-d", tiny_chroot, "--source", "/usr", "--target", "/src")
    cli.ok("on", "-d", tiny_chroot)
    subprocess.run(["umount", tiny_chroot / "src"], check=True)
    assert worst(mounts.drift(of(tiny_chroot))).mends
    before = mounts_below(tiny_chroot)

    (etc / "policy.toml").write_text('deny_sources = ["/usr"]\n')
    found = worst(mounts.mountable(of(tiny_chroot)))
    assert (found.severity, "deny_sources has /usr" in found.found) == (PROBLEM, True)
    assert not worst(mounts.drift(of(tiny_chroot))).mends
    assert not doctor.mend(of(tiny_chroot))

    (etc / "policy.toml").write_text("nonsense = 1\n")  # then nobody knows what is allowed
    assert worst(bind_entries.configuration(of(tiny_chroot))).severity == PROBLEM
    assert not doctor.mend(of(tiny_chroot))
    assert mounts_below(tiny_chroot) == before


@pytest.mark.slow
def test_a_host_cmd_that_would_be_run_and_one_that_would_not(tiny_chroot: Path, etc: Path) -> None:
    assert worst(bind_entries.host_cmd(of(tiny_chroot))).found == "there is none"
    command = tiny_chroot / "chroot.d/host-cmd"
    command.write_text("#!/bin/sh\n")
    command.chmod(0o755)
    assert worst(bind_entries.host_cmd(of(tiny_chroot))).severity == OK
    (etc / "policy.toml").write_text("allow_host_cmd = false\n")
    found = worst(bind_entries.host_cmd(of(tiny_chroot)))
    assert (found.severity, "allow_host_cmd = false" in found.found) == (PROBLEM, True)
    (etc / "policy.toml").unlink()
    command.parent.chmod(0o777)
    found = worst(bind_entries.host_cmd(of(tiny_chroot)))
    assert (found.severity, "is not run on the host" in found.found) == (PROBLEM, True)
