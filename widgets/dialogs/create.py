"""The form for a new chroot: every option of `create`, then the plan, then the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button

from ...core.creating import options as rules
from ...core.creating import suites
from ...core.creating.options import CreateOptions
from ...core.host import debian
from .choice_field import ChoiceField
from .create_plan import Describe, PlanPage
from .dialog import Body, button
from .field import Field
from .form import FormDialog
from .place_field import PlaceField
from .suggestions import Prefixes

Request = tuple[str, CreateOptions]

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


class CreateForm(FormDialog[Request | None]):
    """Asks for the options of a new chroot. Answers (path, options), None where it was left.

    What is left empty stays "" or () in the options: the engine fills it in. *defaults* are only
    shown, as what would be taken. *base* is where a plain name goes, *taken* the names that are
    there already. *describe* returns the lines of the plan, or raises ChrootError; it is called
    in a thread.
    """

    HELP = (
        "Only the name is needed, everything else has a default, shown in grey. "
        "Tab, up and down go from field to field, right takes a suggestion, "
        "Enter shows the plan; nothing is made before you agree to it."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "back", id="dialog.cancel", tooltip="Back, then out"),
    ]
    DEFAULT_CSS = """
    CreateForm {
        & PlanPage { display: none; }
        &.-plan PlanPage { display: block; }
        &.-plan #fields { display: none; }
        & #fields { height: auto; }
        & #arch { margin-top: 1; }
    }
    """

    def __init__(
        self,
        defaults: CreateOptions,
        base: str,
        taken: frozenset[str],
        *,
        describe: Describe,
    ) -> None:
        super().__init__("new chroot")
        self._defaults = defaults
        self._base = base
        self._taken = taken
        self._plan = PlanPage(describe)
        self._request: Request | None = None

    # -- the fields ------------------------------------------------------------------------------

    def content(self) -> Iterable[Widget]:
        """Return the fields, and the plan in their place later."""
        yield Vertical(*self._most_used(), *self._others(), id="fields")
        yield self._plan

    def _most_used(self) -> Iterable[Field]:
        yield PlaceField("Name", self._base, self._taken, also=rules.check_path)
        yield Field(
            "Suite", id="suite", check=self._check_suite,
            placeholder=self._defaults.suite or _HOSTS,
            suggester=Prefixes(suites.known), note="bookworm, trixie, stable, sid …",
        )  # fmt: skip
        yield Field(
            "Mirror", id="mirror", check=_unless_empty(rules.check_mirror),
            placeholder=self._defaults.mirror or "as the host has it for the suite",
            note="where the packages come from",
        )  # fmt: skip

    def _others(self) -> Iterable[Field]:
        defaults = self._defaults
        yield Field(
            "Architecture", id="arch", check=_unless_empty(rules.check_arch),
            placeholder=defaults.arch or _HOSTS, suggester=Prefixes(lambda: debian.QEMU),
            note="another than the host's needs qemu-user-static",
        )  # fmt: skip
        yield ChoiceField("Variant", _VARIANTS, id="variant", value=defaults.variant)
        yield Field(
            "Packages", id="include", check=_each(rules.check_package),
            placeholder=" ".join(defaults.include) or "none",
            note="more to install: names with blanks or commas between",
        )  # fmt: skip
        yield Field(
            "Locales", id="locales", check=_each(rules.check_locale),
            placeholder=" ".join(defaults.locales or rules.PLAIN_LOCALES[:1]),
            note="the first is the default inside",
        )  # fmt: skip
        yield Field(
            "Time zone", id="timezone", check=_unless_empty(rules.check_timezone),
            placeholder=defaults.timezone or _HOSTS, suggester=Prefixes(debian.timezones),
            note="Europe/Berlin, Etc/UTC …",
        )  # fmt: skip
        yield ChoiceField(
            "Backend", _BACKENDS, id="backend",
            value=defaults.backend,
        )  # fmt: skip

    def _check_suite(self, suite: str) -> None:
        if suite:
            backend = self.value("backend") if self.is_mounted else self._defaults.backend
            rules.check_suite(suite, backend or rules.BACKENDS[0])

    @on(Field.Changed, "#backend")
    def _backend_changed(self, event: Field.Changed) -> None:
        event.stop()
        self.field("suite").check_again()

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
        if event.button.id == "back":
            self.action_cancel()
        else:
            self._go_on()

    def action_cancel(self) -> None:
        """Go back from the plan to the fields, from there leave."""
        if self._request is None:
            super().action_cancel()
            return
        self._plan.forget()
        self._request = None
        self._show_page("", back="Cancel", go="Show the plan")
        self.field("name").focus_entry()

    def _go_on(self) -> None:
        if self._request is not None:
            self.answer(self._request)
            return
        if self.wrong():
            return
        self._request = (self.query_one(PlaceField).path, self._asked_for())
        self._show_page("-plan", back="Back", go="Create")
        self.query_one("#go", Button).disabled = True
        self.query_one("#back", Button).focus()
        self._plan.ask(*self._request)

    @on(PlanPage.Shown)
    def _plan_shown(self, event: PlanPage.Shown) -> None:
        event.stop()
        if not self._plan.is_shown:
            return  # the user has gone back meanwhile
        go = self.query_one("#go", Button)
        go.disabled = False
        go.focus()

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
        self.query_one(Body).scroll_home(animate=False)


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
