"""A process swaps what is under every path that the tool touches while every verb works there.

It exchanges directories, links, files, fifos, devices and sockets by renameat2(2), takes names
away and puts them back, mounts and unmounts; once it lives inside, chrooted, and once it works on
the tree from beside. Its links lead to canaries outside: by absolute paths, by `..`, and by the
magic links of /proc, which lead out even for who is chrooted.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from proving import Proof
from support import Cli, detach, kill, let_in, mounts_below, processes_below
from support.canary import Canary, HostMounts
from support.disks import disk
from support.fighter import Fighter, kinds
from support.verb_worker import Trap, Worker, wrong_with

pytestmark = [pytest.mark.root, pytest.mark.timeout(1800)]

PROMISE = (
    "A process that swaps everything inside, at any moment, leads no verb out of the chroot: "
    "nothing outside is written or read, nothing is mounted outside, no verb hangs."
)


class Arena:
    """A chroot that is fought for, two canaries, a directory that is lent to it, the host."""

    def __init__(self, folder: Path, template: Path) -> None:
        self.template = template
        self.base = folder / "base"
        self.base.mkdir()
        self.root = self.base / "tiny"
        self.other = folder / "made"
        self.other.mkdir()
        outside = folder / "outside"
        self.unread = Canary(outside / "unread")
        self.reached = Canary(outside / "reached", may_be_read=True)
        self.lent = Canary(folder / "lent", may_be_read=True)
        self._stands = subprocess.Popen(["sleep", "3000"], cwd=self.reached.folder)
        self.mounts = HostMounts(self.base, self.other)
        plain = str(self.unread.folder)
        far = "../" * 30
        reached = self.reached.folder
        self.links = (
            plain, f"{far}{plain[1:]}", f"/proc/self/root{plain}", f"{far}proc/self/root{plain}",
            f"/proc/1/root{reached}", f"/proc/{self._stands.pid}/cwd",
            f"/proc/{self._stands.pid}/root{reached}",
        )  # fmt: skip
        self.count = folder / "count"
        self.swaps = 0

    def fresh(self) -> None:
        """Make the chroot anew, of hard links; nobody writes into a file that is there."""
        subprocess.run(["cp", "-al", self.template, self.root], check=True)
        for name in ("data/deep", "place/deep", "srv"):
            (self.root / name).mkdir(parents=True)
        program = self.root / "chroot.d/host-cmd"
        program.write_text("#!/bin/sh\nexit 0\n")
        program.chmod(0o755)
        self.configure()

    def configure(self) -> None:
        """Have its configuration as it was, and nothing that `on` has made to mount on."""
        config = self.root / "chroot.d"
        (config / "tool.conf").write_text(
            f'[bind]\nsrc:"{self.lent.folder}/data" tgt:/data\ntgt:/place/deep fs:tmpfs\n'
            f"tgt:/place/new/er fs:tmpfs\ntgt:/new/deep fs:tmpfs\n"
        )
        (config / "chroot.toml").write_text('[system]\nresolv = "copy"\n')
        for name in ("place/new/er", "place/new", "new/deep", "new", "srv/far/off", "srv/far"):
            with suppress(OSError):
                (self.root / name).rmdir()

    def disturbed(self) -> list[str]:
        """What was done outside of the chroot, as far as is quickly seen."""
        assert self._stands.poll() is None, "a process outside was ended"
        return [*self.mounts.changed(), *(line for one in self._canaries() for line in one.told())]

    def touched(self) -> list[str]:
        """The same with a look at everything."""
        return [*self.disturbed(), *(line for one in self._canaries() for line in one.touched())]

    def _canaries(self) -> tuple[Canary, ...]:
        return self.unread, self.reached, self.lent

    def close(self) -> None:
        kill(list(processes_below(self.base)))
        detach(mounts_below(self.base))  # where a test has failed in the middle
        self._stands.kill()
        self._stands.wait()
        for canary in self._canaries():
            canary.close()


@pytest.fixture
def arena(tmp_path: Path, tiny_template: Path) -> Iterator[Arena]:
    let_in(tmp_path)
    with disk(tmp_path, "tmpfs", 900) as folder:  # in memory: it is made and synced so often
        template = folder / "template"
        shutil.copytree(tiny_template, template, symlinks=True)
        made = Arena(folder, template)
        yield made
        made.close()


VERBS: tuple[tuple[Any, ...], ...] = (
    *((("on",), ("off softly",)) * 20), ("off",), ("off",), ("stop and off",),
    ("status",), ("list",), ("config",), ("scripts",), ("holders",), ("look",),
    ("plan on",), ("plan off",), ("run",), ("run word",), ("ephemeral",),
    ("bind add", "", "/srv/far/off"), ("bind remove", "/srv/far/off"), ("bind ignore", "/data"),
    ("switch on", "/place/deep"), ("switch off", "/place/deep"), ("sync", "", "/srv/near"),
    ("bind remove", "/srv/near"), ("rename",), ("snapshot",), ("restore",),
)  # fmt: skip
"""What is done again and again on one chroot. `on` is the one with the most to mislead."""


def in_any_order(arena: Arena, chance: random.Random) -> list[tuple[Any, ...]]:
    made = str(arena.other)
    more = (("clone away", f"{made}/clone"), ("pack", f"{made}/tiny.tar.gz"))
    verbs = [*VERBS, *more]
    chance.shuffle(verbs)
    return verbs


def give_back(arena: Arena, worker: Worker) -> None:
    """After the fight `off`, then `delete`, have the host as it was."""
    root = str(arena.root)
    for name in os.listdir(arena.base):
        if name != "tiny" and not name.startswith("."):
            worker.call("delete", f"{arena.base}/{name}")
    if not arena.root.exists():
        return  # deleted while it was fought for
    done = worker.call("off", root)
    while done.code and f"umount {root}" in done.hint:  # it has mounted something over all
        detach([root])
        done = worker.call("off", root)
    if done.code:
        # It may have ended with chroot.d and /bin under other names: then it is no chroot, and
        # the hint says what to do.
        assert "no chroot" in done.message or "incomplete" in done.message, done
        is_seen = f"{root}/proc" in mounts_below(arena.root)  # else none of the mounts says so
        assert f"mkdir {root}/chroot.d" in done.hint or not is_seen, done
        config = arena.root / "chroot.d"
        if config.is_symlink() or config.exists():
            config.rename(arena.root / "was-chroot.d")
        config.mkdir()
        done = worker.call("off", root)
    assert done.code == 0, done
    assert mounts_below(arena.root) == []
    assert worker.call("delete", root).code == 0
    assert not arena.root.exists()


@pytest.mark.slow
@pytest.mark.parametrize("how", ["inside", "beside", "both"])
def test_no_verb_is_led_out(proof: Proof, cli: Cli, arena: Arena, tmp_path: Path, how: str) -> None:
    swaps, calls = 0, 0
    with Worker(arena.base, tmp_path / "said", (arena.base, arena.other)) as worker:
        for number in range(proof.amount(1, 25)):
            chance = random.Random(number)
            arena.fresh()
            verbs = in_any_order(arena, chance)[: proof.amount(20, 1000)]
            calls += fought(arena, worker, cli, how, chance, verbs)
            swaps += arena.swaps
            give_back(arena, worker)
            assert arena.touched() == []
        assert "Traceback" not in worker.said(), worker.said()
    proof.count("swaps", swaps)
    proof.count("verbs", calls)


def fought(
    arena: Arena, worker: Worker, cli: Cli, how: str, chance: random.Random, verbs: list[Any]
) -> int:
    """One round: *verbs*, and some commands, while it is fought for the chroot; how many."""
    with ExitStack() as fights:
        fighters = [
            fights.enter_context(
                Fighter(
                    arena.root, arena.links, arena.count.with_name(f"count-{place}"),
                    inside=place == "inside", seed=chance.randrange(1 << 20),
                    mounts=place == "inside",
                )
            )
            for place in (["inside", "beside"] if how == "both" else [how])
        ]  # fmt: skip
        for verb in verbs:
            worker.call(verb[0], arena.root, *verb[1:])
        commands = chance.sample(COMMANDS, k=2)
        for command in commands:
            done = cli(*command, "-d", arena.root)
            assert wrong_with(done) == "", command
        if chance.random() < 0.5:
            worker.call("delete", arena.root)
    arena.swaps = sum(fighter.swaps for fighter in fighters)
    kill(list(processes_below(arena.base)))
    return len(verbs) + len(commands)


COMMANDS = (
    ("on",), ("off", "-S", "--kill", "--timeout", "0.3"), ("status",), ("bind", "list"),
    ("bind", "add", "--source", "/proc/sys", "--target", "/srv/by/command", "--option", "ro"),
)  # fmt: skip
"""The same as a person has it, with all that is printed."""

STEPPED: tuple[tuple[str, tuple[Any, ...], tuple[Any, ...]], ...] = (
    ("off", ("on",), ("off",)),
    ("on", ("off softly",), ("off",)),
    ("off", ("run",), ("off",)),
    ("on", ("run word",), ("off",)),
    ("off", ("sync", "", "/srv/near"), ("off",)),
    ("off", ("switch on", "/place/deep"), ("off",)),
    ("on", ("switch off", "/place/deep"), ("off",)),
    ("off", ("bind add", "", "/srv/far/off"), ("off",)),
    ("off", ("bind ignore", "/place/deep"), ("off",)),
    ("off", ("status",), ("off",)),
    ("on", ("status",), ("off",)),
    ("off", ("look",), ("off",)),
    ("off", ("snapshot",), ("off",)),
    ("off", ("rename",), ("off",)),
)  # fmt: skip
"""How it stands before, what is tried at every moment, and what has all back."""

WHERE = (
    "chroot.d", "chroot.d/tool.conf", "chroot.d/chroot.toml", "chroot.d/host-cmd",
    "chroot.d/chroot-cmd", "etc", "etc/resolv.conf", "etc/passwd", "etc/group", "etc/hosts",
    "etc/hostname", "dev", "dev/pts", "dev/shm", "proc", "sys", "run", "tmp", "place",
    "place/deep", "place/new", "data", "new", "new/deep", "srv", "srv/far", "srv/near", "bin",
    "bin/sh", "home", "home/app",
)  # fmt: skip


PARTS = 4


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))  # which workers do beside each other
def test_no_swap_between_two_steps_leads_out(
    proof: Proof, arena: Arena, tmp_path: Path, part: int
) -> None:
    wanted = proof.amount(60, 10_000 // PARTS)
    chance = random.Random(f"{part} of {PARTS}")
    root = arena.root
    with Worker(arena.base, tmp_path / "said", (arena.base, arena.other)) as worker:
        arena.fresh()
        names = list(kinds(arena.links))
        steps: dict[Any, int] = {}
        tried = 0
        while tried < wanted:
            before, verb, after = chance.choice(STEPPED)
            worker.call(before, root)
            if verb not in steps:
                worker.trapped(root, Trap("nowhere/at/all", "fifo", (), arena.links), *verb)
                steps[verb] = worker.call("steps", root).value
                continue
            at = chance.randrange(1, steps[verb] + 1)
            moments = [at, at + chance.choice((1, 2, 3, 5, 8, 1000))]
            trap = Trap(chance.choice(WHERE), chance.choice(names), moments, arena.links)
            worker.trapped(root, trap, *verb)
            tried += 1
            last = [worker.call(after[0], root, *after[1:])]
            worker.call("settle", root)
            last.append(worker.call("off", root))
            assert last[-1].code == 0, (trap, verb, *last)
            assert arena.disturbed() == [], (trap, verb)
            arena.configure()
            if tried % 100 == 0 or not (root / "bin/sh").exists():
                worker.call("delete", root)
                arena.fresh()
        assert arena.touched() == []
        swaps = worker.call("swaps", root).value
        worker.call("delete", root)
    proof.count("swaps", swaps)
    proof.count("moments", tried)


STRANGER = 4243
"""Somebody without privilege, who owns the directory in which a chroot is to be made."""
NAMES = (
    ".chroot-tool-create", ".chroot-tool-create-over", "chroot.d", "chroot.d/chroot-cmd",
    "chroot.d/tool.conf", "etc", "bin", "usr", "dev", "lib", "home", ".chroot-tool-delete",
)  # fmt: skip


@pytest.mark.slow
def test_create_is_not_led_out_by_who_owns_the_place(
    proof: Proof, arena: Arena, tmp_path: Path
) -> None:
    wanted = proof.amount(25, 3_000)
    chance = random.Random(12)
    stash = arena.base / "stash"
    stash.mkdir(0o700)
    os.chown(stash, STRANGER, STRANGER)
    names = list(kinds(arena.links))
    place = arena.base / "new"
    with Worker(arena.base, tmp_path / "said", (arena.base,)) as worker:
        steps = 0
        for _ in range(-1, wanted):
            (place / "chroot.d").mkdir(parents=True)
            for mine in (place, place / "chroot.d"):
                os.chown(mine, STRANGER, STRANGER)
            # The later, the closer: most steps are those of the copy.
            at = chance.choice((chance.randrange(1, 120), steps - chance.randrange(160)))
            trap = Trap(
                chance.choice(NAMES), chance.choice(names),
                (at, at + chance.choice((1, 2, 3, 5, 40, 1 << 20))) if steps else (),
                arena.links, "../stash", STRANGER,
            )  # fmt: skip
            done = worker.trapped(place, trap, "create", arena.template)
            steps = steps or worker.call("steps", place).value
            worker.call("settle", place)
            assert arena.disturbed() == [], (trap, done)
            subprocess.run(["rm", "-rf", place], check=True)
        swaps = worker.call("swaps", place).value
    assert arena.touched() == []
    proof.count("swaps", swaps)
    proof.count("moments", wanted)
