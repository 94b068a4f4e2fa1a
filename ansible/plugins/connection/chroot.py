"""Ansible connection plugin: into a chroot of a host, by ssh (or none) and `chroot-tool run`.

Two connections, one in the other: the outer one is Ansible's own, with all its options, and reaches
the host; what goes through it is a call of chroot-tool, by which a command runs inside.
"""

from __future__ import annotations

DOCUMENTATION = r"""
name: chroot
author:
  - The chroot-tool authors (!UNKNOWN)
short_description: Works inside chroots by chroot-tool
description:
  - Makes a chroot an Ansible host. Modules, C(raw), C(copy), C(fetch) and pipelining work inside.
  - The host of the chroot is reached by another connection plugin,
    P(ansible.builtin.ssh#connection) if nothing else is said, whose variables (C(ansible_host),
    C(ansible_user), C(ansible_port) and so on) keep their meaning.
  - A chroot that is off is switched on by the first task, and stays on.
  - Root enters. C(become) then works inside, where P(ansible.builtin.su#become) is in every Debian
    and needs no password.
options:
  chroot:
    description: The chroot on its host, a directory or a name under the base directory there.
    type: str
    default: inventory_hostname
    vars:
      - name: inventory_hostname
      - name: ansible_chroot_path
  remote_user:
    description: The user inside, by name or id.
    type: str
    default: root
    vars:
      - name: ansible_chroot_user
  transport:
    description: The connection plugin that reaches the host, V(local) for the controller itself.
    type: str
    default: ansible.builtin.ssh
    vars:
      - name: ansible_chroot_transport
  privilege:
    description:
      - Words before C(chroot-tool) on the host, for a user who is not root there.
      - They must not ask for a password. C(chroot-tool sudoers) prints a rule that does for it.
    type: str
    default: ''
    vars:
      - name: ansible_chroot_privilege
  chroot_tool_executable:
    description: The program on the host.
    type: str
    default: chroot-tool
    vars:
      - name: ansible_chroot_executable
extends_documentation_fragment:
  - connection_pipelining
  - chroot_tool.chroots.as_ssh
"""

import shlex
from pathlib import Path
from typing import Any

from ansible.errors import (
    AnsibleConnectionFailure,
    AnsibleError,
    AnsibleFileNotFound,
)
from ansible.plugins.connection import ConnectionBase
from ansible.plugins.loader import connection_loader
from ansible.utils.display import Display

_TOOL_FAILED = 125
_NOT_EXECUTABLE = 126
_NOT_FOUND = 127
_SAYS = "chroot-tool: "
_HINT = "hint: "

display = Display()


class Connection(ConnectionBase):  # type: ignore[misc] # Ansible has no types
    """A connection into one chroot."""

    transport = "chroot_tool.chroots.chroot"
    has_pipelining = True

    def __init__(self, play_context: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(play_context, *args, **kwargs)
        self._how = (play_context, args, kwargs)
        self._outer: Any = None

    def set_options(
        self, task_keys: Any = None, var_options: Any = None, direct: Any = None
    ) -> None:
        """Take the options, and give the outer connection its own."""
        super().set_options(task_keys=task_keys, var_options=var_options, direct=direct)
        play_context, args, kwargs = self._how
        name = self.get_option("transport")
        self._outer = connection_loader.get(name, play_context, *args, **kwargs)
        if self._outer is None:
            raise AnsibleError(f"ansible_chroot_transport: there is no connection plugin {name!r}")
        self._outer.set_options(task_keys=task_keys, var_options=var_options, direct=direct)

    def set_become_plugin(self, plugin: Any) -> None:
        """Take what becomes another user inside; it's the outer one that sees its prompt."""
        super().set_become_plugin(plugin)
        self._outer.set_become_plugin(plugin)

    def _connect(self) -> Connection:
        self._connected = True  # the outer one connects when it is used
        return self

    def exec_command(
        self, cmd: str, in_data: bytes | None = None, sudoable: bool = True
    ) -> tuple[int, bytes, bytes]:
        """Run a command line for a shell inside, and return code, stdout and stderr."""
        super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        # Without this ssh would ask for a terminal, in which stdout and stderr are one.
        becomes = sudoable and self.become is not None
        return self._inside([self._play_context.executable, "-c", cmd], in_data, sudoable=becomes)

    def put_file(self, in_path: str, out_path: str) -> None:
        """Write a file inside."""
        super().put_file(in_path, out_path)
        try:
            data = Path(in_path).read_bytes()
        except FileNotFoundError:
            raise AnsibleFileNotFound(f"{in_path} does not exist") from None
        code, _, said = self._inside(["/bin/sh", "-c", 'cat >"$1"', "sh", out_path], data)
        self._check(code, said, f"cannot write {out_path}")

    def fetch_file(self, in_path: str, out_path: str) -> None:
        """Read a file inside into one here."""
        super().fetch_file(in_path, out_path)
        code, data, said = self._inside(["/bin/sh", "-c", 'cat <"$1"', "sh", in_path])
        self._check(code, said, f"cannot read {in_path}")
        Path(out_path).write_bytes(data)

    def _check(self, code: int, said: bytes, what: str) -> None:
        if code != 0:
            raise AnsibleError(f"{what} in {self._chroot}: {_text(said).strip()}")

    def reset(self) -> None:
        """Begin anew with the connection to the host."""
        self._outer.reset()

    def close(self) -> None:
        """End the connection to the host."""
        self._outer.close()
        self._connected = False

    @property
    def _chroot(self) -> str:
        return str(self.get_option("chroot"))

    def _inside(
        self, argv: list[str], in_data: bytes | None = None, *, sudoable: bool = False
    ) -> tuple[int, bytes, bytes]:
        """Run *argv* inside. Raises AnsibleConnectionFailure where it can't be entered."""
        command = self._command(argv)
        display.vvv(f"INSIDE {self._chroot}: {command}", host=self._play_context.remote_addr)
        code, out, err = self._outer.exec_command(command, in_data=in_data, sudoable=sudoable)
        if code in (_TOOL_FAILED, _NOT_EXECUTABLE, _NOT_FOUND):
            self._explain(code, _text(err))
        return code, out, err

    def _command(self, argv: list[str]) -> str:
        """Return the command line for the shell of the host."""
        tool = self.get_option("chroot_tool_executable")
        user = self.get_option("remote_user")
        options = [f"--dir={self._chroot}", f"--user={user}"]
        words = [*shlex.split(self.get_option("privilege")), tool, "run", *options, "--", *argv]
        return shlex.join(words)

    def _explain(self, code: int, said: str) -> None:
        """Raise AnsibleConnectionFailure where these are not the words of the command inside."""
        lines = said.splitlines()
        own = [line[len(_SAYS) :] for line in lines if line.startswith(_SAYS)]
        hints = [line for line in lines if line.startswith(_HINT)]
        tool = self.get_option("chroot_tool_executable")
        if own:
            raise AnsibleConnectionFailure("; ".join([*own, *hints[-1:]]))
        if code == _NOT_FOUND and any(tool in line and "not found" in line for line in lines):
            raise AnsibleConnectionFailure(
                f"there is no {tool} on the host of {self._chroot}; "
                "hint: the role chroot_tool.chroots.host puts it there"
            )


def _text(data: bytes) -> str:
    return data.decode(errors="replace")
