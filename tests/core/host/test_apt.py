"""This host's apt, asked beside other work: what hangs does not outlive who has asked."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from chroot_tool.core import programs
from chroot_tool.core.host import apt
from support import PATIENCE, wait_until


def test_what_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("apt-get", "apt-config"):
        (tmp_path / name).write_text(
            f"#!/bin/sh\necho $$ >{tmp_path}/{name}.pid\nexec sleep 1000\n"
        )
        (tmp_path / name).chmod(0o755)
    monkeypatch.setattr(programs, "find", lambda name, *_: str(tmp_path / name))
    monkeypatch.setattr(apt, "_LONGEST", PATIENCE)
    files = [tmp_path / f"{name}.pid" for name in ("apt-get", "apt-config")]
    with apt.Apt("") as asked:
        wait_until(lambda: all(one.exists() and one.read_text().strip() for one in files))
    for one in files:
        with pytest.raises(ProcessLookupError):
            os.kill(int(one.read_text()), 0)
    assert asked.sources() == ()
    assert asked.proxies().settings == ()
