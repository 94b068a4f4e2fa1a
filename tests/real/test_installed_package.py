"""The Debian package, installed by apt on a bare Debian (a `Machine`), and lived with there.

Each Debian is made once, with the package and a chroot `deb`, which every test leaves off.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest

from support import CHECKOUT, Cli
from support.copies import copy_debian
from support.machine import ENVIRONMENT, Machine
from support.outer_terminal import Terminal
from support.tmux import Tmux

BOOKWORM = pytest.param("bookworm", marks=pytest.mark.xdist_group("installed on bookworm"))
TRIXIE = pytest.param("trixie", marks=pytest.mark.xdist_group("installed on trixie"))
on_both = pytest.mark.parametrize("suite", [BOOKWORM, TRIXIE])
"""With another Python and psutil."""
on_bookworm = pytest.mark.parametrize("suite", [BOOKWORM])

pytestmark = [pytest.mark.network, pytest.mark.root]

LIB = "/usr/lib/chroot-tool"
SHARE = "/usr/share/chroot-tool"
SHELLS = {
    "bash": ". /usr/share/bash-completion/bash_completion",
    "zsh": "autoload -U compinit; compinit -u -D",
}
"""By what each finds the completion of a package, as Debian's own start files have it."""
BESIDE = {"bookworm": ("man-db", "bash-completion", "zsh", "fish")}
"""What a Debian gets beside the package, for who looks at it."""


@pytest.fixture(scope="module")
def debians(
    cli: Cli, base_chroot: Path, package: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Machine]]:
    """Gives the Debian of a suite. What it bootstraps is kept where all others keep it, too."""
    with ExitStack() as stack:

        def made(suite: str) -> Machine:
            root = tmp_path_factory.mktemp("installed") / suite
            if f"VERSION_CODENAME={suite}\n" in (base_chroot / "etc/os-release").read_text():
                copy_debian(base_chroot, root)
            else:
                cli.ok("create", "-d", root, "--suite", suite, timeout=1800)
            (root / package.name).write_bytes(package.read_bytes())
            machine = stack.enter_context(Machine(root, {"/var/cache/chroot-tool": cli.bases}))
            # Nobody minds this disk. zstd is recommended: a base is packed with it.
            machine.run("sh", "-c", "echo force-unsafe-io >/etc/dpkg/dpkg.cfg.d/quick")
            machine.run("apt-get", "-q", "update")
            wanted = f"/{package.name}", "zstd", *BESIDE.get(suite, ())
            machine.run("apt-get", "-qy", "--no-install-recommends", "install", *wanted)
            machine.run("mkdir", "-p", "/home/me/src", "/srv/chroot", "/var/lib/machines")
            machine.run("chroot-tool", "create", "-d", "deb")
            return machine

        yield cache(made)


@pytest.fixture
def machine(debians: Callable[[str], Machine], suite: str) -> Machine:
    return debians(suite)


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
    """The bare command, in tmux: the chroots are there, `o` switches, and `q` leaves."""
    terminal = Tmux(machine.argv("chroot-tool"), ENVIRONMENT)
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
        machine.run("chroot-tool", "off", "-d", "deb")


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
    assert " /srv/chroot/deb/proc " in before[0]

    machine.run("apt-get", "-qy", "install", "/newer.deb")
    assert machine.says("dpkg-query", "--show", "chroot-tool").split()[1] == "999"
    assert is_compiled(machine)
    assert state(machine) == before
    assert '"state": "on"' in machine.says("chroot-tool", "status", "-d", "deb", "--json")

    for way in ("remove", "purge"):
        machine.run("apt-get", "-qy", way, "chroot-tool")
        assert state(machine) == before
        left = f"ls -d {LIB} {SHARE} /usr/bin/chroot-tool {wants} 2>/dev/null || :"
        assert machine.says("sh", "-c", left) == {"remove": f"{wants}\n", "purge": ""}[way]

    # For the other tests; to compile it again would take longer than they do.
    machine.run("sh", "-ec", "mkdir /idle; ln -s /bin/true /idle/py3compile")
    path = f"/idle:{ENVIRONMENT['PATH']}"
    machine.run("dpkg", "--install", f"/{package.name}", PATH=path)
    machine.run("chroot-tool", "off", "-d", "deb")


