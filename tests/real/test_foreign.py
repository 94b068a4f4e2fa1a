"""A Debian for another kind of machine, really bootstrapped, by emulation.

qemu's emulator comes from Debian's archive and is unpacked, not installed: installing it would
register a dozen formats with the kernel for good. Here one is registered while the test runs, where
the host has none yet. binfmt_misc is the kernel's, not a mount namespace's; in a user namespace it
could be a test's own since Linux 6.7, but there no device node can be made, and debootstrap makes
some. What is registered is of use only to a program for arm64, which nothing here had before.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from chroot_tool.core.host import debian
from support import Cli, Program
from support.creating import inside, text
from support.little_mirror import served

pytestmark = [pytest.mark.root, pytest.mark.network, pytest.mark.slow]

BINFMT = Path("/proc/sys/fs/binfmt_misc")
NAME = "qemu-aarch64"
MAGIC = bytes.fromhex("7f454c460201010000000000000000000200b700")
MASK = bytes.fromhex("ffffffffffffff00fffffffffffffffffeffffff")
"""An ELF program for arm64, as qemu's own binfmt.d has it."""


def escaped(data: bytes) -> bytes:
    return "".join(f"\\x{byte:02x}" for byte in data).encode()


@pytest.fixture
def emulated(cli: Cli, tmp_path: Path) -> Iterator[None]:
    """A kernel that executes programs of arm64 while the test runs."""
    if debian.architecture() == "arm64":
        pytest.skip("arm64 is this host's own")
    with _registering():
        yield from _emulated(cli, tmp_path)


@contextmanager
def _registering() -> Iterator[None]:
    """Have what is registered with the kernel, which belongs to all, to this run of tests alone."""
    directory = os.open("/run", os.O_RDONLY)  # which all have in common
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        yield
    finally:
        os.close(directory)


def _emulated(cli: Cli, tmp_path: Path) -> Iterator[None]:
    mounted = not (BINFMT / "register").exists()
    if mounted:
        done = subprocess.run(
            ["mount", "-t", "binfmt_misc", "binfmt_misc", BINFMT],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            pytest.skip(f"this kernel has no binfmt_misc: {done.stderr.strip()}")
    registered = not (BINFMT / NAME).exists()
    try:
        if registered:
            _refused(cli, tmp_path / "refused")
            register(emulator(tmp_path))
        yield
    finally:
        if registered and (BINFMT / NAME).exists():
            (BINFMT / NAME).write_text("-1")
        if mounted:
            subprocess.run(["umount", BINFMT], check=True)


def _refused(cli: Cli, root: Path) -> None:
    """Without an emulator `create` says what to install, and makes nothing."""
    done = cli("create", "-d", root, "--arch", "arm64", "--backend", "mmdebstrap")
    assert done.returncode == 1
    assert "hint: apt install qemu-user-static" in done.stderr
    assert not root.exists()


def emulator(work: Path) -> Path:
    """Unpack qemu's emulator from Debian's archive; it is static and needs nothing of the host."""
    subprocess.run(["apt-get", "download", "-qq", "qemu-user-static"], cwd=work, check=True)
    (package,) = work.glob("qemu-user-static_*.deb")
    name = "./usr/bin/qemu-aarch64-static"  # of some forty
    with Program(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE) as unpacking:
        subprocess.run(["tar", "-x", "-C", work, name], stdin=unpacking.stdout, check=True)
    package.unlink()
    return work / name


def register(program: Path) -> None:
    line = b":".join(
        [b"", NAME.encode(), b"M", b"", escaped(MAGIC), escaped(MASK), os.fsencode(program), b"F"]
    )
    (BINFMT / "register").write_bytes(line)


@pytest.fixture
def mirror(emulated: None, tmp_path: Path) -> Iterator[str]:
    """One of arm64's packages, not compressed: unpacking xz is most of an emulator's work."""
    with served(tmp_path / "mirror", "arm64") as address:
        yield address


def test_arm64_is_made_and_works(cli: Cli, tmp_path: Path, mirror: str) -> None:
    arm = ("--arch", "arm64", "--backend", "mmdebstrap", "--mirror", mirror)
    root = tmp_path / "arm"
    cli.ok("create", "-d", root, *arm, timeout=1800)
    assert inside(root, "dpkg", "--print-architecture").stdout == "arm64\n"
    assert inside(root, "uname", "-m").stdout == "aarch64\n"
    assert inside(root, "dpkg", "--audit").stdout == ""
    assert inside(root, "apt-get", "--version").returncode == 0
    assert text(root, "etc/hostname") == "arm\n"
    bases = {base["arch"]: base for base in cli.json("base", "list")}
    assert bases["arm64"]["packages"] > 50
    again = tmp_path / "again"
    cli.ok("create", "-d", again, *arm, "--offline")
    assert inside(again, "uname", "-m").stdout == "aarch64\n"
