"""`adopt`: a user of the host made a user inside, with the same name and number."""

from __future__ import annotations

import os
import stat
import time

from ..chroot import open_chroot, refuse_unfinished
from ..entering import people
from ..errors import BusyError, ChrootError, Problem, UsageError, reason_of
from ..events import StepDone, Warned, ignore
from ..kernel.rootpath import Place
from ..kernel.syscalls import mount_id
from ..lock import Lock
from ..need_root import need_root
from ..plan import Plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..events import Report
    from ..kernel.rootpath import Root
    from ..plan import Step

_LIMIT = 8 << 20
"""Bytes of a file of users: as many as `entering.users` reads."""
_LOCK = "/etc/.pwd.lock"
"""What programs inside lock that change the same files: lckpwdf(3)."""
_DAY = 86400
_MODE = 0o700
"""Of a home: HOME_MODE of Debian's login.defs(5)."""
_SKEL = "/etc/skel"
_MOST_OF_SKEL = 64
_SHELLS = ("/bin/bash", "/bin/sh")


def plan_adopt(path: str, user: str) -> Plan:
    """As `Engine.plan_adopt`."""
    with open_chroot(path) as root:
        refuse_unfinished(root)
        return Plan(_steps(root, _person(root, user)))


def adopt(path: str, user: str, *, report: Report = ignore) -> Plan:
    """As `Engine.adopt`."""
    need_root("making a user inside")
    with open_chroot(path) as root, Lock(root.path), _UsersLock(root):
        refuse_unfinished(root)
        person = _person(root, user)
        steps = _steps(root, person)
        for step in steps:
            if isinstance(step, people.AddLine):
                data = people.added(_read(root, step.target), step.line)
                mode = 0o640 if "shadow" in step.target else 0o644
                root.write(step.target, data, mode, allowed=_own(root))
            elif isinstance(step, people.MakeHome):
                _make_home(root, step, report)
            report(StepDone(root.path, step))
        return Plan(steps)


def _steps(root: Root, person: people.Person) -> tuple[Step, ...]:
    files = {path: _read(root, path) for path in people.FILES}
    return people.steps(
        files,
        person,
        has_home=root.stat(person.home) is not None,
        day=int(time.time()) // _DAY,
        place=root.path,
    )


def _person(root: Root, user: str) -> people.Person:
    """Return *user* of the host, with a shell that there is inside. Raises UsageError."""
    import grp
    import pwd

    try:
        found = pwd.getpwnam(user)
    except (KeyError, ValueError):
        raise UsageError(f"there is no user {user!r} on this host", "-u names another") from None
    try:
        group = grp.getgrgid(found.pw_gid).gr_name
    except KeyError:
        group = found.pw_name
    shells = (found.pw_shell, *_SHELLS)
    shell = next((one for one in shells if one and root.stat(one)), _SHELLS[-1])
    person = people.Person(
        found.pw_name, found.pw_uid, found.pw_gid, group, found.pw_dir, shell
    )  # fmt: skip
    people.check(person)
    return person


def _read(root: Root, inside: str) -> bytes | None:
    try:
        return root.read(inside, _LIMIT)
    except (FileNotFoundError, NotADirectoryError):
        return None


def _own(root: Root) -> Callable[[int], bool]:
    """Return what tells whether a mount is the chroot's own, and nothing of the host's."""
    own = mount_id(root.fd)
    return lambda mount: mount == own


def _make_home(root: Root, step: people.MakeHome, report: Report) -> None:
    """Make a home; where it would be outside of the chroot, somebody else has to."""
    try:
        place = root.resolve(step.target)
        if place not in root.make(place, file=False, allowed=_own(root)):
            return
    except (ChrootError, OSError) as error:
        why = reason_of(error)
        report(Warned(root.path, Problem(f"the home {step.target} is not made: {why}")))
        return
    with Place(root.open(place, os.O_RDONLY | os.O_DIRECTORY, follow=False)) as home:
        if mount_id(home) != mount_id(root.fd):
            raise ChrootError(f"{place} was made another's meanwhile", "try it again")
        # Theirs first: what is cut off here stands there for the next one, which makes none.
        os.fchown(home, step.uid, step.gid)
        os.fchmod(home, _MODE)
        for name, data, mode in _skeleton(root):
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            with Place(os.open(name, flags, mode, dir_fd=home)) as file:
                os.fchown(file, step.uid, step.gid)
                _write(file, data, f"{place}/{name}")


def _write(file: int, data: bytes, called: str) -> None:
    from ..archives.pipeline import write_all

    try:
        write_all(file, data)
    except OSError as error:
        raise ChrootError(f"{called} can't be written: {error.strerror}") from error


def _skeleton(root: Root) -> Iterator[tuple[str, bytes, int]]:
    """Give name, content and mode of the files that a new home has, small and regular ones."""
    try:
        with Place(root.open(_SKEL, os.O_RDONLY | os.O_DIRECTORY)) as folder:
            names = sorted(os.listdir(folder))[:_MOST_OF_SKEL]
    except OSError:
        return
    for name in names:
        inside = f"{_SKEL}/{name}"
        there = root.stat(inside, follow=False)
        if there is not None and stat.S_ISREG(there.st_mode):
            try:
                yield name, root.read(inside, 1 << 16), stat.S_IMODE(there.st_mode) & 0o755
            except (OSError, ChrootError):
                continue  # it is no loss


class _UsersLock:
    """Keeps programs inside from changing the same files. Raises BusyError."""

    def __init__(self, root: Root) -> None:
        import fcntl

        self._fd = -1
        there = root.stat(_LOCK, follow=False)
        if there is None or not stat.S_ISREG(there.st_mode):
            return
        with Place(root.open(_LOCK, os.O_PATH | os.O_NOFOLLOW, follow=False)) as found:
            if not stat.S_ISREG(os.fstat(found).st_mode):
                return
            self._fd = os.open(f"/proc/self/fd/{found}", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            fcntl.lockf(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._fd)
            raise BusyError(
                f"users of {root.path} are being changed inside", "try it when that is over"
            ) from None

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        if self._fd >= 0:
            os.close(self._fd)
