"""Editing bind entries where they stand, without loss and without overwriting anyone.

Everything here but `read` and `save` is pure: changes turn the bytes of both files into new bytes.
(A new file's first line is there where the machine has what it points to: schema_line.py.)
How an entry is spliced into a file is known by tool_conf.py and chroot_toml.py; here is only which
of the two. So the same changes can be shown as a difference, saved, taken back, or made again in
files that somebody else has changed meanwhile.
"""

from __future__ import annotations

from ..chroot import CONFIG_DIRECTORY, CONFIG_LIMIT
from ..errors import ChangedError, ChrootError, ConfigError, PrivilegeError, Problem, UsageError
from ..text import suggestion
from ..value import Value
from . import chroot_toml, tool_conf
from .bind import CHROOT_TOML, TOOL_CONF, Bind, normalise_target
from .schema_line import header, is_header_alone

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..kernel.rootpath import Root
    from .home import Home

ORIGINS = (TOOL_CONF, CHROOT_TOML)
"""In the order in which they are merged: an entry of the later one counts."""
_EACCES, _EPERM, _EROFS = 13, 1, 30


class Files(Value):
    """The bytes of both configuration files at one moment; None for one that is not there."""

    tool_conf: bytes | None = None
    chroot_toml: bytes | None = None
    names: tuple[str, str] = (
        f"{CONFIG_DIRECTORY}/{TOOL_CONF}",
        f"{CONFIG_DIRECTORY}/{CHROOT_TOML}",
    )
    """Where they stand: as paths inside the chroot; on the host for those outside (`home`)."""

    def __getitem__(self, origin: str) -> bytes | None:
        return self.tool_conf if origin == TOOL_CONF else self.chroot_toml

    def name(self, origin: str) -> str:
        """Return where the file of *origin* stands."""
        return self.names[origin != TOOL_CONF]

    def having(self, origin: str, data: bytes) -> Files:
        """Return these with *data* in the file of *origin*."""
        if origin == TOOL_CONF:
            return self.replace(tool_conf=data)
        return self.replace(chroot_toml=data)


class Saved(Value):
    """What one save has done; enough to undo it."""

    before: Files
    after: Files

    @property
    def names(self) -> tuple[str, ...]:
        """The files that were written; see `Files.names`."""
        return tuple(self.after.name(o) for o in ORIGINS if self.before[o] != self.after[o])


class Added(Value):
    """A new entry."""

    bind: Bind


class Replaced(Value):
    """An entry that says something else now; its target may be another."""

    old: Bind
    bind: Bind


class Removed(Value):
    """An entry that goes, from both files."""

    target: str


class Ignored(Value):
    """A target that is left out from now on, or, with ignored=False, wanted again."""

    target: str
    ignored: bool = True


if TYPE_CHECKING:
    Change = Added | Replaced | Removed | Ignored


def read(home: Home) -> Files:
    """Return both files. Raises ChrootError for one that cannot be read."""
    conf, toml = home.names
    return Files(_read(home.root, conf), _read(home.root, toml), home.names)


def _read(root: Root, name: str) -> bytes | None:
    try:
        return root.read(name, CONFIG_LIMIT)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _explained(f"cannot read {root.path.rstrip('/')}{name}", error) from error


def save(home: Home, before: Files, after: Files) -> Saved:
    """Write what differs, both files or none.

    Raises ChangedError where a file is not as in *before* any more, ChrootError where one cannot
    be written; then both are as they were.
    """
    if read(home) != before:
        raise ChangedError(
            f"the configuration of {home.about} was changed by someone else meanwhile",
            "look at it and try again",
        )
    done: list[tuple[str, str]] = []
    try:
        for origin, name in zip(ORIGINS, home.names, strict=True):
            if before[origin] != after[origin]:
                done.append((origin, name))
                _write(home, name, after[origin])
    except BaseException as error:
        for origin, name in done:
            _put_back(home, name, before[origin])
        if isinstance(error, OSError):
            raise _explained(f"cannot write {home.prefix}{done[-1][1]}", error) from error
        raise
    return Saved(before, after)


def _write(home: Home, name: str, data: bytes | None) -> None:
    from ..kernel.syscalls import mount_id

    root = home.root
    if home.outside:  # in a directory that root alone can write
        allowed = None
    else:
        # What is mounted over it, or where a link leads, is the host's, and goes with `off`.
        allowed = {mount_id(root.fd)}.__contains__
        root.make(root.resolve(CONFIG_DIRECTORY), file=False, allowed=allowed)
    root.write(name, data or b"", allowed=allowed)
    if data is None:
        root.unmake(root.resolve(name))  # which removes nothing that holds anything


def _put_back(home: Home, name: str, data: bytes | None) -> None:
    try:
        if home.root.stat(name) is not None or data is not None:
            _write(home, name, data)
    except (OSError, ChrootError):
        pass  # the disk that failed before still does; the error that is raised says so


