"""`create` as a user runs it: a real debootstrap from a real mirror, finished, cut off and broken.

A whole one takes half a minute, so one finished Debian serves many tests (`base_chroot`), and one
directory goes through a whole story.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from chroot_tool.core.creating import mirror
from chroot_tool.core.creating.options import CreateOptions, default_options
from chroot_tool.core.errors import ChrootError
from chroot_tool.core.host import apt_sources
from support import Cli, mounts_below, wait_until
from support.creating import (
    MARKER,
    Create,
    counting_proxy,
    inside,
    processes_about,
    text,
)

pytestmark = [pytest.mark.root, pytest.mark.network]


# -- finished -------------------------------------------------------------------------------------


def test_a_finished_one_works_and_shows_no_trace(base_chroot: Path) -> None:
    assert not (base_chroot / MARKER).exists()
    assert not (base_chroot / "debootstrap").exists()
    assert base_chroot.stat().st_mode & 0o7777 == 0o755
    assert inside(base_chroot, "apt-get", "--version").returncode == 0
    assert inside(base_chroot, "dpkg", "--audit").stdout == ""
    assert list((base_chroot / "var/cache/apt/archives").glob("*.deb")) == []


def test_names_locale_zone_and_sources(base_chroot: Path) -> None:
    options = default_options(CreateOptions())
    assert text(base_chroot, "etc/hostname") == "debian\n"
    names = " ".join(dict.fromkeys((os.uname().nodename, "debian")))
    assert f"127.0.1.1 {names}\n" in text(base_chroot, "etc/hosts")
    assert inside(base_chroot, "getent", "hosts", os.uname().nodename).returncode == 0
    prompt = inside(base_chroot, "bash", "-ic", 'echo "${PS1@P}"').stdout
    assert prompt.startswith("(debian)root@")
    assert text(base_chroot, "etc/default/locale") == "LANG=C.UTF-8\n"
    assert text(base_chroot, "etc/timezone") == f"{options.timezone}\n"
    zone = os.readlink(base_chroot / "etc/localtime")
    assert zone == f"/usr/share/zoneinfo/{options.timezone}"
    assert text(base_chroot, "etc/resolv.conf") == Path("/etc/resolv.conf").read_text()
    wanted = {s.suite for s in apt_sources.sources() if s.suite.startswith(options.suite)}
    lines = text(base_chroot, "etc/apt/sources.list").splitlines()
    assert wanted <= {line.split()[2] for line in lines}
    assert len(lines) == len(set(lines))


def test_packages_start_no_daemons(base_chroot: Path) -> None:
    done = inside(base_chroot, "/usr/sbin/policy-rc.d", "ssh", "start")
    assert done.returncode == 101


def test_chroot_cmd_answers_its_words_and_executes_the_rest(base_chroot: Path) -> None:
    command = "/chroot.d/chroot-cmd"
    for word in ("start", "stop", "restart", "update"):
        assert inside(base_chroot, command, word).returncode == 0
    assert inside(base_chroot, command, "echo", "a b", "*").stdout == "a b *\n"
    assert inside(base_chroot, command, "sh", "-c", "exit 7").returncode == 7
    assert inside(base_chroot, command, "start", "now").returncode == 127
    assert inside(base_chroot, command, "no-such-command").returncode == 127


# -- one directory's story ------------------------------------------------------------------------


def test_killed_then_interrupted_then_finished(
    cli: Cli, tmp_path: Path, little_mirror: str
) -> None:
    root = tmp_path / "story"
    (root / "chroot.d").mkdir(parents=True)
    (root / "chroot.d/tool.conf").write_text("# mine\n")
    (root / "chroot.d").chmod(0o750)

    killed = Create(cli, "-d", root, "--no-cache", "--mirror", little_mirror)
    killed.until("unpacking required packages")
    assert killed.ended_by(signal.SIGKILL) == -signal.SIGKILL
    wait_until(lambda: not processes_about(root))
    assert mounts_below(root) == []
    assert sorted(os.listdir(root)) == [MARKER, "chroot.d"]
    assert (root / MARKER).stat().st_mode & 0o7777 == 0o700
    assert cli.json("status", "-d", root)["state"] == "incomplete"
    assert cli("on", "-d", root).returncode == 1

    interrupted = Create(cli, "-d", root, "--no-cache", "--mirror", little_mirror)
    interrupted.until("downloading packages")
    assert cli.json("status", "-d", root)["state"] == "creating"
    assert cli("create", "-d", root, "--mirror", little_mirror).returncode == 4
    assert interrupted.ended_by(signal.SIGINT) == 130
    assert f"{root} itself was there before" in interrupted.error["message"]
    assert os.listdir(root) == ["chroot.d"]
    wait_until(lambda: not processes_about(root))

    finished = Create(
        cli, "-d", root, "--locale", "de_DE.UTF-8", "--timezone", "Europe/Berlin",
        "--include", "less", "--mirror", little_mirror, umask=0o077,
    )  # fmt: skip
    assert finished.end() == 0
    assert finished.fractions == sorted(finished.fractions)
    assert finished.fractions[-1] == 1.0
    assert not [name for name in os.listdir(root) if name.startswith(".")]
    assert sorted(os.listdir(root / "chroot.d")) == ["chroot-cmd", "tool.conf"]
    assert (root / "chroot.d/tool.conf").read_text() == "# mine\n"
    assert (root / "chroot.d").stat().st_mode & 0o7777 == 0o750
    nobody = subprocess.run(
        ["chroot", "--userspec=nobody", root, "locale", "-a"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "de_DE.utf8" in nobody.stdout
    assert text(root, "etc/default/locale") == "LANG=de_DE.UTF-8\n"
    assert inside(root, "date", "-d", "2026-01-01 12:00 UTC", "+%Z %H").stdout == "CET 13\n"
    assert inside(root, "less", "--version").returncode == 0
    assert cli.json("status", "-d", root)["state"] == "off"
    assert cli("create", "-d", root).returncode == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_cut_off_early(cli: Cli, tmp_path: Path, number: signal.Signals) -> None:
    root = tmp_path / "new/deep/early"
    running = Create(cli, "-d", root, "--no-cache")
    running.until("downloading the package lists")
    running.ended_by(number)
    wait_until(lambda: not processes_about(root))
    if number == signal.SIGTERM:
        assert os.listdir(tmp_path) == []
    else:
        cli.ok("delete", "--yes", "-d", root)
        assert not root.exists()


# -- what goes wrong on the way -------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=450M", "small", place], check=True)
    yield place
    subprocess.run(["umount", place], check=True)


def test_a_disk_that_fills_on_the_way(cli: Cli, small_disk: Path, little_mirror: str) -> None:
    root = small_disk / "deb"
    running = Create(cli, "-d", root, "--no-cache", "--mirror", little_mirror)
    running.until("resolving dependencies")
    with (small_disk / "filler").open("wb") as filler:
        os.posix_fallocate(filler.fileno(), 0, 370 << 20)
    assert running.end() == 1
    assert running.error["message"] == "debootstrap failed: no space left on device"
    assert os.listdir(small_disk) == ["filler"]


def test_a_mirror_that_loses_packages(cli: Cli, tmp_path: Path, little_mirror: str) -> None:
    with counting_proxy(refused=["/pool/"]) as (proxy, _):
        done = cli("create", "-d", tmp_path / "deb", "--mirror", little_mirror, "--proxy", proxy)
    assert done.returncode == 1
    message, hint = done.stderr.splitlines()[-2:]
    assert message.startswith("chroot-tool: debootstrap failed: Couldn't download packages: ")
    assert hint.startswith("hint: its last words: ")
    assert os.listdir(tmp_path) == []


def test_a_release_file_that_was_changed(cli: Cli) -> None:
    options = default_options(CreateOptions())
    keys = mirror.keyring(options.suite)
    release = mirror.find_release((options.mirror,), options.suite)
    mirror.check_signature(release, keys)
    changed = release.replace(text=release.text.replace(b"Origin: Debian", b"Origin: Nobody"))
    assert changed != release
    with pytest.raises(ChrootError, match="no valid signature"):
        mirror.check_signature(changed, keys)


def test_mmdebstrap_makes_the_same(cli: Cli, base_chroot: Path, tmp_path: Path) -> None:
    if not os.path.exists("/usr/bin/mmdebstrap"):
        pytest.skip("mmdebstrap is not installed")
    root = tmp_path / "mm"
    running = Create(cli, "-d", root, "--backend", "mmdebstrap")
    assert running.end() == 0, running.events[-5:]
    assert running.fractions == sorted(running.fractions)
    assert not (root / MARKER).exists()
    assert inside(root, "apt-get", "--version").returncode == 0
    assert text(root, "etc/hostname") == "mm\n"
    versions = inside(base_chroot, "dpkg-query", "-W").stdout
    assert len(versions.splitlines()) > 50
    assert inside(root, "dpkg-query", "-W").stdout == versions
