"""Every verb on trees that hypothesis makes: what nobody would make, and somebody could.

`chroot.d` as a file, a link, a fifo or a loop, `tool.conf` as a directory, a device or a link out,
/etc a link that leads out, names with newlines, escape sequences and 255 bytes, what is immutable,
deep, huge or mounted; with bind entries for all of it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from proving import Proof
from support import kill, mounts_below, processes_below
from support.canary import Canary, HostMounts
from support.disks import disk
from support.odd_trees import Maker, Tree, remove, trees
from support.verb_worker import Outcome, Worker

pytestmark = pytest.mark.root

PROMISE = (
    "Whatever stands in a chroot, no verb is led out, hangs or ends in a traceback, and `off` "
    "leaves nothing mounted."
)

PARTS = 4

VERBS: tuple[tuple[str, ...], ...] = (
    ("list",), ("status",), ("config",), ("scripts",), ("plan on",), ("plan off",), ("holders",),
    ("look",), ("binds",), ("bind add", "", "/srv/far/off"), ("bind ignore", "/data"),
    ("bind remove", "/srv/far/off"), ("on",), ("status",), ("run",), ("run word",),
    ("sync", "", "/srv/near"), ("switch off", "/place/deep"), ("switch on", "/place/deep"),
    ("ephemeral",), ("pack", "OUT/tree.tar"), ("clone away", "OUT/clone"),
    ("stop and off",), ("snapshot",), ("restore",), ("rename",), ("on",), ("off",),
    ("create", "OUT/made"),
)  # fmt: skip


class Ground:
    """Where trees are made one after the other, and what must stay as it is meanwhile."""

    def __init__(self, folder: Path, template: Path) -> None:
        self.base, self.out = folder / "base", folder / "out"
        self.base.mkdir()
        self.out.mkdir()
        self.root = self.base / "tree"
        self.outside = Canary(folder / "outside", may_be_read=True)
        self.lent = Canary(folder / "lent", may_be_read=True)
        self.mounts = HostMounts(self.base, self.out)
        self.maker = Maker(template)
        self.verbs = 0
        self.trees = 0

    def sources(self) -> list[str]:
        lent = self.lent.folder
        return [str(lent), str(lent / "file"), str(lent / "data"), str(lent / "nowhere")]

    def touched(self) -> list[str]:
        return [*self.mounts.changed(), *self.outside.touched(), *self.lent.touched()]


@pytest.fixture
def ground(tmp_path: Path, tiny_template: Path) -> Iterator[Ground]:
    # In memory: ten thousand trees are made, copied and synced.
    with disk(tmp_path, "tmpfs", 900) as folder:
        template = folder / "template"
        shutil.copytree(tiny_template, template, symlinks=True)
        made = Ground(folder, template)
        yield made
        made.outside.close()
        made.lent.close()


def tried(ground: Ground, worker: Worker) -> Iterator[Outcome]:
    """Every verb on the tree, and what each came to."""
    for verb, *words in VERBS:
        ready = [word.replace("OUT", str(ground.out)) for word in words]
        if verb == "create":
            yield worker.call(verb, *ready, ground.root)
        else:
            yield worker.call(verb, ground.root, *ready)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))  # which workers do beside each other
def test_every_verb_on_every_tree(proof: Proof, ground: Ground, tmp_path: Path, part: int) -> None:
    worker = Worker(ground.base, tmp_path / "said", (ground.base, ground.out))

    @settings(
        max_examples=proof.amount(5, 10_000 // PARTS), database=None, deadline=None,
        suppress_health_check=list(HealthCheck),
        # Short, it has the same limit with or without a failure: what it says is enough.
        phases=tuple(Phase) if proof.is_long else (Phase.generate,),
    )  # fmt: skip
    @given(trees(str(ground.outside.folder), ground.sources()))
    def each(tree: Tree) -> None:
        ground.trees += 1
        ground.maker.make(ground.root, tree)
        try:
            for outcome in tried(ground, worker):
                ground.verbs += 1
                if outcome.verb.startswith(("off", "stop and off")) and not outcome.code:
                    assert mounts_below(ground.root) == []
                assert ground.outside.told() == [], outcome
                assert ground.lent.told() == [], outcome
            done = worker.call("delete", ground.root)
            assert done.code or not ground.root.exists()
            assert ground.touched() == []
        finally:
            kill(list(processes_below(ground.base)))
            for place in (ground.root, *ground.out.iterdir(), *ground.base.iterdir()):
                remove(place)

    with worker:
        each()
    assert "Traceback" not in worker.said()
    proof.count("trees", ground.trees)
    proof.count("verbs", ground.verbs)
