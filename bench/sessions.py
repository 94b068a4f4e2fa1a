"""Rows of `bench images`: a command in a throw-away session, against a plain one and schroot's."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chroot_tool.core.local_engine import LocalEngine

from .chroots import TOOL, Command, chroots, environment, medians
from .rows import Row


def sessions() -> Iterator[Row]:
    """A command in a throw-away session: against a plain one, and schroot's with an overlay."""
    with chroots(2) as base:
        env = environment(base)
        path = base / "c0"
        LocalEngine(str(base)).on(str(path))
        plain = Command([*TOOL, "run", "-d", path, "/bin/true"], env)
        ours = Command([*TOOL, "run", "-x", "-d", path, "/bin/true"], env)
        with _schroot_overlay(base / "c1", env) as schroot:
            session, on, other = medians(40, ours, plain, schroot)
    name = "run -x /bin/true"
    yield Row(name, session, "ms", other=on, beside="run, chroot is on", times=1.3)
    yield Row(name, session, "ms", other=other, beside="schroot, overlay", faster=1)


@contextmanager
def _schroot_overlay(path: Path, env: dict[str, str]) -> Iterator[Command]:
    """Give schroot's command for a session on the chroot at *path* that is thrown away."""
    config = "/etc/schroot/chroot.d"
    name = "chroot-tool-bench-overlay"
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", config], check=True)
    try:
        Path(config, name).write_text(
            f"[{name}]\ntype=directory\ndirectory={path}\nusers=root\nprofile=minimal\n"
            "union-type=overlay\n"
        )
        yield Command(["schroot", "-c", name, "--directory", "/", "--", "/bin/true"], env)
    finally:
        subprocess.run(["umount", config], check=True)
