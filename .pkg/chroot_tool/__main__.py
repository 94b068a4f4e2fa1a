"""`python -m chroot_tool`: the same as the command `chroot-tool`."""

import sys

from chroot_tool.app.main import main

if __name__ == "__main__":
    sys.exit(main())
