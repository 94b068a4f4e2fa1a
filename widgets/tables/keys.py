"""The keys that every table has."""

from __future__ import annotations

from textual.binding import Binding, BindingType

KEYS: list[BindingType] = [
    Binding("j,down", "move(1)", "down", id="table.down", show=False),
    Binding("k,up", "move(-1)", "up", id="table.up", show=False),
    Binding("pagedown", "page(1)", "page down", id="table.page_down", show=False),
    Binding("pageup", "page(-1)", "page up", id="table.page_up", show=False),
    Binding("g,home", "edge(False)", "first row", id="table.first", show=False),
    Binding("G,end", "edge(True)", "last row", id="table.last", show=False),
    Binding("less_than_sign", "sort_step(-1)", "sort by the column before",
            id="table.sort_previous", show=False),
    Binding("greater_than_sign", "sort_step(1)", "sort by the next column",
            id="table.sort_next", show=False),
    Binding("equals_sign", "sort_reverse", "turn the order round",
            id="table.sort_reverse", show=False),
]  # fmt: skip
