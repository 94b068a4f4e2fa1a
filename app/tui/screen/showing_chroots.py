"""What is seen of the chroots: taken from those who look, and handed down to the panes."""

from __future__ import annotations

import math
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any

from ....widgets.trend_points import SPAN

if TYPE_CHECKING:
    from textual.screen import Screen
    from textual.timer import Timer

    from ..offers.all_actions import AllActions
    from ..panes.display import Display
    from ..session import Session
    from ..threads.messages import Counted, Listening, LogRead, PackagesRead, Seen, SnapshotsRead

_BATCH = 0.05
"""Seconds that sizes are gathered."""
_GLANCE = 1.0
"""Seconds between two looks that are shown on a slow line: what a panel prints has the rest."""
_ANSWER = 0.1
"""Seconds after a key in which it is answered there before all else."""
_FOLLOWS = 0.05
"""Seconds by which on a slow line the details come behind the cursor, which is the answer."""
_MOVES = 2 * SPAN
"""Seconds from one move of the graphs to the next where nothing else happens: by a whole cell."""
_SETTLED = (0.5, 4.0)
"""Seconds after a process came or went in which others do so, too, and a service has its ports."""


class ShowingChroots:
    """Takes what *screen* is told by threads, and what the cursor has come to."""

    def __init__(
        self, screen: Screen[Any], session: Session, display: Display, doing: AllActions
    ) -> None:
        self._screen = screen
        self._session = session
        self._panes = session.panes
        self._inventory = session.inventory
        self._display = display
        self._doing = doing
        self._sizes_told = False
        self._time_goes_on = False
        self._inside: tuple[str, frozenset[int]] = ("", frozenset())
        """The chroot of which it was looked at where it listens, and who lived in it then."""
        self._to_settle: dict[float, Timer] = {}
        self._came_late = False
        """Whether somebody has come or gone since the longest of these began."""
        self._shown_at = -math.inf
        self._shown_later = False
        self._turns_later = False
        self._at = ""
        """The path of the chroot that was looked at closer."""

    def see(self, message: Seen) -> None:
        """Take over how everything is now, and show it when the line has room for it."""
        self._inventory.take(message.snapshot)
        if not self._shown_later:
            self._show_in_time()

    @property
    def _wait(self) -> float:
        """Seconds until a look can be shown: on a slow line the next one overtakes it."""
        pace = self._session.line.pace
        if not pace.of_all or self._shown_at == -math.inf:  # for the first one there is a user
            return 0.0
        due = max(self._shown_at + _GLANCE, self._session.user.acted_at + _ANSWER)
        return max(pace.wait, due - monotonic())

    def _show_in_time(self) -> None:
        wait = self._wait
        self._shown_later = wait > 0
        if self._shown_later:
            self._screen.set_timer(wait, self._show_in_time)
            return
        self._shown_at = monotonic()
        before = self._panes.table.highlighted
        self._display.all()
        self._doing.offer_anew()
        self._wait_for_time(moving=self._inventory.time_will_tell)
        if made := self._inventory.arrived(before.path if before else ""):
            self._panes.table.move_to(made.path)
        self._mind_listeners()

    def _wait_for_time(self, *, moving: bool) -> None:
        """Have graphs go on that look other in a while although nothing happens."""
        if moving and not self._time_goes_on:
            self._time_goes_on = True
            self._screen.set_timer(_MOVES, self.let_time_go_on)

    def let_time_go_on(self) -> None:
        """Take note that time has passed."""
        self._time_goes_on = False
        moving = self._inventory.let_time_go_on()
        self._display.all()
        self._wait_for_time(moving=moving)

    def count(self, message: Counted) -> None:
        """Take over the size of a chroot."""
        news = self._inventory.take_size(message.path, message.size, message.shared)
        if news and not self._sizes_told:  # a thousand are told of one after the other
            self._sizes_told = True
            self._screen.set_timer(_BATCH, self._show_sizes)

    def _show_sizes(self) -> None:
        self._sizes_told = False
        self._display.all()

    def turn_to(self) -> None:
        """Show the chroot that the cursor has come to, or that has changed below it."""
        if not self._session.line.pace.of_all:
            self._turn()
        elif not self._turns_later:
            self._turns_later = True
            self._screen.set_timer(_FOLLOWS, self._turn)

    def _turn(self) -> None:
        self._turns_later = False
        one = self._panes.table.highlighted
        path = one.path if one is not None else ""
        if path != self._at:
            self.look_closer()
        else:
            self.look_at_tab()
        self._display.details()
        self._doing.offer_anew()

    def look_closer(self) -> None:
        """Have that looked at which is looked at of the highlighted chroot alone."""
        one = self._panes.table.highlighted
        self._at = one.path if one is not None else ""
        if one is not None:
            self._inventory.look_for_snapshots(one.path)
        self.look_at_tab()

    def look_at_tab(self) -> None:
        """Have that looked at which only the tab that is shown tells."""
        one = self._panes.table.highlighted
        is_seen = self._panes.complete and self._panes.details.tab == "log"
        self._inventory.look_for_packages(one.path if one and is_seen else "")
        self._mind_listeners()

    def _mind_listeners(self) -> None:
        """Have it looked at where the chroot listens whose overview is shown: now if it is another.

        Where others live in it than at the last look, that is done when they have settled.
        """
        one = self._panes.table.highlighted
        is_seen = self._panes.complete and self._panes.details.tab == "overview"
        if one is None or not is_seen:
            self._inside = ("", frozenset())
            return
        inside = one.path, frozenset(process.pid for process in one.processes)
        before, self._inside = self._inside, inside
        if inside == before:
            return
        if inside[0] != before[0] or not one.processes:  # those who have gone listen no more
            self._look_for_listeners()
        for seconds in _SETTLED if one.processes else ():
            if seconds not in self._to_settle:
                self._settle(seconds)
            elif seconds < max(_SETTLED):  # it waits as long as others come and go
                self._to_settle[seconds].reset()
            else:
                self._came_late = True

    def _settle(self, seconds: float) -> None:
        timer = self._screen.set_timer(seconds, partial(self._settled, seconds))
        self._to_settle[seconds] = timer

    def _settled(self, seconds: float) -> None:
        self._to_settle.pop(seconds, None)
        self._look_for_listeners()
        if seconds == max(_SETTLED) and self._came_late:
            self._came_late = False
            if self._inside[1]:
                self._settle(seconds)

    def _look_for_listeners(self) -> None:
        path, pids = self._inside
        self._inventory.look_for_listeners(path if pids else "")
        if path and not pids and self._inventory.take_listeners(path, ()):
            self._display.details()

    def listen(self, message: Listening) -> None:
        """Take over where those in a chroot listen, but for what came when they had gone."""
        inside, pids = self._inside
        gone = message.path == inside and not pids
        if not gone and self._inventory.take_listeners(message.path, message.listeners):
            self._display.details()

    def packages_read(self, message: PackagesRead) -> None:
        """Take over what apt and dpkg did."""
        self._inventory.diary.take_packages(message.path, message.runs)
        self._display.details()

    def log_read(self, message: LogRead) -> None:
        """Take over what happened in earlier sessions."""
        self._inventory.diary.take_past(message.past)
        self._display.details()

    def snapshots_read(self, message: SnapshotsRead) -> None:
        """Take over the snapshots of a chroot."""
        if self._inventory.take_snapshots(message.path, message.snapshots):
            self._display.details()
