"""The local engine has all that the contract has, and a verb for each."""

from __future__ import annotations

import inspect

import pytest

from chroot_tool.core.engine import Engine
from chroot_tool.core.local_engine import LocalEngine

METHODS = [name for name, _ in inspect.getmembers(Engine, inspect.isfunction) if name[0] != "_"]


@pytest.mark.parametrize("name", METHODS)
def test_it_has_what_the_contract_has(name: str) -> None:
    wanted = list(inspect.signature(getattr(Engine, name)).parameters)[1:]
    given = inspect.signature(getattr(LocalEngine("/"), name)).parameters
    assert list(given) == wanted or any(p.kind is p.VAR_KEYWORD for p in given.values())


def test_what_there_is_not_is_an_attribute_error() -> None:
    assert not hasattr(LocalEngine("/"), "fly")
