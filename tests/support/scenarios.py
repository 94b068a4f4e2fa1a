"""What the proofs of failing calls and of kills go through: verbs, each from a known beginning.

A `World` is a directory with a chroot, host directories that it binds and a neighbour. All of it
can be seen (`World.seen`): the tree, attribute by attribute, the whole mount table, what is in the
mounts, who lives inside. So two ends can be compared, and what is between them. Imported as
`support.scenarios`.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, TypeVar

from . import (
    CHECKOUT,
    Arg,
    Cli,
    detach,
    is_below,
    kill,
    lasting,
    make_tiny_root,
    processes_below,
    read_mounts,
    wait_until,
)
from .kept_base import MIRROR, base_name, keep
from .seam import Watched, watch

T = TypeVar("T")
Words = tuple[str, ...]
Seen = Mapping[str, str]
_SMALL = 1 << 14
"""Bytes up to which content is compared; of what is larger, programs, the size and the time."""
_SKIPPED = ("proc", "sysfs", "devpts", "devtmpfs", "mqueue", "cgroup2", "overlay")
_STORE = (".chroot-tool", ".chroot-tool/snapshots")
"""Where snapshots are: made once, empty as often as not, and never in anybody's way."""
_VOLATILE = (".json", "etc/machine-id", "etc/hosts", ".tar.zst", ".sha256")
"""Files that hold the time, a number by chance or the host's name."""
_BLOBS = "blobs/sha256"
"""A directory of an image, in which files are called by what is in them, the time among it."""


class Scenario(NamedTuple):
    """A verb, from a beginning that earlier commands lead to."""

    name: str
    words: Words
    """What is watched; {w} is the world, {base} the name of the base there.

    "engine" METHOD …: a call of the engine. "bootstrap" TREE …: TREE is what a bootstrap makes.
    """
    mends: tuple[tuple[Words, ...], ...]
    """What is to mend it after a kill: each of these by itself."""
    first: tuple[Words, ...] = ()
    """Commands that lead to the beginning."""
    before: Callable[[Path], None] | None = None
    """What a user does by hand after them."""
    config: str = ""
    """The chroot's chroot.toml."""
    resident: bool = False
    """Whether a process lives in the chroot."""
    is_plan: bool = False
    """Whether it carries out a plan of mounts, which is taken back step by step."""
    goes_on: bool = False
    """Whether what has failed may stay half done, and doing it again goes on: a deletion."""
    stays: str = ""
    """How the names begin of what is done by itself, and stays so where the rest fails: a base."""


