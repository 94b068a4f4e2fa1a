"""Other tools use what this one makes, and this one what they have: run for real where it can be.

schroot reads a directory of the test's own, bound over that of the host in the test's namespace.
"""

from __future__ import annotations

import os
import shlex
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


SOURCE = {
    "debian/source/format": "3.0 (native)\n",
    "debian/changelog": "tiny (1.0) unstable; urgency=low\n\n  * All of it.\n\n"
    " -- Somebody <somebody@host.example>  Sat, 01 Jan 2022 00:00:00 +0000\n",
    "debian/control": "Source: tiny\nMaintainer: Somebody <somebody@host.example>\n"
    "Rules-Requires-Root: no\n\nPackage: tiny\nArchitecture: all\nDescription: made inside\n",
    "debian/rules": "#!/usr/bin/make -f\nclean build build-arch build-indep binary-arch:\n"
    "binary-indep binary:\n\tmkdir -p debian/tmp/DEBIAN\n\tcp /etc/debian_chroot debian/tmp/where\n"
    "\tdpkg-gencontrol\n\tdpkg-deb --root-owner-group --build debian/tmp ..\n",
}
"""A package that says where it was built."""
SBUILD = """
$core_depends = ["dpkg-dev"];
$dpkg_buildpackage_user_options = ["-d"];
$apt_distupgrade = 0;
$run_lintian = 0;
1;
"""
"""The package needs no compiler: the rest of build-essential is a quarter of it, and -d has nobody
mind."""


@pytest.mark.network
def test_sbuild_builds_a_package_in_it(
    cli: Cli, base_chroot: Path, schroot: Path, tmp_path: Path
) -> None:
    """By the command that is printed along; what all tests share stays as it is: an overlay."""
    text = cli.ok("export", "sbuild", "-d", base_chroot)
    (schroot / "conf/sbuild.conf").write_text(text)
    for name, content in SOURCE.items():
        file = tmp_path / "tiny-1.0" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    file.chmod(0o755)  # debian/rules
    subprocess.run(["dpkg-source", "-b", "tiny-1.0"], cwd=tmp_path, check=True)
    (tmp_path / "sbuildrc").write_text(SBUILD)
    [command] = [line.strip("# ") for line in text.splitlines() if "PACKAGE.dsc" in line]
    words = shlex.split(command.replace("PACKAGE.dsc", "tiny_1.0.dsc"))
    done = subprocess.run(
        [*words, "--arch-all"], cwd=tmp_path, capture_output=True, text=True, check=False,
        env=cli.environment() | {"SBUILD_CONFIG": str(tmp_path / "sbuildrc")},
    )  # fmt: skip
    logs = [log.read_text() for log in tmp_path.glob("*.build")]
    assert done.returncode == 0, "\n".join((done.stderr, *logs))
    packed = ["dpkg-deb", "--fsys-tarfile", "tiny_1.0_all.deb"]
    tar = subprocess.run(packed, cwd=tmp_path, capture_output=True, check=True).stdout
    where = subprocess.run(["tar", "-xO", "./where"], input=tar, capture_output=True, check=True)
    assert where.stdout.decode().strip() in text


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
