"""What the process of `support.warm` has imported for the command line: all that a verb may need.

All of it does nothing but define.
"""

import importlib
import os
import sys

package = os.path.abspath(f"{os.path.dirname(__file__)}/../../.pkg")
version = f"python{sys.version_info.major}.{sys.version_info.minor}"
sys.path.insert(0, package)
sys.path.append(f"{package}/../.venv/lib/{version}/site-packages")

import chroot_tool  # noqa: E402 (found through the path above)

top = os.path.dirname(chroot_tool.__file__)
for part in ("app", "core"):
    for folder, folders, files in os.walk(f"{top}/{part}"):
        folders[:] = [one for one in folders if one not in ("tui", "__pycache__")]
        for file in files:
            if file.endswith(".py"):
                path = f"{folder}/{file}".removeprefix(f"{top}/")[:-3]
                name = path.replace("/", ".").removesuffix(".__init__")
                importlib.import_module(f"chroot_tool.{name}")
