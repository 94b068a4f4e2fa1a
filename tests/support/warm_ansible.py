"""What the process of `support.warm` has imported for Ansible: what nearly every start of it needs.

Ansible reads its configuration when it is imported, so the process has that of its children.
"""

import atexit
import importlib
from functools import cache
from pathlib import Path
from typing import Any

for name in (
    "cli.adhoc", "cli.doc", "cli.inventory", "cli.playbook",
    "executor.module_common", "executor.task_executor", "playbook.handler_task_include",
    "plugins.action.normal", "plugins.connection.ssh", "plugins.strategy.linear", "utils.shlex",
):  # fmt: skip
    importlib.import_module(f"ansible.{name}")

# Where its own plugins are is most of what it reads, and slow to parse. Others may do that in
# another way, and keep what comes of it, by the word of the function.
finder: Any = importlib.import_module("ansible.utils.collection_loader._collection_finder")
finder._meta_yml_to_dict = cache(finder._meta_yml_to_dict)
config = Path(importlib.import_module("ansible.config").__path__[0])
routes = (config / "ansible_builtin_runtime.yml").read_bytes()
finder._meta_yml_to_dict(routes, ("ansible.builtin", "runtime.yml"))

# A folder for what is on its way is made with the configuration, in the home of the test: the first
# child to end would take it away from the others.
atexit.unregister(importlib.import_module("ansible.config.manager").cleanup_tmp_file)
