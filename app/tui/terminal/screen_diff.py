"""What goes to the terminal without what stands there already: for a line that is slow.

Textual writes a row again wherever something in it may have changed, each run with all of its
colours, and most rows twice or three times while a dialog comes up or a tab is turned. Here are two
copies of the screen, as it is and as it is to be, cell by cell: what is painted goes to the second,
and from time to time what is other in it to the terminal; of colours, too, what is other.

Of control sequences it knows what Textual's paints are made of: where to go on (CUP), colours (SGR)
and line feeds; see ctlseqs(ms) of xterm. What changes no cell is passed on. After any other nothing
is known of the screen, until it is painted.
"""

from __future__ import annotations

import re

from rich.cells import cell_len

_TOKEN = re.compile(
    r"\x1b\[(?P<at>\d+;\d+)H|\x1b\[(?P<style>[\d;:]*)m|(?P<feed>\r?\n)|(?P<text>[^\x00-\x1f\x7f]+)"
    r"|(?P<other>\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b\[[0-?]*[ -/]*[@-~]|\x1b.|[\x00-\x1f\x7f])",
    re.DOTALL,
)
_HARMLESS = re.compile(
    r"\x07|\x1b\[\?(?:25|100[0-6]|1015|1016|2004|2048)[hl]|\x1b\][^4].*", re.DOTALL
)
"""The bell; cursor shown or not, mouse, paste, reports of sizes; titles, the clipboard."""
_OF_A_PAINT = re.compile(r"\x1b\[\?2026[hl]")
"""Where one begins and ends (synchronised output): what is written is of several."""
_NEAR = 4
"""Cells that are rather written again than jumped over: to jump takes as many bytes."""
_UNSEEN_ON_BLANKS = frozenset("123")
"""Bold, faint, italic: a blank looks the same with them, and in any colour of its letter."""
_LETTERS_AND_BLANKS = re.compile(r" +|[^ ]+")

_Style = tuple[str, str, frozenset[str]]
"""Foreground, background, what else holds (bold …): parameters of SGR."""
_Cell = tuple[str, str]
"""A letter, and the parameters that it has. A wide one has "" in its second cell."""
_UNKNOWN: _Cell = ("", "?")


