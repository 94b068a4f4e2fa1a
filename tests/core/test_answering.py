"""Who does not answer, asked by several threads."""

from __future__ import annotations

import threading

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
    assert answering.waiting() == ()
