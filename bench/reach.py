"""Other machines: real sshds, each in a network namespace, with chroots of its own; all are here.

All of it shares the processors of one machine, so that a hundred hosts start what each of them
starts on a few cores: what is compared with, `ssh HOST true` on all at once, has it no better.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from chroot_tool.core.local_engine import LocalEngine
from support import Cli, make_tiny_root
from support.machines_apart import Apart, machines_apart
from support.ssh_hosts import SshHost

from .chroots import TOOL, Command, chroots, environment
from .rows import Row
from .ui import Screen, changes

_ROUNDS = 7
_IDLE = 30.0


class _Farm:
    """Hosts with a chroot `c0` each, an inventory of them, and who asks them."""

    def __init__(self, hosts: Apart, base: Path, sockets: str) -> None:
        self.hosts, self.base = hosts, base
        place = hosts.environment()["PATH"]
        own = environment(base) | {"CHROOT_TOOL_BASE": str(base / "none")}
        config = {"XDG_CONFIG_HOME": str(base), "XDG_STATE_HOME": str(base)}
        terminal = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
        self.env = own | config | terminal | {"XDG_RUNTIME_DIR": sockets, "PATH": f"{base}:{place}"}
        (base / "none").mkdir()

    def grow(self, count: int) -> tuple[SshHost, ...]:
        """Have *count* hosts; what Ansible would say of them is said by a script at once."""
        missing = range(len(self.hosts.hosts), count)
        for name in (f"h{number}" for number in missing):
            self.hosts.add_networks(name)
            make_tiny_root(self.hosts.hosts[name].base / "c0")
        names = list(self.hosts.hosts)
        (self.base / "inventory.json").write_text(json.dumps({"all": {"hosts": names}}))
        script = self.base / "ansible-inventory"
        script.write_text(f"#!/bin/sh\nexec cat {self.base}/inventory.json\n")
        script.chmod(0o755)
        return tuple(self.hosts.hosts.values())

    def forget(self) -> None:
        """End what a look has left for the next one; ssh's connections stay."""
        place = f"{self.env['XDG_RUNTIME_DIR']}/chroot-tool/ssh/idle"
        lines = {one: _line(one) for one in psutil.process_iter()}
        keepers = [one for one, line in lines.items() if line.endswith(place)]
        for one in keepers:
            one.kill()
        # What was kept ends by itself then; until it has, it takes of the time that is measured.
        kept = [one for one, line in lines.items() if "serve --json" in line and self._is_ours(one)]
        if psutil.wait_procs([*keepers, *kept], timeout=60)[1]:
            raise TimeoutError("what was kept for the next look did not end")

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            return any(str(self.base) in value for value in process.environ().values())
        except psutil.Error:
            return False

    def slowest(self) -> float:
        """Return the milliseconds of the slowest `ssh HOST true`, all at once, connections open."""
        sockets = f"ControlPath={self.env['XDG_RUNTIME_DIR']}/chroot-tool/ssh/%C"
        begun: dict[int, float] = {}
        slowest = 0.0
        null = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (0, 1, 2)]
        ssh = shutil.which("ssh", path=self.env["PATH"]) or "ssh"
        for name in self.hosts.hosts:
            started = time.perf_counter()
            argv = ["ssh", "-o", sockets, name, "true"]
            begun[os.posix_spawn(ssh, argv, self.env, file_actions=null)] = started
        while begun:
            pid, status = os.waitpid(-1, 0)
            if pid in begun:
                slowest = max(slowest, time.perf_counter() - begun.pop(pid))
                if status:
                    raise RuntimeError("ssh failed")
        return slowest * 1000


def run() -> list[Row]:
    """Measure everything."""
    with (
        chroots(1) as base,
        tempfile.TemporaryDirectory(dir="/tmp", prefix="b") as sockets,
        machines_apart(base / "hosts", Cli(base)) as hosts,
    ):
        return hosts.do(lambda: list(_rows(_Farm(hosts, base, sockets))))


