"""Deleting a chroot: what would be gone, and the name typed as proof that this one is meant."""

from __future__ import annotations

from collections.abc import Iterable

from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from ...core.looking.status import FOREIGN_MOUNT, ChrootStatus, MountStatus
from ...core.text import size as shown_size
from ..text.foreign import foreign
from .typed_proof import ProofDialog

_LISTED = 3


class DeleteDialog(ProofDialog):
    """Says what deleting *chroot* removes, and asks for its name. Answers True to delete.

    *size* is what it takes on disk in bytes, None where that is not counted yet; *trash* the days
    that it can be kept (`ProofDialog.trash`).
    """

    HELP = "Type the name as it stands in the title, then press Delete. Escape cancels."

    def __init__(self, chroot: ChrootStatus, size: int | None, trash: float = 0.0) -> None:
        title = Content.assemble("delete ", foreign(chroot.name))
        super().__init__(title, chroot.name, "it", trash)
        self._chroot = chroot
        self._much = size

    def content(self) -> Iterable[Widget]:
        """Return what is removed and what is in use."""
        chroot = self._chroot
        much = "size not counted yet" if self._much is None else shown_size(self._much)
        facts = [fact for fact in (chroot.os, much) if fact]
        yield Static(Content.assemble("removes ", foreign(chroot.path).stylize("bold")))
        yield Static(foreign(", ".join(facts)), classes="dialog--quiet")
        yield from self.fate()
        for line in (*_mounted(chroot), *_running(chroot)):
            yield Static(line, classes="delete--line")


def _mounted(chroot: ChrootStatus) -> list[Content]:
    there = [mount for mount in chroot.mounts if mount.real or mount.state == FOREIGN_MOUNT]
    if not there:
        return []
    word = "mount is" if len(there) == 1 else "mounts are"
    return [Content(f"● {len(there)} {word} taken off first:"), *_some([_mount(m) for m in there])]


def _mount(mount: MountStatus) -> str:
    return (
        f"{mount.target}  {mount.source}" if mount.fs == "bind" else f"{mount.target}  {mount.fs}"
    )


def _running(chroot: ChrootStatus) -> list[Content]:
    processes = chroot.processes
    if not processes:
        return []
    word = "process is" if len(processes) == 1 else "processes are"
    lines = [f"{process.pid}  {process.command}" for process in processes]
    return [Content(f"● {len(processes)} {word} ended:"), *_some(lines)]


def _some(lines: list[str]) -> list[Content]:
    shown = [foreign(f"    {line}", "dim") for line in lines[:_LISTED]]
    if len(lines) > _LISTED:
        shown.append(Content.styled(f"    and {len(lines) - _LISTED} more", "dim"))
    return shown