class World:
    """The directory that a scenario happens in. A context manager; nothing is left at its end."""

    def __init__(self, path: Path, cli: Cli, scenario: Scenario) -> None:
        self.path, self.scenario = path, scenario
        self._cli = cli.with_bases(path / "bases")
        self._template = path.with_name(f"{path.name}.template")
        self._process: subprocess.Popen[bytes] | None = None
        _make(self._template, scenario.config)

    def __enter__(self) -> World:
        self.begin()
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def begin(self) -> None:
        """Bring everything to the beginning of the scenario, whatever was there before."""
        self.clear()
        subprocess.run(["cp", "-a", self._template, self.path], check=True)
        inner = self.path / "host/rec/inner"
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "inner", inner], check=True)
        (inner / "there").write_text("there\n")
        for words in self.scenario.first:
            self.cli(words)
        if self.scenario.before:
            self.scenario.before(self.path)
        if self.scenario.resident:
            # Started by root itself, so that what we see of it depends on nothing of ours.
            program = ["chroot", str(self.path / "c"), "/bin/sleep", "1000"]
            self._process = subprocess.Popen(program, stdin=subprocess.DEVNULL)
            wait_until(lambda: processes_below(self.path), self._process)  # it has gone in

    def begin_again(self, beginning: Seen) -> None:
        """The same, where not everything is still as at that *beginning*."""
        if self.seen() != beginning:
            self.begin()

    def clear(self) -> None:
        """Remove everything: nothing is deleted before every mount below is gone."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None
        while left := processes_below(self.path):
            kill(list(left))
        points = [mount.point for mount in read_mounts().values()]
        detach([point for point in points if is_below(point, self.path)])
        assert not [m for m in read_mounts().values() if is_below(m.point, self.path)]
        shutil.rmtree(self.path, ignore_errors=True)

    # -- doing -----------------------------------------------------------------------------------

    def _filled(self, words: Words) -> Words:
        return tuple(word.format(w=self.path, base=base_name()) for word in words)

    def cli(self, words: Words) -> subprocess.CompletedProcess[str]:
        """Run a command of chroot-tool undisturbed."""
        if words[0] not in ("engine", "bootstrap"):
            return self._cli(*self._filled(words), cwd=self.path, timeout=120)
        argv, env = self._command(words)
        return subprocess.run(
            argv, env=env, cwd=self.path, timeout=120, check=False, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, errors="surrogateescape",
        )  # fmt: skip

    def mend(self, number: int = 0) -> None:
        """Do what is to mend it after a kill: the commands of that *number*; -1: off and on."""
        for words in self.scenario.mends[number] if number >= 0 else (_OFF, _ON):
            said = self.cli(words).stderr
            assert "Traceback" not in said, said

    def watch(self, at: Mapping[int, int] | None = None) -> Watched:
        """Run what the scenario is about, with calls that fail or are the last; see `watch`."""
        argv, env = self._command(self.scenario.words)
        return watch(argv, env, at, cwd=self.path)

    def twice(self, delay: float) -> tuple[Watched, Watched]:
        """Run that twice at once, the second after *delay* seconds."""
        argv, env = self._command(self.scenario.words)

        def start(number: int) -> subprocess.Popen[str]:
            if number:
                time.sleep(delay)  # nothing is waited for: another moment each time
            return subprocess.Popen(
                argv, env=env, cwd=self.path, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE, text=True, errors="surrogateescape",
            )  # fmt: skip

        with start(0) as one, start(1) as other:
            ends = [(process, process.communicate(timeout=120)[1]) for process in (one, other)]
        one_end, other_end = (Watched(process.returncode, "", err, []) for process, err in ends)
        return one_end, other_end

    def _command(self, words: Words) -> tuple[list[Arg], dict[str, str]]:
        words = self._filled(words)
        argv = self._cli.argv(*words)
        if words[0] == "engine":
            argv = [sys.executable, "-c", _ENGINE, *words[1:]]
        elif words[0] == "bootstrap":
            argv = [sys.executable, Path(__file__).with_name("bootstrapping.py"), *words[1:]]
        return argv, self._cli.environment({"PYTHONPATH": str(CHECKOUT / ".pkg")})

    # -- seeing ----------------------------------------------------------------------------------

    def seen(self) -> Seen:
        """Everything that is there: what is compared with another time."""
        if self._process:
            self._process.poll()
        alive = self._process is not None and self._process.returncode is None
        mounts = sorted(_mount(mount.line) for mount in lasting(read_mounts()).values())
        numbered = {f"mount {line} #{i - mounts.index(line)}": "" for i, line in enumerate(mounts)}
        return {
            "resident": str(alive),
            "processes": str(len(processes_below(self.path)) - alive),
            **numbered,
            **dict(_tree(self.path, self.path)),
        }


class Golden:
    """How a scenario is to begin, to end and to be mended: seen where nothing disturbs it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.before = world.seen()
        whole = world.watch()
        assert whole.code == 0, whole.err
        self.calls = whole.calls
        self.after = world.seen()
        self._mended: dict[tuple[int, bool], Seen] = {}

    def mended(self, number: int = 0, *, done: bool = True) -> Seen:
        """What is there after the commands that mend, with or without what they mend before."""
        known = self._mended.get((number, done))
        if known is None:
            self._world.begin()
            if done:
                self._world.watch()
            self._world.mend(number)
            known = self._mended[number, done] = self._world.seen()
        return known


