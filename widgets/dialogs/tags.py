"""The tags of a chroot, or those that several have in common."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual import on
from textual.widget import Widget
from textual.widgets import Button

from ...core.config.chroot_toml import check_tags
from .dialog import button
from .field import Field
from .form import FormDialog


class TagsDialog(FormDialog[tuple[str, ...] | None]):
    """Asks for the tags of *about*, which has *tags*. Answers them, None where nothing is to be.

    *several*: these are what all of them have, and each keeps what else it has.
    """

    HELP = "Words with blanks between them. Enter keeps what stands there, Escape changes nothing."

    def __init__(self, about: str, tags: Sequence[str], *, several: bool = False) -> None:
        super().__init__(f"tags of {about}")
        self._tags = tuple(tags)
        self._several = several

    def content(self) -> Iterable[Widget]:
        """Return the field."""
        note = "words; the list is grouped by the first"
        if self._several:
            note = "what all of them have; each keeps what else it has"
        yield Field(
            "Tags", id="tags", check=_check, value=" ".join(self._tags), note=note,
            placeholder="none: build amd64",
        )  # fmt: skip

    def buttons(self) -> Iterable[Button]:
        """Return what leaves and what keeps."""
        yield button("Cancel", "cancel")
        yield button("Save", "save")

    def cancelled(self) -> None:
        """Return that nothing is to be changed."""

    @on(Field.Submitted)
    def _entered(self, event: Field.Submitted) -> None:
        event.stop()
        self._save()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        if event.button.id == "save":
            self._save()
        else:
            self.leave()

    def _save(self) -> None:
        if not self.wrong():
            self.answer(tuple(dict.fromkeys(self.value("tags").split())))


def _check(text: str) -> None:
    check_tags(text.split())
