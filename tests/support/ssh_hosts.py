"""Machines that OpenSSH reaches: real sshds on loopback ports, with keys made for them.

Each has a name, a home, a base of chroots and a command `chroot-tool` of its own; the file system
and the mounts are the test's. What a client needs stands in `config`, an ssh_config: it is told by
`-F`, or finds it by `environment()`, in which `ssh`, `scp` and `sftp` mean it.
"""

from __future__ import annotations

import os
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import psutil

from support import PATIENCE, Arg, Cli, kill, wait_until

_MARK = "CHROOT_TOOL_TEST_HOSTS"
"""A variable that sessions and clients have: by it those are found that nobody waits for."""

_SSHD_CONFIG = """\
Port {port}
ListenAddress {listens}
HostKey {keys}/host
AuthorizedKeysFile {keys}/user.pub
StrictModes no
PidFile none
AuthenticationMethods publickey
PermitRootLogin prohibit-password
# PAM lets those in whose password is locked, as root's is on many a Debian.
UsePAM {pam}
PrintMotd no
# A file that a test may write.
Banner {folder}/banner
MaxStartups {startups}
MaxSessions {sessions}
Subsystem sftp internal-sftp
SetEnv {variables}
"""

_CLIENT_CONFIG = """\
Host {name}
    HostName {address}
    Port {port}
    HostKeyAlias chroot-tool-tests
"""

_ALL_CLIENTS = """\
Host *
    User {user}
    IdentityFile {keys}/user
    IdentitiesOnly yes
    UserKnownHostsFile {keys}/known_hosts
    GlobalKnownHostsFile none
    StrictHostKeyChecking yes
    BatchMode yes
"""


_PATIENT = "-o ConnectTimeout=250 -o ServerAliveInterval=0"
"""Options of ssh, which takes the first of two: not those of the tool, by which an sshd that waits
for a processor is given up as one that is gone."""

_HELD_BACK = """
import os, select
left = 32 << 20
while left and (data := os.read(0, min(left, 1 << 16))):
    left -= len(data)
    while data:
        data = data[os.write(1, data):]
if not left:
    poll = select.poll()
    poll.register(1, 0)
    poll.poll()
"""


class Where(NamedTuple):
    """Where a machine is: on this one, unless it is said."""

    inside: Sequence[Arg] = ()
    """A command line before that of its sshd, a namespace for it say."""
    address: str = "127.0.0.1"
    """By which it is reached."""
    listens: str = "127.0.0.1"
    base: str = ""
    """Where its directory of chroots is seen there, if elsewhere."""


HERE = Where()


class Limits(NamedTuple):
    """How many an sshd lets in: more than Debian's, since a machine has all tests' at once."""

    startups: str = "200"
    sessions: int = 100


MANY = Limits()
DEBIANS = Limits("10:30:100", 10)


