"""doas itself, by the rule that `sudoers` prints: as good as sudo."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from support import mounts_below
from support.ordinary import Ordinary, ordinary

pytestmark = [pytest.mark.root, pytest.mark.slow]


def mount(stack: ExitStack, *words: str | Path) -> None:
    subprocess.run(["mount", *words], check=True)
    stack.callback(subprocess.run, ["umount", "--lazy", words[-1]], check=True)


@pytest.fixture
def ann(tmp_path: Path, tiny_template: Path) -> Iterator[Ordinary]:
    """An ordinary user on a machine whose /etc is the test's."""
    with ExitStack() as stack:
        etc = tmp_path / "whole-etc"
        subprocess.run(["cp", "-a", "/etc", etc], check=True)
        mount(stack, "--bind", etc, "/etc")
        one = stack.enter_context(ordinary(tmp_path / "of"))
        subprocess.run(["cp", "-a", tiny_template, one.base / "deb"], check=True)
        yield one
        subprocess.run(
            [one.program, "off", "-S", "--kill", "-d", one.base / "deb"],
            check=False, capture_output=True,
        )  # fmt: skip


def rule(ann: Ordinary, *words: str) -> str:
    done = subprocess.run(
        [ann.program, "sudoers", *words], capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.mark.parametrize("by", ["variable", "setting"])
def test_doas(ann: Ordinary, by: str) -> None:
    env = {"CHROOT_TOOL_PRIVILEGE": "doas"} if by == "variable" else {}
    if by == "setting":
        ann.settings('privilege = "doas"\n')
    refused = ann("on", "-d", "deb", env=env)
    assert refused.returncode == 5
    assert "doas does not make ann root here" in refused.stderr
    assert "chroot-tool sudoers ann --for doas" in refused.stderr

    conf = Path("/etc/doas.conf")
    conf.write_text(rule(ann, "ann", "--for", "doas"))
    conf.chmod(0o400)
    ann.ok("on", "-d", "deb", env=env)
    assert json.loads(ann.ok("status", "-d", "deb", "--json"))["state"] == "on"
    ann.ok("adopt", "-d", "deb", env=env)
    done = ann("run", "-d", "deb", "--", "sh", "-c", "id -u; exit 7", env=env)
    assert (done.returncode, done.stdout) == (7, f"{ann.uid}\n")
    ann.ok("off", "-d", "deb", env=env)
    assert not mounts_below(ann.base / "deb")
    other = subprocess.run(
        ["doas", "-n", "id"], user=ann.uid, group=ann.uid, extra_groups=(), check=False,
        capture_output=True,
    )  # fmt: skip
    assert other.returncode == 1
