"""schroot's own configuration, read: its chroots, and the binds that each adds. Pure but for that.

schroot.conf(5): sections in schroot.conf and in each file of chroot.d; the mounts of one are in
the fstab of its profile. Who can write there is root on this host: nothing is hostile in it.
"""

from __future__ import annotations

import os

from ..errors import ChrootError, UsageError
from ..value import Value
from .bind import BIND_OPTIONS, CHROOT_TOML, Bind, make
from .system_points import system_targets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = "/etc/schroot"
_DIRECTORIES = ("directory", "plain")
"""Types whose chroots are directories, so that another can use them."""


class Foreign(Value):
    """A chroot of schroot's."""

    name: str
    kind: str
    """As schroot has it: directory, plain, file, lvm-snapshot …"""
    directory: str
    """Absolute; "" where it is none."""
    binds: tuple[Bind, ...]
    """What it mounts besides the system's own points."""


def read(root: str = ROOT, *, strict: bool = True) -> tuple[Foreign, ...]:
    """Return schroot's chroots by name. Raises ChrootError where its files can't be read.

    Not *strict*: a file that can't be read, or is none of schroot's, is passed over.
    """
    import configparser

    parser = configparser.ConfigParser(
        interpolation=None, strict=False, default_section="\0", delimiters=("=",),
        comment_prefixes=("#",),
    )  # fmt: skip
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # as configparser has it
    for path in _files(root):
        try:
            with open(path, encoding="utf-8", errors="surrogateescape") as file:
                parser.read_file(file)
        except (OSError, configparser.Error) as error:
            if not strict:
                continue
            raise ChrootError(f"{path}: {str(error).splitlines()[0]}", "schroot -l") from error
    return tuple(_foreign(root, name, parser[name]) for name in sorted(parser.sections()))


def _files(root: str) -> list[str]:
    """Return its files: of chroot.d those whose names are plain, as schroot does."""
    try:
        names = sorted(os.listdir(f"{root}/chroot.d"))
    except OSError:
        names = []
    plain = [n for n in names if not n.startswith(".") and not n.endswith(("~", ".dpkg-old"))]
    paths = [f"{root}/schroot.conf", *(f"{root}/chroot.d/{name}" for name in plain)]
    found = [path for path in paths if os.path.isfile(path)]
    if not found:
        raise ChrootError(f"{root} has no chroots", "is schroot installed?")
    return found


def _foreign(root: str, name: str, section: object) -> Foreign:
    get = section.get  # type: ignore[attr-defined]  # a SectionProxy
    kind = get("type", "plain")
    directory = get("directory", "") or get("location", "")
    fstab = get("setup.fstab", "") or f"{get('profile', 'default')}/fstab"
    path = fstab if fstab.startswith("/") else f"{root}/{fstab}"
    binds = tuple(_binds(path)) if kind == "directory" else ()
    return Foreign(name, kind, directory if kind in _DIRECTORIES else "", binds)


def _binds(path: str) -> Iterator[Bind]:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            rows = [line.split("#")[0].split() for line in file]
    except OSError:
        return
    own = system_targets()
    for row in rows:
        if len(row) < 3:
            continue
        source, target, kind = (_unescaped(field) for field in row[:3])
        words = row[3].split(",") if len(row) > 3 else []
        if target.rstrip("/") not in own:
            try:
                yield _bind(source, target, kind, words)
            except UsageError:
                continue  # what we can't mount, a bind of a relative path say


def _bind(source: str, target: str, kind: str, words: Sequence[str]) -> Bind:
    if {"bind", "rbind"} & set(words):
        kept = [word for word in words if word in (*BIND_OPTIONS, "rbind") and word != "rw"]
        return make(target, source, "bind", kept or None, origin=CHROOT_TOML)
    kept = [word for word in words if word not in ("rw", "defaults")]
    return make(target, source, kind, kept or None, origin=CHROOT_TOML)


def _unescaped(field: str) -> str:
    for sign in (" ", "\t", "\n", "\\"):
        field = field.replace(f"\\{ord(sign):03o}", sign)
    return field
