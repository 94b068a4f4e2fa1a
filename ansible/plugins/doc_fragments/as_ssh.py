"""The options of Ansible's own ssh connection, for what reaches the host of a chroot by it.

They are read from the Ansible that is there, so that they are always those which it has.
"""

from __future__ import annotations

import yaml
from ansible.plugins.connection.ssh import DOCUMENTATION as OF_SSH


def _renamed() -> dict[str, object]:
    """Return the options. `remote_user` would be the user inside: that on the host is `host_user`.

    What a variable says reaches the inner ssh connection by the variable, whatever the name.
    """
    options: dict[str, object] = dict(yaml.safe_load(OF_SSH)["options"])
    options["host_user"] = options.pop("remote_user")
    return options


class ModuleDocFragment:
    """Read by Ansible where a plugin says `extends_documentation_fragment`."""

    DOCUMENTATION = yaml.safe_dump({"options": _renamed()})
