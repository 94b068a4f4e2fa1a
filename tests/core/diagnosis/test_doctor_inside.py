from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from chroot_tool.core.chroot import DELETING, MARKER
from chroot_tool.core.diagnosis import inside
from chroot_tool.core.diagnosis.finding import NOTE, OK, PROBLEM, WARNING
from chroot_tool.core.lock import Lock
from support import Cli, processes_below, wait_until
from support.doctor import bare_root, host, of, worst


def test_a_system_says_what_it_is(tmp_path: Path) -> None:
    root = bare_root(tmp_path)
    (root / "etc/os-release").write_text('PRETTY_NAME="Tiny"\n')
    assert worst(inside.system(of(root))).found == "Tiny"


def test_a_directory_without_one(tmp_path: Path) -> None:
    root = bare_root(tmp_path)
    (root / "bin/sh").unlink()
    assert worst(inside.system(of(root))).severity == PROBLEM


@pytest.mark.parametrize(("marker", "word"), [(MARKER, "creating"), (DELETING, "deleting")])
def test_an_unfinished_one(tmp_path: Path, marker: str, word: str) -> None:
    root = bare_root(tmp_path)
    Path(f"{root}{marker}").mkdir()
    found = worst(inside.system(of(root)))
    assert found.severity == PROBLEM
    assert found.found.startswith(word)


def test_one_that_is_being_made_just_now(tmp_path: Path) -> None:
    root = bare_root(tmp_path)
    Path(f"{root}{MARKER}").mkdir()
    with Lock(str(root)):
        assert worst(inside.system(of(root))).severity == NOTE


@pytest.mark.root
def test_who_lives_in_a_chroot_that_is_off(tiny_chroot: Path) -> None:
    assert worst(inside.left_behind(of(tiny_chroot))).found == "nobody lives inside"
    with subprocess.Popen(["chroot", tiny_chroot, "/bin/sleep", "1000"]) as process:
        try:
            words = Path(f"/proc/{process.pid}/cmdline")
            wait_until(lambda: words.read_bytes().startswith(b"/bin/sleep"), process)
            found = worst(inside.left_behind(of(tiny_chroot)))
            assert found.severity == WARNING
            assert f"{process.pid} sleep" in found.found
            subprocess.run(["mount", "-t", "tmpfs", "none", tiny_chroot / "tmp"], check=True)
            assert worst(inside.left_behind(of(tiny_chroot))).severity == OK
        finally:
            process.kill()


@pytest.mark.slow
@pytest.mark.root
def test_an_agent_that_nobody_waits_for(cli: Cli, tiny_chroot: Path) -> None:
    (tiny_chroot / "bin/gpg-agent").symlink_to("sleep")
    cli.ok("on", "-d", tiny_chroot)
    line = "gpg-agent 1000 >/dev/null 2>&1 &"
    cli.ok("run", "-d", tiny_chroot, "--", "/bin/sh", "-c", line)
    wait_until(lambda: "gpg-agent 1000 " in processes_below(tiny_chroot).values())
    found = worst(inside.left_behind(of(tiny_chroot)))
    assert found.severity == NOTE
    assert "gpg-agent" in found.found


@pytest.mark.root
def test_shared_memory_inside(cli: Cli, tiny_chroot: Path) -> None:
    assert worst(inside.shared_memory(of(tiny_chroot))).severity == OK
    cli.ok("on", "-d", tiny_chroot)
    assert worst(inside.shared_memory(of(tiny_chroot))).severity == OK
    (tiny_chroot / "dev/shm").chmod(0o755)
    found = worst(inside.shared_memory(of(tiny_chroot)))
    assert found.severity == WARNING
    subprocess.run(found.mend.split(), check=True)
    assert worst(inside.shared_memory(of(tiny_chroot))).severity == OK
    subprocess.run(["umount", tiny_chroot / "dev/shm"], check=True)
    found = worst(inside.shared_memory(of(tiny_chroot)))
    assert found.severity == WARNING
    cli.ok(*found.mend.split()[1:])
    assert worst(inside.shared_memory(of(tiny_chroot))).severity == OK
    subprocess.run(["umount", tiny_chroot / "dev/shm"], check=True)
    (tiny_chroot / "dev/shm").rmdir()
    (tiny_chroot / "dev/shm").symlink_to("/run/shm")
    assert worst(inside.shared_memory(of(tiny_chroot))).severity == PROBLEM


def test_shared_memory_that_is_left_out(tmp_path: Path) -> None:
    root = bare_root(tmp_path)
    (root / "chroot.d/tool.conf").write_text("[bind]\ntgt:/dev/shm ignore:yes\n")
    assert worst(inside.shared_memory(of(root))).severity == WARNING


def test_shared_memory_of_this_host() -> None:
    assert worst(inside.shared_memory(host())).severity == OK


@pytest.mark.parametrize(
    ("options", "severity"),
    [("noexec,nosuid,nodev,mode=1777", WARNING), ("exec,nosuid,mode=1777", OK)],
)
def test_tmp_where_nothing_can_be_run(tmp_path: Path, options: str, severity: str) -> None:
    root = bare_root(tmp_path)
    (root / "chroot.d/tool.conf").write_text(f"[bind]\ntgt:/tmp fs:tmpfs opt:{options}\n")
    found = worst(inside.temporary(of(root)))
    assert found.severity == severity, found


@pytest.mark.root
def test_tmp_where_only_root_can_write(cli: Cli, tiny_chroot: Path) -> None:
    cli.ok("on", "-d", tiny_chroot)
    assert worst(inside.temporary(of(tiny_chroot))).severity == OK
    (tiny_chroot / "tmp").chmod(0o755)
    assert worst(inside.temporary(of(tiny_chroot))).severity == WARNING
