"""Refusing what only root can do, before anything is done."""

from __future__ import annotations

import os

from .errors import PrivilegeError


def need_root(what: str) -> None:
    """Raise PrivilegeError where this process is not root: *what* is what would be done."""
    if os.geteuid():
        raise PrivilegeError(f"{what} needs root", "run as root")