def _explained(what: str, error: OSError) -> ChrootError:
    message = f"{what}: {error.strerror}"
    if error.errno in (_EACCES, _EPERM):
        return PrivilegeError(message, "run as root")
    return ChrootError(message, "it is read-only" if error.errno == _EROFS else "")


def difference(before: Files, after: Files, *, context: int = 3) -> tuple[str, ...]:
    """Return the lines of a unified diff (without newlines, unsafe as they are) of both files.

    *context*: how many lines that stay are around what changes.
    """
    from difflib import unified_diff

    lines: list[str] = []
    for origin in ORIGINS:
        old, new = before[origin], after[origin]
        name = after.name(origin).lstrip("/")
        was = name if old is not None else "/dev/null"
        lines += unified_diff(_lines(old), _lines(new), was, name, n=context, lineterm="")
    return tuple(part for line in lines for part in line.split("\n"))


def _lines(data: bytes | None) -> list[str]:
    lines = (data or b"").decode("utf-8", "surrogateescape").split("\n")
    if lines[-1] == "":
        lines.pop()
    else:
        lines[-1] += "\n\\ No newline at end of file"
    return lines


def entries(files: Files, where: str = "") -> tuple[Bind, ...]:
    """Return the entries of both files as they stand; of several for a target the last counts.

    *where* is the chroot's path, for messages; "" for files outside. Raises ConfigError with all
    problems of a file.
    """
    return tuple(bind for origin in ORIGINS for bind in _parsed(files, origin, where))


def _parsed(files: Files, origin: str, where: str) -> tuple[Bind, ...]:
    data = files[origin]
    if data is None:
        return ()
    problems: list[Problem] = []
    path = where + files.name(origin)
    if origin == TOOL_CONF:
        binds = tool_conf.parse(data, path, problems).binds
    else:
        binds = chroot_toml.parse(data, path, problems).binds
    if problems:
        raise ConfigError(problems)
    return binds


def changed(files: Files, changes: Iterable[Change], where: str = "") -> Files:
    """Return *files* with *changes* made one after the other.

    *where* is the chroot's path, for messages. Raises ConfigError where a file has errors,
    UsageError for a change that makes no sense in it, ChangedError for one that meant an entry
    that has another content now.
    """
    for change in changes:
        files = _Editor(files, where).after(change)
    return files


def tagged(files: Files, tags: Iterable[str], where: str = "") -> Files:
    """Return *files* with these tags and no others; they stand in chroot.toml.

    *where* as for `changed`. Raises ConfigError where that file has errors, UsageError for a word
    that can't be a tag.
    """
    _parsed(files, CHROOT_TOML, where)
    tags = tuple(dict.fromkeys(tags))
    data = files[CHROOT_TOML]
    if data is None and not tags:
        return files
    rest = chroot_toml.tag(header(CHROOT_TOML) if data is None else data, tags)
    return files.having(CHROOT_TOML, b"" if is_header_alone(rest, CHROOT_TOML) else rest)


