"""What is enabled, on a Debian that systemd really boots, shuts down and boots again.

It has the Debian package. Each test boots it for itself, with chroots of its own.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from chroot_tool.core.host import boot
from support import wait_until
from support.booted import ENVIRONMENT, LONG, Booted, booted
from support.copies import copy, copy_debian
from support.machine import Machine
from support.tmux import Tmux

pytestmark = [
    pytest.mark.root,
    pytest.mark.network,
    pytest.mark.xdist_group("booted"),  # one worker installs systemd
]

UNITS = "/etc/systemd/system"
DROP_INS = f"{UNITS}/{boot.SERVICE}.d"
DAEMON = "start-stop-daemon --pidfile /run/daemon.pid --exec /bin/sleep"
BELOW = "/srv/[^ ]*/[^ ]*/"
"""Points below a chroot, as an expression for grep."""
WITNESS = f"""\
[Unit]
DefaultDependencies=no
Before={boot.TARGET} shutdown.target
Conflicts=shutdown.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/true
ExecStop=/bin/sh -c "grep ' {BELOW}' /proc/mounts >/shut.new; mv /shut.new /shut"
"""
"""A unit that is stopped when every chroot is: it writes what is still mounted then."""
SOONER = """\
#!/bin/sh
"$@" &
until grep hangs /srv/chroot/tiny/record; do sleep 0.1; done
kill $!
wait $!
"""
"""A program that has the time of timeout(1), whose words it is given, over when `stop` hangs."""
NETWORK = f"""\
[Unit]
DefaultDependencies=no
Before=network-online.target
[Service]
Type=oneshot
ExecStart=/bin/sh -c "sleep 1; grep -c ' {BELOW}' /proc/mounts >/online.new; mv /online.new /online"
"""
"""A network that is slow to come: it writes how much is mounted when it is there."""


@pytest.fixture(scope="module")
def debian(base_chroot: Path, package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Debian with systemd and the package, off."""
    root = tmp_path_factory.mktemp("booted") / "debian"
    copy_debian(base_chroot, root)
    shutil.copy(package, root)
    with Machine(root) as machine:
        machine.be_quick()
        machine.run("apt-get", "-q", "update")
        machine.run(
            "apt-get", "-qy", "--no-install-recommends", "install", "systemd-sysv",
            f"/{package.name}",
        )  # fmt: skip
    (root / UNITS[1:] / "console-getty.service").symlink_to("/dev/null")  # there is no console
    return root


@pytest.fixture
def host(debian: Path) -> Iterator[Path]:
    """The same, in which nothing is enabled; what a test adds to it goes away."""
    kept = debian / UNITS[1:]
    before = set(kept.rglob("*"))
    yield debian
    for path in sorted(set(kept.rglob("*")) - before, reverse=True):
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    shutil.rmtree(debian / "srv")
    (debian / "srv").mkdir()
    (debian / "etc/fstab").write_text("")


@pytest.fixture
def tiny(host: Path, tiny_template: Path) -> Path:
    """A chroot in there, as /srv/chroot/tiny."""
    root = host / "srv/chroot/tiny"
    root.parent.mkdir(exist_ok=True)
    copy(tiny_template, root)
    script(root, "start", "echo start >>/record")
    script(root, "stop", "echo stop >>/record")
    return root


def script(root: Path, name: str, text: str) -> None:
    """Give a chroot a script of `chroot.d`."""
    place = root / "chroot.d" / name
    place.write_text(f"#!/bin/sh\n{text}\n")
    place.chmod(0o755)


def record(root: Path) -> list[str]:
    """What its scripts have written."""
    return (root / "record").read_text().splitlines()


def mounted(system: Booted) -> set[str]:
    """The chroots in /srv in which something is mounted: where their /proc is, as a measure."""
    points = [line.split()[4] for line in system.says("cat", "/proc/self/mountinfo").splitlines()]
    names = {"/srv/chroot/deb", "/srv/chroot/tiny", "/srv/apart/tiny"}
    return {name for name in names if any(point.startswith(f"{name}/") for point in points)}


def of_the_host(system: Booted) -> set[str]:
    """All mounts that are no chroot's."""
    lines = system.says("findmnt", "--list", "--noheadings", "-o", "TARGET,OPTIONS").splitlines()
    return {line for line in lines if not line.startswith(("/srv/", "/run/credentials"))}


def status(system: Booted, path: str) -> tuple[str, bool]:
    told = json.loads(system.says("chroot-tool", "status", "-d", path, "--json"))
    return told["state"], told["enabled"]


def make_deb(base: Path, host: Path) -> Path:
    """A Debian as /srv/chroot/deb; its `start` has a daemon, as Debian starts one."""
    root = host / "srv/chroot/deb"
    root.parent.mkdir(exist_ok=True)
    copy_debian(base, root)
    there = '"$(ls -d /proc/self /dev/null /run/systemd/journal | wc -l)"'
    script(root, "start", f"{DAEMON} --start --background --make-pidfile -- 1000\n"
                          f"echo start {there} >>/record")  # fmt: skip
    # Slow enough for others to be quicker, and then everything is still there.
    script(root, "stop", f"sleep 1; {DAEMON} --stop --retry 30 >&2; echo stop $? {there} >>/record")
    return root


