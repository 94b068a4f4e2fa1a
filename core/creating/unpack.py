"""`unpack`: a chroot out of an archive, as it was when it was packed.

Nothing is set up anew, unlike with `create --from`: it is the same chroot, its names, keys and
configuration among it. What of that acts on this host is told.
"""

from __future__ import annotations

import os

from ..archives import archive
from ..chroot import CONFIG_DIRECTORY, MARKER, is_chroot
from ..config.bind import SYSTEM
from ..config.read import read_config
from ..errors import ChrootError, ConfigError, Problem
from ..events import ignore
from ..host.mount_points import host_facts
from ..kernel.rootpath import Root
from . import identity
from .names import rename_host
from .new_chroot import new_chroot
from .progress import Teller
from .unfinished import put_in_place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from threading import Event as Flag

    from ..archives.archive import Unpacked
    from ..events import Report

_UNPACKED = 0.97


def unpack(
    path: str,
    source: str,
    report: Report = ignore,
    cancelled: Flag | None = None,
    *,
    sealed: bool = False,
    new_names: bool = False,
) -> Unpacked:
    """Unpack the archive *source*, `-` for stdin, into the chroot *path*; return what it was.

    *path* may exist where it is empty or holds only `chroot.d`, then without one in the archive.
    *sealed* and *new_names* are those of `Engine.unpack`.
    Raises what `new_chroot` and `archive.unpack` raise, ChrootError where there is no chroot in
    it; then, and when it is cancelled, *path* is as it was before.
    """
    archive.check(source)
    tell = Teller(path, report)
    tell.stage("looking at the archive", 0.0)
    with new_chroot(path, tell, "unpacking") as root:
        tree = f"{root.path}{MARKER}/root"
        tell.part(0.0, _UNPACKED)
        done = archive.unpack(
            source, tree,
            sealed=sealed, progress=lambda fraction: tell.within("unpacking", fraction),
            cancelled=cancelled,
        )  # fmt: skip
        tell.stage("putting it in place", _UNPACKED)
        _check(root, tree, source)
        flags = done.manifest.flags if done.manifest else ()
        lost = (*done.lost, *put_in_place(root, tell, is_exact=True, flags=flags))
        done = done.replace(lost=lost)
        if new_names:
            _make_its_own(root, tell, done.manifest.name if done.manifest else "")
        _tell_lost(tell, lost)
        _tell_host(tell, root)
    tell.stage("done", 1.0)
    return done


def _check(root: Root, tree: str, source: str) -> None:
    with Root(tree) as fresh:
        if not is_chroot(fresh):
            raise ChrootError(
                f"{'what came on stdin' if source == '-' else source} holds no chroot",
                "its top has neither chroot.d/ nor a system; `create --from` looks further",
            )
        is_twice = fresh.stat(CONFIG_DIRECTORY, follow=False) is not None
    if is_twice and root.stat(CONFIG_DIRECTORY, follow=False) is not None:
        raise ChrootError(
            f"{root.path}{CONFIG_DIRECTORY} is there, and the archive brings its own",
            "move yours away, and compare them afterwards",
        )


def _make_its_own(root: Root, tell: Teller, old: str) -> None:
    """Give it its own names, and take from it what must not be twice, as of a clone."""

    def warn(problem: Problem) -> None:
        tell.warn(problem.message, problem.hint)

    rename_host(root, old, os.path.basename(root.path), warn)
    identity.forget(root, root.path, warn)


def _tell_lost(tell: Teller, lost: tuple[str, ...]) -> None:
    if lost:
        more = f" (and {len(lost) - 1} more)" if len(lost) > 1 else ""
        tell.warn(f"not all could be restored: {lost[0]}{more}", "this file system may not have it")


def _tell_host(tell: Teller, root: Root) -> None:
    """Tell of what the archive brings that will act on this host."""
    command = root.stat(f"{CONFIG_DIRECTORY}/host-cmd", follow=False)
    if command is not None and command.st_mode & 0o111:
        tell.warn(
            f"{root.path}{CONFIG_DIRECTORY}/host-cmd came with it: `run` executes that out here",
            "read it, or chmod -x it, before you run anything",
        )
    try:
        binds = read_config(root, host_facts()).binds
    except ConfigError as error:
        tell.warn(f"its configuration is wrong: {error.message}", error.hint)
        return
    shown = [
        f"{bind.source} at {bind.target}"
        for bind in binds
        if bind.origin != SYSTEM and bind.fs == "bind" and not bind.ignored
    ]
    if shown:
        more = f" (and {len(shown) - 3} more)" if len(shown) > 3 else ""
        tell.warn(
            f"`on` will show it paths of this host: {', '.join(shown[:3])}{more}",
            f"chroot-tool bind list -d {root.path}",
        )
