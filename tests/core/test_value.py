"""`Value`: the first values of a class are made without a compiled `__init__`, the others with."""

from __future__ import annotations

from typing import Any

import pytest

from chroot_tool.core.value import Value

MANY = 200
"""More than are made without one."""


def fresh() -> Any:
    class Point(Value):
        x: int
        y: int = 2
        z: tuple[int, ...] = ()

    return Point


@pytest.mark.parametrize("before", [0, MANY])
def test_a_value_is_the_same_however_many_there_were(before: int) -> None:
    point = fresh()
    for number in range(before):
        point(number)
    made = [point(1), point(1, 2), point(x=1), point(1, z=()), point(z=(), y=2, x=1)]
    assert {(one.x, one.y, one.z) for one in made} == {(1, 2, ())}
    assert len(set(made)) == 1
    assert made[0].replace(y=3) == point(1, 3)
    with pytest.raises(AttributeError, match="frozen"):
        made[0].x = 2


@pytest.mark.parametrize("before", [0, MANY])
@pytest.mark.parametrize(
    ("positional", "named", "why"),
    [
        ((), {}, "missing 1 required"),
        ((1, 2, (), 4), {}, "takes from 2 to 4 positional"),
        ((1,), {"x": 1}, "multiple values for argument 'x'"),
        ((1,), {"u": 1}, "unexpected keyword argument 'u'"),
        ((), {"u": 1}, "unexpected keyword argument 'u'"),
    ],
)
def test_what_is_called_wrongly_is_a_type_error(
    before: int, positional: tuple[object, ...], named: dict[str, object], why: str
) -> None:
    point = fresh()
    for number in range(before):
        point(number)
    with pytest.raises(TypeError, match=why):
        point(*positional, **named)
    assert point(1).y == 2


def test_one_that_inherits_has_the_fields_of_both() -> None:
    point = fresh()
    point(1)

    class Named(point):  # type: ignore[misc, valid-type]
        name: str = "?"

    for _ in range(MANY):
        found = Named(1, 2, (3,), name="n")
    assert (found.x, found.z, found.name) == (1, (3,), "n")
    assert found != point(1, 2, (3,))
