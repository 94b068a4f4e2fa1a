"""Chroots on their way between machines, over real sshds: the same as the original, or nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from support import Cli, kill, trees, wait_until
from support.ssh_hosts import SshHost, SshHosts

pytestmark = [pytest.mark.root, pytest.mark.slow]


class Between:
    """The command line here, and two machines, the first with a chroot `deb`."""

    def __init__(self, cli: Cli, hosts: SshHosts) -> None:
        self.cli, self.hosts = cli, hosts
        self.one, self.two = (hosts.hosts[name] for name in ("one", "two"))
        self.deb = self.one.base / "deb"

    def __call__(self, *args: str | Path) -> subprocess.CompletedProcess[str]:
        return self.cli(*args, env=self.hosts.environment())

    def ok(self, *args: str | Path) -> str:
        done = self(*args)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self, *args: str | Path) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.cli.argv(*args), env=self.hosts.environment(), stderr=subprocess.PIPE, text=True,
            start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )  # fmt: skip


@pytest.fixture
def between(cli: Cli, hosts: SshHosts, tiny_template: Path) -> Iterator[Between]:
    one, _ = hosts.add("one", "two")
    subprocess.run(["cp", "-a", tiny_template, one.base / "deb"], check=True)
    yield Between(cli, hosts)
    for host in hosts.hosts.values():
        for root in host.base.iterdir():
            trees.unseal(root)


def names(host: SshHost) -> list[str]:
    return sorted(os.listdir(host.base))


def large(root: Path) -> None:
    """Put in more than all pipes and buffers on the way hold."""
    for number in range(3):
        (root / f"root/more{number}").write_bytes(os.urandom(64 << 20))


def test_from_one_machine_to_the_other_attribute_for_attribute(between: Between) -> None:
    (between.deb / "all").mkdir()
    trees.everything(between.deb / "all", deep=15)
    trees.set_flags(between.deb / "etc/passwd", trees.IMMUTABLE)
    os.setxattr(between.deb, "user.top", b"kept")
    (between.deb / "chroot.d/tool.conf").write_text("[exclude]\nall\n")
    before = trees.describe(between.deb)
    said = between.ok("clone", "-d", "one:deb", "two:copy", "--exact", "--json").splitlines()
    events = [json.loads(line) for line in said]
    assert events[-1] | {"entries": 0} == {
        "event": "done", "chroot": str(between.two.base / "copy"), "state": "off",
        "from": str(between.deb), "method": "stream", "entries": 0, "size": 0,
    }  # fmt: skip
    after = trees.describe(between.two.base / "copy")
    assert {path: facts for path, facts in after.items() if before.get(path) != facts} == {}
    assert before.keys() == after.keys()
    fractions = [event["fraction"] for event in events if event.get("fraction") is not None]
    assert fractions == sorted(fractions)
    assert len(fractions) > 2


def test_names_are_settled_as_a_clones_are(between: Between) -> None:
    etc = between.deb / "etc"
    etc.mkdir(exist_ok=True)
    (etc / "hostname").write_text("deb\n")
    (etc / "machine-id").write_text(f"{'0' * 32}\n")
    (etc / "ssh").mkdir()
    (etc / "ssh/ssh_host_rsa_key").touch()
    done = between("clone", "-d", "one:deb", "two:copy")
    assert done.returncode == 0, done.stderr
    copy = between.two.base / "copy/etc"
    assert (copy / "hostname").read_text() == "copy\n"
    assert (copy / "machine-id").read_bytes() == b""
    assert os.listdir(copy / "ssh") == []
    assert "two:" in done.stderr
    assert "keys of its ssh server are gone" in done.stderr
    assert (etc / "hostname").read_text() == "deb\n"


def test_to_here_and_from_here_and_there(between: Between, tmp_path: Path) -> None:
    between.ok("clone", "-d", "one:deb", tmp_path / "here", "--exact")
    assert trees.differences(between.deb, tmp_path / "here") == []
    between.ok("clone", "-d", tmp_path / "here", "two:copy", "--exact")
    assert trees.differences(between.deb, between.two.base / "copy") == []
    between.ok("clone", "-d", "two:copy", "two:again", "--exact")
    between.ok("clone", "-H", "two", "-d", "copy", "third", "--exact")
    assert names(between.two) == ["again", "copy", "third"]


def test_an_archive_comes_here_and_goes_from_here(between: Between, tmp_path: Path) -> None:
    archive = tmp_path / "a.tar.zst"
    said = between.ok("pack", "-d", "one:deb", "-f", archive, "--checksum", "--json")
    assert json.loads(said.splitlines()[-1])["archive"] == str(archive)
    subprocess.run(["sha256sum", "-c", f"{archive}.sha256"], cwd=tmp_path, check=True)
    between.ok("unpack", "-f", archive, "-d", "two:copy")
    assert trees.differences(between.deb, between.two.base / "copy") == []
    with archive.open("ab") as file:
        file.write(b"more")
    done = between("unpack", "-f", archive, "-d", "two:other")
    assert (done.returncode, names(between.two)) == (1, ["copy"])
    assert "not what its checksum was made of" in done.stderr
    there = between.one.folder / "b.tar.zst"
    between.ok("pack", "-d", "one:deb", "-f", f"one:{there}")
    between.ok("unpack", "-d", "one:again", "-f", f"one:{there}")
    assert names(between.one) == ["again", "deb"]


def test_by_pipes(between: Between) -> None:
    env = between.hosts.environment()
    packing = subprocess.Popen(
        between.cli.argv("pack", "-d", "one:deb", "-f", "-"), env=env, stdout=subprocess.PIPE
    )
    done = subprocess.run(
        between.cli.argv("unpack", "-f", "-", "-d", "two:copy", "--sealed"), env=env,
        stdin=packing.stdout, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert packing.stdout
    packing.stdout.close()
    assert (packing.wait(), done.returncode, done.stdout) == (0, 0, ""), done.stderr
    assert trees.differences(between.deb, between.two.base / "copy") == []


@pytest.mark.parametrize("where", ["one", ""])
def test_an_archive_on_another_machine(between: Between, tmp_path: Path, where: str) -> None:
    """Of a machine's chroot, or of one here."""
    file = between.two.home / "deb.tar.zst"
    source = "one:deb" if where else str(between.deb)
    said = between.ok("pack", "-d", source, "-f", f"two:{file}", "--checksum", "--json")
    done = json.loads(said.splitlines()[-1])
    assert (done["event"], done["archive"]) == ("done", f"two:{file}")
    assert done["size"] == file.stat().st_size
    assert file.with_name(f"{file.name}.sha256").read_text().split()[0] == done["sha256"]
    assert done["count"] > 10
    assert file.stat().st_mode & 0o777 == 0o600
    assert sorted(os.listdir(file.parent)) == ["deb.tar.zst", "deb.tar.zst.sha256"]
    between.ok("unpack", "-f", file, "-d", tmp_path / "copy")
    assert trees.differences(between.deb, tmp_path / "copy") == []


