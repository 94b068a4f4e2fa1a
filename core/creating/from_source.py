"""`create --from`: a new chroot of an archive, a directory or an image.

What `unpack` gives back as it was, this makes a system of its own from: it gets its name, its id
and keys, name servers, and what a Debian needs to be worked in, as far as it has none. The source
may be of anybody's making, so what in it would act on this host (`chroot.d/host-cmd`, binds) is
put aside, under a name that nobody reads.
"""

from __future__ import annotations

import os

from ..archives import archive
from ..archives.compression import is_archive_name
from ..chroot import CONFIG_DIRECTORY, MARKER, has_system
from ..errors import ChrootError, Problem, UsageError
from ..events import ignore
from ..kernel.rootpath import Root
from ..trees import remove
from ..trees.copy_size import measure
from ..trees.copy_tree import TreeCopy, bare
from . import identity, images
from .bootstrap import run_inside
from .directory import existing
from .initial_setup import no_locales, set_up_copy
from .new_chroot import new_chroot
from .options import check_options
from .progress import Teller
from .unfinished import put_in_place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from threading import Event as Flag

    from ..events import Report
    from .options import CreateOptions

_SUPPLIED, _SET_UP, _PUT = 0.9, 0.95, 0.97
_ENTRY = 16 << 10
"""Bytes of content that take as long to copy as one more file."""
_NOT_WITH = ("suite", "mirror", "variant", "include", "backend")
_ACTS_ON_HOST = ("host-cmd", "tool.conf", "chroot.toml", "conf.sh")
_ASIDE = ".from-source"
_DOCKER = ".dockerenv"


def check(options: CreateOptions) -> None:
    """Check what can be known before anything is written. Raises UsageError, ChrootError."""
    for name in _NOT_WITH:
        if getattr(options, name):
            raise UsageError(
                f"--{name} has no meaning with --from: what it is stands in the source",
                "leave one of both out",
            )
    check_options(options)
    source = options.source
    if images.is_image(source):
        images.check(source)
    elif source != archive.STDIN and not os.path.exists(source):
        hint = f"an image of a registry: docker://{source}"
        if "/" in source or is_archive_name(source):
            hint = "--from takes an archive, a directory, - for stdin, or an image (docker://…)"
        raise ChrootError(f"{source} does not exist", hint)
    elif os.path.isdir(source):
        _check_locales(source, options.locales)


def _check_locales(source: str, locales: Sequence[str]) -> None:
    """Refuse a locale that the system in the directory *source* cannot make."""
    try:
        with Root(source) as opened:
            problem = no_locales(opened, locales) if has_system(opened) else None
    except OSError:
        return  # reading it says why
    if problem:
        raise ChrootError(f"{source}: {problem.message}", problem.hint)


def create(
    path: str, options: CreateOptions, report: Report = ignore, cancelled: Flag | None = None
) -> None:
    """Make the chroot *path* of `options.source`.

    Raises UsageError, PrivilegeError, LockedError, ChrootError where the source is none or holds
    no system, Cancelled; then *path* is as it was before.
    """
    tell = Teller(path, report)
    tell.stage("looking at the source", 0.0)
    check(options)
    _refuse_itself(path, options.source)
    with new_chroot(path, tell, "creating") as root:
        marker = f"{root.path}{MARKER}"
        tell.part(0.0, _SUPPLIED)
        _supply(options, marker, tell, cancelled)
        _make_sense(options.source, marker, tell, cancelled)
        tell.stage("setting it up", _SET_UP)
        with Root(f"{marker}/root") as fresh:
            if not has_system(fresh):
                raise _no_system(fresh, options.source)
            _set_up(root, fresh, options, tell, cancelled)
        tell.stage("putting it in place", _PUT)
        put_in_place(root, tell)
    tell.stage("done", 1.0)


def _refuse_itself(path: str, source: str) -> None:
    """Refuse a directory that the new chroot would be in: it would be copied into itself."""
    if not os.path.isdir(source) or images.is_image(source):
        return
    with Root(source) as opened, Root(existing(path)) as there:
        whole = f"{opened.path.rstrip('/')}/"
        if f"{there.path}/".startswith(whole):
            raise UsageError(
                f"{path} would be in {source}, of which it is made", "choose another place with -d"
            )


def describe(path: str, options: CreateOptions) -> tuple[str, ...]:
    """Return the lines that say what `create` would do. Raises what `check` raises."""
    check(options)
    return (
        f"{options.source} as a new chroot in {path}",
        "it gets its own name, machine id and ssh host keys, and this host's name servers",
        f"what in its chroot.d acts on this host is put aside as NAME{_ASIDE}",
    )


