"""A Debian as a machine of its own: in a mount namespace whose root it is.

Imported as `support.machine`. What is mounted in there nobody else sees, and it ends with the
process that holds it. Network, processes and devices are the host's.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import TracebackType

from . import PATIENCE, Program

_HOLD = """
mount --bind "$1" "$1"
cd "$1"
mount -t proc proc proc
mount --rbind /sys sys
mount --rbind /dev dev
mount -t tmpfs -o mode=0755 tmpfs run
shift
while [ $# -gt 0 ]; do
    mkdir -p ".$2"
    mount --bind "$1" ".$2"
    shift 2
done
pivot_root . mnt
umount -l mnt
echo ready
exec cat
"""

ENVIRONMENT = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8",
    "TERM": "xterm", "DEBIAN_FRONTEND": "noninteractive",
}  # fmt: skip


IDLE = "/idle"
"""Where programs are that do nothing, by `Machine.be_quick`."""


class Machine:
    """The Debian in *root*, to be entered; *shared*: directories out here, by their paths in it."""

    def __init__(self, root: Path, shared: dict[str, Path] | None = None) -> None:
        self.root = root
        self._words = ["unshare", "--mount", "--propagation", "private", "sh", "-euc", _HOLD, "sh"]
        self._words += [str(root)]
        for inside, outside in (shared or {}).items():
            self._words += [str(outside), inside]

    def __enter__(self) -> Machine:
        self._holder = Program(self._words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._holder.stdout is not None
        assert self._holder.stdout.readline() == b"ready\n"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self._holder.communicate(timeout=PATIENCE)

    def argv(self, *words: str) -> list[str]:
        """What runs a command there, in ENVIRONMENT."""
        enter = ["nsenter", "--target", str(self._holder.pid), "--mount", "--root", "--wd"]
        return [*enter, *words]

    def run(
        self, *words: str, code: int | None = 0, given: str = "", **env: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command there as root, with *given* on stdin, which must end with *code*."""
        done = subprocess.run(
            self.argv(*words), env=ENVIRONMENT | env, input=given, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert code in (None, done.returncode), f"{words}: {done.stdout}{done.stderr}"
        return done

    def be_quick(self) -> None:
        """Have apt install what no test is about in less time.

        Nobody minds this disk; and what is used of Python's modules is compiled when it is imported
        first, by root: all of it would be most of the work.
        """
        quick = f"""
            echo force-unsafe-io >/etc/dpkg/dpkg.cfg.d/quick
            mkdir {IDLE}
            ln -s /bin/true {IDLE}/py3compile
            echo 'DPkg::Path "{IDLE}:{ENVIRONMENT["PATH"]}";' >/etc/apt/apt.conf.d/quick
        """
        self.run("sh", "-euc", quick)

    def says(self, *words: str) -> str:
        """Run a command there that succeeds; return what it prints."""
        return self.run(*words).stdout
