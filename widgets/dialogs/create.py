"""The form for a new chroot: what it is made of, every option of that, the plan, the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Button

from ...core.creating import options as rules
from ...core.creating.options import CreateOptions
from ...core.errors import ChrootError, UsageError
from ..light_message import Telling
from ..text.foreign import foreign
from .choice_field import ChoiceField
from .create_plan import PlanPage
from .create_sources import ARCHIVE, BASE, COPY, DEBIAN, FIELDS, NOTES, Copy, Sources, of_base
from .dialog import Body, button
from .field import Field
from .form import FormDialog
from .place_field import PlaceField
from .suggestions import Paths, Prefixes
from .switch import Switch

Request = tuple[str, CreateOptions] | Copy
Describe = Callable[[str, CreateOptions], tuple[str, ...]]
"""Returns the lines of the plan for a path and options, or raises ChrootError."""

_VARIANTS = (
    ("minbase · what is required, and apt", "minbase"),
    ("buildd · and what builds packages", "buildd"),
    ("important · what debootstrap does unasked", "important"),
)

_BACKENDS = (
    ("debootstrap", "debootstrap"),
    ("mmdebstrap · the same in half the time", "mmdebstrap"),
)

_HOSTS = "the host's"
_FORESEEN = (DEBIAN, BASE)
"""Of what it is asked how quick it would be: a zone may want another base than the chosen one."""
_LULL = 0.15
"""Seconds without a change after which it is asked how quick it would be."""


def _by_form(suite: str, _backend: str) -> None:
    rules.check_form_of_suite(suite)


@dataclass(frozen=True)
class HostRules:
    """What only the host can tell on which it is made; by itself what holds on any.

    The checks raise UsageError, at each key; that of a suite is given the back end, too.
    """

    suite: Callable[[str, str], None] = _by_form
    locale: Callable[[str], None] = rules.check_form_of_locale
    timezone: Callable[[str], None] = rules.check_form_of_timezone
    suites: Callable[[], Iterable[str]] = tuple
    timezones: Callable[[], Iterable[str]] = tuple


class CreateForm(FormDialog[Request | None]):
    """Asks for the options of a new chroot. Answers (path, options), or a Copy; None where left.

    What is left empty stays "" or () in the options: the engine fills it in. *defaults* are only
    shown, as what would be taken. *base* is where a plain name goes, *taken* the names that are
    there already, *unfinished* those of them that are begun anew, by all but a copy. *describe*
    returns the lines of the plan, or raises ChrootError; it is called in a thread. *sources* are
    what it can be made of, *host* what can be known of where it is made.
    """

    HELP = (
        "Only the name is needed, everything else has a default, shown in grey. "
        "Tab, up and down go from field to field, right takes a suggestion, "
        "Enter shows the plan; nothing is made before you agree to it."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "back", id="dialog.cancel", tooltip="Back, then out"),
    ]
    SAME: ClassVar[Mapping[str, str]] = {"cancel": "back", "submit": "go"}
    DEFAULT_CSS = """
    CreateForm {
        & PlanPage { display: none; }
        &.-plan PlanPage { display: block; }
        &.-plan #fields { display: none; }
        & #fields { height: auto; }
        & #backend .field--note { display: none; }
        & #kind .field--note { height: 1; text-wrap: nowrap; text-overflow: ellipsis; }
        & Switch { margin-left: 13; }
    }
    """

    def __init__(
        self,
        defaults: CreateOptions,
        base: str,
        taken: frozenset[str],
        *,
        unfinished: frozenset[str] = frozenset(),
        describe: Describe,
        sources: Sources | None = None,
        host: HostRules | None = None,
    ) -> None:
        super().__init__("new chroot")
        self._host = host or HostRules()
        self._sources = sources or Sources()
        self._describe = describe
        self._looks: Timer | None = None
        self._turn = 0
        self._defaults = defaults
        self._base = base
        self._taken = taken
        self._unfinished = unfinished
        self._plan = PlanPage(self._plan_answered)
        self._request: Request | None = None
        self._came_from: Widget | None = None
        """What had the focus when the plan was asked for."""

    # -- the fields ------------------------------------------------------------------------------

    def content(self) -> Iterable[Widget]:
        """Return the fields, and the plan in their place later."""
        fields = (*self._first(), *self._of_others(), *self._most_used(), *self._others())
        yield Vertical(*fields, *self._switches(), id="fields")
        yield self._plan

    def _first(self) -> Iterable[Field]:
        yield ChoiceField("Made of", self._sources.kinds, id="kind")
        yield PlaceField("Name", self._base, self._taken, also=rules.check_path)

    def _most_used(self) -> Iterable[Field]:
        yield Field(
            "Suite", id="suite", check=self._check_suite,
            placeholder=self._defaults.suite or _HOSTS,
            suggester=Prefixes(self._host.suites), note="bookworm, trixie, stable, sid …",
        )  # fmt: skip
        yield Field(
            "Mirror", id="mirror", check=_unless_empty(rules.check_mirror),
            placeholder=self._defaults.mirror or "as the host has it for the suite",
            note="where the packages come from",
        )  # fmt: skip

    def _of_others(self) -> Iterable[Field]:
        sources = self._sources
        yield Field(
            "Source", id="source", check=_check_source, required="an archive, or what else?",
            suggester=Paths(sources.complete), placeholder="e.g. /backup/rootfs.tar.xz",
            note="a path, oci:DIR or docker://IMAGE",
        )  # fmt: skip
        if sources.bases:
            yield ChoiceField("Base", sources.base_choices, id="base")
        if sources.chroots:
            yield ChoiceField("Chroot", sources.chroot_choices, id="chroot", value=sources.chroot)

    @staticmethod
    def _switches() -> Iterable[Switch]:
        yield Switch("as it is, the mirror is not asked", id="as-it-is")
        yield Switch("keep host name, machine id and ssh host keys", id="exact")

    def _others(self) -> Iterable[Field]:
        defaults = self._defaults
        yield Field(
            "Architecture", id="arch", check=_unless_empty(rules.check_arch),
            placeholder=defaults.arch or _HOSTS, suggester=Prefixes(lambda: rules.ARCHITECTURES),
            note="another than the host's needs qemu-user-static",
        )  # fmt: skip
        yield ChoiceField("Variant", _VARIANTS, id="variant", value=defaults.variant)
        yield Field(
            "Packages", id="include", check=_each(rules.check_package),
            placeholder=" ".join(defaults.include) or "none",
            note="more to install: names with blanks or commas between",
        )  # fmt: skip
        yield Field(
            "Locales", id="locales", check=_each(self._host.locale),
            placeholder=" ".join(defaults.locales or rules.PLAIN_LOCALES[:1]),
            note="the first is the default inside",
        )  # fmt: skip
        yield Field(
            "Time zone", id="timezone", check=_unless_empty(self._host.timezone),
            placeholder=defaults.timezone or _HOSTS, suggester=Prefixes(self._host.timezones),
            note="Europe/Berlin, Etc/UTC …",
        )  # fmt: skip
        yield ChoiceField(
            "Backend", _BACKENDS, id="backend",
            value=defaults.backend,
        )  # fmt: skip

    def _check_suite(self, suite: str) -> None:
        if suite:
            backend = self.value("backend") if self.is_mounted else self._defaults.backend
            self._host.suite(suite, backend or rules.BACKENDS[0])

    # -- what it is made of ----------------------------------------------------------------------

    def on_mount(self) -> None:
        """Show the fields of a Debian, and how quick one would be."""
        self._show_kind()

    @property
    def _kind(self) -> str:
        return self.value("kind")

    @on(Field.Changed)
    def _changed(self, event: Field.Changed) -> None:
        event.stop()
        if event.field.id == "kind":
            self._show_kind()
        elif event.field.id == "backend":
            self.field("suite").check_again()
        if self._kind in _FORESEEN and event.field.id in FIELDS[self._kind]:
            self._look_soon()

    def _show_kind(self) -> None:
        """Show the fields of what is chosen, and what is to be said of it."""
        kind = self._kind
        for one in self.query_one("#fields").children:
            if one.id not in ("kind", "name"):
                one.display = one.id in FIELDS[kind]
        begun = self._unfinished if kind != COPY else ()
        self.query_one(PlaceField).take(self._taken.difference(begun))
        self._turn += 1
        self.field("kind").say(NOTES.get(kind, ""))
        if kind in _FORESEEN:
            self._look_soon()

    def _look_soon(self) -> None:
        if self._looks is not None:
            self._looks.stop()
        if self._sources.outlook is not None:
            self._looks = self.set_timer(_LULL, self._ask_outlook)

    def _ask_outlook(self) -> None:
        shown = [one for one in self.query(Field) if one.display and one.id != "name"]
        if self._kind in _FORESEEN:
            self._turn += 1
            if any(one.problem for one in shown):
                self.field("kind").say("")  # it was said of what stood there before
            else:
                self._look_ahead(self._turn, self._options())

    class Foreseen(Telling):
        """It is known how quick a Debian would be. `turn` says which question it answers."""

        turn: int
        said: str

    @work(thread=True, group="outlook", exit_on_error=False)
    def _look_ahead(self, turn: int, options: CreateOptions) -> None:
        assert self._sources.outlook is not None
        try:
            said = self._sources.outlook(options)
        except ChrootError as error:
            said = error.message
        self.post_message(self.Foreseen(turn, said))

    @on(Foreseen)
    def _foreseen(self, event: Foreseen) -> None:
        event.stop()
        if event.turn == self._turn:
            self.field("kind").say(foreign(event.said))

    # -- going on --------------------------------------------------------------------------------

    def buttons(self) -> Iterable[Button]:
        """Return what leaves, and what goes on."""
        yield button("Cancel", "back")
        yield button("Show the plan", "go")

    def cancelled(self) -> None:
        """Return that nothing is to be made."""

    @on(Field.Submitted)
    def _entered(self, event: Field.Submitted) -> None:
        event.stop()
        self._go_on()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        if event.button.id == "go":
            self._go_on()
        elif self._request is None:
            self.leave()
        else:
            self._back()

    def action_cancel(self) -> None:
        """Go back from the plan to the fields, from there leave."""
        if self._request is None:
            super().action_cancel()
        else:
            self._back()

    def _back(self) -> None:
        self._plan.forget()
        self._request = None
        self._show_page("", back="Cancel", go="Show the plan")
        self.set_focus(self._came_from)

    def _go_on(self) -> None:
        if self._request is not None:
            self.answer(self._request)
            return
        if self.wrong():
            return
        request = self._request = self._asked()
        describe = (
            request.describe if isinstance(request, Copy) else partial(self._describe, *request)
        )
        self._came_from = self.focused
        self._show_page("-plan", back="Back", go="Create")
        self.query_one("#go", Button).disabled = True
        self.set_focus(None)  # a second Enter neither goes back nor agrees to what nobody saw
        self._plan.ask(describe)

    def _plan_answered(self) -> None:
        go, back = self.query_one("#go", Button), self.query_one("#back", Button)
        go.disabled = not self._plan.is_shown
        if self.focused is None:  # else the user has gone to Back meanwhile
            (go if self._plan.is_shown else back).focus()

    def _asked(self) -> Request:
        path, kind = self.query_one(PlaceField).path, self._kind
        if kind == COPY:
            return Copy(path, self.value("chroot"), self.query_one("#exact", Switch).value)
        return path, self._options()

    def _options(self) -> CreateOptions:
        kind, options = self._kind, self._asked_for()
        if kind == DEBIAN:
            return options
        its_own = CreateOptions(locales=options.locales, timezone=options.timezone)
        if kind == ARCHIVE:
            return its_own.replace(source=self.value("source"))
        as_it_is = self.query_one("#as-it-is", Switch).value
        return of_base(self._sources.base(self.value("base")), its_own, as_it_is=as_it_is)

    def _asked_for(self) -> CreateOptions:
        return CreateOptions(
            suite=self.value("suite"),
            arch=self.value("arch"),
            mirror=self.value("mirror"),
            variant=self.value("variant"),
            include=_words(self.value("include")),
            locales=_words(self.value("locales")),
            timezone=self.value("timezone"),
            backend=self.value("backend"),
        )

    def _show_page(self, page: str, *, back: str, go: str) -> None:
        self.set_class(bool(page), "-plan")
        for ident, label in (("back", back), ("go", go)):
            changed = self.query_one(f"#{ident}", Button)
            changed.label = Content(label)
            changed.disabled = False
            changed.refresh(layout=True)  # a new label does not ask for its width
        self.show_keys()
        self.query_one(Body).scroll_home(animate=False)


def _check_source(source: str) -> None:
    if not source.startswith(("/", "oci:", "docker://")):
        raise UsageError(f"{source!r} is a relative path", "/PATH, oci:DIR or docker://IMAGE")


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.replace(",", " ").split())


def _unless_empty(check: Callable[[str], None]) -> Callable[[str], None]:
    def checked(value: str) -> None:
        if value:
            check(value)

    return checked


def _each(check: Callable[[str], None]) -> Callable[[str], None]:
    def checked(value: str) -> None:
        for word in _words(value):
            check(word)

    return checked
