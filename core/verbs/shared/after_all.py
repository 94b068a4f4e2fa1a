"""Failures of single things that do not keep the others from being done."""

from __future__ import annotations

from ...errors import Problem
from ...events import Warned

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...errors import ChrootError
    from ...events import Report


def raise_after_all(failed: Sequence[ChrootError], about: str, report: Report) -> None:
    """Raise the first of these, when all else is done; the others are told as warnings."""
    for error in failed[1:]:
        report(Warned(about, Problem(error.message, error.hint)))
    if failed:
        raise failed[0]
