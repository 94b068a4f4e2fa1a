"""The form of `n` in a real terminal, key by key."""

from __future__ import annotations

from pathlib import Path

from .tmux import Tmux


def create_from(t: Tmux, archive: Path) -> None:
    """Where a name is typed: choose an archive as what it is made of, and begin."""
    t.press("BTab")
    t.shows("⏎ choose")  # a key is for what has the focus when it comes
    t.press("Enter")
    t.shows("a copy of another chroot")
    t.write("an archive")  # which place it has there depends on what else there is
    t.press("Enter")
    t.shows("Made of an archive")
    t.press("Tab")
    t.shows("⏎ show the plan")
    t.press("Enter")
    t.shows("or what else?")  # and the cursor there
    t.write(str(archive))
    t.press("Enter")
    t.until(lambda text: "Back Create" in text and "looking at the host" not in text)
    t.press("Enter")
