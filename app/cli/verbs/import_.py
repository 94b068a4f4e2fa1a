"""`chroot-tool import`: what another tool has, for this program."""

from __future__ import annotations

import os

from ....core import chroot
from ....core.config.edits import Added
from ....core.errors import Cancelled, ChrootError, PrivilegeError
from ....core.text import safe
from ... import exits
from ..arguments import add_examples, engine_of, stay_here
from ..output import print_lines
from ..tables import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from ....core.config.schroot_files import Foreign
    from ....core.engine import Engine


def add_options(parser: ArgumentParser) -> None:
    """Give the parser of `import` its options."""
    parser.add_argument("tool", choices=("schroot",), help="whose chroots are read")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done")
    add_examples(
        parser,
        "chroot-tool import schroot --dry-run",
        "chroot-tool import schroot",
        "",
        "A directory of schroot's is a chroot here as it is, by its path. What schroot",
        "mounts in it besides the system's own points becomes its binds, in its",
        "chroot.d/chroot.toml; what is listed there already stays. schroot's files are",
        "read and left as they are. The exit code is 1 where one could not be taken over.",
    )


def execute(arguments: Namespace) -> int:
    """Take over what schroot has and show it; return the exit code."""
    from ....core.config import schroot_files

    stay_here(
        arguments, "what schroot has is read on its own machine",
        f"ssh HOST chroot-tool import {arguments.tool}",
    )  # fmt: skip
    engine = engine_of(arguments)
    rows = []
    code = exits.DONE
    for one in schroot_files.read():
        try:
            said = _imported(engine, one, dry_run=arguments.dry_run)
        except (Cancelled, PrivilegeError):  # the same for each
            raise
        except ChrootError as error:
            said, code = error.message, exits.FAILED
        rows.append((one.name, one.directory or "-", said))
    if not rows:
        exits.tell("schroot has no chroots\n")
        return code
    print_lines(table(("NAME", "DIRECTORY", "WHAT"), rows))
    return code


def _imported(engine: Engine, one: Foreign, *, dry_run: bool) -> str:
    """Take over one chroot and say in a few words what was done. Raises ChrootError."""
    if not one.directory:
        return f"not a directory, but {safe(one.kind)}"
    if not os.path.isdir(one.directory):
        raise ChrootError("is not there")
    with chroot.open_chroot(one.directory) as root:
        path = root.path
    binds = engine.binds(path)
    listed = {bind.target for bind in engine.config(path).binds}
    new = [bind for bind in one.binds if bind.target not in listed]
    for bind in new if not dry_run else ():
        binds.change(Added(bind))
    would = "would get" if dry_run else "got"
    said = ", ".join(bind.target for bind in new)
    return f"{would} binds: {said}" if new else "usable as it is"
