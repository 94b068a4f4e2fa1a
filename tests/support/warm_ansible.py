"""What the process of `support.warm` has imported for Ansible: what nearly every start of it needs.

Ansible reads its configuration when it is imported, so the process has that of its children.
"""

import importlib

for name in (
    "cli.adhoc", "cli.doc", "cli.inventory", "cli.playbook",
    "executor.module_common", "executor.task_executor", "plugins.action.normal",
    "plugins.connection.ssh", "plugins.strategy.linear",
):  # fmt: skip
    importlib.import_module(f"ansible.{name}")
