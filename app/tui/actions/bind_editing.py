"""Editing the binds of a chroot: from the editor to the files, to $EDITOR, to the mounts, and back.

The editor answers what is wanted; here it is done. What somebody else changes in the files while it
is open, it takes over when it happens. A save that comes too late all the same opens the editor
again with the same changes on top of what stands there now.
"""

from __future__ import annotations

import asyncio
import os
import pwd
from functools import partial
from typing import TYPE_CHECKING

from ....core.chroot import current_directory
from ....core.config.edits import Files
from ....core.config.presets import presets
from ....core.errors import ChangedError, ChrootError, ConfigError
from ....core.text import safe
from ....widgets.binds.draft import News
from ....widgets.binds.editor import APPLY, OPEN_EDITOR, UNDO_SAVE, BindEditor, Edited
from ....widgets.dialogs.confirm import Confirm, throw_away
from ...exits import CONFIG
from ..command_lines.command_words import follow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ....core.config.bind import Bind
    from ....core.config.edits import Change, Saved
    from ....core.config.presets import Preset
    from ....core.engine import Engine
    from ....core.looking.status import ChrootStatus
    from ....core.plan import Plan
    from ..command_lines.command_words import Words
    from ..user.ask_and_tell import User

    Noted = Callable[[tuple[Change, ...], Saved | None], object]


