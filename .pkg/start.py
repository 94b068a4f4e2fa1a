"""Start chroot-tool from a checkout: what chroot-tool.sh runs, with `-I -S`.

`site` would read every .pth file of .venv to find two directories that are known here.
"""

import sys

here = __file__.rpartition("/")[0]
version = f"python{sys.version_info.major}.{sys.version_info.minor}"
sys.path.insert(0, here)
sys.path.append(f"{here}/../.venv/lib/{version}/site-packages")

try:
    from chroot_tool.app.main import main  # (found through the path above)
except KeyboardInterrupt:  # from here on it is told
    sys.exit(130)

sys.exit(main())
