"""An app of a test is painted when it comes to rest: most of what it paints between nobody sees.

Without a terminal Textual paints as often as with one, and throws it away: a third of what a test
costs. What is painted still has to be painted without an error, which ends the app as ever.
Imported as `support.painting`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import copy_context
from functools import partial
from weakref import WeakKeyDictionary

from rich.console import RenderableType
from textual._compositor import Compositor
from textual._context import active_app
from textual.screen import Screen

AT_LAST = 0.2
"""Seconds after which it is painted in any case: what floods does not come to rest."""

_render_update = Compositor.render_update


class _Waiting:
    """What is to be painted in one event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.paints: dict[Compositor, Callable[[], None]] = {}
        self.at_last = loop.call_later(AT_LAST, paint, loop)


_waiting: WeakKeyDictionary[asyncio.AbstractEventLoop, _Waiting] = WeakKeyDictionary()


def paint_at_rest() -> None:
    """Have all apps of this process that have no terminal painted by `paint` from now on."""
    Compositor.render_update = _later  # type: ignore[method-assign]


def paint(loop: asyncio.AbstractEventLoop) -> None:
    """Paint what is to be painted in *loop*."""
    waiting = _waiting.pop(loop, None)
    if waiting is not None:
        waiting.at_last.cancel()
        for one in waiting.paints.values():
            one()


def _later(
    self: Compositor,
    full: bool = False,
    screen_stack: list[Screen[object]] | None = None,
    simplify: bool = False,
) -> RenderableType | None:
    if full or not active_app.get().is_headless:  # somebody wants it
        return _render_update(self, full, screen_stack, simplify)
    loop = asyncio.get_running_loop()
    if loop not in _waiting:
        _waiting[loop] = _Waiting(loop)
    _waiting[loop].paints[self] = partial(copy_context().run, _paint_now, self, screen_stack)
    return None


def _paint_now(compositor: Compositor, screen_stack: list[Screen[object]] | None) -> None:
    try:
        _render_update(compositor, screen_stack=screen_stack)
    except Exception as error:
        active_app.get()._handle_exception(error)
