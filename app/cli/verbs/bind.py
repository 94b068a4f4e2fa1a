"""`chroot-tool bind`: list and edit bind entries, without loss."""

from __future__ import annotations

import os

from ....core.config.bind import CHROOT_TOML, TOOL_CONF
from ....core.config.edits import Saved
from ....core.errors import ChrootError, UsageError
from ....core.looking.status import DRIFTED, FOREIGN_MOUNT, MISSING
from ....core.text import safe
from ... import exits, json_fields
from ..arguments import add, add_examples, add_json, chroot_of, is_elsewhere, known_as
from ..options import DIR, Option
from ..output import print_lines
from ..tables import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable, Iterable

    from ....core.config.bind import Bind
    from ....core.engine import Engine

ORIGINS = (TOOL_CONF, CHROOT_TOML)
_OPTIONS = (
    Option(("--source",), "source", "S", "a path on the host (default: the target)"),
    Option(("--target",), "target", "T", "a path inside the chroot"),
    Option(("--fs",), "fs", "TYPE", "a file system type instead of a bind, tmpfs say"),
    Option(("--option",), "options", "O", "ro, nosuid, rbind, size=1G …", many=True),
)


def add_options(parser: ArgumentParser) -> None:
    """Give the parser of `bind` its options."""
    parser.add_argument(
        "action", choices=("list", *_EDITS, "edit"),
        help="show all entries; change the one of --target; open a file of them in your editor",
    )  # fmt: skip
    parser.add_argument(
        "file", nargs="?", choices=ORIGINS, help="what `edit` opens (default: the one there is)"
    )
    add(parser, DIR, *_OPTIONS)
    parser.add_argument(
        "--optional", action="store_true", help="no error where the source is absent"
    )
    add_json(parser)
    add_examples(
        parser,
        "chroot-tool bind list -d deb",
        "chroot-tool bind add -d deb --source /home/me/src --target /src --option ro",
        "chroot-tool bind add -d deb --target /scratch --fs tmpfs --option size=1G",
        "chroot-tool bind remove -d deb --target /src",
        "chroot-tool bind ignore -d deb --target /tmp     one of the system points, say",
    )


def execute(arguments: Namespace) -> int:
    """Print the entries, or change one; return the exit code."""
    engine, path = chroot_of(arguments)
    if arguments.action == "list":
        _list(engine.config(path).binds, json=arguments.json)
        return exits.DONE
    if arguments.action == "edit":
        return _open(engine, path, arguments)
    if not arguments.target:
        raise UsageError(f"bind {arguments.action} needs a target", "give it with --target PATH")
    changed = _EDITS[arguments.action](engine, path, arguments)
    for name in changed:
        exits.tell(f"{safe(name)}: saved\n")
    if not changed:
        exits.tell("nothing to change\n")
    elif arguments.action == "add" and not is_elsewhere(arguments):
        _tell_absent(arguments)
    if changed and not arguments.json:
        _tell_mounted(engine, path, arguments)
    return exits.DONE


def _open(engine: Engine, path: str, arguments: Namespace) -> int:
    """Open a file in the user's editor where the chroot is, and check it afterwards.

    It is a copy that is opened, as by sudoedit(8): by its name the file may be a link of the
    chroot's, which leads anywhere on this host.
    """
    import shutil
    import subprocess
    import tempfile

    from ... import editor

    if is_elsewhere(arguments):
        words = ["bind", "edit", *([arguments.file] if arguments.file else []), "-d", path]
        return subprocess.run(engine.command(path, words), check=False).returncode
    binds = engine.binds(path)
    seen = binds.files()
    origin = arguments.file or (CHROOT_TOML if seen[TOOL_CONF] is None else TOOL_CONF)
    words = editor.command()
    folder = tempfile.mkdtemp(prefix="chroot-tool-")
    copy = f"{folder}/{origin}"
    try:
        _write(copy, seen[origin])
        code = subprocess.run([*words, copy], check=False).returncode
    except OSError:
        shutil.rmtree(folder)
        raise
    edited = _read(copy)
    if edited not in (None, seen[origin]):
        try:
            # What undoes a save of what was there before.
            binds.undo(Saved(before=seen.having(origin, edited), after=seen))
        except ChrootError as error:
            kept = f"what you wrote is kept in {copy}"
            error.hint = f"{error.hint}; {kept}" if error.hint else kept
            raise
        exits.tell(f"{safe(seen.name(origin))}: saved\n")
    shutil.rmtree(folder)
    engine.config(path)  # says what is wrong in it now
    return code


def _write(path: str, data: bytes | None) -> None:
    if data is not None:
        with open(path, "wb") as file:
            file.write(data)


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None


def _list(entries: Iterable[Bind], *, json: bool) -> None:
    if json:
        json_fields.write([json_fields.bind(entry) for entry in entries])
    else:
        print_lines(lines(entries))


def lines(entries: Iterable[Bind]) -> list[str]:
    """Return the table of these entries."""
    return table(
        ("TARGET", "SOURCE", "TYPE", "OPTIONS", "ORIGIN"),
        [
            (
                b.target, b.source, b.fs, "ignored" if b.ignored else ",".join(b.shown_options()),
                f"{b.origin}:{b.line}" if b.line else b.origin,
            )
            for b in entries
        ],
    )  # fmt: skip


def _add(engine: Engine, path: str, arguments: Namespace) -> tuple[str, ...]:
    from ....core.config.bind import make
    from ....core.config.edits import Added

    words = [word for text in arguments.options for word in text.split(",") if word]
    bind = make(
        arguments.target,
        arguments.source or None,
        arguments.fs or "bind",
        words or None,
        optional=arguments.optional,
        origin=CHROOT_TOML,
    )
    return engine.binds(path).change(Added(bind))


def _remove(engine: Engine, path: str, arguments: Namespace) -> tuple[str, ...]:
    from ....core.config.edits import Removed

    return engine.binds(path).change(Removed(arguments.target))


def _ignore(engine: Engine, path: str, arguments: Namespace) -> tuple[str, ...]:
    from ....core.config.edits import Ignored

    return engine.binds(path).change(Ignored(arguments.target))


def _restore(engine: Engine, path: str, arguments: Namespace) -> tuple[str, ...]:
    from ....core.config.edits import Ignored

    return engine.binds(path).change(Ignored(arguments.target, ignored=False))


def _tell_absent(arguments: Namespace) -> None:
    """Say so where what was just added will make `on` fail."""
    source = arguments.source or arguments.target
    if arguments.fs in ("", "bind") and not arguments.optional and not os.path.exists(source):
        exits.tell(
            f"warning: {safe(source)} does not exist: `on` will fail until it does\n"
            "hint: make it, or add the entry with --optional\n"
        )


def _tell_mounted(engine: Engine, path: str, arguments: Namespace) -> None:
    """Say so where a chroot that is on has it otherwise than what was just edited."""
    means = _MEANS.get(engine.binds(path).mount_state(arguments.target))
    if means:
        exits.tell(f"{safe(arguments.target)} {means} -d {safe(known_as(arguments, path))}\n")


_MEANS = {
    FOREIGN_MOUNT: "stays mounted until: chroot-tool off",
    MISSING: "is not mounted yet: chroot-tool on",
    DRIFTED: "is still mounted as it was: chroot-tool on",
}

_EDITS: dict[str, Callable[[Engine, str, Namespace], tuple[str, ...]]] = {
    "add": _add,
    "remove": _remove,
    "ignore": _ignore,
    "restore": _restore,
}
"""What changes entries, by its word; each returns the files that it wrote."""
