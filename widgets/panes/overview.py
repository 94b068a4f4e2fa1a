"""What there is to say about one chroot: its facts, what is wrong, what was done to it last."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from heapq import nlargest
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.geometry import Region, Size
from textual.reactive import reactive

from ...core.looking.happenings import Happening
from ...core.looking.status import ChrootStatus, MountStatus
from ...core.process import Listener
from ...core.text import duration, safe
from ...core.trees.snapshots import TreeSnapshot
from ..job_status import FAILED, RUNNING, JobStatus
from ..text.amounts import age, memory, moment, percent
from ..text.fitting import fit, shorten, width_of, wrap
from ..text.measured import Measured
from ..text.states import STYLES, chroot_state, happening, job_state
from ..trend_points import Trend
from .graphs import Activity, Marked

if TYPE_CHECKING:
    from ..terminal.search import Match
    from .text_search import TextSearch

_LABEL = 14
_TWO_COLUMNS, _TWO_NARROW, _LOW = 100, 76, 8
"""The width from which on the graphs stand beside the text; that of a pane of so many lines: of
few, all of the width is for the text, which says what is wrong."""
_TICK = 30.0
_MOST_JOBS = 5
_MOST_FOREIGN = 3

Lines = list[Content]
Welcome = tuple[tuple[str, str], ...]
"""What to say where there is no chroot at all: (key, what it begins), "" for words alone."""
Shown = tuple[
    ChrootStatus | None, tuple[JobStatus, ...], int | None, tuple[TreeSnapshot, ...], int,
    tuple[Listener, ...],
]  # fmt: skip
"""A chroot, its jobs, the latest first, its bytes on disk, its snapshots, the oldest first, how
many of the bytes others have, too, and where those in it listen."""


class Overview(VerticalScroll, inherit_bindings=False):
    """Facts in; see `show`."""

    BINDING_GROUP_TITLE = "Overview"
    HELP = "The facts of a chroot, what is wrong with it and what to do, the last operations."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "scroll_down", "down", id="table.down", show=False),
        Binding("k,up", "scroll_up", "up", id="table.up", show=False),
        Binding("pagedown", "page_down", "page down", id="table.page_down", show=False),
        Binding("pageup", "page_up", "page up", id="table.page_up", show=False),
        Binding("g,home", "scroll_home", "first row", id="table.first", show=False),
        Binding("G,end", "scroll_end", "last row", id="table.last", show=False),
    ]
    DEFAULT_CSS = """
    Overview {
        background: $background;
        scrollbar-size-vertical: 1;
        &:focus > Facts { border-left: outer $primary; padding-left: 0; }
        &.-two { layout: horizontal; }
        &.-two > Facts { width: 3fr; }
        &.-two > Activity { width: 2fr; padding: 0 1; }
    }
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.time,
        name: str | None = None,
        id: str | None = None,  # noqa: A002 (Textual's own name for it)
        classes: str | None = None,
        disabled: bool = False,
    ) -> None:
        """Make an empty overview; *clock* tells ages from."""
        super().__init__(name=name, id=id, classes=classes, disabled=disabled)
        self._clock = clock
        self._search: TextSearch | None = None
        self._began = 0
        """Which line was the first that was seen when the search began."""

    def compose(self) -> ComposeResult:
        """Make text and graphs."""
        facts = Facts(self._clock, lambda lines: self._marked(0, lines))
        yield facts
        yield Activity(
            lambda width: 0 if self.has_class("-two") else facts.count_lines(width),
            lambda width, room: [] if facts.is_alone else _lately(facts.lately, width, room),
            lambda lines: self._marked(len(facts.lines), lines),
        )

    def show(
        self,
        chroot: ChrootStatus | None,
        jobs: tuple[JobStatus, ...] = (),
        size: int | None = None,
        snapshots: tuple[TreeSnapshot, ...] = (),
        shared: int = 0,
        listening: tuple[Listener, ...] = (),
        trend: Trend | None = None,
        happened: tuple[Happening, ...] = (),
    ) -> None:
        """Show what `Shown` has, the *trend* of what it has been doing, and what *happened*."""
        facts, activity = self.query_one(Facts), self.query_one(Activity)
        if happened != facts.lately:
            facts.lately = happened
            activity.refresh(layout=True)
        activity.show(chroot.processes if chroot else (), trend)
        self._divide()
        before, lines = facts.shown[0], facts.count_lines(facts.size.width)
        if chroot is not None:
            # The CPU of processes changes all the time, and nothing here hangs on it.
            chroot = chroot.replace(processes=(), mounts=chroot.foreign)
        facts.shown = (chroot, jobs, size, snapshots, shared, listening)
        if not facts.size.width or facts.count_lines(facts.size.width) != lines:
            # Textual keeps the height of what is as it was itself, whatever stands above it.
            activity.refresh(layout=True)
        other = chroot is None or before is None or chroot.path != before.path
        if other and self.scroll_offset.y:
            self.scroll_home(animate=False)

    def welcome(self, said: Welcome) -> None:
        """Say this where no chroot is shown."""
        self.query_one(Facts).welcome = said

    # -- searching: see `Searched` ---------------------------------------------------------------

    @property
    def sought(self) -> str:
        """What is looked for; "" for nothing."""
        return self._search.sought if self._search else ""

    def find(self, text: str) -> Match | None:
        """Mark *text* everywhere and show the first place of it from the first line seen on."""
        from .text_search import TextSearch

        if self._search is None:
            self._search = TextSearch(self._all_lines)
            self._began = self.scroll_offset.y
        return self._show(self._search.find(text, self._began))

    def step(self, *, backwards: bool) -> Match | None:
        """Show the place before, or after, the one that is shown; round at the end."""
        return self._show(self._search.step(backwards=backwards) if self._search else None)

    def end_search(self, *, back: bool = False) -> None:
        """Look for nothing; *back*: and show again what was shown before."""
        if self._search is not None and back:
            self.scroll_to(y=self._began, animate=False)
        self._search = None
        self._show(None)

    def _show(self, match: Match | None) -> Match | None:
        facts, activity = self.query_one(Facts), self.query_one(Activity)
        facts.refresh()
        activity.refresh()
        if match is not None:
            line, above = match.span[0][0], len(facts.lines)
            widget, line = (facts, line) if line < above else (activity, line - above)
            y = widget.virtual_region.y + widget.gutter.top + line
            self.scroll_to_region(Region(0, y, 1, 1), animate=False, x_axis=False)
        return match

    def _all_lines(self) -> Lines:
        return self.query_one(Facts).lines + self.query_one(Activity).lines

    def _marked(self, first: int, lines: Lines) -> Iterator[Content]:
        return self._search.marked(first, lines) if self._search else iter(lines)

    def on_mount(self) -> None:
        """Keep ages right."""
        self.set_interval(_TICK, self.query_one(Facts).refresh)

    def on_resize(self) -> None:
        """Put the graphs beside the text where there is room."""
        width, height = self.size
        least = _TWO_COLUMNS if height < _LOW else _TWO_NARROW
        self.set_class(width >= least, "-two")
        self._divide()

    def _divide(self) -> None:
        """Leave what is free to the graphs where they stand below the text."""
        below = self.query_one(Activity).display and not self.has_class("-two")
        self.query_one(Facts).is_alone = not below


