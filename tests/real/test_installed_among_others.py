"""The installed package among what is on a bare Debian: shells, terminals, other tools."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

import pytest

from support import examples
from support.bare_debian import LIB, on_both
from support.machine import ENVIRONMENT, Machine
from support.outer_terminal import Terminal, colours
from support.tmux import Tmux

pytestmark = [pytest.mark.network, pytest.mark.root]

SHELLS = {
    "bash": ". /usr/share/bash-completion/bash_completion",
    "zsh": "autoload -U compinit; compinit -u -D",
}
"""By what each finds the completion of a package, as Debian's own start files have it."""
OFFERED = {
    "chroot-tool stat": "status", "chroot-tool status -d d": "deb",
    "chroot-tool create --s": "--suite", "chroot-tool create --suite bookw": "bookworm",
    "chroot-tool run -d deb bu": "build", "chroot-tool run -d deb -u dae": "daemon",
    "chroot-tool bind remove -d deb --target /x": "/xyz",
}  # fmt: skip
"""To what a line is completed."""


# -- Tab ------------------------------------------------------------------------------------------


@pytest.fixture
def machine(machine: Machine, suite: str) -> Machine:
    """The same, in whose `deb` there is something of each kind that Tab offers.

    Its *suite* has to be named here, too, for pytest to take it as a parameter.
    """
    script = machine.root / "srv/chroot/deb/chroot.d/build"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    toml = script.with_name("chroot.toml")
    toml.write_text('[[bind]]\nsource = "/mnt"\ntarget = "/xyz"\n')
    return machine


@on_both
@pytest.mark.parametrize("shell", SHELLS)
def test_tab_completes_where_nobody_has_set_up_anything(machine: Machine, shell: str) -> None:
    machine.run("sh", "-c", f"echo '{SHELLS[shell]}' >/root/.{shell}rc")
    own = ["--noprofile", "--rcfile", "/root/.bashrc"] if shell == "bash" else ["-d"]
    terminal = Terminal(machine.argv(shell, *own, "-i"), ENVIRONMENT)
    try:
        # In / `de` would be /dev, too.
        terminal.type("cd /root; echo '<'ready'>'\n")
        terminal.wait_for("<ready>")
        for line, word in OFFERED.items():
            # What the line has become is said by echo, a word a line.
            terminal.type(f"{line}\t\x01printf '<%s>\\n' \n")
            terminal.wait_for(f"<{word}>")
    finally:
        terminal.close()


@on_both
def test_fish_completes_too(machine: Machine) -> None:
    asked = "; ".join(f"complete -C {shlex.quote(line)}" for line in OFFERED)
    offered = machine.says("fish", "-c", f"cd /root; {asked}").splitlines()
    assert set(OFFERED.values()) <= {line.partition("\t")[0].rstrip("=") for line in offered}


# -- terminals, locales, pipes, paths -------------------------------------------------------------


