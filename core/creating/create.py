"""Making a Debian in a directory: checked first, built aside, put in place at the end.

Where it is built, and how it is taken back, is in `unfinished`; where the tree comes from, in
`supply`; what is put into it then, in `initial_setup`.
"""

from __future__ import annotations

import os

from .. import programs
from ..chroot import CONFIG_DIRECTORY, MARKER
from ..errors import ChrootError
from ..events import ignore
from ..host import debian
from ..host.apt import Apt
from ..kernel.rootpath import Root
from ..need_root import need_root
from . import mirror
from .backends import arguments, packages
from .base_or_bootstrap import supply
from .bases import keeping
from .bases.store import Base, Cache
from .bootstrap import checked_release, run_inside
from .directory import check_disk, check_place
from .names import check_name
from .namespaces import PROGRAMS
from .new_chroot import new_chroot
from .options import check_options, check_path, check_runnable, default_options
from .progress import Teller
from .unfinished import put_in_place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from threading import Event as CancelEvent

    from ..errors import Problem
    from ..events import Report
    from ..host.apt_sources import Source
    from .bases.keeping import CreateRequest
    from .options import CreateOptions

_USUAL = Cache()
_SET_UP = 0.97  # where setting up begins


def describe(path: str, options: CreateOptions, cache: Cache) -> tuple[str, ...]:
    """Return the lines that say what `create` would do; looks at nothing but the host's own.

    *options* are whole.
    """
    from shlex import join

    more = packages(options)
    base = _base(options, cache)
    made = join(arguments(options, f"{path}{MARKER}/root"))
    return (
        f"{options.suite} ({options.arch}, {options.variant}) in {path}",
        f"from {mirror.without_password(options.mirror) or _own_mirror(options)}",
        *([f"with {', '.join(more)}"] if more else []),
        f"locale {', '.join(options.locales)}; time zone {options.timezone}",
        "no package starts a daemon until usr/sbin/policy-rc.d is removed",
        f"unpacked from a base made {keeping.age(base.facts.made)}" if base else made,
    )


def _own_mirror(options: CreateOptions) -> str:
    return f"the mirror that {options.backend} has for it"


def _base(options: CreateOptions, cache: Cache) -> Base | None:
    """Return the base that would serve; None also where bases cannot be looked at."""
    try:
        return keeping.find(options, cache)
    except (ChrootError, OSError):
        return None  # `create` tells it, and makes what is wanted all the same


def checked(
    path: str,
    options: CreateOptions,
    cache: Cache,
    cancelled: CancelEvent | None = None,
    apt: Apt | None = None,
) -> CreateRequest:
    """Check everything that can be known before anything is written; return what to make.

    *apt* is what the host's was asked already.

    The mirror is asked only where no base is there. Raises UsageError for what makes no sense,
    PrivilegeError without root, ChrootError for what this host, the place, the disk or the mirror
    stands in the way with, Cancelled.
    """
    if apt is None:
        with Apt(options.proxy) as asked:
            return checked(path, options, cache, cancelled, asked)
    check_name(os.path.basename(path))
    check_path(path)
    check_options(options)
    need_root("creating a chroot")
    own = debian.architecture()
    options = options.replace(arch=options.arch or own)
    options = default_options(options, sources=apt.sources)
    check_options(options)
    for program in PROGRAMS:
        programs.require(program)
    check_runnable(options.arch, own)
    check_place(path)
    check_disk(path, options.variant)
    proxies = apt.proxies()
    tree = f"{path}{MARKER}/root"
    if _base(options, cache):
        return keeping.CreateRequest(tree, options, proxies, cache)
    if options.offline:
        raise keeping.no_base(options)
    programs.require(options.backend)
    release = checked_release(options, proxies, cancelled)
    return keeping.CreateRequest(tree, options, proxies, cache, release)


def create(
    path: str,
    options: CreateOptions,
    report: Report = ignore,
    cancelled: CancelEvent | None = None,
    cache: Cache = _USUAL,
) -> None:
    """Make the Debian of *options* in *path*, an absolute path; report stages and output.

    An unfinished create that stands there is taken back first. Raises what `checked` raises,
    LockedError, and ChrootError with the cause where it fails; then, and when it is cancelled,
    *path* is as it was before.
    """
    tell = Teller(path, report)
    tell.stage("checking")
    with Apt(options.proxy) as apt:
        wanted = checked(path, options, cache, cancelled, apt)
        with new_chroot(path, tell, "creating") as root:
            check_path(root.path)
            wanted = wanted.replace(tree=f"{root.path}{MARKER}/root")
            from_base = supply(wanted, tell, cancelled)
            tell.stage("setting it up", _SET_UP)
            _set_up(root, wanted, apt.sources(), tell, cancelled, renew=from_base)
            put_in_place(root, tell)
    tell.stage("done", 1.0)


def _set_up(
    root: Root,
    wanted: CreateRequest,
    sources: Sequence[Source],
    tell: Teller,
    cancelled: CancelEvent | None,
    *,
    renew: bool,
) -> None:
    """Put into the built system what is the host's and what is its own."""
    from . import identity
    from .initial_setup import mirrors_in, set_up, write_chroot_cmd, write_proxy

    def inside(words: Sequence[str]) -> None:
        run_inside(fresh.path, words, tell, cancelled)

    def warn(problem: Problem) -> None:
        tell.warn(problem.message, problem.hint)

    options = wanted.options
    with Root(wanted.tree) as fresh:
        if renew:
            identity.renew(fresh, inside)
        name = os.path.basename(root.path)
        set_up(fresh, name, options, sources, inside, warn)
        proxies = wanted.proxies
        if options.offline:
            proxies = proxies.replace(detectors=())  # they ask the network
        try:
            write_proxy(fresh, proxies.apt_lines(mirrors_in(fresh)))
        except ChrootError as error:
            tell.warn(f"{root.path}/etc/apt says nothing of the proxy: {error.message}", error.hint)
        if root.stat(CONFIG_DIRECTORY, follow=False) is None:
            write_chroot_cmd(fresh)