@pytest.mark.parametrize("way", ["ctrl+c", "killed", "one", "two"])
def test_an_archive_that_was_cut_off_is_none(between: Between, way: str) -> None:
    large(between.deb)
    there = between.two.home
    (there / "deb.tar.zst").write_text("of yesterday")
    with between.start("pack", "-d", "one:deb", "-f", f"two:{there}/deb.tar.zst") as packing:
        wait_until(lambda: (there / ".deb.tar.zst.part").exists())
        if way == "ctrl+c":
            os.killpg(packing.pid, signal.SIGINT)
        elif way == "killed":
            packing.kill()
        else:
            between.hosts.hosts[way].stop()
        assert packing.stderr
        said = packing.stderr.read()
        assert packing.wait(60) == {"ctrl+c": 130, "killed": -9}.get(way, 1), said
    if way in ("one", "two"):
        assert f"chroot-tool: {way}: " in said
    assert (there / "deb.tar.zst").read_text() == "of yesterday"
    if way != "two":  # what is killed leaves what the next one takes over
        wait_until(lambda: os.listdir(there) == ["deb.tar.zst"])


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (("clone", "-d", "one:none", "two:x"), "none"),
        (("clone", "-d", "one:deb", "two:full"), "one of its own: two"),
        (("pack", "-d", "one:deb", "-f", "two:x.tar.xz"), "is compressed by zstd"),
        (("pack", "-d", "one:deb", "--oci", "-f", "two:x"), "-f one:/DIR.oci"),
        (("pack", "-d", "one:deb", "-f", "two:/nowhere/x.tar.zst"), "two: cannot write /nowhere/x"),
        (("pack", "-d", "one:deb", "-f", "x.tar.xz"), "is compressed by zstd"),
        (("unpack", "-d", "one:x", "-f", "two:x.tar.zst"), "is not unpacked on one"),
        (("unpack", "-d", "two:x", "-f", "/dev/null"), "no regular file"),
        (("unpack", "-d", "two:x", "-f", "/etc/passwd"), "/etc/passwd"),
    ],
)
def test_what_cannot_be(between: Between, words: tuple[str, ...], wanted: str) -> None:
    (between.two.base / "full/there").mkdir(parents=True)
    done = between(*words)
    assert done.returncode in (1, 2)
    if wanted.startswith("one of its own"):
        # How far it was may have been told before, or not.
        assert any(line.startswith("chroot-tool: two: ") for line in done.stderr.splitlines())
        wanted = "full"
    assert wanted in done.stderr
    assert (names(between.one), names(between.two)) == (["deb"], ["full"])


