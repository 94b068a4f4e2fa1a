"""Every line of JSON that a test has chroot-tool print is held against what `schema json` says.

More strictly than a user would: a field that the schema does not know is a mistake, too.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from chroot_tool.app.json_schema import schema, verb_of

ELSEWHERE = ("serve", "run")
"""What they print is told by docs/serve.md, or is the command's."""


def check(words: Iterable[str], output: bytes) -> None:
    """Fail where *output* is JSON that a command line, *words*, should not have printed.

    What `-f -` prints is an archive; the verb may stand behind `--base DIR`.
    """
    words = tuple(words)
    verb = verb_of(words)
    if "--hosts" in words or "-" in words or set(words[:3]) & set(ELSEWHERE):
        return
    for line in output.splitlines():
        document = json.loads(line)
        assert verb, f"no schema for {words}, which printed {document!s:.200}"
        errors = [error.message[:300] for error in _validator(verb).iter_errors(document)]
        assert not errors, f"{verb}: {errors}"


@cache
def _validator(verb: str) -> Draft202012Validator:
    whole = _strict(schema())
    return Draft202012Validator({"$ref": f"#/$defs/{verb}", "$defs": whole["$defs"]})


def _strict(value: Any) -> Any:
    """The same schema, with no field but those that it names."""
    if isinstance(value, list):
        return [_strict(one) for one in value]
    if not isinstance(value, dict):
        return value
    found = {name: _strict(one) for name, one in value.items()}
    if "required" in found and "properties" in found:
        found["additionalProperties"] = False
    return found
