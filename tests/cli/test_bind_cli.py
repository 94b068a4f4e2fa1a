"""`bind`: entries listed and edited through the command line, in both file forms, byte-exact."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from chroot_tool.core.config.schema_line import header
from support import Cli

CONF = b"""# our binds, \xff is no UTF-8\r
[bind]\r
   src:/home/me/data   tgt : /data\r
tgt:/a ; tgt:/b   opt:ro;tgt:/c\r
\r
[exclude]\r
var/cache/apt\r
"""
TOML = b"""# head
description = "x"    # why

[[bind]]  # first
source = "/home/me/src"   # mine
target   =   "/src"
options = [ "ro",   "nosuid" ]

# about the cache
[[bind]]
target = '/var/cache'
fs = "tmpfs"
options = ["size=64M"]

[run]
user = "app"
"""


@pytest.fixture
def deb(tmp_path: Path) -> Path:
    path = tmp_path / "deb"
    for name in ("chroot.d", "bin", "etc"):
        (path / name).mkdir(parents=True)
    (path / "bin/sh").touch()
    return path


def conf(deb: Path) -> Path:
    return deb / "chroot.d/tool.conf"


def toml(deb: Path) -> Path:
    return deb / "chroot.d/chroot.toml"


# -- list ---------------------------------------------------------------------------------------


def test_list_shows_what_will_be_mounted_parents_first(cli: Cli, deb: Path) -> None:
    conf(deb).write_bytes(b"[bind]\ntgt:/src/inner\ntgt:/sys ignore:yes\ntgt:/src src:/old\n")
    toml(deb).write_bytes(TOML)
    entries = cli.json("bind", "list", "-d", deb)
    assert {frozenset(entry) for entry in entries} == {
        frozenset(
            ("target", "source", "fs", "options", "origin", "line", "optional", "ignored")
        )
    }  # fmt: skip
    found = {entry["target"]: entry for entry in entries}
    assert found["/src"] == {
        "target": "/src", "source": "/home/me/src", "fs": "bind",
        "options": ["ro", "nosuid", "private"], "origin": "chroot.toml", "line": 4,
        "optional": False, "ignored": False,
    }  # fmt: skip
    assert found["/sys"]["ignored"]
    assert found["/proc"]["origin"] == "system"
    targets = list(found)
    assert targets.index("/src") < targets.index("/src/inner")
    assert targets.index("/dev") < targets.index("/dev/pts")
    shown = cli.ok("bind", "list", "-d", deb).splitlines()
    assert shown[0].split()[:3] == ["TARGET", "SOURCE", "TYPE"]
    assert any("/src " in line and "chroot.toml:4" in line for line in shown)
    assert any(line.startswith("/sys") and "ignored" in line for line in shown)


def test_list_of_odd_names_is_safe(cli: Cli, deb: Path) -> None:
    conf(deb).write_bytes(b'[bind]\nsrc:/a tgt:"/\x1b[31m\xff"\n')
    shown = cli.ok("bind", "list", "-d", deb)
    assert "\x1b" not in shown
    assert "\\e[31m\\xff" in shown
    assert [e for e in cli.json("bind", "list", "-d", deb) if e["target"] == "/\x1b[31m\udcff"]


# -- tool.conf ----------------------------------------------------------------------------------


def edited(cli: Cli, path: Path, *words: str | bytes | Path) -> bytes:
    done = cli("bind", *words, "-d", path.parent.parent)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[0] == f"{path}: saved"
    assert done.stdout == ""
    return path.read_bytes()


def test_add_to_tool_conf(cli: Cli, deb: Path) -> None:
    conf(deb).write_bytes(CONF)
    conf(deb).chmod(0o600)
    after = edited(
        cli, conf(deb), "add", "--source", "/with space", "--target", "/x", "--option", "ro"
    )
    line = b"tgt:/a ; tgt:/b   opt:ro;tgt:/c\r\n"
    assert after == CONF.replace(line, line + b'src:"/with space" tgt:/x opt:ro\r\n')
    assert conf(deb).stat().st_mode & 0o777 == 0o600
    assert not toml(deb).exists()


def test_a_source_that_is_not_there_is_told(cli: Cli, deb: Path, tmp_path: Path) -> None:
    words = ("bind", "add", "-d", deb, "--source", tmp_path / "none")
    done = cli(*words, "--target", "/x")
    assert done.returncode == 0
    assert "none does not exist" in done.stderr
    assert "--optional" in done.stderr
    assert "warning" not in cli(*words, "--target", "/y", "--optional").stderr


@pytest.mark.slow
@pytest.mark.root
def test_what_an_edit_means_for_what_is_mounted_is_told(
    cli: Cli, tiny_chroot: Path, tmp_path: Path
) -> None:
    def said(*words: str | Path) -> list[str]:
        done = cli("bind", *words, "-d", tiny_chroot)
        assert done.returncode == 0, done.stderr
        return done.stderr.splitlines()[1:]

    one = ("--target", "/up/x")  # mounted at /etc/x
    (tiny_chroot / "up").symlink_to("/etc")
    add = ("add", *one, "--source", tmp_path)
    assert said(*add) == []
    cli.ok("on", "-d", tiny_chroot)
    stays = f"stays mounted until: chroot-tool off -d {tiny_chroot}"
    assert said("ignore", "--target", "/sys/") == [f"/sys/ {stays}"]
    assert said("remove", *one, "--json") == []
    assert said(*add) == []  # which is how it is mounted
    assert said("remove", *one) == [f"/up/x {stays}"]
    new = f"chroot-tool on -d {tiny_chroot}"
    assert said(*add, "--option", "ro") == [f"/up/x is still mounted as it was: {new}"]
    assert said("add", "--target", "/new", "--fs", "tmpfs") == [f"/new is not mounted yet: {new}"]
    assert said("remove", "--target", "/new") == []
    (tiny_chroot / "loop").symlink_to("loop")
    assert said("add", "--target", "/loop", "--fs", "tmpfs") == []


@pytest.mark.root
def test_a_configuration_that_links_into_a_bind_is_not_written(
    cli: Cli, tiny_chroot: Path, tmp_path: Path
) -> None:
    host = tmp_path / "host"
    host.mkdir()
    configuration = tiny_chroot / "chroot.d/tool.conf"
    configuration.write_text(f"[bind]\ntgt:/mnt src:{host}\n")
    cli.ok("on", "-d", tiny_chroot)
    configuration.rename(host / "tool.conf")
    configuration.symlink_to("/mnt/tool.conf")
    before = (host / "tool.conf").read_bytes()
    done = cli("bind", "add", "-d", tiny_chroot, "--target", "/x", "--source", "/")
    assert done.returncode == 1
    assert "outside the chroot" in done.stderr
    assert (host / "tool.conf").read_bytes() == before


def test_remove_from_tool_conf(cli: Cli, deb: Path) -> None:
    conf(deb).write_bytes(CONF)
    after = edited(cli, conf(deb), "remove", "--target", "/b/")
    assert after == CONF.replace(b" ; tgt:/b   opt:ro", b"")
    after = edited(cli, conf(deb), "remove", "--target", "/data")
    assert b"/data" not in after
    assert after.startswith(b"# our binds, \xff is no UTF-8\r\n[bind]\r\ntgt:/a;tgt:/c\r\n")


def test_ignore_in_tool_conf(cli: Cli, deb: Path) -> None:
    conf(deb).write_bytes(CONF)
    after = edited(cli, conf(deb), "ignore", "--target", "/b")
    assert after == CONF.replace(b"opt:ro;", b"opt:ro ignore:yes;")
    again = cli("bind", "ignore", "--target", "/b", "-d", deb)
    assert (again.returncode, again.stderr) == (0, "nothing to change\n")
    after = edited(cli, conf(deb), "ignore", "--target", "/sys")
    assert b"\r\ntgt:/sys ignore:yes\r\n\r\n[exclude]" in after


# -- chroot.toml --------------------------------------------------------------------------------


def test_add_to_chroot_toml(cli: Cli, deb: Path) -> None:
    toml(deb).write_bytes(TOML)
    after = edited(
        cli, toml(deb), "add", "--source", "/media/usb", "--target", "/usb", "--optional",
        "--option", "ro,nosuid", "--option", "rbind",
    )  # fmt: skip
    assert after.startswith(TOML.partition(b"\n[run]")[0])
    assert after.endswith(b'[run]\nuser = "app"\n')
    (entry,) = [e for e in cli.json("bind", "list", "-d", deb) if e["target"] == "/usb"]
    assert entry["options"] == ["rbind", "ro", "nosuid", "private"]
    assert entry["optional"]
    removed = edited(cli, toml(deb), "remove", "--target", "/usb")
    assert removed == TOML


def test_a_first_entry_makes_chroot_toml(cli: Cli, deb: Path) -> None:
    after = edited(cli, toml(deb), "add", "--target", "/cache", "--fs", "tmpfs")
    assert after.removeprefix(header("chroot.toml")).lstrip() == (
        b'[[bind]]\ntarget = "/cache"\nfs = "tmpfs"\n'
    )
    after = edited(cli, toml(deb), "add", "--target", "/data")
    assert b'[[bind]]\ntarget = "/cache"\n' in after


def test_remove_from_chroot_toml(cli: Cli, deb: Path) -> None:
    toml(deb).write_bytes(TOML)
    after = edited(cli, toml(deb), "remove", "--target", "/src")
    assert b"/home/me/src" not in after
    assert after.startswith(b'# head\ndescription = "x"    # why\n')
    assert b"# about the cache\n[[bind]]\ntarget = '/var/cache'\n" in after


def test_ignore_in_chroot_toml(cli: Cli, deb: Path) -> None:
    toml(deb).write_bytes(TOML)
    after = edited(cli, toml(deb), "ignore", "--target", "/src")
    line = b'options = [ "ro",   "nosuid" ]\n'
    assert after == TOML.replace(line, line + b"ignore = true\n")


def test_both_files_are_known(cli: Cli, deb: Path) -> None:
    conf(deb).write_bytes(CONF)
    toml(deb).write_bytes(TOML)
    edited(cli, conf(deb), "remove", "--target", "/c")
    edited(cli, toml(deb), "remove", "--target", "/var/cache")
    done = cli("bind", "add", "--target", "/a", "-d", deb)
    assert done.returncode == 2
    assert "tool.conf:4" in done.stderr


def test_a_path_that_is_not_utf8_goes_to_tool_conf(cli: Cli, deb: Path) -> None:
    toml(deb).write_bytes(TOML)
    after = edited(cli, conf(deb), "add", "--source", b"/s/\xff", "--target", b"/t\xfe")
    assert b"/s/\xff" in after
    assert toml(deb).read_bytes() == TOML
    found = cli.json("bind", "list", "-d", deb)
    assert [e["source"] for e in found if e["target"] == "/t\udcfe"] == ["/s/\udcff"]


# -- errors -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "code", "expected"),
    [
        (["add", "--target", "rel"], 2, "absolute"),
        (["add", "--target", "/x/.."], 2, ".."),
        (["add", "--target", "/"], 2, "root itself"),
        (["add", "--target", "/x", "--source", "rel"], 2, "absolute"),
        (["add", "--target", "/x", "--option", "size=1"], 2, "size=1"),
        (["add", "--target", "/x", "--option", "ro,rw"], 2, "together"),
        (["add", "--target", "/x", "--fs", "ext4"], 2, "source"),
        (["add", "--target", "/x", "--fs", "b/d"], 2, "b/d"),
        (["add", "--target", "/data"], 2, "already"),
        (["add", "--source", "/x"], 2, "target"),
        (["remove", "--target", "/nope"], 2, "no entry"),
        (["remove", "--target", "/proc"], 2, "system point"),
        (["ignore", "--target", "/nope"], 2, "no entry"),
        (["ignore", "--target", "x"], 2, "absolute"),
    ],
)
def test_errors_change_nothing(
    cli: Cli, deb: Path, words: list[str], code: int, expected: str
) -> None:
    conf(deb).write_bytes(CONF)
    done = cli("bind", *words, "-d", deb)
    assert done.returncode == code, done.stderr
    assert expected in done.stderr
    assert len(done.stderr.splitlines()) <= 2
    assert conf(deb).read_bytes() == CONF
    assert [p.name for p in (deb / "chroot.d").iterdir()] == ["tool.conf"]


def test_the_name_of_a_near_target_is_offered(cli: Cli, deb: Path) -> None:
    conf(deb).write_bytes(CONF)
    assert "/data" in cli("bind", "remove", "--target", "/date", "-d", deb).stderr


def test_every_mistake_of_a_file_is_told(cli: Cli, deb: Path) -> None:
    conf(deb).write_bytes(b"[bind]\nbogus\ntgt:rel\n")
    before = conf(deb).read_bytes()
    for words in (["list"], ["add", "--target", "/x"], ["ignore", "--target", "/sys"]):
        done = cli("bind", *words, "-d", deb)
        assert done.returncode == 3
        assert "tool.conf:2" in done.stderr
        assert "tool.conf:3" in done.stderr
    assert conf(deb).read_bytes() == before


@pytest.mark.slow
def test_what_is_edited_is_what_on_does(cli: Cli, deb: Path) -> None:
    cli.ok("bind", "add", "--source", "/etc", "--target", "/host-etc", "--option", "ro", "-d", deb)
    cli.ok("bind", "ignore", "--target", "/sys", "-d", deb)
    said = cli.ok("on", "--dry-run", "-d", deb).splitlines()
    assert "bind /etc on /host-etc (ro,private)" in said
    assert not [line for line in said if "/sys" in line]


# -- the user's own editor ------------------------------------------------------------------------


def editor(folder: Path, script: str) -> dict[str, str]:
    """An editor that does *script* to the file "$1"."""
    program = folder / "editor"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return {"VISUAL": str(program), "TMPDIR": str(folder)}


def test_what_the_editor_wrote_is_saved_and_looked_at(cli: Cli, deb: Path, tmp_path: Path) -> None:
    toml(deb).write_bytes(TOML)
    env = editor(tmp_path, "echo '# more' >>\"$1\"")
    done = cli("bind", "edit", "-d", deb, env=env)
    assert (done.returncode, done.stdout) == (0, "")
    assert toml(deb).read_bytes() == TOML + b"# more\n"
    assert not list(tmp_path.glob("chroot-tool-*"))

    env = editor(tmp_path, "echo '[bind' >\"$1\"; exit 1")
    done = cli("bind", "edit", "tool.conf", "-d", deb, env=env)
    assert "tool.conf:1" in done.stderr
    assert conf(deb).read_bytes() == b"[bind\n"


def test_an_editor_that_changes_nothing_writes_nothing(cli: Cli, deb: Path, tmp_path: Path) -> None:
    done = cli("bind", "edit", "-d", deb, env=editor(tmp_path, "exit 7"))
    assert (done.returncode, done.stderr) == (7, "")
    assert not toml(deb).exists()


def test_no_editor_is_led_out_of_the_chroot(cli: Cli, deb: Path, tmp_path: Path) -> None:
    """Who is root inside can make a link of the file, or of its directory, to anywhere."""
    canary = tmp_path / "etc-of-the-host/chroot.toml"
    canary.parent.mkdir()
    canary.write_text("# of the host\n")
    env = editor(tmp_path, "echo '# more' >>\"$1\"")
    toml(deb).symlink_to(canary)
    cli("bind", "edit", "chroot.toml", "-d", deb, env=env)
    toml(deb).unlink()
    toml(deb).parent.rmdir()
    toml(deb).parent.symlink_to(canary.parent)
    cli("bind", "edit", "chroot.toml", "-d", deb, env=env)
    assert canary.read_text() == "# of the host\n"
    assert [one.name for one in canary.parent.iterdir()] == ["chroot.toml"]


def test_what_was_written_is_kept_where_it_cannot_be_saved(
    cli: Cli, deb: Path, tmp_path: Path
) -> None:
    toml(deb).write_bytes(TOML)
    env = editor(tmp_path, f"echo '# mine' >>\"$1\"; echo '# theirs' >>'{toml(deb)}'")
    done = cli("bind", "edit", "-d", deb, env=env)
    assert done.returncode == 1
    (copy,) = tmp_path.glob("chroot-tool-*/chroot.toml")
    assert f"what you wrote is kept in {copy}" in done.stderr
    assert copy.read_bytes() == TOML + b"# mine\n"
    assert toml(deb).read_bytes() == TOML + b"# theirs\n"


@pytest.mark.parametrize("blank", [" ", "''"])
def test_an_editor_that_is_blank_is_none(cli: Cli, deb: Path, tmp_path: Path, blank: str) -> None:
    conf(deb).write_text("#!/bin/sh\n: > executed\n")
    conf(deb).chmod(0o755)
    usual = tmp_path / "bin/sensible-editor"
    usual.parent.mkdir()
    usual.write_text(f"#!/bin/sh\n: >'{tmp_path}/opened'\n")
    usual.chmod(0o755)
    path = f"{usual.parent}:{os.environ['PATH']}"
    env = {"VISUAL": blank, "EDITOR": blank, "PATH": path}
    cli("bind", "edit", "tool.conf", "-d", deb, env=env, cwd=tmp_path)
    assert (tmp_path / "opened").exists()
    assert not (tmp_path / "executed").exists()


def test_an_editor_with_an_open_quote_is_said(cli: Cli, deb: Path) -> None:
    done = cli("bind", "edit", "-d", deb, env={"VISUAL": "", "EDITOR": "vi '-R"})
    assert done.returncode == 2
    assert done.stderr == (
        "chroot-tool: EDITOR can't be split into words: no closing quotation\n"
        "hint: close the quote\n"
    )


def test_an_editor_that_is_not_there_is_said(cli: Cli, deb: Path, tmp_path: Path) -> None:
    done = cli("bind", "edit", "-d", deb, env={"VISUAL": "/no/editor", "TMPDIR": str(tmp_path)})
    assert not list(tmp_path.glob("chroot-tool-*"))
    assert (done.returncode, done.stderr) == (
        1, "chroot-tool: /no/editor: No such file or directory\n"
    )  # fmt: skip
