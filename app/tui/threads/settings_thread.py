"""The thread that reads the settings again when their file changes. It only posts.

The kernel says when (inotify), so that it costs nothing while nothing happens. Editors write a
file in several steps, and some take it away for a moment: it is read when it is quiet again.
"""

from __future__ import annotations

import os
import select
import threading
from typing import TYPE_CHECKING

from ....core.errors import ChrootError
from ....core.kernel.inotify import DirectoryWatch
from ....core.kernel.rootpath import Root
from ...paths import settings_file
from ...settings.file import Settings, load
from .messages import SettingsRead, SettingsWrong

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.message import Message

_QUIET = 150
"""Milliseconds without news after which a file is whole."""
_UNTOLD = 2000
"""Milliseconds between two looks where the kernel does not tell."""
_DECENT = 2.0
"""Seconds that quitting waits."""
Stamp = tuple[int, ...] | None


class SettingsThread:
    """Posts `SettingsRead` or `SettingsWrong` from `start` to `close`."""

    def __init__(self, settings: Settings, post: Callable[[Message], object]) -> None:
        """*settings* are those that hold now."""
        self._known = settings
        self._wrong = ""
        """What was said last of errors in the file, "" where it has none."""
        self._post = post
        self._path = settings_file()
        self._stamp: Stamp = ()
        """Of the file as it was read last: not yet, it may have changed since the UI did."""
        self._ended = threading.Event()
        self._waking, self._wake = os.pipe2(os.O_CLOEXEC)
        self._thread = threading.Thread(target=self._run, name="settings", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End."""
        self._ended.set()
        os.write(self._wake, b"x")
        if self._thread.is_alive():
            self._thread.join(_DECENT)
        if not self._thread.is_alive():
            os.close(self._wake)
            os.close(self._waking)

    def _run(self) -> None:
        watch = DirectoryWatch()
        poll = select.poll()
        poll.register(self._waking, select.POLLIN)
        try:
            while not self._ended.is_set():
                if not watch.tells:
                    watch.begin()
                watched: set[str] = set()
                while (folders := self._folders()) != watched:  # one may be made meanwhile
                    if self._ended.is_set():
                        return
                    watch.add(folders)
                    watched = folders
                self._read_again()
                if watch.tells:
                    poll.register(watch.fileno(), select.POLLIN)
                poll.poll(None if watch.tells else _UNTOLD)
                watch.changed()
                while not self._ended.is_set() and poll.poll(_QUIET):
                    watch.changed()
        finally:
            watch.close()

    def _folders(self) -> set[str]:
        """Return where news of the file come from; what it is a link to stands elsewhere."""
        folder = os.path.dirname(self._path)
        while not os.path.isdir(folder):
            folder = os.path.dirname(folder)  # one of those that are made first
        folders = [folder]
        try:
            folders.append(os.path.dirname(os.path.join(folder, os.readlink(self._path))))
        except OSError:
            pass  # it is no link, or is being replaced
        return {physical for path in folders if (physical := _physical(path))}

    def _look(self) -> Stamp:
        try:
            there = os.stat(self._path)
        except OSError:
            return None
        return there.st_dev, there.st_ino, there.st_mtime_ns, there.st_size

    def _read_again(self) -> None:
        stamp = self._look()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            settings = load()
        except ChrootError as error:
            if error.message != self._wrong:
                self._wrong = error.message
                self._tell(SettingsWrong(error))
            return
        if settings != self._known or self._wrong:
            self._known, self._wrong = settings, ""
            self._tell(SettingsRead(settings))

    def _tell(self, message: Message) -> None:
        if not self._ended.is_set():
            try:
                self._post(message)
            except RuntimeError:
                pass  # the UI has ended


def _physical(folder: str) -> str:
    """Return where a directory really is, since links are not watched; "" where there is none."""
    try:
        with Root(folder) as root:
            return root.path
    except OSError:
        return ""
