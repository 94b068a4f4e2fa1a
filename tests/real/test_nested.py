"""The tool inside a plain chroot, whose root is no mount point: mountinfo has no line for it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support import CHECKOUT, make_tiny_root

pytestmark = pytest.mark.root

ENTER = """
set -e
cd "$1"
mount --bind . . && mount --make-shared . && cd "$1"
mount --make-private /
for name in usr lib lib32 lib64 bin sbin; do
    [ -d /$name ] && [ ! -L /$name ] || continue
    mkdir -p nest/$name && mount --bind /$name nest/$name
done
for path in "$2" "$3" "$4"; do
    [ ! -e "nest$path" ] || continue
    mkdir -p "nest$path" && mount --bind "$path" "nest$path"
done
mkdir -p nest/proc nest/sys nest/tmp nest/dev
mount --bind /dev nest/dev
mount -t proc proc nest/proc
mount -t sysfs sysfs nest/sys
shift 4
exec chroot nest "$@"
"""
"""Enters `nest` in directory $1, which lies on a shared mount."""


@pytest.fixture
def nest(tmp_path: Path) -> Path:
    root = tmp_path / "nest"
    make_tiny_root(root / "c")
    (root / "c/chroot.d/tool.conf").write_text("[bind]\ntgt:/data src:/data fs:bind-ro\n")
    (root / "data").mkdir()
    (root / "etc").mkdir()
    (root / "etc/resolv.conf").write_text("nameserver 127.0.0.1\n")
    for name in ("passwd", "group"):
        shutil.copy(f"/etc/{name}", root / "etc")
    for name in ("lib", "lib32", "lib64", "bin", "sbin"):
        if (link := Path("/", name)).is_symlink():
            (root / name).symlink_to(link.readlink())
    return tmp_path


def inside(nest: Path, script: str, *words: str) -> str:
    places = (str(CHECKOUT), sys.prefix, sys.base_prefix)
    shell = ["unshare", "--mount", "sh", "-c", ENTER, "sh", str(nest), *places]
    done = subprocess.run(
        [*shell, "sh", "-euc", script, "sh", *words],
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_on_and_off(nest: Path) -> None:
    said = inside(
        nest,
        """
        tool() { "$python" -I -S "$start" "$@"; }
        python=$1 start=$2
        wc -l </proc/self/mountinfo
        tool on -d /c 2>&1
        tool on -d /c 2>&1
        tool list --base / 2>&1
        if touch /c/data/new 2>&1; then echo writable; fi
        touch /data/new
        tool run /bin/sh -d /c -- -c 'echo "$(cat /etc/resolv.conf)"' 2>&1
        tool off -S -d /c 2>&1
        wc -l </proc/self/mountinfo
        """,
        sys.executable,
        str(CHECKOUT / ".pkg/start.py"),
    ).splitlines()
    assert said[0] == said[-1]
    assert "already on" in said[2]
    assert "● on" in said[4]
    assert "writable" not in said
    assert "nameserver 127.0.0.1" in said


@pytest.mark.slow
def test_the_namespace_of_a_create_is_private(nest: Path) -> None:
    code = (
        "import subprocess\n"
        "from chroot_tool.core.creating.namespaces import apart\n"
        "script = 'mount -t tmpfs none /c/tmp; wc -l </proc/self/mountinfo; echo $$; ls /c'\n"
        "subprocess.run([*apart(), 'sh', '-c', script], check=True)\n"
        "subprocess.run([*apart('/c'), 'sh', '-c', 'echo /*'], check=True)\n"
    )
    said = inside(
        nest,
        'wc -l </proc/self/mountinfo; "$1" -c "$2"; wc -l </proc/self/mountinfo',
        sys.executable,
        code,
    ).splitlines()
    before, meanwhile, pid, *names, root, after = said
    assert before == after
    assert int(meanwhile) > int(before)
    assert pid == "1"
    assert "chroot.d" in names
    assert "/chroot.d" in root
