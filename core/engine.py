"""The one door: everything that chroot-tool can do, as a contract with typed results.

The command line, the UI and programs that import this call the same methods and get the same
values. They are all that can be asked, so that who asks need not know where the chroots are:
`local_engine.LocalEngine` is the one that works on this machine, `remote.RemoteEngine` is behind a
command line (sudo, ssh): every value that goes in or comes out can be said in JSON.

Paths are those of the machine that the chroots are on. Long calls take `report`, called with an
event for everything that happens, and `cancelled`, a flag that they look at. All raise ChrootError
(errors.py) and nothing else that a user could cause.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from threading import Event as Flag
    from typing import Protocol

    from .archives.archive import Packed, Unpacked
    from .config.bind import Bind
    from .config.merge import Config
    from .creating.options import CreateOptions
    from .diagnosis.finding import Finding
    from .engine_parts import Bases, Binds, Following, Sizes
    from .errors import ChrootError
    from .events import Report
    from .looking.package_log import PackageRun
    from .looking.status import ChrootStatus
    from .plan import Plan
    from .process import Holder, Listener, OpenFile
    from .trees.duplicate import Cloned
    from .trees.snapshots import TreeSnapshot
    from .trees.trash import Trashed
    from .trees.usage import Usage

    Keeping = AbstractContextManager[tuple[Report, Flag | None]]
    """Entered it gives who is told how far it is, and the flag that stops it."""
else:
    Protocol = object  # typing costs `run` 6 ms


class Engine(Protocol):
    """Works on the chroots under `base` and on any other directory that is named."""

    base: str

    def base_at(self, path: str) -> str:
        """Return the base directory of the machine that *path* is on, in its way of naming it."""
        raise NotImplementedError

    # -- looking ---------------------------------------------------------------------------------

    def locate(self, directory: str, *, new: bool = False) -> str:
        """Return the path that DIR means: a path, or the name of a chroot under the base.

        *new*: one is to be made there. Else a directory here that is no chroot and hides one of
        the base by its name is a ChrootError.
        """
        raise NotImplementedError

    def complete(self, text: str) -> tuple[str, ...]:
        """Return the paths outside that the absolute path *text* can be the start of, sorted.

        Directories end in a slash.
        """
        raise NotImplementedError

    def list(self) -> tuple[ChrootStatus, ...]:
        """Return the status of every chroot under the base. Raises PrivilegeError."""
        raise NotImplementedError

    def status(self, path: str) -> ChrootStatus:
        """Return the status of one chroot. Raises ChrootError where *path* is none."""
        raise NotImplementedError

    def follow(self) -> Following:
        """Return what follows the chroots under the base, until it is closed."""
        raise NotImplementedError

    def sizes(self) -> Sizes:
        """Return what counts how much of the disk chroots take."""
        raise NotImplementedError

    def config(self, path: str, *, config_dir: str | None = None) -> Config:
        """Return the merged configuration of a chroot. Raises ChrootError, ConfigError."""
        raise NotImplementedError

    def scripts(self, path: str) -> tuple[str, ...]:
        """Return the words that a chroot answers by an executable in its chroot.d."""
        raise NotImplementedError

    def users(self, path: str) -> tuple[str, ...]:
        """Return the names of the users that a chroot knows, by its own etc/passwd."""
        raise NotImplementedError

    def export(
        self,
        path: str,
        tool: str,
        *,
        fstab: bool = False,
        users: Sequence[str] = (),
        called: str = "",
    ) -> str:
        """Return the file by which *tool*, schroot, sbuild or nspawn, uses a chroot.

        *fstab*: that of schroot with its mounts. *users* may use it, too; *called* is its name
        there, "" for its own. Raises ChrootError where it can't be said, UsageError for another
        tool.
        """
        raise NotImplementedError

    def package_runs(self, path: str) -> tuple[PackageRun, ...]:
        """Return what apt and dpkg did in a chroot of late, by its own log, the oldest first.

        Raises ChrootError where *path* is none.
        """
        raise NotImplementedError

    def usage(
        self,
        path: str,
        folder: str = "",
        *,
        report: Report = ...,
        cancelled: Flag | None = None,
    ) -> tuple[Usage, ...]:
        """Return what the things in a folder of a chroot take of its disk, the biggest first.

        Beyond 2000 they are one, the rest.

        *folder* is a path inside, "" the top. Each counts with all that is below, no mount is
        crossed and no link followed. Raises ChrootError where it is no folder of the chroot's own,
        Cancelled.
        """
        raise NotImplementedError

    def open_files(self, path: str, pid: int) -> tuple[OpenFile, ...]:
        """Return what a process that lives in the chroot at *path* has open.

        Nothing of it is looked at. Beyond 4096 descriptors, or a megabyte of names, there is one
        more that is called `…`. Raises ChrootError where it is gone, or not ours to look at.
        """
        raise NotImplementedError

    def all_open_files(self, path: str) -> tuple[OpenFile, ...]:
        """Return what all who live in the chroot at *path* have open, as `open_files`, by pid.

        Who is gone, or not ours to look at, is left out. Beyond 10,000 in all, or a megabyte of
        names, the last is called `…`. Raises ChrootError where *path* is none.
        """
        raise NotImplementedError

    def listeners(self, path: str) -> tuple[Listener, ...]:
        """Return where those who live in a chroot listen: its ports are those of the host.

        What can't be looked at is left out, and what is beyond 256. Raises ChrootError where *path*
        is none.
        """
        raise NotImplementedError

    def binds(self, path: str) -> Binds:
        """Return what edits the bind entries of a chroot."""
        raise NotImplementedError

    # -- the doctor ------------------------------------------------------------------------------

    def diagnose(
        self, path: str = "", *, report: Report = ..., cancelled: Flag | None = None
    ) -> tuple[Finding, ...]:
        """Look for what would get in the way: of this host, or of the chroot at *path*.

        Nothing is changed. Each finding is reported, as `Found`, when it is there: a slow check
        holds back no other, and is not waited for beyond its bound. Raises ChrootError where
        *path* is no chroot, Cancelled.
        """
        raise NotImplementedError

    def plan_mend(self, path: str = "") -> Plan:
        """Return what `mend` would do; empty where nothing can be mended safely.

        Raises as `diagnose`.
        """
        raise NotImplementedError

    def mend(self, path: str = "", *, report: Report = ..., cancelled: Flag | None = None) -> Plan:
        """Mend what is safe to mend; return what was done.

        Drifted, missing and stacked mounts of a chroot that is on, and what killed runs have left.
        No process is ended, nothing that somebody made is deleted. Raises as `on` does.
        """
        raise NotImplementedError

    # -- on and off ------------------------------------------------------------------------------

    def plan_on(
        self, path: str, *, config_dir: str | None = None, extra: tuple[Bind, ...] = ()
    ) -> Plan:
        """Return what `on` would do; empty when the chroot is on."""
        raise NotImplementedError

    def on(
        self,
        path: str,
        *,
        config_dir: str | None = None,
        extra: tuple[Bind, ...] = (),
        report: Report = ...,
        cancelled: Flag | None = None,
    ) -> Plan:
        """Bring the mounts to what the configuration says; return what was done.

        Raises ConfigError; ChrootError where a step fails, after taking back this run's steps;
        BusyError where something that must go is in use or another chroot-tool is at work.
        """
        raise NotImplementedError

    def plan_switch_bind(self, path: str, target: str, *, on: bool) -> Plan:
        """Return what `switch_bind` would do; empty where it is so already. Raises as that does."""
        raise NotImplementedError

    def switch_bind(
        self,
        path: str,
        target: str,
        *,
        on: bool,
        report: Report = ...,
        cancelled: Flag | None = None,
    ) -> Plan:
        """Mount, or unmount with what stands on it, the one bind whose target is *target*.

        Everything else is left as it is. Raises as `on` does; BusyError with the holders where
        an unmount is in the way of somebody.
        """
        raise NotImplementedError

    def plan_off(self, path: str, *, lazy: bool = False) -> Plan:
        """Return what `off` would unmount."""
        raise NotImplementedError

    def holders(self, path: str) -> tuple[Holder, ...]:
        """Return the processes that `off` would hit: who lives inside or holds a mount."""
        raise NotImplementedError

    def off(
        self,
        path: str,
        *,
        stop: bool = True,
        kill: bool = False,
        timeout: float = 10.0,
        lazy: bool = False,
        report: Report = ...,
        cancelled: Flag | None = None,
    ) -> Plan:
        """Run `stop` inside, then unmount everything below the chroot; return what was done.

        *timeout* is in seconds, between TERM and KILL. Raises BusyError with the holders where
        something is in use, PrivilegeError without root; nothing is unmounted then.
        """
        raise NotImplementedError

    def signal(self, path: str, pid: int, started: float, number: int) -> None:
        """Send signal *number* to a process of the chroot at *path*.

        Only if it is the one that began then (*started*, epoch seconds).

        Raises ChrootError where it is gone, PrivilegeError.
        """
        raise NotImplementedError

    def enable(
        self,
        path: str,
        *,
        now: bool = False,
        report: Report = ...,
        cancelled: Flag | None = None,
    ) -> bool:
        """Have a chroot switched on and started at boot, stopped and switched off at shutdown.

        *now*: and start it as the boot would. Returns whether it was otherwise before. Raises
        ChrootError where this system is not started by systemd, PrivilegeError.
        """
        raise NotImplementedError

    def disable(
        self,
        path: str,
        *,
        now: bool = False,
        report: Report = ...,
        cancelled: Flag | None = None,
    ) -> bool:
        """Have nothing done with a chroot at boot any more; *now*: and stop it as a shutdown would.

        Returns whether it was otherwise before. Raises as `enable`.
        """
        raise NotImplementedError

    def set_tags(
        self, path: str, tags: Sequence[str], *, seen: Sequence[str] | None = None
    ) -> bool:
        """Have the chroot at *path* these tags and no others, in its configuration.

        *seen* are those that *tags* were made of. Returns whether it had others, or in another
        order. Raises UsageError for a word that can't be one, ChangedError where it has not those
        that were *seen* any more, ConfigError where the file has errors, PrivilegeError,
        LockedError.
        """
        raise NotImplementedError

    # -- running ---------------------------------------------------------------------------------

    def command(self, path: str, words: Sequence[str]) -> tuple[str, ...]:
        """Return the command line that is `chroot-tool` with *words* where *path* is.

        For those who give it a terminal: a panel, another window.
        """
        raise NotImplementedError

    def unasked(self, path: str, words: Sequence[str]) -> tuple[str, ...]:
        """As `command`, for a terminal whose keys come by somebody else: a panel.

        It asks nobody for a password or a key there, and ends with an error where it would have to.
        """
        raise NotImplementedError

    def asks(self, path: str) -> bool:
        """Tell whether a password is to be given for what is done as root where *path* is.

        What was given on another terminal does not count. It may take a moment.
        """
        raise NotImplementedError

    def run(
        self,
        path: str,
        words: tuple[str, ...],
        *,
        user: str = "",
        cwd: str = "",
        env: Mapping[str, str] | None = None,
        config_dir: str | None = None,
        caller: tuple[str, int] | None = None,
        report: Report = ...,
    ) -> int:
        """Switch on, then run a command inside; return its exit code (128+N for a signal).

        No *words*: the user's login shell. Only for a process that has one thread: it forks.
        stdin, stdout, stderr and signals are the command's while it runs. Where stdin or stdout is
        no terminal, both are /dev/null for this process afterwards. Raises ChrootError where the
        command could not be started; then they are as before.

        Without *user* it is the one that the chroot's configuration names, else root; or, where
        there is a *caller* (name and uid of who asks, out here), that one, if the chroot knows him
        by both. That it does not is reported as a warning, and he is root.
        """
        raise NotImplementedError

    def run_captured(
        self,
        path: str,
        words: tuple[str, ...],
        *,
        user: str = "",
        cwd: str = "",
        env: Mapping[str, str] | None = None,
        config_dir: str | None = None,
        report: Report = ...,
        cancelled: Flag | None = None,
    ) -> int:
        """Run a command as `run` does, without a terminal and with nothing to read.

        What it prints on stdout and stderr is reported, as `Output`, line by line; return its exit
        code. Where it could not be started that is 125 to 127, and a line says why. Raises
        Cancelled: then it was ended.
        """
        raise NotImplementedError

    def run_ephemeral(
        self,
        path: str,
        words: tuple[str, ...],
        *,
        user: str = "",
        cwd: str = "",
        env: Mapping[str, str] | None = None,
        config_dir: str | None = None,
        size: str = "",
        keep: str = "",
        report: Report = ...,
        keeping: Callable[[], Keeping] | None = None,
        again: Callable[[ChrootError], str] | None = None,
        caller: tuple[str, int] | None = None,
    ) -> int:
        """Run a command in a throw-away session on a chroot, as `run` does; return its code.

        The chroot may be on or off and is not touched: what the command changes goes to memory,
        *size* of it at most (`512M`, `4G`, `25%`; half of what is free), and is gone on return,
        with every process it has left. What is written to a bind of the host's reaches the host.

        *keep*: the path of a chroot that is made of the session when the command has ended,
        whatever its code; what *keeping* returns is entered meanwhile. Where that fails *again* is
        asked, while the session is still there, for a path to try next; "" gives it up, and the
        error is raised. Raises as `run` does, UsageError for a size that is none, PrivilegeError,
        what `clone` raises for a place that will not do: before anything is run, where that can
        be seen, else at the end.
        """
        raise NotImplementedError

    # -- who is known inside ---------------------------------------------------------------------

    def who_asks(self, path: str) -> str:
        """Return the name of the user who asks, on the machine where *path* is; root for root."""
        raise NotImplementedError

    def plan_adopt(self, path: str, user: str) -> Plan:
        """Return what `adopt` would do; empty where the user is known inside. Raises as it does."""
        raise NotImplementedError

    def adopt(self, path: str, user: str, *, report: Report = ...) -> Plan:
        """Make *user* of this host one inside, and the group; return what was done.

        Name, ids, home and, where it is there inside, shell are the same; no password. Raises
        UsageError for one that is none, or is root; ChrootError where name or number is somebody
        else's inside; BusyError, PrivilegeError.
        """
        raise NotImplementedError

    # -- creating and deleting -------------------------------------------------------------------

    def create_defaults(self, options: CreateOptions, at: str = "") -> CreateOptions:
        """Return *options* with everything filled in that was left open, for a chroot at *at*.

        Raises ChrootError.
        """
        raise NotImplementedError

    def plan_create(self, path: str, options: CreateOptions) -> tuple[str, ...]:
        """Return the lines that say what `create` would do."""
        raise NotImplementedError

    def create(
        self,
        path: str,
        options: CreateOptions,
        *,
        report: Report = ...,
        cancelled: Flag | None = None,
    ) -> None:
        """Make a Debian in *path*, or with `options.source` a chroot of that.

        Raises ChrootError, Cancelled; then *path* is as before.
        """
        raise NotImplementedError

    def bases(self, at: str = "") -> Bases:
        """Return the bases that `create` unpacks instead of bootstrapping, where *at* is."""
        raise NotImplementedError

    # -- archives --------------------------------------------------------------------------------

    def pack(
        self,
        path: str,
        output: str,
        *,
        exclude: Sequence[str] = (),
        everything: bool = False,
        oci: bool = False,
        checksum: bool = False,
        report: Report = ...,
        cancelled: Flag | None = None,
    ) -> Packed:
        """Pack a chroot, without what is mounted on it, into the file *output*, `-` for stdout.

        How it is compressed is said by the name. *exclude* are paths inside, added to those of
        the configuration, unless *everything* is wanted: of a directory the content is left out.
        What goes to stdout ends with a seal that `unpack` can ask for. With *oci* it becomes an
        image in the directory *output*. With *checksum* OUTPUT.sha256 is written, too.

        Raises UsageError, ConfigError, PrivilegeError, BusyError, ChrootError, Cancelled; then
        there is nothing of that name, or what was there before.
        """
        raise NotImplementedError

    def unpack(
        self,
        path: str,
        source: str,
        *,
        sealed: bool = False,
        new_names: bool = False,
        report: Report = ...,
        cancelled: Flag | None = None,
    ) -> Unpacked:
        """Unpack the archive *source*, `-` for stdin, as the chroot *path*; return what it was.

        Nothing in it can make or change anything outside *path*. *sealed*: it has to end as `pack`
        ends what it writes to stdout, else CutShortError is raised: nothing is missing. With
        *new_names* it gets what a clone gets: names of its own, no machine id and no keys of an
        ssh server. Raises ChrootError, Cancelled;
        then *path* is as before.
        """
        raise NotImplementedError

    def delete(
        self,
        path: str,
        *,
        timeout: float = 10.0,
        trash: float = 0.0,
        report: Report = ...,
        cancelled: Flag | None = None,
    ) -> str:
        """Switch off, ending what runs inside, and remove the directory with all it holds.

        With *trash*, days, it is put into the trash beside it instead, and goes for good at the
        first delete there after that time; returned is its id there (`trash`), else "". What is
        unfinished is not put there: ChrootError.

        Its snapshots go, too. Never crosses a mount. Raises BusyError where something is mounted
        or runs inside that could not be ended; nothing is removed then. Where there is no such
        directory any more, or not yet, its `rests` are removed; LockedError where they are at work.
        """
        raise NotImplementedError

    def rests(self, path: str) -> tuple[str, ...]:
        """Return the paths of what a kill of `clone` or `delete` has left of *path*.

        Also what one that goes on works in, and snapshots that were to go with it, which come last
        and are no path. Nothing where *path* itself is there.
        """
        raise NotImplementedError

    def trash(
        self, at: str, *, sizes: bool = False, cancelled: Flag | None = None
    ) -> tuple[Trashed, ...]:
        """Return what is in the trash of the directory *at*, a base, the latest first.

        *sizes*: and what it takes of the disk, which takes a while to count. Raises
        PrivilegeError, ChrootError.
        """
        raise NotImplementedError

    def restore_trashed(self, path: str, ident: str = "", *, report: Report = ...) -> str:
        """Put the chroot that was deleted last at *path*, or *ident* of it, back there.

        With its snapshots, and enabled at boot where it was. Returns the path. Where *ident* is
        only snapshots they go to what is there. Raises ChrootError where there is none, or
        something is at *path* again; PrivilegeError, LockedError.
        """
        raise NotImplementedError

    def empty_trash(
        self,
        at: str,
        idents: Sequence[str] | None = None,
        *,
        report: Report = ...,
        cancelled: Flag | None = None,
    ) -> tuple[str, ...]:
        """Remove *idents*, None: all, from the trash of the directory *at*; return their ids.

        Never crosses a mount. Raises ChrootError for one that is not there, before any is removed;
        for one that can't be removed after the others were; BusyError, PrivilegeError, Cancelled.
        """
        raise NotImplementedError

    # -- copies, names, states to go back to -----------------------------------------------------

    def clone(
        self,
        path: str,
        new: str,
        *,
        exact: bool = False,
        report: Report = ...,
        cancelled: Flag | None = None,
    ) -> Cloned:
        """Make *new*, a path, a chroot that is as *path* is, without what is mounted on it.

        *path* may be on; that it was is warned of, unless the copy is of one moment. Without
        *exact* the copy has names of its own, no machine id and no keys of an ssh server. Events
        are about *new*. Raises ChrootError, PrivilegeError, LockedError, Cancelled; then nothing
        is left of it.
        """
        raise NotImplementedError

    def rename(self, path: str, new: str, *, report: Report = ...) -> str:
        """Give the chroot at *path* another name or place; return its new physical path.

        *new* is a path, or a plain name for where it is. Its names inside follow where they were
        ours, its snapshots do. Raises BusyError with the holders where it is on or in use,
        ChrootError where *new* is there or on another file system; then all is as before.
        """
        raise NotImplementedError

    def snapshots(self, path: str) -> tuple[TreeSnapshot, ...]:
        """Return the snapshots of a chroot, the oldest first; those too that outlived it.

        Raises PrivilegeError, ChrootError.
        """
        raise NotImplementedError

    def take_snapshot(
        self, path: str, name: str = "", *, report: Report = ..., cancelled: Flag | None = None
    ) -> TreeSnapshot:
        """Keep the present state of a chroot, called *name* or after the time; return it.

        Raises ChrootError where there is one of that name, PrivilegeError, LockedError, Cancelled.
        """
        raise NotImplementedError

    def restore_snapshot(
        self,
        path: str,
        name: str,
        *,
        keep: bool = True,
        report: Report = ...,
        cancelled: Flag | None = None,
    ) -> str:
        """Put a chroot that is off back to a snapshot, which stays.

        Returns the name of the snapshot that the state before has become, "" without *keep*: then
        it is gone. Raises BusyError with the holders, ChrootError without such a snapshot,
        Cancelled; then all is as before.
        """
        raise NotImplementedError

    def remove_snapshot(
        self, path: str, name: str, *, report: Report = ..., cancelled: Flag | None = None
    ) -> None:
        """Remove a snapshot, or what a kill or an interrupt in that has left of it.

        Raises ChrootError where there is none, LockedError, Cancelled, which says what is left.
        """
        raise NotImplementedError
