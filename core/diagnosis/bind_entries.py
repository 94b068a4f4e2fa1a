"""What a chroot says of itself: mistakes, conf.sh, entries that shadow others or do nothing."""

from __future__ import annotations

from ..chroot import CONFIG_DIRECTORY
from ..config import chroot_toml, edits, tool_conf
from ..config.administration import read_policy
from ..config.bind import SYSTEM, Bind
from ..config.chroot_toml_values import ChrootToml
from ..config.home import home_of
from ..config.host_cmd import HOST_CMD, where_to_run
from ..config.system_points import system_points
from ..errors import ChrootError, PolicyError
from ..host.mount_points import host_facts
from .check import CHROOT, HOST, Check
from .finding import note, ok, problem, warning
from .mounts import left_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .finding import Finding
    from .subject import Subject


def configuration(subject: Subject) -> Iterator[Finding]:
    """Read both files; each mistake is one finding."""
    seen = subject.seen
    for mistake in seen.mistakes:
        yield problem(mistake.message, "on and run refuse to begin", mistake.hint)
    if not seen.mistakes:
        yield ok("it can be read")


def policy(_subject: Subject) -> Iterator[Finding]:
    """Read what the administrator allows."""
    try:
        found = read_policy()
    except PolicyError as error:
        for one in error.problems:
            yield problem(one.message, "on and run refuse to begin, of every chroot", one.hint)
        return
    yield ok("it can be read" if found else "there is none: chroots may ask for what they want")


def host_cmd(subject: Subject) -> Iterator[Finding]:
    """See whether a host-cmd would be run."""
    with subject.open() as root:
        there = root.stat(f"{CONFIG_DIRECTORY}/{HOST_CMD}")
        if there is None or not there.st_mode & 0o111:
            yield ok("there is none")
            return
        try:
            where_to_run(root)
        except PolicyError as error:
            yield problem(error.message, "run refuses to begin", error.hint)
        else:
            yield ok("it is root's alone, and run first, on the host")


def conf_sh(subject: Subject) -> Iterator[Finding]:
    """Look for the original's shell script."""
    config = subject.seen.config
    for said in config.problems if config else ():
        yield warning(said.message, "what it would mount is not mounted", said.hint)
    if not config or not config.problems:
        yield ok("there is none")


def shadowed(subject: Subject) -> Iterator[Finding]:
    """Look for entries of which only one counts, since both have the same target."""
    last: dict[str, Bind] = {}
    found = False
    for bind in _listed(subject):
        before = last.get(bind.target)
        last[bind.target] = bind
        if before is None:
            continue
        found = True
        if bind.only_ignores:
            what = "is left out by"
        else:
            what = "says the same as" if _is_same(before, bind) else "is replaced by"
        yield warning(
            f"{bind.target}: {_place(before)} {what} {_place(bind)}",
            "of two entries with one target the later one counts, whole",
            f"remove the one that is not meant: chroot-tool bind list -d {subject.path}",
        )
    if not found:
        yield ok("each target is listed once")


def no_effect(subject: Subject) -> Iterator[Finding]:
    """Look for entries that change nothing."""
    system = _system(subject)
    earlier = set(system)
    found = False
    for bind in _listed(subject):
        why = _why_no_effect(bind, system.get(bind.target), bind.target in earlier)
        earlier.add(bind.target)
        if why:
            found = True
            yield note(f"{_place(bind)}: {bind.target} {why}", "", "it can go")
    for target in left_out(subject):
        found = True
        yield note(
            f"{target} is left out now: optional, and its source is not there",
            "",
            "nothing, where that is meant",
        )
    if not found:
        yield ok("every entry does something")


def _why_no_effect(bind: Bind, system: Bind | None, is_known: bool) -> str:
    if bind.only_ignores:
        return "" if is_known else "is left out, and nothing else wants it"
    if system and _is_same(system, bind):
        return "is mounted like that anyway"
    return ""


def _is_same(one: Bind, other: Bind) -> bool:
    plain = {"origin": SYSTEM, "line": 0}
    return one.replace(**plain) == other.replace(**plain)


def _place(bind: Bind) -> str:
    return f"{bind.origin}:{bind.line}" if bind.line else bind.origin


def _listed(subject: Subject) -> Sequence[Bind]:
    """Return the entries of both files in the order in which they count; () with mistakes."""
    files = _files(subject)
    plain = tool_conf.parse(files.tool_conf or b"", "", [])
    return (*plain.binds, *_toml(files).binds)


def _files(subject: Subject) -> edits.Files:
    with subject.open() as root:
        try:
            with home_of(root) as home:
                return edits.read(home)
        except ChrootError:
            return edits.Files()  # that is told as a mistake


def _toml(files: edits.Files) -> ChrootToml:
    if files.chroot_toml is None:
        return ChrootToml()
    return chroot_toml.parse(files.chroot_toml, "", [])


def _system(subject: Subject) -> dict[str, Bind]:
    """Return the mounts that this chroot gets without any entry, by target."""
    settings = _toml(_files(subject)).system
    return {bind.target: bind for bind in system_points(settings, host_facts())}


CHECKS = (
    Check("configuration", "mistakes in `tool.conf`, `chroot.toml` and the policy", configuration,
          (CHROOT,)),
    Check("policy", "mistakes in the administrator's `policy.toml`", policy, (HOST,)),
    Check("host-cmd", "whether `chroot.d/host-cmd` would be run: root's alone, and allowed",
          host_cmd, (CHROOT,)),
    Check("conf.sh", "the original's shell script, which is never run", conf_sh, (CHROOT,)),
    Check("shadowed", "entries of which only the last one counts", shadowed, (CHROOT,)),
    Check("no-effect", "entries that change nothing", no_effect, (CHROOT,)),
)  # fmt: skip
