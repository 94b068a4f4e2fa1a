"""Start chroot-tool as .pkg/start.py does, as on a host that a test has made.

The first argument is the directory of the administrator's, the second the root of what systemd
has; "" leaves that of the host.
"""

import os
import sys

package = os.path.abspath(f"{os.path.dirname(__file__)}/../../.pkg")
version = f"python{sys.version_info.major}.{sys.version_info.minor}"
sys.path.insert(0, package)
sys.path.append(f"{package}/../.venv/lib/{version}/site-packages")

from chroot_tool.app.main import main  # noqa: E402 (found through the path above)
from chroot_tool.core import chroot  # noqa: E402
from chroot_tool.core.host import boot  # noqa: E402

chroot.ADMINISTRATOR = sys.argv.pop(1) or chroot.ADMINISTRATOR
boot.ROOT = sys.argv.pop(1)
sys.exit(main())
