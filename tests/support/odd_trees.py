"""Trees as hypothesis makes them: what nobody would make, under every path that matters.

A tree is an ordinary tiny root with some things put in the place of others. Imported as
`odd_trees`.
"""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from hypothesis import strategies as st

from support import detach, mounts_below

LONGEST = "n" * 255
ODD_NAMES = (
    "new\nline",
    "\x1b[31mred\x1b]0;t\x07",
    "\udcff\udcfe",
    LONGEST,
    " ",
    "-d",
    "a'b\"$(c)",
)
PATHS = (
    "bin", "bin/sh", "usr", "usr/bin", "lib", "lib64",
    "chroot.d", "chroot.d/tool.conf", "chroot.d/chroot.toml", "chroot.d/chroot-cmd",
    "chroot.d/start", "chroot.d/stop", "chroot.d/conf.sh", "chroot.d/host-cmd",
    "etc", "etc/passwd", "etc/group", "etc/os-release", "etc/resolv.conf", "etc/hostname",
    "etc/hosts", "etc/machine-id", "etc/localtime", "etc/debian_version", "etc/default/locale",
    "etc/ssh/ssh_host_key.pub", "etc/debian_chroot", "etc/timezone",
    "dev", "dev/pts", "dev/shm", "dev/null", "proc", "sys", "run", "tmp", "root", "home/app",
    "data", "data/deep", "place", "place/deep", "srv/far/off", "var/lib/dbus/machine-id",
    ".chroot-tool-create", ".chroot-tool-create/root", ".chroot-tool-create/made",
    ".chroot-tool-delete", ".dockerenv", "usr/sbin/policy-rc.d", "usr/lib/os-release",
    *ODD_NAMES, *(f"chroot.d/{name}" for name in ODD_NAMES), f"etc/{ODD_NAMES[0]}",
    "place/new\nline/deep", f"{LONGEST}/{LONGEST}",
)  # fmt: skip
TARGETS = (
    "/data", "/data/deep", "/place", "/place/deep", "/place/new\\nline/deep", "/srv/far/off",
    "/etc/passwd", "/etc/resolv.conf", "/etc", "/dev/pts", "/dev/null", "/dev", "/proc",
    "/proc/1/root", "/proc/self/fd", "/sys/kernel", "/tmp", "/tmp/in/tmp", "/run/x", "/chroot.d",
    "/chroot.d/tool.conf", "/usr", "/bin", "/bin/sh", "/.chroot-tool-create", f"/{LONGEST}",
    f"/{'d/' * 200}d", "/lent/under/lent", "/lent",
)  # fmt: skip
BIND_OPTIONS = ("ro", "nosuid", "private", "slave", "shared", "unbindable", "rbind", "noatime")
ODD_OPTIONS = (*BIND_OPTIONS, "rw", "size=64k", "mode=700", "bogus", "nodev,noexec")
SNIPPETS = (
    b'[system]\nresolv = "copy"\n', b'[system]\nresolv = "none"\n', b"[system]\ndev = 3\n",
    b'[[bind]]\ntarget = "/opt"\nfs = "tmpfs"\n', b'[[bind]]\ntarget = "/proc"\nignore = true\n',
    b'[[bind]]\ntarget = "/opt"\nsource = "/nowhere"\noptional = true\n', b"\xff\xfe", b"[",
    b'description = "\\u001b[31m"\n', b'[run]\nuser = "app"\n', b"a = [[[[[[[[[[[[]]]]]]]]]]]]\n",
    b'[run.env]\nA = "b"\n',
)  # fmt: skip
CONTENTS = (
    b"", b"\0" * 100, b"root:x:0:0:root:/root:/bin/sh\n" * 2000, b"app:x:9999999999999:0:::\n",
    b"root:x:-1:0::\nroot\n::::::\n", b"\xff\xfe\xfd", b"tiny\n", b"127.0.1.1 tiny # x\n",
    b'PRETTY_NAME="\x1b[31mred\x1b[0m"\n', b"PRETTY_NAME=" + b"x" * 70000, b"#!/bin/false\n",
    b"#!/nowhere\n", b"etc\0bin\0..\0/\0\0a/b", b"#!" + b"/" * 5000 + b"\n",
)  # fmt: skip


class Odd(NamedTuple):
    """One thing that is put under a path."""

    path: str
    kind: str
    content: bytes = b""
    to: str = ""

    def __repr__(self) -> str:
        return f"Odd({self.path!r}, {self.kind!r}, {self.content[:80]!r}, {self.to!r})"


KINDS = (
    "gone", "fifo", "socket", "char", "block", "directory", "deep", "huge", "shut", "immutable",
    "sealed directory", "append-only", "tmpfs", "bound", "stranger's", "many",
)  # fmt: skip


