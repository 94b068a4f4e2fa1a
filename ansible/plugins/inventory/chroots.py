"""Ansible inventory plugin: the chroots of hosts, each an Ansible host."""

from __future__ import annotations

DOCUMENTATION = r"""
name: chroots
author:
  - The chroot-tool authors (!UNKNOWN)
short_description: Every chroot of every host as an Ansible host
description:
  - Asks hosts by C(ssh HOST chroot-tool list --json) for their chroots, all at once, and makes each
    an Ansible host C(NAME@HOST) that is reached by P(chroot_tool.chroots.chroot#connection).
  - Which way to a host leads is said by the variables that it has in the inventory
    (C(ansible_host), C(ansible_user), C(ansible_ssh_common_args) and so on), by C(ansible.cfg) and
    by C(ssh_config). A host whose C(ansible_connection) is V(local) is the controller.
  - Nothing is asked on a terminal, so keys come from an agent, or have no passphrase.
  - The groups are C(chroots), C(state_on), C(suite_bookworm), C(host_build1) and so on.
  - A host that does not answer is a warning. What a host answers is checked. A chroot whose name
    or path could be anything but a name or a path is left out with a warning.
  - Its file ends in V(chroots.yml) or V(chroots.yaml). In a directory of inventories it has to come
    after the file with the hosts, by its name.
extends_documentation_fragment:
  - constructed
  - inventory_cache
options:
  plugin:
    description: This plugin.
    required: true
    choices: [chroot_tool.chroots.chroots]
  hosts:
    description: Groups and hosts to ask. What is neither in the inventory is a name for ssh.
    type: list
    elements: str
    default: [all]
  become:
    description: Whether C(chroot-tool) is called by O(become_command), for users who are not root.
    type: bool
    default: false
  become_command:
    description: What makes a user root without a password. C(chroot-tool sudoers) prints a rule.
    type: str
    default: sudo -n --
  executable:
    description: The program on the hosts.
    type: str
    default: chroot-tool
  base:
    description: The base directory on the hosts, where it is another than the usual one.
    type: str
  timeout:
    description: Seconds for the answer of a host.
    type: float
    default: 30
  ignore_unreachable:
    description: Whether a host that does not answer is only a warning.
    type: bool
    default: true
"""

EXAMPLES = r"""
# 10-builders.yml, an ordinary inventory
builders:
  hosts:
    build1:
    build2:
      ansible_host: 192.0.2.7
      ansible_user: admin

# 20-chroots.yml, beside it
plugin: chroot_tool.chroots.chroots
hosts: [builders]
keyed_groups:
  - key: chroot_name
    prefix: chroot
cache: true
cache_plugin: jsonfile
cache_connection: ~/.cache/ansible-chroots
cache_timeout: 300
"""

import shlex
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ansible import constants
from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import (
    BaseInventoryPlugin,
    Cacheable,
    Constructable,
)
from ansible.plugins.loader import connection_loader
from ansible.utils.unsafe_proxy import wrap_var
from ansible.utils.vars import combine_vars
from ansible.vars.plugins import get_vars_from_inventory_sources

from ..plugin_utils import answers, asking

