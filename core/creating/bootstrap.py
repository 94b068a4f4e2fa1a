"""Making a Debian in a directory: checked first, built aside, put in place at the end.

Everything is built in `DIR/.chroot-tool-create/root`, whose parent nobody but root can enter and
whose presence is the marker of an unfinished create. At the end the entries of that root are moved
up into DIR, by rename, and the marker goes last. Before the first of them is moved, all their names
stand in `made` beside it; so whoever finds the marker knows exactly what is ours: a failed,
cancelled or killed create is taken back without touching anything else in DIR.

debootstrap runs in namespaces of its own, made so that nothing outlives this process: setpriv lets
the kernel kill unshare when the thread that started it ends, unshare lets it kill debootstrap,
which is process 1 of its pid namespace, with which all others in there end; the mounts go with
the namespace. So even a kill -9 leaves only the marker.
"""

from __future__ import annotations

import os
import stat

from .. import programs
from ..chroot import MARKER, MAY_BE_THERE, is_incomplete
from ..errors import Cancelled, ChrootError, PrivilegeError
from ..events import Output, Stage, Warned, ignore
from ..host import apt_sources, debian
from ..kernel.mount_table import MountTable
from ..kernel.rootpath import Root
from ..lock import Lock
from ..text import size
from .backends import Reader, arguments, packages
from .options import (
    CreateOptions,
    check_name,
    check_options,
    check_path,
    check_runnable,
    default_options,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from threading import Event as CancelEvent

    from ..errors import Problem
    from ..events import Report

__all__ = ["MARKER", "CreateOptions", "check", "create", "default_options", "describe"]

_CONFIG = "chroot.d"
_CHROOT_CMD = f"{_CONFIG}/chroot-cmd"

_NEEDED = {"minbase": 350 << 20, "important": 450 << 20, "buildd": 850 << 20}
"""Bytes at the fullest moment, with room for newer suites: bookworm took 210, 300 and 590 MB."""
_INODES = 20_000
_FULL = 1 << 20
"""Bytes below which nothing more can be made."""

_BUILD, _SETTLE = 0.02, 0.97  # where these stages begin

_ROOTED = """
mount --make-rprivate /proc && mount --rbind / /proc && mount --make-rprivate /proc || exit
root=/proc$1
shift
mount -t proc proc "$root/proc" || exit
umask 022
exec chroot "$root" "$@"
"""
"""What makes a mount namespace private from within a chroot, whose root is no mount point.

Then no call reaches the mount below, which may be shared. So its content is bound where nothing is
shared, over /proc, and that becomes the root.
"""


def _apart(root: str = "/") -> list[str]:
    """Return the words that start what follows in namespaces that end with this thread.

    *root* will be its root. The umask is the usual one, not that of whoever called us.
    """
    start = ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork"]
    start.append("--kill-child")
    if not MountTable.read().at("/"):
        return [*start, "--propagation", "unchanged", "sh", "-c", _ROOTED, "sh", root]
    return [
        *start, "--propagation", "private", f"--root={root}", "--mount-proc",
        "sh", "-c", 'umask 022; exec "$@"', "sh",
    ]  # fmt: skip


def describe(path: str, options: CreateOptions) -> tuple[str, ...]:
    """Return the lines that say what `create` would do; looks at nothing but the host's own."""
    from shlex import join

    options = default_options(options)
    more = packages(options)
    return (
        f"{options.suite} ({options.arch}, {options.variant}) in {path}",
        f"from {options.mirror or 'the mirror that ' + options.backend + ' has for it'}",
        *([f"with {', '.join(more)}"] if more else []),
        f"locale {', '.join(options.locales)}; time zone {options.timezone}",
        "no package starts a daemon until usr/sbin/policy-rc.d is removed",
        join(arguments(options, f"{path}{MARKER}/root")),
    )


def check(path: str, options: CreateOptions, cancelled: CancelEvent | None = None) -> CreateOptions:
    """Check everything that can be known before anything is written; return the whole options.

    The mirror is the one that answered, where it was open. Raises UsageError for what makes no
    sense, PrivilegeError without root, ChrootError for what this host, the place, the disk or the
    mirror stands in the way with, Cancelled.
    """
    check_name(os.path.basename(path))
    check_path(path)
    check_options(options)
    if os.geteuid():
        raise PrivilegeError("creating a chroot needs root", "run as root")
    options = default_options(options)
    check_options(options)
    for program in (options.backend, "setpriv", "unshare"):
        programs.require(program)
    check_runnable(options.arch, debian.architecture())
    _check_place(path)
    _check_disk(path, options.variant)
    return _checked_mirror(options, cancelled)


def create(
    path: str,
    options: CreateOptions,
    report: Report = ignore,
    cancelled: CancelEvent | None = None,
) -> None:
    """Make the Debian of *options* in *path*, an absolute path; report stages and output.

    An unfinished create that stands there is taken back first. Raises what `check` raises,
    LockedError, and ChrootError with the cause where it fails; then, and when it is cancelled,
    *path* is as it was before.
    """
    check_name(os.path.basename(path))
    check_path(path)
    check_options(options)
    report(Stage(path, "checking", 0.0))
    options = check(path, options, cancelled)
    made = _make_directories(path)
    try:
        with Lock(path), Root(path) as root:
            check_path(root.path)
            _check_content(root)
            _take_back(root)
            try:
                _build(root, options, _Teller(path, report), cancelled)
                _put_in_place(root)
            except BaseException:
                report(Stage(path, "removing what was made"))
                _take_back(root)
                raise
    except BaseException as error:
        _unmake_directories(made)
        if isinstance(error, OSError):
            raise _explained(error, path) from error
        if isinstance(error, Cancelled):
            raise Cancelled(f"creating {path} was interrupted; what it had made is gone") from error
        raise
    report(Stage(path, "done", 1.0))


class _Teller:
    """Turns what the stages say into events of one chroot."""

    def __init__(self, path: str, report: Report) -> None:
        self._path = path
        self._report = report

    def build(self, text: str, fraction: float) -> None:
        self._report(Stage(self._path, text, round(_BUILD + (_SETTLE - _BUILD) * fraction, 3)))

    def stage(self, text: str, fraction: float) -> None:
        self._report(Stage(self._path, text, fraction))

    def line(self, line: str) -> None:
        self._report(Output(self._path, line))

    def warn(self, problem: Problem) -> None:
        self._report(Warned(self._path, problem))


# -- checks ---------------------------------------------------------------------------------------


def _existing(path: str) -> str:
    """Return *path*, or the nearest directory above it that exists."""
    while not os.path.lexists(path):
        path = os.path.dirname(path)
    return path


def _check_place(path: str) -> None:
    there = _existing(path)
    try:
        with Root(there) as root:
            if there == path:
                _check_content(root)
            _check_mount(root)
    except NotADirectoryError:
        raise ChrootError(f"{there} is no directory", "choose another place") from None
    except OSError as error:
        raise ChrootError(f"{there}: {error.strerror}") from error


def _check_content(root: Root) -> None:
    ours = set(_made_names(root)) | {MARKER.strip("/")} if is_incomplete(root) else set()
    fd = root.open("/", os.O_RDONLY | os.O_DIRECTORY)
    try:
        other = sorted(set(os.listdir(fd)) - ours - MAY_BE_THERE)
    finally:
        os.close(fd)
    if other:
        more = f" and {len(other) - 1} more" if len(other) > 1 else ""
        raise ChrootError(
            f"{root.path} is not empty: it holds {other[0]!r}{more}",
            "choose another place; only chroot.d/ may be there before",
        )
    config = root.stat("/" + _CONFIG, follow=False)
    if config is not None and not stat.S_ISDIR(config.st_mode):
        raise ChrootError(f"{root.path}/{_CONFIG} is no directory", "move it away")


def _check_mount(root: Root) -> None:
    """Refuse a file system whose mount options would break the system on it."""
    flags = os.fstatvfs(root.fd).f_flag
    bad = {
        "ro": (os.ST_RDONLY, "nothing can be written"),
        "nodev": (os.ST_NODEV, "its device files do not work"),
        "noexec": (os.ST_NOEXEC, "none of its programs can run"),
        "nosuid": (os.ST_NOSUID, "su and sudo do not work"),
    }
    for option, (flag, effect) in bad.items():
        if flags & flag:
            point = _mount_point(root.path)
            other = {"ro": "rw", "nodev": "dev", "noexec": "exec", "nosuid": "suid"}[option]
            raise ChrootError(
                f"{point} is mounted {option}: a chroot there is of no use, {effect}",
                f"mount -o remount,{other} {point}, or choose another place",
            )


def _mount_point(path: str) -> str:
    table = MountTable.read()
    while path != "/" and not table.at(path):
        path = os.path.dirname(path)
    return path


def _check_disk(path: str, variant: str) -> None:
    there = _existing(path)
    disk = os.statvfs(there)
    free, needed = disk.f_bavail * disk.f_frsize, _NEEDED[variant]
    if free < needed:
        raise ChrootError(
            f"not enough space for {path}: about {size(needed)} are needed, {size(free)} are free",
            f"free some on {_mount_point(os.path.abspath(there))}, or choose another place",
        )
    if disk.f_files and disk.f_favail < _INODES:  # btrfs and others count none
        raise ChrootError(
            f"not enough inodes for {path}: about {_INODES} are needed, {disk.f_favail} are free",
            "delete small files there, or choose another place",
        )


def _is_full(path: str) -> bool:
    """Tell whether the file system at *path* is full: wget's word for it is lost in debootstrap."""
    disk = os.statvfs(path)
    return disk.f_bavail * disk.f_frsize < _FULL or (disk.f_files > 0 and not disk.f_favail)


def _checked_mirror(options: CreateOptions, cancelled: CancelEvent | None) -> CreateOptions:
    """Ask the mirror; return *options* with the one that has the suite."""
    from . import mirror

    keys = mirror.keyring(options.suite)
    mirrors = (options.mirror,) if options.mirror else mirror.default_mirrors(options.suite)
    if not mirrors:
        return options  # mmdebstrap without debootstrap's files knows its own
    release = mirror.find_release(mirrors, options.suite, cancelled)
    mirror.check_release(release, options.arch)
    mirror.check_signature(release, keys)
    return options.replace(mirror=release.mirror)


# -- building -------------------------------------------------------------------------------------


def _build(
    root: Root, options: CreateOptions, tell: _Teller, cancelled: CancelEvent | None
) -> None:
    """Build the whole system in the marker directory of *root*."""
    from .initial_setup import set_up, write_chroot_cmd
    from .mirror import keyring

    marker = f"{root.path}{MARKER}"
    os.mkdir(marker, 0o700)
    os.mkdir(f"{marker}/root")
    os.chmod(f"{marker}/root", 0o755)
    reader = Reader(options.backend, tell.build, tell.line)
    argv = arguments(options, f"{marker}/root", keyring(options.suite))
    # grace 0: nothing of what it would tidy up on TERM outlives the namespace anyway.
    done = programs.run(
        [*_apart(), *argv],
        on_line=reader.line, on_side=reader.side, cancelled=cancelled, grace=0.0,
    )  # fmt: skip
    if done.code:
        raise reader.failed(done.code, full=_is_full(marker))

    def run_inside(words: Sequence[str]) -> None:
        said: list[str] = []

        def line(text: str) -> None:
            said.append(text)
            tell.line(text)

        argv = [*_apart(fresh.path), *words]
        code = programs.run(argv, on_line=line, cancelled=cancelled, grace=0.0).code
        if code:
            raise ChrootError(f"{words[0]} failed inside: {said[-1] if said else f'code {code}'}")

    tell.stage("setting it up", _SETTLE)
    with Root(f"{marker}/root") as fresh:
        name = os.path.basename(root.path)
        set_up(fresh, name, options, apt_sources.sources(), run_inside, tell.warn)
        if root.stat("/" + _CONFIG, follow=False) is None:
            write_chroot_cmd(fresh)


def _put_in_place(root: Root) -> None:
    """Move the finished system up into DIR; the marker goes last."""
    from .initial_setup import write_chroot_cmd

    home = root.open("/", os.O_RDONLY | os.O_DIRECTORY)
    fresh = root.open(f"{MARKER}/root", os.O_RDONLY | os.O_DIRECTORY, follow=False)
    try:
        names = os.listdir(fresh)
        add_command = root.stat("/" + _CHROOT_CMD, follow=False) is None and _CONFIG not in names
        _note_made(root, [*names, *([_CHROOT_CMD] if add_command else [])])
        for name in names:
            os.rename(name, name, src_dir_fd=fresh, dst_dir_fd=home)
        if add_command:
            write_chroot_cmd(root)
        top = os.fstat(fresh)
        os.fchown(home, top.st_uid, top.st_gid)
        os.fchmod(home, stat.S_IMODE(top.st_mode))  # it is / inside now: all must get in
    finally:
        os.close(fresh)
        os.close(home)
    # Its name is what says "unfinished": one rename ends that, whatever happens then.
    over = f"{root.path}{MARKER}-over"
    os.rename(f"{root.path}{MARKER}", over)
    os.rmdir(f"{over}/root")
    os.unlink(f"{over}/made")
    os.rmdir(over)


def _note_made(root: Root, names: list[str]) -> None:
    data = "\0".join(names).encode("utf-8", "surrogateescape")
    root.write(f"{MARKER}/made", data, 0o600)


def _made_names(root: Root) -> list[str]:
    """Return what an unfinished create has, or may have, put into DIR."""
    try:
        text = root.read(f"{MARKER}/made").decode("utf-8", "surrogateescape")
    except OSError:
        return []
    return [name for name in text.split("\0") if name not in ("", ".", "..")]


def _take_back(root: Root) -> None:
    """Delete what an unfinished create has made in DIR; the marker goes last."""
    from ..trees.remove import tree

    if not is_incomplete(root):
        return
    for name in [*_made_names(root), MARKER]:
        directory, _, last = name.rpartition("/")
        try:
            parent = root.open(f"/{directory}", os.O_RDONLY | os.O_DIRECTORY, follow=False)
        except OSError:
            continue
        try:
            tree(parent, last)
        except FileNotFoundError:
            pass  # noted, but not moved yet
        finally:
            os.close(parent)


# -- DIR itself -----------------------------------------------------------------------------------


def _make_directories(path: str) -> list[str]:
    """Make *path* and what is missing above it; return what was made, topmost first."""
    missing = []
    while not os.path.lexists(path):
        missing.append(path)
        path = os.path.dirname(path)
    made: list[str] = []
    try:
        for directory in reversed(missing):
            os.mkdir(directory)
            made.append(directory)
            os.chmod(directory, 0o755)  # whatever the umask is
    except OSError as error:
        _unmake_directories(made)
        raise _explained(error, directory) from error
    return made


def _unmake_directories(made: list[str]) -> None:
    for directory in reversed(made):
        try:
            os.rmdir(directory)
        except OSError:
            return  # somebody put something there meanwhile


def _explained(error: OSError, path: str) -> ChrootError:
    where = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else path
    return ChrootError(f"cannot write {where}: {error.strerror}")
