"""The machines of a group of an Ansible inventory, as ssh is to be told of them.

The inventory is Ansible's business: `ansible-inventory --list` reads it, by Ansible's own
configuration, and prints it as JSON ("Working with dynamic inventory" of its documentation). Of the
variables those are taken that say how ssh gets there.
"""

from __future__ import annotations

import os
import shlex

from .. import json_values, programs
from ..errors import ChrootError, UsageError
from ..value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

_PROGRAM = "ansible-inventory"
_PATIENCE = 120.0
"""Seconds: a dynamic inventory asks machines, too."""
_SSH = ("ssh", "smart", "paramiko", "ansible.builtin.ssh", "ansible.builtin.paramiko_ssh")
_HERE = ("local", "ansible.builtin.local")
_GROUPS_OF_ALL = ("all", "*")


class Target(Value):
    """A machine of an inventory."""

    name: str
    address: str = ""
    """For ssh; "" is this machine itself."""
    options: tuple[str, ...] = ()
    """More of them for ssh."""
    problem: str = ""
    """Why it cannot be reached."""


class Group(Value):
    """The machines that a pattern means, in the order of the inventory."""

    targets: tuple[Target, ...]
    left_out: tuple[str, ...]
    """Names of hosts that are reached otherwise than by ssh: chroots of machines, for one."""


def read(pattern: str, source: str = "") -> Group:
    """Return the machines of *pattern*: groups and hosts, as Ansible writes `a:b`, `a:!b`, `a:&b`.

    *source* is an inventory as `ansible-inventory -i` takes it, "" for the one of Ansible's
    configuration. Raises ChrootError, UsageError where there is no such group.
    """
    given = ("-i", source) if source else ()
    listed = _listed((_PROGRAM, "--list", *given))
    meta = listed.get("_meta")
    variables = meta.get("hostvars") if isinstance(meta, dict) else None
    every = variables if isinstance(variables, dict) else {}
    targets: list[Target] = []
    left_out: list[str] = []
    for name in _meant(pattern, listed):
        own = every.get(name)
        target = _target(name, own if isinstance(own, dict) else {})
        if target is None:
            left_out.append(name)
        else:
            targets.append(target)
    return Group(tuple(targets), tuple(left_out))


def _listed(argv: tuple[str, ...]) -> dict[str, Any]:
    said: list[str] = []
    fd = os.memfd_create(_PROGRAM)
    try:
        code = programs.run(
            argv, env=dict(os.environ), stdout=fd, on_error=said.append,
            timeout=_PATIENCE,
        ).code  # fmt: skip
        data = os.pread(fd, os.fstat(fd).st_size, 0)
    finally:
        os.close(fd)
    errors = [line for line in said if line.startswith(("ERROR", "[ERROR]"))] or said
    if code:
        why = errors[0] if errors else f"exit code {code}"
        raise ChrootError(f"{_PROGRAM} failed: {why}", shlex.join(argv))
    try:
        return json_values.document(data)
    except ValueError as error:
        raise ChrootError(f"{_PROGRAM} prints no JSON: {error}", shlex.join(argv)) from error


def _meant(pattern: str, listed: Mapping[str, Any]) -> list[str]:
    """Return the names that *pattern* means. Raises UsageError."""
    every = set(_hosts("all", listed, set()))
    chosen: dict[str, None] = {}
    words = [word for word in pattern.replace(",", ":").split(":") if word]
    if all(word[0] in "&!" for word in words):
        words = ["all", *words]
    # As Ansible has it: what is taken away, or kept, is so whatever the order it is written in.
    for word in sorted(words, key=lambda word: "&!".find(word[0])):
        sign = word[0] if word[0] in "&!" else ""
        name = word.removeprefix(sign)
        found = dict.fromkeys(_hosts(name, listed, set()))
        if not found and name in every:
            found = {name: None}
        if not found and name not in listed and name not in _GROUPS_OF_ALL:
            raise UsageError(f"the inventory has no group {name!r}", "ansible-inventory --graph")
        if not sign:
            chosen |= found
        else:
            chosen = {one: None for one in chosen if (one in found) == (sign == "&")}
    return list(chosen)


def _hosts(name: str, listed: Mapping[str, Any], seen: set[str]) -> Iterator[str]:
    """Yield the hosts of a group and of those below it."""
    name = "all" if name in _GROUPS_OF_ALL else name
    group = listed.get(name)
    if name in seen or name == "_meta" or not isinstance(group, dict):
        return
    seen.add(name)
    yield from (one for one in group.get("hosts", ()) if isinstance(one, str))
    for child in group.get("children", ()):
        yield from _hosts(child, listed, seen)


def _target(name: str, variables: Mapping[str, Any]) -> Target | None:
    """Return how *name* is reached, None where it is not by ssh."""
    way = variables.get("ansible_connection", "ssh")
    if way in _HERE:
        return Target(name)
    if way not in _SSH:
        return None

    def said(*names: str) -> str:
        found = next((variables[one] for one in names if variables.get(one)), "")
        return str(found) if isinstance(found, str | int) else ""

    address = said("ansible_host", "ansible_ssh_host") or name
    port = said("ansible_port", "ansible_ssh_port")
    user = said("ansible_user", "ansible_ssh_user")
    key = said("ansible_private_key_file", "ansible_ssh_private_key_file")
    more = [said(f"ansible_ssh_{one}_args") for one in ("common", "extra")]
    filled = (address, port, user, key, *more)
    if template := next((one for one in filled if "{{" in one or "{%" in one), ""):
        return Target(name, problem=f"only Ansible knows what {template} is: name it in ssh_config")
    options = (*(("-p", port) if port else ()), *(("-l", user) if user else ()),
               *(("-i", os.path.expanduser(key)) if key else ()))  # fmt: skip
    try:
        more_options = [word for one in more for word in shlex.split(one)]
    except ValueError as error:
        return Target(name, problem=f"its arguments for ssh: {error}")
    return Target(name, address, (*options, *more_options))
