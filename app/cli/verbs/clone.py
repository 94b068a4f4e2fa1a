"""`chroot-tool clone`: a copy of a chroot, without what is mounted on it."""

from __future__ import annotations

import time
from functools import partial

from ....core.text import safe, size
from ... import exits, json_fields
from ...engine import end_of, split_host
from ..arguments import add, add_examples, add_json_events, chroot_of, place_of
from ..long_call import LongCall
from ..options import DIR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from ....core.trees.duplicate import Cloned

_HOW = {
    "snapshot": "by a snapshot, of one moment",
    "reflink": "by reflinks",
    "copy": "by copying",
    "stream": "from one machine to the other",
}


def add_options(parser: ArgumentParser) -> None:
    """Give the parser of `clone` its options."""
    add(parser, DIR)
    parser.add_argument(
        "new", metavar="NEW", help="the copy: a path, or a name under the base, as with -d"
    )
    parser.add_argument(
        "--exact", action="store_true",
        help="keep its names, machine id and ssh host keys (default: names of its own, "
        "no machine id, no host keys)",
    )  # fmt: skip
    add_json_events(parser)
    add_examples(
        parser,
        "chroot-tool clone -d deb try",
        "chroot-tool clone -d deb /mnt/disk/deb --exact",
        "chroot-tool clone -d build1:deb build2:deb    from one machine to another",
        "chroot-tool clone -d build1:deb deb           to here",
        "",
        "A snapshot where deb is a subvolume of btrfs, reflinks where the file system",
        "has them, else a copy with every attribute. What is mounted is not copied,",
        "whether it is on or off.",
    )


def execute(arguments: Namespace) -> int:
    """Clone a chroot; return the exit code."""
    host, there = (split_host(text)[0] or arguments.host for text in (arguments.dir, arguments.new))
    engine, path = chroot_of(arguments)
    _, new = place_of(arguments.new, arguments, new=True)
    started = time.monotonic()
    with LongCall(json=arguments.json) as (report, cancelled):
        if host == there:
            done = engine.clone(
                path, new, exact=arguments.exact, report=report, cancelled=cancelled
            )
        else:
            from ....core.remote import between_machines

            done = between_machines.clone(
                partial(end_of, host), path, partial(end_of, there), new,
                exact=arguments.exact, report=report, cancelled=cancelled,
            )  # fmt: skip
        report.end()
        named = f"{there}:{done.path}" if there else done.path
        if arguments.json:
            json_fields.write(json_fields.cloned(done, path))
        else:
            exits.tell(
                f"{safe(named)}: cloned {_told(done)} in {time.monotonic() - started:.1f} s\n"
                f"hint: chroot-tool shell -d {safe(named)}\n"
            )
    return exits.DONE


def _told(done: Cloned) -> str:
    how = _HOW.get(done.method, _HOW["copy"])  # a newer chroot-tool elsewhere may have more
    if done.method == "stream":
        return f"{how}, {done.entries} files,"
    return f"{how}, {done.entries} files, {size(done.size)}," if done.entries else how
