"""Handing the whole terminal to another program, and taking it back in good order.

`App.suspend` has five traps (all met): a repaint meanwhile fills the writer's queue and the app
hangs, so updates are held back; an exception in the body skips the resume, so none leaves it; mouse
mode 1016 stays on; Ctrl-C in a child without job control would end the app; Textual answers SIGTSTP
with SIGSTOP, which stops us where no shell is there to continue us. And what was typed while the
child ended was for the child: here it would be keys that do things.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import termios
from contextlib import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import FrameType
    from typing import Any

    from textual.app import App

_NO_PIXEL_MOUSE = "\x1b[?1016l"


def _nothing(_number: int, _frame: FrameType | None) -> None:
    """Handle a signal: not SIG_IGN, which exec would hand on to the child."""


_SIGNALS: Mapping[int, Callable[[int, FrameType | None], None] | signal.Handlers] = {
    signal.SIGINT: _nothing,
    signal.SIGQUIT: _nothing,
    signal.SIGTSTP: signal.SIG_DFL,
}
"""How signals are answered while the terminal is another's."""


async def hand_over(
    app: App[Any], argv: Sequence[str], *, said: str = "", stays: bool = False
) -> int:
    """Run *argv* on the real terminal and return its exit code, negative for a signal.

    *said* stands there before what it prints. Where that *stays*, Enter gives the terminal back.
    127 where it could not be started. The event loop goes on: watchers and panels keep working.
    Raises SuspendNotSupported where the app has no real terminal.
    """
    kept = {number: signal.getsignal(number) for number in _SIGNALS}
    with app.batch_update(), app.suspend():
        for number in _SIGNALS:
            signal.signal(number, _SIGNALS[number])
        try:
            _say(_NO_PIXEL_MOUSE + said)
            child = await asyncio.create_subprocess_exec(*argv)
            code = await _wait(child)
            if stays:
                _forget_typed()
                _say(f"chroot-tool: it ended with exit code {code}, Enter goes back\n")
                await _enter()
        except OSError:
            code = 127
        finally:
            for number, handler in kept.items():
                signal.signal(number, handler)
            _forget_typed()
    app.refresh(repaint=True, layout=True)
    return code


def _say(text: str) -> None:
    if sys.__stdout__:
        sys.__stdout__.write(text)
        sys.__stdout__.flush()


async def _enter() -> None:
    """Wait for a line, which stays in the kernel: nobody reads what it says."""
    loop = asyncio.get_running_loop()
    came = asyncio.Event()
    loop.add_reader(0, came.set)  # or for the end of the terminal
    try:
        await came.wait()
    finally:
        loop.remove_reader(0)


def _forget_typed() -> None:
    try:
        termios.tcflush(0, termios.TCIFLUSH)
    except termios.error:
        pass  # it hung up


async def _wait(child: asyncio.subprocess.Process) -> int:
    try:
        return await child.wait()
    except asyncio.CancelledError:  # the app is asked to end, and gives the terminal back
        with suppress(OSError):  # it may be root's, as sudo is, or have just ended
            child.send_signal(signal.SIGHUP)
        raise
