"""Handing values down: what the panes show of the chroots and the jobs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ....core.looking.status import ChrootStatus
    from ....core.remote.machines import Machines
    from ....widgets.tables.chroot_columns import Head
    from ..chroots.known_chroots import KnownChroots
    from ..jobs.jobs import Jobs
    from .panes import Panes

_ABOUT = (
    "A chroot is a Debian of its own in a directory: its packages, users and files, on the kernel,"
    " network and processes of this machine. To build in, to try things, to run an older system."
)
_WAYS = (
    ("environments.create", "a new one: a Debian, a base, an image or another chroot"),
    ("environments.unpack", "one from an archive that pack has made"),
    ("base", "those that lie elsewhere: /var/lib/machines, schroot's, any directory"),
)
_OF_HEAD = (
    ("details.open", "folds it, or unfolds it"),
    ("environments.mark", "marks all of its chroots"),
    ("environments.group", "lists the chroots by tag or by host, or all in one"),
)
_OF_HOSTS = ("hosts", "the hosts: one more, log in, try again")


class Display:
    """Shows what *inventory* and *jobs* know in *panes*; what has not changed is not painted."""

    def __init__(
        self, panes: Panes, inventory: KnownChroots, jobs: Jobs, machines: Machines,
        *, in_use: Callable[[], frozenset[str]],
    ) -> None:  # fmt: skip
        """*in_use* returns the paths of the chroots with a session in a panel, known at once."""
        self._panes = panes
        self._inventory = inventory
        self._jobs = jobs
        self._base = machines.base
        self._machines = machines
        self._in_use = in_use

    def all(self) -> None:
        """Show the chroots and the jobs as they are known now."""
        table = self._panes.table
        inventory = self._inventory
        table.show(
            self._chroots(),
            self._jobs.views,
            inventory.sizes,
            inventory.trends.all(),
            inventory.snapshot.machines,
        )
        problem = inventory.snapshot.problem
        if problem:
            table.empty_hint = (problem.message, problem.hint)
        elif not inventory.chroots:
            # What a key does is not known before the panes are there, and is said then.
            begin = (self._begin(),) if self._panes.complete else ()
            table.empty_hint = (f"no chroot under {self._base} yet", *begin)
        self._panes.fit_table()
        self.details()
        self.status_line()

    def _begin(self) -> str:
        key = self._panes.key_of("environments.create")
        return f"press {key} to make one" if key else "create in the palette makes one"

    def _chroots(self) -> tuple[ChrootStatus, ...]:
        used = self._in_use()
        if not used:
            return self._inventory.chroots
        return tuple(
            one.replace(in_use=True) if one.path in used and not one.in_use else one
            for one in self._inventory.chroots
        )

    def jobs(self) -> None:
        """Show the jobs, which the table and the details tell of, too."""
        if self._panes.complete:
            self._panes.dock.jobs_pane.show(self._jobs.views)
        self.all()

    def details(self) -> None:
        """Show the highlighted chroot in detail."""
        if self._panes.complete:
            one = self._panes.table.highlighted
            size = self._inventory.sizes.get(one.path) if one else None
            kept = self._inventory.snapshots.get(one.path, ()) if one else ()
            shared = self._inventory.shared.get(one.path, 0) if one else 0
            trend = self._inventory.trends.all().get(one.path) if one else None
            happened = self._inventory.diary.of(one.path) if one else ()
            listening = self._inventory.listening.get(one.path, ()) if one else ()
            details = self._panes.details
            details.show(
                one, self._jobs.views, size, kept, shared, trend, happened, listening
            )  # fmt: skip
            details.welcome(self._welcome())

    def _welcome(self) -> tuple[tuple[str, str], ...]:
        """Say what there is to say where no chroot is chosen."""
        head = self._panes.table.head
        if head is not None:
            return self._of_head(head)
        if self._inventory.chroots or self._inventory.snapshot.problem:
            return ()
        return (("", _ABOUT), *self._by_key(_WAYS))

    def _of_head(self, head: Head) -> tuple[tuple[str, str], ...]:
        """Say what stands below a head, how its machine answers, and what can be done there."""
        from ....widgets.text.states import LOOKS_ONLY, machine_state

        said = [f"{head.counted} {head.whose}"]
        if head.machine is not None:
            said[0] += f": {machine_state(head.machine)[0]}"
            problem = head.machine.problem
            said += [text for text in (problem.message, problem.hint) if text] if problem else []
            said += [LOOKS_ONLY] if head.machine.looks_only else []
        keys = _OF_HEAD if head.is_tag else (_OF_HOSTS, *_OF_HEAD)
        return (*(("", text) for text in said), *self._by_key(keys))

    def _by_key(self, ways: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        """Return what can be done by the keys that it has now; those without one are left out."""
        found = ((self._panes.key_of(ident), said) for ident, said in ways)
        return tuple((key, said) for key, said in found if key)

    def status_line(self) -> None:
        """Show where the chroots are, what runs, as whom, and the filter."""
        self._panes.status_line.show(
            self._base, self._jobs.running, self._privilege(), self._panes.table.filter_text,
            self._unanswered(), self._trouble(),
        )  # fmt: skip

    def _unanswered(self) -> tuple[str, ...]:
        found = (source for one in self._inventory.chroots for source in one.unanswered)
        lost = (one.name for one in self._inventory.snapshot.machines if one.problem)
        return tuple(dict.fromkeys((*lost, *found)))

    def _trouble(self) -> str:
        """Say why the chroots that are shown may not be as they are."""
        seen = self._inventory.snapshot
        # Where there is none, the list says why.
        problem = (seen.problem if seen.chroots else None) or seen.late
        return problem.message if problem else ""

    def _privilege(self) -> str:
        if os.geteuid() == 0:
            return "root"
        import pwd

        try:
            name = pwd.getpwuid(os.geteuid()).pw_name
        except KeyError:
            name = str(os.geteuid())
        return f"{name}, as root" if self._machines.has_risen else f"{name}: looking only"
