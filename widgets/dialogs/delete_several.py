"""Deleting several chroots: which, and their number typed as proof that these are meant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from ...core.looking.status import ChrootStatus
from ...core.text import size as shown_size
from ..text.foreign import foreign
from .typed_proof import ProofDialog


class DeleteSeveral(ProofDialog):
    """Says which *chroots* are removed, and asks for `delete N`. Answers True to delete.

    *sizes* are what each takes on disk in bytes, None where that is not counted yet; *trash* the
    days that they can be kept (`ProofDialog.trash`); *hidden* is said of those that a filter hides.
    """

    def __init__(
        self, chroots: Sequence[ChrootStatus], sizes: Sequence[int | None], trash: float = 0.0,
        *, hidden: str = "",
    ) -> None:  # fmt: skip
        count = len(chroots)
        super().__init__(
            Content(f"delete {count} chroots{hidden}"), f"delete {count}", "them", trash
        )
        self._chroots = chroots
        self._sizes = sizes

    def content(self) -> Iterable[Widget]:
        """Return what becomes of them, and which they are, a line each."""
        yield Static("What is on is switched off first, its processes are ended.")
        yield from self.fate()
        lines = [_line(one, size) for one, size in zip(self._chroots, self._sizes, strict=True)]
        for number, line in enumerate(lines):
            yield Static(line, classes="delete--line" if number else "delete--line dialog--gap")


def _line(one: ChrootStatus, size: int | None) -> Content:
    facts = ["size not counted yet" if size is None else shown_size(size)]
    if one.is_on:
        facts.append(one.state)
    if one.processes:
        facts.append(f"{len(one.processes)} process{'' if len(one.processes) == 1 else 'es'}")
    return Content.assemble(
        foreign(one.path).stylize("bold"), "  ", foreign(", ".join(facts), "dim")
    )
