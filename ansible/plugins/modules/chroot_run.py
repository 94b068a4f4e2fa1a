#!/usr/bin/python
"""Ansible module: a command inside a chroot, by chroot-tool."""

from __future__ import annotations

DOCUMENTATION = r"""
module: chroot_run
short_description: Runs a command inside a chroot
description:
  - Runs a command inside a chroot of the host, as M(ansible.builtin.command) does on the host.
  - A chroot that is off is switched on for it and stays on.
  - For more than a few commands make the chroot an Ansible host, by the connection plugin
    P(chroot_tool.chroots.chroot#connection); then every module works inside.
author:
  - The chroot-tool authors (!UNKNOWN)
extends_documentation_fragment:
  - chroot_tool.chroots.on_host
options:
  cmd:
    description:
      - The command, split as a shell splits words. No shell evaluates it.
      - How its first word is found C(chroot-tool help run) tells. V(start), V(stop) and scripts
        of C(chroot.d) are found, too.
    type: str
  argv:
    description: The command as a list of words.
    type: list
    elements: str
  user:
    description: As this user of the chroot, by name or id.
    type: str
  chdir:
    description: The directory inside in which it starts.
    type: str
  environment:
    description: Variables that it has inside. That of the task is that of C(chroot-tool).
    type: dict
    default: {}
  creates:
    description: A path inside, or a pattern. Where there is such a file, nothing is run.
    type: str
  removes:
    description: A path inside, or a pattern. Where there is no such file, nothing is run.
    type: str
  stdin:
    description: What it reads on stdin.
    type: str
  stdin_add_newline:
    description: Whether a newline ends O(stdin).
    type: bool
    default: true
  strip_empty_ends:
    description: Whether empty lines at the end of what it prints are left out.
    type: bool
    default: true
  ephemeral:
    description: Whether it runs in a throw-away session. What it changes is then gone at its end.
    type: bool
    default: false
attributes:
  check_mode:
    support: partial
    description: Nothing is run.
    details: With O(creates) or O(removes) it says whether the command would run.
  diff_mode:
    support: none
    description: Nobody knows what a command changes.
"""

EXAMPLES = r"""
- name: The chroot's own start
  chroot_tool.chroots.chroot_run:
    path: build
    cmd: start

- name: A build, once
  chroot_tool.chroots.chroot_run:
    path: build
    argv: [make, -j4, install]
    chdir: /src
    user: builder
    environment:
      DESTDIR: /opt/thing
    creates: /opt/thing/bin/*

- name: Does it build on a clean system?
  chroot_tool.chroots.chroot_run:
    path: build
    cmd: /src/debian/rules build
    ephemeral: true
  changed_when: false
"""

RETURN = r"""
cmd:
  description: The command.
  returned: always
  type: list
  elements: str
rc:
  description: Its exit code, 128 + N where a signal ended it.
  returned: always
  type: int
stdout:
  description: What it printed.
  returned: always
  type: str
stderr:
  description: What it printed on stderr.
  returned: always
  type: str
start:
  description: When it began.
  returned: always
  type: str
end:
  description: When it ended.
  returned: always
  type: str
delta:
  description: How long it took.
  returned: always
  type: str
hint:
  description: What to do where the tool itself could not run it.
  returned: failure
  type: str
"""

import datetime
import shlex
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.command_line import OPTIONS, CommandLine, Failed, told

_IS_THERE = 'IFS=; for path in $1; do [ -e "$path" ] && exit 0; done; exit 1'


def main() -> None:
    """Run the command."""
    module = AnsibleModule(
        argument_spec={
            **OPTIONS,
            "cmd": {"type": "str"},
            "argv": {"type": "list", "elements": "str"},
            **{n: {"type": "str"} for n in ("user", "chdir", "creates", "removes", "stdin")},
            "environment": {"type": "dict", "default": {}},
            "stdin_add_newline": {"type": "bool", "default": True},
            "strip_empty_ends": {"type": "bool", "default": True},
            "ephemeral": {"type": "bool", "default": False},
        },
        mutually_exclusive=[("cmd", "argv")],
        required_one_of=[("cmd", "argv")],
        supports_check_mode=True,
    )
    try:
        result = _run(module)
    except Failed as error:
        module.fail_json(**error.as_result())
    if result["rc"] != 0:
        module.fail_json(msg=f"non-zero return code {result['rc']}", **result)
    module.exit_json(**result)


def _run(module: AnsibleModule) -> dict[str, Any]:
    """Return what `command` returns. Raises Failed."""
    given = module.params
    words = given["argv"] or [given["cmd"]]
    if given["argv"] and len(words) == 1:
        words = [shlex.quote(words[0])]  # else it would be split
    result: dict[str, Any] = {"cmd": words, "rc": 0, "stdout": "", "stderr": "", "changed": False}
    tool = CommandLine(module)
    why_not = _needless(tool, given)
    if why_not:
        return {**result, "msg": why_not, "stdout": f"skipped, since {why_not}"}
    if module.check_mode:
        asked = bool(given["creates"] or given["removes"])
        said = "Command would have run if not in check mode"
        return {**result, "msg": said, "changed": asked, "skipped": not asked}
    began = datetime.datetime.now()
    done = told(tool.call("run", *_options(given), "--", *words, data=_input(given)))
    ended = datetime.datetime.now()
    return {
        **result,
        "rc": done.rc, "stdout": _shown(given, done.stdout), "stderr": _shown(given, done.stderr),
        "start": str(began), "end": str(ended), "delta": str(ended - began),
        "changed": True,
    }  # fmt: skip


def _needless(tool: CommandLine, given: dict[str, Any]) -> str:
    """Return why there is nothing to run, "" where there is."""
    if given["creates"] and _is_inside(tool, given["creates"]):
        return f"'{given['creates']}' exists"
    if given["removes"] and not _is_inside(tool, given["removes"]):
        return f"'{given['removes']}' does not exist"
    return ""


def _is_inside(tool: CommandLine, pattern: str) -> bool:
    found = tool.status()
    if found is None:
        return False  # in check mode it may be one that a task before would make
    argv = ["/bin/sh", "-c", _IS_THERE, "sh", pattern]
    return tool.inside(argv, is_on=found["state"] == "on").rc == 0


def _options(given: dict[str, Any]) -> list[str]:
    return [
        *(["--ephemeral"] if given["ephemeral"] else []),
        *([f"--user={given['user']}"] if given["user"] else []),
        *([f"--workdir={given['chdir']}"] if given["chdir"] else []),
        *(f"--env={name}={value}" for name, value in given["environment"].items()),
    ]


def _input(given: dict[str, Any]) -> bytes | None:
    if given["stdin"] is None:
        return None
    end = "\n" if given["stdin_add_newline"] else ""
    return f"{given['stdin']}{end}".encode(errors="surrogateescape")


def _shown(given: dict[str, Any], text: str) -> str:
    return text.rstrip("\r\n") if given["strip_empty_ends"] else text


if __name__ == "__main__":
    main()
