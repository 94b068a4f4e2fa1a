"""Tab in the real shells: what `chroot-tool completion SHELL` prints is loaded and asked."""

from __future__ import annotations

import pwd
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import Cli
from support.shells import Shell

pytestmark = pytest.mark.xdist_group("completion")  # one worker starts each shell once

SHELLS = ("bash", "zsh", "fish")
VERBS = {"create", "on", "off", "run", "shell", "bind", "snapshot", "completion"}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base with chroots, one of which has users, scripts and binds; one leaves a target out."""
    folder = tmp_path_factory.mktemp("completed") / "base"
    for name in ("deb12", "my deb", "left"):
        for below in ("chroot.d", "bin", "etc", "srv/inside"):
            (folder / name / below).mkdir(parents=True)
        (folder / name / "bin/sh").touch()
    deb = folder / "deb12"
    for script in ("build", "chroot-cmd"):
        (deb / "chroot.d" / script).touch(mode=0o755)
    (deb / "chroot.d/notes").touch(mode=0o644)
    (deb / "chroot.d/tool.conf").write_text("[bind]\nsrc:/srv tgt:/data\ntgt:/cache fs:tmpfs\n")
    (folder / "left/chroot.d/tool.conf").write_text("[bind]\ntgt:/lost fs:tmpfs ignore:yes\n")
    (folder / "left/chroot.d/chroot.toml").write_text('tags = ["web", "amd64"]\n')
    (deb / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\nalice:x:1000:1000::/:/bin/sh\n")
    return folder


@pytest.fixture(scope="module", params=SHELLS)
def shell(
    request: pytest.FixtureRequest, cli: Cli, base: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shell]:
    name: str = request.param
    folder = tmp_path_factory.mktemp(name)
    script = folder / f"completion.{name}"
    script.write_text(cli.ok("completion", name))
    program = folder / "bin/chroot-tool"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {shlex.join(map(str, cli.argv()))} "$@"\n')
    program.chmod(0o755)
    here = folder / "here"
    (here / "folder").mkdir(parents=True)
    (here / "file").touch()
    (folder / ".ssh").mkdir()
    (folder / ".ssh/config").write_text("Host build1 build2\nHost *.example\n")
    env = cli.environment({"CHROOT_TOOL_BASE": str(base), "LC_ALL": "C.UTF-8"})
    with Shell(name, script, env | {"PATH": f"{program.parent}:{env['PATH']}"}, folder) as one:
        yield one


@pytest.mark.slow
def test_commands_and_options(shell: Shell) -> None:
    assert shell.complete("chroot-tool ") >= VERBS
    assert "__complete" not in shell.complete("chroot-tool ")
    assert shell.complete("chroot-tool cre") == {"create"}
    assert {w.rstrip("=") for w in shell.complete("chroot-tool --")} >= {"--base", "--host"}
    assert {w.rstrip("=") for w in shell.complete("chroot-tool create --s")} == {"--suite"}
    assert {w.rstrip("=") for w in shell.complete("chroot-tool off -d deb12 --k")} == {"--kill"}


@pytest.mark.slow
def test_names_of_chroots(shell: Shell) -> None:
    assert shell.complete("chroot-tool on -d deb") == {"deb12"}
    assert shell.complete("chroot-tool run --dir=deb") <= {"deb12", "--dir=deb12"}
    assert shell.complete("chroot-tool --base /nowhere on -d deb") == set()
    assert shell.complete("chroot-tool on -d ") >= {"deb12", "my deb"}
    assert {"folder"} == last_parts(shell.complete("chroot-tool on -d here/"))


@pytest.mark.slow
def test_words_of_commands(shell: Shell) -> None:
    assert shell.complete("chroot-tool bind re") == {"remove", "restore"}
    assert shell.complete("chroot-tool run -d deb12 bu") == {"build"}
    assert {"start", "build"} <= shell.complete("chroot-tool run -d deb12 ")
    assert not {"chroot-cmd", "notes"} & shell.complete("chroot-tool run -d deb12 ")
    assert shell.complete("chroot-tool snapshot re") == {"restore", "remove"}
    assert shell.complete("chroot-tool completion f") == {"fish"}


def test_targets_of_binds(shell: Shell) -> None:
    assert shell.complete("chroot-tool bind remove -d deb12 --target /d") == {"/data"}
    assert {"/proc", "/dev"} <= shell.complete("chroot-tool bind ignore -d deb12 --target /")
    assert shell.complete("chroot-tool bind add -d deb12 --target /srv/i") == {"/srv/inside/"}


@pytest.mark.slow
def test_what_only_one_action_takes_is_offered_for_no_other(shell: Shell) -> None:
    assert shell.complete("chroot-tool bind edit -d deb12 ") == {"tool.conf", "chroot.toml"}
    assert not {"tool.conf", "chroot.toml"} & shell.complete("chroot-tool bind remove -d deb12 ")
    assert shell.complete("chroot-tool bind restore -d left --target /") == {"/lost"}
    assert "/lost" not in shell.complete("chroot-tool bind ignore -d left --target /")


def test_one_mount_of_those_that_are_wanted(shell: Shell) -> None:
    for verb in ("on", "off"):
        assert shell.complete(f"chroot-tool {verb} -d deb12 --only /da") == {"/data"}
        assert {"/data", "/cache", "/proc"} <= shell.complete(
            f"chroot-tool {verb} -d deb12 --only /"
        )


def test_tags_of_the_chroots(shell: Shell) -> None:
    assert shell.complete("chroot-tool list --tag ") == {"web", "amd64"}
    assert shell.complete("chroot-tool list --tag w") == {"web"}


def test_commands_and_pages_of_the_help(shell: Shell) -> None:
    assert shell.complete("chroot-tool help ") >= {*VERBS, "tool.conf", "policy"}
    assert shell.complete("chroot-tool help chroot.") == {"chroot.toml"}


@pytest.mark.slow
def test_who_a_rule_can_be_for(shell: Shell) -> None:
    people = {one.pw_name for one in pwd.getpwall() if 1000 <= one.pw_uid < 65534}
    found = shell.complete("chroot-tool sudoers ")
    assert people <= found
    assert not {"root", "daemon", "nobody"} & found
    assert shell.complete("chroot-tool sudoers %daem") == {"%daemon"}
    assert shell.complete("chroot-tool sudoers --group daem") == {"daemon"}
    assert shell.complete("chroot-tool sudoers --user ") == people


@pytest.mark.slow
def test_users_suites_and_hosts(shell: Shell) -> None:
    assert shell.complete("chroot-tool run -d deb12 -u ") == {"root", "alice"}
    assert shell.complete("chroot-tool create --suite bookw") == {"bookworm"}
    assert shell.complete("chroot-tool create --suite=bookw") <= {"bookworm", "--suite=bookworm"}
    assert shell.complete("chroot-tool create --backend mm") == {"mmdebstrap"}
    assert shell.complete("chroot-tool list -H b") == {"build1", "build2"}
    # Another machine is not asked behind the user's back.
    assert shell.complete("chroot-tool run -H build1 -d deb12 -u ") == set()


def test_files(shell: Shell) -> None:
    assert last_parts(shell.complete("chroot-tool unpack -f here/fi")) == {"file"}
    assert last_parts(shell.complete("chroot-tool list --inventory here/fi")) == {"file"}


def last_parts(words: set[str]) -> set[str]:
    """Of paths: zsh offers each part of one alone."""
    return {word.rstrip("/").rpartition("/")[2] for word in words} - {"here"}


@pytest.mark.parametrize("words", [(), ("chroot",), ("nothing", ""), ("user", "", "-d", "/none")])
def test_who_asks_for_no_names_gets_none(cli: Cli, words: tuple[str, ...], base: Path) -> None:
    done = cli("__complete", *words, env={"CHROOT_TOOL_BASE": str(base)})
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout in ("", "deb12\nleft\nmy deb\n")


def test_a_name_that_a_shell_could_not_show_is_not_offered(cli: Cli, tmp_path: Path) -> None:
    for name in ("good", "two\nlines", "\x1b[31mred"):
        (tmp_path / name / "chroot.d").mkdir(parents=True)
    assert cli.ok("__complete", "chroot", "", "--base", tmp_path) == "good\n"


@pytest.mark.slow
@pytest.mark.parametrize("name", SHELLS)
def test_the_scripts_are_sound(cli: Cli, name: str, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text(cli.ok("completion", name))
    subprocess.run([name, "-n", script], check=True)
    assert not re.search(r"@[A-Z]+@", script.read_text())
