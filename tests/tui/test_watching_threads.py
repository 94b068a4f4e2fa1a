"""The threads that look, when they are ended: whatever they do just then, they end."""

from __future__ import annotations

import threading
from typing import Any

from textual.message import Message

from chroot_tool.app.tui.threads.look_thread import LookThread
from chroot_tool.app.tui.threads.watch_threads import WatchThread
from chroot_tool.core.looking.snapshot import Snapshot
from support import wait_until


def test_a_look_that_has_taken_the_word_of_the_end_is_the_last() -> None:
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
