"""Chroots on their way between machines, over real sshds: the same as the original, or nothing."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from chroot_tool.core.lock import Lock
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


def hold_back(between: Between) -> None:
    """Have it on its way, and not come to its end, until it is interrupted."""
    (between.deb / "root/more").write_bytes(os.urandom(64 << 20))
    between.one.hold_back()


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
    hold_back(between)
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


PACKED = ("zst", "xz", "gz", "tar")
"""How the archives are packed that are unpacked: one that another machine sends has a seal."""


def archive_of(root: Path, kind: str, place: Path) -> Path:
    """Pack *root* into `deb.*` in *place*, by GNU tar; return its path."""
    archive = place / (f"deb.tar.{kind}" if kind != "tar" else "deb.tar")
    subprocess.run(
        ["tar", "-C", root, "--auto-compress", "--xattrs", "-cf", archive, "."], check=True
    )
    return archive


@pytest.mark.parametrize("kind", PACKED)
def test_an_archive_of_another_machine(between: Between, kind: str) -> None:
    archive = archive_of(between.deb, kind, between.two.home)
    said = between.ok("unpack", "-f", f"two:{archive}", "-d", "one:copy", "--json").splitlines()
    events = [json.loads(line) for line in said]
    assert events[-1]["event"] == "done"
    assert events[-1]["count"] > 10
    fractions = [event["fraction"] for event in events if event.get("fraction") is not None]
    assert fractions == sorted(fractions)
    assert len(fractions) > 1
    assert trees.differences(between.deb, between.one.base / "copy") == []


def test_what_stands_beside_an_archive_there(between: Between, tmp_path: Path) -> None:
    """Its checksum is that beside it; what else was asked for goes along."""
    place = f"two:{between.two.home}/deb.tar.zst"
    (between.deb / "etc").mkdir(exist_ok=True)
    (between.deb / "etc/hostname").write_text("deb\n")
    between.ok("pack", "-d", "one:deb", "-f", place, "--checksum")
    between.ok("unpack", "-f", place, "-d", tmp_path / "copy")
    assert trees.differences(between.deb, tmp_path / "copy") == []
    between.ok("unpack", "-f", place, "-d", "one:named", "--new-names")
    assert (between.one.base / "named/etc/hostname").read_text() == "named\n"
    done = between("unpack", "-f", place, "-d", "one:other", "--sealed")
    assert (done.returncode, names(between.one)) == (1, ["deb", "named"])
    assert "two: /" in done.stderr
    assert "ended before its end" in done.stderr
    with (between.two.home / "deb.tar.zst").open("ab") as file:
        file.write(b"more")
    done = between("unpack", "-f", place, "-d", "one:other")
    assert (done.returncode, names(between.one)) == (1, ["deb", "named"])
    assert "not what its checksum was made of" in done.stderr
    assert "two: /" in done.stderr


@pytest.mark.parametrize("way", ["ctrl+c", "killed", "one", "two", "changed"])
def test_an_archive_of_another_machine_that_is_cut_off_is_no_chroot(
    between: Between, way: str
) -> None:
    large(between.deb)
    archive = archive_of(between.deb, "tar", between.two.home)
    # What was sent so far is on its way, the rest waits: a pipe in the middle is not read.
    gate = between.one.folder / "gate"
    real = between.one.bin / "chroot-tool.real"
    (between.one.bin / "chroot-tool").rename(real)
    wait = f"head -c 30000000; until [ -e {gate} ]; do sleep 0.02; done; exec cat"
    between.one.write_program(
        "chroot-tool",
        f'case " $* " in *" unpack "*) {{ {wait}; }} | {real} "$@";; *) exec {real} "$@";; esac',
    )
    with between.start("unpack", "-f", f"two:{archive}", "-d", "one:copy") as unpacking:
        wait_until(lambda: (between.one.base / "copy").exists())
        if way == "ctrl+c":
            os.killpg(unpacking.pid, signal.SIGINT)
        elif way == "killed":
            unpacking.kill()
        elif way == "changed":
            os.truncate(archive, 100 << 20)
        else:
            between.hosts.hosts[way].stop()
        gate.touch()
        assert unpacking.stderr
        said = unpacking.stderr.read()
        assert unpacking.wait(60) == {"ctrl+c": 130, "killed": -9}.get(way, 1), said
    if way in ("one", "two"):
        assert f"chroot-tool: {way}: " in said
    if way == "changed":
        assert f"chroot-tool: two: {archive} was changed while it was sent" in said
    if way != "one":  # what is killed there is known for what it is
        wait_until(lambda: names(between.one) == ["deb"])


def test_a_chroot_tool_that_can_send_no_archive_says_what_to_do(between: Between) -> None:
    archive = archive_of(between.deb, "zst", between.two.home)
    real = between.two.bin / "chroot-tool.real"
    (between.two.bin / "chroot-tool").rename(real)
    between.two.write_program(
        "chroot-tool",
        f'case "$*" in *--send*) echo "chroot-tool: unrecognized arguments: --send" >&2; exit 2;; '
        f'*) exec {real} "$@";; esac',
    )
    done = between("unpack", "-f", f"two:{archive}", "-d", "one:copy")
    assert (done.returncode, names(between.one)) == (1, ["deb"])
    assert done.stderr.splitlines()[-2:] == [
        "chroot-tool: two: unrecognized arguments: --send",
        "hint: chroot-tool deploy two",
    ]


@pytest.mark.parametrize("words", [("pack", "-d", "one:deb"), ("unpack", "-d", "one:copy")])
def test_the_third_machine_is_connected_to_first(between: Between, words: tuple[str, ...]) -> None:
    """A chroot-tool that is another than ours says so before anything goes there."""
    hello = {
        "event": "hello", "version": "99", "protocol": 99, "oldest": 99, "base": "/b",
        "methods": [],
    }  # fmt: skip
    between.two.write_program("chroot-tool", f"echo {shlex.quote(json.dumps(hello))}")
    done = between(*words, "-f", "two:/x.tar.zst")
    assert (done.returncode, names(between.one)) == (1, ["deb"])
    assert "two: its chroot-tool 99 and this one do not understand each other" in done.stderr


def test_a_full_disk_there_makes_no_chroot(between: Between) -> None:
    large(between.deb)
    archive = archive_of(between.deb, "zst", between.two.home)
    place = between.one.base / "small"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", place], check=True)
    try:
        done = between("unpack", "-f", f"two:{archive}", "-d", f"one:{place}/copy")
        assert (done.returncode, os.listdir(place)) == (1, [])
    finally:
        subprocess.run(["umount", place], check=True)
    assert "chroot-tool: one: unpacking failed: no space left on the disk" in done.stderr


def test_what_fails_at_an_end_has_its_exit_code(between: Between) -> None:
    """2 for what makes no sense, 4 where another is at work on it, 3 for a configuration."""
    place = between.two.home / "there.tar.zst"
    place.mkdir()
    words = ("pack", "-d", "one:deb", "-f", f"two:{place}")
    done = between(*words)
    assert (done.returncode, "chroot-tool: two: /" in done.stderr) == (2, True), done.stderr
    place.rmdir()
    with Lock(str(between.deb)):
        done = between(*words)
        assert (done.returncode, "chroot-tool: one: " in done.stderr) == (4, True), done.stderr
    (between.deb / "chroot.d/chroot.toml").write_text("no = 1\nneither = 2\n")
    done = between(*words)
    assert done.returncode == 3, done.stderr
    [last] = [line for line in done.stderr.splitlines() if line.startswith("chroot-tool: ")]
    assert last.startswith("chroot-tool: one: /")
    assert last.endswith("(and 1 more)")


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (("clone", "-d", "one:none", "two:x"), "none"),
        (("clone", "-d", "one:deb", "two:full"), "one of its own: two"),
        (("pack", "-d", "one:deb", "-f", "two:x.tar.xz"), "is compressed by zstd"),
        (("pack", "-d", "one:deb", "--oci", "-f", "two:x"), "-f one:/DIR.oci"),
        (("pack", "-d", "one:deb", "-f", "two:/nowhere/x.tar.zst"), "two: cannot write /nowhere/x"),
        (("pack", "-d", "one:deb", "-f", "x.tar.xz"), "is compressed by zstd"),
        (("unpack", "-d", "one:x", "-f", "two:x.tar.zst"), "x.tar.zst does not exist"),
        (("unpack", "-d", "one:x", "-f", "two:/etc"), "two: /etc is no regular file"),
        (("unpack", "-d", "one:x", "-f", "two:/dev/null"), "two: /dev/null is no regular file"),
        (("unpack", "-d", "one:x", "-f", "two:HOME/fifo"), "fifo is no regular file"),
        (("unpack", "-d", "one:x", "-f", "two:HOME/empty"), "empty is empty"),
        (("unpack", "-d", "one:x", "-f", "two:/etc/passwd"), "two: /etc/passwd is no archive"),
        (("unpack", "-d", "one:deb", "-f", "two:HOME/tiny.tar"), "one: "),
        (("unpack", "-d", "two:x", "-f", "/dev/null"), "no regular file"),
        (("unpack", "-d", "two:x", "-f", "/etc/passwd"), "/etc/passwd"),
    ],
)
def test_what_cannot_be(between: Between, words: tuple[str, ...], wanted: str) -> None:
    (between.two.base / "full/there").mkdir(parents=True)
    os.mkfifo(between.two.home / "fifo")
    (between.two.home / "empty").touch()
    archive_of(between.deb, "tar", between.two.home).rename(between.two.home / "tiny.tar")
    done = between(*(word.replace("HOME", str(between.two.home)) for word in words))
    assert done.returncode in (1, 2)
    if wanted.startswith("one of its own"):
        # How far it was may have been told before, or not.
        assert any(line.startswith("chroot-tool: two: ") for line in done.stderr.splitlines())
        wanted = "full"
    assert wanted in done.stderr
    assert (names(between.one), names(between.two)) == (["deb"], ["full"])


@pytest.mark.parametrize("which", ["one", "two"])
def test_a_machine_that_goes_meanwhile_makes_no_chroot(between: Between, which: str) -> None:
    hold_back(between)
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
        between.one.go_on()
        between.ok("clone", "-d", "one:deb", "two:copy", "--exact")
        assert trees.differences(between.deb, between.two.base / "copy") == []


def test_ctrl_c_leaves_nothing_at_either_end(between: Between) -> None:
    hold_back(between)
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
    hold_back(between)
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
