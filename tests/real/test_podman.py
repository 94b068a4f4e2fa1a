"""`pack --oci`, taken by podman: pulled, loaded, run, and looked at file by file.

podman has a store of its own in the test's directory, and a mount namespace in which what it leaves
in /run and /dev/shm is nobody's.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from support import Cli, trees

pytestmark = pytest.mark.root

_APART = """
mount -t tmpfs run /run && mount -t tmpfs shm /dev/shm || exit
! mountpoint -q /sys/fs/cgroup || umount -R -l /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup || exit
exec "$@"
"""
"""A tree of version 2 alone, which is what crun can work with: older hosts have both."""
_CONF = """
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "none"
no_pivot_root = true
"""
"""Within what the one who tests may have, and with a root that is no mount point: in a chroot."""


class Podman:
    """podman with a store in *folder*, and beside that to work in.

    It takes the path of an image for its name, and so no path at all: mkdtemp(3) ends some in `_`.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._beside = folder.parent
        (folder / "containers.conf").write_text(_CONF)
        self._options: list[str | Path] = [
            "--storage-driver", "vfs", "--root", folder / "store", "--runroot", "/run/podman",
        ]  # fmt: skip
        self._env = {**os.environ, "CONTAINERS_CONF": str(folder / "containers.conf"),
                     "HOME": str(folder)}  # fmt: skip

    def __call__(self, script: str, *args: str | Path) -> str:
        """Run *script*, in which `"$@"` is podman and *args* are $A, $B…; return its stdout."""
        named = {chr(ord("A") + number): str(arg) for number, arg in enumerate(args)}
        apart = ["unshare", "--mount", "--propagation", "private", "sh", "-ec", _APART, "sh"]
        words: list[str | Path] = [*apart, "sh", "-ec", script, "sh", "podman", *self._options]
        done = subprocess.run(
            words, env={**self._env, **named}, cwd=self._beside, capture_output=True, text=True,
            timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.mark.slow
def test_podman_takes_an_image_and_runs_it(cli: Cli, tiny_chroot: Path, tmp_path: Path) -> None:
    (tiny_chroot / "all").mkdir()
    trees.everything(tiny_chroot / "all", seals=False, deep=15)
    image, copy = tmp_path / "image", tmp_path / "copy"
    cli.ok("pack", "-d", tiny_chroot, "--oci", "-f", image, "-i", "all/holes")
    podman = Podman(tmp_path / "podman")
    said = podman(
        '"$@" run --rm --network none --cgroups disabled "oci:$A" sh -c "id -u; cat /etc/passwd"',
        image.name,
    )
    assert said == "0\n" + (tiny_chroot / "etc/passwd").read_text()
    assert "image" in podman('"$@" load -q -i "$A"', image.name)
    # The layer itself: of what a container has, the driver without an overlay is a lossy copy.
    podman('cp -a "$("$@" image mount "$("$@" images -q)")" "$A"', copy)
    changed = trees.differences(tiny_chroot, copy)
    expected = ("all/special/socket", "all/holes", "'.' ", "fifo", "nowhere' links")
    assert [line for line in changed if not any(word in line for word in expected)] == []
