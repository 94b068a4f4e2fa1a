"""The options that every module of the collection has: which chroot, and by which command."""

from __future__ import annotations


class ModuleDocFragment:
    """Read by Ansible where a module says `extends_documentation_fragment`."""

    DOCUMENTATION = r"""
options:
  path:
    description:
      - The chroot. A directory, or a name under the base directory of the host.
    type: str
    required: true
    aliases: [name, dir]
  base:
    description:
      - The base directory in which a name is looked up.
      - Without it what C(chroot-tool) itself takes, V(/srv/chroot) where nothing else is said.
    type: path
  executable:
    description:
      - The program C(chroot-tool) on the host.
      - It is looked for in the C(PATH), in V(/usr/local/bin) and in V(/usr/local/sbin).
    type: str
    default: chroot-tool
requirements:
  - chroot-tool on the host
"""
