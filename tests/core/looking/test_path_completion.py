"""Completing paths and saying what is there, in directories that mean no good."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from chroot_tool.core.engine import Engine
from chroot_tool.core.errors import UsageError
from chroot_tool.core.kernel import answering
from chroot_tool.core.local_engine import LocalEngine
from chroot_tool.core.looking import path_completion


@pytest.fixture
def root(tmp_path: Path) -> Path:
    path = tmp_path / "c"
    for folder in ("chroot.d", "srv/data", "srv/dark", "srv/.hidden", "empty", "one/x"):
        (path / folder).mkdir(parents=True)
    (path / "srv/date").write_text("x" * 812)
    return path


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return LocalEngine(str(tmp_path))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/s", ("/srv/",)),
        ("/srv/", ("/srv/dark/", "/srv/data/", "/srv/date")),
        ("/srv/da", ("/srv/dark/", "/srv/data/", "/srv/date")),
        ("/srv/dat", ("/srv/data/", "/srv/date")),
        ("/srv/.", ("/srv/.hidden/",)),
        ("/srv/../o", ("/srv/../one/",)),
        ("/srv/date/", ()),
        ("/none/", ()),
        ("srv", ()),
        ("", ()),
        ("/srv\0/", ()),
        ("/../../../../../o", ("/../../../../../one/",)),
    ],
)
def test_inside(root: Path, engine: Engine, text: str, expected: tuple[str, ...]) -> None:
    assert engine.binds(str(root)).complete_target(text) == expected


def test_links_are_followed_inside_only(root: Path, engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (root / "up").symlink_to(f"../../../../../..{tmp_path}")
    (root / "abs").symlink_to(tmp_path)
    (root / "into").symlink_to("/srv")
    (root / "proc").symlink_to("/proc/self/root")
    path = str(root)
    assert engine.binds(path).complete_target("/up/") == ()
    assert engine.binds(path).complete_target("/abs/") == ()
    assert engine.binds(path).complete_target("/proc/") == ()
    assert engine.binds(path).complete_target("/into/dat") == ("/into/data/", "/into/date")
    assert engine.binds(path).complete_target("/in") == ("/into/",)
    assert engine.binds(path).complete_target("/ab") == ("/abs",)


def test_names_that_cannot_be_shown_are_not_offered(root: Path, engine: Engine) -> None:
    for name in (b"e\x1b[31m", b"n\nl", b"\xff", "bidi‮".encode(), b"z\xe2\x80\x8bw", b"fine"):
        (root / "one" / os.fsdecode(name)).touch()
    assert engine.binds(str(root)).complete_target("/one/") == ("/one/fine", "/one/x/")


@pytest.mark.slow
def test_no_more_than_200(root: Path, engine: Engine) -> None:
    for number in range(path_completion.MOST + 50):
        (root / f"one/f{number:04}").touch()
    found = engine.binds(str(root)).complete_target("/one/f")
    assert len(found) == path_completion.MOST
    assert found[0] == "/one/f0000"


def test_on_the_host(root: Path) -> None:
    assert path_completion.on_host(f"{root}/sr") == (f"{root}/srv/",)
    assert path_completion.on_host(f"{root}/srv/dat") == (f"{root}/srv/data/", f"{root}/srv/date")
    assert path_completion.on_host("relative") == ()
    (root / "one/link").symlink_to("../srv")
    assert path_completion.on_host(f"{root}/one/l") == (f"{root}/one/link/",)


def test_what_is_at_a_target(root: Path, engine: Engine) -> None:
    (root / "link").symlink_to("/srv/data")
    (root / "dangling").symlink_to("run/x")
    (root / "loop").symlink_to("loop")
    os.mkfifo(root / "fifo")
    for target, expected in {
        "/empty": "an empty directory",
        "/one": "a directory with 1 entry",
        "/srv": "a directory with 4 entries",
        "/srv/date": "a file of 812 bytes",
        "/new/deep": "does not exist, will be made",
        "/link": "a link to /srv/data: an empty directory",
        "/dangling": "a link to /run/x: does not exist, will be made",
        "/loop": "cannot be reached: Too many levels of symbolic links",
        "/srv/date/x": "cannot be reached: Not a directory",
        "/fifo": "neither a file nor a directory",
        "/srv//./date": "a file of 812 bytes",
    }.items():
        assert engine.binds(str(root)).what_is_at(target) == expected
    with pytest.raises(UsageError):
        engine.binds(str(root)).what_is_at("/x/..")


@pytest.mark.root
def test_what_is_mounted_at_a_target(cli: object, tiny_chroot: Path) -> None:
    engine = LocalEngine(str(tiny_chroot.parent))
    engine.on(str(tiny_chroot))
    try:
        binds = engine.binds(str(tiny_chroot))
        assert binds.what_is_at("/tmp").startswith("mounted: tmpfs none (rw")
        assert binds.what_is_at("/proc").startswith("mounted: proc")
    finally:
        engine.off(str(tiny_chroot), stop=False)


def test_what_can_not_be_looked_at_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the editor of binds nobody expects more than a word on it."""

    def refuse() -> bool:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(answering, "may_wait", refuse)
    assert path_completion.missing("/srv") == "cannot be looked at: Too many open files"
