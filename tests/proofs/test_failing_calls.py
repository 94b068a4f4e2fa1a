"""Each call that changes something fails once, with each error that it may give."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from proving import Proof
from support import Cli
from support.scenarios import SCENARIOS, Golden, Scenario, World, differences, some
from support.seam import Watched

PROMISE = (
    "Whichever system call fails, what a command has changed is taken back, or the message says "
    "what could not be."
)
ADMITTED = " is whole, but "
EXITS = (1, 3, 4, 5, 125)
pytestmark = pytest.mark.root
MENDED = {
    "on": "fsmount", "on, drifted": "fsconfig", "switch_bind on": "fchmodat", "rename": "fsync",
    "unpack": "unlinkat", "pack": "renameat", "snapshot restore": "renameat2", "clone": "linkat",
}  # fmt: skip
"""Where something was wrong once, and with which calls: all of them, however short the form."""
PLANS = [scenario for scenario in SCENARIOS if scenario.is_plan]


@pytest.fixture
def world(request: pytest.FixtureRequest, tmp_path: Path, cli: Cli) -> Iterator[World]:
    with World(tmp_path / "w", cli, request.param) as made:
        yield made


def named(scenario: Scenario) -> str:
    return scenario.name


@pytest.mark.slow
@pytest.mark.parametrize("world", SCENARIOS, ids=named, indirect=True)
def test_what_fails_once(world: World, proof: Proof) -> None:
    golden = Golden(world)
    points = [(i, error) for i, call in enumerate(golden.calls) for error in call.errors]
    chosen = some(points, proof.amount(4, len(points)))
    wrong: list[str] = []
    for number, error in chosen:
        world.begin_again(golden.before)
        done = world.watch({number: error})
        bad = judged(world, golden, done)
        if bad:
            wrong.append(told(golden, {number: error}, done, bad))
    proof.count("failing calls", len(chosen))
    assert not wrong, "\n".join(wrong)


@pytest.mark.slow
@pytest.mark.parametrize(
    "world", [one for one in SCENARIOS if one.name in MENDED], ids=named, indirect=True
)
def test_what_was_wrong_once(world: World) -> None:
    golden = Golden(world)
    kind = MENDED[world.scenario.name]
    numbers = [i for i, call in enumerate(golden.calls) if call.kind == kind]
    assert numbers
    wrong: list[str] = []
    for at in ({number: golden.calls[number].errors[0]} for number in numbers):
        world.begin_again(golden.before)
        done = world.watch(at)
        if bad := judged(world, golden, done):
            wrong.append(told(golden, at, done, bad))
    assert not wrong, "\n".join(wrong)


@pytest.mark.slow
@pytest.mark.parametrize("world", PLANS, ids=named, indirect=True)
def test_what_fails_again_while_it_is_taken_back(world: World, proof: Proof) -> None:
    golden = Golden(world)
    wrong: list[str] = []
    pairs = 0
    for first in some(range(len(golden.calls)), proof.amount(1, len(golden.calls) // 2)):
        errors = golden.calls[first].errors
        world.begin_again(golden.before)
        calls = world.watch({first: errors[0]}).calls
        back = range(first + 1, len(calls))
        for second in some(back, proof.amount(2, len(back))):
            at = {first: errors[0], second: calls[second].errors[0]}
            world.begin_again(golden.before)
            done = world.watch(at)
            bad = judged(world, golden, done)
            if bad and "could not be taken back" in done.err:
                world.mend(-1)
                bad = differences(world.seen(), golden.mended(-1))
            if bad:
                wrong.append(told(golden, at, done, bad))
            pairs += 1
    proof.count("failing while taking back", pairs)
    assert not wrong, "\n".join(wrong)


def told(golden: Golden, at: dict[int, int], done: Watched, bad: list[str]) -> str:
    joined = "\n".join(bad)
    where = ", ".join(f"{i} {done.calls[i]}: {e}" for i, e in at.items() if i < len(done.calls))
    return f"{where or 'never made'}: exit {done.code}:\n{done.err}{joined}"


def judged(world: World, golden: Golden, done: Watched) -> list[str]:
    """What is wrong with how it ended."""
    said = done.err.splitlines()
    found = world.seen()
    if "Traceback" in done.err:
        return ["a traceback"]
    admitted = "\n".join(line for line in said if line.startswith("warning: ") or ADMITTED in line)
    if done.code == 0:
        return untold(differences(found, golden.after), admitted)
    if done.code not in EXITS:
        return [f"exit code {done.code}"]
    if not any(line.startswith("chroot-tool: ") for line in said):
        return ["no message"]
    if found == golden.after:
        return []
    if admitted and not untold(differences(found, golden.after), admitted):
        return []
    bad = differences(found, golden.before)
    if any(line.startswith("ending ") for line in said):  # who was ended stays so
        bad = [one for one in bad if not one.startswith("resident: ")]
    stays = world.scenario.stays
    if stays:
        bad = [one for one in bad if not one.startswith(stays)]
    if bad and world.scenario.goes_on:
        world.mend()
        return differences(world.seen(), golden.mended())
    return bad


def untold(bad: list[str], admitted: str) -> list[str]:
    """Those of *bad* that no message admits: by path, by that of what it is in, or by kind.

    A file that was locked while a base was made is in nobody's way.
    """
    return [
        one
        for one in bad
        if not one.partition(": ")[0].endswith(".lock")
        and not less(one, admitted)
        and not is_told(one.partition(": ")[0].split("/"), admitted)
    ]


def less(difference: str, admitted: str) -> bool:
    """Whether nothing differs but what a message says could not be kept of a file."""
    sides = difference.partition(": ")[2].split(" | ")
    if "could be kept: " in admitted and "user.*" in admitted:
        sides = [side.partition(" user.")[0] for side in sides]
    if "hard links" in admitted:  # the fourth word is how many a file has
        sides = [" ".join(w for i, w in enumerate(side.split()) if i != 3) for side in sides]
    return sides[0].rstrip() == sides[-1].rstrip()


def is_told(parts: list[str], admitted: str) -> bool:
    store = 3 if parts[0] == ".chroot-tool" else 1  # all messages about snapshots name that
    ends = range(store, len(parts) + 1)
    in_chroot = ("/" + "/".join(parts[1:end]) for end in ends if end > 1)
    return any("/".join(parts[:end]) + " " in admitted for end in ends) or any(
        f"{path} is still" in admitted for path in in_chroot
    )
