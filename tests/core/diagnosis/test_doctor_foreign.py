from __future__ import annotations

from pathlib import Path

import pytest

from chroot_tool.core.diagnosis import foreign_architectures
from chroot_tool.core.diagnosis.finding import NOTE, OK, PROBLEM
from chroot_tool.core.host import debian
from support.doctor import bare_root, host, of, worst

MACHINES = {"arm64": 183, "riscv64": 243}
FOREIGN = next(arch for arch in MACHINES if arch != debian.architecture())


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A chroot whose shell is a program of FOREIGN."""
    root = bare_root(tmp_path)
    head = bytearray(b"\x7fELF\x02\x01\x01" + bytes(13))
    head[18:20] = MACHINES[FOREIGN].to_bytes(2, "little")
    (root / "bin/sh").write_bytes(bytes(head))
    return root


def register(folder: Path, text: str) -> str:
    (folder / f"qemu-{debian.QEMU[FOREIGN]}").write_text(text)
    return str(folder)


def test_programs_that_the_kernel_can_not_run(root: Path, tmp_path: Path) -> None:
    found = worst(foreign_architectures.binfmt(of(root), str(tmp_path)))
    assert found.severity == PROBLEM
    assert "qemu-user-static" in found.mend


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("enabled\nflags: F\n", OK),
        ("disabled\nflags: F\n", PROBLEM),
        ("enabled\nflags: \n", PROBLEM),
    ],
)
def test_it_can_where_qemu_is_registered_from_outside(
    root: Path, tmp_path: Path, text: str, severity: str
) -> None:
    assert (
        worst(foreign_architectures.binfmt(of(root), register(tmp_path, text))).severity == severity
    )


@pytest.mark.root
def test_programs_of_this_host(tiny_chroot: Path) -> None:
    assert worst(foreign_architectures.binfmt(of(tiny_chroot))).severity == OK


def test_what_does_not_say_is_noted(tmp_path: Path) -> None:
    assert worst(foreign_architectures.binfmt(of(bare_root(tmp_path)))).severity == NOTE


def test_of_the_host_those_are_told_that_it_can_run(tmp_path: Path) -> None:
    assert FOREIGN not in worst(foreign_architectures.binfmt(host(), str(tmp_path))).found
    there = register(tmp_path, "enabled\nflags: F\n")
    found = worst(foreign_architectures.binfmt(host(), there))
    assert found.severity == OK
    assert FOREIGN in found.found
