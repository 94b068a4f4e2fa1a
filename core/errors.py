"""Every error that the engine raises on purpose.

ChrootError                 the operation failed (exit 1)
├── UsageError              the call itself makes no sense (2)
├── ConfigError             a configuration file is wrong (3); carries every problem found
│   └── PolicyError         it asks for what the administrator forbids (3, of `run` too)
├── ChangedError            a file was changed by someone else since it was looked at (1)
├── BusyError               in use; carries the processes that hold it (4)
│   └── LockedError         another chroot-tool is at work on it (4)
├── AbsentError             there is nothing at that place (1)
├── NoChrootError           what is there is no chroot (1)
├── PrivilegeError          more privilege is needed (5)
├── EnterError              a command could not be started inside; carries its exit code (125–127)
└── Cancelled               the caller asked to stop (130)

`message` is one line that says what went wrong and why, `hint` what to do about it. Only `app/`
prints or exits. Messages may quote foreign text as it is: whoever shows it makes it safe
(`core.text.safe`).
"""

from __future__ import annotations

from .value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .process import Holder


MOST_PROBLEMS = 100
"""Of one configuration file, before reading it stops: who writes in a chroot may mean harm."""


class Problem(Value):
    """Something that is wrong with a chroot, and what to do about it."""

    message: str
    hint: str = ""


class ChrootError(Exception):
    """The operation failed. The message is one line, the hint says what to do."""

    kind = "failed"
    """What it is called as JSON."""
    host = ""
    """The machine that wants root, or at whose end of a stream it happened, if not this one."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(ChrootError):
    """The arguments make no sense, whatever the state of the world."""

    kind = "usage"


class ConfigError(ChrootError):
    """One or more configuration entries are wrong; `problems` has each, with file and line."""

    kind = "configuration"

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        super().__init__(problems[0].message + more, problems[0].hint)


class Refusal(Problem):
    """A problem that is there because the administrator of this host does not want it."""


class PolicyError(ConfigError):
    """What is asked for is not allowed on this host, or what is allowed can't be read.

    `code` is what `run` exits with: its caller is to know this from a failing command.
    """

    kind = "policy"

    code = 3


class ChangedError(ChrootError):
    """A configuration file is not as it was when it was looked at; nothing was written."""

    kind = "changed"


class BusyError(ChrootError):
    """Something is in use; `holders` says by whom, as far as that could be seen."""

    kind = "busy"

    def __init__(self, message: str, hint: str = "", holders: Sequence[Holder] = ()) -> None:
        super().__init__(message, hint)
        self.holders = tuple(holders)


class LockedError(BusyError):
    """Another chroot-tool is at work on this chroot; `pid` is its process, 0 if unknown."""

    kind = "locked"

    def __init__(self, message: str, hint: str = "", pid: int = 0) -> None:
        super().__init__(message, hint)
        self.pid = pid


class AbsentError(ChrootError):
    """There is nothing where a chroot should be."""

    kind = "absent"


class NoChrootError(ChrootError):
    """What is there is a directory, but no chroot."""

    kind = "no_chroot"


class PrivilegeError(ChrootError):
    """Root, or a capability, is missing."""

    kind = "privilege"


class EnterError(ChrootError):
    """A command could not be started inside. `code` is what `run` exits with, as env(1) does.

    127: not found, 126: found and not executable, 125: it did not come so far.
    """

    kind = "enter"

    def __init__(self, message: str, hint: str = "", code: int = 125) -> None:
        super().__init__(message, hint)
        self.code = code


class CutShortError(ChrootError):
    """A stream ended before its end: whoever sent it failed, or the connection did."""


class Cancelled(ChrootError):  # noqa: N818 (no error of ours: the caller asked for it)
    """The caller set `cancelled`; everything this run had done is taken back."""

    kind = "cancelled"


def reason_of(error: OSError | ChrootError) -> str:
    """Return why something failed, in words that stand behind what did."""
    return error.message if isinstance(error, ChrootError) else str(error.strerror)


def hint_of(error: OSError) -> str:
    """Return what helps where the system refused something for want of privilege; "" elsewhere."""
    return "run as root" if error.errno in (1, 13) else ""  # EPERM, EACCES
