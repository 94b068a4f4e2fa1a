"""The two ends of a stream: which begins when, whatever the programs are."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path

import pytest

from chroot_tool.core.errors import ChrootError
from chroot_tool.core.events import Event, Stage, ignore
from chroot_tool.core.remote import stream
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


def test_nor_where_who_refuses_is_held_up_at_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end of what it writes can be seen before its thread has come to its own."""
    close = os.close

    def late(fd: int) -> None:
        close(fd)
        if threading.current_thread() is not threading.main_thread():
            time.sleep(2 * stream._TICK)

    monkeypatch.setattr(os, "close", late)
    with pytest.raises(ChrootError, match="no"):
        carried(f"echo '{REFUSED}' >&2; exit 1", f"touch {tmp_path}/begun")
    assert not (tmp_path / "begun").exists()


def test_what_is_told_late_is_no_step_back() -> None:
    """By a thread that was held up since its end had nothing more to send."""
    told: list[Event] = []
    telling = stream._Telling("/x", told.append)
    telling.sent("packing", 0.5)
    telling.of_receiver(Stage("/x", "settling", 0.98))
    telling.sent("packing", 0.99)
    assert told == [Stage("/x", "packing", 0.48), Stage("/x", "settling", 0.98)]


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
