"""Start chroot-tool as .pkg/start.py does, with a tree in the place of what a bootstrap makes.

`bootstrapping.py TREE WORD…`: the network is what is left out, nothing else.
"""

import os
import subprocess
import sys

package = os.path.abspath(f"{os.path.dirname(__file__)}/../../.pkg")
version = f"python{sys.version_info.major}.{sys.version_info.minor}"
sys.path.insert(0, package)
sys.path.append(f"{package}/../.venv/lib/{version}/site-packages")

from chroot_tool.app.main import main  # noqa: E402 (found through the path above)
from chroot_tool.core.creating import base_or_bootstrap, create  # noqa: E402

source = sys.argv.pop(1)


def copied(tree: str, *_: object) -> None:
    subprocess.run(["cp", "-a", f"{source}/.", tree], check=True)


for module, name, instead in (
    (base_or_bootstrap, "bootstrap", copied),
    (base_or_bootstrap, "checked_release", lambda *_: None),
    (create, "checked_release", lambda *_: None),
):
    setattr(module, name, instead)
sys.exit(main())
