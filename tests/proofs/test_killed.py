"""Killed before each call that changes something, and so after the one before it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from proving import Proof
from support import Cli
from support.scenarios import SCENARIOS, Golden, Scenario, World, some, torn
from support.seam import KILL

PROMISE = (
    "Killed at any moment, nothing is lost: the same command, `on`, `off` or `delete` mends it."
)
pytestmark = pytest.mark.root
WAYS = [(scenario, i) for scenario in SCENARIOS for i in range(len(scenario.mends))]


def named(way: tuple[Scenario, int]) -> str:
    scenario, number = way
    return f"{scenario.name}, then {' '.join(scenario.mends[number][0][:2])}"


@pytest.fixture(params=WAYS, ids=named)
def killed(request: pytest.FixtureRequest, tmp_path: Path, cli: Cli) -> Iterator[tuple[World, int]]:
    scenario, mend = request.param
    with World(tmp_path / "w", cli, scenario) as made:
        yield made, mend


@pytest.mark.slow
def test_what_is_killed_is_mended(killed: tuple[World, int], proof: Proof) -> None:
    world, mend = killed
    golden = Golden(world)
    chosen = some(range(len(golden.calls)), proof.amount(2, len(golden.calls)))
    wrong: list[str] = []
    for number in chosen:
        world.begin_again(golden.before)
        done = world.watch({number: KILL})
        world.mend(mend)
        bad = torn(world.seen(), golden.mended(mend), golden.mended(mend, done=False))
        if bad:
            joined = "\n".join(bad)
            at = done.calls[number] if number < len(done.calls) else "never made"
            wrong.append(f"{number} {at}: exit {done.code}\n{joined}")
    proof.count("kills", len(chosen))
    assert not wrong, "\n".join(wrong)
