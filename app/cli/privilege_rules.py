"""Rules by which an administrator lets others use chroot-tool: of sudo, of doas, of polkit. Pure.

Each allows one program with any words, and says that whoever has it is as good as root.
"""

from __future__ import annotations

from ...core.errors import ChrootError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_WARNING = "Whoever has this rule is as good as root on this host: root in a chroot is root."
_PLAIN = frozenset("/._+-~@%")
_SPECIAL = frozenset(",:= #")
"""What sudoers(5) takes in a path behind a backslash; all else it reads otherwise."""
ACTION = "io.github.chroot-tool.run"

_POLICY = """\
<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE policyconfig PUBLIC "-//freedesktop//DTD PolicyKit Policy Configuration 1.0//EN"
  "http://www.freedesktop.org/standards/PolicyKit/1/policyconfig.dtd">
<!-- {warning}
     To be put into /usr/share/polkit-1/actions/{action}.policy -->
<policyconfig>
  <action id="{action}">
    <description>Work on the chroots of this host</description>
    <message>chroot-tool works on the chroots of this host as root</message>
    <defaults>
      <allow_any>auth_admin_keep</allow_any>
      <allow_inactive>auth_admin_keep</allow_inactive>
      <allow_active>auth_admin_keep</allow_active>
    </defaults>
    <annotate key="org.freedesktop.policykit.exec.path">{program}</annotate>
  </action>
</policyconfig>
"""


def sudo(who: str, programs: Sequence[str]) -> str:
    """Return the lines of sudoers(5) that let *who*, a user or %GROUP, run *programs* as root.

    The first of *programs* is what is started, the others are names of it. Raises ChrootError for
    a path that no rule can say.
    """
    commands = ", ".join(_escaped(one) for one in programs)
    return f"# {_WARNING}\n{who} ALL=(root) NOPASSWD: NOSETENV: {commands}\n"


def doas(who: str, programs: Sequence[str]) -> str:
    """Return the same as lines of doas.conf(5), where :GROUP is a group. Raises as `sudo` does."""
    name = f":{who[1:]}" if who.startswith("%") else who
    lines = [f"permit nopass {name} as root cmd {_quoted(one)}\n" for one in programs]
    return "".join([f"# {_WARNING}\n", *lines])


def polkit(program: str) -> str:
    """Return an action of polkit(8) for pkexec(1), which has an administrator's password asked."""
    _mind(program)
    return _POLICY.format(program=program, warning=_WARNING, action=ACTION)


def _escaped(path: str) -> str:
    _mind(path)
    return "".join(f"\\{one}" if one in _SPECIAL else one for one in path)


def _quoted(path: str) -> str:
    _mind(path)
    return f'"{path}"' if _SPECIAL & set(path) else path


def _mind(path: str) -> None:
    if not all(one.isalnum() or one in _PLAIN | _SPECIAL for one in path):
        raise ChrootError(f"{path!r} can't stand in a rule", "put chroot-tool elsewhere")
