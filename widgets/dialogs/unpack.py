"""Which archive is unpacked, and where."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from textual import on
from textual.widget import Widget
from textual.widgets import Button

from ...core.creating.names import check_name
from ...core.errors import UsageError
from ...core.value import Value
from .dialog import button
from .field import Field
from .form import FormDialog
from .place_field import PlaceField
from .suggestions import Complete, Paths

_PACKED = re.compile(r"(?:-\d{12})?\.t(?:ar\.)?(?:zst|xz|gz|ar)$")
"""What `pack` puts behind the name of a chroot: the time, and how it is compressed."""


class Unpacking(Value):
    """What is to be unpacked."""

    source: str
    path: str
    """Where it goes."""


class UnpackDialog(FormDialog[Unpacking | None]):
    """Asks for an archive and for the name it gets. Answers an Unpacking, None where it was left.

    *base* and *taken* are those of `PlaceField`, *complete* returns the paths that one can be the
    start of, and is called in a thread.
    """

    HELP = "Right takes a suggestion. Enter unpacks; nothing in an archive can leave its directory."

    def __init__(self, base: str, taken: frozenset[str], *, complete: Complete) -> None:
        super().__init__("unpack an archive")
        self._base = base
        self._taken = taken
        self._complete = complete
        self._proposed = ""

    def content(self) -> Iterable[Widget]:
        """Return the two fields."""
        yield Field(
            "Archive", id="archive", check=check_file, suggester=Paths(self._complete),
            note="what pack has made: it becomes the chroot that it was",
            placeholder="e.g. /backup/deb-202601312359.tar.zst", required="which one?",
        )  # fmt: skip
        yield PlaceField("Name", self._base, self._taken)

    def buttons(self) -> Iterable[Button]:
        """Return Cancel and Unpack."""
        yield button("Cancel", "cancel")
        yield button("Unpack", "go")

    def cancelled(self) -> None:
        """Return that nothing is to be unpacked."""

    @on(Field.Changed, "#archive")
    def _chosen(self, event: Field.Changed) -> None:
        event.stop()
        name = self.field("name")
        if name.value == self._proposed:
            self._proposed = name_in(event.field.value)
            name.value = self._proposed

    @on(Field.Submitted)
    def _entered(self, event: Field.Submitted) -> None:
        event.stop()
        self._go_on()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        if event.button.id == "go":
            self._go_on()
        else:
            self.action_cancel()

    def _go_on(self) -> None:
        if not self.wrong():
            self.answer(Unpacking(self.value("archive"), self.query_one(PlaceField).path))


def check_file(path: str) -> None:
    """Check the path of a file that is typed. Raises UsageError."""
    if not path.startswith("/"):
        raise UsageError(f"{path!r} is a relative path", "write it from /")


def name_in(archive: str) -> str:
    """Return the name of the chroot that *archive* seems to hold; "" where it tells none."""
    name, count = _PACKED.subn("", os.path.basename(archive))
    try:
        check_name(name)
    except UsageError:
        return ""
    return name if count else ""
