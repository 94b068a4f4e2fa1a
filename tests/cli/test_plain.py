"""`--plain`: chroots in words, and what changes about them, a line for each fact."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from chroot_tool.app.cli import plain
from chroot_tool.core.errors import Problem
from support import Cli, Program, next_line
from support.samples import CHROOTS, DEB12, HOSTILE, NOW, TRIXIE, hostile_chroot, mount


def test_a_chroot_in_a_line() -> None:
    assert plain.sentence(DEB12) == (
        "deb12: on, Debian GNU/Linux 12 (bookworm), mounts 7 of 7, processes 3"
    )
    assert plain.sentence(TRIXIE).startswith("trixie-build: partial, Debian GNU/Linux 13 (trixie),")
    assert "/tmp is not mounted" in plain.sentence(TRIXIE)


def test_all_of_a_chroot_a_line_for_each_fact() -> None:
    said = plain.details(TRIXIE, NOW)
    assert said[:3] == ["name: trixie-build", "state: partial", f"path: {TRIXIE.path}"]
    assert "problem: /tmp is not mounted" in said
    assert "hint: `on` mounts it" in said
    assert "mount /tmp: missing, tmpfs of none, private, by system" in said
    (drifted,) = (line for line in said if line.startswith("mount /srv/data"))
    assert "drifted, writable, wanted read-only" in drifted
    (sshd,) = (line for line in plain.details(DEB12, NOW) if line.startswith("process 4711"))
    assert sshd == "process 4711: /usr/sbin/sshd -D, user root, 0.0 % CPU, 7.8M, for 2d"


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_whatever_a_chroot_says_a_line_is_a_line(text: str) -> None:
    one = hostile_chroot(text)
    calm = one.replace(state="on", problems=(), mounts=(), processes=())
    said = [plain.sentence(one), *plain.details(one, NOW), *plain.changes(calm, one),
            *plain.changes(one, calm)]  # fmt: skip
    assert [line for line in said if not line.isprintable()] == []


@pytest.mark.parametrize("one", CHROOTS, ids=[one.name for one in CHROOTS])
def test_signs_are_said_in_words(one: object) -> None:
    (chroot,) = (each for each in CHROOTS if each is one)
    assert all(line.isascii() for line in (plain.sentence(chroot), *plain.details(chroot, NOW)))
    assert plain.changes(chroot, chroot) == []


def test_each_change_is_a_line_and_nothing_is_said_twice() -> None:
    tmp = next(mount for mount in DEB12.mounts if mount.target == "/tmp")
    rest = tuple(mount for mount in DEB12.mounts if mount is not tmp)
    broken = DEB12.replace(
        mounts=(*rest, tmp.replace(state="drifted", reason="read-only")),
        problems=(Problem("/tmp is read-only", "`on` mends it"),), processes=(),
    )  # fmt: skip
    assert plain.changes(DEB12, broken) == [
        "deb12: mount /tmp drifted, read-only",
        "deb12: problem: /tmp is read-only",
        "deb12: no processes any more",
    ]
    assert plain.changes(broken, DEB12) == [
        "deb12: mount /tmp mounted",
        "deb12: solved: /tmp is read-only",
        "deb12: processes 3",
    ]
    assert plain.changes(DEB12, DEB12.replace(mounts=rest)) == ["deb12: mount /tmp gone"]
    assert plain.changes(DEB12, DEB12.replace(state="off", mounts=())) == [
        "deb12: off, was on"  # which says what all its mounts are
    ]
    missing = tuple(mount.replace(state="missing") for mount in DEB12.mounts)
    one_missing = DEB12.replace(state="partial", mounts=(*missing[:1], *DEB12.mounts[1:]))
    assert plain.changes(DEB12, one_missing) == [
        "deb12: partial, was on", "deb12: mount /proc missing",
    ]  # fmt: skip
    assert plain.changes(DEB12, DEB12.replace(state="partial", mounts=missing)) == [
        "deb12: partial, was on", "deb12: mounts 0 of 7",
    ]  # fmt: skip
    assert plain.changes(DEB12, DEB12.replace(processes=DEB12.processes[:1])) == []


def test_two_mounts_at_one_place_are_told_apart() -> None:
    one = TRIXIE.replace(mounts=(
        mount("/mnt", "missing", origin="tool.conf"), mount("/mnt", "foreign", origin="foreign"),
    ))  # fmt: skip
    assert plain.changes(one, one.replace(changed=one.changed + 1)) == []
    alone = one.replace(mounts=one.mounts[:1])
    assert plain.changes(alone, one) == ["trixie-build: mount /mnt foreign"]
    assert plain.changes(one, one.replace(mounts=())) == ["trixie-build: mount /mnt gone"]


def test_tags_are_said() -> None:
    assert "tags: web, build" in plain.details(DEB12.replace(tags=("web", "build")), NOW)


def test_one_form_at_a_time(cli: Cli, tmp_path: Path) -> None:
    for verb in ("list", "watch"):
        done = cli(verb, "--plain", "--json", "--base", tmp_path)
        assert done.returncode == 2
        assert "--plain is for people" in done.stderr


@pytest.fixture(params=[("watch", "--plain"), ("--plain",)], ids=["watch", "bare"])
def watching(cli: Cli, tiny_chroot: Path, request: pytest.FixtureRequest) -> Iterator[Program]:
    words = (*request.param, "--base", tiny_chroot.parent)
    with cli.start(*words, stdout=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.slow
@pytest.mark.root
def test_what_happens_is_said_as_it_happens(cli: Cli, tiny_chroot: Path, watching: Program) -> None:
    assert next_line(watching).startswith(b"tiny: off,")
    cli.ok("on", "-d", tiny_chroot)
    while not (line := next_line(watching)).startswith(b"tiny: on, was "):
        assert line.startswith(b"tiny: "), line
    subprocess.run(["umount", tiny_chroot / "tmp"], check=True)
    while (line := next_line(watching)) != b"tiny: partial, was on\n":
        assert line.startswith(b"tiny: solved: "), line  # where `on` was seen half done
    assert next_line(watching) == b"tiny: mount /tmp missing\n"
    shown = cli("status", "--plain", "-d", tiny_chroot).stdout.splitlines()
    assert shown[:2] == ["name: tiny", "state: partial"]
    assert [line for line in shown if line.startswith("mount /tmp: missing")]
    (listed,) = cli("list", "--plain", "--base", tiny_chroot.parent).stdout.splitlines()
    assert listed.startswith("tiny: partial,")
    cli.ok("off", "-d", tiny_chroot)
    while not (line := next_line(watching)).startswith(b"tiny: off, was "):
        assert line.startswith(b"tiny: "), line
