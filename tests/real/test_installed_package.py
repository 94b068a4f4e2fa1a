"""The Debian package, installed by apt on a bare Debian, and lived with there; the wheel by pipx.

test_installed_among_others.py has shells, other tools and what else is around it.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from chroot_tool.app.cli.arguments import verbs_of
from chroot_tool.app.cli.parser import whole
from chroot_tool.app.json_schema import schema
from support import CHECKOUT
from support.bare_debian import LIB, SHARE, first_lines, on_bookworm, on_both
from support.imports import SLOW, imported
from support.json_schema import check
from support.machine import ENVIRONMENT, IDLE, Machine
from support.tmux import Tmux

CACHE = "/var/cache/chroot-tool"
POSTRM = "/var/lib/dpkg/info/chroot-tool.postrm"

pytestmark = [pytest.mark.network, pytest.mark.root]


def daily(name: str) -> list[list[str]]:
    """The commands of the README's table of what is done every day, with a chroot *name*."""
    readme = (CHECKOUT / "README.md").read_text()
    table = readme.partition("\n## Every day\n")[2].partition("\n#")[0]
    rows = re.findall(r"^\|[^|]*\| `chroot-tool ([^`]*)`", table, re.MULTILINE)
    return [shlex.split(row.replace("NAME", name)) for row in rows]


@on_both
def test_what_is_done_every_day(machine: Machine) -> None:
    for words in daily("day"):
        if words[0] == "run":  # what is to be made there, and with what
            machine.run("mkdir", "/srv/chroot/day/src")
            machine.run("ln", "-s", "/bin/true", "/srv/chroot/day/usr/local/bin/make")
        words += ["--yes"] if words[0] == "delete" else []  # else a terminal has its name typed
        # Without systemd nothing can be enabled; what the doctor finds is this machine's affair.
        code = {"enable": 1, "doctor": None}.get(words[0], 0)
        assert machine.run("chroot-tool", *words, given="exit\n", code=code).returncode in (0, 1)
    assert machine.says("ls", "/srv/chroot") == "deb\n"


@on_both
def test_the_terminal_ui(machine: Machine) -> None:
    """README's second command, in tmux: the chroots are there, `o` switches, and `q` leaves."""
    terminal = Tmux(machine.argv(first_lines()[1]), ENVIRONMENT)
    try:
        terminal.shows("○ off deb", "quit")
        terminal.press("o")
        terminal.shows("● on deb")
        assert " /srv/chroot/deb/proc " in machine.says("cat", "/proc/self/mountinfo")
        terminal.press("o")
        terminal.shows("○ off deb")
        terminal.press("q")
        terminal.shows("left with 0")
    finally:
        terminal.close()


def state(machine: Machine) -> tuple[str, str]:
    """What is mounted, and the files of the chroots."""
    files = "find /srv/chroot -xdev -printf '%p %i %m %T@\\n' | sort"
    return machine.says("cat", "/proc/self/mountinfo"), machine.says("sh", "-c", files)


def is_compiled(machine: Machine) -> bool:
    """Whether what a start imports was compiled when it was installed: a start adds nothing."""
    find = ("find", LIB, "-name", "*.pyc", "-path", "*chroot_tool*")
    there = machine.says(*find)
    machine.run("chroot-tool", "list")
    return "/app/__pycache__/main." in there and machine.says(*find) == there