def make_apart(template: Path, host: Path) -> Path:
    """A chroot as /srv/apart/tiny, on a file system that nothing mounts but who wants it."""
    root = host / "srv/disk/tiny"
    root.parent.mkdir(exist_ok=True)
    copy(template, root)
    (host / "srv/apart").mkdir()
    (host / "etc/fstab").write_text("/srv/disk /srv/apart none bind,noauto 0 0\n")
    script(root, "start", "echo start >>/record")
    script(root, "stop", "echo stop >>/record")
    return root


def test_on_and_started_from_boot_to_shutdown(
    host: Path, base_chroot: Path, tiny_template: Path
) -> None:
    deb, apart = make_deb(base_chroot, host), make_apart(tiny_template, host)
    both = {"/srv/chroot/deb", "/srv/apart/tiny"}
    shut, online = host / "shut", host / "online"
    for name, text, wants in (
        ("witness", WITNESS, "sysinit.target"), ("slow-network", NETWORK, "network-online.target"),
    ):  # fmt: skip
        (host / UNITS[1:] / f"{name}.service").write_text(text)
        folder = host / UNITS[1:] / f"{wants}.wants"
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.service").symlink_to(f"{UNITS}/{name}.service")
    (host / DROP_INS[1:]).mkdir()
    (host / DROP_INS[1:] / "witness.conf").write_text("[Unit]\nAfter=witness.service\n")

    with booted(host) as system:
        system.run("mount", "/srv/apart")
        for path in both:
            done = system.run("chroot-tool", "enable", "-d", path)
            assert done.stderr == f"{path}: enabled\n"
            assert status(system, path) == ("off", True)
        assert system.end("reboot") == 1

    online.unlink(missing_ok=True)
    with booted(host) as system:
        assert mounted(system) == both
        assert record(deb) == ["start 3"]
        assert record(apart) == ["start"]
        assert online.read_text() == "0\n", "on before the network was"
        assert [status(system, path) for path in both] == [("on", True), ("on", True)]
        shown = system.says("systemctl", "status", boot.unit("/srv/chroot/deb"))
        assert "/bin/sleep 1000" in shown  # it is in its cgroup
        assert system.says("systemctl", "is-active", boot.TARGET) == "active\n"
        # Somebody else inside, whom no unit knows, is ended, too.
        inside = (
            "setsid chroot-tool run -d deb -- sh -c 'echo >/inside; sleep 1001' >/dev/null 2>&1 &"
        )
        system.run("sh", "-c", inside)
        wait_until((deb / "inside").exists, patience=LONG)
        shut.unlink(missing_ok=True)
        assert system.end("poweroff") == 2
    assert shut.read_text() == "", "still mounted when all chroots were stopped"
    assert record(deb) == ["start 3", "stop 0 3"]
    assert record(apart) == ["start", "stop"]

    with booted(host) as system:
        assert mounted(system) == both
        system.crash()
    with booted(host) as system:
        assert record(deb)[2:] == ["start 3", "start 3"]
        assert [status(system, path) for path in both] == [("on", True), ("on", True)]
        before = of_the_host(system)
        system.run("systemctl", "stop", boot.unit("/srv/chroot/deb"))
        assert mounted(system) == {"/srv/apart/tiny"}
        assert record(deb)[4:] == ["stop 0 3"]
        system.run("systemctl", "stop", "chroot-tool@*")
        assert mounted(system) == set()
        system.run("systemctl", "start", boot.TARGET)
        assert mounted(system) == both
        system.run("systemctl", "stop", boot.TARGET)
        wait_until(lambda: not mounted(system), patience=LONG)
        assert of_the_host(system) == before
        assert system.run("chroot-tool", "disable", "-d", "deb").stderr.endswith(": disabled\n")
        assert system.end("reboot") == 1
    with booted(host) as system:
        assert mounted(system) == {"/srv/apart/tiny"}
        assert status(system, "/srv/chroot/deb") == ("off", False)


def test_a_start_that_fails_is_told(host: Path, tiny: Path, tiny_template: Path) -> None:
    """At boot by the unit, by `--now` at once; it is off then, and the others are on."""
    other = tiny.with_name("deb")
    copy(tiny_template, other)
    script(tiny, "start", "echo this went wrong; exit 3")
    with booted(host) as system:
        for name in ("tiny", "deb"):
            system.run("chroot-tool", "enable", "-d", name)
        assert system.end("reboot") == 1
    with booted(host) as system:
        assert mounted(system) == {"/srv/chroot/deb"}
        shown = system.says("systemctl", "status", boot.unit("/srv/chroot/tiny"), code=3)
        assert re.search(r"Active: failed .*exit-code", shown)
        assert re.search(r"chroot-tool start -d /srv/chroot/tiny .*status=3", shown)
        assert "this went wrong" in shown
        assert record(tiny) == ["stop"]

        done = system.run("chroot-tool", "enable", "--now", "-d", "tiny", code=1)
        said, hint = done.stderr.splitlines()
        assert f"failed: Job for {boot.unit('/srv/chroot/tiny')} failed because" in said
        assert hint == f"hint: systemctl status {boot.unit('/srv/chroot/tiny')}"
        assert status(system, "tiny") == ("off", True)