class _Editor:
    """Makes one change."""

    def __init__(self, files: Files, where: str) -> None:
        self._files = files
        self._where = where
        self._binds = {origin: _parsed(files, origin, where) for origin in ORIGINS}

    def after(self, change: Change) -> Files:
        match change:
            case Added():
                return self._add(change.bind)
            case Replaced():
                return self._replace(change.old, change.bind)
            case Removed():
                return self._remove(normalise_target(change.target))
            case Ignored(ignored=True):
                return self._ignore(normalise_target(change.target))
            case Ignored():
                return self._restore(normalise_target(change.target))

    # -- the changes -----------------------------------------------------------------------------

    def _add(self, bind: Bind) -> Files:
        self._refuse_listed(bind.target)
        return self._put(self._home(bind), bind)

    def _replace(self, old: Bind, bind: Bind) -> Files:
        there = self._entry(old.target)
        # One that only ignores is merged into what it hides, and is shown as that.
        if not _same(there, old) and not (old.ignored and there.only_ignores):
            raise ChangedError(
                f"the entry for {old.target} was changed by someone else meanwhile",
                "look at it and try again",
            )
        if bind.target != there.target:
            self._refuse_listed(bind.target)
        if not _holds(there.origin, bind):
            moved = self._cut(there.origin, there.target)
            return _Editor(moved, self._where)._put(_other(there.origin), bind)
        data = self._files[there.origin] or b""
        if there.origin == TOOL_CONF:
            data = tool_conf.replace(data, there.target, bind)
        else:
            data = chroot_toml.replace(data, there.target, bind)
        return self._files.having(there.origin, data)

    def _remove(self, target: str) -> Files:
        self._entry(target)
        files = self._files
        for origin in ORIGINS:
            if any(bind.target == target for bind in self._binds[origin]):
                files = _Editor(files, self._where)._cut(origin, target)
        return files

    def _ignore(self, target: str) -> Files:
        there = self._find(target)
        if there is not None:
            return self._set_ignored(there, True)
        if target not in _system_targets():
            raise self._unknown(target, _system_targets())
        bind = Bind(target, target, ignored=True)
        return self._put(self._home(bind), bind)

    def _restore(self, target: str) -> Files:
        there = self._entry(target)
        if not there.ignored:
            return self._files
        if not _only_ignores(there):
            return self._set_ignored(there, False)
        files = self._cut(there.origin, target)
        # What stood behind it counts again, and may be ignored too.
        again = _Editor(files, self._where)
        return again._restore(target) if again._find(target) else files

    # -- the files -------------------------------------------------------------------------------

    def _home(self, bind: Bind) -> str:
        """Return the file for a new entry: the one that lists binds, else chroot.toml."""
        listed = self._binds[TOOL_CONF] and not self._binds[CHROOT_TOML]
        origin = TOOL_CONF if listed else CHROOT_TOML
        return origin if _holds(origin, bind) else _other(origin)

    def _put(self, origin: str, bind: Bind) -> Files:
        if not _holds(origin, bind):
            raise UsageError(
                f"bind {bind.target} is optional, for which only chroot.toml has a word, and holds "
                "bytes that are not UTF-8, which only tool.conf can",
                "leave one of the two out",
            )
        data = self._files[origin] or b""
        if origin == TOOL_CONF:
            return self._files.having(origin, tool_conf.add(data, bind))
        if self._files[origin] is None:
            data = header(CHROOT_TOML)
        return self._files.having(origin, chroot_toml.add(data, bind))

    def _cut(self, origin: str, target: str) -> Files:
        data = self._files[origin] or b""
        if origin == TOOL_CONF:
            return self._files.having(origin, tool_conf.remove(data, target))
        rest = chroot_toml.remove(data, target)
        return self._files.having(origin, b"" if is_header_alone(rest, CHROOT_TOML) else rest)

    def _set_ignored(self, there: Bind, ignored: bool) -> Files:
        data = self._files[there.origin] or b""
        if there.origin == TOOL_CONF:
            data = tool_conf.ignore(data, there.target, ignored)
        else:
            data = chroot_toml.ignore(data, there.target, ignored)
        return self._files.having(there.origin, data)

    # -- looking ---------------------------------------------------------------------------------

    def _find(self, target: str) -> Bind | None:
        """Return the entry that counts for *target*: the last one of the later file."""
        for origin in reversed(ORIGINS):
            for bind in reversed(self._binds[origin]):
                if bind.target == target:
                    return bind
        return None

    def _entry(self, target: str) -> Bind:
        there = self._find(target)
        if there is None:
            raise self._unknown(target)
        return there

    def _unknown(self, target: str, more: Sequence[str] = ()) -> UsageError:
        if target in _system_targets():
            return UsageError(
                f"{target} is a system point and stands in no file",
                "to leave it out: bind ignore; to have it otherwise: bind add",
            )
        known = [bind.target for origin in ORIGINS for bind in self._binds[origin]]
        return UsageError(
            f"no entry for {target} in tool.conf or chroot.toml",
            suggestion(target, [*known, *more]) or "see `bind list`",
        )

    def _refuse_listed(self, target: str) -> None:
        there = self._find(target)
        if there is not None:
            file = f"{self._where}{self._files.name(there.origin)}"
            raise UsageError(
                f"{file}:{there.line} has an entry for {target} already",
                "edit that, or remove it first",
            )


def _other(origin: str) -> str:
    return CHROOT_TOML if origin == TOOL_CONF else TOOL_CONF


def _holds(origin: str, bind: Bind) -> bool:
    """Tell whether a file form has words for *bind*."""
    if origin == TOOL_CONF:
        return not bind.optional
    try:
        "".join([bind.target, bind.source, *bind.options]).encode()
    except UnicodeEncodeError:
        return False
    return True


def _same(one: Bind, other: Bind) -> bool:
    """Tell whether two entries say the same, wherever they stand."""
    return one.replace(line=0, origin="") == other.replace(line=0, origin="")


def _system_targets() -> tuple[str, ...]:
    """Return the targets of the system points, those too that this host lacks."""
    from ..host.mount_points import RESOLV_CONF, HostFacts
    from .chroot_toml_values import SystemSettings
    from .system_points import system_points

    points = system_points(SystemSettings(), HostFacts(journal=True, resolv=RESOLV_CONF))
    return tuple(point.target for point in points)


def _only_ignores(entry: Bind) -> bool:
    """Tell whether an ignored entry says nothing but that a system point is left out."""
    return entry.only_ignores and entry.target in _system_targets()
