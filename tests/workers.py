"""Tests beside each other: how many workers there are, in what order, and each in its own world.

`./dev test` asks pytest-xdist for `-n auto`; the hooks here answer. They are imported by conftest.
Without workers (`-n 0`, or a few files) none of this changes anything.
"""

from __future__ import annotations

import ctypes
import fcntl
import gc
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from functools import cache, partial
from pathlib import Path

import pytest
from _pytest.python import importtestmodule

from support import detach, read_mounts

CLONE_NEWNS = 0x20000
FEW_FILES = 5
"""Up to so many files one process is sooner done than workers have imported everything."""
MOST = 16
"""So many workers at most: each one imports everything first."""
OF_A_SERIES = 2
"""So many of a test's parameters `--quick` takes."""
LONG_LIMIT = 1800
"""Seconds, for a test that installs a Debian or an environment: a mirror may be slow."""
DISK = 64 << 30
"""Bytes at most of the disk that a run has."""
_MOUNT = """
mkfs.ext4 -q -E nodiscard,lazy_itable_init=1 "$0" &&
mount -o loop,noinit_itable,barrier=0,commit=60 "$0" "$1"
"""
"""Nothing on it has to survive a crash, and most is deleted before it would be written."""


@cache
def why_not_apart() -> str:
    """Why mounts made here would be the host's, too; empty in a mount namespace of our own."""
    # Mount ids are the kernel's own: a namespace's copies have new ones. (Reading /proc/1/ns/mnt
    # takes every capability that PID 1 has.)
    if read_mounts().keys() & read_mounts("1").keys():
        return "needs a mount namespace of its own: ./dev test makes one"
    return ""


def is_worker(config: pytest.Config) -> bool:
    """Whether this process is one of several that share the tests."""
    return hasattr(config, "workerinput")


def shared_folder(factory: pytest.TempPathFactory, config: pytest.Config) -> Path:
    """The folder of this run that all workers see."""
    own = factory.getbasetemp()
    return own.parent if is_worker(config) else own


@pytest.hookimpl(tryfirst=True, optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Twice the cores, since many tests wait; none for what is quick in one process."""
    asked = (config.getoption(name, None) for name in ("keyword", "lf", "stepwise"))
    is_part = any(asked) or config.option.capture == "no"
    is_little = _files(config.args) <= FEW_FILES and not config.getoption("prove")
    if is_part or is_little:
        return 0
    return min(2 * len(os.sched_getaffinity(0)), MOST)


def _files(args: list[str]) -> int:
    """How many files of tests *args* name."""
    return len({path for arg in args for path in _tests(arg)})


def _tests(arg: str) -> list[Path]:
    """The files of tests that *arg* names: itself, or those in a folder."""
    path = Path(arg.partition("::")[0])
    return list(path.rglob("test_*.py")) or [path]


def pytest_configure(config: pytest.Config) -> None:
    """Give a worker a mount namespace of its own. What is private in the old one stays so."""
    if is_worker(config) and os.geteuid() == 0 and not why_not_apart():
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(CLONE_NEWNS):
            raise OSError(ctypes.get_errno(), "unshare(CLONE_NEWNS)")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(config: pytest.Config) -> None:
    """Give workers a disk of their own for what tests make; it goes with the run.

    An ext4 without a journal, as virtual machines have it, looks for a free inode among all that
    were deleted in the last minutes: to unpack a Debian there takes ten times the processor. Who
    wants to see what a test has left that failed runs it again without workers.
    """
    if os.geteuid() != 0 or why_not_apart():
        return
    above = tempfile.gettempdir()
    free = os.statvfs(above)
    place = tempfile.mkdtemp(prefix="d")
    config.add_cleanup(partial(os.rmdir, place))
    with tempfile.NamedTemporaryFile() as image:
        image.truncate(min(free.f_bavail * free.f_frsize, DISK))
        words = ["sh", "-c", _MOUNT, image.name, place]
        if subprocess.run(words, capture_output=True, check=False).returncode:
            return  # no loop devices here, say
    os.chmod(place, 0o1777)
    config.add_cleanup(partial(detach, [place]))
    os.environ["TMPDIR"] = tempfile.tempdir = place


def add_options(parser: pytest.Parser) -> None:
    """What `./dev test --quick` asks for."""
    parser.getgroup("quick").addoption(
        "--quick", action="store_true", help="no network, nothing slow, a sample of each series"
    )


def pytest_collection(session: pytest.Session) -> None:
    """Have each worker begin with other files: what is not compiled yet, one compiles for all."""
    if is_worker(session.config):
        root = session.config.invocation_params.dir
        paths = sorted(root / path for arg in session.config.args for path in _tests(arg))
        number = int(os.environ["PYTEST_XDIST_WORKER"].removeprefix("gw"))
        first = len(paths) * number // int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
        for path in paths[first:] + paths[:first]:
            with suppress(Exception, pytest.skip.Exception):  # the collection will tell
                importtestmodule(path, session.config)


@pytest.hookimpl(trylast=True)  # within each kind the order stays what it was: random
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give what is long its limit; between workers, begin with it, so that none ends much later."""
    if config.option.quick:
        _leave_out(config, items)
    for item in items:
        if item.get_closest_marker("network") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(LONG_LIMIT))
    if is_worker(config):
        maker = next((item for item in items if "base_chroot" in fixtures(item)), None)
        items.sort(key=lambda item: -1 if item is maker else _turn(item))


