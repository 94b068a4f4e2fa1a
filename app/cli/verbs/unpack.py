"""`chroot-tool unpack`: a chroot out of an archive."""

from __future__ import annotations

import time
from argparse import SUPPRESS
from functools import partial

from ....core.chroot import absolute
from ....core.errors import UsageError
from ....core.events import Stage
from ....core.text import safe
from ... import exits, json_fields
from ...engine import end_of, split_host, third
from ..arguments import add, add_json_events, chroot_of, host_of
from ..long_call import LongCall
from ..options import DIR, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from ....core.archives.archive import Unpacked

_STDIN = "-"
_FILE = Option(
    ("-f", "--file"), "file", "FILE",
    "the archive, - for stdin; how it is compressed is seen by its content",
)  # fmt: skip
_EXAMPLES = """\
DIR may exist where it is empty. It becomes the chroot that was packed, its
names, keys and configuration among it; for a new system of its own out of an
archive see `create --from`. Where FILE.sha256 is there, it has to be right. An
archive with anything that would leave DIR is refused.

examples:
  chroot-tool unpack -f deb-202601312359.tar.zst -d deb
  chroot-tool unpack -f deb.tar.zst -d build1:deb    from here to another one
  chroot-tool unpack -f build1:/backup/deb.tar.zst -d build1:deb
  chroot-tool unpack -f store1:/b/deb.tar.zst -d build1:deb    of a third one
"""


def add_options(parser: ArgumentParser) -> None:
    """Give the parser of `unpack` its options."""
    parser.epilog = _EXAMPLES
    add(parser, _FILE, DIR)
    parser.add_argument(
        "--sealed", action="store_true",
        help="refuse what does not end as `pack -f -` ends: where it was cut off on its way",
    )  # fmt: skip
    parser.add_argument(
        "--new-names", action="store_true",
        help="names of its own, no machine id and no ssh host keys, as a clone has them",
    )  # fmt: skip
    parser.add_argument("--send", action="store_true", help=SUPPRESS)
    add_json_events(parser)


def execute(arguments: Namespace) -> int:
    """Unpack a chroot; return the exit code."""
    if not arguments.file:
        raise UsageError("unpack needs an archive", "give it with -f FILE, - for stdin")
    if arguments.send:
        return _send(arguments)
    host = host_of(arguments)
    there, source = split_host(arguments.file)
    if source != _STDIN and not there:
        source = absolute(source)
    engine, path = chroot_of(arguments, new=True)
    do = engine.unpack
    if host != there:
        from ....core.remote import between_machines

        sender = third(there) if there else None
        do = partial(between_machines.unpack, partial(end_of, host), sender=sender)
    started = time.monotonic()
    with LongCall(json=arguments.json) as (report, cancelled):
        done = do(
            path, source, sealed=arguments.sealed, new_names=arguments.new_names, report=report,
            cancelled=cancelled,
        )  # fmt: skip
        report.end()
        if arguments.json:
            json_fields.write({"event": "done", "chroot": path, **json_fields.unpacked(done)})
        else:
            path = f"{host}:{path}" if host else path
            exits.tell(f"{safe(path)}: {_what(done)} in {time.monotonic() - started:.1f} s\n")
    return exits.DONE


def _send(arguments: Namespace) -> int:
    """Be the end of a stream between two machines that reads the archive, and writes to stdout."""
    from ....core.archives import archive

    source = absolute(arguments.file)
    with LongCall(json=arguments.json) as (report, cancelled):
        archive.send(
            source, sealed=arguments.sealed, cancelled=cancelled,
            progress=lambda fraction: report(Stage(source, "unpacking", fraction)),
        )  # fmt: skip
        report.end()
        json_fields.write({"event": "done"})
    return exits.DONE


def _what(done: Unpacked) -> str:
    said = done.manifest
    if said is None:
        return f"{done.count} entries unpacked"
    words = (said.name, f"({said.os})" if said.os else "", f"of {said.date}" if said.date else "")
    return f"{done.count} entries unpacked, {safe(' '.join(word for word in words if word))},"
