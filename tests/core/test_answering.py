"""Who does not answer, asked by several threads."""

from __future__ import annotations

import signal
import threading

import pytest

from chroot_tool.core.kernel import answering
from support import wait_until


def test_of_two_that_were_asked_beside_each_other_both_are_let_go() -> None:
    """What comes after all is given back: a descriptor would stay open, a mount stay there."""
    answer = threading.Event()
    came: list[str] = []

    def asked(name: str) -> answering._Look:
        def call() -> str:
            answer.wait()
            return name

        return answering._Look("0:0", call, came.append)

    looks = [asked("one"), asked("other")]
    for one in looks:
        threading.Thread(target=one.run, daemon=True).start()
    assert [one.leave() for one in looks] == [True, True]
    answer.set()
    wait_until(lambda: len(came) == 2)
    assert sorted(came) == ["one", "other"]
    assert "0:0" not in answering.waiting()


def test_no_signal_is_lost_to_a_look() -> None:
    """One that waits for long would take that of the end of a child from who waits for it."""
    look = answering._Look("0:0", lambda: signal.pthread_sigmask(signal.SIG_BLOCK, ()), None)
    looking = threading.Thread(target=look.run)
    looking.start()
    looking.join()
    assert look.error is None
    assert isinstance(look.result, set)
    assert {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT} <= look.result


def test_what_answers_as_it_is_left_is_not_given_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """To who is told of it late, who lets go of it, and to who asked."""
    answer, lock = threading.Event(), threading.Lock()
    came: list[bool] = []
    look = answering._Look("0:0", answer.wait, came.append)
    looking = threading.Thread(target=look.run, daemon=True)

    class ThenItAnswers:
        def __enter__(self) -> None:
            lock.acquire()

        def __exit__(self, *_: object) -> None:
            lock.release()
            if threading.current_thread() is not looking:
                answer.set()
                looking.join()

    monkeypatch.setattr(answering, "_lock", ThenItAnswers())
    looking.start()
    assert look.leave()
    assert came == [True]
