"""What every pane asks with the key that copies."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message


@dataclass
class CopyRequested(Message):
    """These lines are to be copied; they are unsafe as they are."""

    lines: tuple[str, ...]
