"""Where a chroot is packed to, what is left out, and what becomes of it."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import on
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Checkbox, Static

from ...core.archives import compression
from ...core.errors import UsageError
from ...core.remote.address import joined, split
from ...core.text import safe
from ...core.value import Value
from ..text.foreign import foreign
from .field import Field
from .form import TwoWayForm
from .place_field import Home, check_machine
from .suggestions import Complete, Paths
from .switch import Switch


class Packing(Value):
    """What is to be packed how."""

    path: str
    """The file, with `oci` the directory, that is made."""
    exclude: tuple[str, ...] = ()
    oci: bool = False
    checksum: bool = False


class PackDialog(TwoWayForm[Packing]):
    """Asks where *name* is packed to. Answers a Packing, None where it was left.

    *archive* and *image* are the paths that stand there first, for either kind; *complete* returns
    the paths that one can be the start of, and is called in a thread. *on* says that it is on,
    *host* on which machine it is, where that is another one, *homes* which others there are.
    """

    goes_on = "Pack"
    HELP = (
        "How it is compressed is said by the name: .tar.zst, .tar.xz or .tar.gz. "
        "Right takes a suggestion, Enter packs."
    )
    DEFAULT_CSS: ClassVar[str] = """
    PackDialog {
        & .dialog--quiet { margin-bottom: 1; }
        & Switch { margin-left: 13; }
    }
    """

    def __init__(
        self, name: str, archive: str, image: str, *, complete: Complete, on: bool = False,
        host: str = "", homes: Sequence[Home] = (),
    ) -> None:  # fmt: skip
        super().__init__(Content.assemble("pack ", foreign(name)))
        self._defaults = {False: archive, True: image}
        self._complete = complete
        self._is_on = on
        self._host = host
        self._homes = tuple(homes)

    def content(self) -> Iterable[Widget]:
        """Return the fields and the switches."""
        said = "Everything but what is mounted on it."
        if self._is_on:
            said += " It is on: what is written meanwhile may be caught half."
        if self._host:
            said += f"\n{safe(self._host)}:/… is a file there, /… one here."
        yield Static(said, classes="dialog--quiet")
        yield Field(
            "File", id="file", value=self._defaults[False], check=self._check_file,
            suggester=Paths(self._complete), note=".tar.zst, .tar.xz or .tar.gz",
            required="an archive needs a name",
        )  # fmt: skip
        yield Field(
            "Leave out", id="exclude", check=_words, placeholder="e.g. var/cache/apt home/me",
            note="paths inside, besides [exclude] of its configuration",
        )  # fmt: skip
        yield Switch("write FILE.sha256, which unpack looks at", id="checksum")
        yield Switch("an OCI image instead, which podman takes", id="oci")

    @property
    def _is_image(self) -> bool:
        return self.is_mounted and self.query_one("#oci", Switch).value

    def _check_file(self, file: str) -> None:
        host, path = split(file)
        if host != self._host:
            check_machine(host, self._homes)
        if not path.startswith("/"):
            raise UsageError(f"{path!r} is a relative path", "write it from /")
        if path.endswith("/"):
            raise UsageError(f"{path!r} is a directory", "and the name of the archive in it")
        on_its_way = self._host != host
        if self._is_image:
            if on_its_way:
                raise UsageError("an image is made where the chroot is", joined(self._host, "/…"))
        elif compression.by_name(path) is not compression.ZSTD and on_its_way:
            raise UsageError("on its way it is .tar.zst", f"{joined(self._host, path)} is there")

    @on(Checkbox.Changed, "#oci")
    def _kind_changed(self, event: Checkbox.Changed) -> None:
        event.stop()
        file, checksum = self.field("file"), self.query_one("#checksum", Switch)
        if file.value == self._defaults[not event.value]:
            file.value = self._defaults[event.value]
        file.say("a new directory" if event.value else ".tar.zst, .tar.xz or .tar.gz")
        file.check_again()
        checksum.disabled = event.value

    def go_on(self) -> None:
        """Answer with what stands in the fields, where all of them are right."""
        if not self.wrong():
            image = self._is_image
            checksum = self.query_one("#checksum", Switch).value and not image
            self.answer(Packing(self.value("file"), _words(self.value("exclude")), image, checksum))


def _words(text: str) -> tuple[str, ...]:
    """Return the paths, split as a shell splits words. Raises UsageError."""
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise UsageError(f"this cannot be split: {error}".lower(), "close the quote") from None
