"""Machines made of namespaces: a network, mounts, processes, a name and a /run of its own for each.

Each hangs on a cable (veth(4)) in a network that only these have. All of them call their directory
of chroots `BASE`, as machines do; a test sees that of each in its `base`, without what is mounted.
Or they have a network alone, and what they mount is seen here.

Imported as `support.machines_apart`.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import psutil

from support import Arg, Cli
from support.net_namespace import NetNamespace
from support.ssh_hosts import SshHost, SshHosts, Where

Result = TypeVar("Result")

BASE = "/srv/chroot"
_BOOT = f"""
set -e
mount -t tmpfs -o mode=755 run /run
mkdir /run/sshd
mount -t tmpfs -o mode=755 srv /srv
mkdir {BASE}
mount --bind "$1" {BASE}
printf %s "$0" >/proc/sys/kernel/hostname
shift
exec "$@"
"""


class Apart:
    """Some machines, by their names in `hosts`, and who is connected to them."""

    def __init__(self, net: NetNamespace, those: SshHosts, cli: Cli) -> None:
        self._net, self._those, self._cli = net, those, cli
        self.hosts = those.hosts

    def add(self, *names: str) -> None:
        """Boot machines and plug them in."""
        for name in names:
            base = self._those.folder / name / "base"
            self._add(
                name, BASE, "--mount", "--propagation", "private", "--uts", "--pid", "--mount-proc",
                "sh", "-c", _BOOT, name, base,
            )  # fmt: skip

    def add_networks(self, *names: str) -> None:
        """Boot machines that have a network of their own, and all else of this one."""
        for name in names:
            self._add(name, "")

    def _add(self, name: str, base: str, *inside: Arg) -> None:
        number = len(self.hosts) + 1
        start = ("unshare", "--net", "--fork", "--kill-child", *inside)
        where = Where(start, _address(number, 2), "0.0.0.0", base)
        (host,) = self._those.add(name, where=where)
        self._plug_in(host, number)

    def _plug_in(self, host: SshHost, number: int) -> None:
        cable, there = f"to{number}", ("nsenter", "--net", "--target", str(host.pid), "ip")
        self._ip("link", "add", cable, "type", "veth", "peer", "eth0", "netns", str(host.pid))
        self._ip("address", "add", f"{_address(number, 1)}/24", "dev", cable)
        self._ip("link", "set", cable, "up")
        _run(*there, "address", "add", f"{_address(number, 2)}/24", "dev", "eth0")
        _run(*there, "link", "set", "eth0", "up")

    def link(self, name: str, *, up: bool) -> None:
        """Pull the cable of a machine, at its other end, or plug it in again."""
        _run(
            "nsenter", "--net", "--target", str(self.hosts[name].pid),
            "ip", "link", "set", "eth0", "up" if up else "down",
        )  # fmt: skip

    def _ip(self, *words: str) -> None:
        self.do(_run, "ip", *words)

    def do(self, what: Callable[..., Result], *args: Any, **named: Any) -> Result:
        """Return what *what* returns, called where these machines are connected."""
        return self._net.do(what, *args, **named)

    def environment(self, env: Mapping[str, str] | None = None) -> dict[str, str]:
        """As `SshHosts.environment`."""
        return self._those.environment(env)

    def __call__(
        self, *words: Arg, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run the command line."""
        return self.do(self._cli, *words, env=self.environment(env))

    def ok(self, *words: Arg, env: Mapping[str, str] | None = None) -> str:
        """Run it, expect success and return its stdout."""
        done = self(*words, env=env)
        assert done.returncode == 0, f"exit {done.returncode}: {done.args}\n{done.stderr}"
        return done.stdout

    def mounted(self, name: str) -> list[str]:
        """What is mounted in the chroots of a machine, by its own table."""
        (sshd,) = psutil.Process(self.hosts[name].pid).children()
        table = Path(f"/proc/{sshd.pid}/mountinfo").read_text().splitlines()
        return [point for line in table if (point := line.split()[4]).startswith(f"{BASE}/")]


@contextmanager
def machines_apart(folder: Path, cli: Cli, *names: str) -> Iterator[Apart]:
    """Boot machines of these names, whose files are in *folder*; all end with it."""
    with NetNamespace() as net, ExitStack() as stack:
        those = net.do(stack.enter_context, SshHosts(folder, cli))
        those.give_up_the_silent()  # a cable may be pulled
        found = Apart(net, those, cli)
        found.add(*names)
        yield found


def _address(network: int, number: int) -> str:
    return f"10.77.{network}.{number}"


def _run(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{words}: {done.stderr}"
