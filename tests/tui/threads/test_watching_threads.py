"""The threads that look, when they are ended: whatever they do just then, they end."""

from __future__ import annotations

import errno
import threading
from types import SimpleNamespace
from typing import Any

import pytest
from textual.message import Message

from chroot_tool.app import log_file
from chroot_tool.app.tui.chroots import chroot_log
from chroot_tool.app.tui.threads import watch_threads
from chroot_tool.app.tui.threads.look_thread import LookThread
from chroot_tool.app.tui.threads.watch_threads import SizeThread, WatchThread
from chroot_tool.core.errors import Problem
from chroot_tool.core.looking.snapshot import Snapshot
from chroot_tool.core.looking.status import ChrootStatus
from chroot_tool.core.trees.disk_size import Taken
from support import PATIENCE, wait_until


def test_a_look_that_has_taken_the_word_of_the_end_is_the_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watch_threads, "_DECENT", PATIENCE)
    looking, woken = threading.Event(), threading.Event()

    class Follows:
        looks = 0

        def follow(self) -> Follows:
            return self

        def snapshot(self) -> Snapshot:
            self.looks += 1
            if self.looks > 1:  # as where it is followed as root from now on
                looking.set()
                wait_until(thread._ended.is_set)
                woken.wait()
                woken.clear()
            return Snapshot("/b")

        def wait(self) -> None:
            if self.looks > 1:
                threading.Event().wait()

        def wake(self) -> None:
            woken.set()

        def close(self) -> None: ...

    engine: Any = Follows()
    thread = WatchThread(engine)
    thread.start()
    looking.wait()
    thread.close()
    assert not thread._thread.is_alive()


def test_the_end_is_seen_also_where_it_comes_just_before_a_look() -> None:
    class Late(threading.Event):
        def clear(self) -> None:
            looks.close()
            super().clear()

    looks = LookThread("look", lambda _: Message(), lambda _: None, again=None)
    looks._woken = Late()
    looks.want("/b/deb")
    looks._thread.join(60)
    assert not looks._thread.is_alive()


def test_what_can_be_followed_no_more_is_told_and_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watch_threads, "_AGAIN", 0.0)
    monkeypatch.setattr(watch_threads, "_DECENT", PATIENCE)
    before, after = (ChrootStatus("deb", "/b/deb", state) for state in ("off", "on"))
    closed: list[int] = []

    class Breaks:
        base = "/b"
        times = 0

        def follow(self) -> Breaks:
            self.times += 1
            if self.times in (1, 3):
                raise OSError(errno.EMFILE, "Too many open files")
            return self

        def snapshot(self) -> Snapshot:
            return Snapshot("/b", (before if self.times == 2 else after,))

        def wait(self) -> None:
            if self.times == 2:
                raise OSError(errno.ENFILE, "Too many open files in system")
            woken.wait()

        def wake(self) -> None:
            woken.set()

        def close(self) -> None:
            closed.append(self.times)

    woken = threading.Event()
    posted: list[Snapshot] = []
    engine: Any = Breaks()
    thread = WatchThread(engine).post_to(engine, lambda seen: posted.append(seen.snapshot))  # type: ignore[attr-defined]
    thread.start()
    wait_until(lambda: posted[-1:] == [Snapshot("/b", (after,))])
    thread.close()
    none, no_more = (
        Problem(f"nothing is followed: Too many open files{more}", "tried again in 0 s")
        for more in ("", " in system")
    )
    assert posted == [
        Snapshot("/b", (), none), Snapshot("/b", (before,)), Snapshot("/b", (before,), no_more),
        Snapshot("/b", (before,), none), Snapshot("/b", (after,)),
    ]  # fmt: skip
    assert closed == [2, 4]


def test_a_look_that_fails_leaves_the_thread_for_the_next() -> None:
    def look(path: str) -> Message:
        looked.append(path)
        if path == "/b/one":
            raise OSError(errno.EMFILE, "Too many open files")
        return Message()

    looked: list[str] = []
    posted: list[Message] = []
    looks = LookThread("look", look, posted.append, again=None)
    looks.want("/b/one")
    wait_until(lambda: looked)
    looks.want("/b/two")
    wait_until(lambda: posted)
    looks.close()
    assert looked == ["/b/one", "/b/two"]


def test_a_count_that_fails_leaves_the_thread_for_the_next() -> None:
    class Sizes:
        def get(self, path: str, _ended: threading.Event) -> Taken:
            asked.append(path)
            if len(asked) == 1:
                raise OSError(errno.EMFILE, "Too many open files")
            return Taken(5)

    asked: list[str] = []
    posted: list[Any] = []
    engine: Any = SimpleNamespace(sizes=Sizes)
    thread = SizeThread(engine, posted.append)
    thread.want(("/b/one",))
    wait_until(lambda: asked)
    thread.want(("/b/two", "/b/one"))
    wait_until(lambda: len(posted) == 2)
    thread.close()
    assert [one.path for one in posted] == ["/b/two", "/b/one"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_who_wants_something_of_a_thread_that_a_bug_has_ended_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever wants it is the UI itself, which would end."""

    def breaks(*_: object) -> Any:
        raise LookupError

    engine: Any = SimpleNamespace(sizes=lambda: SimpleNamespace(get=breaks))
    sizes = SizeThread(engine, lambda _: None)
    looks = LookThread("look", breaks, lambda _: None)
    keeper = chroot_log._Keeper(lambda _: None)
    monkeypatch.setattr(log_file, "load", breaks)
    sizes.want(("/b/deb",))
    looks.want("/b/deb")
    keeper.want_past()
    for one in (sizes, looks, keeper):
        one._thread.join(60)
        assert not one._thread.is_alive()
    sizes.want(("/b/deb", "/b/one"))
    looks.want("/b/one")
    keeper.keep([])


def test_what_is_counted_anew_is_told_although_it_is_as_large_as_before() -> None:
    """As where it was made again: its size was forgotten meanwhile."""

    class Sizes:
        def get(self, _path: str, _ended: threading.Event) -> Taken:
            return Taken(5)

        def forget(self, path: str) -> None: ...

    posted: list[Any] = []
    engine: Any = SimpleNamespace(sizes=Sizes)
    thread = SizeThread(engine, posted.append)
    thread.want(("/b/deb",))
    wait_until(lambda: posted)
    thread.recount("/b/deb")
    wait_until(lambda: len(posted) == 2)
    thread.close()
    assert [(one.path, one.size) for one in posted] == [("/b/deb", 5)] * 2
