"""The fixtures that guard the others: a test that leaves something behind fails and says what."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from support import CHECKOUT, Cli, make_tiny_root, mounts_below

pytestmark = pytest.mark.root

HEAD = """
import ctypes, os, subprocess, pytest
from pathlib import Path
pytestmark = pytest.mark.root
libc = ctypes.CDLL(None)

def mount(kind, target):
    assert libc.mount(b"none", os.fsencode(target), kind, 0, None) == 0
"""


IGNORING = """
import os, signal, sys
for name in ("INT", "QUIT", "HUP", "TERM", "CHLD", "TSTP", "TTIN", "TTOU", "USR1"):
    signal.signal(getattr(signal, f"SIG{name}"), signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
os.execvp(sys.argv[1], sys.argv[1:])
"""
"""A program that starts another so, in Python."""


def run_pytest(folder: Path, test: str, before: Sequence[str] = (), **env: str) -> str:
    """Run *test* in a project of its own that has this one's conftest; return what it says."""
    others_compile = shutil.ignore_patterns("__pycache__")
    shutil.copytree(CHECKOUT / "tests/support", folder / "tests/support", ignore=others_compile)
    for file in ("tests/conftest.py", "tests/proving.py", "tests/workers.py"):
        shutil.copy(CHECKOUT / file, folder / "tests")
    shutil.copy(CHECKOUT / "pyproject.toml", folder)
    (folder / "tests/test_it.py").write_text(HEAD + test)
    # Options that this run was given may name plugins that are not there.
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [*before, sys.executable, "-m", "pytest", "-p", "no:cacheprovider",
         "-p", "pytest_asyncio.plugin", "-p", "pytest_timeout", f"--basetemp={folder / 'tmp'}"],
        cwd=folder, env={**ours, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **env},
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_mount_that_stays_is_an_error_and_is_taken_away(tmp_path: Path) -> None:
    said = run_pytest(
        tmp_path,
        """
        def test_mounts(tmp_path):
            mount(b"tmpfs", tmp_path)
            (tmp_path / "x").mkdir()
            mount(b"proc", tmp_path / "x")
        """.replace("\n        ", "\n"),
    )
    assert "1 passed, 1 error" in said
    assert len(re.findall(r"mounted: .*/test_mounts0(?:/x)? ", said)) >= 2
    assert mounts_below(tmp_path) == []


@pytest.mark.slow
def test_a_mount_that_was_there_and_is_gone_is_an_error(tmp_path: Path) -> None:
    point = tmp_path / "point"
    point.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "none", point], check=True)
    said = run_pytest(
        tmp_path, f"def test_unmounts(): assert libc.umount2({os.fsencode(point)!r}, 0) == 0\n"
    )
    assert "1 passed, 1 error" in said
    assert re.search(rf"gone: .*{point} ", said)


NEIGHBOUR = """
mount -t tmpfs none "$0"
unshare --mount --propagation private "$@" &
until [ -e "$0-wanted" ] || ! kill -0 $!; do sleep 0.1; done
umount "$0"
rmdir "$0"
wait $!
"""
"""PID 1 of a host with a mount at $0, which it removes while the rest is run beside it."""


@pytest.mark.slow
def test_a_mount_that_a_neighbour_on_the_host_removes_is_none(tmp_path: Path) -> None:
    point = tmp_path / "point"
    point.mkdir()
    said = run_pytest(
        tmp_path,
        f"""
        import time
        def test_waits():
            assert os.path.ismount({str(point)!r})
            Path({f"{point}-wanted"!r}).touch()
            while os.path.exists({str(point)!r}):
                time.sleep(0.01)
        """.replace("\n        ", "\n"),
        before=["unshare", "--fork", "--pid", "--mount-proc", "sh", "-c", NEIGHBOUR, str(point)],
    )
    assert "1 passed" in said
    assert "error" not in said


@pytest.mark.slow
def test_a_process_that_stays_is_an_error_and_is_ended(tmp_path: Path) -> None:
    make_tiny_root(tmp_path / "root")
    said = run_pytest(
        tmp_path,
        """
        from support import wait_until
        def test_starts(tmp_path):
            os.rename(tmp_path.parent.parent / "root", tmp_path / "root")
            process = subprocess.Popen(["chroot", str(tmp_path / "root"), "sleep", "1234"])
            words = Path(f"/proc/{process.pid}/cmdline")
            wait_until(lambda: words.read_bytes().startswith(b"sleep"), process)
        """.replace("\n        ", "\n"),
    )
    assert "1 passed, 1 error" in said
    assert re.search(r"process \d+: .*sleep 1234", said)


@pytest.mark.slow
def test_what_the_caller_ignores_or_blocks_no_test_does(tmp_path: Path) -> None:
    """As in the background of a script, by nohup, or below a service."""
    out = tmp_path / "signals"
    said = run_pytest(
        tmp_path,
        f"""
        def test_starts():
            child = subprocess.run(["cat", "/proc/self/status"], capture_output=True, text=True)
            Path({str(out)!r}).write_text(child.stdout)
        """.replace("\n        ", "\n"),
        before=[sys.executable, "-c", IGNORING],
    )
    assert "1 passed" in said
    fields = dict(line.split(":\t") for line in out.read_text().splitlines() if ":\t" in line)
    assert {int(fields[name], 16) for name in ("SigIgn", "SigBlk")} == {0}


@pytest.mark.slow
@pytest.mark.parametrize(("ci", "outcome"), [("true", "1 error"), ("", "1 skipped")])
def test_without_root_it_is_left_out_but_fails_in_ci(tmp_path: Path, ci: str, outcome: str) -> None:
    said = run_pytest(tmp_path, "os.geteuid = lambda: 1000\ndef test_it(): pass\n", CI=ci)
    assert outcome in said
    assert "needs root" in said


def test_a_chroot_that_a_test_leaves_on_is_switched_off(cli: Cli, tiny_chroot: Path) -> None:
    cli.ok("on", "-d", tiny_chroot)
    assert len(mounts_below(tiny_chroot)) > 1
