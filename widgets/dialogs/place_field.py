"""A field for the name of a new chroot: a plain one goes under the base, a path stands for itself.

What stands below the field is where it will be.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence

from ...core.creating.names import check_name
from ...core.errors import UsageError
from ...core.remote.address import joined, split
from ...core.text import safe
from ...core.value import Value
from ..text.foreign import foreign
from .choice_field import ChoiceField
from .field import Field


class Home(Value):
    """A machine that chroots can be made on."""

    host: str
    """"" is this machine."""
    base: str
    """Where plain names go, with the host."""
    taken: frozenset[str]
    """The names that are there."""


def machine_field(homes: Sequence[Home], base: str) -> Iterable[ChoiceField]:
    """Give the field that asks on which machine, that of *base* first; none where there is one."""
    if len(homes) > 1:
        choices = [(safe(home.host) or "this machine", home.host) for home in homes]
        yield ChoiceField("On", choices, id="machine", value=split(base)[0])


def check_machine(host: str, homes: Sequence[Home]) -> None:
    """Check the host of a file that is typed, "" where it has none. Raises UsageError."""
    if host and all(host != home.host for home in homes):
        raise UsageError(
            f"{safe(host)} is no machine that answers", "the list of hosts shows which do"
        )


class PlaceField(Field):
    """Asks where a chroot goes. *base* is where plain names go, *taken* those that are there."""

    def __init__(
        self,
        label: str,
        base: str,
        taken: frozenset[str],
        *,
        id: str = "name",  # noqa: A002 (Textual's name)
        value: str = "",
        also: Callable[[str], object] = lambda _path: None,
    ) -> None:
        """*also* raises UsageError for a path that will not do for another reason."""
        self.base = base
        self._taken = taken
        self._also = also
        super().__init__(
            label, id=id, check=self._check_place, value=value, required="a chroot needs a name",
            note=foreign(f"in {base}, or a path of its own"),
        )  # fmt: skip

    @property
    def path(self) -> str:
        """Where it goes. Raises UsageError where nobody can tell."""
        name = self.value
        if "/" not in name:
            return os.path.join(self.base, name)
        if not name.startswith("/"):
            raise UsageError(f"{name!r} is a relative path", "a name, or a path that begins with /")
        return joined(split(self.base)[0], os.path.normpath(name))

    def move(self, home: Home) -> None:
        """Have plain names go to another machine."""
        self.base = home.base
        self.take(home.taken)

    def take(self, taken: frozenset[str]) -> None:
        """Have other names be taken from now on."""
        self._taken = taken
        self.check_again()

    def _check_place(self, _name: str) -> None:
        path = self.path
        folder, name = os.path.split(path)
        check_name(name)
        self._also(path)
        if folder == self.base and name in self._taken:
            raise UsageError(f"{name} is there already", "choose another name")

    def check_again(self) -> UsageError | None:
        """Check once more, and say where it would go; return what is wrong."""
        problem = super().check_again()
        fits = self.value and problem is None
        self.say(foreign(f"in {self.path if fits else f'{self.base}, or a path of its own'}"))
        return problem
