#!/usr/bin/python
"""Ansible module: a chroot made, configured, switched on or off, or removed by chroot-tool."""

from __future__ import annotations

DOCUMENTATION = r"""
module: chroot
short_description: Makes, configures, switches and removes chroots
description:
  - Brings a chroot of the host to the state that is wanted, by C(chroot-tool).
  - A second run with the same arguments changes nothing, and says so.
  - In check mode it says what would be done, out of the plan of C(chroot-tool) itself, and
    changes nothing. To see which packages are missing in a chroot that is off, it then looks
    in a throw-away session.
author:
  - The chroot-tool authors (!UNKNOWN)
extends_documentation_fragment:
  - chroot_tool.chroots.on_host
options:
  state:
    description:
      - V(present) makes it where it is not there, and leaves it on or off as it is.
      - V(on) also mounts what its configuration says, V(off) also unmounts everything.
      - V(absent) switches it off and removes it.
    type: str
    choices: [present, 'on', 'off', absent]
    default: present
  suite:
    description:
      - The release of Debian, when it is made. An existing one stays what it is, with a warning
        where that is another.
      - Without it, as with O(arch), O(mirror) and O(timezone), what the host itself has.
    type: str
  arch:
    description: The architecture, when it is made.
    type: str
  mirror:
    description: The URL where packages come from, when it is made.
    type: str
  variant:
    description: The variant of debootstrap, V(minbase) or V(buildd) say, when it is made.
    type: str
  include:
    description: Packages that it is made with. For those that it is to have at any time, see
      O(packages).
    type: list
    elements: str
  locales:
    description: Locales, the first is the default, when it is made.
    type: list
    elements: str
  timezone:
    description: The time zone, when it is made.
    type: str
  proxy:
    description: The proxy on the way to the mirror, or V(none), when it is made.
    type: str
  backend:
    description: What makes it.
    type: str
    choices: [debootstrap, mmdebstrap]
  from:
    description:
      - What it is made of instead of a mirror. An archive or a directory on the host,
        V(oci:DIR) or V(docker://IMAGE).
    type: str
  clone:
    description: The chroot of the same host that it is made as a copy of, a directory or a name.
    type: str
  unpack:
    description:
      - The archive on the host, written by C(chroot-tool pack), that it comes out of as it was.
    type: path
  packages:
    description:
      - Debian packages that it has. Those missing are installed by apt inside, for which it is
        switched on; where that is not its O(state), it is switched off again.
      - A package is V(NAME), V(NAME:ARCHITECTURE) or V(NAME=VERSION). None is upgraded.
    type: list
    elements: str
  update_cache:
    description: Whether the package lists are brought up to date before packages are installed.
    type: bool
    default: true
  install_recommends:
    description: Whether apt installs recommended packages, too.
    type: bool
    default: false
  binds:
    description:
      - The bind entries of its configuration. Comments and order of its files are kept.
      - What is given here takes effect with the next C(on), which O(state=on) is.
    type: list
    elements: dict
    suboptions:
      target:
        description: The path inside.
        type: str
        required: true
      source:
        description: The path on the host. Without it the same as inside.
        type: str
      fs:
        description: V(bind), V(bind-ro), V(tmpfs) or another file system type.
        type: str
        default: bind
      options:
        description: Mount options, V(ro), V(nosuid), V(rbind), V(size=1G) and so on.
        type: list
        elements: str
      optional:
        description: Whether a source that is not there is no error.
        type: bool
        default: false
      ignored:
        description: Whether the target, one of the system's own say, is left out.
        type: bool
        default: false
  purge_binds:
    description: Whether entries that are not in O(binds) are removed. Without O(binds) none is.
    type: bool
    default: true
  stop:
    description: Whether the chroot's own C(stop) is run before it is switched off.
    type: bool
    default: true
  kill:
    description:
      - Whether processes that are in the way of O(state=off) are ended. Without it they are an
        error that names them, as are those inside with O(state=absent). Who cannot see those of
        others, not being root, needs C(become) for O(state=absent), or this.
    type: bool
    default: false
  timeout:
    description: Seconds between TERM and KILL.
    type: float
    default: 10
  lazy:
    description: Whether mounts that are in use are let go later.
    type: bool
    default: false
  force:
    description: Whether a chroot that is broken or whose making was cut off is made anew.
    type: bool
    default: false
attributes:
  check_mode:
    support: full
    description: Says what would be done and does nothing.
  diff_mode:
    support: full
    description: Shows state, binds and packages before and after, and the steps.
"""

