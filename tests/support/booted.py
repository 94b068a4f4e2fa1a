"""A Debian that systemd boots, shuts down and boots again: a machine but for the kernel.

Imported as `support.booted`. It has namespaces of its own for mounts, processes, the network, names
and cgroups, and no right to the kernel's modules, clock and settings. reboot(2) in there ends it.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from . import PATIENCE, Program, wait_until

LONG = 2 * PATIENCE
"""Seconds for what a whole system does: it starts and stops many programs."""
ENVIRONMENT = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8",
    "TERM": "dumb", "SYSTEMD_PAGER": "",
}  # fmt: skip

# A cgroup of its own, below ours: systemd takes what it finds for the root of all.
_APART = """
mount -t cgroup2 cgroup2 "$1/mnt"
mkdir "$1/mnt$2"
echo 0 >"$1/mnt$2/cgroup.procs"
umount "$1/mnt"
exec setpriv --pdeathsig KILL \
    unshare --pid --fork --kill-child --cgroup --net --ipc --uts sh -euc "$3" sh "$1"
"""
# /proc/sys and /sys are the kernel's, and so everybody's: by what can't be written there systemd
# sees that it is in a container, too (https://systemd.io/CONTAINER_INTERFACE).
_BOOT = """
mount --bind "$1" "$1"
cd "$1"
mount -t tmpfs -o mode=0755 tmpfs run
mount -t proc -o nosuid,nodev,noexec proc proc
cat proc/sys/kernel/random/uuid >run/boot_id
mount --bind proc/sys proc/sys
mount --bind run/boot_id proc/sys/kernel/random/boot_id
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs sys
mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=0755 tmpfs dev
mknod -m 666 dev/null c 1 3
mknod -m 666 dev/zero c 1 5
mknod -m 666 dev/full c 1 7
mknod -m 666 dev/random c 1 8
mknod -m 666 dev/urandom c 1 9
mknod -m 666 dev/tty c 5 0
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
mount -t tmpfs -o mode=1777 tmpfs dev/shm
pivot_root . mnt
umount -l mnt
mount --make-rshared /
exec setpriv --bounding-set -sys_module,-sys_rawio,-sys_time,-syslog,-mac_admin,-wake_alarm \
    --inh-caps -all env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    /usr/lib/systemd/systemd
"""
_CLEAR = """
mount -t cgroup2 cgroup2 "$1/mnt"
[ ! -e "$1/mnt$2" ] || find "$1/mnt$2" -depth -type d -exec rmdir {} +
"""


class Booted:
    """A system that runs, whose root is the directory *root*: made by `booted`."""

    def __init__(self, root: Path, started: Program, init: int) -> None:
        self.root = root
        self._started = started
        self._init = init

    def argv(self, *words: str) -> list[str]:
        """What runs a command there as root, in all of its namespaces and in ENVIRONMENT."""
        return ["nsenter", "--target", str(self._init), "--all", "--root", "--wd", *words]

    def run(self, *words: str, code: int | None = 0) -> subprocess.CompletedProcess[str]:
        """Run a command there, which must end with *code*."""
        done = subprocess.run(
            self.argv(*words), env=ENVIRONMENT, timeout=LONG,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert code in (None, done.returncode), f"{words}: {done.stdout}{done.stderr}"
        return done

    def says(self, *words: str, code: int | None = 0) -> str:
        """Run a command there that ends with *code*; return what it prints on stdout."""
        return self.run(*words, code=code).stdout

    def end(self, how: str) -> int:
        """End it by `systemctl reboot` or `poweroff`: the signal that reboot(2) ends it with."""
        self.run("systemctl", "--no-block", how)
        return -self._started.wait(LONG)

    def crash(self) -> None:
        """Take its power away: every process and mount is gone, files are as they are."""
        os.kill(self._init, signal.SIGKILL)
        self._started.wait(LONG)


@contextmanager
def booted(root: Path) -> Iterator[Booted]:
    """Boot the Debian in *root*; gives it when systemd says that all jobs are done."""
    group = f"{_own_group()}/chroot-tool-test-{os.getpid()}"
    apart = ["unshare", "--mount", "--propagation", "private", "sh", "-euc"]
    with Program([*apart, _APART, "sh", root, group, _BOOT], stdin=subprocess.DEVNULL) as started:
        try:
            system = Booted(root, started, _init(started))
            wait_until(lambda: _is_up(system), started, LONG)
            yield system
        finally:
            started.kill()
            started.wait(LONG)
            wait_until(lambda: _is_cleared([*apart, _CLEAR, "sh", str(root), group]), patience=LONG)


def _own_group() -> str:
    """Where this process is in the tree of cgroups, as /proc/self/cgroup has it: cgroups(7)."""
    lines = Path("/proc/self/cgroup").read_text().splitlines()
    paths = [line.removeprefix("0::") for line in lines if line.startswith("0::")]
    return paths[0].rstrip("/") if paths else ""


def _init(started: Program) -> int:
    """The pid of systemd out here: the only child of unshare, into which *started* has changed."""
    children = Path(f"/proc/{started.pid}/task/{started.pid}/children")
    found: list[int] = []

    def is_systemd() -> bool:
        found[:] = map(int, children.read_text().split())
        with suppress(OSError):  # a program of the shell's, which has ended
            return bool(found) and Path(f"/proc/{found[0]}/comm").read_text() == "systemd\n"
        return False

    wait_until(is_systemd, started, LONG)
    return found[0]


def _is_up(system: Booted) -> bool:
    said = system.run("systemctl", "is-system-running", code=None).stdout.strip()
    return said in ("running", "degraded")


def _is_cleared(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