_CONNECTION = "chroot_tool.chroots.chroot"
_LOCAL = ("local", "ansible.builtin.local")
_SSH = ("ssh", "smart", "ansible.builtin.ssh")


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):  # type: ignore[misc]
    """The plugin. (Ansible has no types.)"""

    NAME = "chroot_tool.chroots.chroots"

    def verify_file(self, path: str) -> bool:
        """Whether this may be a file of ours."""
        return bool(super().verify_file(path)) and path.endswith(("chroots.yml", "chroots.yaml"))

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        """Ask the hosts, or the cache, and add what they have."""
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        connection_loader.get("ssh", class_only=True)  # which makes its options known
        ways = {host: self._variables(host) for host in self._hosts()}
        for host, listed in self._listed(path, ways, may_read=cache).items():
            self._add(host, ways[host], answers.read(listed.encode()))

    # -- which hosts, and how they are reached ------------------------------------------------

    def _hosts(self) -> list[str]:
        """The hosts to ask, each once. Those that we have made are none."""
        names: dict[str, None] = {}
        for asked in self.get_option("hosts"):
            group = self.inventory.groups.get(asked)
            names |= dict.fromkeys([host.name for host in group.get_hosts()] if group else [asked])
        known = self.inventory.hosts
        return [
            name
            for name in names
            if name not in known or known[name].vars.get("ansible_connection") != _CONNECTION
        ]

    def _variables(self, name: str) -> dict[str, Any]:
        """What the inventory, with its group_vars and host_vars, says of the way to a host."""
        host = self.inventory.hosts.get(name)
        variables: dict[str, Any] = {"inventory_hostname": name}
        if host is not None:
            sources = self.inventory.processed_sources
            for of in (*host.get_groups(), host):
                beside = get_vars_from_inventory_sources(self.loader, sources, [of], "all")
                variables = combine_vars(combine_vars(variables, of.get_vars()), beside)
        elif name == "localhost":
            variables["ansible_connection"] = "local"
        variables = combine_vars(variables, self._vars)  # of --extra-vars
        wanted = {"ansible_connection", *constants.config.get_plugin_vars("connection", "ssh")}
        self.templar.available_variables = variables
        return {n: self.templar.template(variables[n]) for n in variables if n in wanted}

    def _argv(self, variables: dict[str, Any]) -> list[str]:
        """The command that asks a host. Raises NoAnswerError."""
        become = self.get_option("become_command") if self.get_option("become") else ""
        base = self.get_option("base")
        words = [*shlex.split(become), self.get_option("executable"), "list", "--json"]
        words += [f"--base={base}"] if base else []
        connection = variables.get("ansible_connection", constants.DEFAULT_TRANSPORT)
        if connection in _LOCAL:
            return words
        if connection not in _SSH:
            raise answers.NoAnswerError(f"ansible_connection {connection}: only ssh and local ask")
        return [*self._ssh(variables), shlex.join(words)]

    @staticmethod
    def _ssh(variables: dict[str, Any]) -> list[str]:
        """The ssh that Ansible itself would start, up to the host."""

        def option(name: str) -> Any:
            return constants.config.get_config_value(
                name, plugin_type="connection", plugin_name="ssh", variables=variables
            )

        settings = {
            "Port": option("port"),
            "User": option("remote_user"),
            "IdentityFile": option("private_key_file"),
            "ConnectTimeout": option("timeout"),
            "StrictHostKeyChecking": None if option("host_key_checking") else "no",
        }
        words = [option("ssh_executable"), "-T", "-o", "BatchMode=yes"]
        for name in ("ssh_args", "ssh_common_args", "ssh_extra_args"):
            words += shlex.split(option(name) or "")
        for name, value in settings.items():
            words += ["-o", f"{name}={value}"] if value else []
        return [*words, "--", option("host")]

    # -- what they answer ---------------------------------------------------------------------

    def _listed(self, path: str, ways: dict[str, Any], *, may_read: bool) -> dict[str, str]:
        """The lists of the hosts, as they came, of the cache or asked for."""
        key = self.get_cache_key(path)
        uses_cache = self.get_option("cache")
        if may_read and uses_cache:
            try:
                kept: dict[str, str] = self._cache[key]
                return {host: text for host, text in kept.items() if host in ways}
            except KeyError:
                pass
        listed = self._ask_all(ways)
        if uses_cache:
            self._cache[key] = listed
        return listed

    def _ask_all(self, ways: dict[str, Any]) -> dict[str, str]:
        listed: dict[str, str] = {}
        if not ways:
            return listed
        with ThreadPoolExecutor(max_workers=min(len(ways), 4 * constants.DEFAULT_FORKS)) as pool:
            asked = {host: pool.submit(self._ask, way) for host, way in ways.items()}
        for host, answer in asked.items():
            try:
                listed[host] = answer.result()
            except answers.NoAnswerError as error:
                if not self.get_option("ignore_unreachable"):
                    raise AnsibleParserError(f"{host}: {error}") from None
                self.display.warning(f"the chroots of {host} are not known: {error}")
        return listed

    def _ask(self, variables: dict[str, Any]) -> str:
        """Ask one host, and look whether that is an answer. Raises NoAnswerError."""
        argv = self._argv(variables)
        seconds = self.get_option("timeout")
        data = asking.ask(argv, seconds=seconds, most=answers.MOST_BYTES)
        text = data.decode(errors="replace")  # a shell may say more, in whatever encoding
        answers.read(text.encode())
        return text

    # -- what becomes of it -------------------------------------------------------------------

    def _add(self, host: str, way: dict[str, Any], answer: answers.Answer) -> None:
        for why in answer.refused:
            self.display.warning(f"a chroot of {host} is left out: {why}")
        self._group("chroots")
        for found in answer.chroots:
            name = self.inventory.add_host(f"{found.name}@{host}", group="chroots")
            for group in self._groups(host, found):
                self.inventory.add_host(name, group=group)
            variables = self._of_chroot(host, way, found)
            for variable, value in variables.items():
                self.inventory.set_variable(name, variable, value)
            self._construct(name, variables)

    def _groups(self, host: str, found: answers.Found) -> list[str]:
        groups = [f"state_{found.state}", f"host_{host}"]
        groups += [f"suite_{found.suite}"] if found.suite else []
        return [self._group(group) for group in groups]

    def _group(self, name: str) -> str:
        return str(self.inventory.add_group(self._sanitize_group_name(name)))

    def _of_chroot(self, host: str, way: dict[str, Any], found: answers.Found) -> dict[str, Any]:
        """The variables of a chroot: the way to its host, the way in, and what it is.

        What came from the host is marked, so that nothing of it is ever taken for a template.
        """
        is_local = way.get("ansible_connection") in _LOCAL
        reached = {
            name: value
            for name, value in way.items()
            if name not in ("inventory_hostname", "ansible_connection")
        }
        about = found._asdict() | {"suite": found.suite}
        become = self.get_option("become_command") if self.get_option("become") else ""
        return {
            "ansible_host": host,
            **reached,
            "ansible_connection": _CONNECTION,
            "ansible_chroot_path": wrap_var(found.path),
            "ansible_chroot_executable": self.get_option("executable"),
            "ansible_become_method": "ansible.builtin.su",
            **({"ansible_chroot_transport": "ansible.builtin.local"} if is_local else {}),
            **({"ansible_chroot_privilege": become} if become else {}),
            "chroot_host": host,
            **{f"chroot_{name}": wrap_var(value) for name, value in about.items()},
        }

    def _construct(self, name: str, variables: dict[str, Any]) -> None:
        """Do what the options of constructed inventories say."""
        strict = self.get_option("strict")
        self._set_composite_vars(self.get_option("compose"), variables, name, strict=strict)
        self._add_host_to_composed_groups(self.get_option("groups"), variables, name, strict=strict)
        self._add_host_to_keyed_groups(
            self.get_option("keyed_groups"), variables, name, strict=strict
        )
