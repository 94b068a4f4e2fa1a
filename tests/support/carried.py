"""A caller with everything in hand that could be left lying about, and a look from inside at it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from chroot_tool.core.kernel import syscalls

PYTHON = f"{sys.base_prefix}/bin/python{sys.version_info.major}.{sys.version_info.minor}"
"""The host's, bound to the same place inside: tests look by it, nothing of it is a promise."""
SECRET = "host-secret"
STRANGER = 54321
"""A user id that has no process on any host."""

LOADED = f"""
import ctypes, os, sys
call = ctypes.CDLL(None, use_errno=True).syscall
call(ctypes.c_long({syscalls._NR_KEYCTL}), ctypes.c_long(1), None)
call(ctypes.c_long({syscalls._NR_KEYCTL - 2}), b"user", b"{SECRET}", b"{SECRET}",
     ctypes.c_long({len(SECRET)}), ctypes.c_long(-3))
for number, path in ((5, "/etc/shadow"), (9, "/etc/passwd"), (12, "/"), (77, "/proc/1")):
    os.dup2(os.open(path, os.O_RDONLY), number)
os.environ["{SECRET.upper().replace("-", "_")}"] = "{SECRET}"
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Become a program that has, from its caller, descriptors, variables and a key."""

_PROBE = f"""
import os

fds = {{}}
for name in os.listdir("/proc/self/fd"):
    try:
        fds[name] = os.readlink("/proc/self/fd/" + name)
    except OSError:
        pass  # that of the listing

# Only now: the library behind ctypes has a descriptor of its own in newer Debians.
import ctypes, errno, json, stat, sys

libc = ctypes.CDLL(None, use_errno=True)


def keys():
    found = []
    out = ctypes.create_string_buffer(100)
    call = lambda *words: libc.syscall(ctypes.c_long({syscalls._NR_KEYCTL}), *words)
    idents = [call(ctypes.c_long(10), ctypes.c_long(-3), b"user", b"{SECRET}", ctypes.c_long(0))]
    idents += [int(line.split()[0], 16) for line in open("/proc/keys") if " user " in line]
    for ident in idents:
        length = call(ctypes.c_long(11), ctypes.c_long(ident), out, ctypes.c_long(100))
        if length > 0:
            found.append(out.raw[:length].decode("ascii", "replace"))
    return found


def readable(path):
    try:
        fd = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        return stat.S_ISDIR(os.fstat(fd).st_mode) or bool(os.pread(fd, 1, 0))
    except OSError as error:
        return error.errno == errno.EIO  # mem, at no address
    finally:
        os.close(fd)


def reached():
    found = []
    own = os.getuid()
    for pid in os.listdir("/proc"):
        try:
            if not pid.isdigit() or os.stat("/proc/" + pid).st_uid == own:
                continue
        except OSError:
            continue
        for name in ("root", "cwd", "exe", "fd", "fdinfo", "environ", "mem", "maps", "ns/mnt",
                     "auxv", "stack", "syscall", "io", "personality", "map_files"):
            path = "/proc/" + pid + "/" + name
            if readable(path):
                found.append(path)
    return found


def tty():
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
        return "open"
    except OSError as error:
        return errno.errorcode[error.errno]


def status():
    pairs = [line.split(":", 1) for line in open("/proc/self/status")]
    return {{name: value.split() for name, value in pairs}}


def devpts(fd):
    try:
        return os.isatty(fd) and os.fstat(fd).st_dev == os.stat("/dev/pts/ptmx").st_dev
    except OSError:
        return False


words = open("/proc/self/stat").read().rpartition(") ")[2].split()
found = dict(
    fds=fds, env=dict(os.environ), keys=keys(), reached=reached() if os.getuid() else [],
    tty=tty(), tty_nr=int(words[4]), status=status(), securebits=libc.prctl(27, 0, 0, 0, 0),
    cwd=os.getcwd(), groups=sorted(os.getgroups()), ids=[*os.getresuid(), *os.getresgid()],
    terminal=[devpts(fd) for fd in (0, 1, 2)],
)
text = json.dumps(found)
if len(sys.argv) > 1:
    with open("/out/part", "w") as file:
        file.write(text)
    os.rename("/out/part", sys.argv[1])
else:
    print(text)
"""


def prepare(root: Path) -> None:
    """Put the probe into a tiny root, with what it needs, and a user whom nobody knows."""
    (root / "probe.py").write_text(_PROBE)
    (root / "out").mkdir(mode=0o777)
    (root / "out").chmod(0o1777)
    (root / "chroot.d/tool.conf").write_text(f"[bind]\ntgt:{sys.base_prefix} fs:bind-ro\n")
    with (root / "etc/passwd").open("a") as file:
        file.write(f"stranger:x:{STRANGER}:{STRANGER}::/tmp:/bin/sh\n")
    for word in ("start", "stop"):
        script = root / f"chroot.d/{word}"
        script.write_text(f"#!/bin/sh\nexec {PYTHON} -I -S /probe.py /out/{word}.json\n")
        script.chmod(0o755)


def look(*words: str) -> list[str]:
    """The words that run the probe; with a path inside it writes what it finds there."""
    return [PYTHON, "-I", "-S", "/probe.py", *words]


def loaded(argv: list[str]) -> list[str]:
    """The words that start *argv* by such a caller."""
    return [sys.executable, "-c", LOADED, *argv]


def read(text: str | bytes) -> dict[str, Any]:
    """What the probe has found."""
    found: dict[str, Any] = json.loads(text)
    return found
