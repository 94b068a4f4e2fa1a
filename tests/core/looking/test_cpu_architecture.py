"""The architecture of a chroot, read from its shell."""

from __future__ import annotations

from pathlib import Path

import pytest

from chroot_tool.core.kernel.rootpath import Root
from chroot_tool.core.looking.architecture import architecture

ELF = b"\x7fELF"


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (ELF + b"\x02\x01" + b"\0" * 12 + b"\x3e\0", "amd64"),
        (ELF + b"\x01\x01" + b"\0" * 12 + b"\x3e\0", "x32"),
        (ELF + b"\x02\x01" + b"\0" * 12 + b"\xb7\0", "arm64"),
        (ELF + b"\x02\x02" + b"\0" * 12 + b"\0\x16", "s390x"),
        (ELF + b"\x02\x01" + b"\0" * 12 + b"\xff\xff", ""),
        (ELF, ""),
        (b"#!/bin/busybox sh\n...", ""),
    ],
)
def test_the_architecture_is_what_the_shell_is_built_for(
    tmp_path: Path, head: bytes, name: str
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/sh").write_bytes(head)
    with Root(str(tmp_path)) as root:
        assert architecture(root) == name


def test_the_architecture_of_a_link_is_looked_up_inside(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/sh").symlink_to("/usr/bin/true")  # there on the host, not in here
    with Root(str(tmp_path)) as root:
        assert architecture(root) == ""