@on_both
def test_upgraded_removed_and_purged_it_leaves_chroots_and_mounts_alone(
    machine: Machine, package: Path
) -> None:
    """That one is enabled is configuration: it goes by the purge alone."""
    wants = "/etc/systemd/system/chroot-tool.target.wants"
    enabled = f"{wants}/chroot-tool@srv-chroot-deb.service"
    newer = f"""
        dpkg-deb -R /{package.name} /newer
        sed -i 's/^Version: .*/Version: 999/' /newer/DEBIAN/control
        dpkg-deb -Znone -b /newer /newer.deb
        rm -r /newer
        mkdir -p {wants}
        ln -s /usr/lib/systemd/system/chroot-tool@.service {enabled}
    """
    machine.run("sh", "-euc", newer)
    machine.run("chroot-tool", "on", "-d", "deb")
    before = state(machine)
    kept = f"{CACHE}/.kept-{time.time_ns()}"  # others put bases there meanwhile
    machine.run("touch", kept)
    assert " /srv/chroot/deb/proc " in before[0]

    path = ENVIRONMENT["PATH"]  # what compiles is not idle now
    machine.run("apt-get", "-qy", "-o", f"DPkg::Path={path}", "install", "/newer.deb")
    assert machine.says("dpkg-query", "--show", "chroot-tool").split()[1] == "999"
    assert is_compiled(machine)
    assert state(machine) == before
    assert '"state": "on"' in machine.says("chroot-tool", "status", "-d", "deb", "--json")

    # The cache of this machine is mounted there, and stays; this is another, which goes.
    own = f"umount {CACHE} && mount -t tmpfs none /var/cache && mkdir -p {CACHE}/base"
    apart = ("unshare", "--mount", "sh", "-euc", f"{own} && {POSTRM} purge && test ! -e {CACHE}")
    for way in ("remove", "purge"):
        if way == "purge":
            machine.run(*apart)
        machine.run("apt-get", "-qy", way, "chroot-tool")
        assert state(machine) == before
        left = f"ls -d {LIB} {SHARE} /usr/bin/chroot-tool {wants} 2>/dev/null || :"
        assert machine.says("sh", "-c", left) == {"remove": f"{wants}\n", "purge": ""}[way]
        machine.run("test", "-e", kept)

    machine.run("rm", kept)

    # For the other tests; to compile it again would take longer than they do.
    machine.run("dpkg", "--install", f"/{package.name}", PATH=f"{IDLE}:{path}")


@on_both
def test_the_manual(machine: Machine) -> None:
    """There is one for each verb; each is found by its name, and rendered without a fault."""
    listed = machine.says("sh", "-c", "cd /usr/share/man/man1 && ls chroot-tool*").split()
    verbs = verbs_of(whole())
    assert set(listed) == {"chroot-tool.1.gz", *(f"chroot-tool-{one}.1.gz" for one in verbs)}
    pages = {
        ("1", "chroot-tool"): "the terminal UI", ("1", "chroot-tool-create"): "--suite",
        ("5", "tool.conf"): "[bind]", ("5", "chroot.toml"): "[[bind]]",
        ("5", "chroot-tool-settings"): "theme",
    }  # fmt: skip
    for (section, name), word in pages.items():
        done = machine.run("man", "--warnings", section, name, MANPAGER="cat", MANWIDTH="80")
        assert done.stdout.startswith(f"{name.upper()}({section})"), done.stdout[:200]
        assert word in done.stdout, f"{name}: {done.stdout}"
        assert not done.stderr, f"{name}: {done.stderr}"
    assert "chroot-tool-create (1)" in machine.says("man", "-f", "chroot-tool-create")
    assert "--suite" in machine.says("chroot-tool", "help", "create")
    assert "--suite" in machine.says("chroot-tool", "create", "--help")


@on_both
def test_schemas_are_where_files_that_are_made_say(machine: Machine) -> None:
    for name in ("chroot.toml", "settings", "json"):
        said = machine.says("chroot-tool", "schema", name)
        assert said == machine.says("cat", f"{SHARE}/{name}.schema.json")
    machine.run("chroot-tool", "bind", "add", "-d", "deb", "--source", "/mnt", "--target", "/x")
    made = machine.says("cat", "/srv/chroot/deb/chroot.d/chroot.toml")
    assert made.startswith(f"#:schema file://{SHARE}/chroot.toml.schema.json\n")
    machine.run("chroot-tool", "bind", "remove", "-d", "deb", "--target", "/x")


@on_bookworm
def test_an_editor_knows_by_that_line_what_may_stand_there(machine: Machine) -> None:
    """taplo, which editors ask, by its own check."""
    wheels, program = machine.root / "taplo", "/taplo/taplo"
    fetch = [sys.executable, "-m", "pip", "-qq", "download", "--no-deps", "--dest", str(wheels)]
    subprocess.run([*fetch, "taplo"], check=True)
    [packed] = wheels.glob("*.whl")
    with zipfile.ZipFile(packed) as archive:
        [inside] = [name for name in archive.namelist() if name.endswith("/scripts/taplo")]
        (wheels / "taplo").write_bytes(archive.read(inside))
    (wheels / "taplo").chmod(0o755)
    machine.run("chroot-tool", "bind", "add", "-d", "deb", "--source", "/mnt", "--target", "/x")
    toml = machine.root / "srv/chroot/deb/chroot.d/chroot.toml"
    machine.run(program, "lint", "/srv/chroot/deb/chroot.d/chroot.toml")
    toml.write_text(f'{toml.read_text()}targe = "/y"\n')
    done = machine.run(program, "lint", "/srv/chroot/deb/chroot.d/chroot.toml", code=1)
    assert "'targe' was unexpected" in done.stderr
    shutil.rmtree(wheels)


