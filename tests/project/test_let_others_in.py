"""Tests start some of what they start as other users, who have to get to the checkout: /root."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from support import CHECKOUT, lasting, mounts_in

pytestmark = pytest.mark.root
OTHER = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--")


def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["unshare", "--mount", "--propagation", "private", *words],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_closed_directories_above_are_passed_and_stay_as_they_are(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    closed = [tmp_path / "home", tmp_path / "home/src"]
    checkout = closed[1] / "our checkout"
    checkout.mkdir(parents=True)
    (checkout / "file").write_text("hello\n")
    (closed[0] / "beside").write_text("still there\n")
    for folder in closed:
        folder.chmod(0o700)
    assert run(*OTHER, "cat", checkout / "file").returncode == 1
    script = '{ "$@" cat file; cat ../../beside; touch made ../lost; }'
    let_in = CHECKOUT / ".pkg/let_others_in.sh"
    done = run("sh", let_in, checkout, "sh", "-c", script, "sh", *OTHER)
    assert (done.stdout, done.stderr) == ("hello\nstill there\n", "")
    assert [folder.stat().st_mode & 0o777 for folder in closed] == [0o700, 0o700]
    assert sorted(path.name for path in checkout.iterdir()) == ["file", "made"]
    assert [path.name for path in closed[1].iterdir()] == ["our checkout"]


def test_where_all_are_open_nothing_is_done() -> None:
    script = """
        mount -t tmpfs -o mode=0755 tmpfs /mnt && mkdir /mnt/checkout && cat /proc/self/mountinfo
        echo and then
        exec sh "$1" /mnt/checkout cat /proc/self/mountinfo
    """
    done = run("sh", "-euc", script, "sh", CHECKOUT / ".pkg/let_others_in.sh")
    before, after = (lasting(mounts_in(part)) for part in done.stdout.split("and then\n"))
    assert before == after != {}