@pytest.mark.parametrize("which", ["one", "two"])
def test_a_machine_that_goes_meanwhile_makes_no_chroot(between: Between, which: str) -> None:
    large(between.deb)
    with between.start("clone", "-d", "one:deb", "two:copy") as cloning:
        wait_until(lambda: (between.two.base / "copy").exists())
        between.hosts.hosts[which].stop()
        assert cloning.stderr
        said = cloning.stderr.read()
        assert cloning.wait(60) == 1
    assert f"chroot-tool: {which}: " in said
    between.hosts.hosts[which].start()
    if which == "one":
        assert names(between.two) == []
    else:  # what was killed there is known for what it is
        left = json.loads(between.ok("list", "-H", "two", "--json"))
        assert [one["state"] for one in left] in ([], ["incomplete"])
        between.ok("clone", "-d", "one:deb", "two:copy", "--exact")
        assert trees.differences(between.deb, between.two.base / "copy") == []


def test_ctrl_c_leaves_nothing_at_either_end(between: Between) -> None:
    large(between.deb)
    with between.start("clone", "-d", "one:deb", "two:copy") as cloning:
        wait_until(lambda: (between.two.base / "copy").exists())
        os.killpg(cloning.pid, signal.SIGINT)
        assert cloning.stderr
        said = cloning.stderr.read()
        assert cloning.wait(60) == 130, said
    # On a machine that is busy it is still at it when it is waited for no longer.
    wait_until(lambda: names(between.two) == [])
    assert names(between.one) == ["deb"]


def test_killed_it_leaves_nothing_at_the_other_end(between: Between) -> None:
    large(between.deb)
    with between.start("clone", "-d", "one:deb", "two:copy") as cloning:
        wait_until(lambda: (between.two.base / "copy").exists())
        kill([cloning.pid])
    wait_until(lambda: names(between.two) == [])
    wait_until(lambda: "tar" not in names_of_children())


def names_of_children() -> list[str]:
    """What this process has started, and those have, and is there still."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            found.append(process.name())
    return found


def test_a_stream_that_ends_too_early_is_no_chroot(cli: Cli, tiny_chroot: Path) -> None:
    whole = cli.binary("pack", "-d", tiny_chroot, "-f", "-").stdout
    place = tiny_chroot.with_name("again")
    for cut in (len(whole) - 1, len(whole) - 26, len(whole) // 2, 3, 0):
        done = subprocess.run(
            cli.argv("unpack", "-f", "-", "-d", place, "--sealed"), env=cli.environment(),
            input=whole[:cut], capture_output=True, check=False,
        )  # fmt: skip
        assert done.returncode == 1
        assert b"ended before its end" in done.stderr, done.stderr
        assert not place.exists()
