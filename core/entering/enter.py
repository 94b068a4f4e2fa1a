"""Going in: a command that is wanted inside is started there, and waited for.

It is a child: of `terminal`, which carries the bytes, where there is a terminal, else of `parent`,
which waits and passes signals on. Both only ever in a process of its own with one thread; a program
that has more to do than this takes `apart`.
"""

from __future__ import annotations

import os
import sys
import time

from ..kernel import answering
from .words_to_program import prepare

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ..kernel.rootpath import Root
    from .launch import Launch
    from .words_to_program import Command

_TRIES, _PAUSE = 100, 0.01


def run(root: Root, wanted: Command, member: int = -1) -> int:
    """Run a command inside *root*; return its exit code, 128+N where signal N ended it.

    *member*, where there is one: see `Launch.member`; then this process's children are in a pid
    namespace of their own, which that one is the first process of.

    Where stdin and stdout are not both a terminal, this process has /dev/null in their place
    afterwards. Raises UsageError, EnterError and other ChrootErrors where the command could not be
    started; RuntimeError in a process with more than one thread, whose locks a fork would leave
    taken.
    """
    _refuse_threads()
    launch = prepare(root, wanted)
    if member >= 0:
        launch = launch.replace(member=member)
    for stream in (sys.stdout, sys.stderr):
        if stream:  # None where the caller closed the descriptor
            stream.flush()
    return starter()(root, launch)


def _refuse_threads() -> None:
    """Raise RuntimeError where there is a thread that may hold a lock.

    Those of `answering` do not: they wait in the kernel for who is not answering.
    """
    for _ in range(_TRIES):
        waiting = len(answering.waiting())
        if len(os.listdir("/proc/self/task")) <= 1 + waiting:
            return
        time.sleep(_PAUSE)  # one whose answer came after all is about to end
    raise RuntimeError("only a process with one thread can enter a chroot")


def starter() -> Callable[[Root, Launch], int]:
    """Return what starts a command on the streams that this process has, loaded."""
    if os.isatty(0) and os.isatty(1):
        from .terminal import run as start
    else:
        from .parent import run as start
    return start