def test_now(host: Path, tiny: Path) -> None:
    """Also where somebody has switched it on or off by hand, and the unit does not know."""
    with booted(host) as system:
        system.run("chroot-tool", "enable", "--now", "-d", "tiny")
        assert (status(system, "tiny"), record(tiny)) == (("on", True), ["start"])
        system.run("chroot-tool", "enable", "--now", "-d", "tiny")
        assert record(tiny) == ["start"], "started though it was on"
        system.run("chroot-tool", "off", "-d", "tiny")
        system.run("chroot-tool", "enable", "--now", "-d", "tiny")
        assert (status(system, "tiny"), record(tiny)[2:]) == (("on", True), ["start"])
        system.run("umount", "/srv/chroot/tiny/tmp")
        assert status(system, "tiny") == ("partial", True)
        system.run("chroot-tool", "enable", "--now", "-d", "tiny")
        assert (status(system, "tiny"), record(tiny)[3:]) == (("on", True), [])

        system.run("chroot-tool", "disable", "--now", "-d", "tiny")
        assert (status(system, "tiny"), record(tiny)[3:]) == (("off", False), ["stop"])
        system.run("chroot-tool", "on", "-d", "tiny")
        system.run("chroot-tool", "disable", "--now", "-d", "tiny")
        assert (status(system, "tiny"), record(tiny)[4:]) == (("off", False), ["stop"])


def test_by_the_ui(host: Path, tiny: Path) -> None:
    """*at boot* in the palette, both ways: the next boot does what the overview says."""
    shown = "at boot on, and started"
    with booted(host) as system:
        terminal = Tmux(system.argv("chroot-tool"), ENVIRONMENT, (120, 40))
        try:
            assert shown not in terminal.shows("○ off tiny", "quit")
            terminal.choose("at boot", "Switch on at boot")
            terminal.shows(shown)
        finally:
            terminal.close()
        assert system.end("reboot") == 1
    with booted(host) as system:
        assert (status(system, "tiny"), record(tiny)) == (("on", True), ["start"])
        terminal = Tmux(system.argv("chroot-tool"), ENVIRONMENT, (120, 40))
        try:
            terminal.shows("● on tiny", shown)
            terminal.choose("at boot", "Switch on at boot")
            terminal.until(lambda text: shown not in text)
            wait_until(lambda: status(system, "tiny") == ("on", False), patience=LONG)
        finally:
            terminal.close()
        assert system.end("reboot") == 1
    with booted(host) as system:
        assert mounted(system) == set()


def test_a_stop_that_hangs_keeps_nothing_on(host: Path, tiny: Path) -> None:
    shipped = (host / "usr/lib/systemd/system" / boot.SERVICE).read_text()
    stops = [line for line in shipped.splitlines() if line.startswith("ExecStop=")]
    sooner = "\n".join(stops).replace(":/usr/bin/timeout ", f":{DROP_INS}/sooner /usr/bin/timeout ")
    assert sooner != "\n".join(stops)
    drop_ins = host / DROP_INS[1:]
    drop_ins.mkdir()
    (drop_ins / "sooner").write_text(SOONER)
    (drop_ins / "sooner").chmod(0o755)
    (drop_ins / "sooner.conf").write_text(f"[Service]\nExecStop=\n{sooner}\n")
    script(tiny, "stop", "echo hangs >>/record; sleep 1000")
    with booted(host) as system:
        system.run("chroot-tool", "enable", "--now", "-d", "tiny")
        system.run("systemctl", "stop", boot.unit("/srv/chroot/tiny"))
        assert mounted(system) == set()
        assert record(tiny) == ["start", "hangs"]  # once


def test_units_of_its_own_where_no_package_brings_them(host: Path, tiny: Path) -> None:
    """They count at once; and a chroot that is not there any more fails no boot."""
    packaged = [host / "usr/lib/systemd/system" / name for name in (boot.SERVICE, boot.TARGET)]
    for path in packaged:
        path.rename(path.with_suffix(".aside"))
    try:
        with booted(host) as system:
            system.run("chroot-tool", "enable", "--now", "-d", "tiny")
            assert "chroot-tool enable" in (host / UNITS[1:] / boot.SERVICE).read_text()
            assert (status(system, "tiny"), record(tiny)) == (("on", True), ["start"])
            system.run("systemctl", "restart", boot.unit("/srv/chroot/tiny"))
            assert (status(system, "tiny"), record(tiny)[1:]) == (("on", True), ["stop", "start"])
            assert system.end("poweroff") == 2
        assert record(tiny)[3:] == ["stop"]
        tiny.rename(tiny.with_name("elsewhere"))
        with booted(host) as system:
            assert system.says("systemctl", "is-active", boot.TARGET) == "active\n"
            assert "chroot-tool" not in system.says("systemctl", "--failed", "--plain")
    finally:
        for path in packaged:
            path.with_suffix(".aside").rename(path)
