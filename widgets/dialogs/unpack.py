"""Which archive is unpacked, and where."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence

from textual import on
from textual.widget import Widget

from ...core.creating.names import check_name
from ...core.errors import UsageError
from ...core.remote.address import split
from ...core.value import Value
from .field import Field
from .form import TwoWayForm
from .place_field import Home, PlaceField, check_machine, machine_field
from .suggestions import Complete, Paths

_PACKED = re.compile(r"(?:-\d{12})?\.t(?:ar\.)?(?:zst|xz|gz|ar)$")
"""What `pack` puts behind the name of a chroot: the time, and how it is compressed."""


class Unpacking(Value):
    """What is to be unpacked."""

    source: str
    path: str
    """Where it goes."""


class UnpackDialog(TwoWayForm[Unpacking]):
    """Asks for an archive and for the name it gets. Answers an Unpacking, None where it was left.

    *base* and *taken* are those of `PlaceField`, *homes* the machines it may go to, and come
    from. *complete* returns the paths that one can be the start of, and is called in a thread.
    """

    goes_on = "Unpack"
    HELP = "Right takes a suggestion. Enter unpacks; nothing in an archive can leave its directory."

    def __init__(
        self, base: str, taken: frozenset[str], *, complete: Complete, homes: Sequence[Home] = ()
    ) -> None:
        super().__init__("unpack an archive")
        self._base = base
        self._taken = taken
        self._complete = complete
        self._proposed = ""
        self._homes = tuple(homes)

    def content(self) -> Iterable[Widget]:
        """Return the two fields."""
        yield Field(
            "Archive", id="archive", check=self._check_archive, suggester=Paths(self._complete),
            note="what pack has made: it becomes the chroot that it was",
            placeholder="e.g. /backup/deb-202601312359.tar.zst", required="which one?",
        )  # fmt: skip
        yield PlaceField("Name", self._base, self._taken)
        yield from machine_field(self._homes, self._base)

    def _check_archive(self, archive: str) -> None:
        host, path = split(archive)
        check_file(path)
        if host != split(self._base)[0]:
            check_machine(host, self._homes)

    @on(Field.Changed, "#machine")
    def _moved(self, event: Field.Changed) -> None:
        event.stop()
        home = next(home for home in self._homes if home.host == event.field.value)
        self.query_one(PlaceField).move(home)

    @on(Field.Changed, "#archive")
    def _chosen(self, event: Field.Changed) -> None:
        event.stop()
        name = self.field("name")
        if name.value == self._proposed:
            self._proposed = name_in(event.field.value)
            name.value = self._proposed

    def go_on(self) -> None:
        """Answer with what stands in the fields, where all of them are right."""
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
