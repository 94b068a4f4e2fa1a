"""What a new chroot can be made of, and what of it the form for one offers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ...core.creating.bases.store import Base
from ...core.creating.options import CreateOptions
from ...core.text import ago, safe, size
from ...core.value import Value

DEBIAN, BASE, ARCHIVE, COPY = "debian", "base", "archive", "copy"
"""What one can be made of."""

FIELDS = {
    DEBIAN: ("suite", "mirror", "arch", "variant", "include", "locales", "timezone", "backend"),
    BASE: ("base", "locales", "timezone", "as-it-is"),
    ARCHIVE: ("source", "locales", "timezone"),
    COPY: ("chroot", "exact"),
}
"""The ids of the fields that each of them has, besides the name."""

NOTES = {
    ARCHIVE: "unpacked, then a system of its own",
    COPY: "without what is mounted on it",
}
"""What is said of them; of the others the engine says it."""


class Copy(Value):
    """A copy that is asked for."""

    path: str
    source: str
    """The path of the chroot that it is a copy of."""
    exact: bool = False
    """Whether it keeps names and keys."""

    def describe(self) -> tuple[str, ...]:
        """Return the lines that say what would be done."""
        names = (
            "it keeps host name, machine id and ssh host keys"
            if self.exact
            else "it gets its own host name, machine id and ssh host keys"
        )
        return (
            f"{self.source} as a new chroot in {self.path}",
            "what is mounted on it is not copied",
            names,
        )


@dataclass(frozen=True)
class Sources:
    """What there is to make one of, besides a Debian from its mirror."""

    bases: Sequence[Base] = ()
    chroots: Sequence[tuple[str, str]] = ()
    """Name and path of those that can be copied: foreign text."""
    chroot: str = ""
    """The path of the one that is meant without a choice; "": the first."""
    outlook: Callable[[CreateOptions], str] | None = None
    """Says in a few words whether a Debian would be quick, and why not; may raise ChrootError.

    Called in a thread."""
    complete: Callable[[str], Sequence[str]] = field(default=lambda _text: ())
    """Returns the paths that one can be the start of; called in a thread."""
    now: float = 0.0
    """The time by which bases have an age, the same wherever one is told."""

    @property
    def kinds(self) -> list[tuple[str, str]]:
        """What can be chosen, as labels and kinds."""
        return [
            ("Debian", DEBIAN),
            *([("a base · a Debian that is kept", BASE)] if self.bases else []),
            ("an archive, a directory or an image", ARCHIVE),
            *([("a copy of another chroot", COPY)] if self.chroots else []),
        ]

    @property
    def base_choices(self) -> list[tuple[str, str]]:
        """The bases as labels and names."""
        return [(self._base(base), base.name) for base in self.bases]

    @property
    def chroot_choices(self) -> list[tuple[str, str]]:
        """The chroots as labels and paths."""
        return [(safe(name), path) for name, path in self.chroots]

    def base(self, name: str) -> Base:
        """Return the base of that name."""
        return next(base for base in self.bases if base.name == name)

    def _base(self, base: Base) -> str:
        key = base.key
        words = [key.suite, key.arch, key.variant]
        words += [f"+{len(key.include)}"] if key.include else []
        words += [key.backend] if key.backend != "debootstrap" else []
        made = ago(self.now - base.facts.made)
        return f"{safe(' '.join(words))} · made {made} · {size(base.size)}"


def of_base(base: Base, options: CreateOptions, *, as_it_is: bool) -> CreateOptions:
    """Return the options of which *base* was made, with what *options* say of the one chroot."""
    key = base.key
    return options.replace(
        suite=key.suite, arch=key.arch, variant=key.variant, mirror=key.mirror,
        include=key.include, backend=key.backend, refresh=not as_it_is,
    )  # fmt: skip
