"""The form of `n`, key by key: in a real terminal, and in the app."""

from __future__ import annotations

from pathlib import Path

from textual.widgets import Button

from chroot_tool.widgets.dialogs.create import CreateForm

from .tmux import Tmux
from .whole_ui import Ui


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


async def create_by_form(t: Ui, name: str) -> None:
    """Make *name* in the app, as the form has it by itself."""
    await t.press("n")
    form = await t.dialog(CreateForm)
    await t.write(name)
    await t.press("enter")
    await t.until(lambda: not form.query_one("#go", Button).disabled and form.has_class("-plan"))
    await t.press("enter")
    await t.main()
