"""Any bytes, in every file that is read: no other errors than those promised, within bounds."""

from __future__ import annotations

import fcntl
import os
import resource
import select
import signal
import stat
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from chroot_tool.core.chroot import Chroot
from chroot_tool.core.config import edits
from chroot_tool.core.config.home import home_of
from chroot_tool.core.config.read import read_config
from chroot_tool.core.creating import names, unfinished
from chroot_tool.core.entering import exec_error, users, words_to_program
from chroot_tool.core.entering.launch import Launch, Refused
from chroot_tool.core.errors import ChrootError
from chroot_tool.core.host.mount_points import HostFacts
from chroot_tool.core.kernel.rootpath import Root
from chroot_tool.core.looking import architecture
from chroot_tool.core.looking.status_reader import StatusReader
from proving import Proof
from support import PATIENCE, Cli, descriptors
from support.readers import GROUPS, Reader

PROMISE = (
    "Whatever stands in a file, and whatever stands in a file's place: only the errors that are "
    "promised, within bounds of time and memory."
)

_SECONDS = 20
"""Of CPU for one input: a thousand times of what any takes."""
_MEMORY = 256 << 20
_LARGE = 1 << 16
"""What a configuration may have (`chroot.CONFIG_LIMIT`)."""
_HOST = HostFacts(journal=False, resolv="")


@pytest.fixture
def memory() -> Iterator[Path]:
    """A folder that no disk has to do with: files are written a million times."""
    with TemporaryDirectory(dir="/dev/shm") as folder:
        yield Path(folder)


@contextmanager
def bounded() -> Iterator[None]:
    """Have what takes too long, or too much memory, fail here."""

    def late(*_: object) -> None:
        raise AssertionError(f"more than {_SECONDS} s of CPU, or it waits for something")

    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    before = signal.signal(signal.SIGPROF, late), signal.signal(signal.SIGALRM, late)
    resource.setrlimit(resource.RLIMIT_AS, (now + _MEMORY, hard))
    signal.setitimer(signal.ITIMER_PROF, _SECONDS)
    signal.alarm(10 * _SECONDS)  # for what waits and takes no CPU
    try:
        yield
    finally:
        signal.alarm(0)
        signal.setitimer(signal.ITIMER_PROF, 0)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
        for number, handler in zip((signal.SIGPROF, signal.SIGALRM), before, strict=True):
            signal.signal(number, handler)


def faults(name: str, reader: Reader, inputs: Iterator[bytes]) -> tuple[int, list[str]]:
    """Give *inputs* to *reader*; return how many, and what it should not have done, each once."""
    found: dict[str, str] = {}
    count = 0
    for data in inputs:
        count += 1
        with bounded() if len(data) >= _LARGE or count % 1000 == 1 else nullcontext():
            try:
                reader.take(data)
            except reader.promised as error:
                wrong = getattr(error, "message", "x") == ""
                assert not wrong, f"{name}: an error without a word: {data!r}"
            except (Exception, RecursionError) as error:
                where = traceback.extract_tb(error.__traceback__)[-1]
                key = f"{name}: {type(error).__name__} in {where.filename}:{where.lineno}"
                found.setdefault(key, f"{key}: {error}\n    for {data[:300]!r}")
    return count, list(found.values())


@pytest.mark.slow
@pytest.mark.parametrize("group", GROUPS)
def test_mutated(group: str, memory: Path, proof: Proof, monkeypatch: pytest.MonkeyPatch) -> None:
    """Good inputs, changed a little, a million times."""
    monkeypatch.setenv("XDG_STATE_HOME", "")
    seed = int.from_bytes(os.urandom(4)) if proof.is_long else 1
    wrong: list[str] = []
    for name, reader in GROUPS[group](memory):
        many = proof.amount(15, 6500) * reader.share
        before = len(descriptors())
        count, found = faults(name, reader, islice(reader.inputs(seed), many))
        proof.count("inputs", count)
        wrong += found
        after = len(descriptors())
        wrong += [f"{name}: {after - before} descriptors left open"] if after > before else []
    assert not wrong, f"seed {seed}:\n" + "\n".join(wrong)


