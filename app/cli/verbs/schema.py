"""`chroot-tool schema`: what our files and our JSON look like, as JSON Schema."""

from __future__ import annotations

import json
import sys

from ....core.errors import UsageError
from ... import exits
from ..arguments import add_examples, stay_here

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from typing import Any

_NAMES = ("chroot.toml", "settings", "json")


def add_options(parser: ArgumentParser) -> None:
    """Give the parser of `schema` its options."""
    parser.add_argument(
        "name", choices=_NAMES, metavar="NAME",
        help="chroot.toml: of a chroot's configuration; settings: of the settings file; "
        "json: of what --json prints",
    )  # fmt: skip
    parser.add_argument(
        "--markdown", action="store_true", help="json: as a document to read (docs/json.md)"
    )
    add_examples(
        parser,
        "chroot-tool schema json",
        "chroot-tool schema chroot.toml |",
        "  sudo install -D -m 644 /dev/stdin \\",
        "  /usr/local/share/chroot-tool/chroot.toml.schema.json",
        "",
        "Where a schema is there, or the Debian package has put it into /usr/share/chroot-tool,",
        "a chroot.toml or settings.toml that this program makes begins with a line by which",
        "editors that know taplo find it, and complete and check by it.",
    )


def execute(arguments: Namespace) -> int:
    """Print a schema; return the exit code."""
    stay_here(arguments, "a schema is of the chroot-tool that prints it", "leave -H out")
    if arguments.markdown:
        if arguments.name != "json":
            raise UsageError("--markdown is for json", "docs/ has what there is to read of others")
        from ...json_schema import markdown

        sys.stdout.write(markdown())
    else:
        sys.stdout.write(json.dumps(_schema(arguments.name), indent=2, ensure_ascii=False) + "\n")
    return exits.DONE


def _schema(name: str) -> dict[str, Any]:
    if name == "json":
        from ...json_schema import schema

        return schema()
    if name == "settings":
        from ...settings.as_json_schema import schema as settings

        return settings()
    from ....core.config import chroot_toml, toml_value_types

    return toml_value_types.schema(name, "what is configured of a chroot", chroot_toml.TOP)