def links(out: str) -> Sequence[str]:
    """Where links lead: out, in circles, too long, nowhere."""
    far = "../" * 40
    return (
        out, f"{out}/etc/passwd", f"{far}{out[1:]}", f"/proc/self/root{out}", f"/proc/1/root{out}",
        f"{out}/etc", f"{out}/dev", f"{out}/chroot.d/tool.conf", f"{out}/bin/sh", "/", ".", "..",
        "circle", "/circle", "/circle/x", "bin", "/etc", "/usr/bin/../../etc", "/proc", "/dev/tty",
        "/place", "/place/deep", "nowhere", "/nowhere/at/all", "/proc/self/fd/0", "x" * 4000,
        "/proc/self/cwd", "a/" * 1000, f"/proc/self/root/proc/self/root{out}",
    )  # fmt: skip


def odd(out: str) -> st.SearchStrategy[Odd]:
    path = st.sampled_from(PATHS)
    toml = st.lists(st.sampled_from(SNIPPETS), max_size=3).map(b"".join)
    return st.one_of(
        st.builds(Odd, path, st.sampled_from(KINDS)),
        st.builds(Odd, path, st.just("link"), st.just(b""), st.sampled_from(links(out))),
        st.builds(Odd, path, st.just("link"), st.just(b""), st.sampled_from(links(out))),
        st.builds(Odd, path, st.just("file"), st.sampled_from(CONTENTS) | st.binary(max_size=200)),
        st.builds(Odd, st.just("chroot.d/chroot.toml"), st.just("file"), toml),
    )


def entry(sources: Sequence[str]) -> st.SearchStrategy[str]:
    """A line of tool.conf."""

    def line(target: str, source: str, fs: str, options: Sequence[str]) -> str:
        words = [f'src:"{source}"'] * bool(source) + [f'tgt:"{target}"', f"fs:{fs}"]
        return " ".join(words + [f"opt:{','.join(options)}"] * bool(options))

    target = st.sampled_from(TARGETS)
    bind, new = st.sampled_from(("bind", "bind", "bind-ro")), st.sampled_from(("tmpfs", "proc"))
    return st.one_of(  # one in three is wrong by itself: then there is nothing more to be seen
        st.builds(line, target, st.sampled_from(sources), bind, _some(BIND_OPTIONS)),
        st.builds(line, target, st.just(""), new, _some(("nosuid", "noatime", "ro", "noexec"))),
        st.builds(
            line, target, st.sampled_from(("/nowhere", "relative", "none", sources[0])),
            st.sampled_from(("bind", "tmpfs", "overlay", "no", "devpts")), _some(ODD_OPTIONS),
        ),
    )  # fmt: skip


def _some(words: Sequence[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(words), max_size=2, unique=True)


class Tree(NamedTuple):
    """What a tree is made of."""

    odds: list[Odd]
    binds: list[str]


def trees(out: str, sources: Sequence[str]) -> st.SearchStrategy[Tree]:
    return st.builds(
        Tree,
        st.lists(odd(out), min_size=1, max_size=5),
        st.lists(entry(sources), max_size=4),
    )


_SMALL = ("sh", "true", "libc.so.6", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1")
"""What of the programs and libraries a shell needs: the rest would only be copied."""


class Maker:
    """Makes trees: hard links of a template, so that each costs a millisecond."""

    def __init__(self, template: Path) -> None:
        self._folders: list[str] = []
        self._links: list[tuple[str, str]] = []
        self._files: list[tuple[Path, str]] = []
        for place in sorted(template.rglob("*")):
            name = str(place.relative_to(template))
            if place.is_symlink():
                self._links.append((os.readlink(place), name))
            elif place.is_dir():
                self._folders.append(name)
            elif place.name in _SMALL or name.partition("/")[0] not in ("bin", "lib", "lib64"):
                self._files.append((place, name))

    def make(self, root: Path, tree: Tree) -> None:
        for name in ("", *self._folders, "data", "place/deep", "srv"):
            os.makedirs(root / name, exist_ok=True)
        for to, name in self._links:
            os.symlink(to, root / name)
        for place, name in self._files:
            os.link(place, root / name)
        (root / "circle").symlink_to("circle")
        if tree.binds:
            text = "\n".join(["[bind]", *tree.binds, ""])
            (root / "chroot.d/tool.conf").write_bytes(os.fsencode(text))
        for one in tree.odds:
            with suppress(OSError):  # what was put there before leaves no room for it
                _put(root, one)


def _put(root: Path, one: Odd) -> None:
    """Put it in place. Never through a link: what stands above is opened without following."""
    above, _, name = one.path.rpartition("/")
    fd = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in filter(None, above.split("/")):
            with suppress(FileExistsError):
                os.mkdir(part, dir_fd=fd)
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=fd)
            os.close(fd)
            fd = inner
        if one.kind in _CHANGES:
            _CHANGES[one.kind](fd, name)
            return
        with suppress(FileNotFoundError):
            _away(fd, name)
        if one.kind == "link":
            os.symlink(one.to, name, dir_fd=fd)
        elif one.kind == "file":
            opened = os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o755, dir_fd=fd)
            os.write(opened, one.content)
            os.close(opened)
        elif one.kind != "gone":
            _MAKES[one.kind](fd, name)
    finally:
        os.close(fd)


