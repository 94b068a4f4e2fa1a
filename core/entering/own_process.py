"""Running a command inside from a process that must not go in itself: it has threads.

A program of its own is started for it, the interpreter with `main`.
"""

from __future__ import annotations

import json
import os
import sys

from ..errors import ChrootError, EnterError
from ..programs import environment
from ..programs import run as start
from .enter import run
from .words_to_program import Command, command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from threading import Event as CancelEvent

    from ..config.chroot_toml_values import RunDefaults
    from ..kernel.rootpath import Root

_STARTER = """
import sys
sys.path.insert(0, sys.argv[1])
from chroot_tool.core.entering.own_process import main
sys.exit(main(sys.argv[2]))
"""
_VARIABLE = "CHROOT_TOOL_COMMAND"
_MARK = "mark"


def run_apart(
    root: Root,
    defaults: RunDefaults,
    words: Sequence[str],
    on_line: Callable[[str], None],
    cancelled: CancelEvent | None = None,
) -> int:
    """Run *words* inside from a process with threads; return the exit code as `run` has it.

    stdin is empty; *on_line* gets every line of stdout and stderr. Raises UsageError and EnterError
    where the words mean no command, or one that cannot be started, Cancelled.
    """
    wanted = command(root, defaults, words)
    mark = os.urandom(8).hex()  # what is started never learns it
    fields = json.dumps({name: getattr(wanted, name) for name in Command._fields} | {_MARK: mark})
    refused: list[str] = []

    def said(line: str) -> None:
        if line.startswith(mark):
            refused.append(line.removeprefix(mark))
        else:
            on_line(line)

    packages = __file__.rpartition("/chroot_tool/")[0]
    done = start(
        [sys.executable, "-I", "-S", "-c", _STARTER, packages, root.path],
        env=environment({_VARIABLE: fields}),  # everybody can read an argument list
        on_line=said,
        cancelled=cancelled,
    )
    if refused:
        message, hint = json.loads(refused[0])
        raise EnterError(message, hint, done.code)
    return done.code if done.code >= 0 else 128 - done.code


def main(path: str) -> int:
    """Be the program that `run_apart` starts, which is told of errors on a line it knows."""
    from ..kernel.rootpath import Root

    fields = json.loads(os.environ[_VARIABLE])
    mark = fields.pop(_MARK)
    fields["argv"] = tuple(fields["argv"])
    fields["env"] = tuple((name, value) for name, value in fields["env"])
    try:
        with Root(path) as root:
            return run(root, Command(**fields))
    except ChrootError as error:
        os.write(2, f"{mark}{json.dumps((error.message, error.hint))}\n".encode())
        return error.code if isinstance(error, EnterError) else 125
