"""Other tools use what this one makes, and this one what they have: run for real where it can be.

schroot reads a directory of the test's own, bound over that of the host in the test's namespace.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import Cli, detach, mounts_below

pytestmark = pytest.mark.root


@pytest.fixture
def schroot(tmp_path: Path) -> Iterator[Path]:
    """What /etc/schroot/chroot.d and its sessions are for this test."""
    over = {
        tmp_path / "conf": Path("/etc/schroot/chroot.d"),
        tmp_path / "fstabs": Path("/etc/schroot/chroot-tool"),
        tmp_path / "session": Path("/var/lib/schroot/session"),
        tmp_path / "overlay": Path("/var/lib/schroot/union/overlay"),
        tmp_path / "underlay": Path("/var/lib/schroot/union/underlay"),
        tmp_path / "mount": Path("/run/schroot/mount"),
    }
    etc = tmp_path / "etc"
    shutil.copytree("/etc/schroot", etc, symlinks=True)
    (etc / "chroot-tool").mkdir(exist_ok=True)
    # What its profile for sbuild binds is sbuild's own.
    theirs, build = Path("/var/lib/sbuild/build"), tmp_path / "build"
    build.mkdir()
    if theirs.exists():  # not with Debian 13's
        shutil.chown(build, theirs.owner(), theirs.group())
    profile = etc / "sbuild/fstab"
    profile.write_text(profile.read_text().replace(str(theirs), str(build)))
    bound = ["/etc/schroot"]
    subprocess.run(["mount", "--bind", etc, "/etc/schroot"], check=True)
    for own, place in over.items():
        own.mkdir()
        if place.is_dir():
            subprocess.run(["mount", "--bind", own, place], check=True)
            bound.append(str(place))
    yield tmp_path
    left = mounts_below(tmp_path / "mount")
    detach([*bound, *left])
    assert left == []


def in_session(name: str, *words: str) -> str:
    command = ["schroot", "-c", name, "-d", "/", "--", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("state", ["off", "on"])
def test_schroot_uses_it(
    cli: Cli, tiny_chroot: Path, schroot: Path, tmp_path: Path, state: str
) -> None:
    source = tmp_path / "my source"
    source.mkdir()
    (source / "file").write_text("hello\n")
    cli.ok("bind", "add", "-d", tiny_chroot, "--source", source, "--target", "/src")
    if state == "on":
        cli.ok("on", "-d", tiny_chroot)
    before = mounts_below(tiny_chroot)
    (schroot / "conf/tiny.conf").write_text(cli.ok("export", "schroot", "-d", tiny_chroot))
    fstab = cli.ok("export", "schroot", "--fstab", "-d", tiny_chroot)
    (schroot / "fstabs/tiny.fstab").write_text(fstab)
    said = in_session("tiny", "/bin/sh", "-c", "cat /src/file; ls -d /proc/self /dev/null")
    assert said.split() == ["hello", "/dev/null", "/proc/self"]
    assert mounts_below(tiny_chroot) == before


@pytest.mark.slow
@pytest.mark.parametrize("state", ["off", "on"])
def test_what_sbuild_gets_stays_as_it_is(
    cli: Cli, tiny_chroot: Path, schroot: Path, state: str
) -> None:
    if state == "on":
        cli.ok("on", "-d", tiny_chroot)
    (tiny_chroot / "etc/os-release").write_text("VERSION_CODENAME=bookworm\n")
    text = cli.ok("export", "sbuild", "-d", tiny_chroot)
    (schroot / "conf/sbuild.conf").write_text(text)
    name = text.partition("[")[2].partition("]")[0]
    assert name.startswith("bookworm-")
    assert in_session(name, "/bin/sh", "-c", "touch /new && ls -d /new") == "/new\n"
    assert not (tiny_chroot / "new").exists()
    (schroot / "conf/second.conf").write_text(
        cli.ok("export", "sbuild", "-d", tiny_chroot, "--name", "second")
    )
    assert in_session("second", "/bin/true") == ""  # schroot takes both


def test_what_schroot_has_is_taken_over(
    cli: Cli, tiny_chroot: Path, schroot: Path, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (schroot / "conf/theirs").write_text(
        f"[theirs]\ntype=directory\ndirectory={tiny_chroot}\nsetup.fstab=chroot-tool/theirs\n"
        "[image]\ntype=file\nfile=/x.tar\n"
    )
    (schroot / "fstabs/theirs").write_text(
        f"/proc /proc none rw,bind 0 0\n# a comment\n{source} /src none ro,bind 0 0\n"
    )
    planned = cli.ok("import", "schroot", "--dry-run")
    assert "would get binds: /src" in planned
    assert not (tiny_chroot / "chroot.d/chroot.toml").exists()
    said = {line.split()[0]: line for line in cli.ok("import", "schroot").splitlines()}
    assert "got binds: /src" in said["theirs"]
    assert "not a directory, but file" in said["image"]
    [bind] = [b for b in cli.json("bind", "list", "-d", tiny_chroot) if b["target"] == "/src"]
    assert (bind["source"], "ro" in bind["options"]) == (str(source), True)
    assert "usable as it is" in cli.ok("import", "schroot")
    cli.ok("on", "-d", tiny_chroot)


def test_what_could_not_be_taken_over_is_a_failure_and_the_rest_is_done(
    cli: Cli, tiny_chroot: Path, schroot: Path, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (tmp_path / "no-chroot").mkdir()
    (schroot / "conf/all").write_text(
        "[a-gone]\ntype=directory\ndirectory=/nonexistent\n"
        f"[b-empty]\ntype=directory\ndirectory={tmp_path}/no-chroot\n"
        f"[c-fine]\ntype=directory\ndirectory={tiny_chroot}\nsetup.fstab=chroot-tool/fine\n"
    )
    (schroot / "fstabs/fine").write_text(f"{source} /src none rw,bind 0 0\n")
    assert cli("import", "schroot", "--dry-run").returncode == 1
    done = cli("import", "schroot")
    said = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert done.returncode == 1
    assert "is not there" in said["a-gone"]
    assert "is no chroot" in said["b-empty"]
    assert "got binds: /src" in said["c-fine"]


def test_machines_of_nspawn_are_found_where_they_are(
    cli: Cli, tiny_chroot: Path, tmp_path: Path
) -> None:
    """/var/lib/machines is a base like any other; what is no directory is passed over."""
    machines = tmp_path / "machines"
    machines.mkdir()
    shutil.copytree(tiny_chroot, machines / "one", symlinks=True)
    shutil.rmtree(machines / "one/chroot.d")  # nobody has made it for us
    (machines / "image.raw").write_bytes(b"\0" * 512)
    (machines / ".#lock").touch()
    (machines / "link").symlink_to(machines / "one")
    assert [one["name"] for one in cli.json("list", "--base", machines)] == ["one"]


def test_exporting_what_is_no_chroot_is_an_error(cli: Cli, tmp_path: Path) -> None:
    done = cli("export", "nspawn", "-d", tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert cli("export", "nspawn", "--fstab", "-d", tmp_path).returncode == 2
    assert cli("export", "schroot", "-d", "build1:deb").returncode == 2
    said = cli("export", "ansible", "-d", "build1:/srv/x", env={"PATH": "/nonexistent"})
    assert said.returncode != 0
    assert os.path.isdir(tmp_path)