@on_both
def test_who_wants_no_colours_gets_none(machine: Machine) -> None:
    found = {}
    for no_color in ("1", ""):
        env = ENVIRONMENT | {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
        terminal = Terminal(machine.argv("chroot-tool"), env | {"NO_COLOR": no_color})
        try:
            terminal.resize(30, 100)
            shown = terminal.read_to(b"quit").decode(errors="replace")
        finally:
            terminal.close()
        found[no_color] = [one for one in colours(shown) if len(set(one)) > 1 or len(one) == 1]
    assert found["1"] == []
    assert found[""]


@on_both
def test_settings_are_where_xdg_says(machine: Machine) -> None:
    settings = machine.root / "xdg/chroot-tool/settings.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text('signs = "ascii"\n')
    terminal = Tmux(machine.argv("env", "XDG_CONFIG_HOME=/xdg", "chroot-tool"), ENVIRONMENT)
    try:
        assert "○" not in terminal.shows("off deb", "quit")
        terminal.press("q")
        terminal.shows("left with 0")
    finally:
        terminal.close()


@on_both
def test_terminals_that_can_nothing_locales_and_pipes(machine: Machine) -> None:
    terminal = Terminal(machine.argv("chroot-tool"), ENVIRONMENT | {"TERM": "dumb"})
    try:
        shown = terminal.rest()
    finally:
        terminal.close()
    assert "deb" in shown
    assert "chroot-tool: TERM is dumb: " in shown
    assert "\x1b" not in shown
    for words in (["list"], ["status", "-d", "deb"], ["report"], ["help", "create"]):
        done = machine.run("chroot-tool", *words, LC_ALL="C", LANG="")
        assert "Traceback" not in done.stderr
    for words in (["schema", "json"], ["--help"], ["list", "--json"]):
        line = f"chroot-tool {shlex.join(words)} | true"
        assert machine.run("bash", "-o", "pipefail", "-c", line).stderr == ""


# -- other tools ----------------------------------------------------------------------------------


@on_both
def test_schroot_uses_it(machine: Machine) -> None:
    """By what is printed for it, and for sbuild; what it has is taken over."""
    conf = "/etc/schroot"
    printed = f"""
        mkdir -p {conf}/chroot-tool /mnt/sub
        mkdir -p /run/lock /var/lib/sbuild/build  # systemd's and sbuild's, which are not here
        chroot-tool export schroot -d deb >{conf}/chroot.d/deb.conf
        chroot-tool export schroot --fstab -d deb >{conf}/chroot-tool/deb.fstab
        chroot-tool export sbuild -d deb --name deb-sbuild >{conf}/chroot.d/deb-sbuild.conf
    """
    machine.run("sh", "-euc", printed)
    inside = ("-d", "/", "--", "sh", "-c", "ls -d /xyz/sub /proc/self/status")
    said = machine.says("schroot", "-c", "deb", *inside)
    assert said.split() == ["/proc/self/status", "/xyz/sub"]
    build = ("-d", "/", "--", "sh", "-c", "touch /new; ls -d /new")
    assert machine.says("schroot", "-c", "deb-sbuild", *build) == "/new\n"
    assert not (machine.root / "srv/chroot/deb/new").exists()
    assert "usable as it is" in machine.says("chroot-tool", "import", "schroot")
    machine.run("sh", "-c", f"rm -r {conf}/chroot.d/* {conf}/chroot-tool /mnt/sub")


SOURCE = {
    "debian/source/format": "3.0 (native)\n",
    "debian/changelog": "tiny (1.0) unstable; urgency=low\n\n  * All of it.\n\n"
    " -- Somebody <somebody@host.example>  Sat, 01 Jan 2022 00:00:00 +0000\n",
    "debian/control": "Source: tiny\nMaintainer: Somebody <somebody@host.example>\n"
    "Rules-Requires-Root: no\n\nPackage: tiny\nArchitecture: all\nDescription: made inside\n",
    "debian/rules": "#!/usr/bin/make -f\nclean build build-arch build-indep binary-arch:\n"
    "binary-indep binary:\n\tmkdir -p debian/tmp/DEBIAN\n\tcp /etc/debian_chroot debian/tmp/where\n"
    "\tdpkg-gencontrol\n\tdpkg-deb --root-owner-group --build debian/tmp ..\n",
}
"""A package that says where it was built."""
SBUILD = """
$core_depends = ["dpkg-dev"];
$dpkg_buildpackage_user_options = ["-d"];
$apt_distupgrade = 0;
$run_lintian = 0;
1;
"""
"""The package needs no compiler: the rest of build-essential is a quarter of it, and -d has nobody
mind."""


@on_both
def test_sbuild_builds_a_package_in_it(machine: Machine) -> None:
    """By the command that is printed along, and the chroot stays as it is: an overlay."""
    prepare = """
        apt-get -qy --no-install-recommends install sbuild dpkg-dev
        mkdir -p /run/lock /var/lib/sbuild/build  # systemd's and sbuild's, which are not here
        chroot-tool bind remove -d deb --target /xyz  # sbuild's profile is without it
        chroot-tool export sbuild -d deb >/etc/schroot/chroot.d/deb.conf
        mkdir -p /build
        cd /build
        dpkg-source -b tiny-1.0
    """
    for name, content in SOURCE.items():
        file = machine.root / "build/tiny-1.0" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    file.chmod(0o755)  # debian/rules
    (machine.root / "build/sbuildrc").write_text(SBUILD)
    machine.run("sh", "-euc", prepare)
    text = machine.says("cat", "/etc/schroot/chroot.d/deb.conf")
    [command] = [line.strip("# ") for line in text.splitlines() if "PACKAGE.dsc" in line]
    build = f"cd /build && {command.replace('PACKAGE.dsc', 'tiny_1.0.dsc')} --arch-all"
    done = machine.run("sh", "-c", build, code=None, SBUILD_CONFIG="/build/sbuildrc")
    logs = [log.read_text() for log in (machine.root / "build").glob("*.build")]
    assert done.returncode == 0, "\n".join((done.stderr, *logs))
    where = "dpkg-deb --fsys-tarfile /build/tiny_1.0_all.deb | tar -xO ./where"
    assert machine.says("sh", "-c", where).strip() in text
    assert not (machine.root / "srv/chroot/deb/usr/bin/dpkg-source").exists()
    machine.run("rm", "-r", "/build", "/etc/schroot/chroot.d/deb.conf")


ODD = """\
[run]
env = { ODD = '''say "hi", it's 100% \\n''' }
[[bind]]
source = '/mnt/a: "100%" \\b'
target = '/odd: place'
options = ["ro"]
[[bind]]
fs = "tmpfs"
target = '/odd: tmpfs'
options = ["mode=0700"]
"""


@on_both
def test_nspawn_uses_it(machine: Machine) -> None:
    """By the command that is printed along, here where no systemd runs that would know of it."""
    machine.run("apt-get", "-qy", "--no-install-recommends", "install", "systemd-container")
    toml = machine.root / "srv/chroot/deb/chroot.d/chroot.toml"
    toml.write_text(ODD)
    odd = machine.root / 'mnt/a: "100%" \\b'
    odd.mkdir()
    (odd / "file").write_text("there\n")
    settings = machine.root / "etc/systemd/nspawn/deb.nspawn"
    settings.parent.mkdir(exist_ok=True)
    settings.write_text(text := machine.says("chroot-tool", "export", "nspawn", "-d", "deb"))
    [command] = [line.strip("# ") for line in text.splitlines() if line.startswith("#   ")]
    seen = "cat '/odd: place/file'; stat -c %a '/odd: tmpfs'; touch '/odd: place/new' || env"
    here = f"{command} --register=no --keep-unit --pipe sh -c {shlex.quote(seen)}"
    said = machine.says("sh", "-c", here).splitlines()
    assert said[:2] == ["there", "700"]
    assert """ODD=say "hi", it's 100% \\n""" in said
    toml.unlink()
    settings.unlink()
    shutil.rmtree(odd)
    # To other tests this is a machine without systemd.
    machine.run("apt-get", "-qy", "purge", "--autoremove", "systemd-container", "systemd")
    assert machine.run("which", "systemctl", code=None).stdout == ""


@on_both
def test_what_nspawn_has_and_what_ansible_gets(machine: Machine, tiny_template: Path) -> None:
    assert "ansible_chroot_path" in machine.says("chroot-tool", "export", "ansible", "-d", "deb")
    theirs = machine.root / "var/lib/machines/theirs"
    shutil.copytree(tiny_template, theirs, symlinks=True)
    shutil.rmtree(theirs / "chroot.d")  # nobody has made it for us
    assert "theirs" in machine.says("chroot-tool", "list", "--base", "/var/lib/machines")
    shutil.rmtree(theirs)


@on_both
def test_the_engine_as_a_library(machine: Machine, tiny_template: Path) -> None:
    """The examples of docs/api.md, by the Python of the Debian."""
    shutil.copytree(tiny_template, machine.root / "api/deb", symlinks=True)
    (machine.root / "api/deb/etc/resolv.conf").touch()
    done = machine.run("python3", "-c", examples.program("/api"), PYTHONPATH=LIB, code=None)
    machine.run("chroot-tool", "off", "-S", "--kill", "-d", "/api/deb")
    assert done.returncode == 0, done.stderr
    examples.check(done.stdout)
    shutil.rmtree(machine.root / "api")
