"""What the Debian package gives to who has installed it, tried in a `Machine` as they would.

Imported as `support.packaged`. There is a chroot `deb` in /srv/chroot, which is off.
"""

from __future__ import annotations

import re

from .machine import ENVIRONMENT, Machine
from .outer_terminal import Terminal

SHELLS = {
    "bash": ("bash-completion", ". /usr/share/bash-completion/bash_completion"),
    "zsh": ("zsh", "autoload -U compinit; compinit -u -D"),
}
"""By what each finds the completion of a package, as Debian's own start files have it."""
PACKAGES = ("man-db", "fish", *(package for package, _ in SHELLS.values()))
SHARE = "/usr/share/chroot-tool"


def try_everything(machine: Machine) -> None:
    """PACKAGES are installed there."""
    manual(machine)
    completion(machine)
    schemas(machine)
    other_tools(machine)
    without_systemd(machine)
    terminal_ui(machine)


def manual(machine: Machine) -> None:
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
    helped = machine.says("chroot-tool", "help", "create")
    assert "--suite" in helped
    assert "--suite" in machine.says("chroot-tool", "create", "--help")


def completion(machine: Machine) -> None:
    """Tab completes where nobody has set up anything for this program."""
    for shell, (_, setup) in SHELLS.items():
        machine.run("sh", "-c", f"echo '{setup}' >/root/.{shell}rc")
        own = ["--noprofile", "--rcfile", "/root/.bashrc"] if shell == "bash" else ["-d"]
        terminal = Terminal(machine.argv(shell, *own, "-i"), ENVIRONMENT)
        terminal.type("echo '<'ready'>'\n")
        terminal.wait_for("<ready>")
        terminal.type("chroot-tool stat\t -d de\t --json; echo '<'done'>'\n")
        terminal.wait_for(r'"path": "/srv/chroot/deb"')
        terminal.wait_for("<done>")
        terminal.close()
    offered = machine.says("fish", "-c", "complete -C 'chroot-tool status -d d'")
    assert offered.split()[0] == "deb"


def schemas(machine: Machine) -> None:
    """Those of the package are what the program says, and a file that is made leads to one."""
    for name in ("chroot.toml", "settings", "json"):
        said = machine.says("chroot-tool", "schema", name)
        assert said == machine.says("cat", f"{SHARE}/{name}.schema.json")
    machine.run("chroot-tool", "bind", "add", "-d", "deb", "--source", "/mnt", "--target", "/x")
    made = machine.says("cat", "/srv/chroot/deb/chroot.d/chroot.toml")
    assert made.startswith(f"#:schema file://{SHARE}/chroot.toml.schema.json\n")
    machine.run("chroot-tool", "bind", "remove", "-d", "deb", "--target", "/x")


def other_tools(machine: Machine) -> None:
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
    told = machine.says("chroot-tool", "report", "-d", "deb")
    assert re.search(r"\bchroot-tool\b.* \d+\.\d+\.\d+", told), told
    assert "/srv" not in told


def without_systemd(machine: Machine) -> None:
    """Nothing is enabled where systemd does not run, and that is said in a line."""
    for verb in ("enable", "disable"):
        done = machine.run("chroot-tool", verb, "-d", "deb", code=1)
        assert "there is no systemd here" in done.stderr, done.stderr
    assert machine.says("sh", "-c", "ls /etc/systemd/system/*chroot-tool* 2>/dev/null || :") == ""


def terminal_ui(machine: Machine) -> None:
    """The bare command, on a terminal: the chroots are there, and `q` leaves."""
    terminal = Terminal(machine.argv("chroot-tool"), ENVIRONMENT)
    terminal.wait_for("deb")
    terminal.type("q")
    said = terminal.rest()
    assert terminal.exit_code() == 0, said