_aside = iter(range(1 << 60))


def _away(fd: int, name: str) -> None:
    """Move it away: it may be full, and what it was can stay somewhere in the tree."""
    try:
        os.unlink(name, dir_fd=fd)
    except IsADirectoryError:
        os.rename(name, f"was-{next(_aside)}", src_dir_fd=fd, dst_dir_fd=fd)


def _deep(fd: int, name: str) -> None:
    os.mkdir(name, dir_fd=fd)
    for depth in range(1, 120):
        os.mkdir("/".join([name, *["d"] * depth]), dir_fd=fd)


def _huge(fd: int, name: str) -> None:
    opened = os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644, dir_fd=fd)
    os.ftruncate(opened, 1 << 40)
    os.close(opened)


def _many(fd: int, name: str) -> None:
    os.mkdir(name, dir_fd=fd)
    for number in range(300):
        os.symlink(str(number), f"{name}/{number}", dir_fd=fd)


def _socket(fd: int, name: str) -> None:
    os.mknod(name, stat.S_IFSOCK | 0o666, dir_fd=fd)


def _node(kind: int, major: int, minor: int) -> Callable[[int, str], None]:
    return lambda fd, name: os.mknod(name, kind | 0o666, os.makedev(major, minor), dir_fd=fd)


def _flag(letter: str, *, directory: bool) -> Callable[[int, str], None]:
    def seal(fd: int, name: str) -> None:
        if directory:
            os.mkdir(name, dir_fd=fd)
            os.mkdir(f"{name}/in", dir_fd=fd)
        else:
            os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644, dir_fd=fd))
        place = f"/proc/self/fd/{fd}/{name}"
        subprocess.run(["chattr", f"+{letter}", place], pass_fds=(fd,), check=False)

    return seal


def _mounted(*words: str) -> Callable[[int, str], None]:
    def mount(fd: int, name: str) -> None:
        place = f"/proc/self/fd/{fd}/{name}"
        if not stat.S_ISLNK(os.stat(name, dir_fd=fd, follow_symlinks=False).st_mode):
            words_ = [word.replace("HERE", place) for word in words]
            subprocess.run(
                ["mount", "-c", *words_, place], pass_fds=(fd,), check=False, capture_output=True
            )

    return mount


def _stranger(fd: int, name: str) -> None:
    os.chown(name, 4243, 4243, dir_fd=fd, follow_symlinks=False)


def _shut(fd: int, name: str) -> None:
    if not stat.S_ISLNK(os.stat(name, dir_fd=fd, follow_symlinks=False).st_mode):
        os.chmod(name, 0, dir_fd=fd)


_CHANGES = {
    "tmpfs": _mounted("-t", "tmpfs", "-o", "size=64k", "x"),
    "bound": _mounted("--bind", "HERE"),
    "stranger's": _stranger,
    "shut": _shut,
}
_MAKES: dict[str, Callable[[int, str], None]] = {
    "fifo": lambda fd, name: os.mkfifo(name, dir_fd=fd),
    "socket": _socket,
    "char": _node(stat.S_IFCHR, 5, 0),
    "block": _node(stat.S_IFBLK, 7, 200),
    "directory": lambda fd, name: os.mkdir(name, dir_fd=fd),
    "deep": _deep,
    "huge": _huge,
    "many": _many,
    "immutable": _flag("i", directory=False),
    "append-only": _flag("a", directory=False),
    "sealed directory": _flag("i", directory=True),
}


def remove(root: Path) -> None:
    """Remove a tree whatever is in it, but nothing that is mounted on it."""
    detach(mounts_below(root))
    if root.exists():
        done = subprocess.run(["rm", "-rf", "--one-file-system", root], capture_output=True)
        if done.returncode:
            subprocess.run(["chattr", "-R", "-f", "-i", "-a", root], check=False)
            subprocess.run(["rm", "-rf", "--one-file-system", root], check=True)