class SshHost:
    """One machine: `name` in ssh_config, its `folder`, `home`, `base` of chroots, `bin` and log."""

    def __init__(
        self, name: str, folder: Path, keys: Path, cli: Cli, mark: str, where: Where, limits: Limits
    ) -> None:
        self.name, self.folder, self._keys, self._where = name, folder, keys, where
        self._limits = limits
        self.home, self.base, self.bin = (folder / part for part in ("home", "base", "bin"))
        for place in (folder, self.home, self.base, self.bin):
            place.mkdir()
            place.chmod(0o755)
        self._write_command(cli)
        path = f"{self.bin}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        # What a role has pip install there is looked at, not worked with.
        self._variables = {
            "HOME": str(self.home), "PATH": path, "PIP_NO_COMPILE": "1", _MARK: mark,
        }  # fmt: skip
        # Bound as long as the machine is there, so that it is nobody else's while no sshd runs: for
        # who does not listen, sshd may have it, too.
        self._place = socket.socket()
        self._place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._place.bind((where.listens, 0))
        self.port: int = self._place.getsockname()[1]
        self.start()

    def _write_command(self, cli: Cli) -> None:
        """Give it the command line of this checkout, with nothing of the real user's."""
        wanted = {
            name: value
            for name, value in cli.environment().items()
            if name.startswith(("XDG_", "CHROOT_TOOL_"))
        } | {"CHROOT_TOOL_BASE": self._where.base or str(self.base)}
        exports = "".join(f"export {n}={shlex.quote(v)}\n" for n, v in wanted.items())
        words = shlex.join(os.fsdecode(word) for word in cli.argv())
        self.write_program("chroot-tool", f'{exports}exec {words} "$@"')

    def write_program(self, name: str, script: str) -> Path:
        """Put a program into its PATH, before those of the system; *script* is for /bin/sh."""
        program = self.bin / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        return program

    def welcome(self, banner: str, motd: str) -> None:
        """Have its sshd say something before who comes is let in, and its shell afterwards."""
        (self.folder / "banner").write_text(banner)
        (self.folder / "motd").write_text(motd)
        self.write_program("chroot-tool", f'cat {self.folder}/motd; exec {self._covered()} "$@"')

    def hold_back(self) -> None:
        """Let no more than the first 32 MB of what it packs leave until nobody waits for it.

        However quick it is, it is at work when it is interrupted. `go_on` ends that.
        """
        real = self._covered()
        held = shlex.join([sys.executable, "-I", "-c", _HELD_BACK])
        self.write_program(
            "chroot-tool",
            f'case " $* " in *" pack "*) {real} "$@" | {held};; *) exec {real} "$@";; esac',
        )

    def go_on(self) -> None:
        """Hold nothing back any more."""
        (self.bin / "chroot-tool.real").rename(self.bin / "chroot-tool")

    def _covered(self) -> Path:
        """Put its chroot-tool aside, for another of that name before it."""
        real = self.bin / "chroot-tool.real"
        (self.bin / "chroot-tool").rename(real)
        return real

    @property
    def pid(self) -> int:
        """The process that its sshd was started by."""
        return self._sshd.pid

    @property
    def ssh_config(self) -> str:
        """What a client has to know of it."""
        where = self._where.address
        return _CLIENT_CONFIG.format(name=self.name, port=self.port, address=where)

    @property
    def log(self) -> str:
        """What its sshd has said."""
        return (self.folder / "sshd.log").read_text(errors="replace")

    def start(self) -> None:
        """Start its sshd."""
        config, log = self.folder / "sshd_config", self.folder / "sshd.log"
        values = " ".join(f'"{name}={value}"' for name, value in self._variables.items())
        pam = "yes" if os.geteuid() == 0 else "no"
        config.write_text(
            _SSHD_CONFIG.format(
                port=self.port,
                folder=self.folder,
                listens=self._where.listens,
                keys=self._keys,
                pam=pam,
                variables=values,
                startups=self._limits.startups,
                sessions=self._limits.sessions,
            )
        )
        with log.open("wb") as said:
            self._sshd = subprocess.Popen(
                [*self._where.inside, _program("sshd"), "-D", "-e", "-f", config],
                stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True,
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
            )  # fmt: skip
        wait_until(lambda: "Server listening" in self.log or self._sshd.poll() is not None)
        assert self._sshd.poll() is None, self.log

    def close(self) -> None:
        """Be gone for ever."""
        self.resume()
        self.stop()
        self._place.close()

    def refuse(self) -> None:
        """Take no new connection any more; those that there are stay. `start` ends that."""
        self._sshd.terminate()
        self._sshd.wait(PATIENCE)

    def cut(self) -> None:
        """End every connection, and what runs in it; new ones are taken."""
        with suppress(psutil.NoSuchProcess):
            kill([one.pid for one in psutil.Process(self._sshd.pid).children(recursive=True)])

    def stop(self) -> None:
        """Be gone: no connection, and no new one. `start` brings it back."""
        self.cut()
        self.refuse()
        _end_sessions(self._variables[_MARK], self.home)

    def suspend(self) -> None:
        """Answer nothing any more, as one whose cable was pulled; `resume` ends that."""
        self._signal_all("suspend")

    def resume(self) -> None:
        """Answer again."""
        self._signal_all("resume")

    def processes(self) -> list[psutil.Process]:
        """Everything that runs there: its sshd, and what its connections have started."""
        own = psutil.Process(self._sshd.pid)
        return [own, *own.children(recursive=True)]

    def _signal_all(self, what: str) -> None:
        with suppress(psutil.NoSuchProcess):  # it is stopped
            for process in self.processes():
                with suppress(psutil.NoSuchProcess):
                    getattr(process, what)()


