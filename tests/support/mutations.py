"""Any number of wrong inputs out of a few good ones: cheap, and the same for the same seed.

What hypothesis finds by thinking, this finds by mass: a dozen microseconds each.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator, Sequence

_ODD = (
    b"\0", b"\n", b"\r\n", b"\xff", b"\x80", b"\xed\xa0\x80", b"\xe2\x80\xa8", b"\x1b[2J", b"\\",
    b'"', b"'", b"/", b"..", b"//", b" ", b"\t", b"#", b"=", b":", b";", b",", b"[", b"]", b"{",
    b"}", b"[[", b"-1", b"0", b"4294967295", b"18446744073709551616", b"9" * 400, b"1e999",
    b"NaN", b"Infinity", b"\xc2\xb2", b"\xd9\xa3", b"null", b"true", b"[]", b"{}", b'""',
    b"a" * 300, b"[" * 2000,
)  # fmt: skip
"""What parsers stumble over: ends, quotes, numbers that are too large or are none, depth."""
_LONGEST = 1 << 14


def mutations(good: Sequence[bytes], words: Sequence[bytes], seed: int) -> Iterator[bytes]:
    """Yield *good*, then without end what becomes of them by a few changes each.

    *words* are what the form is made of: its keys, its separators.
    """
    chance = random.Random(seed)
    yield from good
    pieces = (*_ODD, *words, *words)
    while True:
        data = bytearray(chance.choice(good))
        for _ in range(1 + int(chance.expovariate(0.7))):
            _change(data, chance, good, pieces)
        yield bytes(data[:_LONGEST])


_VALUES: tuple[object, ...] = (
    None, True, -1, 0, 1.5, 1e308, float("inf"), float("nan"), 1 << 70, "", "x", "a/b", "..", "\0",
    "\udc80", "\ud800", [], ["x"], [[]], {}, {"x": 1},
)  # fmt: skip


def documents(good: Sequence[bytes], seed: int) -> Iterator[bytes]:
    """Yield JSON without end: *good* with other values here and there, keys too many and missing.

    Bytes that are changed blindly are hardly ever JSON any more.
    """
    chance = random.Random(seed)
    trees = [json.loads(data) for data in good]
    while True:
        tree = copy.deepcopy(chance.choice(trees))
        for _ in range(chance.randint(1, 3)):
            tree = _regrown(tree, chance)
        yield json.dumps(tree).encode()


def _regrown(node: object, chance: random.Random) -> object:
    if not isinstance(node, (dict, list)) or not node or chance.random() < 0.15:
        return copy.deepcopy(chance.choice(_VALUES))
    key = chance.choice(list(node)) if isinstance(node, dict) else chance.randrange(len(node))
    match chance.randrange(6):
        case 0:
            del node[key]
        case 1 if isinstance(node, dict):
            node[f"{key}x"] = copy.deepcopy(node[key])
        case _:
            node[key] = _regrown(node[key], chance)
    return node


def _change(
    data: bytearray, chance: random.Random, good: Sequence[bytes], pieces: Sequence[bytes]
) -> None:
    at = chance.randrange(len(data) + 1)
    end = min(len(data), at + 1 + int(chance.expovariate(0.1)))
    match chance.randrange(8):
        case 0:
            data[at:at] = chance.choice(pieces)
        case 1:
            data[at:end] = chance.choice(pieces)
        case 2:
            del data[at:end]
        case 3:
            data[at:at] = data[at:end] * chance.choice((1, 2, 30))
        case 4 if at < len(data):
            data[at] ^= 1 << chance.randrange(8)
        case 5:
            other = chance.choice(good)
            start = chance.randrange(len(other) + 1)
            data[at:end] = other[start : start + (end - at) * 2]
        case 6:
            del data[at:]
        case _:
            data[at:end] = chance.randbytes(end - at)
