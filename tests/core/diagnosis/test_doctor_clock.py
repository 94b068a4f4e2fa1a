from __future__ import annotations

import os
import time
from pathlib import Path

from chroot_tool.core.diagnosis.clock import clock
from chroot_tool.core.diagnosis.finding import OK, PROBLEM
from support.doctor import bare_root, host, of, worst


def test_a_clock_that_is_right(tmp_path: Path) -> None:
    assert worst(clock(host())).severity == OK
    assert worst(clock(of(bare_root(tmp_path)))).severity == OK


def test_one_that_has_never_been_set() -> None:
    assert worst(clock(host(), lambda: 12345.0)).severity == PROBLEM


def test_packages_from_the_future(tmp_path: Path) -> None:
    root = bare_root(tmp_path)
    status = root / "var/lib/dpkg/status"
    status.parent.mkdir(parents=True)
    status.touch()
    ahead = time.time() + 86400
    os.utime(status, (ahead, ahead))
    found = worst(clock(of(root)))
    assert found.severity == PROBLEM
    assert "/var/lib/dpkg/status inside" in found.found
