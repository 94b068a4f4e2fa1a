"""Pages of man(7) as text: escapes, paragraphs, lists, and what is shown as it stands."""

from __future__ import annotations

import itertools
import re
import textwrap
from collections.abc import Iterable

_WIDTH = 60
"""Signs of a line: mandoc finds fault with more than 80 bytes."""


def text(words: str) -> str:
    """Return *words* so that they are shown as they are, between other words."""
    words = words.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")
    return words.replace("`", "\\(ga").replace("^", "\\(ha").replace("~", "\\(ti")


def bold(words: str) -> str:
    """Return *words*, escaped already, in bold."""
    return f"\\fB{words}\\fR" if words else ""


def italic(words: str) -> str:
    """Return *words*, escaped already, in italics: what stands for something else."""
    return f"\\fI{words}\\fR" if words else ""


def lines(words: str) -> list[str]:
    """Return *words*, escaped already, as lines to be filled again."""
    broken = textwrap.wrap(
        " ".join(words.split()), _WIDTH, break_long_words=False, break_on_hyphens=False
    )
    return [_guarded(line) for line in broken]


def paragraph(words: str) -> list[str]:
    """Return a paragraph of *words*, escaped already."""
    return [".PP", *lines(words)]


def name(page: str, summary: str) -> list[str]:
    """Return the section that whatis(1) reads."""
    plain = text(" ".join(summary.replace("`", "").split()))
    return [".SH NAME", *lines(f"{text(page)} \\- {plain}")]


def section(title: str, body: Iterable[str]) -> list[str]:
    """Return a section; one without a body is none."""
    found = [f'.SH "{_title(title).upper()}"', *body]
    # What a head is followed by needs no space of its own.
    kept = [
        line
        for before, line in itertools.pairwise(found)
        if line != ".PP" or not before.startswith((".SH", ".SS"))
    ]
    return [found[0], *kept] if kept else []


def subsection(title: str) -> list[str]:
    """Return the head of a part of a section."""
    return [f'.SS "{_title(title)}"']


def entry(tag: str, body: str) -> list[str]:
    """Return an entry of a list: *tag* and *body*, both escaped already."""
    return [".TP", _guarded(tag), *(lines(body) or ["\\&"])]


def verbatim(block: str) -> list[str]:
    """Return *block* as it stands, set off and in a fixed width."""
    shown = [_guarded(text(line)) for line in textwrap.dedent(block).strip("\n").splitlines()]
    return [".PP", ".RS 4", ".EX", *shown, ".EE", ".RE"]


def page(name: str, number: int, *, date: str, source: str, body: Iterable[str]) -> str:
    """Return a whole page."""
    head = f'.TH "{_title(name).upper()}" "{number}" "{date}" "{source}" "chroot\\-tool"'
    return "\n".join([head, *body, ""])


def _title(words: str) -> str:
    return text(words).replace('"', "\\(dq")


def _guarded(line: str) -> str:
    """Return a line that is none of roff's requests."""
    return f"\\&{line}" if re.match(r"[.']", line) else line
