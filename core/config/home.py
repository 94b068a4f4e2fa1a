"""Where the configuration of a chroot stands: in its `chroot.d`, or outside, in the administrator's
directory, which then alone counts.

A file `chroots.d/NAME.toml` (or NAME.conf in the form of tool.conf, or both) is for the chroot that
it names by `path`, whatever it is called itself. Without `path` it is for one whose directory is
called NAME; then the directory above that must be root's alone, or anybody could make a chroot of
that name and be given what was meant for another.
"""

from __future__ import annotations

import os

from .. import chroot
from ..chroot import CONFIG_DIRECTORY
from ..errors import ConfigError, PolicyError, Problem, hint_of
from ..kernel.ownership import walk
from ..kernel.rootpath import Root
from . import administration
from .bind import CHROOT_TOML, TOOL_CONF

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

CHROOTS = "chroots.d"
_CONF, _TOML = ".conf", ".toml"


class Home:
    """The two files of one chroot. A context manager; closes what it has opened.

    `root` is what paths are looked up in: the chroot, or the host. `names` are the paths in it of
    the files that have the form of tool.conf and of chroot.toml.
    """

    def __init__(
        self, about: str, root: Root, names: tuple[str, str], *, outside: bool = False
    ) -> None:
        self.about = about
        """The path of the chroot."""
        self.root = root
        self.names = names
        self.outside = outside

    def __enter__(self) -> Home:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        if self.outside:
            self.root.close()

    @property
    def prefix(self) -> str:
        """What makes a path of each name on the host."""
        return self.root.path.rstrip("/")

    @property
    def paths(self) -> tuple[str, str]:
        """The paths of the files on the host."""
        one, other = self.names
        return self.prefix + one, self.prefix + other


def home_of(root: Root) -> Home:
    """Return where the configuration of the chroot *root* stands.

    Raises PolicyError where that can't be known, ConfigError.
    """
    stem = _stem(root) if chroot.is_administered() else ""
    if not stem:
        own = (f"{CONFIG_DIRECTORY}/{TOOL_CONF}", f"{CONFIG_DIRECTORY}/{CHROOT_TOML}")
        return Home(root.path, root, own)
    file = f"{_directory()}/{stem}"
    return Home(root.path, Root("/"), (file + _CONF, file + _TOML), outside=True)


def _directory() -> str:
    return f"{chroot.ADMINISTRATOR}/{CHROOTS}"


def _stem(root: Root) -> str:
    """Return the name, without its end, of the administrator's files for a chroot; "": none."""
    try:
        with Root("/") as top, walk(top, _directory()) as way:
            if way.foreign:
                raise PolicyError([administration.not_roots(_directory(), way.foreign)])
            if way.rest:
                return ""
            found = sorted(stem for stem in _candidates(way.fd, root) if _is_for(stem, root))
    except OSError as error:
        raise PolicyError([Problem(f"{_directory()}: {error.strerror}", hint_of(error))]) from error
    if len(found) > 1:
        what = f"{' and '.join(found)} in {_directory()} are both for {root.path}"
        raise PolicyError([Problem(what, "give each a path of its own, or move one away")])
    return found[0] if found else ""


def _candidates(directory: int, root: Root) -> set[str]:
    """Return which may be for this chroot: to read them all with care would cost each `run`."""
    name = os.fsencode(_name(root))
    found = set()
    listed = os.open(f"/proc/self/fd/{directory}", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for file in os.listdir(listed):
            stem, end = os.path.splitext(file)
            if end not in (_CONF, _TOML) or stem.startswith("."):
                continue
            if os.fsencode(stem) == name or _may_name(listed, file, name):
                found.add(stem)
    finally:
        os.close(listed)
    return found


def _may_name(directory: int, file: str, name: bytes) -> bool:
    try:
        fd = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
    except OSError:
        return True  # let it be told what is wrong with it
    try:
        data = os.read(fd, 1 << 16)
    except OSError:
        return True
    finally:
        os.close(fd)
    return name in data or b"\\" in data  # TOML can write any letter with a \u


def _name(root: Root) -> str:
    return root.path.rstrip("/").rpartition("/")[2]


def _is_for(stem: str, root: Root) -> bool:
    """Tell whether the administrator's files *stem* are for this chroot."""
    said = {path for one in (_CONF, _TOML) if (path := _path_in(stem, one)) is not None}
    if len(said - {""}) > 1:
        what = f"{stem}{_CONF} and {stem}{_TOML} in {_directory()} name different chroots"
        raise PolicyError([Problem(what, "give one of them another name")])
    path = max(said, default="")
    if path:
        return _is_at(path, root)
    if stem != _name(root):
        return False
    above = root.path.rstrip("/").rpartition("/")[0] or "/"
    with Root("/") as top, walk(top, above) as way:
        if way.foreign:
            file = f"{_directory()}/{stem}"
            what = f"{file} has no path, and others can put a chroot of that name at {root.path}: "
            what += f"{way.foreign.path} {way.foreign.why}"
            raise PolicyError([Problem(what, f'add path = "{root.path}" if it is for that one')])
    return True


def _is_at(path: str, root: Root) -> bool:
    if path.rstrip("/") == root.path:
        return True
    try:
        return os.path.samestat(os.stat(path), os.fstat(root.fd))
    except OSError:
        return False  # not there, so not this one


def _path_in(stem: str, suffix: str) -> str | None:
    """Return the chroot that a file names, "" where it names none, None where there is no file."""
    from . import chroot_toml, tool_conf

    file = f"{_directory()}/{stem}{suffix}"
    data = administration.read_own(file)
    if data is None:
        return None
    problems: list[Problem] = []
    parse = chroot_toml.parse if suffix == _TOML else tool_conf.parse
    found = parse(data, file, problems)
    if problems:
        raise ConfigError(problems)
    return found.path