class BindEditing:
    """One visit to the editor of a chroot's binds."""

    def __init__(
        self, user: User, engine: Engine, one: ChrootStatus, *, saved: Noted = lambda *_: None
    ) -> None:
        """*saved* is called with what each save has changed, with None where one was undone."""
        self._note_save = saved
        self.words: tuple[Words, ...] = ()
        """The commands that have the mounts follow, once `run` has returned that they are to."""
        self._user = user
        self._engine = engine
        self._binds = engine.binds(one.path)
        self._one = one.replace(processes=())  # they change all the time
        self._changes: tuple[Change, ...] = ()
        self._saved: Saved | None = None
        self._seen = Files()
        self._before: tuple[Bind, ...] = ()
        """The merged binds of the files that were seen so far: what is mounted is among them."""
        self._note = ""
        self._at = ""
        self._editor: BindEditor | None = None
        self._presets: tuple[Preset, ...] = ()

    async def run(self) -> tuple[Bind, ...] | None:
        """Have the binds edited until the user leaves.

        Return the merged binds of before where the saved ones are to be mounted now, else None.
        """
        if not self._one.host:  # what a person has here is not there
            self._presets = await asyncio.to_thread(_presets, self._is_there)
        while True:
            try:
                self._seen = await asyncio.to_thread(self._binds.files)
                config = await asyncio.to_thread(self._engine.config, self._one.path)
            except ChrootError as error:
                if not await self._goes_on(error):
                    return None
                continue
            self._know(config.binds)
            editor = self._editor = self._new_editor(config.binds)
            edited = await self._user.ask(editor)
            self._editor = None
            if edited is None:
                return None
            self._at = editor.at
            if await self._do(edited):
                return await self._agreed(self._before)

    def look_at(self, chroots: Iterable[ChrootStatus]) -> None:
        """Have the open editor show what has become of its chroot."""
        one = next((one for one in chroots if one.path == self._one.path), self._one)
        one = one.replace(processes=())
        if one != self._one and self._editor is not None:
            self._editor.update_mounts(one.mounts, on=one.is_on)
        self._one = one

    def _new_editor(self, binds: Sequence[Bind]) -> BindEditor:
        return BindEditor(
            self._one.name,
            binds,
            self._one.mounts,
            after=self._binds.merged,
            preview=self._binds.difference,
            complete_host=self._binds.complete_source,
            complete_inside=self._binds.complete_target,
            inspect_target=self._binds.what_is_at,
            refuse=self._binds.refusal,
            look=self._look,
            inspect_source=self._binds.what_is_missing,
            presets=self._presets,
            changes=self._changes,
            on=self._one.is_on,
            note=self._note,
            undoable=self._saved is not None,
            at=self._at,
        )

    def _look(self) -> News | None:
        """Return what somebody else has made of the files since they were shown; None: nothing."""
        files = self._binds.files()
        if files == self._seen:
            return None
        binds = self._engine.config(self._one.path).binds
        return News(binds, partial(self._accept, files, binds))

    def _is_there(self, path: str) -> bool:
        return not self._binds.what_is_missing(path)

    def _accept(self, files: Files, binds: tuple[Bind, ...]) -> None:
        self._seen = files
        self._know(binds)

    def _know(self, binds: Sequence[Bind]) -> None:
        self._before += tuple(one for one in binds if one not in self._before)

    async def _do(self, edited: Edited) -> bool:
        """Do what the editor answered; say whether the mounts are to follow now."""
        self._changes, self._note = edited.changes, ""
        try:
            if edited.wish == OPEN_EDITOR:
                await self._open(edited.file)
            elif edited.wish == UNDO_SAVE:
                assert self._saved is not None
                await asyncio.to_thread(self._binds.undo, self._saved)
                self._saved, self._note = None, "the last save is taken back"
                self._note_save((), None)
            else:
                self._saved = await asyncio.to_thread(self._binds.save, edited.changes, self._seen)
                self._note_save(edited.changes, self._saved)
                self._changes, self._note = (), "saved"
                return edited.wish == APPLY
        except ChangedError as error:
            self._note = f"{error.message}: look again, then save"
        except ChrootError as error:
            self._note = error.message
        return False

    async def _open(self, file: str) -> None:
        """Open a file of the chroot's configuration in the user's editor, and check it after."""
        words = ("bind", "edit", file, "-d", self._one.path)
        code = await self._user.hand_over(self._engine.command(self._one.path, words))
        if code not in (0, CONFIG):  # what is wrong in it is said where it is read again
            self._note = f"the editor ended with {code}"

    async def _goes_on(self, error: ChrootError) -> bool:
        """Offer what helps where the files can't be shown; tell whether to look again.

        What was changed and is not saved goes with the visit: that is asked about.
        """
        helps = self._mend if isinstance(error, ConfigError) else self._look_once_more
        if await helps(error):
            return True
        count = len(self._changes)
        lost = f"{count} change{'s' if count > 1 else ''} would be lost."
        return bool(count) and not await self._user.ask(throw_away("leave without saving", lost))

    async def _look_once_more(self, error: ChrootError) -> bool:
        """Say why the files can't be read; tell whether to try again."""
        lines = [error.message, *([error.hint] if error.hint else [])]
        ask = Confirm("the binds can't be read", lines, action="Try again", cancel="Leave")
        return await self._user.ask(ask)

    async def _mend(self, error: ChrootError) -> bool:
        """Say what is wrong with the configuration, offer its file; tell whether to go on."""
        file = "tool.conf" if "tool.conf" in error.message else "chroot.toml"
        ask = Confirm(
            "the configuration has errors",
            (error.message, error.hint, "The table needs a file without errors."),
            action=f"Open {file}",
        )
        if not await self._user.ask(ask):
            return False
        await self._open(file)
        return True

    async def _agreed(self, before: tuple[Bind, ...]) -> tuple[Bind, ...] | None:
        """Show the plan that brings the mounts along; return *before* where it is agreed to."""
        try:
            plan = await asyncio.to_thread(self._binds.plan_sync, before)
        except ChrootError as error:
            text = safe(error.message)
            self._user.tell(f"saved, not applied: {text}", "error")
            return None
        if not plan:
            self._user.tell("saved; the mounts agree already")
            return None
        self.words = follow(self._one.path, plan)
        return before if await self._user.ask(confirm(plan)) else None


def confirm(plan: Plan) -> Confirm:
    """Return the question whether the mounts are to follow now."""
    return Confirm("apply now", [step.describe() for step in plan.steps], action="Apply")


def _presets(there: Callable[[str], bool]) -> tuple[Preset, ...]:
    """Return the presets of the person at the terminal, also where that is behind sudo.

    *there* tells whether a path is there.
    """
    said = os.environ.get("SUDO_UID", "")
    uid = int(said) if said.isascii() and said.isdigit() else os.getuid()
    try:
        home = pwd.getpwuid(uid).pw_dir
    except KeyError:
        home = os.path.expanduser("~")
    return presets(os.environ, uid, home, current_directory(), there)
