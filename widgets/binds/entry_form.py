"""The form for one bind entry. Every rule is the engine's own: `core.config.bind.collect`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Checkbox

from ...core.config.bind import CHROOT_TOML, SYSTEM, TMPFS_OPTIONS, Bind, collect, normalise_target
from ...core.errors import ChrootError, Problem, UsageError
from ..dialogs.field import Field
from ..dialogs.form import TwoWayForm
from ..dialogs.suggestions import Complete, Paths, Prefixes
from ..dialogs.switch import Switch
from ..text.foreign import foreign

Inspect = Callable[[str], str]
Refuse = Callable[[Bind], Problem | None]
"""Returns why the administrator does not allow a bind, None where he does."""

_TYPES = ("bind", "tmpfs", "overlay", "proc", "sysfs", "devpts", "devtmpfs", "ext4", "nfs")
"""What is suggested; any other type can be typed."""
_SWITCHES = (("ro", "read-only"), ("rbind", "recursive"), ("nosuid", "nosuid"),
             ("nodev", "nodev"), ("noexec", "noexec"))  # fmt: skip
_WORDS = tuple(word for word, _ in _SWITCHES)
_SOURCE = "a path on the host, a device, or a word like none"


class BindForm(TwoWayForm[Bind]):
    """Asks for one bind. Answers it, or None where it was left.

    *bind* is the entry to edit, None for a new one. *listed* has the other targets that are taken
    and where: an origin of a file is a conflict, a system point is replaced. *complete_host* and
    *complete_inside* return the paths that begin with what is typed, *inspect_target* says what
    is at a target, *inspect_source* what is wrong with a source, *refuse* why the host's
    administrator does not allow what is typed; they are called in threads and may raise
    ChrootError.
    """

    HELP = (
        "Target is where it appears in the chroot, source what it is on the host. "
        "Right takes a completion, space switches a switch, Enter goes on."
    )
    DEFAULT_CSS = """
    BindForm {
        & .bind--switches { height: 1; padding-left: 13; }
        & #options { margin-top: 1; }
    }
    """

    class _Row(Horizontal):
        """One row of switches."""

        def __init__(self, *switches: Switch) -> None:
            super().__init__(classes="bind--switches")
            self._own = switches

        def compose(self) -> ComposeResult:
            yield from self._own

    AROUND: ClassVar[int] = 4

    def __init__(
        self,
        bind: Bind | None,
        *,
        listed: Mapping[str, str],
        complete_host: Complete,
        complete_inside: Complete,
        inspect_target: Inspect,
        refuse: Refuse = lambda _bind: None,
        inspect_source: Inspect = lambda _source: "",
        typed: Bind | None = None,
    ) -> None:
        super().__init__("new bind" if bind is None else "edit a bind")
        self._bind = bind
        self._typed = typed or bind
        """What is filled in from the start: *typed* could not be done."""
        self.goes_on = "Add" if bind is None else "Change"
        self._listed = listed
        self._complete_host = complete_host
        self._complete_inside = complete_inside
        self._inspect = inspect_target
        self._refuse = refuse
        self._inspect_source = inspect_source
        self._refused: tuple[Bind | None, Problem | None] = (None, None)
        """What was asked about last, and what was said of it."""
        self._asked = False

    # -- the fields ------------------------------------------------------------------------------

    def content(self) -> Iterable[Widget]:
        """Return the fields and the switches."""
        bind = self._typed
        shown = () if bind is None else bind.shown_options()
        fs = "" if bind is None or bind.fs in ("bind", "copy") else bind.fs
        # The same stays the same when the target is changed.
        source = bind.source if bind and (fs or bind.source != bind.target) else ""
        yield Field(
            "Target", id="target", check=lambda _: self._check("target"),
            value=bind.target if bind else "", note="a path inside the chroot",
            suggester=Paths(self._complete_inside),
        )  # fmt: skip
        yield Field(
            "Source", id="source", check=lambda _: self._check("source"),
            value=source, placeholder="the same path on the host",
            note=_SOURCE,
            suggester=Paths(self._complete_host),
        )  # fmt: skip
        yield Field(
            "Type", id="fs", check=lambda _: self._check("fs"), value=fs, placeholder="bind",
            note="bind, tmpfs, or another file system", suggester=Prefixes(lambda: _TYPES),
        )  # fmt: skip
        on = {word: Switch(label, word in shown, id=word) for word, label in _SWITCHES}
        optional = Switch("optional", bind.optional if bind else False, id="optional")
        optional.tooltip = "A source that is missing is no error: the bind is left out"
        yield self._Row(on["ro"], on["rbind"], optional)
        yield self._Row(on["nosuid"], on["nodev"], on["noexec"])
        others = [word for word in shown if word not in (*_WORDS, "private")]
        yield Field(
            "Options", id="options", check=lambda _: self._check("options"),
            value=",".join(others), placeholder="none more",
            note="e.g. size=64M, mode=0755, slave …",
        )  # fmt: skip

    def action_cancel(self) -> None:
        """Leave; ask first also where what could not be done stands there again."""
        if self._typed is self._bind:
            super().action_cancel()
        else:
            self._ask_to_leave()

    def on_mount(self) -> None:
        """Say what is at the target already."""
        if self._typed is not None:
            self._look(self._typed.target)

    # -- the rules -------------------------------------------------------------------------------

    def _check(self, field: str) -> None:
        """Raise what is wrong with one field, as long as there is something in any."""
        if not self.is_mounted or not (self._asked or self.value("target")):
            return
        errors: dict[str, UsageError] = {}
        bind = self._made(errors)
        if field == "target" and bind is not None:
            self._refuse_taken(bind.target)
        if field in errors:
            raise errors[field]
        about, problem = self._refused
        if field == "source" and problem is not None and bind is not None and bind == about:
            raise UsageError(problem.message, problem.hint)

    def _made(self, errors: dict[str, UsageError]) -> Bind | None:
        before = self._bind
        return collect(
            errors, self.value("target"), self.value("source") or None,
            self.value("fs") or "bind", self._words(),
            optional=self._is_on("optional"), ignored=before.ignored if before else False,
            origin=before.origin if before else CHROOT_TOML, line=before.line if before else 0,
        )  # fmt: skip

    def _words(self) -> tuple[str, ...]:
        """Return all options as one list; those that were there already keep their order."""
        wanted = [word for word in _WORDS if self._is_on(word)]
        typed = self.value("options")
        # An empty word between commas is an error that `collect` names.
        wanted += [word.strip() for word in typed.split(",")] if typed else []
        before = self._bind.shown_options() if self._bind else ()
        kept = [word for word in before if word in wanted]
        return (*kept, *[word for word in wanted if word not in kept])

    def _is_on(self, ident: str) -> bool:
        return self.query_one(f"#{ident}", Checkbox).value

    def _refuse_taken(self, target: str) -> None:
        origin = self._listed.get(target, SYSTEM)
        own = self._bind is not None and self._bind.target == target
        if origin != SYSTEM and not own:
            raise UsageError(f"{origin} has an entry for {target} already", "edit that one")

    @on(Field.Changed)
    def _changed(self, event: Field.Changed) -> None:
        event.stop()
        becomes_tmpfs = event.field.id == "fs" and event.field.value == "tmpfs"
        was_tmpfs = self._typed is not None and self._typed.fs == "tmpfs"
        if becomes_tmpfs and self._bind is None and not was_tmpfs:
            for word in TMPFS_OPTIONS:  # as an entry has it that lists no options
                self.query_one(f"#{word}", Checkbox).value = True
        if event.field.id == "target":
            self._look(event.field.value)
        self._look_for_source()
        self._ask_whether_allowed()
        self._check_others()

    @on(Checkbox.Changed)
    def _switched(self, event: Checkbox.Changed) -> None:
        event.stop()
        self._ask_whether_allowed()
        self._check_others()

    def _check_others(self) -> None:
        if self.is_mounted:
            for field in self.query(Field):
                field.check_again()

    # -- what is there ---------------------------------------------------------------------------

    @work(group="inspect", exclusive=True, exit_on_error=False)
    async def _look(self, target: str) -> None:
        """Say below the field what is at *target* in the chroot, and what it would replace."""
        field = self.field("target")
        try:
            normal = normalise_target(target)
            said = await asyncio.to_thread(self._inspect, normal)
        except (ChrootError, OSError):
            field.say("a path inside the chroot")
            return
        if field.value != target.strip():
            return  # typed on meanwhile
        replaces = "replaces a system point; " if self._listed.get(normal) == SYSTEM else ""
        field.say(foreign(f"{replaces}there now: {said}"))

    @work(group="source", exclusive=True, exit_on_error=False)
    async def _look_for_source(self) -> None:
        """Say below the field where a bind's source is not there: `on` would fail."""
        path = self.value("source") or self.value("target")
        bind = self.value("fs") in ("", "bind", "bind-ro") and path.startswith("/")
        try:
            said = await asyncio.to_thread(self._inspect_source, path) if bind else ""
        except ChrootError as error:
            said = error.message
        self.field("source").say(foreign(f"! {said}", "$text-warning") if said else _SOURCE)

    @work(group="refuse", exclusive=True, exit_on_error=False)
    async def _ask_whether_allowed(self) -> None:
        """Have the source's field say so where the administrator does not allow the bind."""
        bind = self._made({})
        if bind is None or bind == self._refused[0]:
            return
        try:
            problem = await asyncio.to_thread(self._refuse, bind)
        except ChrootError as error:
            problem = Problem(error.message, error.hint)
        self._refused = (bind, problem)
        self._check_others()

    # -- answering -------------------------------------------------------------------------------

    def go_on(self) -> None:
        """Answer with what stands in the fields, where all of them are right."""
        self._asked = True
        if not self.wrong():
            self.answer(self._made({}))
