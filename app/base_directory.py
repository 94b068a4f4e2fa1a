"""Which base directory is meant: the option, the environment, the settings file, the default."""

from __future__ import annotations

import os

from ..core.chroot import DEFAULT_BASE


def settings_path() -> str:
    """Return where the settings file is (XDG Base Directory Specification)."""
    home = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    return os.path.join(home, "chroot-tool", "settings.toml")


def base_directory(given: str) -> str:
    """Return the base directory: *given* where it is not empty, else as interface.md orders.

    Raises ConfigError where the settings file must be read and is wrong.
    """
    if given or (given := os.environ.get("CHROOT_TOOL_BASE", "")):
        return given
    if os.path.exists(settings_path()):
        from .settings.file import load

        return load().base or DEFAULT_BASE
    return DEFAULT_BASE
