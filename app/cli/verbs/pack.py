"""`chroot-tool pack`: an archive of a chroot, or an image."""

from __future__ import annotations

import os
import time
from argparse import SUPPRESS
from functools import partial

from ....core.archives.writing import default_name
from ....core.chroot import absolute
from ....core.errors import UsageError
from ....core.text import safe, size
from ... import exits, json_fields, privilege
from ...engine import end_of, split_host, third
from ..arguments import add, add_json_events, chroot_of, host_of
from ..long_call import LongCall
from ..options import DIR, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from ....core.archives.archive import Packed

STDOUT = "-"
_FILE = Option(
    ("-f", "--file"), "file", "FILE",
    "the archive: .tar.zst, .tar.xz or .tar.gz by its name, - for stdout (zst) "
    "(default: NAME-YYYYmmddHHMM.tar.zst here)",
)  # fmt: skip
_IGNORE = Option(
    ("-i", "--ignore"), "ignore", "PATH",
    "leave this out, besides [exclude] of tool.conf; of a directory the content "
    "(may be given often)", many=True,
)  # fmt: skip
_EXAMPLES = """\
An archive of that name is replaced, but not before the new one is whole.

Owners, times, extended attributes, ACLs, capabilities, hard links and holes are
kept; `unpack` gives the same chroot back, plain tar does too. Switch it off
first where no file may be caught while it is written.

examples:
  chroot-tool pack -d deb                      deb-202601312359.tar.zst here
  chroot-tool pack -d deb -f /backup/deb.tar.xz --checksum
  chroot-tool pack -d deb -i var/cache/apt -i home/me/.cache
  chroot-tool pack -d build1:deb -f deb.tar.zst    from another machine to here
  chroot-tool pack -d build1:deb -f build1:/backup/deb.tar.zst
  chroot-tool pack -d build1:deb -f store1:/backup/deb.tar.zst    to a third one
  chroot-tool pack -d deb --oci -f deb.oci     then: podman pull oci:deb.oci
"""


def add_options(parser: ArgumentParser) -> None:
    """Give the parser of `pack` its options."""
    parser.epilog = _EXAMPLES
    add(parser, DIR, _FILE, _IGNORE)
    parser.add_argument(
        "--everything", action="store_true", help="leave out nothing that [exclude] names"
    )
    parser.add_argument(
        "--oci", action="store_true",
        help="an image instead: FILE is a new directory, an OCI layout (default: NAME-….oci here)",
    )  # fmt: skip
    parser.add_argument(
        "--checksum", action="store_true", help="write FILE.sha256, which unpack looks at"
    )
    parser.add_argument("--store", action="store_true", help=SUPPRESS)
    add_json_events(parser)


def execute(arguments: Namespace) -> int:
    """Pack a chroot; return the exit code."""
    if arguments.store:
        return _store(arguments)
    host = host_of(arguments)
    there, output = split_host(arguments.file)
    engine, path = chroot_of(arguments)
    output = output or default_name(path, oci=arguments.oci)
    if output == STDOUT and os.isatty(1):
        raise UsageError("an archive is nothing for a terminal", "name a file with -f, or pipe it")
    if output != STDOUT and not there:
        output = absolute(output)
    do = engine.pack
    if host != there:
        from ....core.remote import between_machines

        sink = third(there) if there else None
        do = partial(between_machines.pack, partial(end_of, host), sink=sink)
    started = time.monotonic()
    with LongCall(json=arguments.json) as (report, cancelled):
        done = do(
            path, output,
            exclude=tuple(arguments.ignore), everything=arguments.everything,
            oci=arguments.oci, checksum=arguments.checksum, report=report, cancelled=cancelled,
        )  # fmt: skip
        report.end()
        if arguments.json:
            json_fields.write({"event": "done", "chroot": path, **json_fields.packed(done)})
        else:
            exits.tell(_told(path, done, time.monotonic() - started))
    return exits.DONE


def _store(arguments: Namespace) -> int:
    """Be the end of a stream between two machines that writes the archive into a file."""
    from ....core.archives import archive

    privilege.was_not_typed()
    output = absolute(arguments.file)
    with LongCall(json=arguments.json) as (_, cancelled):
        done = archive.store(
            output, checksum=arguments.checksum, owner=privilege.owner(), cancelled=cancelled
        )
        json_fields.write({"event": "done", **json_fields.packed(done)})
    return exits.DONE


def _told(path: str, done: Packed, seconds: float) -> str:
    if done.path == STDOUT:
        return f"{safe(path)}: {done.count} entries packed in {seconds:.1f} s\n"
    return (
        f"{safe(done.path)}: {size(done.size)}, {done.count} entries, packed in {seconds:.1f} s\n"
    )
