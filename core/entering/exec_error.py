"""Why a command could not be started inside, in words: "exec format error" helps nobody.

Loaded only when something went wrong. Everything is looked at through the root, from outside.
"""

from __future__ import annotations

import os
import stat
from errno import EACCES, ENOENT, ENOEXEC, ENOTDIR, EPERM
from struct import error as StructError  # noqa: N812 (it is a class)
from struct import unpack_from

from ..errors import ChrootError, EnterError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..kernel.rootpath import Root
    from .launch import Launch, Refused

_DEPTH = 5  # of scripts that are each other's interpreters: BINPRM_MAX_RECURSION and one
_HEAD = 4096
_MACHINES = {
    3: "i386", 8: "mips", 20: "powerpc", 21: "ppc64el", 22: "s390x", 40: "armhf", 62: "amd64",
    183: "arm64", 243: "riscv64", 258: "loong64",
}  # fmt: skip
"""e_machine (elf.h) by Debian's names."""


def explain(root: Root, launch: Launch, refused: Refused) -> EnterError:
    """Return the error for a launch that the kernel refused, with the exit code it makes."""
    number = refused.number
    reason = os.strerror(number)
    if refused.stage == "enter":
        hint = "run as root" if number == EPERM else ""
        return EnterError(f"cannot enter {root.path}: {reason}", hint)
    if refused.stage == "cwd":
        hint = "-w names another working directory"
        where = f"{launch.cwd} in {root.path}"
        if number == EACCES:
            return EnterError(f"user {launch.user.name} may not enter {where}", hint)
        return EnterError(f"cannot work in {where}: {reason}", hint)
    program = launch.program
    if not program.startswith("/"):
        program = f"{launch.cwd}/{program}"
    message, hint = _blame(root, program, launch.user.name, number, _DEPTH)
    return EnterError(message, hint, 127 if number in (ENOENT, ENOTDIR) else 126)


def _blame(root: Root, program: str, user: str, number: int, depth: int) -> tuple[str, str]:
    """Return message and hint for *program*, or for the interpreter that is at fault."""
    there = root.stat(program)
    if there is None and number == EACCES:
        return (
            f"user {user} may not look for {program}",
            "see the modes of the directories above it",
        )
    if there is None:
        return f"{program} does not exist in {root.path}", ""
    if stat.S_ISDIR(there.st_mode):
        return f"{program} is a directory", ""
    if number == EACCES:
        found = _forbidden(root, program, there, user)
        if found:
            return found
    head = _head(root, program)
    if head.startswith(b"\x7fELF"):
        return _blame_elf(root, program, head, number)
    if head.startswith(b"#!") and depth:
        # Only space and tab part words for the kernel (binfmt_script.c): a \r is part of the name.
        words = head[2:].partition(b"\n")[0].replace(b"\t", b" ").split(b" ")
        interpreter = os.fsdecode(next(filter(None, words), b""))
        if not interpreter:
            return f"{program} names no interpreter behind its #!", "write #!/bin/sh there"
        if root.stat(interpreter) is None:
            return _no_interpreter(root, program, interpreter)
        message, hint = _blame(root, interpreter, user, number, depth - 1)
        return f"the interpreter of {program}: {message}", hint
    if number == ENOEXEC:
        kind = "no program and has no #! line" if head else "empty"
        return f"{program} is {kind}", "a script begins with a line such as #!/bin/sh"
    return f"cannot execute {program}: {os.strerror(number)}", ""


def _forbidden(
    root: Root, program: str, there: os.stat_result, user: str
) -> tuple[str, str] | None:
    """Say why *program* may not be executed; None where it is not the file itself."""
    if not there.st_mode & 0o111:
        return f"{program} is not executable", f"chmod +x {root.path}{program}"
    fd = root.open(program)
    try:
        flags = os.fstatvfs(fd).f_flag
    finally:
        os.close(fd)
    if flags & os.ST_NOEXEC:
        return f"{program} lies on a file system mounted noexec", "see the options of its mount"
    if user != "root":
        hint = f"see the modes of {program} and of the directories above it"
        return f"user {user} may not execute {program}", hint
    return None


def _head(root: Root, program: str, offset: int = 0) -> bytes:
    try:
        fd = root.open_file(program)
    except (OSError, ChrootError):
        return b""
    try:
        return os.pread(fd, _HEAD, offset)
    except OSError:
        return b""
    finally:
        os.close(fd)


def _no_interpreter(root: Root, program: str, interpreter: str) -> tuple[str, str]:
    message = f"{program} needs {interpreter!r}, which does not exist in {root.path}"
    if interpreter.endswith("\r"):
        return message, "its lines end as on Windows: sed -i 's/\\r$//' mends that"
    return message, "install it inside, or correct the first line"


def _blame_elf(root: Root, program: str, head: bytes, number: int) -> tuple[str, str]:
    machine = _machine(head)
    own = _own_machine()
    if number == ENOEXEC and machine != own:
        built = _MACHINES.get(machine, f"machine {machine}")
        return (
            f"{program} is built for {built}, this machine is {_MACHINES.get(own, own)}",
            "install qemu-user-static on the host: the kernel then runs it through an emulator",
        )
    loader = _loader(root, program, head)
    if loader and root.stat(loader) is None:
        return (
            f"{program} needs {loader}, which does not exist in {root.path}",
            "libc6 is missing inside, or damaged",
        )
    return f"cannot execute {program}: {os.strerror(number)}", ""


def _order(head: bytes) -> str:
    """Return struct's byte order of an ELF file: EI_DATA."""
    return ">" if head[5:6] == b"\x02" else "<"


def _machine(head: bytes) -> int:
    try:
        return int(unpack_from(f"{_order(head)}H", head, 18)[0])
    except StructError:
        return 0


def _own_machine() -> int:
    with open("/proc/self/exe", "rb", buffering=0) as file:
        return _machine(file.read(64))


def _loader(root: Root, program: str, head: bytes) -> str:
    """Return the path in the PT_INTERP segment (elf(5)), "" where there is none."""
    order = _order(head)
    wide = head[4:5] == b"\x02"
    try:
        (start,) = unpack_from(f"{order}{'Q' if wide else 'I'}", head, 32 if wide else 28)
        size, count = unpack_from(f"{order}HH", head, 54 if wide else 42)
        for index in range(min(count, 64)):
            at = start + index * size
            if unpack_from(f"{order}I", head, at)[0] == 3:  # PT_INTERP
                form, offset, length = (order + "Q", 8, 32) if wide else (order + "I", 4, 16)
                (where,) = unpack_from(form, head, at + offset)
                (long,) = unpack_from(form, head, at + length)
                text = _head(root, program, min(where, 1 << 62))[: min(long, _HEAD)]
                return os.fsdecode(text.partition(b"\0")[0])
    except (StructError, OverflowError):  # it ends too early: a damaged file
        pass
    return ""
