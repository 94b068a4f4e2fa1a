"""The editor for a chroot's binds: a table of all entries, and a list of changes to them.

It writes nothing. What the changes come to is told by functions handed in (the engine's), so that
the table and the difference show what saving will really do; it answers with the changes and what
is wanted with them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import events, getters, on, work
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from ...core.config.bind import CHROOT_TOML, SYSTEM, TOOL_CONF, Bind
from ...core.config.edits import Added, Ignored, Removed, Replaced
from ...core.config.presets import Preset
from ...core.errors import ChrootError, UsageError
from ...core.looking.status import MountStatus
from ...core.value import Value
from ..bars.key_footer import KeyFooter
from ..dialogs import DIALOGS
from ..dialogs.confirm import Confirm, throw_away
from ..dialogs.dialog import Dialog
from ..dialogs.suggestions import Complete
from ..tables.table import Table
from ..text.foreign import foreign
from .draft import Draft, News, target_of
from .entry_form import BindForm, Inspect, Refuse
from .preset_picker import PresetPicker
from .save_dialog import SaveBinds
from .table import COLUMNS, REMOVED, BindRow, BindTable, about, rows_of

if TYPE_CHECKING:
    from ...core.config.edits import Change
    from .draft import After, Step

SAVE, APPLY, OPEN_EDITOR, UNDO_SAVE = "save", "apply", "editor", "undo"
"""What can be wanted of an Edited."""


class Edited(Value):
    """What the editor answers: the changes in order, and what is wanted with them."""

    wish: str
    """SAVE; APPLY: save, then switch; OPEN_EDITOR: open `file` in the user's editor, then come
    back with `changes`; UNDO_SAVE: take the last save back, there are no changes then."""
    changes: tuple[Change, ...] = ()
    file: str = ""
    """Of OPEN_EDITOR: tool.conf or chroot.toml."""


class BindEditor(Dialog[Edited | None]):
    """Edits the binds of the chroot *name*. Answers an Edited, None where it was left.

    *binds* are the merged entries as they are, *mounts* what is mounted of them. *after* returns
    the merged binds as they would be after changes, *preview* the lines of a diff; both may raise
    ChrootError. *look* returns what somebody else has made of the files meanwhile, None where they
    are as they were shown; it may raise ChrootError, too. *complete_host*, *complete_inside*,
    *inspect_target*, *inspect_source*, *refuse*: see BindForm. All of these are called in threads.
    *changes* are there from the start: those of an editor that was left for $EDITOR, or whose save
    came too late; what does not fit any more is said and left out. *on*: the chroot is on. *note*
    is said at the bottom.
    *undoable*: there is a save that can be taken back. *at*: the target that has the cursor from
    the start.
    """

    BINDING_GROUP_TITLE = "Binds"
    HELP = (
        "`a` adds a bind, Enter edits, `d` removes, `i` leaves one out or takes it back in, "
        "`p` adds a preset, `u` takes the last change back, `w` shows the difference and saves, "
        "`E` opens the file in your editor. Escape leaves."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "add", "add", id="binds.add", tooltip="Add a bind"),
        Binding("enter", "edit", "edit", id="binds.edit", tooltip="Edit the entry"),
        Binding("d", "remove", "remove", id="binds.remove", tooltip="Remove the entry"),
        Binding("i", "ignore", "ignore", id="binds.ignore",
                tooltip="Leave this target out, or take it back in"),
        Binding("p", "presets", "presets", id="binds.presets",
                tooltip="Add the binds for X11, sound, GPU …"),
        Binding("u", "undo", "undo", id="binds.undo", tooltip="Take the last change back"),
        Binding("E", "editor", "file", id="binds.editor",
                tooltip="Open the file of the entry in your editor"),
        Binding("w", "save", "save", id="binds.save", tooltip="Show the difference, then save"),
        Binding("y", "copy", "copy", id="binds.copy", show=False, tooltip="Copy the entry"),
        Binding("escape", "cancel", "close", id="dialog.cancel", tooltip="Close the editor"),
    ]  # fmt: skip
    AUTO_FOCUS = "BindTable"
    AROUND = 7
    DEFAULT_CSS = """
    BindEditor {
        & > .dialog--frame { width: 100%; height: 100%; padding: 0 1; }
        & Body { height: 1fr; overflow-y: hidden; }
        & #about { height: 3; padding: 0 1; color: $text-muted; &:ansi { text-style: dim; } }
        & #said { height: auto; min-height: 1; max-height: 3; padding: 0 1; }
        & #said.-wrong { color: $text-error; &:ansi { color: $error; } }
        & .dialog--buttons { margin-top: 0; align-horizontal: left; }
        & KeyFooter { background: transparent; }
    }
    """

    table = getters.query_one(BindTable)

    def __init__(
        self,
        name: str,
        binds: Sequence[Bind],
        mounts: Sequence[MountStatus],
        *,
        after: After,
        preview: Callable[[tuple[Change, ...]], Sequence[str]],
        complete_host: Complete,
        complete_inside: Complete,
        inspect_target: Inspect,
        inspect_source: Inspect = lambda _source: "",
        refuse: Refuse = lambda _bind: None,
        look: Callable[[], News | None] = lambda: None,
        presets: Sequence[Preset] = (),
        changes: Sequence[Change] = (),
        on: bool = False,
        note: str = "",
        undoable: bool = False,
        at: str = "",
    ) -> None:
        super().__init__(Content.assemble("binds of ", foreign(name)))
        self._draft = Draft(binds, after)
        self._mounts = tuple(mounts)
        self._preview = preview
        self._look = look
        self._complete_host = complete_host
        self._complete_inside = complete_inside
        self._inspect = inspect_target
        self._refuse = refuse
        self._inspect_source = inspect_source
        self._presets = tuple(presets)
        self._given = tuple(changes)
        self._unsaved = 0
        """How many rows say something else than the files."""
        self._is_on = on
        self._first_note = note
        self._undoable = undoable
        self.at = at
        """The target under the cursor."""
        self._one_at_a_time = asyncio.Lock()

    # -- what is seen ----------------------------------------------------------------------------

    def content(self) -> Iterable[Widget]:
        """Return the table."""
        yield BindTable(COLUMNS)

    def fixed(self) -> Iterable[Widget]:
        """Return the lines about the marked entry and what was done last."""
        yield Static(id="about")
        yield Static(id="said")

    def buttons(self) -> Iterable[Widget]:
        """Return the keys, which the mouse can press too."""
        yield KeyFooter(("save", "cancel"))

    def show_keys(self) -> None:
        """Leave that to the footer."""

    def cancelled(self) -> None:
        """Return that nothing is to be done."""

    def on_mount(self) -> None:
        """Show the entries; make the changes that were given."""
        self.app.clear_notifications()
        at = self.at
        self._show()
        self.table.move_to(at)
        self._say(self._first_note)
        if self._given:
            self._redo(self._given)

    @property
    def changes(self) -> tuple[Change, ...]:
        """The changes so far, in order."""
        return self._draft.changes

    def update_mounts(self, mounts: Sequence[MountStatus], *, on: bool) -> None:
        """Show how the mounts are now, or as soon as there is where; *on*: the chroot is on.

        The files are looked at again, too.
        """
        self._mounts = tuple(mounts)
        self._is_on = on
        if self.is_mounted and self.is_running:  # no more when the app ends: its table goes first
            self._show()
            self.look_again()

    def _show(self) -> None:
        rows = rows_of(self._draft.in_files, self._draft.binds, self._mounts)
        self.table.show_rows({row.bind.target: row for row in rows})
        self._unsaved = sum(bool(row.mark) for row in rows)
        more = Content(f" · {self._unsaved} unsaved") if self._unsaved else Content()
        self.query_one(".dialog--frame").border_title = Content.assemble(self._title_line, more)
        self._tell()

    @on(Table.Highlighted)
    def _moved(self, event: Table.Highlighted) -> None:
        event.stop()
        self._tell()

    @on(Table.Activated)
    def _activated(self, event: Table.Activated) -> None:
        event.stop()
        self.action_edit()

    def _tell(self) -> None:
        row = self.table.cursor_row
        self.at = row.bind.target if row is not None else ""
        lines = [] if row is None else about(row)
        self.query_one("#about", Static).update(Content("\n").join(lines))

    def _say(self, text: str, hint: str = "", *, wrong: bool = False) -> None:
        said = self.query_one("#said", Static)
        said.set_class(wrong, "-wrong")
        parts = [f"✗ {text}" if wrong else text, *([hint] if hint else [])]
        said.update(Content(" · ").join([foreign(part) for part in parts]))

    def _complain(self, error: ChrootError) -> None:
        self._say(error.message, error.hint, wrong=True)

    # -- changing --------------------------------------------------------------------------------

    def _row(self) -> BindRow | None:
        """Return the marked entry, unless it is one that was removed."""
        row = self.table.cursor_row
        if row is not None and row.mark == REMOVED:
            self._say(
                "it is removed already", f"{self.key_of('binds.undo')} takes that back", wrong=True
            )
            return None
        return row

    async def _take(self, steps: tuple[Step, ...]) -> bool:
        """Make *steps* the changes, if the files can take them; say why where they cannot."""
        try:
            await self._draft.take(steps)
        except ChrootError as error:
            self._complain(error)
            return False
        self._show()
        return True

    @on(events.ScreenResume)
    @work(group="look", exclusive=True, exit_on_error=False)
    async def look_again(self) -> None:
        """Take over what somebody else has changed, unless something is to be asked about it.

        Not under a dialog: the difference that is shown there is what shall be saved.
        """
        async with self._one_at_a_time:
            if self.is_current:
                await self._catch_up(ask=False)

    async def _catch_up(self, *, ask: bool = True) -> bool:
        """Take over what somebody else has changed; tell whether to go on.

        Own changes stay on top of it. Where one does not fit any more, it is asked about.
        """
        try:
            news = await asyncio.to_thread(self._look)
        except ChrootError as error:
            self._complain(error)
            return False
        if news is None:
            return True
        rebased = await self._draft.rebased(news.binds)
        if rebased.clashes:
            lines = ("Yours that does not fit any more:", *rebased.clashes)
            drop = Confirm("the files were changed by someone else", lines, action="Drop mine",
                           danger=True)  # fmt: skip
            if not ask or not await self.app.push_screen_wait(drop):
                self._say(
                    "the files were changed by someone else",
                    f"{self.key_of('binds.save')} asks again",
                    wrong=True,
                )
                return False
        news.accept()
        self._draft.accept(rebased)
        self._show()
        self._say("what someone else has changed in the files meanwhile is taken over")
        return True

    async def _change(self, step: Step, said: str, target: str) -> bool:
        """Make one step more, then say so and go to *target*; tell whether it could be made."""
        async with self._one_at_a_time:
            if await self._catch_up() and await self._take((*self._draft.steps, step)):
                save, undo = self.key_of("binds.save"), self.key_of("binds.undo")
                self._say(said, f"{save} saves, {undo} takes it back")
                self.table.move_to(target)
                return True
        return False

    @work(group=DIALOGS, exit_on_error=False)
    async def _start_change(self, step: Step, said: str, target: str) -> None:
        await self._change(step, said, target)

    @work(group=DIALOGS, exit_on_error=False)
    async def _redo(self, changes: tuple[Change, ...]) -> None:
        left_out = []
        async with self._one_at_a_time:
            for change in changes:
                if not await self._take((*self._draft.steps, (change,))):
                    left_out.append(change)
        if left_out:
            targets = ", ".join(target_of(change) for change in left_out)
            self._say(f"does not fit any more and is left out: {targets}", wrong=True)

    def _form(self, bind: Bind | None, typed: Bind | None) -> BindForm:
        return BindForm(
            bind,
            listed={one.target: one.origin for one in self._draft.binds},
            complete_host=self._complete_host,
            complete_inside=self._complete_inside,
            inspect_target=self._inspect,
            refuse=self._refuse,
            inspect_source=self._inspect_source,
            typed=typed,
        )

    @work(group=DIALOGS, exit_on_error=False)
    async def action_add(self) -> None:
        """Ask for a new entry."""
        bind: Bind | None = None
        while True:
            bind = await self.app.push_screen_wait(self._form(None, bind))
            if bind is None or await self._change(
                (Added(bind),), f"{bind.target} is added", bind.target
            ):
                return

    def action_edit(self) -> None:
        """Ask what the marked entry shall say."""
        row = self._row()
        if row is not None:
            self._edit(row.bind)

    @work(group=DIALOGS, exit_on_error=False)
    async def _edit(self, old: Bind) -> None:
        bind: Bind | None = None
        while True:
            bind = await self.app.push_screen_wait(self._form(old, bind))
            if bind is None or bind == old:
                return
            # A system point stands in no file: an entry is added that replaces it.
            change = Added(bind) if old.origin == SYSTEM else Replaced(old, bind)
            if await self._change((change,), f"{bind.target} is changed", bind.target):
                return

    def action_remove(self) -> None:
        """Remove the marked entry; `u` brings it back."""
        row = self._row()
        if row is None:
            return
        if row.bind.origin == SYSTEM:
            hint = f"{self.key_of('binds.ignore')} leaves it out"
            self._complain(UsageError("a system point cannot be removed", hint))
            return
        target = row.bind.target
        self._start_change((Removed(target),), f"{target} is removed", target)

    def action_ignore(self) -> None:
        """Leave the marked target out, or take it back in."""
        row = self._row()
        if row is None:
            return
        ignored = not row.bind.ignored
        said = "is left out" if ignored else "is wanted again"
        target = row.bind.target
        self._start_change((Ignored(target, ignored),), f"{target} {said}", target)

    @work(group=DIALOGS, exit_on_error=False)
    async def action_presets(self) -> None:
        """Add the binds of a preset, but for targets that are there already."""
        preset = await self.app.push_screen_wait(PresetPicker(self._presets))
        if preset is None:
            return
        taken = {bind.target for bind in self._draft.binds if bind.origin != SYSTEM}
        step = tuple(Added(bind) for bind in preset.binds if bind.target not in taken)
        if not step:
            self._say(f"{preset.title}: all of it is there already")
            return
        needs = " ".join(f"{name}={value}" for name, value in preset.env)
        said = f"{preset.title} is added" + (f"; programs need {needs}" if needs else "")
        await self._change(step, said, step[0].bind.target)

    @work(group=DIALOGS, exit_on_error=False)
    async def action_undo(self) -> None:
        """Take the last change back; without one, the last save."""
        async with self._one_at_a_time:
            if self._draft.steps:
                step = self._draft.steps[-1][0]
                last = step.old.target if isinstance(step, Replaced) else target_of(step)
                if await self._catch_up() and await self._take(self._draft.steps[:-1]):
                    self._say("the last change is taken back")
                    self.table.move_to(last)
            elif self._undoable:
                self.answer(Edited(UNDO_SAVE))
            else:
                self._say("there is nothing to take back")

    # -- leaving ---------------------------------------------------------------------------------

    @work(group=DIALOGS, exit_on_error=False)
    async def action_save(self) -> None:
        """Show the difference, and answer where it is wanted."""
        async with self._one_at_a_time:
            if not await self._catch_up():
                return
            if not self._unsaved:
                self._say("nothing is to be saved")
                return
            try:
                lines = await asyncio.to_thread(self._preview, self.changes)
            except ChrootError as error:
                self._complain(error)
                return
            warnings = await asyncio.to_thread(self._warnings)
            ask = SaveBinds(lines, can_apply=self._is_on, warnings=warnings)
            saving = await self.app.push_screen_wait(ask)
            if saving:
                self.answer(Edited(APPLY if saving == "apply" else SAVE, self.changes))

    def _warnings(self) -> tuple[str, ...]:
        """Say what is wrong with the sources of entries that are new. Called in a thread."""
        new: dict[str, Bind] = {}
        for change in self.changes:
            if isinstance(change, Replaced):
                new.pop(change.old.target, None)
            new.pop(target_of(change), None)
            if isinstance(change, Added | Replaced):
                new[change.bind.target] = change.bind
        binds = [one for one in new.values() if one.fs == "bind" and not one.optional]
        said = ((one, self._wrong_with(one.source)) for one in binds if not one.ignored)
        return tuple(f"{one.source}, wanted at {one.target}, {what}" for one, what in said if what)

    def _wrong_with(self, source: str) -> str:
        try:
            return self._inspect_source(source)
        except ChrootError as error:
            return f"cannot be looked at: {error.message}"

    def action_editor(self) -> None:
        """Have the file of the marked entry opened in the user's editor."""
        row = self.table.cursor_row
        origin = row.bind.origin if row is not None else ""
        file = origin if origin in (TOOL_CONF, CHROOT_TOML) else CHROOT_TOML
        self.answer(Edited(OPEN_EDITOR, self.changes, file))

    @work(group=DIALOGS, exit_on_error=False)
    async def action_cancel(self) -> None:  # type: ignore[override]  # asks first
        """Leave; ask first where something is not saved."""
        count = self._unsaved
        if count:
            lost = f"{count} change{'s' if count > 1 else ''} would be lost."
            if not await self.app.push_screen_wait(throw_away("leave without saving", lost)):
                return
        self.answer(None)

    def action_copy(self) -> None:
        """Copy the marked entry."""
        row = self.table.cursor_row
        if row is not None:
            bind = row.bind
            self.copy([" ".join((bind.source, bind.target, bind.fs, *bind.shown_options()))])
