"""Deleting several chroots: which, and their number typed as proof that these are meant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from ...core.looking.status import ChrootStatus
from ...core.text import size as shown_size
from ..text.fitting import width_of
from ..text.foreign import foreign
from .typed_proof import ProofDialog

_MOST_PATH = 40
"""Cells that paths may have and what is said of all still stands in one column."""


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
        width = min(max(width_of(foreign(one.path).plain) for one in self._chroots), _MOST_PATH)
        sizes = [None if size is None else shown_size(size) for size in self._sizes]
        digits = max((len(size) for size in sizes if size), default=0)
        lines = [
            _line(one, size and size.rjust(digits), width)
            for one, size in zip(self._chroots, sizes, strict=True)
        ]
        for number, line in enumerate(lines):
            yield Static(line, classes="delete--line" if number else "delete--line dialog--gap")


def _line(one: ChrootStatus, size: str | None, width: int) -> Content:
    facts = [size or "size not counted yet"]
    if one.is_on:
        facts.append(one.state)
    if one.processes:
        facts.append(f"{len(one.processes)} process{'' if len(one.processes) == 1 else 'es'}")
    path = foreign(one.path)
    gap = " " * max(width - width_of(path.plain), 0) + "  "
    return Content.assemble(path.stylize("bold"), gap, foreign(", ".join(facts), "dim"))