_ENGINE = """
import sys
from chroot_tool.app import exits
from chroot_tool.app.progress_lines import Narrator
from chroot_tool.core.local_engine import LocalEngine
method, path, *words = sys.argv[1:]
def do():
    engine = LocalEngine("/nowhere")
    if method == "switch_bind":
        engine.switch_bind(path, words[0], on=words[1] == "on", report=Narrator(json=False))
    else:
        from chroot_tool.core.config.merge import parse
        from chroot_tool.core.host.mount_points import host_facts
        before = parse(b"", words[0].encode(), where=path, conf_sh=False, host=host_facts()).binds
        engine.binds(path).sync(before, report=Narrator(json=False))
    return 0
sys.exit(exits.answer(do))
"""


def _make(template: Path, config: str) -> None:
    root = template / "c"
    make_tiny_root(root)
    for program in ("dd", "env", "head", "id", "ls", "sort", "stty", "tty", "wc"):
        (root / "bin" / program).unlink()
    (root / "etc/hostname").write_text("c\n")
    (root / "etc/resolv.conf").write_text("nameserver 192.0.2.1\n")
    (root / "etc/machine-id").write_text("0123456789abcdef0123456789abcdef\n")
    (root / "var/real").mkdir(parents=True)
    (root / "var/linked").symlink_to("real")
    (root / "var/one").write_text("one\n")
    os.link(root / "var/one", root / "var/two")
    os.mkfifo(root / "var/fifo")
    os.setxattr(root / "var/one", "user.x", b"1")
    os.chown(root / "var/real", 1000, 1000)
    for name in ("ro", "rw", "rec/inner"):
        (template / "host" / name).mkdir(parents=True)
        (template / "host" / name / "mine").write_text("the host's\n")
    (template / "host/file").write_text("the host's\n")
    (template / "neighbour/chroot.d").mkdir(parents=True)
    where = template.with_name(template.name.removesuffix(".template"))
    (root / "chroot.d/chroot.toml").write_text(config.replace("{w}", str(where)))


def _mount(line: str) -> str:
    """A line of mountinfo without the numbers that are new each time."""
    front, _, back = line.partition(" - ")
    _, _, device, root, point, options, *shared = front.split(" ")
    kinds = " ".join(word.partition(":")[0] for word in shared)
    disk = "" if device.startswith("0:") else device
    return f"{point} {root} {options} {kinds} - {back} {disk}"


def _tree(top: Path, path: Path) -> Iterable[tuple[str, str]]:
    """Every entry in *path* as its name from *top* and all that can be said of it."""
    if path.match(_BLOBS):
        yield f"{path.relative_to(top)}/*", str(len(os.listdir(path)))
        return
    for name in sorted(os.listdir(path)):
        here = path / name
        status = here.lstat()
        inside = str(here.relative_to(top))
        if inside not in _STORE:
            kind, said = stat.filemode(status.st_mode), _content(here, inside, status)
            yield inside, f"{kind} {status.st_uid} {status.st_gid} {said}"
        if stat.S_ISDIR(status.st_mode) and _file_system(here) not in _SKIPPED:
            yield from _tree(top, here)


def _content(path: Path, inside: str, status: os.stat_result) -> str:
    said = ""
    if stat.S_ISLNK(status.st_mode):
        return os.readlink(path)
    if stat.S_ISREG(status.st_mode) and not inside.endswith(_VOLATILE):
        said = f"{status.st_nlink} {status.st_size} "
        large = status.st_size > _SMALL
        said += hashlib.sha1(b"" if large else path.read_bytes()).hexdigest()[:12]
    if stat.S_ISCHR(status.st_mode) or stat.S_ISBLK(status.st_mode):
        said = str(status.st_rdev)
    with suppress(OSError):
        names = sorted(name for name in os.listxattr(path) if not name.startswith("security."))
        said += " ".join(f" {name}={os.getxattr(path, name)!r}" for name in names)
    return said


