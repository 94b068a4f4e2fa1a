"""What an action works with: the engine, the user, and the parts that the main screen holds."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual.binding import Binding

from ...core.errors import PrivilegeError
from ...core.remote.address import joined
from ...core.text import safe
from ...core.value import Value
from ...widgets.job_status import CANCELLED, DONE
from .command_lines.command_log import PROGRAM, Deed

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...core.engine import Engine
    from ...core.errors import ChrootError
    from ...core.looking.status import ChrootStatus
    from ...core.remote.machines import Machines
    from ...widgets.dialogs.place_field import Home
    from ...widgets.job_status import JobStatus
    from ..settings.file import Settings
    from .chroots.known_chroots import KnownChroots, Welcome
    from .command_lines.command_log import CommandLog, Undo
    from .command_lines.command_words import Words
    from .jobs.jobs import Ended, Jobs, Work
    from .jobs.outcome_of_several import OutcomeOfSeveral
    from .panels.panels import Panels
    from .panels.whole_terminal import WholeTerminal
    from .panes.panes import Panes
    from .terminal.line import Line
    from .user.ask_and_tell import User
    from .user.root_privilege import RootPrivilege

_OF_JOBS = (
    "A job that goes on keeps this terminal until it is done, and says how far it is;"
    " one that is stopped takes back what it did."
)
_OF_PANELS = (
    "What goes on in a panel does so without the UI: the next start shows what it prints,"
    " but nothing can be typed into it any more."
)


class Session(Value):
    """One run of the UI."""

    engine: Engine
    machines: Machines
    """The same, as what other machines are added to."""
    user: User
    panes: Panes
    inventory: KnownChroots
    jobs: Jobs
    panels: Panels
    line: Line
    whole: WholeTerminal
    privilege: RootPrivilege
    log: CommandLog
    several: OutcomeOfSeveral
    settings: Callable[[], Settings]
    """Returns those that hold now."""
    ask_doctor: Callable[[JobStatus, ChrootError], object]
    """Has the doctor say what was in the way of a job that failed, for good."""

    @property
    def highlighted(self) -> ChrootStatus | None:
        """The chroot under the cursor."""
        return self.panes.table.highlighted

    @property
    def shown(self) -> ChrootStatus | None:
        """The chroot whose details are shown: on a slow line they come behind the cursor."""
        return self.panes.details.chroot if self.panes.complete else None

    @property
    def chosen(self) -> tuple[ChrootStatus, ...]:
        """The marked chroots, or the highlighted one."""
        marked = set(self.panes.table.marked)
        if marked:
            return tuple(one for one in self.inventory.chroots if one.path in marked)
        one = self.highlighted
        return (one,) if one else ()

    @property
    def hidden(self) -> str:
        """What to say of marks that are not seen, behind how many there are."""
        return self.panes.table.hidden_marks

    @property
    def several_chosen(self) -> tuple[ChrootStatus, ...]:
        """The marked chroots, where they are more than one."""
        chosen = self.chosen
        return chosen if len(chosen) > 1 else ()

    @property
    def place(self) -> str:
        """A path on the machine that the cursor is on: where the next chroot is made."""
        one = self.highlighted
        return one.path if one else joined(self.panes.table.machine, "")

    @property
    def homes(self) -> tuple[Home, ...]:
        """Where new chroots can be made: here, and on the machines that answer."""
        from ...widgets.dialogs.place_field import Home

        hosts = ("", *(one.name for one in self.inventory.snapshot.machines if one.answers))
        return tuple(
            Home(host, self.engine.base_at(joined(host, "")), self.inventory.names(host))
            for host in hosts
        )

    def bound_key(self, ident: str, keys: str) -> str:
        """Return the first key of a binding, which has *keys* of its own, as it is bound and shown.

        Whether it applies now or not: what has the focus may have that key for itself.
        """
        first = self.settings().keymap.get(ident, keys).partition(",")[0]
        return self.user.app.get_key_display(Binding(first, "")) if first else ""

    def start(
        self,
        verb: str,
        name: str,
        path: str,
        work: Work,
        ended: Ended | None = None,
        *,
        words: Words | tuple[Words, ...] = (),
        line: Words = (),
        undo: Undo | None = None,
        again: Callable[[], object] | None = None,
        asks: bool = False,
    ) -> None:
        """Start a job on the chroot at *path*, shown as *verb* and *name*; see `Jobs.start`.

        *words* are those of chroot-tool that do the same, of one command or of several, *line* a
        whole command line of another program; *undo* takes it back. *again* does it once more,
        where *undo* has to know of each time by itself what *work* has come to. *asks*: it is to be
        asked for before that (`Deed`).
        """
        ident = self.jobs.start(verb, name, path, work, ended)
        if not ident:
            why = "something is under way already"
            if not self.several.refuse(name, why):
                self.user.tell(f"{safe(name)}: {why}", "warning")
            return
        self.several.begin(ident)
        if not words and not line:
            return
        again = again or partial(
            self.start,
            verb,
            name,
            path,
            work,
            ended,
            words=words,
            line=line,
            undo=undo,
            asks=asks,
        )
        lines = words if words and isinstance(words[0], tuple) else (words,)
        whole = (line,) if line else tuple((PROGRAM, *each) for each in lines)
        self.log.begin(Deed(whole, name, again, undo, asks, self.several.batch), job=ident)

    def await_new(self, path: str) -> None:
        """Show the jobs, and go to the chroot at *path* when it appears; see `go_where`.

        What is made elsewhere than under the base does not.
        """
        self.panes.dock.open_jobs()
        self.go_where(path)

    def go_where(self, path: str, before: str = "", welcome: Welcome | None = None) -> None:
        """Go to the chroot at *path* when it appears, unless the user does something until then.

        The cursor is theirs: what they press next is meant for where they see it. It goes along,
        too, where it is on the chroot *before*, which gets that path. *welcome* gets it anyway.
        """
        acts = self.user.acts

        def wanted(cursor: str) -> bool:
            return self.user.acts == acts or (before != "" and cursor == before)

        self.inventory.await_new(path, *((welcome,) if welcome else ()), wanted=wanted)

    def end_job(self, job: JobStatus, error: ChrootError | None) -> None:
        """Take note of how a job has ended; tell a failure that its action has not dealt with.

        One that root's privilege was missing for has changed nothing: it is had, and it done again.
        """
        is_missing = isinstance(error, PrivilegeError) and not error.host
        if error and is_missing and self.privilege.is_of_use_for(job.id):
            if not self.jobs.is_cancelled(job.id):
                self.user.begin(self._again_as_root(job, error))
                return
            job, error = job.replace(state=CANCELLED, stage="stopped by you", hint=""), None
        self._end_job(job, error)

    def _end_job(self, job: JobStatus, error: ChrootError | None) -> None:
        if job.state != DONE:
            self.inventory.await_no_more(job.path)
        dealt_with = self.jobs.end(job, error)
        view = next((one for one in self.jobs.views if one.id == job.id), job)
        self.log.end(self.log.of_job(job.id), view.state, view.stage)
        is_told = self.several.end(view)
        if dealt_with or error is None:
            return
        self.ask_doctor(view, error)
        self.panes.open_jobs_unasked()
        if not is_told:
            self.user.tell(f"{safe(job.verb)} {safe(job.name)}: {safe(error.message)}", "error")

    async def _again_as_root(self, job: JobStatus, error: ChrootError) -> None:
        try:
            has_risen = await self.privilege.ask_for(self.user, job.id)
        except Exception:  # a bug of ours must be seen, but not keep the job under way for ever
            self._end_job(job, error)
            raise
        if has_risen:
            self.jobs.again(job.id)
        else:
            self._end_job(job.replace(hint=self.privilege.hint or job.hint), error)

    # -- the end ---------------------------------------------------------------------------------

    @property
    def running(self) -> tuple[str, ...]:
        """What still runs, in words: quitting asks because of it."""
        jobs = (f"{job.verb} {job.name}" for job in self.jobs.running)
        return (*jobs, *self.panels.running)

    @property
    def after_quitting(self) -> tuple[str, ...]:
        """What becomes of what still runs, in words: of jobs, of panels."""
        said = []
        if self.jobs.running:
            said.append(_OF_JOBS)
        if self.panels.running:
            said.append(_OF_PANELS)
        return tuple(said)

    def stop_all(self) -> None:
        """Ask every job to stop and take back what it did, and end what runs in panels."""
        self.jobs.cancel_all()
        self.panels.stop_all()
