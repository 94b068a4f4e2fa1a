"""A widget whose size follows what it says."""

from __future__ import annotations

from typing import Self

from textual.geometry import Region
from textual.widget import Widget


class Measured(Widget):
    """Its size is asked for anew after each `refresh(layout=True)`.

    Textual (8.2.8) keeps sizes by how often that was called, and does not count a call while an
    earlier one is still due, though the widget may have been measured between the two.
    """

    def refresh(
        self,
        *regions: Region,
        repaint: bool = True,
        layout: bool = False,
        recompose: bool = False,
    ) -> Self:
        """Have it painted, and with *layout* measured, as Textual's own does."""
        if layout:
            self._box_model_cache.clear()
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)
