"""For which kind of machine a chroot is made, as Debian names it."""

from __future__ import annotations

import os

from ..errors import ChrootError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..kernel.rootpath import Root

_PROGRAMS = ("/bin/sh", "/usr/bin/dpkg", "/bin/busybox")
_AMD64, _X32_CLASS = 62, 1
_NAMES = {
    3: "i386", 8: "mips", 20: "powerpc", 21: "ppc64el", 22: "s390x", 40: "armhf", 62: "amd64",
    183: "arm64", 243: "riscv64", 258: "loong64",
}  # fmt: skip
"""e_machine (elf.h) by Debian's names."""


def architecture(root: Root) -> str:
    """Return the architecture of a chroot's programs, "" where none of the usual ones says.

    What a program is built for, not what dpkg's files say: that also answers for other systems,
    and takes 20 bytes.
    """
    for program in _PROGRAMS:
        head = _head(root, program)
        if head[:4] == b"\x7fELF" and len(head) == 20:
            machine = int.from_bytes(head[18:20], "big" if head[5] == 2 else "little")
            if machine == _AMD64 and head[4] == _X32_CLASS:
                return "x32"
            return _NAMES.get(machine, "")
    return ""


def _head(root: Root, program: str) -> bytes:
    try:
        fd = root.open_file(program)
    except (OSError, ChrootError):
        return b""
    try:
        return os.pread(fd, 20, 0)
    except OSError:
        return b""
    finally:
        os.close(fd)
