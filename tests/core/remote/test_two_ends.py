"""The two ends of a stream: which begins when, whatever the programs are."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from chroot_tool.core.errors import ChrootError
from chroot_tool.core.events import ignore
from chroot_tool.core.remote.stream import End, carry

REFUSED = json.dumps({"event": "error", "kind": "error", "message": "no", "code": 1})
DONE = json.dumps({"event": "done"})


def sh(script: str, name: str = "") -> End:
    return End(name, ("sh", "-c", script))


def carried(source: str, sink: str) -> object:
    return carry(sh(source), sh(sink, "there"), "/x", report=ignore, cancelled=threading.Event())


def test_what_is_refused_at_one_end_is_not_begun_at_the_other(tmp_path: Path) -> None:
    with pytest.raises(ChrootError, match="no"):
        carried(f"echo '{REFUSED}' >&2; exit 1", f"touch {tmp_path}/begun")
    assert not (tmp_path / "begun").exists()


@pytest.mark.parametrize(
    "source",
    [
        "head -c 10000000 /dev/zero",  # more than a pipe holds, before a word is said
        f"echo '{json.dumps({'event': 'stage', 'stage': 'packing'})}' >&2; echo",
        "true",
    ],
    ids=["bytes", "a word", "nothing"],
)
def test_who_sends_says_something_or_sends_or_ends(source: str) -> None:
    """Each of them begins the other end."""
    assert carried(source, f"cat >/dev/null; echo '{DONE}'") == ({}, json.loads(DONE))