EXAMPLES = r"""
- name: A Debian to build in, on, with a compiler and the sources of the host
  chroot_tool.chroots.chroot:
    path: build
    suite: bookworm
    variant: buildd
    packages: [devscripts, python3]
    binds:
      - target: /src
        source: /home/me/src
      - target: /var/cache/ccache
        fs: tmpfs
        options: [size=2G]
    state: 'on'

- name: A copy of it
  chroot_tool.chroots.chroot:
    path: try
    clone: build

- name: Out of somebody else's root file system
  chroot_tool.chroots.chroot:
    path: /srv/chroot/alpine
    from: /var/tmp/alpine-rootfs.tar.xz

- name: Off, whoever is inside
  chroot_tool.chroots.chroot:
    path: build
    state: 'off'
    kill: true

- name: Gone
  chroot_tool.chroots.chroot:
    path: try
    state: absent
"""

RETURN = r"""
state:
  description: The state afterwards; in check mode that in which it would be.
  returned: success
  type: str
  sample: 'on'
chroot:
  description: All that C(chroot-tool status --json) says of it afterwards, empty where it is gone.
  returned: success
  type: dict
plan:
  description: What was done, or in check mode would be, a line for each step.
  returned: always
  type: list
  elements: str
  sample: ["create build --suite=bookworm", "install python3", "bind /proc on /proc (private)"]
installed:
  description: The packages that were missing.
  returned: success
  type: list
  elements: str
error:
  description: What went wrong, without the hint that O(ignore:msg) has.
  returned: failure
  type: str
hint:
  description: What to do about it.
  returned: failure
  type: str
rc:
  description: The exit code of C(chroot-tool). 3 the configuration is wrong, 4 busy, 5 privilege.
  returned: failure
  type: int
holders:
  description: The processes that are in the way.
  returned: failure, where it is busy
  type: list
  elements: dict
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.bringing_about import ABSENT, OFF, ON, PRESENT, Wanted
from ..module_utils.command_line import OPTIONS, Failed

_WORDS = ("suite", "arch", "mirror", "variant", "timezone", "proxy", "from", "clone")
_LISTS = ("include", "locales", "packages")
_USUAL = ("update_cache", "purge_binds", "stop")
_UNUSUAL = ("install_recommends", "kill", "lazy", "force")
_BIND = {
    "target": {"type": "str", "required": True},
    "source": {"type": "str"},
    "fs": {"type": "str", "default": "bind"},
    "options": {"type": "list", "elements": "str"},
    "optional": {"type": "bool", "default": False},
    "ignored": {"type": "bool", "default": False},
}


def main() -> None:
    """Do what the task says."""
    module = AnsibleModule(
        argument_spec={
            **OPTIONS,
            "state": {"choices": [PRESENT, ON, OFF, ABSENT], "default": PRESENT},
            **{name: {"type": "str"} for name in _WORDS},
            "backend": {"choices": ["debootstrap", "mmdebstrap"]},
            "unpack": {"type": "path"},
            **{name: {"type": "list", "elements": "str"} for name in _LISTS},
            "binds": {"type": "list", "elements": "dict", "options": _BIND},
            "timeout": {"type": "float", "default": 10},
            **{name: {"type": "bool", "default": True} for name in _USUAL},
            **{name: {"type": "bool", "default": False} for name in _UNUSUAL},
        },
        mutually_exclusive=[("from", "clone", "unpack")],
        supports_check_mode=True,
    )
    plan: list[str] = []
    try:
        wanted = Wanted(module)
        plan = wanted.plan
        wanted.bring_about()
        result = wanted.as_result()
    except Failed as error:
        module.fail_json(changed=bool(plan), plan=plan, **error.as_result())
    module.exit_json(**result)


if __name__ == "__main__":
    main()