class ScreenDiff:
    """The screen as it is, and as it is to be."""

    def __init__(self) -> None:
        self._size = (0, 0)
        self._shown: list[list[_Cell]] = []
        self._wanted: list[list[_Cell]] = []
        self._changed: set[int] = set()
        self._passed: list[str] = []
        """What changes no cell, to be passed on."""
        self._row = self._column = 0
        """Where the terminal would write next if it had been given all."""
        self._parameters = ""
        """With what."""
        self._at: tuple[int, int] | None = None
        """Where it really would; None: not known."""
        self._style: _Style | None = None
        """With what it really would; None: not known."""
        self._styles: dict[str, _Style] = {}
        self._of_blanks: dict[str, str] = {}
        self._out: list[str] = []

    def _forget(self) -> None:
        columns, rows = self._size
        self._shown = [[_UNKNOWN] * columns for _ in range(rows)]
        self._wanted = [list(row) for row in self._shown]
        self._changed.clear()
        self._at = self._style = None

    def take(self, data: str, size: tuple[int, int]) -> str:
        """Take what is painted, on a screen of *size*. Return what is to be written at once."""
        if size != self._size:
            self._size = size
            self._forget()
        self._out = []
        for token in _TOKEN.finditer(data):
            kind, text = token.lastgroup, token[0]
            if kind == "text":
                self._paint(text)
            elif kind == "style":
                more = token["style"]
                is_new = more in ("", "0") or self._parameters in ("", "0")
                self._parameters = more if is_new else f"{self._parameters};{more}"
            elif kind == "at":
                row, _, column = token["at"].partition(";")
                self._row, self._column = int(row) - 1, int(column) - 1
            elif kind == "feed" and self._row < size[1] - 1:
                self._row, self._column = self._row + 1, 0
            elif _OF_A_PAINT.fullmatch(text):
                continue
            elif _HARMLESS.fullmatch(text):
                self._passed.append(text)
            else:
                self._bring_about()
                self._dress(self._parameters)
                self._out.append(text)
                self._forget()
        return "".join(self._out)

    def changes(self) -> str:
        """Return what is to be written for the screen to be as it was painted since."""
        self._out = []
        self._bring_about()
        return "".join(self._out)

    # -- as it is to be --------------------------------------------------------------------------

    def _paint(self, text: str) -> None:
        row, column, end = self._row, self._column, self._size[0]
        if not 0 <= row < len(self._wanted):
            return
        self._changed.add(row)
        cells, plain = self._wanted[row], self._parameters
        for part in _LETTERS_AND_BLANKS.findall(text):
            style = self._of_blank(plain) if part[0] == " " else plain
            new: list[_Cell]
            if part.isascii():
                new = [(letter, style) for letter in part]
            else:
                new = []
                for letter in part:
                    width = cell_len(letter)
                    if width:
                        new += [(letter, style), ("", style)][:width]
                    elif new:
                        new[-1] = (new[-1][0] + letter, style)
            new = new[: max(end - column, 0)]
            self._halve(cells, column, column + len(new))
            cells[column : column + len(new)] = new
            column += len(new)
        self._column = column

    def _halve(self, cells: list[_Cell], start: int, end: int) -> None:
        """Have a blank for the other half of a wide letter of which one is written over."""
        for kept, gone in ((start - 1, start), (end, end - 1)):
            if not 0 <= kept < len(cells):
                continue
            second = cells[max(kept, gone)]
            if not second[0] and second != _UNKNOWN:
                cells[kept] = (" ", self._of_blank(cells[kept][1]))

    def _of_blank(self, parameters: str) -> str:
        """Return what is seen of *parameters* where there is no letter."""
        seen = self._of_blanks.get(parameters)
        if seen is None:
            front, back, rest = self._parsed(parameters)
            visible = rest - _UNSEEN_ON_BLANKS
            words = (*sorted(visible), *([front] if visible else ()), back)
            seen = self._of_blanks[parameters] = ";".join(filter(None, words))
        return seen

    # -- as it is --------------------------------------------------------------------------------

    def _bring_about(self) -> None:
        for row in sorted(self._changed):
            if self._shown[row] != self._wanted[row]:
                self._rewrite(row)
        self._changed.clear()
        # Where nothing is known and nothing was painted, somebody else has the terminal.
        is_ours = self._at is not None or self._out
        if is_ours and self._at != (self._row, self._column):
            self._go_to(self._row, self._column)
        self._out += self._passed
        self._passed.clear()

    def _rewrite(self, row: int) -> None:
        shown, wanted = self._shown[row], self._wanted[row]
        other = [at for at, cell in enumerate(wanted) if cell != shown[at]]
        runs: list[list[int]] = []
        if any(not letter.isascii() and cell_len(letter) != 1 for letter, _ in (*shown, *wanted)):
            runs.append([0, other[-1]])  # half a wide letter takes the other half along
        else:
            for at in other:
                if runs and at - runs[-1][1] <= _NEAR:
                    runs[-1][1] = at
                else:
                    runs.append([at, at])
        for first, last in runs:
            self._write(row, first, wanted[first : last + 1])
        self._shown[row] = list(wanted)

    def _write(self, row: int, column: int, cells: list[_Cell]) -> None:
        is_sure = True
        self._at = None if self._at and self._at[0] != row else self._at
        for at, (letter, parameters) in enumerate(cells, column):
            if parameters == _UNKNOWN[1]:
                is_sure = False  # nobody has painted it yet
                self._at = None
                continue
            if self._at is None or not is_sure:
                if letter:
                    self._go_to(row, at)
                    is_sure = True
            elif at == column and self._at != (row, at):
                self._go_to(row, at)
            if not letter:
                continue
            if letter != " " or not self._fits_a_blank(parameters):
                self._dress(parameters)
            self._out.append(letter)
            self._at = (row, at + max(cell_len(letter), 1))
            if len(letter) > 1 or not letter.isascii():
                is_sure = len(letter) == 1 and cell_len(letter) == 1
        if self._at and (not is_sure or self._at[1] >= self._size[0]):
            self._at = None  # in the last column it stays, until something more is written

    def _fits_a_blank(self, parameters: str) -> bool:
        now = self._style
        _, back, rest = self._parsed(parameters)
        return now is not None and now[1] == back and not rest and now[2] <= _UNSEEN_ON_BLANKS

    def _go_to(self, row: int, column: int) -> None:
        if self._at and self._at[0] == row and self._at[1] < column:
            self._out.append(f"\x1b[{column - self._at[1]}C")
        else:
            self._out.append(f"\x1b[{row + 1};{column + 1}H")
        self._at = row, column

    def _dress(self, parameters: str) -> None:
        """Have it write with these from now on."""
        wanted, now = self._parsed(parameters), self._style
        if wanted == now:
            return
        self._style = wanted
        front, back, rest = wanted
        if now is None or now[2] - rest:
            changes = ["0", *sorted(rest), *filter(None, (front, back))]
        else:
            changes = sorted(rest - now[2])
            if front != now[0]:
                changes.append(front or "39")
            if back != now[1]:
                changes.append(back or "49")
        self._out.append(f"\x1b[{';'.join(changes)}m")

    def _parsed(self, parameters: str) -> _Style:
        style = self._styles.get(parameters)
        if style is None:
            style = self._styles[parameters] = _parse(parameters)
        return style


def _parse(parameters: str) -> _Style:
    """Return what *parameters* of SGR, after a reset, come to."""
    front = back = ""
    rest: set[str] = set()
    words = parameters.split(";")
    while words:
        word = words.pop(0)
        if word in ("38", "48", "58"):
            count = 4 if words[:1] == ["2"] else 2
            colour = ";".join((word, *words[:count]))
            del words[:count]
            if word == "58":  # of the line below letters
                rest.add(colour)
            else:
                front, back = (colour, back) if word == "38" else (front, colour)
        elif word.isdigit() and (30 <= int(word) <= 37 or 90 <= int(word) <= 97):
            front = word
        elif word.isdigit() and (40 <= int(word) <= 47 or 100 <= int(word) <= 107):
            back = word
        elif word in ("", "0"):
            front, back, rest = "", "", set()
        elif word not in ("39", "49"):
            rest.add(word)
    return front, back, frozenset(rest)
