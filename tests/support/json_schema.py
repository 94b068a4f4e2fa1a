"""Every line of JSON that a test has chroot-tool print is held against what `schema json` says.

More strictly than a user would: a field that the schema does not know is a mistake, too.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from chroot_tool.app import json_schema
from chroot_tool.app.json_schema import RUN, schema


def check(words: Iterable[str], output: bytes) -> None:
    """Fail where *output* is JSON that a command line, *words*, should not have printed.

    What `-f -` prints is an archive, what `run` does on one machine is the command's; the verb may
    stand behind `--base DIR`.
    """
    words = tuple(words)
    verb, own = verb_of(words), verb_of(_on_one_machine(words))
    if "-" in words or verb in RUN:
        return
    for line in output.splitlines():
        document = json.loads(line)
        assert verb, f"no schema for {words}, which printed {document!s:.200}"
        hold(verb, document)
        if verb == "--hosts" and "host" in document:
            del document["host"]
            if document["event"] != "ended":
                hold(own, document)
            elif "result" in document:
                hold(own, document["result"])


def hold(verb: str, document: Any) -> None:
    """Hold a document against the schema of what *verb* prints."""
    errors = [error.message[:300] for error in _validator(verb).iter_errors(document)]
    assert not errors, f"{verb}: {errors}"


def verb_of(words: Sequence[str]) -> str:
    """Return the name in `$defs` of what a command line prints; "" where it prints no JSON."""
    if any(word.partition("=")[0] == "--hosts" for word in words):
        return "--hosts"
    if {"--dry-run", "-n"} & set(words):
        return "--dry-run"
    known = json_schema._verbs()
    firsts = {name.partition(" ")[0] for name in known}
    for before, word, after in zip(("", *words), words, (*words[1:], ""), strict=False):
        if word in firsts and before not in ("-d", "--dir", "--base", "-H", "--host"):
            pair = f"{word} {after}"
            return pair if pair in known else word if word in known else ""
    return ""


def _on_one_machine(words: tuple[str, ...]) -> tuple[str, ...]:
    """The same without `--hosts GROUP`."""
    if "--hosts" not in words:
        return tuple(word for word in words if not word.startswith("--hosts="))
    at = words.index("--hosts")
    return words[:at] + words[at + 2 :]


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
        found.setdefault("additionalProperties", False)
    return found
