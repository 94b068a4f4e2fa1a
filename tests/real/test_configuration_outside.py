"""A chroot whose configuration stands with the administrator: that alone counts, and is edited."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from chroot_tool.core import chroot
from chroot_tool.core.config.bind import make
from chroot_tool.core.config.edits import Added, Ignored
from chroot_tool.core.errors import ChangedError
from chroot_tool.core.local_engine import LocalEngine
from support import Cli, mounts_below

pytestmark = pytest.mark.root


@pytest.fixture
def chroots(tmp_path: Path) -> Path:
    folder = tmp_path / "etc/chroots.d"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def admin(cli: Cli, chroots: Path) -> Cli:
    return cli.administered(chroots.parent)


@pytest.fixture
def inside(tiny_chroot: Path) -> Path:
    """What the chroot says of itself, and shall not count."""
    file = tiny_chroot / "chroot.d/tool.conf"
    file.write_text("[bind]\ntgt:/inside fs:tmpfs\n")
    return file


TOML = '[[bind]]\ntarget = "/outside"\nfs = "tmpfs"\n'


def targets(admin: Cli, root: Path) -> set[str]:
    one = admin.json("status", "-d", root)
    return {m["target"] for m in one["mounts"] if m["origin"] != "system"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "text", "origin"),
    [
        ("tiny.toml", TOML, "chroot.toml"),
        ("tiny.conf", "[bind]\ntgt:/outside fs:tmpfs\n", "tool.conf"),
        ("else.toml", 'path = "{root}"\n' + TOML, "chroot.toml"),
        ("else.conf", "[path]\n{root}\n[bind]\ntgt:/outside fs:tmpfs\n", "tool.conf"),
        ("tiny.toml", 'path = "{link}"\n' + TOML, "chroot.toml"),
    ],
)
def test_it_counts_alone(
    admin: Cli, tiny_chroot: Path, chroots: Path, inside: Path, file: str, text: str, origin: str
) -> None:
    link = chroots.parent / "link"
    link.symlink_to(tiny_chroot)
    (chroots / file).write_text(text.format(root=tiny_chroot, link=link))
    admin.ok("on", "-d", tiny_chroot)
    assert str(tiny_chroot / "outside") in mounts_below(tiny_chroot)
    assert str(tiny_chroot / "inside") not in mounts_below(tiny_chroot)
    one = admin.json("status", "-d", tiny_chroot)
    assert one["configuration"] == str(chroots / file)
    assert {m["origin"] for m in one["mounts"] if m["target"] == "/outside"} == {origin}
    assert admin.json("list", "--base", tiny_chroot.parent)[0]["mounts"] == one["mounts"]
    assert str(chroots / file) in admin.ok("status", "-d", tiny_chroot)
    listed = {entry["target"] for entry in admin.json("bind", "list", "-d", tiny_chroot)}
    assert "/outside" in listed
    assert "/inside" not in listed


def test_another_directory_with_c_is_what_it_was(
    admin: Cli, tiny_chroot: Path, chroots: Path, inside: Path
) -> None:
    (chroots / "tiny.toml").write_text(TOML)
    admin.ok("on", "-c", inside.parent, "-d", tiny_chroot)
    assert str(tiny_chroot / "inside") in mounts_below(tiny_chroot)


@pytest.mark.slow
def test_two_of_one_name_are_told_apart_by_their_path(
    admin: Cli, tiny_chroot: Path, chroots: Path, inside: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other/tiny"
    shutil.copytree(tiny_chroot, other, symlinks=True)
    (chroots / "tiny.toml").write_text(f'path = "{tiny_chroot}"\n{TOML}')
    assert targets(admin, tiny_chroot) == {"/outside"}
    assert targets(admin, other) == {"/inside"}
    (chroots / "second.toml").write_text(f'path = "{other}"\n{TOML.replace("outside", "second")}')
    assert targets(admin, tiny_chroot) == {"/outside"}
    assert targets(admin, other) == {"/second"}
    (chroots / "third.conf").write_text(f"[path]\n{other}\n")
    done = admin("on", "-d", other)
    assert done.returncode == 3
    assert "second and third" in done.stderr


@pytest.mark.slow
def test_a_name_alone_does_not_count_where_others_could_take_it(
    admin: Cli, tiny_chroot: Path, chroots: Path, tmp_path: Path
) -> None:
    """Else whoever makes a chroot of that name is given what was meant for another."""
    (chroots / "tiny.toml").write_text(TOML)
    theirs = tmp_path / "theirs/tiny"
    shutil.copytree(tiny_chroot, theirs, symlinks=True)
    theirs.parent.chmod(0o777)
    done = admin("on", "-d", theirs)
    assert done.returncode == 3
    assert "tiny has no path" in done.stderr
    assert f'add path = "{theirs}"' in done.stderr
    admin.ok("on", "-d", tiny_chroot)


@pytest.mark.parametrize("how", ["another's", "directory", "mistake", "two paths"])
def test_what_cannot_be_relied_on_refuses(
    admin: Cli, tiny_chroot: Path, chroots: Path, inside: Path, how: str
) -> None:
    file = chroots / "tiny.toml"
    file.write_text(TOML)
    if how == "another's":
        os.chown(file, 1000, 0)
    elif how == "directory":
        chroots.chmod(0o1777)
    elif how == "mistake":
        file.write_text("bogus = 1\n")
    else:
        file.write_text(f'path = "/a"\n{TOML}')
        (chroots / "tiny.conf").write_text("[path]\n/b\n")
    done = admin("on", "-d", tiny_chroot)
    assert done.returncode == 3, done
    assert mounts_below(tiny_chroot) == []
    assert admin.json("status", "-d", tiny_chroot)["state"] == "broken"
    admin.ok("off", "-d", tiny_chroot)


def test_path_inside_a_chroot_is_a_mistake(cli: Cli, tiny_chroot: Path) -> None:
    (tiny_chroot / "chroot.d/chroot.toml").write_text('\npath = "/"\n')
    done = cli("on", "-d", tiny_chroot)
    assert done.returncode == 3
    assert "chroot.toml:2: path stands in a chroot itself" in done.stderr


@pytest.mark.slow
def test_edits_go_there_without_loss(
    admin: Cli, tiny_chroot: Path, chroots: Path, inside: Path
) -> None:
    before = inside.read_bytes()
    file = chroots / "tiny.toml"
    file.write_text(f'# mine\npath = "{tiny_chroot}" # here\n\n{TOML}')
    file.chmod(0o600)
    said = admin("bind", "add", "--target", "/new", "--fs", "tmpfs", "-d", tiny_chroot)
    assert said.stderr.splitlines()[0] == f"{file}: saved"
    text = file.read_text()
    assert text.startswith(f'# mine\npath = "{tiny_chroot}" # here\n\n{TOML}')
    assert 'target = "/new"' in text
    assert file.stat().st_mode & 0o777 == 0o600
    done = admin("bind", "add", "--target", "/new", "-d", tiny_chroot)
    assert f"{file}:" in done.stderr
    admin.ok("bind", "remove", "--target", "/new", "-d", tiny_chroot)
    assert file.read_text() == f'# mine\npath = "{tiny_chroot}" # here\n\n{TOML}'
    assert inside.read_bytes() == before
    assert sorted(os.listdir(chroots)) == ["tiny.toml"]


def test_a_save_is_undone_there_and_sees_what_others_did(
    tiny_chroot: Path, chroots: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(chroot, "ADMINISTRATOR", str(chroots.parent))
    (chroots / "tiny.conf").write_text("# mine\n[bind]\ntgt:/a fs:tmpfs\n")
    binds = LocalEngine(str(tmp_path)).binds(str(tiny_chroot))
    changes = (Added(make("/b", fs="tmpfs", optional=True)), Ignored("/a"))
    seen = binds.files()
    lines = binds.difference(changes)
    assert f"+++ {chroots}/tiny.conf".replace("+++ /", "+++ ") in lines
    saved = binds.save(changes, seen)
    assert saved.names == (f"{chroots}/tiny.conf", f"{chroots}/tiny.toml")
    with pytest.raises(ChangedError):
        binds.save((Ignored("/a", False),), seen)
    binds.undo(saved)
    assert (chroots / "tiny.conf").read_text() == "# mine\n[bind]\ntgt:/a fs:tmpfs\n"
    assert os.listdir(chroots) == ["tiny.conf"]
