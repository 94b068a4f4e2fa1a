"""Rows of `bench images`: `create` beside the bare back ends, then from the base that it kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from chroot_tool.core.creating.bootstrap import mirrors_of
from chroot_tool.core.creating.namespaces import apart
from chroot_tool.core.creating.options import BACKENDS, CreateOptions, default_options

from .chroots import TOOL, Command, environment, medians
from .rows import Row

_ROUNDS = 5


def creating(base: Path) -> Iterator[Row]:
    """Measure `create` with nothing kept beside the bare back ends, then from what it kept."""
    env = environment(base) | {"CHROOT_TOOL_CACHE": str(base / "bases")}
    bare: dict[str, float] = {}
    for backend in BACKENDS:
        create = Command([*TOOL, "create", "-d", base / backend, "--backend", backend], env)
        bare[backend] = _seconds(_bare(backend, base / f"bare-{backend}", env))
        name = f"create, {backend}, and keep the base"
        yield Row(name, _seconds(create), "s", other=bare[backend], beside=backend, times=1.1)
    archive = next((base / "bases").glob("*-debootstrap-*.tar.zst"))
    unpack, create_again = _in_turns(base, archive, env)
    name = "create from a base, not refreshed"
    beside = "tar --zstd -xf of that base"
    yield Row(name, create_again, "s", other=unpack, beside=beside, times=1.3)
    for backend, faster in (("debootstrap", 15), ("mmdebstrap", 6)):
        yield Row(name, create_again, "s", other=bare[backend], beside=backend, faster=faster)


def _bare(backend: str, target: Path, env: dict[str, str]) -> Command:
    """Return what makes the same minbase by hand, in the same namespaces."""
    options = default_options(CreateOptions(backend=backend))
    mirror = mirrors_of(options)[0]
    words = {
        "debootstrap": ["debootstrap", "--variant=minbase", f"--arch={options.arch}"],
        "mmdebstrap": ["mmdebstrap", "--variant=minbase", "--mode=root", "--format=directory"],
    }[backend]
    return Command([*apart(), *words, options.suite, str(target), mirror], env)


def _in_turns(base: Path, archive: Path, env: dict[str, str]) -> list[float]:
    """Return the seconds of plain tar and of `create`, which take turns; each makes new ones."""
    numbers = iter(range(1000))

    def unpack() -> None:
        target = base / f"plain-{next(numbers)}"
        target.mkdir()
        Command(["tar", "--zstd", "-xf", archive, "-C", target], env)()

    def create() -> None:
        target = base / f"from-base-{next(numbers)}"
        Command([*TOOL, "create", "-d", target, "--no-refresh"], env)()

    return [milliseconds / 1000 for milliseconds in medians(_ROUNDS, unpack, create)]


def _seconds(call: Callable[[], None]) -> float:
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun
