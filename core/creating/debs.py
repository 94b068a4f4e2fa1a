"""What `debootstrap --make-tarball` writes: packages, not a system; debootstrap makes one of them.

debootstrap unpacks such a tarball itself, as root and into the place where it works, and then
writes below etc/ and dev/ there from outside. So it is given one of our own making, after it has
been seen that there is nothing in it but plain files where they belong.
"""

from __future__ import annotations

import os
import stat

from .. import programs
from ..archives import archive
from ..errors import ChrootError
from ..host import debian
from ..kernel.rootpath import Root
from ..trees import remove
from .backends import Reader, arguments
from .directory import is_full
from .namespaces import PROGRAMS, apart
from .options import (
    BACKENDS,
    CreateOptions,
    check_arch,
    check_mirror,
    check_path,
    check_runnable,
    check_suite,
    check_variant,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from threading import Event as Flag

    from .progress import Teller

_TELLTALES = ("/debootstrap/required", "/debootstrap/debpaths", "/debootstrap/suite")
_BELONGS = ("debootstrap", "var")
_OURS = "debs.tar"
_WORD_LIMIT = 100
_LIST_LIMIT = 1 << 20


def is_debs(fresh: Root) -> bool:
    """Tell whether what was unpacked into *fresh* are packages for debootstrap."""
    return all(fresh.stat(name, links=False) is not None for name in _TELLTALES)


def install(marker: str, called: str, tell: Teller, cancelled: Flag | None) -> None:
    """Make a system in `marker/root` of the packages that are there.

    *called* is the tarball's name. Raises ChrootError, UsageError, Cancelled.
    """
    tree = f"{marker}/root"
    for program in (BACKENDS[0], *PROGRAMS):
        programs.require(program)
    check_path(marker)  # debootstrap cannot work with every name
    _refuse_all_but_files(tree, called)
    with Root(tree) as fresh:
        options = CreateOptions(
            suite=_word(fresh, "suite"), arch=_word(fresh, "arch"),
            variant=_word(fresh, "variant") or "important", backend=BACKENDS[0],
            mirror=_mirror(fresh),
        )  # fmt: skip
    check_suite(options.suite)
    check_arch(options.arch)
    check_variant(options.variant)
    if options.mirror:
        check_mirror(options.mirror)
    check_runnable(options.arch, debian.architecture())
    ours = f"{marker}/{_OURS}"
    archive.pack(tree, ours, cancelled=cancelled)
    fd = os.open(marker, os.O_RDONLY | os.O_DIRECTORY)
    try:
        remove.tree(fd, "root")
        os.mkdir("root", 0o755, dir_fd=fd)
        _debootstrap(options, tree, ours, tell, cancelled)
        os.unlink(_OURS, dir_fd=fd)
    finally:
        os.close(fd)


def _debootstrap(
    options: CreateOptions, tree: str, ours: str, tell: Teller, cancelled: Flag | None
) -> None:
    from .bootstrap import drop_downloads

    reader = Reader(options.backend, tell.within, tell.line, options.suite)
    program, *words = arguments(options, tree)
    done = programs.run(
        [*apart(), program, f"--unpack-tarball={ours}", *words],
        on_line=reader.line, on_side=reader.side, cancelled=cancelled, grace=0.0,
    )  # fmt: skip
    if done.code:
        raise reader.failed(done.code, full=is_full(tree))
    with Root(tree) as root:
        drop_downloads(root)


def _refuse_all_but_files(tree: str, called: str) -> None:
    """See that no link and no device is there that debootstrap would write through."""
    for folder, folders, files in os.walk(tree, followlinks=False):
        if folder == tree:
            other = sorted({*folders, *files} - {*_BELONGS})
            if other:
                raise _strange(called, other[0])
        for name in (*folders, *files):
            mode = os.lstat(f"{folder}/{name}").st_mode
            if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
                raise _strange(called, f"{folder}/{name}".removeprefix(f"{tree}/"))


def _strange(called: str, name: str) -> ChrootError:
    return ChrootError(
        f"{called} is not as debootstrap makes them: it holds {name}",
        "make it anew with debootstrap --make-tarball",
    )


def _mirror(fresh: Root) -> str:
    """Return where the packages are from: debootstrap names its lists by it, and wants it again."""
    # A line of deburis is: name version address.
    words = _word(fresh, "deburis", _LIST_LIMIT).partition("\n")[0].split()
    address, separator, _ = words[-1].partition("/pool/") if words else ("", "", "")
    return address if separator else ""


def _word(fresh: Root, name: str, limit: int = _WORD_LIMIT) -> str:
    try:
        return fresh.read(f"/debootstrap/{name}", limit).decode("ascii", "replace").strip()
    except OSError:
        return ""
