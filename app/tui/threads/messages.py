"""What threads tell the UI: they never touch a widget, they post one of these."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

from ....widgets.light_message import Telling

if TYPE_CHECKING:
    from collections.abc import Callable

    from ....core.diagnosis.finding import Finding
    from ....core.errors import ChrootError
    from ....core.looking.happenings import Happening
    from ....core.looking.package_log import PackageRun
    from ....core.looking.snapshot import Snapshot
    from ....core.process import Listener
    from ....core.trees.snapshots import TreeSnapshot
    from ....widgets.job_status import JobStatus
    from ...settings.file import Settings


class Seen(Telling):
    """The watcher has looked: this is how everything is now."""

    snapshot: Snapshot

    def can_replace(self, message: Message) -> bool:
        """Only the newest look counts."""
        return isinstance(message, Seen)


class JobMoved(Telling):
    """A job has begun, or got further."""

    job: JobStatus

    def can_replace(self, message: Message) -> bool:
        """Only where a job is now counts, not where it was."""
        return isinstance(message, JobMoved) and message.job.id == self.job.id


class JobSaid(Telling):
    """A job has something to say: `take` returns the lines since the last time, foreign text."""

    job_id: int
    take: Callable[[], tuple[str, ...]]


class JobEnded(Telling):
    """A job is over; `error` is what it failed with."""

    job: JobStatus
    error: ChrootError | None


class Diagnosed(Telling):
    """The doctor has a word on a job that failed."""

    job_id: int
    finding: Finding


class Counted(Telling):
    """The size of a chroot on disk is known, in bytes, and how many of them are shared."""

    path: str
    size: int
    shared: int = 0


class SettingsRead(Telling):
    """The settings file has changed: this is what it says now."""

    settings: Settings


class SettingsWrong(Telling):
    """The settings file has changed and has errors."""

    error: ChrootError


class BaseWanted(Telling):
    """The UI is to begin again, on this base directory."""

    path: str


class SnapshotsRead(Telling):
    """The snapshots of a chroot are known, the oldest first."""

    path: str
    snapshots: tuple[TreeSnapshot, ...]


class Listening(Telling):
    """Where those who live in a chroot listen is known."""

    path: str
    listeners: tuple[Listener, ...]


class LogRead(Telling):
    """What happened in earlier sessions has been read, by the path of the chroot."""

    past: dict[str, list[Happening]]


class PackagesRead(Telling):
    """What apt and dpkg did in a chroot of late is known, the oldest first."""

    path: str
    runs: tuple[PackageRun, ...]
