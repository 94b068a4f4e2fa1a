"""`chroot-tool report`: what a report of a bug needs, and nothing that names somebody.

Only what is one of known words (known_words.py), a number or a version is printed: no name of a
person, a host, a chroot, no path, no text that comes out of a chroot or a file. Whoever reads it
knows the kind of machine, and not whose it is.
"""

from __future__ import annotations

import os
import sys

from .... import __version__
from ....core import programs
from ....core.chroot import absolute
from ....core.config.bind import BIND_OPTIONS, PROPAGATIONS, TMPFS_OPTIONS
from ....core.diagnosis.finding import OK
from ....core.errors import ChrootError, ConfigError
from ....core.host.debian import QEMU
from ....core.kernel.mount_table import MountTable
from ... import exits, privilege
from .. import known_words as known
from ..arguments import add, add_examples, engine_of, stay_here
from ..options import Option
from ..output import print_lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterable, Iterator

    from ....core.engine import Engine

_CHROOT = Option(("-d", "--dir"), "dir", "DIR", "the chroot that it is about, too")
_PACKAGES = ("textual", "psutil", "tomlkit", "bittty")
_PROGRAMS = ("debootstrap", "mmdebstrap", "zstd", "ssh", "sudo", "doas", "pkexec", "systemctl",
             "skopeo", "umoci")  # fmt: skip
_VARIABLES = {
    "TERM": known.terminal, "COLORTERM": known.colours, "LANG": known.locale,
    "LC_ALL": known.locale, "NO_COLOR": known.switch,
}  # fmt: skip
_OPTIONS = {
    *BIND_OPTIONS, *TMPFS_OPTIONS, *PROPAGATIONS, "rbind", "size", "mode", "uid", "gid",
    "ptmxmode", "newinstance", "nr_inodes",
}  # fmt: skip


def add_options(parser: ArgumentParser) -> None:
    """Give the parser of `report` its options."""
    add(parser, _CHROOT)
    add_examples(
        parser,
        "chroot-tool report >report.txt",
        "chroot-tool report -d deb",
        "",
        "Versions, kinds and numbers: no names of people, hosts, chroots, and no paths.",
        "Read it before you send it all the same, and add what you did and what you saw.",
    )


def execute(arguments: Namespace) -> int:
    """Print the report; return the exit code. Raises ChrootError where --dir is no chroot."""
    stay_here(arguments, "a report is of the machine that prints it", "ssh HOST chroot-tool report")
    engine = engine_of(arguments)
    path = ""
    if arguments.dir:
        path = engine.locate(arguments.dir)
        engine.status(path)  # what is none is told before anything is printed
    for title, lines in (
        ("program", _program()), ("system", _system()), ("environment", _environment()),
        ("settings", _settings()), ("chroots", _chroots(engine)),
        ("doctor", _doctor(engine, "")),
        *((("the chroot", _chroot(engine, path)), ("its doctor", _doctor(engine, path)))
          if path else ()),
    ):  # fmt: skip
        print_lines([f"{title}:", *(f"  {line}" for line in lines)])
    return exits.DONE


def _program() -> Iterator[str]:
    started = privilege.started()
    kind = "checkout" if started and "/.pkg/" in started[-1] else "installed"
    yield f"chroot-tool {__version__}, {kind}"
    yield f"Python {known.version(sys.version)}"
    from importlib.metadata import PackageNotFoundError, version

    for name in _PACKAGES:
        try:
            yield f"{name} {known.version(version(name))}"
        except PackageNotFoundError:
            yield f"{name} is missing"
    there = [name for name in _PROGRAMS if programs.find(name)]
    yield f"programs: {' '.join(there) or 'none'}"


def _system() -> Iterator[str]:
    told = os.uname()
    yield f"{told.sysname} {known.kernel(told.release)} {told.machine}"
    try:
        with open("/etc/os-release", encoding="utf-8", errors="replace") as file:
            yield known.distribution(file.read(10_000))
    except OSError:
        yield "no release"
    yield f"root: {_yes(not os.geteuid())}, systemd: {_yes(os.path.isdir('/run/systemd/system'))}"
    container = any(map(os.path.exists, ("/.dockerenv", "/run/.containerenv", "/run/container")))
    yield f"container: {_yes(container)}"


def _environment() -> Iterator[str]:
    for name, said in _VARIABLES.items():
        if name in os.environ:
            yield f"{name}={said(os.environ[name])}"
    terminals = [name for name, fd in (("stdin", 0), ("stdout", 1), ("stderr", 2)) if os.isatty(fd)]
    yield f"terminals: {' '.join(terminals) or 'none'}"
    yield f"encoding: {sys.stdout.encoding}"


def _settings() -> Iterator[str]:
    from ...settings.file import Settings, load

    try:
        found = load()
    except ConfigError as error:
        yield f"{len(error.problems)} errors"
        return
    default = Settings()
    changed = [name for name in Settings._fields if getattr(found, name) != getattr(default, name)]
    yield f"changed: {' '.join(changed) or 'none'}"


def _chroots(engine: Engine) -> Iterator[str]:
    try:
        found = engine.list()
    except ChrootError as error:
        yield f"not readable: {type(error).__name__}"
        return
    states = [one.state for one in found]
    yield f"{len(found)}: " + ", ".join(f"{states.count(s)} {s}" for s in sorted(set(states)))
    mounts = [mount for one in found for mount in one.mounts]
    kinds = sorted({_kind(mount.fs) for mount in mounts})
    yield f"mounts: {len(mounts)}{f', of {chr(32).join(kinds)}' if kinds else ''}"
    at = MountTable.read()
    below = [entry for entry in at.entries if _is_above(entry.target, absolute(engine.base))]
    if below:
        yield f"base: {_kind(max(below, key=lambda entry: len(entry.target)).fs)}"


def _is_above(target: str, path: str) -> bool:
    return target == "/" or path == target or path.startswith(f"{target}/")


def _chroot(engine: Engine, path: str) -> Iterator[str]:
    one = engine.status(path)
    architecture = one.architecture if one.architecture in QEMU else "?"
    yield f"{one.state}, {architecture}, at boot: {_yes(one.enabled)}"
    yield f"mounts {one.mounted}/{one.wanted}, {len(one.processes)} processes"
    for mount in one.mounts:
        yield f"{mount.state} {_kind(mount.fs)} {mount.origin} {_options(mount.options)}".rstrip()
    yield f"{len(one.problems)} problems"


def _doctor(engine: Engine, path: str) -> Iterable[str]:
    """Return which checks have found something: their words may quote anything."""
    try:
        found = engine.diagnose(path)
    except ChrootError as error:
        return [type(error).__name__]
    bad = [f"{one.severity} {one.check}" for one in found if one.severity != OK]
    return [f"{len(found) - len(bad)} ok", *sorted(bad)]


def _options(options: tuple[str, ...]) -> str:
    """Return the options that everybody knows: a value may be a path, or a user."""
    names = [word.partition("=")[0] for word in options]
    return ",".join(name if name in _OPTIONS else "?" for name in names)


def _kind(fs: str) -> str:
    """Return a type of file system that the kernel knows; any word may be configured for one."""
    try:
        with open("/proc/filesystems", encoding="utf-8") as file:
            types = {line.split()[-1] for line in file}
    except OSError:
        types = set()
    return fs if fs in types | {"bind", "copy"} else "another type"


def _yes(fact: bool) -> str:
    return "yes" if fact else "no"
