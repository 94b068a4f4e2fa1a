"""`chroot-tool export`: what makes another tool use a chroot."""

from __future__ import annotations

import os

from ....core.config import exported
from ....core.errors import UsageError
from ... import exits
from ..arguments import add, add_examples, chroot_of, host_of, is_elsewhere
from ..options import DIR
from ..output import print_lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

_TOOLS = ("schroot", "sbuild", "nspawn", "ansible")


def add_options(parser: ArgumentParser) -> None:
    """Give the parser of `export` its options."""
    parser.add_argument("tool", choices=_TOOLS, help="whose file is printed")
    add(parser, DIR)
    parser.add_argument(
        "--fstab", action="store_true", help="schroot: the other file, of its mounts"
    )
    parser.add_argument(
        "--name", metavar="NAME", default="",
        help="what the tool is to call it (default: as it is called here; sbuild: by its suite)",
    )  # fmt: skip
    add_examples(
        parser,
        "chroot-tool export schroot -d deb | sudo tee /etc/schroot/chroot.d/deb.conf",
        "chroot-tool export schroot --fstab -d deb |",
        "  sudo install -D -m 644 /dev/stdin /etc/schroot/chroot-tool/deb.fstab",
        "chroot-tool export sbuild -d sid |",
        "  sudo tee /etc/schroot/chroot.d/sid-amd64-sbuild.conf",
        "chroot-tool export sbuild -d sid-2 --name sid-2 |",
        "  sudo tee /etc/schroot/chroot.d/sid-2.conf",
        "chroot-tool export nspawn -d deb | sudo tee /etc/systemd/nspawn/deb.nspawn",
        "chroot-tool export ansible -d deb >deb.yml",
        "",
        "schroot, sbuild and nspawn make mounts of their own: the chroot may be on or off.",
        "sbuild's builds are in a throw-away overlay, the chroot stays as it is.",
        "schroot reads nothing at all where two have one name: --name tells them apart,",
        "those of one suite for sbuild, too. The first line says the file's name.",
    )


def execute(arguments: Namespace) -> int:
    """Print the file; return the exit code."""
    if arguments.fstab and arguments.tool != "schroot":
        raise UsageError("--fstab is for schroot", "chroot-tool export --help")
    if is_elsewhere(arguments) and arguments.tool != "ansible":
        raise UsageError(
            f"{arguments.tool} is to use it where it is", "ssh HOST chroot-tool export …"
        )
    print_lines(_text(arguments).splitlines())
    return exits.DONE


def _text(arguments: Namespace) -> str:
    engine, path = chroot_of(arguments)
    called = arguments.name
    if arguments.tool == "ansible":
        found = engine.status(path)
        host, place = _split(arguments, found.path)
        return exported.ansible(found.name, place, host, called)
    users = [name for name in (os.environ.get("SUDO_USER", ""),) if name not in ("", "root")]
    return engine.export(path, arguments.tool, fstab=arguments.fstab, users=users, called=called)


def _split(arguments: Namespace, path: str) -> tuple[str, str]:
    """Return the host, "" for here, and *path* there. Raises ChrootError for what is no path."""
    from ....core.remote.prefixed_with_host import path_of

    host = host_of(arguments)
    if host:
        path_of(host, path)
    return host, path
