"""`pack` and `unpack`: a chroot into an archive or an image, and out of one."""

from __future__ import annotations

import os
import time

from ..chroot import is_incomplete, open_chroot, refuse_silent, unfinished
from ..config.read import read_config
from ..errors import Cancelled, ChrootError, Problem, UsageError
from ..events import Stage, Warned, ignore
from ..host.mount_points import host_facts
from ..kernel.mount_table import MountTable
from ..kernel.rootpath import Root
from ..lock import Lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from threading import Event as Flag

    from ..archives.archive import Packed, Unpacked
    from ..archives.manifest import Manifest
    from ..archives.writing import Owner
    from ..events import Report

_SHOWN = 3


def pack(
    path: str,
    output: str,
    *,
    exclude: Sequence[str] = (),
    everything: bool = False,
    oci: bool = False,
    checksum: bool = False,
    owner: Owner | None = None,
    report: Report = ignore,
    cancelled: Flag | None = None,
) -> Packed:
    """As `Engine.pack`. What is written is *owner*'s, where there is one."""
    from ..archives import archive
    from ..archives import oci as images
    from ..archives.writing import forget_parts

    if oci and (checksum or output == archive.STDOUT):
        raise UsageError(
            "an OCI layout is a directory: it has no checksum of its own, and goes to no stdout",
            "its blobs are called by their checksums",
        )
    with open_chroot(path) as root, Lock(root.path, shared=True):
        if is_incomplete(root):
            problem = unfinished(root)
            raise ChrootError(f"{root.path} is incomplete: {problem.message}", problem.hint)
        config = read_config(root, host_facts())
        mounted = _mounted(root)
        _tell_on(root, mounted, report)
        if output != archive.STDOUT:
            forget_parts(os.path.dirname(os.path.abspath(output)), os.path.basename(root.path))
        report(Stage(root.path, "looking at what is to be packed", 0.0))
        progress = _progress(root.path, report)
        left_out = (*(() if everything else config.exclude), *exclude)
        said = _manifest(root, mounted)
        try:
            if oci:
                image = images.Image(
                    said.arch, (_shell(root),), said.date, f"chroot-tool {said.version}"
                )
                done = images.pack_image(
                    root.path, output, image,
                    exclude=left_out, owner=owner,
                    progress=progress, cancelled=cancelled, report=report,
                )  # fmt: skip
            else:
                done = archive.pack(
                    root.path, output, exclude=left_out, manifest=said,
                    checksum=checksum, owner=owner, progress=progress, cancelled=cancelled,
                )  # fmt: skip
        except Cancelled as error:
            raise _interrupted(root.path, output) from error
        for one in done.missing:
            if one in exclude:  # somebody has typed it
                report(Warned(root.path, Problem(f"{one} is not there to be left out")))
        _tell_changed(root.path, done.changed, report)
        report(Stage(root.path, "done", 1.0))
        return done


def _interrupted(path: str, output: str) -> Cancelled:
    """Return what is said to whoever interrupted it: what has become of *output*."""
    if output == "-":
        left = "what came of it on stdout is no archive"
    elif os.path.lexists(output):  # what is finished is put in place after the last look
        left = f"{output} is as it was before"
    else:
        left = f"nothing is left of {output}"
    return Cancelled(f"packing {path} was interrupted; {left}")


def unpack(
    path: str,
    source: str,
    *,
    sealed: bool = False,
    new_names: bool = False,
    report: Report = ignore,
    cancelled: Flag | None = None,
) -> Unpacked:
    """As `Engine.unpack`."""
    refuse_silent(path, source)
    from ..creating import unpack

    return unpack.unpack(path, source, report, cancelled, sealed=sealed, new_names=new_names)


def _progress(path: str, report: Report) -> Callable[[float], None]:
    return lambda fraction: report(Stage(path, "packing", round(fraction, 3)))


def _mounted(root: Root) -> tuple[str, ...]:
    table = MountTable.read()
    prefix = root.path.rstrip("/") + "/"
    found = {entry.target.removeprefix(prefix) for entry in table.below(root.path)}
    return tuple(sorted(found))


def _manifest(root: Root, mounted: Sequence[str]) -> Manifest:
    from ... import __version__
    from ..archives.manifest import Manifest
    from ..looking.architecture import architecture
    from ..looking.status_reader import release, system_name

    return Manifest(
        name=os.path.basename(root.path),
        os=system_name(root)[:200],
        suite=release(root, "VERSION_CODENAME")[:200],
        arch=architecture(root),
        version=__version__,
        date=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        left_out=tuple(mounted),
    )


def _shell(root: Root) -> str:
    return "/bin/bash" if root.stat("/bin/bash") is not None else "/bin/sh"


def _tell_on(root: Root, mounted: Sequence[str], report: Report) -> None:
    if mounted:
        problem = Problem(
            "it is on: what is mounted is left out, and what writes meanwhile may be caught half",
            f"for a sure one, first: chroot-tool off -d {root.path}",
        )
        report(Warned(root.path, problem))


def _tell_changed(path: str, changed: Sequence[str], report: Report) -> None:
    if changed:
        more = f" (and {len(changed) - _SHOWN} more)" if len(changed) > _SHOWN else ""
        problem = Problem(
            f"changed while it was packed: {'; '.join(changed[:_SHOWN])}{more}",
            "such a file may be half old and half new",
        )
        report(Warned(path, problem))
