"""Eight processes with mixed verbs on one chroot and its neighbours, and the UI many times."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from proving import Proof
from support import Cli, mounts_below
from support.canary import HostMounts
from support.scenarios import SCENARIOS, Golden, Scenario, World, differences
from support.ui_process import Ui
from support.verb_worker import Outcome, Worker

pytestmark = [pytest.mark.root]

PROMISE = (
    "Any number of chroot-tools may work at once: no state is torn, no edit that was confirmed is "
    "lost, who must wait is told for whom, and nobody waits without a limit."
)

WORKERS = 8
ONE = ("on", "on", "off", "run", "status", "list", "bind add", "bind add", "sync", "snapshot",
       "bind remove", "config", "plan on", "ephemeral")  # fmt: skip
NEIGHBOURS = ("delete", "create", "clone", "rename", "on", "off", "snapshot", "status", "list")


class Town:
    """A base with one chroot that all work on, and neighbours that come and go."""

    def __init__(self, folder: Path, template: Path, workers: list[Worker]) -> None:
        self.base = folder / "base"
        self.template = template
        self.workers = workers
        self.pids = {worker.pid for worker in workers}
        self.done: list[Outcome] = []
        self.busy = 0
        self.wanted: set[str] = set()
        """Targets whose entry was confirmed and not removed since."""

    def work(self, amount: int, chance: random.Random) -> None:
        """Have every worker do *amount* verbs, all at once."""
        for number in range(amount):
            begun = [self._begin(worker, f"{number}", chance) for worker in self.workers]
            for worker, (verb, target) in zip(self.workers, begun, strict=True):
                self._note(worker.end(), verb, target)

    def _begin(self, worker: Worker, number: str, chance: random.Random) -> tuple[str, str]:
        one = self.base / "one"
        target = f"/b/{worker.pid}-{number}"
        if chance.random() < 0.6:
            verb = chance.choice(ONE)
            if verb == "bind remove":
                mine = [t for t in sorted(self.wanted) if t.startswith(f"/b/{worker.pid}-")]
                target = chance.choice(mine) if mine else target
            words = {"bind add": ("", target), "sync": ("", target), "bind remove": (target,)}
            worker.start(verb, one, *words.get(verb, ()))
            return verb, target
        verb = chance.choice(NEIGHBOURS)
        place = self.base / chance.choice(("two", "three", "four"))
        words = {"create": (str(self.template),), "clone": (str(place),)}
        worker.start(verb, one if verb == "clone" else place, *words.get(verb, ()))
        return verb, target

    def _note(self, outcome: Outcome, verb: str, target: str) -> None:
        self.done.append(outcome)
        if verb in ("bind add", "sync") and outcome.code == 0:
            self.wanted.add(target)
        elif verb == "sync":
            self.wanted.discard(target)  # the entry may be there, the mount was not to be
        elif verb == "bind remove" and outcome.code == 0:
            self.wanted.discard(target)
        if outcome.kind == "LockedError":
            self.busy += 1
            holder = re.search(r"\(process (\d+)", outcome.message)
            named = holder is not None and int(holder[1]) in self.pids
            assert named or "moved or exchanged" in outcome.message, outcome


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[list[Worker]]:
    base = tmp_path / "base"
    base.mkdir()
    with ExitStack() as all_of_them:
        yield [
            all_of_them.enter_context(Worker(base, tmp_path / f"said-{number}", (base,)))
            for number in range(WORKERS)
        ]


@pytest.mark.slow
def test_eight_processes_on_one_chroot_and_its_neighbours(
    proof: Proof, cli: Cli, tiny_template: Path, tmp_path: Path, workers: list[Worker]
) -> None:
    town = Town(tmp_path, tiny_template, workers)
    first = workers[0]
    mounts = HostMounts(town.base)
    assert first.call("create", town.base / "one", tiny_template).code == 0
    town.work(proof.amount(6, 400), random.Random(5))
    for worker in workers:
        assert "Traceback" not in worker.said()
    listed = {one["name"]: one["state"] for one in cli.json("list", "--base", town.base)}
    assert set(listed.values()) <= {"on", "off", "partial"}, listed
    there = set(first.call("binds", town.base / "one").value)
    assert town.wanted <= there, f"lost: {town.wanted - there}"
    for name in listed:
        assert first.call("off", town.base / name).code == 0
        assert first.call("delete", town.base / name).code == 0
    assert mounts_below(town.base) == []
    assert mounts.changed() == []
    left = {str(place.relative_to(town.base)) for place in town.base.rglob("*")}
    assert left <= {".chroot-tool", ".chroot-tool/snapshots"}, left
    proof.count("verbs of 8 at once", len(town.done))
    proof.count("told that it is busy", town.busy)


def switch_off(town: Town) -> None:
    for place in sorted(town.base.iterdir()):
        if not place.name.startswith("."):
            assert town.workers[0].call("off", place).code == 0


COPYING = ("create", "unpack", "pack", "clone", "rename", "snapshot", "delete", "base",
           "a session")  # fmt: skip
"""How the names of scenarios begin in which whole trees are made, moved or removed."""


@pytest.mark.slow
@pytest.mark.parametrize(
    "scenario", [one for one in SCENARIOS if one.name.startswith(COPYING)], ids=lambda one: one.name
)
def test_the_same_twice_at_once(proof: Proof, cli: Cli, tmp_path: Path, scenario: Scenario) -> None:
    with World(tmp_path / "w", cli, scenario) as world:
        golden = Golden(world)
        rounds = proof.amount(1, 20)
        for number in range(rounds):
            world.begin()
            first, second = world.twice(delay=number * 0.01)
            said = f"{first.err}\n{second.err}"
            assert {first.code, second.code} <= {0, 1, 2, 4, 125}, said
            assert 0 in (first.code, second.code), said
            assert "Traceback" not in said, said
            assert differences(world.seen(), golden.after) == [], said
    proof.count("verbs twice at once", rounds)


KEYS = ("j", "k", "o", "g", "G", "1", "2", "3", "enter", "escape", "slash", "escape", "tab")
"""What people press while others work: moving, looking, and switching on and off."""


@pytest.mark.slow
def test_every_ui_shows_the_same_at_the_end(
    proof: Proof, cli: Cli, tiny_template: Path, tmp_path: Path, workers: list[Worker]
) -> None:
    chance = random.Random(6)
    town = Town(tmp_path, tiny_template, workers[: proof.amount(2, WORKERS)])
    assert workers[0].call("create", town.base / "one", tiny_template).code == 0
    assert workers[0].call("create", town.base / "two", tiny_template).code == 0
    with ExitStack() as open_uis:
        uis = [
            Ui(town.base, tmp_path / f"home-{number}", tmp_path / f"ui-{number}")
            for number in range(proof.amount(2, 20))
        ]
        open_uis.callback(switch_off, town)
        for ui in uis:
            open_uis.callback(ui.close)
        for ui in uis:
            ui.ready()
            town.pids.add(ui.pid)
        for _ in range(proof.amount(2, 8)):
            for ui in uis:
                ui.press(*chance.choices(KEYS, k=3), "escape")
            town.work(3, chance)
            for ui in uis:
                ui.pressed()
        for ui in uis:
            ui.press("escape", "escape", "1")
        for ui in uis:
            ui.pressed()
            ui.settle()
        listed = {one["name"]: one["state"] for one in cli.json("list", "--base", town.base)}
        for ui in uis:
            assert ui.disagrees(listed) == ""
        for ui in uis:
            ui.leave()
    proof.count("UIs at once", len(uis))
