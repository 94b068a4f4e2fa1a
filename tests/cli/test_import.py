"""`import` of what is not ours to change: tests/real/test_others.py has what it does."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import pytest

from chroot_tool.app.cli.verbs import import_
from chroot_tool.core import chroot
from chroot_tool.core.config import schroot_files
from chroot_tool.core.errors import Cancelled, ChrootError, PrivilegeError


@pytest.mark.parametrize("error", [Cancelled("interrupted"), PrivilegeError("it needs root")])
def test_what_is_the_same_for_each_ends_it(
    error: ChrootError, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that sudo is asked, and Ctrl-C is no row of the table."""
    found = schroot_files.Foreign("deb", "directory", str(tmp_path), ())

    def refuse(_path: str) -> None:
        raise error

    monkeypatch.setattr(schroot_files, "read", lambda: (found,))
    monkeypatch.setattr(import_, "engine_of", lambda _arguments: None)
    monkeypatch.setattr(chroot, "open_chroot", refuse)
    with pytest.raises(type(error)):
        import_.execute(Namespace(host="", tool="schroot", dry_run=False))


def test_where_there_is_nothing_that_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(schroot_files, "read", tuple)
    monkeypatch.setattr(import_, "engine_of", lambda _arguments: None)
    assert import_.execute(Namespace(host="", tool="schroot", dry_run=False)) == 0
    assert capsys.readouterr() == ("", "schroot has no chroots\n")
