"""`chroot-tool sudoers`: the rule that lets a user or a group use this without being root."""

from __future__ import annotations

import os
import shutil

from ....core.errors import ChrootError, UsageError
from ....core.host.trusted import executed, writable_by_others
from ....core.text import safe
from ... import exits, privilege
from ..arguments import add_examples, stay_here
from ..output import print_lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

_KINDS = ("sudo", "doas", "pkexec")
_PLACES = {
    "sudo": "visudo -f /etc/sudoers.d/chroot-tool",
    "doas": "/etc/doas.conf",
    "pkexec": "/usr/share/polkit-1/actions",
}
_LINK = "chroot-tool"


def add_options(parser: ArgumentParser) -> None:
    """Give the parser of `sudoers` its options."""
    one = parser.add_mutually_exclusive_group()
    one.add_argument(
        "who", metavar="USER", nargs="?", default="",
        help="a user, or %%GROUP (default: who asks)",
    )  # fmt: skip
    one.add_argument("--user", metavar="USER", help="the user, as USER alone")
    one.add_argument("--group", metavar="GROUP", help="a group, as %%GROUP")
    parser.add_argument(
        "--for", dest="kind", choices=_KINDS, default="sudo",
        help="whose rule it is to be; that of pkexec is for all, an administrator's password asked",
    )  # fmt: skip
    add_examples(
        parser,
        "chroot-tool sudoers ann | sudo install -m 440 /dev/stdin /etc/sudoers.d/chroot-tool",
        "chroot-tool sudoers --group builders",
        "",
        "It allows this program and no other, without a password. Whoever has it is as",
        "good as root: so it is refused where somebody else can write what root would",
        "run by it.",
    )


def execute(arguments: Namespace) -> int:
    """Print the rule; return the exit code."""
    from .. import privilege_rules as rules

    stay_here(arguments, "a rule is for the machine that prints it", "ssh HOST chroot-tool sudoers")
    programs = _programs()
    _mind_others()
    if arguments.kind == "pkexec":
        text = rules.polkit(programs[0])
    else:
        who = _known(_meant(arguments))
        text = (rules.sudo if arguments.kind == "sudo" else rules.doas)(who, programs)
    print_lines(text.splitlines())
    if os.isatty(1):
        exits.tell(f"hint: its place: {_PLACES[arguments.kind]}\n")
    return exits.DONE


def _programs() -> tuple[str, ...]:
    """Return the program, and the name in PATH that leads to it. Raises ChrootError."""
    program, *more = privilege.program()
    if more or not os.path.exists(program):
        raise ChrootError(
            "a rule needs a program to name, and this was started as a module of Python",
            "start it by chroot-tool.sh, or by the command that is installed",
        )
    named = shutil.which(_LINK)
    if not named or named == program or not os.path.samefile(named, program):
        return (program,)
    # One in a directory of the caller's own could be exchanged for anything.
    return (program,) if writable_by_others((named,)) else (program, named)


def _mind_others() -> None:
    """Raise ChrootError where somebody else than root can write what root would execute."""
    found = writable_by_others(executed(privilege.program()))
    if found:
        raise ChrootError(
            f"{found.path} {found.why}: who can write it would be root by such a rule",
            f"install chroot-tool where root alone writes, /opt say, or: {found.mend}",
        )


def _meant(arguments: Namespace) -> str:
    """Return a user, or %GROUP. Raises UsageError where it is nobody."""
    if arguments.user is not None:  # given as "" it is a mistake: an unset variable in a script
        return str(arguments.user)
    if arguments.group is not None:
        return f"%{arguments.group}"
    return arguments.who or _asking()


def _known(who: str) -> str:
    """Return *who* as it stands in a rule. Raises UsageError where there is no such one."""
    import grp
    import pwd

    group = who.startswith("%")
    try:
        name = grp.getgrnam(who[1:]).gr_name if group else pwd.getpwnam(who).pw_name
    except (KeyError, ValueError):
        kind = "group" if group else "user"
        raise UsageError(f"there is no {kind} {who.lstrip('%')!r} here") from None
    is_plain = all(one.isalnum() or one in "._-$" for one in name) and not name.startswith("-")
    if not is_plain or name.isupper():  # which is an alias in sudoers(5), or ALL
        raise ChrootError(f"{safe(name)!r} is no name that a rule can say")
    return f"%{name}" if group else name


def _asking() -> str:
    """Return who asks, also behind sudo. Raises UsageError where that is root."""
    name = privilege.asking()
    if name == "root":
        raise UsageError("for whom? root needs no rule", "chroot-tool sudoers USER, or %GROUP")
    return name