def _rows(farm: _Farm) -> Iterator[Row]:
    yield from _listed(farm, 1)  # which has a processor of its own, as machines have
    yield from _listed(farm, 10)
    yield from _live(farm, 20)
    yield from _listed(farm, 100)


def _listed(farm: _Farm, count: int) -> Iterator[Row]:
    """Compare a list that comes soon after another, and one where only ssh's connections stay."""
    farm.grow(count)
    here = Command([*TOOL, "list"], farm.env)
    everywhere = Command([*TOOL, "list", "--hosts", "all"], farm.env)
    everywhere()
    spent: dict[str, list[float]] = {}

    def measure(name: str, call: Callable[[], object]) -> None:
        begun = time.perf_counter()
        call()
        spent.setdefault(name, []).append((time.perf_counter() - begun) * 1000)

    for _ in range(_ROUNDS):
        measure("own", here)
        measure("soon", everywhere)
        spent.setdefault("ssh", []).append(farm.slowest())
        farm.forget()
        measure("later", everywhere)
    own, soon_after, later, ssh = (
        statistics.median(spent[name]) for name in ("own", "soon", "later", "ssh")
    )
    hosts = "1 host" if count == 1 else f"{count} hosts"
    name, beside = f"list --hosts, {hosts}, beyond our own start", "the slowest ssh HOST true"
    yield Row(f"{name}: within a minute", soon_after - own, "ms", other=ssh, beside=beside, times=3)
    yield Row(f"{name}: the first", later - own, "ms", other=ssh, beside=beside)


@contextmanager
def _shown(farm: _Farm, *words: str) -> Iterator[Screen]:
    screen = Screen([*TOOL, *words], farm.env, size=(120, 40))
    try:
        screen.until(b"c0 ")
        screen.rest()
        yield screen
    finally:
        screen.close()


def _live(farm: _Farm, count: int) -> Iterator[Row]:
    """Measure the UI on *count* hosts: how late it sees, and what it costs when nothing happens."""
    first, *_ = farm.grow(count)
    LocalEngine(str(first.base)).on(str(first.base / "c0"))
    with _shown(farm, "--base", str(first.base)) as screen:
        there = changes(screen, first.base, 20)
    (farm.base / "chroot-tool").mkdir(exist_ok=True)
    settings = farm.base / "chroot-tool/settings.toml"
    settings.write_text(f"hosts = {json.dumps(list(farm.hosts.hosts))}\n")
    with _shown(farm) as screen:
        here = changes(screen, first.base, 20)
        yield Row("mount elsewhere to screen, later than on a screen there, median",
                  here - there, "ms", limit=100)  # fmt: skip
        screen.rest()
        before = _costs(farm, screen)
        time.sleep(_IDLE)
        here, *each = (
            (now - then) / _IDLE * 100
            for now, then in zip(_costs(farm, screen), before, strict=True)
        )
    name = f"idle for 30 s, {count} hosts"
    yield Row(f"{name}: here, ssh and all", here, "% CPU", limit=1.0)
    yield Row(f"{name}: there, the one with most", max(each), "% CPU", limit=0.3)


def _costs(farm: _Farm, screen: Screen) -> list[float]:
    """Return the processor's seconds so far of the UI with all that it started, and of hosts."""
    own = psutil.Process(screen.process.pid)
    sockets = farm.env["XDG_RUNTIME_DIR"]
    masters = [one for one in psutil.process_iter() if sockets in _line(one)]
    started = {one.pid: one for one in [own, *own.children(recursive=True), *masters]}
    return [
        sum(map(_seconds, started.values())),
        *(sum(map(_seconds, host.processes())) for host in farm.hosts.hosts.values()),
    ]


def _line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def _seconds(process: psutil.Process) -> float:
    try:
        spent = process.cpu_times()
    except psutil.Error:
        return 0.0
    return float(spent.user + spent.system)