def _supply(options: CreateOptions, marker: str, tell: Teller, cancelled: Flag | None) -> None:
    source, tree = options.source, f"{marker}/root"
    if images.is_image(source):
        tell.within("fetching the image", 0.0)
        images.fetch(source, marker, tree, arch=options.arch, said=tell.line, cancelled=cancelled)
        return

    if source != archive.STDIN and os.path.isdir(source):
        lost = _copy(source, tree, tell, cancelled)
    else:
        lost = archive.unpack(
            source, tree,
            progress=lambda fraction: tell.within("unpacking", fraction), cancelled=cancelled,
        ).lost  # fmt: skip
    if lost:
        tell.warn(f"not all could be kept: {lost[0]}", "this file system may not have it")


def _copy(source: str, tree: str, tell: Teller, cancelled: Flag | None) -> tuple[str, ...]:
    """Copy a directory without what is mounted on it; return what could not be kept."""
    with Root(source) as opened:
        view = bare(opened.fd, source)
    try:
        tell.within("copying", 0.0)
        total = measure(view, cancelled)
        whole = max(total.size + total.entries * _ENTRY, 1)

        steps = archive.in_steps(lambda fraction: tell.within("copying", fraction))

        def progress(entries: int, content: int) -> None:
            steps(min((content + entries * _ENTRY) / whole, 1.0))

        target = os.open(tree, os.O_RDONLY | os.O_DIRECTORY)
        try:
            copying = TreeCopy(view, target, progress=progress, cancelled=cancelled)
            return copying.run().not_kept
        finally:
            os.close(target)
    finally:
        os.close(view)


def _make_sense(source: str, marker: str, tell: Teller, cancelled: Flag | None) -> None:
    """Make a system of what was supplied, where that is not one at its top yet."""
    from . import debs

    with Root(f"{marker}/root") as fresh:
        if not debs.is_debs(fresh):
            _descend(marker)
            return
    tell.part(_SUPPLIED, _SET_UP)
    debs.install(marker, source, tell, cancelled)


def _descend(marker: str) -> None:
    """Take the one directory in an archive for the system where the top is none."""
    with Root(f"{marker}/root") as fresh:
        if has_system(fresh):
            return
        fd = fresh.open("/", os.O_RDONLY | os.O_DIRECTORY)
        try:
            names = os.listdir(fd)
        finally:
            os.close(fd)
        if len(names) != 1 or fresh.stat(f"/{names[0]}", links=False) is None:
            return
        inner = f"{fresh.path}/{names[0]}"
        if os.path.islink(inner) or not os.path.isdir(inner):
            return
    with Root(inner) as below:
        if not has_system(below):
            return
    os.rename(inner, f"{marker}/inner")
    os.rmdir(f"{marker}/root")
    os.rename(f"{marker}/inner", f"{marker}/root")


def _no_system(fresh: Root, source: str) -> ChrootError:
    hint = "a root file system has bin/sh: look with tar -t"
    if fresh.stat("/manifest.json") is not None:
        hint = f"docker save wrote that: --from docker-archive:{source}"
    elif fresh.stat("/oci-layout") is not None:
        kind = "oci" if os.path.isdir(source) else "oci-archive"
        hint = f"that is an image: --from {kind}:{source}"
    return ChrootError(f"{source} holds no system: there is no shell in it", hint)


def _set_up(
    root: Root, fresh: Root, options: CreateOptions, tell: Teller, cancelled: Flag | None
) -> None:
    def inside(words: Sequence[str]) -> None:
        run_inside(fresh.path, words, tell, cancelled)

    def warn(problem: Problem) -> None:
        tell.warn(problem.message, problem.hint)

    _put_aside(root, fresh, tell)
    top = os.open(fresh.path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if fresh.stat(f"/{_DOCKER}", follow=False) is not None:  # it would be taken for docker
            os.unlink(_DOCKER, dir_fd=top)
    finally:
        os.close(top)
    identity.forget(fresh, root.path, warn)
    set_up_copy(fresh, os.path.basename(root.path), options, inside, warn)


def _put_aside(root: Root, fresh: Root, tell: Teller) -> None:
    """Let nothing of the source act on this host: what would is renamed, and told."""
    if fresh.stat(CONFIG_DIRECTORY, follow=False) is None:
        return
    if root.stat(CONFIG_DIRECTORY, follow=False) is not None:
        top = os.open(fresh.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            remove.tree(top, CONFIG_DIRECTORY.lstrip("/"))
        finally:
            os.close(top)
        tell.warn(f"{root.path}{CONFIG_DIRECTORY} is kept; the source's own was left out")
        return
    try:
        fd = fresh.open(CONFIG_DIRECTORY, os.O_RDONLY | os.O_DIRECTORY, follow=False)
    except OSError as error:
        raise ChrootError(f"its chroot.d is no directory: {error.strerror}") from error
    try:
        aside = [name for name in _ACTS_ON_HOST if name in os.listdir(fd)]
        for name in aside:
            os.rename(name, name + _ASIDE, src_dir_fd=fd, dst_dir_fd=fd)
    finally:
        os.close(fd)
    if aside:
        tell.warn(
            f"put aside, since it acts on this host: {', '.join(aside)} in chroot.d",
            f"read it, then rename it back from NAME{_ASIDE}",
        )