@on_bookworm
def test_the_manual(machine: Machine) -> None:
    """Each page is found by its name, and rendered without a fault of its source."""
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


@on_bookworm
@pytest.mark.parametrize("shell", SHELLS)
def test_tab_completes_where_nobody_has_set_up_anything(machine: Machine, shell: str) -> None:
    machine.run("sh", "-c", f"echo '{SHELLS[shell]}' >/root/.{shell}rc")
    own = ["--noprofile", "--rcfile", "/root/.bashrc"] if shell == "bash" else ["-d"]
    terminal = Terminal(machine.argv(shell, *own, "-i"), ENVIRONMENT)
    try:
        # In / `de` would be /dev, too.
        terminal.type("cd /root; echo '<'ready'>'\n")
        terminal.wait_for("<ready>")
        terminal.type("chroot-tool stat\t -d de\t --json; echo '<'done'>'\n")
        terminal.wait_for(r'"path": "/srv/chroot/deb"')
        terminal.wait_for("<done>")
    finally:
        terminal.close()


@on_bookworm
def test_fish_completes_too(machine: Machine) -> None:
    offered = machine.says("fish", "-c", "cd /root; complete -C 'chroot-tool status -d d'")
    assert offered.split()[0] == "deb"


@on_bookworm
def test_schemas_are_where_files_that_are_made_say(machine: Machine) -> None:
    for name in ("chroot.toml", "settings", "json"):
        said = machine.says("chroot-tool", "schema", name)
        assert said == machine.says("cat", f"{SHARE}/{name}.schema.json")
    machine.run("chroot-tool", "bind", "add", "-d", "deb", "--source", "/mnt", "--target", "/x")
    made = machine.says("cat", "/srv/chroot/deb/chroot.d/chroot.toml")
    assert made.startswith(f"#:schema file://{SHARE}/chroot.toml.schema.json\n")
    machine.run("chroot-tool", "bind", "remove", "-d", "deb", "--target", "/x")


@on_bookworm
def test_other_tools(machine: Machine) -> None:
    """What is printed for each of them, and taken over from schroot, which is not installed."""
    for tool, word in {
        "schroot": "directory=/srv/chroot/deb", "sbuild": "profile=sbuild",
        "nspawn": "[Network]", "ansible": "ansible_chroot_path",
    }.items():  # fmt: skip
        assert word in machine.says("chroot-tool", "export", tool, "-d", "deb")
    assert "/dev/pts" in machine.says("chroot-tool", "export", "schroot", "--fstab", "-d", "deb")
    conf = "/etc/schroot/chroot.d"
    machine.run("sh", "-ec", f"mkdir -p {conf}; chroot-tool export schroot -d deb >{conf}/deb.conf")
    assert "usable as it is" in machine.says("chroot-tool", "import", "schroot")


@on_bookworm
def test_a_report_names_no_path(machine: Machine) -> None:
    told = machine.says("chroot-tool", "report", "-d", "deb")
    assert re.search(r"\bchroot-tool\b.* \d+\.\d+\.\d+", told), told
    assert "/srv" not in told


@on_bookworm
@pytest.mark.parametrize("verb", ["enable", "disable"])
def test_nothing_is_enabled_where_systemd_does_not_run(machine: Machine, verb: str) -> None:
    done = machine.run("chroot-tool", verb, "-d", "deb", code=1)
    assert "there is no systemd here" in done.stderr, done.stderr
    links = "ls /etc/systemd/system/*chroot-tool* 2>/dev/null || :"
    assert machine.says("sh", "-c", links) == ""
