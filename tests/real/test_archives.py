"""`pack`, `unpack` and `create --from` as a user runs them: whole chroots, cut off, hostile, full.

What archives themselves hold and refuse is in tests/core/archives/test_archive.py.
"""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from chroot_tool.core.creating.options import CreateOptions, default_options
from support import (
    CHECKOUT,
    PATIENCE,
    Arg,
    Cli,
    Program,
    mounts_below,
    next_line,
    trees,
    wait_until,
    wait_until_stopped,
)

pytestmark = pytest.mark.root

MARKER = ".chroot-tool-create"


class Call:
    """A call with --json that has come to a stage, and stands still there: SIGCONT has it go on."""

    def __init__(self, cli: Cli, stage: str, *args: str | Path) -> None:
        self.process = cli.stopping_at(stage).start(
            *args, "--json", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.events: list[dict[str, Any]] = []
        wait_until_stopped(self.process)

    def kill(self) -> None:
        self.process.kill()
        self.end()

    def end(self) -> int:
        self.process.send_signal(signal.SIGCONT)
        assert self.process.stdout
        self.events += [json.loads(line) for line in self.process.stdout]
        self.process.stdout.close()
        return self.process.wait()


def interrupted(
    cli: Cli, number: int, stage: str, *args: str | Path
) -> tuple[int, list[dict[str, Any]]]:
    """The code and the events of a call with --json that gets a signal at a stage."""
    with cli.holding_at(stage).start(
        *args, "--json", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout
        events: list[dict[str, Any]] = []
        sent = False
        for line in process.stdout:
            events.append(json.loads(line))
            # Once: when the call has ended, another would end the process at once.
            if not sent and events[-1].get("stage", "").startswith(stage):
                process.send_signal(number)
                sent = True
    return process.returncode, events


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


def works(cli: Cli, root: Path) -> bool:
    """Whether a command runs in a chroot, which is off afterwards."""
    said = cli.ok("run", "id -u", "-d", root)
    cli.ok("off", "-d", root)
    return said == "0\n"


def eventually_no_process_mentions(folder: Path) -> None:
    def mentioned() -> bool:
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                line = Path(f"/proc/{pid}/cmdline").read_bytes()
            except OSError:
                continue
            if os.fsencode(folder) in line and int(pid) != os.getpid():
                return True
        return False

    wait_until(lambda: not mentioned())


@pytest.fixture
def full_chroot(tiny_chroot: Path) -> Iterator[Path]:
    """A chroot with everything in it that a file system holds, immutable files too."""
    (tiny_chroot / "all").mkdir()
    trees.everything(tiny_chroot / "all", deep=15)
    trees.set_flags(tiny_chroot / "etc/passwd", trees.IMMUTABLE)
    os.setxattr(tiny_chroot, "user.top", b"kept")
    yield tiny_chroot
    trees.unseal(tiny_chroot.parent)


@pytest.fixture
def packed(cli: Cli, tiny_chroot: Path, tmp_path: Path) -> Path:
    """An archive of a chroot that is large enough to be cut off in the middle."""
    for number in range(3):
        (tiny_chroot / f"root/more{number}").write_bytes(os.urandom(64 << 20))
    cli.ok("pack", "-d", tiny_chroot, "-f", tmp_path / "tiny.tar.zst")
    return tmp_path / "tiny.tar.zst"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12M", "small", place], check=True)
    yield place
    subprocess.run(["umount", place], check=True)


def rootfs(path: Path, source: Path, top: str = ".", *more: tuple[str, bytes]) -> Path:
    """A tarball of somebody else's making, of the chroot *source* without its chroot.d."""
    with tarfile.open(path, "w:gz") as tar:
        tar.add(source, top, filter=lambda info: None if "chroot.d" in info.name else info)
        for name, data in more:
            info = tarfile.TarInfo(f"{top}/{name}")
            info.size = len(data)
            info.mode = 0o755
            tar.addfile(info, io.BytesIO(data))
    return path


# -- there and back -------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["tar.zst", "tar.gz", "tar.xz"])
def test_packed_deleted_unpacked_it_is_the_same(
    cli: Cli, full_chroot: Path, tmp_path: Path, suffix: str
) -> None:
    archive = tmp_path / f"a.{suffix}"
    before = trees.describe(full_chroot)
    cli.ok("pack", "-d", full_chroot, "-f", archive, "--checksum")
    trees.unseal(full_chroot)
    cli.ok("delete", "--yes", "-d", full_chroot)
    assert names(tmp_path) == [archive.name, f"{archive.name}.sha256"]
    events = cli.events("unpack", "-f", archive, "-d", full_chroot)
    assert events[-1]["lost"] == []
    assert events[-1]["manifest"]["name"] == "tiny"
    after = trees.describe(full_chroot)
    assert {path: facts for path, facts in after.items() if before.get(path) != facts} == {}
    assert before.keys() == after.keys()
    fractions = [event["fraction"] for event in events if event.get("fraction") is not None]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    trees.unseal(full_chroot)
    assert works(cli, full_chroot)


@pytest.mark.slow
def test_by_pipes_and_nothing_of_ours_among_it(cli: Cli, tiny_chroot: Path, tmp_path: Path) -> None:
    packing = cli.start("pack", "-d", tiny_chroot, "-f", "-", stdout=subprocess.PIPE)
    assert packing.stdout
    again = tmp_path / "again"
    done = subprocess.run(
        cli.argv("unpack", "-f", "-", "-d", again), env=cli.environment(), stdin=packing.stdout,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    packing.stdout.close()
    assert packing.wait() == 0
    assert (done.returncode, done.stdout) == (0, "")
    assert trees.differences(tiny_chroot, again) == []
    into = cli.binary("pack", "-d", tiny_chroot, "-f", "-").stdout
    assert into.startswith(b"\x28\xb5\x2f\xfd")
    subprocess.run(["zstd", "-tq"], input=into, check=True)
    beside = cli.binary("pack", "-d", tiny_chroot, "-f", "-", "--json")
    assert beside.stdout.startswith(b"\x28\xb5\x2f\xfd")
    assert [json.loads(line)["event"] for line in beside.stderr.splitlines()][-1] == "done"


def test_the_name_it_gets(cli: Cli, tiny_chroot: Path, tmp_path: Path) -> None:
    here = tmp_path / "here"
    here.mkdir()
    (here / ".tiny-202001010000.tar.zst.part").write_text("of a killed one")
    (here / ".tiny-mine.part").write_text("none of ours")
    (here / ".tiny-202001010000.oci.part/blobs").mkdir(parents=True)
    (here / ".tiny-mine.oci.part").mkdir()
    event = cli.events("pack", "-d", tiny_chroot, cwd=here)[-1]
    (made,) = [name for name in names(here) if not name.startswith(".")]
    assert made.startswith("tiny-2")
    assert made.endswith(".tar.zst")
    assert event["archive"] == str(here / made)
    assert event["size"] == (here / made).stat().st_size
    assert names(here) == [".tiny-mine.oci.part", ".tiny-mine.part", made]


@pytest.mark.slow
def test_what_is_mounted_and_what_is_excluded_is_left_out(
    cli: Cli, tiny_chroot: Path, tmp_path: Path
) -> None:
    (tiny_chroot / "tmp/below").write_text("lies below the mount")
    (tiny_chroot / "var/cache").mkdir(parents=True)
    (tiny_chroot / "var/cache/deb").write_text("x")
    (tiny_chroot / "chroot.d/tool.conf").write_text("[exclude]\nvar/cache\nnot/there\n")
    (tiny_chroot / "home/app/big").write_text("x")
    cli.ok("on", "-d", tiny_chroot)
    (tiny_chroot / "tmp/above").write_text("on the mount")
    done = cli("pack", "-d", tiny_chroot, "-f", tmp_path / "a.tar.gz", "-i", "/home/app/big",
               "-i", "typo")  # fmt: skip
    assert done.returncode == 0
    assert "it is on" in done.stderr
    assert "typo is not there" in done.stderr
    assert "not/there" not in done.stderr
    event = cli.events("unpack", "-f", tmp_path / "a.tar.gz", "-d", tmp_path / "again")[-1]
    assert {"var/cache", "home/app/big", "proc", "tmp"} <= set(event["manifest"]["left_out"])
    assert names(tmp_path / "again/tmp") == ["below"]
    assert names(tmp_path / "again/proc") == []
    assert names(tmp_path / "again/var/cache") == []
    assert names(tmp_path / "again/home/app") == []


# -- what is refused ------------------------------------------------------------------------------


@pytest.mark.slow
def test_usage(cli: Cli, tiny_chroot: Path, tmp_path: Path) -> None:
    for words, said in (
        (("pack", "-d", tiny_chroot, "-f", "-", "--checksum"), "a checksum needs a file"),
        (("pack", "-d", tiny_chroot, "-f", tmp_path / "x.zip"), "how to compress"),
        (("pack", "-d", tiny_chroot, "-f", tmp_path / "x.oci", "--oci", "--checksum"), "OCI"),
        (("unpack", "-d", tmp_path / "x"), "needs an archive"),
        (("create", "-d", tmp_path / "x", "--from", tmp_path, "--suite", "sid"), "no meaning"),
    ):
        done = cli(*words)
        assert done.returncode == 2, words
        assert said in done.stderr
    assert names(tmp_path) == ["tiny"]


@pytest.mark.slow
def test_into_itself_and_while_another_is_at_work(
    cli: Cli, tiny_chroot: Path, tmp_path: Path
) -> None:
    done = cli("pack", cwd=tiny_chroot)
    assert done.returncode == 1
    assert "would lie in what it is made of" in done.stderr
    assert not [name for name in names(tiny_chroot) if "tar" in name]
    holding: list[Arg] = [
        "flock",
        "--no-fork",
        tiny_chroot,
        "sh",
        "-c",
        "echo held; exec sleep 1000",
    ]
    with Program(holding, stdout=subprocess.PIPE) as other:
        assert next_line(other) == b"held\n"
        done = cli("pack", "-d", tiny_chroot, "-f", tmp_path / "a.tar.zst")
        other.terminate()
    assert done.returncode == 4


def test_an_unfinished_one_is_not_packed(cli: Cli, tiny_chroot: Path, tmp_path: Path) -> None:
    (tiny_chroot / MARKER).mkdir()
    done = cli("pack", "-d", tiny_chroot, "-f", tmp_path / "a.tar.zst")
    assert done.returncode == 1
    assert "is incomplete" in done.stderr


@pytest.mark.parametrize("verb", ["unpack", "create"])
def test_hostile_archives_leave_nothing(cli: Cli, tmp_path: Path, verb: str) -> None:
    with tarfile.open(tmp_path / "bad.tar", "w") as tar:
        for name, kind, to in (
            ("etc", tarfile.SYMTYPE, "/etc"),
            ("etc/owned", tarfile.REGTYPE, ""),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, to
            tar.addfile(info)
    option = "-f" if verb == "unpack" else "--from"
    done = cli(verb, option, tmp_path / "bad.tar", "-d", tmp_path / "new/deep/x")
    assert done.returncode == 1
    assert "member etc/owned would leave the directory" in done.stderr
    assert "below the link etc" in done.stderr
    assert names(tmp_path) == ["bad.tar"]
    assert not os.path.lexists("/etc/owned")


@pytest.mark.slow
def test_what_is_no_chroot(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src/file").write_text("x")
    with tarfile.open(tmp_path / "src.tar.gz", "w:gz") as tar:
        tar.add(tmp_path / "src", "src")
    for words, said in (
        (("unpack", "-f", tmp_path / "src.tar.gz"), "holds no chroot"),
        (("create", "--from", tmp_path / "src.tar.gz"), "there is no shell in it"),
        (("create", "--from", tmp_path / "src"), "there is no shell in it"),
        (("create", "--from", tmp_path / "none.tar"), "does not exist"),
    ):
        done = cli(*words, "-d", tmp_path / "x")
        assert (done.returncode, said in done.stderr) == (1, True), done.stderr
    assert names(tmp_path) == ["src", "src.tar.gz"]


@pytest.mark.slow
def test_a_place_that_has_a_chroot_d(cli: Cli, packed: Path, tiny_chroot: Path) -> None:
    place = packed.parent / "place"
    (place / "chroot.d").mkdir(parents=True)
    (place / "chroot.d/mine").write_text("mine")
    done = cli("unpack", "-f", packed, "-d", place)
    assert done.returncode == 1
    assert "the archive brings its own" in done.stderr
    assert names(place) == ["chroot.d"]
    done = cli("create", "--from", packed, "-d", place)
    assert done.returncode == 0
    assert "the source's own was left out" in done.stderr
    assert names(place / "chroot.d") == ["chroot-cmd", "mine"]


def test_what_others_put_there_meanwhile_stays(cli: Cli, tiny_chroot: Path, tmp_path: Path) -> None:
    cli.ok("pack", "-d", tiny_chroot, "-f", tmp_path / "a.tar")
    root = tmp_path / "new"
    call = Call(cli, "putting it in place", "unpack", "-f", tmp_path / "a.tar", "-d", root)
    try:
        (root / "root").mkdir()
        (root / "root/letter").write_text("somebody's")
    finally:
        code = call.end()
    assert (code, "holds 'root' by now" in call.events[-1]["message"]) == (1, True)
    assert names(root) == ["root"]
    assert (root / "root/letter").read_text() == "somebody's"


@pytest.mark.parametrize("brings", [(), ("file",)])
def test_what_a_disk_has_found_stays(
    cli: Cli, tiny_chroot: Path, tmp_path: Path, brings: tuple[str, ...]
) -> None:
    (tiny_chroot / "lost+found").mkdir()
    for name in brings:
        (tiny_chroot / "lost+found" / name).write_text("of the archive")
    cli.ok("pack", "-d", tiny_chroot, "-f", tmp_path / "a.tar")
    root = tmp_path / "new"
    (root / "lost+found").mkdir(parents=True)
    (root / "lost+found/#12").write_text("found by fsck")
    done = cli("unpack", "-f", tmp_path / "a.tar", "-d", root)
    assert (done.returncode, names(root / "lost+found")) == (len(brings), ["#12"]), done.stderr
    if brings:
        assert names(root) == ["lost+found"]
    else:
        assert names(root) == names(tiny_chroot)


def test_where_there_is_no_archive_nothing_is_begun(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "text.tar").write_text("text")
    for name, said in (("none.tar", "does not exist"), ("text.tar", "is no archive")):
        done = cli("unpack", "-f", tmp_path / name, "-d", tmp_path / "x")
        assert done.returncode == 1
        assert said in done.stderr
        assert "%" not in done.stderr


# -- cut off --------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_nothing_is_left(
    cli: Cli, packed: Path, tiny_chroot: Path, tmp_path: Path, number: signal.Signals
) -> None:
    before = names(tmp_path)
    for words, stage in (
        (("pack", "-d", tiny_chroot, "-f", tmp_path / "b.tar.zst"), "packing"),
        (("pack", "-d", tiny_chroot, "--oci", "-f", tmp_path / "b"), "packing"),
        (("unpack", "-f", packed, "-d", tmp_path / "new/x"), "unpacking"),
        (("create", "--from", packed, "-d", tmp_path / "new/x"), "unpacking"),
        (("create", "--from", tiny_chroot, "-d", tmp_path / "new/x"), "copying"),
    ):
        code, events = interrupted(cli, number, stage, *words)
        assert (code, events[-1]["code"]) == (130, 130)
        if words[0] == "pack":
            assert f"interrupted; nothing is left of {words[-1]}" in events[-1]["message"]
        assert names(tmp_path) == before
    eventually_no_process_mentions(tmp_path)


@pytest.mark.parametrize("verb", [("unpack", "-f"), ("create", "--from")])
def test_interrupted_while_nothing_comes_on_stdin(
    cli: Cli, tmp_path: Path, verb: tuple[str, str]
) -> None:
    root = tmp_path / "new"
    with cli.start(
        *verb, "-", "-d", root, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        try:
            wait_until((root / MARKER / "root").exists)
            process.terminate()
            assert process.wait(PATIENCE) == 130
        finally:
            process.kill()
    assert names(tmp_path) == []


@pytest.mark.slow
def test_interrupted_what_was_there_of_that_name_is_as_before(cli: Cli, packed: Path) -> None:
    before = packed.stat()
    words = ("pack", "-d", packed.parent / "tiny", "-f", packed)
    code, events = interrupted(cli, signal.SIGINT, "packing", *words)
    assert code == 130
    assert f"{packed} is as it was before" in events[-1]["message"]
    assert packed.stat().st_ino == before.st_ino


@pytest.mark.slow
def test_killed_while_it_unpacks_and_mended(cli: Cli, packed: Path, tmp_path: Path) -> None:
    root = tmp_path / "new"
    killed = Call(cli, "unpacking", "unpack", "-f", packed, "-d", root)
    killed.kill()
    eventually_no_process_mentions(root)
    assert names(root) == [MARKER]
    assert mounts_below(root) == []
    assert cli.json("status", "-d", root)["state"] == "incomplete"
    cli.ok("unpack", "-f", packed, "-d", root)
    assert trees.differences(tmp_path / "tiny", root) == []
    killed = Call(cli, "unpacking", "unpack", "-f", packed, "-d", tmp_path / "other")
    killed.kill()
    cli.ok("delete", "--yes", "-d", tmp_path / "other")
    assert not (tmp_path / "other").exists()


@pytest.mark.slow
def test_killed_while_it_packs_and_mended(cli: Cli, packed: Path, tmp_path: Path) -> None:
    for words in (("-f", tmp_path / "b.tar.zst"), ("--oci", "-f", tmp_path / "b.oci")):
        killed = Call(cli, "packing", "pack", "-d", tmp_path / "tiny", *words)
        killed.kill()
        left = [name for name in names(tmp_path) if name.startswith(".b")]
        assert len(left) == 1
        eventually_no_process_mentions(tmp_path / "tiny")
        cli.ok("pack", "-d", tmp_path / "tiny", *words)
        assert [name for name in names(tmp_path) if name.startswith(".b")] == []


KILLER = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
from chroot_tool.core.creating import unfinished, unpack
from chroot_tool.core.archives import flags
left, is_begun = int(sys.argv[2]), False
def counted(real):
    def call(*args, **options):
        global left, is_begun
        # Before that locks that others have left on this machine may be unlinked.
        is_begun = is_begun or os.path.isdir(sys.argv[3] + unfinished.MARKER)
        left -= is_begun
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args, **options)
    return call
for module, name in ((os, "rename"), (os, "rmdir"), (os, "unlink"), (os, "setxattr"),
                     (os, "utime"), (os, "fchmod"), (flags, "set_flags")):
    setattr(module, name, counted(getattr(module, name)))
unpack.unpack(sys.argv[3], sys.argv[4])
"""


@pytest.mark.slow
def test_killed_at_any_call_while_it_is_put_in_place(
    cli: Cli, full_chroot: Path, tmp_path: Path
) -> None:
    """At each call that changes something: the next unpack, or delete, mends what is there."""
    archive = tmp_path / "a.tar.zst"
    cli.ok("pack", "-d", full_chroot, "-f", archive)
    root = tmp_path / "new"
    calls = 0
    while True:
        done = subprocess.run(
            [sys.executable, "-I", "-c", KILLER, CHECKOUT / ".pkg", str(calls), root, archive],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL, done.stderr
        calls += 1 if calls < 4 else 3
        state = cli.json("status", "-d", root)["state"]
        if state == "incomplete" and calls % 2:
            cli.ok("delete", "--yes", "-d", root)
        elif state == "incomplete":
            cli.ok("unpack", "-f", archive, "-d", root)
            assert trees.differences(full_chroot, root) == []
        else:
            assert state == "off"
        trees.unseal(tmp_path / "new") if root.exists() else None
        subprocess.run(["rm", "-rf", root], check=True)
        trees.set_flags(full_chroot / "etc/passwd", trees.IMMUTABLE)
    assert calls > 20
    assert trees.differences(full_chroot, root) == []


def test_what_a_kill_has_left_in_an_archive_is_left_out(
    cli: Cli, tiny_chroot: Path, tmp_path: Path
) -> None:
    before = names(tiny_chroot)
    (tiny_chroot / f"{MARKER}-over/root").mkdir(parents=True)
    cli.ok("pack", "-d", tiny_chroot, "-f", tmp_path / "a.tar")
    cli.ok("unpack", "-f", tmp_path / "a.tar", "-d", tmp_path / "new")
    assert names(tmp_path / "new") == before


ENDS = (b"", b".", b"..")


@pytest.mark.slow
def test_notes_that_root_inside_has_made_hinder_nothing(
    cli: Cli, tiny_chroot: Path, tmp_path: Path
) -> None:
    (tiny_chroot / "chroot.d").rename(tmp_path / "chroot.d")
    cli.ok("pack", "-d", tiny_chroot, "-f", tmp_path / "a.tar")
    root = tmp_path / "new"
    for note in ("made", "flags"):
        (root / MARKER / note).mkdir(parents=True)
    cli.ok("delete", "--yes", "-d", root)
    (root / MARKER).mkdir(parents=True)
    (root / MARKER / "made").write_bytes(b"\0".join((b"/", *[b"chroot.d/" + end for end in ENDS])))
    (root / "chroot.d").mkdir()
    cli.ok("unpack", "-f", tmp_path / "a.tar", "-d", root)
    assert names(root) == sorted([*names(tiny_chroot), "chroot.d"])


@pytest.mark.slow
def test_two_at_once(cli: Cli, packed: Path, tmp_path: Path) -> None:
    first = Call(cli, "unpacking", "unpack", "-f", packed, "-d", tmp_path / "new")
    try:
        assert cli("unpack", "-f", packed, "-d", tmp_path / "new").returncode == 4
        assert cli("create", "--from", packed, "-d", tmp_path / "new").returncode == 4
        cli.ok("unpack", "-f", packed, "-d", tmp_path / "other")
    finally:
        code = first.end()
    assert code == 0
    assert trees.differences(tmp_path / "other", tmp_path / "new") == []


@pytest.mark.slow
def test_a_full_disk(cli: Cli, packed: Path, small_disk: Path, tmp_path: Path) -> None:
    image = tmp_path / "image"
    cli.ok("pack", "-d", tmp_path / "tiny", "--oci", "-f", image, "-i", "root/more1", "-i",
           "root/more2")  # fmt: skip
    for words, said in (
        (("create", "--from", f"oci:{image}", "-d", small_disk / "x"), "no space left on device"),
        (("unpack", "-f", packed, "-d", small_disk / "x"), "no space left on the disk"),
        (("create", "--from", packed, "-d", small_disk / "x"), "no space left on the disk"),
        (("create", "--from", tmp_path / "tiny", "-d", small_disk / "x"), "no space left"),
        (("pack", "-d", tmp_path / "tiny", "-f", small_disk / "x.tar.zst"), "no space left"),
        (("pack", "-d", tmp_path / "tiny", "--oci", "-f", small_disk / "x"), "no space left"),
    ):
        done = cli(*words)
        assert done.returncode == 1, done.stderr
        assert said in done.stderr.lower()
        assert words[0] == "pack" or "hint: free some space there" in done.stderr
        assert "traceback" not in done.stderr.lower()
        assert names(small_disk) == []


# -- create --from --------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("top", [".", "rootfs", "rootfs-amd64/"])
def test_a_rootfs_of_another_tool(cli: Cli, tiny_chroot: Path, tmp_path: Path, top: str) -> None:
    (tiny_chroot / "etc/machine-id").write_text("0123456789abcdef0123456789abcdef\n")
    source = rootfs(tmp_path / "r.tgz", tiny_chroot, top.rstrip("/"))
    cli.ok("create", "--from", source, "-d", tmp_path / "new")
    assert names(tmp_path / "new" / "chroot.d") == ["chroot-cmd"]
    assert (tmp_path / "new/etc/hostname").read_text() == "new\n"
    assert (tmp_path / "new/etc/machine-id").read_text() != "0123456789abcdef0123456789abcdef\n"
    assert not (tmp_path / "new/etc/debian_chroot").exists()
    assert works(cli, tmp_path / "new")


@pytest.mark.slow
def test_an_export_of_docker_and_a_debian(cli: Cli, tiny_chroot: Path, tmp_path: Path) -> None:
    (tiny_chroot / "etc/debian_version").write_text("12.0\n")
    source = rootfs(
        tmp_path / "e.tar.gz", tiny_chroot, ".",
        (".dockerenv", b""), ("etc/hostname", b""), ("etc/resolv.conf", b""), ("etc/hosts", b""),
    )  # fmt: skip
    cli.ok("create", "--from", source, "-d", tmp_path / "new")
    assert not (tmp_path / "new/.dockerenv").exists()
    assert (tmp_path / "new/etc/hostname").read_text() == "new\n"
    assert (tmp_path / "new/etc/debian_chroot").read_text() == "new\n"
    assert (tmp_path / "new/etc/default/locale").read_text() == "LANG=C.UTF-8\n"
    assert (tmp_path / "new/usr/sbin/policy-rc.d").exists()
    assert (tmp_path / "new/etc/resolv.conf").read_text() == Path("/etc/resolv.conf").read_text()


@pytest.mark.slow
def test_nothing_of_the_source_acts_on_the_host(
    cli: Cli, tiny_chroot: Path, tmp_path: Path
) -> None:
    own = tiny_chroot / "chroot.d"
    (own / "host-cmd").write_text("#!/bin/sh\ntouch /run/chroot-tool-owned\n")
    (own / "host-cmd").chmod(0o755)
    (own / "tool.conf").write_text("[bind]\nsrc:/etc tgt:/mnt/etc\n")
    (own / "start").write_text("#!/bin/sh\n")
    archive = tmp_path / "a.tar.gz"
    cli.ok("pack", "-d", tiny_chroot, "-f", archive)
    done = cli("create", "--from", archive, "-d", tmp_path / "new")
    assert "put aside, since it acts on this host: host-cmd, tool.conf" in done.stderr
    assert names(tmp_path / "new/chroot.d") == [
        "chroot-cmd", "host-cmd.from-source", "start", "tool.conf.from-source",
    ]  # fmt: skip
    done = cli("unpack", "-f", archive, "-d", tmp_path / "same")
    assert done.returncode == 0
    assert "`run` executes that out here" in done.stderr
    assert "paths of this host: /etc at /mnt/etc" in done.stderr
    assert names(tmp_path / "same/chroot.d") == names(own)


@pytest.mark.slow
def test_a_directory(cli: Cli, tiny_chroot: Path, tmp_path: Path) -> None:
    cli.ok("on", "-d", tiny_chroot)
    cli.ok("create", "--from", tiny_chroot, "-d", tmp_path / "new")
    cli.ok("off", "-S", "-d", tiny_chroot)
    assert (tmp_path / "new/etc/hostname").read_text() == "new\n"
    changed = trees.differences(tiny_chroot, tmp_path / "new")
    assert {line.split("'")[1].split("/")[0] for line in changed} <= {"etc", "."}
    done = cli("create", "--from", tiny_chroot, "-d", tiny_chroot / "home/inner")
    assert done.returncode == 2
    assert "of which it is made" in done.stderr
    assert not (tiny_chroot / "home/inner").exists()


@pytest.mark.parametrize("bad", ["link", "device", "top", "suite"])
def test_packages_of_debootstrap_with_more_in_it(cli: Cli, tmp_path: Path, bad: str) -> None:
    """debootstrap writes below etc and dev from outside: no link may be there."""
    with tarfile.open(tmp_path / "d.tgz", "w:gz") as tar:
        for name, text in (("required", "a"), ("debpaths", "a /x"), ("suite", "bookworm"),
                           ("arch", "amd64"), ("variant", "minbase")):  # fmt: skip
            data = f"{text if name != 'suite' or bad != 'suite' else '../x'}\n".encode()
            info = tarfile.TarInfo(f"debootstrap/{name}")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
        if bad != "suite":
            info = tarfile.TarInfo({"link": "var/x", "device": "var/null", "top": "etc"}[bad])
            info.type = {"device": tarfile.CHRTYPE}.get(bad, tarfile.SYMTYPE)
            info.linkname = "/etc"
            tar.addfile(info)
    done = cli("create", "--from", tmp_path / "d.tgz", "-d", tmp_path / "new")
    assert done.returncode == (2 if bad == "suite" else 1)
    said = "is no name of a suite" if bad == "suite" else "is not as debootstrap makes them"
    assert said in done.stderr
    assert names(tmp_path) == ["d.tgz"]


@pytest.mark.network
def test_packages_of_debootstrap(cli: Cli, tmp_path: Path, little_mirror: str) -> None:
    subprocess.run(
        ["debootstrap", f"--make-tarball={tmp_path}/debs.tgz", "--variant=minbase",
         default_options(CreateOptions()).suite, tmp_path / "work", little_mirror],
        check=True, capture_output=True,
    )  # fmt: skip
    words = ["unshare", "--net", *cli.argv("create", "--from", tmp_path / "debs.tgz", "-d",
                                           tmp_path / "new")]  # fmt: skip
    subprocess.run(words, env=cli.environment(), check=True, capture_output=True)
    assert (tmp_path / "new/etc/hostname").read_text() == "new\n"
    assert little_mirror in (tmp_path / "new/etc/apt/sources.list").read_text()
    assert works(cli, tmp_path / "new")
    assert not (tmp_path / "new/debootstrap").exists()


# -- images ---------------------------------------------------------------------------------------


@pytest.mark.slow
def test_an_image_is_taken_by_others_and_comes_back(
    cli: Cli, full_chroot: Path, tmp_path: Path
) -> None:
    layout = tmp_path / "image"
    cli.ok("pack", "-d", full_chroot, "--oci", "-f", layout, "-i", "all/holes")
    said = json.loads(
        subprocess.run(
            ["skopeo", "inspect", f"oci:{layout}"], capture_output=True, check=True
        ).stdout
    )
    assert said["Os"] == "linux"
    assert said["Architecture"] in ("amd64", "arm64")
    saved = f"docker-archive:{tmp_path / 'saved.tar'}"
    subprocess.run(["skopeo", "copy", "-q", f"oci:{layout}", f"{saved}:x:1"], check=True)
    done = cli("pack", "-d", full_chroot, "--oci", "-f", layout)
    assert (done.returncode, "is there already" in done.stderr) == (2, True)
    for source, name in ((f"oci:{layout}", "a"), (f"oci:{layout}:latest", "b"), (saved, "c")):
        cli.ok("create", "--from", source, "-d", tmp_path / name)
        changed = trees.differences(full_chroot, tmp_path / name)
        expected = ("all/sealed", "all/special/socket", "all/holes", "'etc", "'.' ", "fifo")
        assert [line for line in changed if not any(word in line for word in expected)] == []
        assert (tmp_path / name / "etc/hostname").read_text() == f"{name}\n"
        assert names(tmp_path / name / "all/holes") == []
    done = cli("create", "--from", tmp_path / "saved.tar", "-d", tmp_path / "d")
    assert done.returncode == 1
    assert "docker-archive:" in done.stderr


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    """A registry on the loopback that has the layout `image`, and the word that it has no TLS.

    It speaks as much as pulling takes (OCI distribution specification, "Pull").
    """
    layout = tmp_path / "image"

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            _, _, name, *what = self.path.split("/")
            kind, data = "application/json", b"{}"
            if name and (name != "tiny" or len(what) != 2):
                self.send_error(404)
                return
            if name:
                (entry,) = json.loads((layout / "index.json").read_text())["manifests"]
                digest = entry["digest"] if what == ["manifests", "1"] else what[1]
                data = (layout / "blobs" / digest.replace(":", "/")).read_bytes()
                kind = entry["mediaType"] if what[0] == "manifests" else "application/octet-stream"
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        place = f"127.0.0.1:{server.server_port}"
        conf = tmp_path / "home/.config/containers/registries.conf"
        conf.parent.mkdir(parents=True)
        conf.write_text(f'[[registry]]\nlocation = "{place}"\ninsecure = true\n')
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield place
        server.shutdown()
        thread.join()


@pytest.mark.slow
def test_an_image_of_a_registry(cli: Cli, tiny_chroot: Path, tmp_path: Path, registry: str) -> None:
    cli.ok("pack", "-d", tiny_chroot, "--oci", "-f", tmp_path / "image")
    env = {"HOME": str(tmp_path / "home")}
    cli.ok("create", "--from", f"docker://{registry}/tiny:1", "-d", tmp_path / "new", env=env)
    assert works(cli, tmp_path / "new")
    done = cli("create", "--from", f"docker://{registry}/none", "-d", tmp_path / "x", env=env)
    assert done.returncode == 1
    assert "skopeo failed: " in done.stderr
    assert not (tmp_path / "x").exists()
    done = cli("create", "--from", f"docker://{registry}/tiny:1", "-d", tmp_path / "x")
    assert "hint: a registry without TLS" in done.stderr


def test_without_the_programs_it_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    from chroot_tool.core import programs
    from chroot_tool.core.creating import images
    from chroot_tool.core.errors import ChrootError

    monkeypatch.setattr(programs, "find", lambda _name: None)
    with pytest.raises(ChrootError, match="skopeo and umoci, which are not installed") as caught:
        images.check("docker://debian")
    assert caught.value.hint == "apt install skopeo umoci"
