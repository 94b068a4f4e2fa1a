"""Which directory a user's DIR means."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from chroot_tool.core.chroot import locate, open_directory
from chroot_tool.core.errors import ChrootError
from chroot_tool.core.kernel import answering
from chroot_tool.core.kernel.mount_table import read_text
from chroot_tool.core.local_engine import LocalEngine


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A base with the chroot `b3`, and a current directory beside it."""
    (tmp_path / "base/b3/chroot.d").mkdir(parents=True)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "base"


def test_a_plain_name_is_looked_up_under_the_base(base: Path) -> None:
    engine = LocalEngine(str(base))
    assert engine.locate("b3") == engine.locate("b3", new=True) == str(base / "b3")
    assert engine.locate("none") == str(base / "none")


def test_what_is_here_comes_first(base: Path) -> None:
    here = base.parent / "here/b3"
    (here / "chroot.d").mkdir(parents=True)
    assert LocalEngine(str(base)).locate("b3") == str(here)


def test_a_directory_here_that_hides_a_chroot_names_it(base: Path) -> None:
    here = base.parent / "here/b3"
    here.mkdir()
    engine = LocalEngine(str(base))
    with pytest.raises(ChrootError, match="is no chroot") as caught:
        engine.locate("b3")
    assert str(here) in caught.value.message
    assert f"-d {base}/b3" in caught.value.hint
    for directory in ("./b3", str(here)):
        assert engine.locate(directory) == str(here)  # whoever opens it says what it is
    assert engine.locate("b3", new=True) == locate("b3", str(base)) == str(here)


def test_where_none_is_hidden_nothing_is_said_here(base: Path) -> None:
    here = base.parent / "here/other"
    here.mkdir()
    assert LocalEngine(str(base)).locate("other") == str(here)


def test_what_changes_under_a_verb_is_told_and_a_mistake_of_ours_is_not_hidden(base: Path) -> None:
    root = open_directory(str(base / "b3"))
    with pytest.raises(ChrootError, match="No such file or directory") as caught, root:
        root.open("/gone")
    assert "changes it at the same time" in caught.value.hint
    with pytest.raises(OSError, match="Bad file descriptor"), open_directory(str(base / "b3")):
        os.open("gone", os.O_PATH, dir_fd=-7)


def test_its_snapshots_take_one_look_at_the_mounts(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[bytes] = []

    def read() -> bytes:
        text = read_text()
        if threading.current_thread() is threading.main_thread():  # one that was left may look, too
            looks.append(text)
        return text

    monkeypatch.setattr(answering, "read_text", read)
    engine = LocalEngine(str(base))
    assert engine.snapshots(str(base / "b3")) == ()
    assert len(looks) == 1


@pytest.mark.parametrize(("name", "said"), [("none", "does not exist"), ("plain", "is no chroot")])
def test_of_what_is_no_chroot_there_are_no_snapshots(base: Path, name: str, said: str) -> None:
    (base / "plain").mkdir()
    with pytest.raises(ChrootError, match=said):
        LocalEngine(str(base)).snapshots(str(base / name))
