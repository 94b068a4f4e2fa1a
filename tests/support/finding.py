"""Keys of a search in what has printed `row 1` to `row 500`, of a pane whatever it is."""

from __future__ import annotations

from .whole_ui import Ui


async def found_as_one_types(t: Ui) -> None:
    """Open the line, and type until it is found."""
    await t.press("slash")
    await t.write("Row 12")
    await t.shows("not found")
    await t.press(*["backspace"] * 6)
    await t.write("row 12")
    await t.shows("11 of 11", "row 129")


async def gone_on_while_typing(t: Ui) -> None:
    """Go on from there, and leave the line."""
    await t.press("up", "up")
    await t.shows("9 of 11")
    await t.press("down", "enter")


async def gone_through(t: Ui) -> None:
    """Go on with the pane's own keys, and end it."""
    await t.shows("/row 12 10 of 11")
    await t.press("n")
    await t.shows("9 of 11", "row 127")
    await t.press("N", "N", "N")
    await t.shows("1 of 11")  # round
    await t.press("escape")
    await t.hides("/row 12")
