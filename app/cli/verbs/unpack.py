"""`chroot-tool unpack`: a chroot out of an archive."""

from __future__ import annotations

import os
import time

from ....core.errors import UsageError
from ....core.text import safe
from ... import exits, json_output
from ...engine import split_host
from ..arguments import add, add_json_events, chroot_of
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
    add_json_events(parser)


def execute(arguments: Namespace) -> int:
    """Unpack a chroot; return the exit code."""
    if not arguments.file:
        raise UsageError("unpack needs an archive", "give it with -f FILE, - for stdin")
    host = split_host(arguments.dir)[0] or arguments.host
    there, source = split_host(arguments.file)
    if there not in ("", host):
        raise UsageError(
            f"an archive on {there} is not unpacked on {host or 'this machine'}",
            f"ssh {there} 'cat FILE' | chroot-tool unpack … -f -",
        )
    if source != _STDIN and not there:
        source = os.path.abspath(source)
    engine, path = chroot_of(arguments, new=True)
    started = time.monotonic()
    if host and not there:
        return _sent(arguments, host, path, source)
    with LongCall(json=arguments.json) as (report, cancelled):
        done = engine.unpack(
            path, source, sealed=arguments.sealed, new_names=arguments.new_names, report=report,
            cancelled=cancelled,
        )  # fmt: skip
    if arguments.json:
        json_output.write({"event": "done", "chroot": path, **json_output.unpacked(done)})
    else:
        exits.tell(f"{safe(path)}: {_what(done)} in {time.monotonic() - started:.1f} s\n")
    return exits.DONE


def _sent(arguments: Namespace, host: str, path: str, source: str) -> int:
    """Unpack *source*, a file here or stdin, as the chroot *path* of *host*."""
    from ....core.archives import archive, writing
    from ....core.archives.reading import Input
    from ....core.errors import ChrootError
    from ....core.remote import stream
    from ....core.remote.stream import End
    from ...engine import end_of

    asked = ("sealed", "new_names")
    more = [f"--{one.replace('_', '-')}" for one in asked if getattr(arguments, one)]
    sink = end_of(host, ("unpack", "-f", "-", "-d", path, *more, "--json"))
    started = time.monotonic()
    archive.check(source)
    if source == _STDIN:
        fd = 0
    else:
        with Input(source) as given:
            fd = os.dup(given.fd)
    with LongCall(json=arguments.json) as (report, cancelled):
        wanted = "" if source == _STDIN else writing.known_checksum(source)
        if wanted and wanted != writing.sha256(fd, cancelled) and not cancelled.is_set():
            raise ChrootError(
                f"{source} is not what its checksum was made of", "copy or download it again"
            )
        end = End("", ("cat",))
        said = stream.carry(end, sink, path, report=report, cancelled=cancelled, given=fd)
    if arguments.json:
        json_output.write({**said, "chroot": path})
    else:
        count = said.get("count")
        exits.tell(
            f"{safe(host)}:{safe(path)}: {count if isinstance(count, int) else 0} entries unpacked "
            f"in {time.monotonic() - started:.1f} s\n"
        )
    return exits.DONE


def _what(done: Unpacked) -> str:
    said = done.manifest
    if said is None:
        return f"{done.count} entries unpacked"
    words = (said.name, f"({said.os})" if said.os else "", f"of {said.date}" if said.date else "")
    return f"{done.count} entries unpacked, {safe(' '.join(word for word in words if word))},"
