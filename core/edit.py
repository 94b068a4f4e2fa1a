"""Editing bind entries where they stand, without loss and without overwriting anyone.

Both files are edited as bytes by their own modules; here is only which file, read, check that
nobody wrote it meanwhile, write.
"""

from __future__ import annotations

from .bind import CHROOT_TOML, SYSTEM, TOOL_CONF, Bind, normalise_target
from .chroot import CONFIG_DIRECTORY
from .errors import ChrootError, UsageError
from .value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .rootpath import Root

FILES = {TOOL_CONF: f"{CONFIG_DIRECTORY}/tool.conf", CHROOT_TOML: f"{CONFIG_DIRECTORY}/chroot.toml"}
"""Where entries of each origin stand, inside the chroot."""


class Edit(Value):
    """A change of one configuration file that is not written yet."""

    file: str
    """The path inside the chroot."""
    before: bytes | None
    """Its content when it was read; None where it did not exist."""
    after: bytes


def read(root: Root, name: str) -> bytes | None:
    """Return the content of a configuration file, None where there is none."""
    try:
        return root.read(name)
    except FileNotFoundError:
        return None


def add(root: Root, bind: Bind) -> Edit:
    """Return the edit that adds *bind*, to the file that lists binds already.

    Raises UsageError where a file has an entry for the target, ConfigError where it is wrong.
    """
    for origin in FILES:
        if any(entry.target == bind.target for entry in _entries(root, origin)):
            raise UsageError(
                f"{FILES[origin]} has an entry for {bind.target} already", "remove that first"
            )
    listed = _entries(root, TOOL_CONF) and not _entries(root, CHROOT_TOML)
    # tool.conf has no word for an optional bind.
    origin = TOOL_CONF if listed and not bind.optional else CHROOT_TOML
    return _edit(root, origin, "add", bind)


def replace(root: Root, old: Bind, bind: Bind) -> Edit:
    """Return the edit that puts *bind* in the place of *old*, in the file that has it."""
    return _edit(root, _file_of(root, old.target), "replace", old.target, bind)


def remove(root: Root, target: str) -> Edit:
    """Return the edit that removes the entry for *target*. Raises UsageError without one."""
    target = normalise_target(target)
    return _edit(root, _file_of(root, target), "remove", target)


def ignore(root: Root, target: str, *, ignored: bool = True) -> Edit:
    """Return the edit that has *target* left out, or, with ignored=False, wanted again.

    A system point stands in no file: an entry that ignores it is added, or removed.
    """
    target = normalise_target(target)
    try:
        origin = _file_of(root, target)
    except UsageError:
        if not ignored:
            raise
        return add(root, Bind(target, target, ignored=True, origin=SYSTEM))
    if not ignored and _only_ignores(root, origin, target):
        return _edit(root, origin, "remove", target)
    return _edit(root, origin, "ignore", target, ignored)


def save(root: Root, edit: Edit) -> None:
    """Write an edit. Raises ChrootError where somebody changed the file meanwhile."""
    if read(root, edit.file) != edit.before:
        raise ChrootError(
            f"{root.path}{edit.file} was changed by someone else meanwhile", "look and try again"
        )
    if edit.before is None:
        own = {_mount_id(root)}
        root.make(CONFIG_DIRECTORY, file=False, allowed=own.__contains__)
    root.write(edit.file, edit.after)


def _mount_id(root: Root) -> int:
    from .rootpath import mount_id

    return mount_id(root.fd)


def _entries(root: Root, origin: str) -> tuple[Bind, ...]:
    from .errors import ConfigError, Problem

    data = read(root, FILES[origin])
    if data is None:
        return ()
    problems: list[Problem] = []
    binds = _module(origin).parse(data, root.path + FILES[origin], problems).binds
    if problems:
        raise ConfigError(problems)
    return tuple(binds)


def _module(origin: str):  # type: ignore[no-untyped-def]  # two modules of one shape
    from . import chroottoml, toolconf

    return toolconf if origin == TOOL_CONF else chroottoml


def _file_of(root: Root, target: str) -> str:
    """Return the origin whose file has the entry for *target*; the later file where both do."""
    known: list[str] = []
    for origin in (CHROOT_TOML, TOOL_CONF):
        targets = [entry.target for entry in _entries(root, origin)]
        if target in targets:
            return origin
        known += targets
    from difflib import get_close_matches

    close = get_close_matches(target, known, 1)
    raise UsageError(
        f"no entry for {target} in tool.conf or chroot.toml",
        f"did you mean {close[0]}?" if close else "see `bind list`",
    )


def _only_ignores(root: Root, origin: str, target: str) -> bool:
    entry = next(e for e in _entries(root, origin) if e.target == target)
    return entry.ignored and entry.source in (target, "none", "")


def _edit(root: Root, origin: str, verb: str, *arguments: object) -> Edit:
    name = FILES[origin]
    before = read(root, name)
    after: bytes = getattr(_module(origin), verb)(before or b"", *arguments)
    return Edit(name, before, after)