def _file_system(path: Path) -> str:
    """The type of what is mounted at *path*, "" where nothing is."""
    if not os.path.ismount(path):
        return ""
    fields = [m.line.split(" - ")[1] for m in read_mounts().values() if m.point == str(path)]
    return fields[-1].split(" ")[0] if fields else ""


def differences(one: Seen, other: Seen) -> list[str]:
    """What is not in both as it is in the other, readable."""
    return [
        f"{name}: {one.get(name, 'nothing')} | {other.get(name, 'nothing')}"
        for name in sorted(one.keys() | other.keys())
        if one.get(name) != other.get(name)
    ]


def some(points: Sequence[T], amount: int) -> Sequence[T]:
    """*amount* of *points*, evenly spread."""
    step = max(1, -(-len(points) // max(1, amount)))
    return points[step // 2 :: step]


def torn(found: Seen, one: Seen, other: Seen) -> list[str]:
    """What is neither as in *one* nor as in *other*."""
    return [
        f"{name}: {found.get(name, 'nothing')} | {one.get(name, 'nothing')}"
        f" | {other.get(name, 'nothing')}"
        for name in sorted(found.keys() | one.keys() | other.keys())
        if found.get(name) not in (one.get(name), other.get(name))
    ]


# -- the scenarios --------------------------------------------------------------------------------
_C = ("-d", "{w}/c")
_BINDS = """
[[bind]]
source = "{w}/host/rw"
target = "/data/deep/new"

[[bind]]
source = "{w}/host/ro"
target = "/var/linked"
options = ["ro", "nosuid"]

[[bind]]
source = "{w}/host/rec"
target = "/rec"
options = ["rbind", "slave"]

[[bind]]
source = "{w}/host/file"
target = "/etc/file"

[[bind]]
target = "/var/cache"
fs = "tmpfs"
options = ["size=1M", "mode=0700"]

[[bind]]
source = "{w}/host/none"
target = "/none"
optional = true
"""
_NO_SYSTEM = "".join(
    f'[[bind]]\ntarget = "{target}"\nignore = true\n'
    for target in ("/proc", "/sys", "/dev", "/dev/pts", "/dev/shm", "/run", "/tmp")
)
"""For verbs that mount little: the system points are the first scenarios' matter."""
_FEW = """
[system]
resolv = "off"

[[bind]]
source = "{w}/host/rw"
target = "/data"

[[bind]]
source = "{w}/host/ro"
target = "/ro"
options = ["ro"]
"""
_FEWER = '\n[system]\nresolv = "off"\n[[bind]]\nsource = "{w}/host/rw"\ntarget = "/data"\n'
_ON, _OFF = ("on", *_C), ("off", "-S", "--kill", *_C)
_NEW = ("-d", "{w}/deep/new")
_DELETE = ("delete", "--yes", *_C)
_KIND = ("--suite", "bookworm", "--mirror", MIRROR, "--proxy", "http://127.0.0.1:9")
"""A base of this kind serves; nobody answers who is asked for news of it."""
_IMAGE = ("pack", "--oci", *_C, "-f", "{w}/i")
_PRUNE = ("base", "prune")


def _base(world: Path) -> None:
    keep(str(world / "bases"), str(world / "c"))


def _no_base(world: Path) -> None:
    (world / "bases").mkdir(0o700)


def _damaged_base(world: Path) -> None:
    _base(world)
    (archive,) = (world / "bases").glob("*.tar.zst")
    with archive.open("r+b") as file:
        file.seek(archive.stat().st_size // 2)
        file.write(b"flipped")


def _drift(world: Path) -> None:
    """What somebody does to mounts by hand."""
    c = world / "c"
    for words in (
        ("-o", "remount,bind,ro", c / "data/deep/new"),
        ("-o", "remount,bind,rw", c / "var/real"),
        ("-o", "remount,size=2M", c / "var/cache"),
        ("--make-shared", c / "rec"),
    ):
        subprocess.run(["mount", *words], check=True)
    subprocess.run(["umount", c / "etc/file"], check=True)
    (c / "var/cache/kept").write_text("nowhere else\n")


def _edited(world: Path) -> None:
    (world / "c/chroot.d/chroot.toml").write_text((_NO_SYSTEM + _FEWER).replace("{w}", str(world)))


def _used(world: Path) -> None:
    for name in ("tmp/kept", "run/kept", "dev/shm/kept"):
        (world / "c" / name).write_text("nowhere else\n")


def _share(world: Path) -> None:
    """Let everything there be on a shared mount, as on most hosts; its peer group is empty."""
    subprocess.run(["mount", "--rbind", world, world], check=True)
    subprocess.run(["mount", "--make-shared", world], check=True)


SCENARIOS = (
    Scenario("on", _ON, ((_ON,), (_OFF,)), is_plan=True, config=_BINDS),
    Scenario(
        "on, below a shared mount", _ON, ((_ON,), (_OFF,)), before=_share, is_plan=True,
        config=_NO_SYSTEM + _BINDS,
    ),
    Scenario(
        "on, drifted", _ON, ((_ON,), (_OFF,)), first=(_ON,), before=_drift,
        is_plan=True, config=_NO_SYSTEM + _BINDS,
    ),
    Scenario(
        "on, a copied resolv.conf and the host's /dev", _ON, ((_ON,), (_OFF,)),
        is_plan=True, config='[system]\nresolv = "copy"\ndev = "host"\n',
    ),
    Scenario(
        "off", _OFF, ((_OFF,), (_ON,)), first=(_ON,), before=_used, is_plan=True,
        config=_BINDS,
    ),
    Scenario(
        "off, with stop and a process", ("off", "--kill", *_C), ((_OFF,),), first=(_ON,),
        config=_NO_SYSTEM + _BINDS, resident=True,
    ),
    Scenario(
        "run", ("run", "-u", "app", *_C, "--", "/bin/touch", "/tmp/done"), ((_OFF,),),
        config=_FEW,
    ),
    Scenario(
        "run in a throw-away session", ("run", "-x", *_C, "--", "/bin/touch", "/done"),
        ((_ON, _OFF),), config=_NO_SYSTEM + _FEW,
    ),
    Scenario(
        "switch_bind on", ("engine", "switch_bind", "{w}/c", "/data", "on"), ((_ON,), (_OFF,)),
        is_plan=True, config=_NO_SYSTEM + _FEW,
    ),
    Scenario(
        "switch_bind off", ("engine", "switch_bind", "{w}/c", "/data", "off"), ((_ON,), (_OFF,)),
        first=(_ON,), is_plan=True, config=_NO_SYSTEM + _FEW,
    ),
    Scenario(
        "sync", ("engine", "sync", "{w}/c", _NO_SYSTEM + _FEW), ((_ON,), (_OFF,)), before=_edited,
        first=(_ON,), is_plan=True, config=_NO_SYSTEM + _FEW,
    ),
    *(
        Scenario(" ".join(words[:2]), words, ((words,),), config=_FEW)
        for words in (
            ("bind", "add", "--source", "/etc", "--target", "/x", *_C),
            ("bind", "remove", "--target", "/ro", *_C),
            ("bind", "ignore", "--target", "/ro", *_C),
        )
    ),
    *(
        Scenario(
            words[0], (*words, *_NEW),
            (
                ((*words, *_NEW), ("on", *_NEW), ("off", *_NEW)),
                (("delete", "--yes", *_NEW), (*words, *_NEW), ("delete", "--yes", *_NEW)),
            ),
            first=(("pack", *_C, "-f", "{w}/c.tar.zst"),),
        )
        for words in (("create", "--from", "{w}/c"), ("unpack", "-f", "{w}/c.tar.zst"))
    ),
    *(
        Scenario(
            f"create, of {of}", (*words, *_NEW),
            (
                ((*words, *_NEW), ("on", *_NEW), ("off", *_NEW)),
                (("delete", "--yes", *_NEW), (*words, *_NEW), ("delete", "--yes", *_NEW)),
            ),
            first=first, before=before,
        )
        for of, words, first, before in (
            ("a base", ("create", *_KIND), (), _base),
            ("an image", ("create", "--from", "oci:{w}/i"), (_IMAGE,), None),
        )
    ),
    Scenario(
        "create, and a base is kept", ("bootstrap", "{w}/c", "create", *_KIND, *_NEW),
        (
            (
                ("bootstrap", "{w}/c", "create", *_KIND, *_NEW),
                ("on", *_NEW), ("off", *_NEW), _PRUNE,
            ),
            (
                ("delete", "--yes", *_NEW), ("bootstrap", "{w}/c", "create", *_KIND, *_NEW),
                ("delete", "--yes", *_NEW), (*_PRUNE, "--to", "0"),
            ),
        ),
        before=_no_base, stays="bases/",
    ),
    Scenario(
        "base make", ("bootstrap", "{w}/c", "base", "make", *_KIND),
        ((("bootstrap", "{w}/c", "base", "make", *_KIND),), ((*_PRUNE, "--to", "0"),)),
        before=_no_base,
    ),
    Scenario(
        "base make, of a damaged one", ("bootstrap", "{w}/c", "base", "make", *_KIND),
        ((("bootstrap", "{w}/c", "base", "make", *_KIND),), ((*_PRUNE, "--to", "0"),)),
        before=_damaged_base, stays="bases/",
    ),
    Scenario(
        "base make, of one that is there", ("base", "make", *_KIND),
        ((("base", "make", *_KIND),), (_PRUNE,)), before=_base,
    ),
    Scenario(
        "base remove", ("base", "remove", "{base}"), ((("base", "remove", "{base}"),), (_PRUNE,)),
        before=_base, goes_on=True,
    ),
    Scenario(
        "base prune", (*_PRUNE, "--to", "0"), (((*_PRUNE, "--to", "0"),),), before=_base,
        goes_on=True,
    ),
    Scenario(
        "pack --oci", _IMAGE, ((_IMAGE,),),
    ),
    Scenario(
        "a session that is kept",
        ("run", "-x", "--keep", "{w}/new", *_C, "--", "/bin/touch", "/done"),
        (
            (("run", "-x", "--keep", "{w}/new", *_C, "--", "/bin/touch", "/done"),),
            (("delete", "--yes", "-d", "{w}/new"),),
        ),
        config=_NO_SYSTEM + _FEWER,
    ),
    Scenario(
        "pack", ("pack", *_C, "-f", "{w}/c.tar.zst", "--checksum"),
        ((("pack", *_C, "-f", "{w}/c.tar.zst", "--checksum"),),),
    ),
    Scenario(
        "clone", ("clone", *_C, "{w}/new"),
        ((("clone", *_C, "{w}/new"),), (("delete", "--yes", "-d", "{w}/new"),)),
    ),
    Scenario(
        "rename", ("rename", *_C, "{w}/new"),
        ((("rename", *_C, "{w}/new"), ("snapshot", "-d", "{w}/new", "t")),),
        first=(("snapshot", *_C, "s"),),
    ),
    Scenario("snapshot", ("snapshot", *_C, "s"), ((("snapshot", *_C, "s"),),)),
    Scenario(
        "snapshot restore", ("snapshot", "restore", "s", "--discard", *_C),
        ((("snapshot", "restore", "s", "--discard", *_C),),),
        first=(("snapshot", *_C, "s"),),
        before=lambda world: (world / "c/var/one").unlink(),
    ),
    Scenario(
        "snapshot remove", ("snapshot", "remove", "s", *_C),
        ((("snapshot", "remove", "s", *_C), ("snapshot", *_C, "t")),),
        first=(("snapshot", *_C, "s"),), goes_on=True,
    ),
    Scenario(
        "delete", _DELETE, ((_DELETE,),), first=(_ON, ("snapshot", *_C, "s")), config=_FEW,
        goes_on=True,
    ),
)  # fmt: skip