@pytest.mark.slow
@pytest.mark.parametrize("group", GROUPS)
def test_as_large_as_can_be(
    group: str, memory: Path, proof: Proof, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One piece again and again, up to the limit: what takes the square of its size shows."""
    monkeypatch.setenv("XDG_STATE_HOME", "")
    wrong: list[str] = []
    for name, reader in GROUPS[group](memory):
        pieces = [
            *reader.good,
            *reader.words,
            b"[",
            b"a.",
            b"a=1\n",
            b'"',
            b"\\",
            b"\n",
            b"{",
            b"x",
        ]
        pieces = pieces[: proof.amount(1, len(pieces))]
        large = [(piece * (_LARGE // len(piece) + 1))[:_LARGE] for piece in pieces]
        count, found = faults(name, reader, iter(large))
        proof.count("inputs of 64 KiB", count)
        wrong += found
    assert not wrong, "\n".join(wrong)


# -- what stands in a file's place -----------------------------------------------------------------


def _gigabyte(path: Path) -> None:
    with path.open("wb") as file:
        file.write(b"root:x:0:0:root:/root:/bin/sh\n[bind]\n")
        file.truncate(1 << 30)


def _link(target: str) -> Callable[[Path], None]:
    return lambda path: path.symlink_to(target)


def _device(major: int, minor: int) -> Callable[[Path], None]:
    return lambda path: os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(major, minor))


def _socket(path: Path) -> None:
    os.mknod(path, 0o666 | stat.S_IFSOCK)


def _hidden(path: Path) -> None:
    path.write_bytes(os.urandom(1 << 12))
    path.chmod(0)


KINDS: dict[str, Callable[[Path], None]] = {
    "a gigabyte": _gigabyte,
    "a FIFO that nobody writes": lambda path: os.mkfifo(path),
    "/dev/zero": _device(1, 5),
    "/dev/random": _device(1, 8),
    "a disk": _device(7, 200),
    "a directory": lambda path: path.mkdir(),
    "a socket": _socket,
    "a link out": _link("../../../../../../../../etc/shadow"),
    "a link to itself": _link("/proc/self/root/etc/passwd"),
    "a link in a circle": lambda path: path.symlink_to(path.name),
    "a link to nothing": _link("/nothing/here"),
    "noise": _hidden,
}
PLACES = (
    "chroot.d/tool.conf", "chroot.d/chroot.toml", "chroot.d/conf.sh", "chroot.d/host-cmd",
    "etc/passwd", "etc/group", "etc/os-release", "etc/default/locale", "etc/hosts", "etc/hostname",
    "bin/sh", ".chroot-tool-create/made",
)  # fmt: skip


def looked_at(root: Root) -> list[Callable[[], object]]:
    """All that reads a small file of a chroot."""
    who = users.User("app", 1000, 1000, (1000,), "/home/app", "/bin/sh")
    launch = Launch("/bin/sh", ("sh",), "/", who, ())
    return [
        lambda: read_config(root, _HOST),
        lambda: edits.read(home_of(root)),
        lambda: users.lookup(root, "app"),
        lambda: words_to_program.environment(root, who, (), "xterm"),
        lambda: exec_error.explain(root, launch, Refused("exec", 8)),
        lambda: architecture.architecture(root),
        lambda: names.rename_host(root, "a", "b", lambda _problem: None),
        lambda: unfinished.made_names(root),
        lambda: StatusReader().one(Chroot("it", root.path)),
    ]


def _said(look: Callable[[], object]) -> str:
    """What comes out of *look*: its value, or the words of the error that it may raise."""
    try:
        return repr(look())
    except ChrootError as error:
        return f"{error.message} {error.hint}"
    except OSError as error:
        return str(error)


def _plain(folder: Path) -> None:
    for name in ("chroot.d", "etc/default", "bin", ".chroot-tool-create"):
        (folder / name).mkdir(parents=True)
    (folder / "etc/passwd").write_text("app:x:1000:1000::/:/bin/sh\n")


@pytest.mark.root
@pytest.mark.parametrize("kind", KINDS)
def test_in_the_place_of_a_file(kind: str, tmp_path: Path, proof: Proof) -> None:
    """Each is read, or refused with a message and a way out, at once."""
    secret = Path("/etc/shadow").read_bytes()
    for number, place in enumerate(PLACES):
        folder = tmp_path / str(number)
        _plain(folder)
        (folder / place).unlink(missing_ok=True)
        KINDS[kind](folder / place)
        with Root(str(folder)) as root:
            for look in looked_at(root):
                with bounded():
                    said = _said(look)
                assert not any(line in said for line in secret.decode().split("\n") if line)
        proof.count("things in a file's place", 1)


@pytest.mark.root
def test_a_lease_on_a_file_is_not_waited_for(tmp_path: Path) -> None:
    """Whoever has one can keep the kernel's open(2) waiting for 45 seconds, root for ever."""
    _plain(tmp_path)
    with leased(tmp_path / "chroot.d/tool.conf"), Root(str(tmp_path)) as root, bounded():
        with pytest.raises(ChrootError, match="lease"):
            root.read("/chroot.d/tool.conf")
        status = StatusReader().one(Chroot("it", root.path))
    assert any("lease" in problem.message for problem in status.problems)


@contextmanager
def leased(path: Path) -> Iterator[None]:
    path.touch()
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            signal.signal(signal.SIGIO, signal.SIG_IGN)  # which asks for it back, and ends us else
            fcntl.fcntl(os.open(path, os.O_RDWR), fcntl.F_SETLEASE, fcntl.F_WRLCK)
            os.write(writer, b".")
            signal.pause()
        finally:
            os._exit(1)
    os.close(writer)
    try:
        assert select.select([reader], [], [], PATIENCE)[0]
        assert os.read(reader, 1), "there is no lease to be had here"
        yield
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(reader)


def test_what_is_opened_to_be_read_never_waits(tmp_path: Path) -> None:
    """A link may lead to /proc/kmsg: a regular file, whose reader sleeps until there is news."""
    (tmp_path / "file").touch()
    with Root(str(tmp_path)) as root:
        fd = root.open_file("/file")
        try:
            assert fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_NONBLOCK
        finally:
            os.close(fd)


COMMANDS: Sequence[tuple[str, ...]] = (
    ("status",), ("on",), ("run", "-u", "app", "/bin/true"), ("bind", "list"), ("off",),
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.root
def test_the_command_line(tiny_chroot: Path, cli: Cli, proof: Proof) -> None:
    """The same by the commands themselves, one line on stderr and a way out for each."""
    kinds = [*KINDS][: proof.amount(2, len(KINDS))]
    for kind in kinds:
        for place in ("chroot.d/tool.conf", "etc/passwd", "etc/os-release", "bin/sh"):
            file = tiny_chroot / place
            before = file.rename(f"{file}.before") if file.exists() else None
            KINDS[kind](file)
            for words in COMMANDS:
                done = cli(*words, "-d", tiny_chroot)
                assert done.returncode in (0, 1, 3, 125, 126, 127), (kind, place, words, done)
                assert "Traceback" not in done.stderr, (kind, place, words, done.stderr)
                assert not done.returncode or "chroot-tool: " in done.stderr, (words, done)
                proof.count("commands", 1)
            file.rmdir() if file.is_dir() and not file.is_symlink() else file.unlink()
            if before:
                before.rename(file)
