"""What is watched beside a fight tells who has been there."""

from __future__ import annotations

import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from support.canary import Canary

pytestmark = pytest.mark.root


def test_who_opens_what_must_not_be_read_is_named(tmp_path: Path) -> None:
    with closing(Canary(tmp_path / "canary")) as canary:
        assert canary.touched() == []  # our own look at all of it is none
        file = canary.folder / "bin/true"
        script = 'exec < "$1"; echo; exec sleep 100'
        with subprocess.Popen(["sh", "-c", script, "sh", file], stdout=subprocess.PIPE) as visitor:
            assert visitor.stdout is not None
            visitor.stdout.readline()
            told = canary.touched()
            visitor.kill()
        assert f"{file}: opened" in told
        assert any(f"{file}: opened by {visitor.pid} " in line for line in told), told
        assert canary.touched() == []
