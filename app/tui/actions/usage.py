"""The disk of a chroot, folder by folder."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING

from ....core.errors import Cancelled, ChrootError
from ....core.events import Stage
from ....core.text import safe
from ..reasons import of_one, unmade
from .action import Action, flow

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.message import Message

    from ....core.engine import Engine
    from ....core.events import Event
    from ..session import Session

    Post = Callable[[Message], object]


@flow
async def look(session: Session) -> None:
    """Show what takes the disk of the highlighted chroot."""
    from ....widgets.dialogs.usage import UsageDialog

    one = session.highlighted
    if one is not None:
        await session.user.ask(UsageDialog(one.name, partial(_begin, session.engine, one.path)))


def _begin(engine: Engine, path: str, folder: str, post: Post) -> Callable[[], object]:
    """Count in a thread of its own; return what stops it."""
    left = threading.Event()
    count = partial(_count, engine, path, folder, post, left)
    threading.Thread(target=count, name="usage", daemon=True).start()
    return left.set


def _count(engine: Engine, path: str, folder: str, post: Post, left: threading.Event) -> None:
    from ....widgets.dialogs.usage import UsageDialog

    def report(event: Event) -> None:
        if isinstance(event, Stage) and not left.is_set():
            _tell(post, UsageDialog.Progressed(folder, event.stage))

    try:
        found = engine.usage(path, folder, report=report, cancelled=left)
        told = UsageDialog.Counted(folder, found)
    except Cancelled:
        return
    except ChrootError as error:
        told = UsageDialog.Counted(folder, (), safe(error.message))
    if not left.is_set():
        _tell(post, told)


def _tell(post: Post, message: Message) -> None:
    try:
        post(message)
    except RuntimeError:
        pass  # the UI has ended


ACTIONS = (
    Action(
        "environments.usage", "disk", "What takes its disk, folder by folder", look,
        key="i", in_footer=False, why_not=of_one(unmade),
    ),
)  # fmt: skip
