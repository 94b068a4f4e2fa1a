"""Bootstrapping a tree: the mirror is asked, then debootstrap or mmdebstrap fills the directory.

They run in namespaces of their own (`namespaces`), so that nothing of them outlives this process.
"""

from __future__ import annotations

import os

from .. import programs
from ..errors import ChrootError
from ..host import apt_proxy
from ..kernel.rootpath import Root
from . import mirror
from .backends import Reader, arguments
from .directory import is_full
from .namespaces import apart

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from threading import Event as CancelEvent

    from ..host.apt_proxy import Proxies
    from .options import CreateOptions
    from .progress import Teller


def mirrors_of(options: CreateOptions) -> tuple[str, ...]:
    """Return the mirrors that may have what is asked for; () where only the back end knows any."""
    return (options.mirror,) if options.mirror else mirror.default_mirrors(options.suite)


def checked_release(
    options: CreateOptions, proxies: Proxies, cancelled: CancelEvent | None
) -> mirror.Release | None:
    """Ask the mirror; return what it says of the suite, None where no mirror is known.

    Raises ChrootError where it has not what is wanted, or nothing that can be trusted.
    """
    keys = mirror.keyring(options.suite)
    mirrors = mirrors_of(options)
    if not mirrors:
        return None  # mmdebstrap without debootstrap's files knows its own
    release = mirror.find_release(mirrors, options.suite, cancelled, proxies)
    mirror.check_release(release, options.arch)
    mirror.check_signature(release, keys)
    return release


def bootstrap(
    tree: str,
    options: CreateOptions,
    release: mirror.Release | None,
    proxies: Proxies,
    tell: Teller,
    cancelled: CancelEvent | None,
) -> None:
    """Make the system of *options* in the empty directory *tree*, and nothing of the host's in it.

    Raises ChrootError with the cause where it fails, Cancelled.
    """
    if release:
        options = options.replace(mirror=release.mirror)
    reader = Reader(options.backend, tell.within, tell.line, options.suite)
    codename = release.field("Codename") if release else ""
    argv = arguments(options, tree, mirror.keyring(options.suite), codename)
    proxy = proxies.for_address(options.mirror) if options.mirror else ""
    # grace 0: nothing of what it would tidy up on TERM outlives the namespace anyway.
    done = programs.run(
        [*apart(), *argv], env=apt_proxy.environment(proxy),
        on_line=reader.line, on_side=reader.side, cancelled=cancelled, grace=0.0,
    )  # fmt: skip
    if done.code:
        raise reader.failed(done.code, full=is_full(tree))
    with Root(tree) as root:
        drop_downloads(root)


def run_inside(
    tree: str,
    words: Sequence[str],
    tell: Teller,
    cancelled: CancelEvent | None,
    proxy: str = "",
) -> list[str]:
    """Run a program of the new system in *tree*; return what it printed.

    Raises ChrootError where it fails, Cancelled.
    """
    said: list[str] = []

    def line(text: str) -> None:
        said.append(text)
        tell.line(text)

    argv, env = [*apart(tree), *words], apt_proxy.environment(proxy)
    code = programs.run(argv, env=env, on_line=line, cancelled=cancelled, grace=0.0).code
    if code:
        raise ChrootError(f"{words[0]} failed inside: {said[-1] if said else f'code {code}'}")
    return said


def drop_downloads(root: Root) -> None:
    """Delete the packages that were downloaded; debootstrap leaves 30 MB of them."""
    try:
        fd = root.open("/var/cache/apt/archives", os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return
    try:
        for name in os.listdir(fd):
            if name.endswith(".deb"):
                os.unlink(name, dir_fd=fd)
    finally:
        os.close(fd)
