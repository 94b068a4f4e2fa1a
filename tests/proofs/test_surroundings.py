"""A chroot's life where the host is another than usual: works as ever, or is refused as ever."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from proving import Proof
from support import IN_CHROOT, Cli, mounts_below

PROMISE = (
    "A shared root, hidden processes, few descriptors, thousands of mounts or processes, a user "
    "namespace, no capabilities: it works as ever, or is refused in one line and leaves nothing."
)

pytestmark = pytest.mark.root

LIFE = """
t() { "$PYTHON" -I -S "$START" "$@"; }
root=$1
t list --base "${root%/*}" | grep -q tiny
t on -d "$root"
t status -d "$root" --json | grep -q '"state": "on"'
t run -d "$root" -u app -- /bin/true
t bind add -d "$root" --source /usr --target /data --option ro
t on -d "$root"
[ -d "$root/data/bin" ]
t off -d "$root"
t bind remove -d "$root" --target /data
t status -d "$root" --json | grep -q '"state": "off"'
! grep -qF "$root/" /proc/self/mountinfo
echo lived
"""
"""As little of a shell as can be: it runs in namespaces that the test is not in."""

WORKS = {
    "as it is": "unshare --mount --propagation private sh -euc '@'",
    "processes are hidden": (
        "unshare --mount --propagation private sh -euc 'mount -t proc -o hidepid=2 proc /proc; @'"
    ),
    "64 descriptors": "unshare --mount --propagation private sh -euc 'ulimit -n 64; @'",
    "a pid namespace": "unshare --mount --pid --fork --mount-proc sh -euc '@'",
    "no cgroups, no names": (
        "unshare --mount --propagation private --ipc --uts --net --cgroup sh -euc '@'"
    ),
}
CONTAINER = (
    "unshare --mount --propagation private --pid --ipc --uts --cgroup --fork sh -euc '"
    "mount -t tmpfs x /mnt; mkdir /mnt/root; mount --rbind / /mnt/root; cd /mnt/root; "
    "mount -t proc proc proc; pivot_root . mnt; cd /; umount -l /mnt; @'"
)
"""Whose root is a mount of its own, and nothing of the host's is above or beside it."""
REFUSED = {
    "a user namespace": "unshare --user --map-root-user --mount sh -uc '@'",
    "no capabilities": "setpriv --bounding-set=-all --inh-caps=-all sh -uc '@'",
    "all but the one to mount": "setpriv --bounding-set=-sys_admin --inh-caps=-all sh -uc '@'",
}


def started(
    words: list[str], cli: Cli, script: str = LIFE, timeout: int = 240
) -> subprocess.CompletedProcess[str]:
    """Run *words*, which find a *script* and what it needs in their environment."""
    argv = [str(word) for word in cli.argv()]
    env = cli.environment({"PYTHON": argv[0], "START": argv[-1], "SCRIPT": script})
    return subprocess.run(
        words, env=env, capture_output=True, text=True, timeout=timeout, check=False
    )


def live(how: str, root: Path, cli: Cli, script: str = LIFE) -> subprocess.CompletedProcess[str]:
    """Run *script* in the surroundings that *how* makes."""
    words = how.replace("@", 'exec sh -euc "$SCRIPT" sh "$1"')
    return started(["sh", "-c", f'{words} sh "$1"', "sh", str(root)], cli, script)


@pytest.mark.slow
@pytest.mark.parametrize("how", WORKS)
def test_it_lives(how: str, tiny_chroot: Path, cli: Cli, proof: Proof) -> None:
    lived(WORKS[how], tiny_chroot, cli, proof)


def lived(how: str, tiny_chroot: Path, cli: Cli, proof: Proof) -> None:
    done = live(how, tiny_chroot, cli)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("lived\n"), done
    proof.count("lives", 1)


@pytest.mark.slow
@pytest.mark.skipif(IN_CHROOT, reason="the root is no mount there, and can't be exchanged")
def test_it_lives_in_a_container(tiny_chroot: Path, cli: Cli, proof: Proof) -> None:
    lived(CONTAINER, tiny_chroot, cli, proof)


TRY = """
t() { "$PYTHON" -I -S "$START" "$@"; }
for words in "on" "status" "run /bin/true" "off -S"; do
    t $words -d "$1"
    echo "$words: $?"
done
"""


