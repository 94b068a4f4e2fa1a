"""JSON is read and written as the module `json` does."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chroot_tool.core import json_values

_PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
_VALUES = st.recursive(
    _PLAIN, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)
_DOCUMENTS = st.dictionaries(st.text(), _VALUES)


@pytest.mark.slow
@given(_DOCUMENTS)
def test_a_line_is_what_json_writes_and_is_read_as_json_does(document: dict[str, Any]) -> None:
    line = json_values.line(document)
    assert line == json.dumps(document)
    assert json_values.document(line) == json_values.document(line.encode()) == json.loads(line)
    assert json_values.document(f" \r\n\t{line}\n ") == document
    assert json_values.document(json.dumps(document, ensure_ascii=False, indent=1)) == document


def test_what_json_takes_beyond_its_standard_is_taken() -> None:
    found = json_values.document('{"a": NaN, "b": -Infinity, "c": "\\ud800", "c": "\\udcff"}')
    assert math.isnan(found["a"])
    assert (found["b"], found["c"]) == (-math.inf, "\udcff")
    assert json_values.document(b'{"half": "\xed\xa0\x80"}') == {"half": "\ud800"}


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "{", '{"a"}', '{"a": }', "{} {}", "{}x", "[]", "1", "null", "nope", '{"a": 1,}',
        '{"a": "\n"}', '{"a": "\\x"}', "{'a': 1}", '{"a": ' + "[" * 100_000, "\ufeff{}", "\x0b{}",
    ],
)  # fmt: skip
def test_all_else_is_a_value_error(text: str) -> None:
    for data in (text, text.encode()):
        with pytest.raises(ValueError, match=r"\w"):
            json_values.document(data)


def test_no_utf_8_is_a_value_error() -> None:
    with pytest.raises(ValueError, match=r"\w"):
        json_values.document(b'{"a": "\xff"}')


def test_what_is_no_json_is_not_written() -> None:
    with pytest.raises(TypeError, match="bytes"):
        json_values.line({"a": b"x"})
