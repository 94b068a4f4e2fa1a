"""`schema`: sound, complete, and of one mind with the readers. What --json prints is held against
it wherever a test has it print (support.json_schema)."""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from chroot_tool.app import json_schema
from chroot_tool.app.settings.as_json_schema import schema as settings_schema
from chroot_tool.app.settings.file import parse as parse_settings
from chroot_tool.core.config import chroot_toml, toml_value_types
from chroot_tool.core.errors import ConfigError, Problem
from support import CHECKOUT, Cli
from support.json_schema import check

CHROOT_TOML = toml_value_types.schema("chroot.toml", "", chroot_toml.TOP)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["chroot.toml", "settings", "json"])
def test_it_is_a_schema_of_the_draft_that_it_names(cli: Cli, name: str) -> None:
    found = json.loads(cli.ok("schema", name))
    assert found["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(found)


def test_a_name_that_there_is_not_is_told(cli: Cli) -> None:
    done = cli("schema", "toml")
    assert done.returncode == 2
    assert "chroot.toml" in done.stderr
    assert cli("schema", "settings", "--markdown").returncode == 2


# -- the files ------------------------------------------------------------------------------------


def is_valid(schema: dict[str, Any], text: str) -> bool:
    try:
        Draft202012Validator(schema).validate(tomllib.loads(text))
    except ValidationError:
        return False
    return True


def reads_chroot(text: str) -> bool:
    problems: list[Problem] = []
    chroot_toml.parse(text.encode(), "chroot.toml", problems)
    return not problems


def reads_settings(text: str) -> bool:
    try:
        parse_settings(text.encode(), "settings.toml")
    except ConfigError:
        return False
    return True


def examples(document: str) -> list[str]:
    text = (CHECKOUT / "docs" / document).read_text()
    return re.findall(r"```toml\n(.*?)```", text, re.DOTALL)


@pytest.mark.parametrize("text", [
    "", 'description = "x"', "description = 1", 'descripton = "x"', 'path = "/srv/x"',
    'path = "srv"', '[run]\nuser = "ann"', "[run]\nuser = 1000", '[run]\nuser = ""',
    '[run]\ncwd = "/src"', '[run]\ncwd = "src"', '[run.env]\nA = "1"', "[run.env]\nA = 1",
    '[system]\ndev = "host"', '[system]\ndev = "hots"', '[system]\nresolv = "copy"',
    '[[bind]]\ntarget = "/a"', '[[bind]]\nsource = "/a"', '[[bind]]\ntarget = "a"',
    '[[bind]]\ntarget = "/a"\noptions = ["ro"]', '[[bind]]\ntarget = "/a"\noptions = "ro"',
    '[[bind]]\ntarget = "/a"\noptions = [1]', '[[bind]]\ntarget = "/a"\nignore = true',
    '[[bind]]\ntarget = "/a"\nignore = "yes"', '[[bind]]\ntarget = "/a"\nfs = 1',
    '[bind]\ntarget = "/a"', "run = 1", *examples("configuration.md"),
])  # fmt: skip
def test_schema_and_reader_of_chroot_toml_are_of_one_mind(text: str) -> None:
    assert is_valid(CHROOT_TOML, text) == reads_chroot(text)


@pytest.mark.parametrize("text", [
    "", 'theme = "dark"', 'theme = "darc"', "theme = 1", 'base = "/x"', 'base = "~/x"',
    'base = "x"', 'hosts = ["a"]', 'hosts = "a"', 'columns = ["name"]', 'columns = ["nome"]',
    "dock = 20", "dock = 19", "dock = 81", "dock = 50.5", 'backend = "mmdebstrap"',
    'backend = "x"', 'cache-size = "4G"', "cache-size = 0", "cache-size = -1", "patience = 1.5",
    "patience = 3", "patience = -1", "patience = 4000", 'privilege = "doas"', 'privilege = "do"',
    "[confirm]\nquit = false",
    "[confirm]\nquit = 0", "[confirm]\nquti = true", '[keys]\nhosts = "f2"',
    '[keys]\nenvironments.toggle = "f2"', '[keys]\n"environments.toggle" = ["f2", "f3"]',
    '[keys]\nenvironments.togle = "f2"', "[keys]\npane.1 = []", *examples("settings.md"),
    *examples("keys.md"),
])  # fmt: skip
def test_schema_and_reader_of_the_settings_are_of_one_mind(text: str) -> None:
    assert is_valid(settings_schema(), text) == reads_settings(text)


# -- what --json prints ---------------------------------------------------------------------------


def test_every_verb_that_has_json_has_a_schema() -> None:
    from chroot_tool.app.cli.completion.grammar import verbs
    from chroot_tool.app.cli.parser import whole

    known = {name.partition(" ")[0] for name in json_schema.schema()["$defs"]}
    printing = {
        verb.name for verb in verbs(whole()) if any("--json" in o.names for o in verb.options)
    }
    assert printing - known == set()


@pytest.mark.parametrize(("words", "line"), [
    (("list",), '[{"name": "x"}]'),
    (("on", "-d", "x"), '{"event": "done", "chroot": "x", "state": "off", "steps": 0}'),
    (("on", "-d", "x"), '{"event": "done", "chroot": "x", "state": "on", "steps": 0, "more": 1}'),
    (("on", "--hosts", "g", "-d", "x"), '{"host": "a", "event": "done", "chroot": "x"}'),
    (("list", "--hosts=g"), '{"host": "a", "event": "ended", "code": 0, "result": [{}]}'),
    (("list", "--hosts=g"), '{"host": "a", "event": "ended"}'),
    (("run", "--hosts", "g", "true"), '{"host": "a", "event": "output", "text": "x"}'),
    (("watch",), '{"event": "gone"}'),
    (("serve",), '{"id": 1, "event": "news"}'),
    (("serve",), '{"event": "hello", "version": "1"}'),
    (("nothing",), "{}"),
])  # fmt: skip
def test_what_is_wrong_would_be_seen(words: tuple[str, ...], line: str) -> None:
    with pytest.raises(AssertionError):
        check(words, line.encode())


def test_what_is_open_status_alone_tells() -> None:
    watch = json_schema.schema()["$defs"]["watch"]["anyOf"][0]["anyOf"][0]
    assert "not_answering" in watch["properties"]
    assert not {"listening", "open"} & watch["properties"].keys()


def test_the_document_says_what_the_schema_does() -> None:
    assert (CHECKOUT / "docs/json.md").read_text() == json_schema.markdown(), (
        "make it anew: chroot-tool schema json --markdown >docs/json.md"
    )
