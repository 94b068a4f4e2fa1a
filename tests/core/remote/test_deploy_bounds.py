"""A machine that `deploy` comes to and that says endlessly much, or never ends."""

from __future__ import annotations

from typing import cast

import pytest

from chroot_tool.core.errors import ChrootError
from chroot_tool.core.remote import deploy
from chroot_tool.core.remote.ssh import Host


class There:
    """A machine that does what a shell's script says, whatever it is given."""

    name = "there"

    def __init__(self, script: str) -> None:
        self._argv = ("/bin/sh", "-c", script)

    def ssh(self, **_: object) -> tuple[str, ...]:
        return self._argv


def deployed(script: str) -> str:
    return deploy.remove(cast("Host", There(script)))[0]


def test_what_a_shell_prints_before_the_answer_is_passed_over() -> None:
    assert deployed("""echo Welcome; echo hm >&2; echo '{"path": "/x"}'""") == "/x"
    with pytest.raises(ChrootError, match=r"there: no$"):
        deployed("echo hm >&2; echo no >&2")


def test_an_answer_without_end_is_cut_off() -> None:
    with pytest.raises(ChrootError, match="there: there is no end of what it says"):
        deployed("exec cat /dev/zero")


@pytest.mark.slow
@pytest.mark.parametrize(
    "script", ["exec cat /dev/zero >&2", "exec sleep 1000", "exec >&- 2>&-; exec sleep 1000"]
)
def test_one_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    monkeypatch.setattr(deploy, "_LONGEST", 0.5)
    with pytest.raises(ChrootError, match="there: it took too long"):
        deployed(script)