class SshHosts:
    """Machines, and the ssh_config that names them. A context manager; all end with it.

    Without root there is the caller's own user on each of them.
    """

    def __init__(self, folder: Path, cli: Cli) -> None:
        self.folder, self._cli = folder, cli
        self.config = folder / "ssh_config"
        self.hosts: dict[str, SshHost] = {}
        self._mark = uuid.uuid4().hex
        self._keys, self._bin = folder / "keys", folder / "bin"
        self.sockets = Path()
        """Where the sockets of shared connections are, and of who keeps those that are idle: no
        other test's, who would end them with it."""

    def __enter__(self) -> SshHosts:
        for place in (self.folder, self._keys, self._bin):
            place.mkdir()
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # as Debian's ssh.service does
        for name in ("host", "user"):
            subprocess.run(
                [_program("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", self._keys / name],
                check=True,
            )
        (self._keys / "user.pub").chmod(0o644)
        key = (self._keys / "host.pub").read_text()
        (self._keys / "known_hosts").write_text(f"chroot-tool-tests {key}")
        self._write_programs(_PATIENT)
        self._write_config()
        self.sockets = Path(tempfile.mkdtemp(prefix="s", dir="/tmp"))  # short, as a user's is
        return self

    def __exit__(self, *_: object) -> None:
        for host in self.hosts.values():
            host.close()
        _end_sessions(self._mark)
        shutil.rmtree(self.sockets, ignore_errors=True)

    def give_up_the_silent(self) -> None:
        """Have ssh give up who does not answer as soon as it does for a user."""
        self._write_programs()

    def _write_programs(self, options: str = "") -> None:
        for name in ("ssh", "scp", "sftp"):
            words = f"{_program(name)} -F {shlex.quote(str(self.config))} {options}"
            (self._bin / name).write_text(f'#!/bin/sh\nexec {words} "$@"\n')
            (self._bin / name).chmod(0o755)

    def add(self, *names: str, where: Where = HERE, limits: Limits = MANY) -> list[SshHost]:
        """Start a machine for each name."""
        new = [
            SshHost(name, self.folder / name, self._keys, self._cli, self._mark, where, limits)
            for name in names
        ]
        self.hosts |= {host.name: host for host in new}
        self._write_config()
        return new

    def _write_config(self) -> None:
        user = psutil.Process().username()
        self.config.write_text(
            "".join(host.ssh_config for host in self.hosts.values())
            + _ALL_CLIENTS.format(keys=self._keys, user=user)
        )

    def environment(self, env: Mapping[str, str] | None = None) -> dict[str, str]:
        """The command line's environment, in which `ssh` knows these hosts."""
        own = self._cli.environment({"XDG_RUNTIME_DIR": str(self.sockets), **(env or {})})
        return own | {"PATH": f"{self._bin}:{own['PATH']}", _MARK: self._mark}

    def ssh(self, name: str, *words: Arg) -> subprocess.CompletedProcess[str]:
        """Run a command there, and return its code, stdout and stderr."""
        return subprocess.run(
            ["ssh", name, *words], env=self.environment(), stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip


def _program(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
    assert found is not None, f"{name} is missing on this host"
    return found


def _end_sessions(mark: str, home: Path | None = None) -> None:
    """Kill those that have *mark*, until there are none: what one has just started may be missed,
    which has no environment in the middle of execve(2)."""
    while found := list(_sessions(mark, home)):
        kill(found)


def _sessions(mark: str, home: Path | None = None) -> Iterator[int]:
    """The processes that have *mark* in their environment, and *home* where it is given."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            variables = process.environ()
            if variables.get(_MARK) == mark and (home is None or _is_at(variables, home)):
                yield process.pid


def _is_at(variables: Mapping[str, str], home: Path) -> bool:
    return variables.get("HOME") == str(home)
