"""Where a user's settings and state are, by the XDG Base Directory Specification."""

from __future__ import annotations

import os


def settings_file(home: str = "") -> str:
    """Return where the settings file is, whether it exists or not; somebody else's by their home.

    Where they have it by their XDG_CONFIG_HOME is theirs to know.
    """
    return _place("XDG_CONFIG_HOME", ".config", "settings.toml", home)


def history_file() -> str:
    """Return where is kept what was run in each chroot."""
    return _place("XDG_STATE_HOME", ".local/state", "history.json")


def view_file() -> str:
    """Return where is kept how the UI's list was grouped and folded."""
    return _place("XDG_STATE_HOME", ".local/state", "view.json")


def commands_file() -> str:
    """Return where is kept what keys of the UI did."""
    return _place("XDG_STATE_HOME", ".local/state", "commands.json")


def log_file() -> str:
    """Return where is kept what happened to each chroot."""
    return _place("XDG_STATE_HOME", ".local/state", "log.jsonl")


def output_directory() -> str:
    """Return where the output of panels is saved."""
    return _place("XDG_STATE_HOME", ".local/state", "output")


def detached_directory() -> str:
    """Return where the logs are of commands that go on after the UI has quit."""
    return _place("XDG_STATE_HOME", ".local/state", "kept")


def _place(variable: str, default: str, name: str, home: str = "") -> str:
    above = "" if home else os.environ.get(variable, "")
    if not above.startswith("/"):  # "consider the path invalid and ignore it"
        above = os.path.expanduser(f"{home or '~'}/{default}")
    return os.path.join(above, "chroot-tool", name)