class Facts(Measured):
    """The text itself, wrapped while it is measured and painted: see `WrappedText`."""

    DEFAULT_CSS = """
    Facts { padding: 0 1; height: auto; }
    """

    shown: reactive[Shown] = reactive((None, (), None, (), 0, ()), layout=True)
    welcome: reactive[Welcome] = reactive((), layout=True)
    lately: reactive[tuple[Happening, ...]] = reactive((), layout=True)
    """What happened to it, where there is room for that."""
    is_alone: reactive[bool] = reactive(True, layout=True)
    """Whether no graphs stand below it: what is free is its own then, else theirs."""

    def __init__(self, clock: Callable[[], float], marked: Marked) -> None:
        """Make it empty; *clock* tells ages from, *marked* marks what is looked for."""
        super().__init__()
        self._clock = clock
        self._marked = marked

    def render(self) -> Content:
        """Return the lines."""
        return Content("\n").join(self._marked(self.lines))

    @property
    def lines(self) -> Lines:
        """What is painted."""
        return self._lines(self.size.width, self.size.height)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return how many lines there are at a width."""
        return len(self._lines(width, container.height))

    def count_lines(self, width: int) -> int:
        """Return how many lines it takes at a width, where it has all the width."""
        return len(self._lines(width, 0))

    def _lines(self, width: int, room: int) -> Lines:
        chroot, jobs, size, snapshots, shared, listening = self.shown
        if chroot is None:
            return _welcome(self.welcome, width)
        width = max(width, _LABEL)
        now = self._clock()
        word, tone = chroot_state(chroot.condition)
        lines = _field("state", word, width, STYLES.get(tone, ""))
        # With the dock open there may be four rows: what is wrong comes before everything else.
        for problem in chroot.problems:
            lines += _signed("✗", "bad", problem.message, width)
            lines += _hint(problem.hint, width)
        lines += _foreign(chroot.foreign, width)
        lines += _facts(chroot, size, shared, listening, now, width)
        if snapshots:
            lines += _field("snapshots", _kept(snapshots, now), width)
        if jobs:
            lines += _heading("Last operations")
            for job in jobs[:_MOST_JOBS]:
                lines += _job(job, now, width)
        return lines + (_lately(self.lately, width, room - len(lines)) if self.is_alone else [])


def _heading(text: str) -> Lines:
    return [Content(""), Content.styled(text, "$foreground-muted bold")]


def _lately(happened: tuple[Happening, ...], width: int, room: int) -> Lines:
    """Return the latest of what happened to it, as far as there is room for it."""
    heading = _heading("Lately")
    latest = nlargest(room - len(heading), happened, key=lambda one: one.time)
    return [*heading, *(_happening(one, width) for one in latest)] if latest else []


def _happening(one: Happening, width: int) -> Content:
    word, tone = happening(one.kind)
    return Content.assemble(
        (fit(moment(one.time, "%m-%d %H:%M"), _LABEL), "$foreground-muted"),
        (fit(word, _LABEL), STYLES.get(tone, "")),
        shorten(safe(one.text), max(width - 2 * _LABEL, 1)),
    )


def _welcome(said: Welcome, width: int) -> Lines:
    if not said:
        return [Content.styled("no chroot is chosen", "$foreground-muted")]
    keys = max(width_of(key) for key, _ in said) + 2
    lines: Lines = []
    for key, text in said:
        lead = keys if key else 0
        first, *more = wrap(text, max(width - lead, 1))
        lines.append(Content.assemble((fit(key, lead), "$text-accent bold"), first))
        lines += [Content(" " * lead + line) for line in more]
        if not key:
            lines.append(Content())
    return lines


def _foreign(mounts: tuple[MountStatus, ...], width: int) -> Lines:
    said = [f"{one.target}: {one.reason}" if one.reason else one.target for one in mounts]
    if len(said) > _MOST_FOREIGN:
        said[_MOST_FOREIGN - 1 :] = [f"and {len(said) - _MOST_FOREIGN + 1} more"]
    labels = ("foreign mount", *[""] * len(said))
    fields = zip(labels, said, strict=False)
    return [line for label, one in fields for line in _field(label, one, width)]


def _facts(
    chroot: ChrootStatus,
    size: int | None,
    shared: int,
    listening: tuple[Listener, ...],
    now: float,
    width: int,
) -> Lines:
    lines = _field("name", chroot.name, width)
    lines += _field("path", chroot.path, width)
    if chroot.os:
        lines += _field("system", chroot.os, width)
    for label, one in zip(("listens at", *("",) * len(listening)), listening, strict=False):
        lines += _field(label, _listener(one), width)
    if chroot.architecture:
        lines += _field("architecture", chroot.architecture, width)
    if chroot.description:
        lines += _field("description", chroot.description, width)
    if chroot.tags:
        lines += _field("tags", " ".join(chroot.tags), width)
    if chroot.configuration:
        lines += _field("configuration", chroot.configuration, width)
    if chroot.enabled:
        lines += _field("at boot", "on, and started", width)
    much = "…" if size is None else memory(size)
    if shared:
        much += f", {memory(shared)} of it shared with others"
    lines += _field("size on disk", much, width)
    if chroot.changed:
        lines += _field("changed", _when(chroot.changed, now), width)
    return lines


def _listener(one: Listener) -> str:
    """Say where, and which program: of its path the last part, of its words the first."""
    program = one.command.split(" ", 1)[0].rpartition("/")[2]
    return f"{one.protocol} {one.address}  {program} {one.pid}"


def _kept(snapshots: tuple[TreeSnapshot, ...], now: float) -> str:
    newest = snapshots[-1]
    span = age(now - newest.created)
    return f"{len(snapshots)}, last {newest.name}, {'just now' if span == 'now' else f'{span} ago'}"


def _when(then: float, now: float) -> str:
    span = age(now - then)
    ago = "just now" if span == "now" else f"{span} ago"
    return f"{ago}, {time.strftime('%Y-%m-%d %H:%M', time.localtime(then))}"


def _field(label: str, value: str, width: int, style: str = "") -> Lines:
    if max(map(width_of, value.split(" "))) > width - _LABEL:
        # No word is broken that fits into a line of its own.
        below = (_styled(f"  {line}", style) for line in wrap(value, width - 2))
        return [Content.styled(label, "$foreground-muted"), *below]
    first, *more = wrap(value, width - _LABEL)
    head = Content.assemble((fit(label, _LABEL), "$foreground-muted"), _styled(first, style))
    return [head, *(Content(" " * _LABEL + line) for line in more)]


def _styled(text: str, style: str) -> Content:
    return Content.styled(text, style) if style else Content(text)


def _signed(sign: str, tone: str, text: str, width: int) -> Lines:
    first, *more = wrap(text, width - 2)
    head = Content.assemble((f"{sign} ", STYLES.get(tone, "")), first)
    return [head, *(Content(f"  {line}") for line in more)]


def _hint(hint: str, width: int) -> Lines:
    if not hint:
        return []
    return [
        Content.styled(f"  {line}", "$foreground-muted") for line in wrap(f"→ {hint}", width - 2)
    ]


def _job(job: JobStatus, now: float, width: int) -> Lines:
    word, tone = job_state(job.state)
    sign = word[0]
    when = time.strftime("%H:%M", time.localtime(job.started)) if job.started else ""
    took = duration((job.ended or now) - job.started) if job.started else ""
    text = f"{when} {job.verb} {job.state}"
    if job.state == RUNNING and job.fraction is not None:
        text += f" {percent(job.fraction)}"
    text += f", {took}" if took and took != "0s" else ""
    if job.stage:
        text += f": {job.stage}"
    lines = _signed(sign, tone, text.strip(), width)
    return lines + (_hint(job.hint, width) if job.state == FAILED else [])