@on_both
def test_what_it_says_in_json_is_what_its_schema_says(machine: Machine) -> None:
    """The schema is this checkout's, by which `check` judges every line."""
    assert json.loads(machine.says("chroot-tool", "schema", "json")) == json.loads(
        json.dumps(schema())
    )
    for line in ("on", "list", "status", "bind list", "off", "doctor", "trash list"):
        words = line.split()
        words += [] if words[0] in ("list", "doctor", "trash") else ["-d", "deb"]
        said = machine.run("chroot-tool", *words, "--json", code=None)
        assert said.stdout, said.stderr
        check(words, said.stdout.encode())


@on_both
def test_documents(machine: Machine) -> None:
    """What a release will say of itself is among them."""
    for name in ("README.md", "CHANGELOG.md", "SECURITY.md", "support.md", "api.md"):
        packed = f"zcat -f $(find /usr/share/doc/chroot-tool -name '{name}*')"
        found = machine.says("sh", "-c", packed)
        [path] = [one for one in (CHECKOUT / name, CHECKOUT / "docs" / name) if one.exists()]
        assert found == path.read_text()


@on_both
def test_a_report_names_no_path(machine: Machine) -> None:
    told = machine.says("chroot-tool", "report", "-d", "deb")
    assert re.search(r"\bchroot-tool\b.* \d+\.\d+\.\d+", told), told
    assert "/srv" not in told


@on_both
@pytest.mark.parametrize("verb", ["enable", "disable"])
def test_nothing_is_enabled_where_systemd_does_not_run(machine: Machine, verb: str) -> None:
    done = machine.run("chroot-tool", verb, "-d", "deb", code=1)
    assert "there is no systemd here" in done.stderr, done.stderr
    links = "ls /etc/systemd/system/*chroot-tool* 2>/dev/null || :"
    assert machine.says("sh", "-c", links) == ""


PIPX = (
    "PIPX_HOME=/pipx", "PIPX_BIN_DIR=/pipx/bin", "PIPX_MAN_DIR=/pipx/man", "PIP_NO_COMPILE=1",
)  # fmt: skip


RUN = ("run", "-d", "deb", "/bin/true")


def imported_by(machine: Machine, *words: str) -> set[str]:
    """The modules that Python imports there for a command."""
    python, *rest = words
    return imported(machine.run(python, "-X", "importtime", *rest).stderr)


@on_both
def test_run_is_as_light_as_the_checkout_s(machine: Machine) -> None:
    """By the Python of the Debian; test_hygiene.py has the same of the checkout."""
    light = imported_by(machine, "/usr/bin/python3", "-IS", "/usr/bin/chroot-tool", *RUN)
    assert "chroot_tool.core.entering.words_to_program" in light
    assert not SLOW & light


@on_bookworm
def test_the_wheel_by_pipx(machine: Machine, wheel: Path) -> None:
    """Its command does what the package's does, and is as light: it imports nothing more.

    What it depends on is fetched out here, where an index can be asked.
    """
    machine.run("apt-get", "-qy", "--no-install-recommends", "install", "pipx")
    version = machine.says("python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])")
    fetch = [sys.executable, "-m", "pip", "-qq", "download", "--dest", f"{machine.root}/wheels"]
    fetch += ["--only-binary", ":all:", "--python-version", version.strip()]
    # What pipx has for itself, too.
    subprocess.run([*fetch, str(wheel), "pip", "setuptools", "wheel"], check=True)
    pipx = ("env", *PIPX, "PIP_NO_INDEX=1", "PIP_FIND_LINKS=/wheels", "pipx")
    machine.run(*pipx, "install", f"/wheels/{wheel.name}")
    command, packaged = "/pipx/bin/chroot-tool", "/usr/bin/chroot-tool"

    for words in (["--version"], ["list", "--json"], ["create", "--help"], ["schema", "json"]):
        assert machine.says(command, *words) == machine.says(packaged, *words)
    light = imported_by(machine, "/usr/bin/python3", "-IS", packaged, *RUN)
    python = machine.says("head", "-n1", command).strip().removeprefix("#!")
    own = imported_by(machine, python, command, *RUN) - imported_by(machine, python, "-c", "")
    assert own <= light

    machine.run(command, "on", "-d", "deb")
    before = state(machine)
    machine.run(*pipx, "uninstall", "chroot-tool")
    assert machine.says("ls", "/pipx/bin") == ""
    assert state(machine) == before
