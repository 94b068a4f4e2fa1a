"""An ordinary user before an installed chroot-tool: with real sudo, and a rule or none."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from support import Arg, let_in
from support.installed import installed
from support.ssh_hosts import SshHost, SshHosts
from support.users import FIRST, users

PATH = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"

PASSWORD = "quaiL-wohb4"
"""Nothing else is called so: it can be looked for."""
_HASH = (
    "$6$abcdefgh$0cEFgVyXsD0J0JstNl1xBXZbajRPNCtbBBDnNT07VxuiydE.KCHyyGCweh5rKlGFGCejuMkqSb7X"
    "6pf/B3vVG."
)
"""crypt(5) of it."""


class Ordinary:
    """`name`, who has a `home`; `program` is chroot-tool, `base` where chroots are, root's."""

    def __init__(self, folder: Path, program: Path, rules: Path) -> None:
        self.name, self.uid = "ann", FIRST
        self.program, self.rules = program, rules
        self.home = folder / "etc/home" / self.name
        self.base = folder / "base"
        self.base.mkdir()
        self.root_home = folder / "root"
        self.root_home.mkdir(mode=0o700)

    def rule(self, *words: str) -> str:
        """Return the rule that `sudoers` prints."""
        argv: list[Arg] = [self.program, "sudoers", *words]
        done = subprocess.run(argv, capture_output=True, text=True, check=True)
        return done.stdout

    def allow(self) -> None:
        """Give the rule for sudo."""
        rule = self.rules / "chroot-tool"
        rule.write_text(self.rule(self.name))
        rule.chmod(0o440)

    def allow_by_doas(self) -> None:
        """Give the one for doas, where /etc is the test's (`own_etc`)."""
        conf = Path("/etc/doas.conf")
        conf.write_text(self.rule(self.name, "--for", "doas"))
        conf.chmod(0o400)

    def allow_by_password(self) -> str:
        """Give a rule that has the user's password asked; return that."""
        rule = self.rules / "chroot-tool"
        rule.write_text(
            f"{self.name} ALL=(root) {self.program}\nDefaults:{self.name} passwd_tries=1\n"
        )
        rule.chmod(0o440)
        self.forget_password()
        return PASSWORD

    def forget_password(self) -> None:
        """Have sudo ask for it again, on every terminal."""
        subprocess.run(["sudo", "-K"], user=self.uid, group=self.uid, extra_groups=(), check=True)

    def argv(self, *words: Arg, uid: int | None = None) -> list[str]:
        """The command line that has chroot-tool started by the user, for a terminal."""
        number = self.uid if uid is None else uid
        become = ("setpriv", f"--reuid={number}", f"--regid={number}", "--clear-groups", "--")
        return [*become, *(os.fsdecode(word) for word in (self.program, *words))]

    def settings(self, text: str) -> None:
        """Write the user's settings."""
        place = self.home / ".config/chroot-tool"
        place.mkdir(parents=True, exist_ok=True)
        (place / "settings.toml").write_text(text)

    def environment(self, env: Mapping[str, str] | None = None) -> dict[str, str]:
        """What the user's shell would have."""
        own = {
            "HOME": str(self.home), "PATH": PATH, "USER": self.name, "LOGNAME": self.name,
            "TERM": "xterm-256color", "LANG": "C.UTF-8", "CHROOT_TOOL_BASE": str(self.base),
        }  # fmt: skip
        return own | dict(env or {})

    def reaches(self, hosts: SshHosts) -> dict[str, str]:
        """Let the user's ssh know *hosts*, by keys of their own; return the variables for that."""
        own, bin_ = self.home / ".ssh", self.home / "bin"
        shutil.copytree(hosts.config.parent / "keys", own)
        bin_.mkdir(exist_ok=True)
        for place in (own, *own.iterdir()):
            place.chmod(0o700)
            os.chown(place, self.uid, self.uid)
        config = hosts.config.read_text().replace(str(hosts.config.parent / "keys"), str(own))
        (own / "config").write_text(config)
        real = shutil.which("ssh", path=PATH)
        script = f'#!/bin/sh\nexec {real} -F {shlex.quote(str(own / "config"))} "$@"\n'
        (bin_ / "ssh").write_text(script)
        (bin_ / "ssh").chmod(0o755)
        return {"PATH": f"{bin_}:{PATH}"}

    def __call__(
        self, *words: Arg, env: Mapping[str, str] | None = None, stdin: bytes = b"", cwd: str = "/"
    ) -> subprocess.CompletedProcess[str]:
        """Run chroot-tool with *words* as the user."""
        done = subprocess.run(
            [self.program, *words], user=self.uid, group=self.uid, extra_groups=(), cwd=cwd,
            env=self.environment(env), input=stdin, capture_output=True, timeout=300, check=False,
        )  # fmt: skip
        return subprocess.CompletedProcess(
            done.args, done.returncode, os.fsdecode(done.stdout), os.fsdecode(done.stderr)
        )

    def ok(self, *words: Arg, env: Mapping[str, str] | None = None) -> str:
        """Run it, expect success and return its stdout."""
        done = self(*words, env=env)
        assert done.returncode == 0, f"exit {done.returncode}: {done.args}\n{done.stderr}"
        return done.stdout


def own_machine(one: Ordinary, host: SshHost) -> SshHost:
    """Have the user's chroots, and the chroot-tool of the user, on *host*; return that."""
    let_in(host.bin)
    found = f'export CHROOT_TOOL_BASE={one.base}; exec {one.program} "$@"'
    host.write_program("chroot-tool", found)
    return host


def allow_there(one: Ordinary, host: SshHost) -> None:
    """Give the rule on *host*, whose chroot-tool starts the user's."""
    rule = one.rules / "chroot-tool"
    rule.touch()
    rule.chmod(0o640)
    programs = f"{one.program}, {host.bin / 'chroot-tool'}"
    rule.write_text(f"{one.name} ALL=(root) NOPASSWD: {programs}\n")


@contextmanager
def own_etc(folder: Path) -> Iterator[None]:
    """Have a copy of /etc, in *folder*, in its place."""
    subprocess.run(["cp", "-a", "/etc", folder], check=True)
    subprocess.run(["mount", "--bind", folder, "/etc"], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", "/etc"], check=True)


@contextmanager
def ordinary(folder: Path, *, ui: bool = False) -> Iterator[Ordinary]:
    """Have an ordinary user in *folder*, without a rule. Root's home is in it, too."""
    folder.mkdir(exist_ok=True)
    let_in(folder)
    with (
        users(folder / "etc", "ann", "bob") as rules,
        installed(ui=ui) as program,
        _sudo_knows_nobody(),
    ):
        one = Ordinary(folder, program, rules)
        _edit(folder / "etc/passwd", r"^(root:(?:[^:]*:){4})[^:]*", rf"\1{one.root_home}")
        _edit(folder / "etc/shadow", rf"^({one.name}:)[^:]*", rf"\1{_HASH}")
        yield one


@contextmanager
def _sudo_knows_nobody() -> Iterator[None]:
    """Have sudo remember here who has given a password: all tests call their user alike."""
    place = Path("/run/sudo")
    place.mkdir(mode=0o711, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=711", "sudo", place], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def _edit(path: Path, pattern: str, by: str) -> None:
    """Replace in a file what is of *pattern*; it stays the same file, which is bound."""
    text, count = re.subn(pattern, by, path.read_text(), flags=re.MULTILINE)
    assert count == 1, path
    with path.open("r+") as file:
        file.write(text)
        file.truncate()
