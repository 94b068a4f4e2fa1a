"""Who asks for a command inside without being root: the same one there, where the chroot knows him.

By name and by number: an entry that has only one of them is somebody else's, and a chroot that root
inside has changed can make nobody more than he is.
"""

from __future__ import annotations

from ..errors import Problem
from ..events import Warned
from . import users

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..events import Report
    from ..kernel.rootpath import Root


def user_of(root: Root, caller: tuple[str, int], report: Report) -> str:
    """Return the name of *caller*, (name, uid) out here, inside *root*; "" where he is to be root.

    That is reported as a warning. Raises ChrootError where the files cannot be read.
    """
    name, uid = caller
    entry = users.entry_of(root, name)
    if entry is not None and int(entry[2]) == uid:
        return name
    if entry is None:
        from shlex import quote  # which `run` has no need of, mostly

        why = f"{root.path} knows no {name} ({uid})"
        advice = f"chroot-tool adopt -d {quote(root.path)} makes one"
    else:
        why = f"{name} is not {uid} but {entry[2]} in {root.path}"
        advice = "-u says who else"
    report(Warned(root.path, Problem(f"as root: {why}; {advice}")))
    return ""