@pytest.mark.slow
@pytest.mark.parametrize("how", REFUSED)
def test_it_is_refused(how: str, tiny_chroot: Path, cli: Cli, proof: Proof) -> None:
    if IN_CHROOT and "--user" in REFUSED[how]:
        pytest.skip("a chroot can't make a user namespace")
    done = live(REFUSED[how], tiny_chroot, cli, TRY.replace("t $words", "set +e; t $words"))
    codes = dict(line.rsplit(": ", 1) for line in done.stdout.splitlines() if ": " in line)
    assert codes["on"] in ("1", "5"), done
    assert codes["run /bin/true"] == "125", done
    assert codes["off -S"] == "0", done
    assert "Traceback" not in done.stderr
    assert "hint: " in done.stderr
    assert mounts_below(tiny_chroot) == []
    proof.count("refusals", 1)


SLAVE = """
mount --make-rshared /
unshare --mount --propagation slave sh -c '
    echo >"$1/ready"
    while [ ! -e "$1/over" ]; do sleep 0.01; done
    cat /proc/self/mountinfo >"$1/after"' sh "$2" &
while [ ! -e "$2/ready" ]; do sleep 0.01; done
sh -euc "$SCRIPT" sh "$1"
echo >"$2/over"
wait
"""


@pytest.mark.slow
@pytest.mark.skipif(IN_CHROOT, reason="the root is no mount there, and has no propagation")
def test_nothing_stays_in_a_slave_of_a_shared_root(
    tiny_chroot: Path, cli: Cli, proof: Proof, tmp_path: Path
) -> None:
    """As services and containers of a host under systemd have it: they get what is mounted below
    the shared root, and `off` takes it from them, too.
    """
    words = ["unshare", "--mount", "--propagation", "private", "sh", "-euc", SLAVE, "sh"]
    done = started([*words, str(tiny_chroot), str(tmp_path)], cli)
    assert done.returncode == 0, done.stderr
    left = [line for line in (tmp_path / "after").read_text().splitlines() if "/tiny/" in line]
    assert left == []
    proof.count("lives", 1)


MANY = """
import ctypes, os, sys
folder, count = sys.argv[1], int(sys.argv[2])
mount = ctypes.CDLL(None, use_errno=True).mount
assert mount(b"many", folder.encode(), b"tmpfs", 0, None) == 0
for number in range(count):
    path = f"{folder}/{number:0200}/{number:0200}"
    os.makedirs(path)
    assert mount(folder.encode(), path.encode(), None, 4096, None) == 0
assert os.path.getsize("/proc/self/mountinfo") == 0
size = len(open("/proc/self/mountinfo", "rb").read())
print(size, flush=True)
os.execvp("sh", ["sh", "-euc", os.environ["SCRIPT"], "sh", sys.argv[3]])
"""


@pytest.mark.slow
def test_many_mounts(tiny_chroot: Path, cli: Cli, proof: Proof, tmp_path: Path) -> None:
    """9,000, and a mountinfo of megabytes."""
    (tmp_path / "many").mkdir()
    count = proof.amount(300, 9000)
    words = ["unshare", "--mount", "--propagation", "private", sys.executable, "-c", MANY]
    done = started([*words, str(tmp_path / "many"), str(count), str(tiny_chroot)], cli, timeout=900)
    assert done.returncode == 0, done.stderr
    size, *_, last = done.stdout.splitlines()
    assert last == "lived"
    proof.count("mounts", count)
    proof.count("bytes of mountinfo", int(size))


CROWD = """
import os, signal, sys
for _ in range(int(sys.argv[1])):
    if not os.fork():
        signal.pause()
        os._exit(0)
os.write(1, b"all are there\\n")
signal.pause()
"""


def _room(wanted: int) -> int:
    """How many of *wanted* processes this machine has room for."""
    free = next(
        int(line.split()[1]) >> 10
        for line in Path("/proc/meminfo").read_text().splitlines()
        if line.startswith("MemAvailable:")
    )
    most = int(Path("/proc/sys/kernel/pid_max").read_text())
    return min(wanted, free // 2, most // 4)


@contextmanager
def _crowd(count: int) -> Iterator[None]:
    """So many processes that only wait, all children of one, which is small, to fork quickly."""
    words = [sys.executable, "-I", "-S", "-c", CROWD, str(count)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, start_new_session=True) as leader:
        try:
            assert leader.stdout is not None
            assert select.select([leader.stdout], [], [], 300)[0], "it never came"
            assert leader.stdout.readline() == b"all are there\n"
            yield
        finally:
            os.killpg(leader.pid, signal.SIGKILL)


@pytest.mark.slow
def test_many_processes(tiny_chroot: Path, cli: Cli, proof: Proof) -> None:
    count = _room(proof.amount(200, 10_000))
    with _crowd(count):
        done = live(WORKS["as it is"], tiny_chroot, cli)
        assert done.returncode == 0, done.stderr
    proof.count("processes", count)
