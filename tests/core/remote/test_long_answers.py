"""An answer that the other end would not take is an error of its own, and ends no connection."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from chroot_tool.core.errors import ChrootError, Problem
from chroot_tool.core.events import Event, Output
from chroot_tool.core.looking.snapshot import Snapshot
from chroot_tool.core.looking.status import ChrootStatus
from chroot_tool.core.process import Process
from chroot_tool.core.remote import lines
from chroot_tool.core.remote.lines import Lines, TooLongError, line_of
from chroot_tool.core.remote.server import Server

COMMAS = ",[{" * 2000
SMALL = ChrootStatus("small", "/b/small", "off", "")
MANY = tuple(Process(pid, "root", COMMAS, 0.0, 1, 0.0) for pid in range(200))
BIG = ChrootStatus("big", "/b/big", "on", "", processes=MANY)


@pytest.fixture(autouse=True)
def low(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MOST", 1000)


def taken(line: bytes) -> Any:
    """What the other end makes of a line."""
    reader, writer = os.pipe()
    threading.Thread(target=_write, args=(writer, line), daemon=True).start()
    try:
        (found,) = Lines(reader)
    finally:
        os.close(reader)
    return json.loads(found)


def _write(writer: int, line: bytes) -> None:
    with os.fdopen(writer, "wb") as file:
        file.write(line)


@pytest.mark.parametrize("text", [COMMAS, COMMAS + '"\\', '\\",' * 2000, "\udcff,\u20ac[" * 900])
def test_signs_in_texts_are_no_values(text: str) -> None:
    document = {"id": 1, "x": [text, text], text: {}}
    assert taken(line_of(document)) == document


def test_what_is_too_long_is_refused_here(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TooLongError, match="more than 1000 values"):
        line_of({"x": [[]] * 1001})
    monkeypatch.setattr(lines, "LONGEST", 5000)
    with pytest.raises(TooLongError, match="longer than 5000 bytes"):
        line_of({"x": "x" * 5000})


class Following:
    """Sees one chroot of which there is too much to be told, and another."""

    def __init__(self) -> None:
        self.woken = threading.Event()

    def snapshot(self) -> Snapshot:
        return Snapshot("/b", (BIG, SMALL), late=Problem("no inotify"))

    def wait(self) -> None:
        self.woken.wait()

    wake = property(lambda self: self.woken.set)

    def close(self) -> None:
        """Nothing is open."""


def usage(path: str, *, report: Callable[[Event], object], **_: object) -> str:
    for line in ("one", "x" * 70_000, "two"):
        report(Output(path, line))
    raise ChrootError("y" * 70_000 if path == "/b/big" else "no")


@pytest.fixture
def asked() -> Iterator[Any]:
    """Asks a server, and gives its next answer."""
    there, mine = os.pipe()
    heard, said = os.pipe()
    engine: Any = SimpleNamespace(
        base="/b", list=lambda: (BIG,), status=lambda path: BIG if path == "/b/big" else SMALL,
        follow=Following, usage=usage,
    )  # fmt: skip
    server = Server(engine, there, said, version="9")
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    answers = os.fdopen(heard, encoding="ascii")
    assert json.loads(answers.readline())["event"] == "hello"

    def ask(request: dict[str, Any] | None = None) -> dict[str, Any]:
        if request is not None:
            os.write(mine, json.dumps(request).encode() + b"\n")
        found: dict[str, Any] = json.loads(answers.readline())
        return found

    yield ask
    os.close(mine)
    thread.join(60)
    assert not thread.is_alive()
    answers.close()
    for one in (there, said):
        os.close(one)


def test_one_answer_that_is_too_long_is_an_error(asked: Any) -> None:
    for number, request in enumerate(({"do": "list"}, {"do": "status", "path": "/b/big"})):
        found = asked({"id": number} | request)
        assert (found["id"], found["event"], found["kind"]) == (number, "error", "failed")
        assert "too much to be told" in found["message"]
        assert "1000 values" in found["message"]
    found = asked({"id": 2, "do": "status", "path": "/b/small"})
    assert (found["event"], found["result"]["name"]) == ("done", "small")


def test_of_a_chroot_that_is_too_much_it_is_told_that_it_is(asked: Any) -> None:
    found = asked({"id": 1, "do": "follow"})["chroot"]
    assert (found["name"], found["state"], found["processes"]) == ("big", "on", [])
    assert "0 mounts and 200 processes" in found["problems"][0]["message"]
    assert asked()["chroot"]["name"] == "small"
    seen = asked()
    assert (seen["event"], seen["problem"], seen["late"]["message"]) == ("seen", None, "no inotify")


@pytest.mark.parametrize("path", ["/b/big", "/b/small"])
def test_events_and_errors_have_a_bound_too(
    asked: Any, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "LONGEST", 50_000)
    assert asked({"id": 1, "do": "usage", "path": path})["line"] == "one"
    assert asked()["line"] == "two"
    found = asked()
    assert found["event"] == "error"
    assert found["message"] == ("no" if path == "/b/small" else
                                "what went wrong is too much to be told")  # fmt: skip