def _leave_out(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what `--quick` does not want: over many runs each of a series has its turn."""
    taken: Counter[str] = Counter()
    kept: list[pytest.Item] = []
    left_out: list[pytest.Item] = []
    # All workers choose the same: pytest-randomly has the order from one seed.
    for item in items:
        series = item.nodeid.partition("[")[0]
        too_long = item.get_closest_marker("network") or item.get_closest_marker("slow")
        wanted = not too_long and taken[series] < OF_A_SERIES
        taken[series] += wanted
        (kept if wanted else left_out).append(item)
    config.hook.pytest_deselected(items=left_out)
    items[:] = kept


def fixtures(item: pytest.Item) -> list[str]:
    """The names of the fixtures that *item* asks for, those of other fixtures among them."""
    return getattr(item, "fixturenames", [])


def _turn(item: pytest.Item) -> int:
    """Where *item* stands. The Debian is wanted when it is done, and who is alone keeps nobody.

    What is long waits for the disk and the network: were it last, the processors would idle.
    """
    if item.get_closest_marker("alone"):
        return 3
    if "base_chroot" in fixtures(item):
        return 1
    return 0 if item.get_closest_marker("network") else 2


def pytest_collection_finish() -> None:
    """What is there now stays to the end: the collector need not walk it again and again."""
    gc.collect()
    gc.freeze()
    if "textual.pilot" in sys.modules:  # importing it costs more than most files of tests
        from support.painting import paint_at_rest
        from support.parsed_css import share_parsed_css
        from support.settling import let_pilots_settle

        let_pilots_settle()
        paint_at_rest()
        share_parsed_css()


@pytest.hookimpl(wrapper=True, tryfirst=True)  # around pytest-timeout: the wait does not count
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Let a test marked `alone` wait until the others are done with theirs, and they for it."""
    if not is_worker(item.config):
        return (yield)
    folder = shared_folder(item.config._tmp_path_factory, item.config)  # type: ignore[attr-defined]
    with _held(folder, alone=item.get_closest_marker("alone") is not None):
        return (yield)


@contextmanager
def _held(folder: Path, *, alone: bool) -> Iterator[None]:
    """Hold one lock with the others or alone. The other is a door: who waits, keeps it shut."""
    fds = [os.open(folder / name, os.O_CREAT | os.O_RDWR) for name in ("door.lock", "room.lock")]
    door, room = fds
    try:
        fcntl.flock(door, fcntl.LOCK_EX)
        fcntl.flock(room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        fcntl.flock(door, fcntl.LOCK_UN)
        yield
    finally:
        # Not only closed: a process that a test forked and left may have copies of both.
        fcntl.flock(room, fcntl.LOCK_UN)
        for fd in fds:
            os.close(fd)
