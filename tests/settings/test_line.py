"""How far the terminal is: by the setting, by ssh's variables, by what started the program."""

from __future__ import annotations

import pytest

from chroot_tool.app.settings.terminal import is_far


@pytest.mark.parametrize(
    ("line", "environ", "parents", "far"),
    [
        ("auto", {}, ["bash", "login", "systemd"], False),
        ("auto", {"SSH_CONNECTION": "a 1 b 22"}, [], True),
        ("auto", {"SSH_TTY": "/dev/pts/1"}, [], True),
        ("auto", {"SSH_CONNECTION": ""}, [], False),
        ("auto", {}, ["sudo", "bash", "sshd", "sshd", "systemd"], True),
        ("auto", {}, ["sudo", "bash", "sshd-session", "sshd"], True),
        ("near", {"SSH_TTY": "/dev/pts/1"}, ["sshd"], False),
        ("far", {}, [], True),
    ],
)
def test_what_is_far(line: str, environ: dict[str, str], parents: list[str], far: bool) -> None:
    assert is_far(line, environ, parents) is far


def test_the_processes_above_are_looked_at() -> None:
    assert is_far("auto", {}) in (True, False)  # whoever started this test
