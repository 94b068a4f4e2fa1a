"""The whole UI of an ordinary user, with real sudo: by a rule, by a password, by neither."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import psutil
import pytest

from support import Program, mounts_below, processes_below, wait_until
from support.at_both_sizes import over
from support.create_form import create_from
from support.ordinary import PASSWORD, PATH, Ordinary, ordinary, own_etc
from support.own_units import own_units
from support.ssh_hosts import SshHosts
from support.tmux import DEADLINE, Tmux

pytestmark = [pytest.mark.root, pytest.mark.slow]


@pytest.fixture
def ann(tmp_path: Path, tiny_template: Path) -> Iterator[Ordinary]:
    with ordinary(tmp_path, ui=True) as one:
        subprocess.run(["cp", "-a", tiny_template, one.base / "deb"], check=True)
        yield one
        subprocess.run(
            [one.program, "off", "-S", "--kill", "-d", one.base / "deb"],
            check=False, capture_output=True,
        )  # fmt: skip


@pytest.fixture
def terminal(ann: Ordinary) -> Iterator[list[Tmux]]:
    """Where the test puts the terminal that is to be closed."""
    made: list[Tmux] = []
    yield made
    for one in made:
        one.close()


def start(ann: Ordinary, terminal: list[Tmux]) -> Tmux:
    terminal.append(Tmux(ann.argv(), ann.environment(), size=(140, 30)))
    terminal[0].shows("○ off deb", "q quit")
    return terminal[0]


def _becomes_root(text: str) -> bool:
    """Tell whether it is said that a chroot does not know ann, however a long path breaks that."""
    return "knowsnoann" in "".join(text.split())


def test_with_the_rule_every_day_works_by_keys(ann: Ordinary, terminal: list[Tmux]) -> None:
    ann.allow()
    t = start(ann, terminal)
    t.shows("ann, as root")
    t.press("o")
    t.shows("● on deb")
    assert mounts_below(ann.base / "deb")

    t.choose("adopt", "Make you a user inside")
    passwd = ann.base / "deb/etc/passwd"
    wait_until(lambda: f"ann:*:{ann.uid}" in passwd.read_text(), patience=DEADLINE)
    t.press("r")
    t.shows("run in deb")
    t.write("/bin/id -u")
    t.press("Enter")
    t.shows(f"{ann.uid}", "exit 0")  # the number alone, a toast says, too
    t.press("C-]")
    t.press("S")
    t.until(lambda text: "Chroots" not in text and "$" in text)
    t.write("echo $((40+2))-$(id -u)")
    t.press("Enter")
    t.shows(f"42-{ann.uid}")
    t.press("C-d")
    t.shows("● on deb", "q quit")

    t.press("o")
    t.shows("○ off deb")
    assert not mounts_below(ann.base / "deb")

    t.press("D")
    t.shows("doctor: deb and this host", "✓ ok")
    text = t.until(lambda text: "looking" not in text)
    assert "not root" not in text  # a problem, and those stand first
    t.press("Escape")
    t.until(lambda text: "doctor: deb" not in text)
    t.press("d")
    t.shows("delete deb")
    t.write("deb")
    t.press("Enter", "Enter")
    wait_until(lambda: not (ann.base / "deb").exists(), patience=DEADLINE)
    t.leave()


def test_doas_serves_as_well(ann: Ordinary, terminal: list[Tmux], tmp_path: Path) -> None:
    """By the setting: sudo, which is there, too, has no rule and is not asked."""
    with own_etc(tmp_path / "whole-etc"):
        ann.allow_by_doas()
        ann.settings('privilege = "doas"\n')
        t = start(ann, terminal)
        t.shows("ann, as root")
        t.press("o")
        t.shows("● on deb")
        assert mounts_below(ann.base / "deb")
        t.press("s")
        t.until(_becomes_root)  # in a panel
        t.write("echo $((40+2))-$(id -u)")
        t.press("Enter")
        t.shows("42-0", "deb: shell")
        t.press("C-d")
        t.shows("exit 0")
        t.press("C-]")
        t.press("o")
        t.shows("○ off deb")
        assert not mounts_below(ann.base / "deb")
        t.leave()


@pytest.mark.parametrize("kept", [" persist", ""])
def test_doas_that_wants_a_password_has_to_keep_it(
    ann: Ordinary, terminal: list[Tmux], tmp_path: Path, kept: str
) -> None:
    with own_etc(tmp_path / "whole-etc"):
        ann.allow_by_doas()
        conf = Path("/etc/doas.conf")
        conf.write_text(conf.read_text().replace(" nopass", kept))
        ann.settings('privilege = "doas"\n')
        t = start(ann, terminal)
        t.shows("ann: looking only")
        t.press("o")
        t.shows("doas (ann@", "password:")
        t.write(PASSWORD)
        t.press("Enter")
        if kept:
            t.shows("● on deb", "ann, as root")
            t.press("o")
            t.shows("○ off deb")
        else:
            t.shows("✗ failed on deb", "ann: looking only", "sudoers ann --for doas")
            t.shows("persist in doas.conf")
        assert not mounts_below(ann.base / "deb")
        t.leave()


def test_pkexec_is_not_asked_for_who_only_looks(
    ann: Ordinary, terminal: list[Tmux], tmp_path: Path
) -> None:
    """Its agent on a desktop opens a window for each time it is."""
    calls, program = tmp_path / "calls", tmp_path / "bin/pkexec"
    calls.touch()
    calls.chmod(0o666)
    program.parent.mkdir()
    said = 'case "$*" in *" serve "*) echo serve;; *) echo other;; esac'
    program.write_text(f"#!/bin/sh\n{said} >>{calls}\nexit 127\n")
    program.chmod(0o755)
    env = {"CHROOT_TOOL_PRIVILEGE": "pkexec", "PATH": f"{program.parent}:{PATH}"}
    terminal.append(Tmux(ann.argv(), ann.environment(env), size=(140, 30)))
    t = terminal[0]
    t.shows("○ off deb", "q quit", "ann: looking only")
    t.press("o")
    t.shows("✗ failed on deb", "--for pkexec")
    assert calls.read_text().split() == ["serve", "other", "serve"]
    t.leave()


def test_a_password_is_asked_for_once_and_what_was_wanted_is_done(
    ann: Ordinary, terminal: list[Tmux]
) -> None:
    password = ann.allow_by_password()
    subprocess.run(["cp", "-a", ann.base / "deb", ann.base / "other"], check=True)
    t = start(ann, terminal)
    t.shows("ann: looking only", "○ off other")
    t.press("Space", "j", "Space")  # both are marked
    t.press("o")
    t.shows("password for ann:")
    t.write(password)
    t.press("Enter")
    t.shows("● on deb", "● on other", "ann, as root")
    t.press("r")  # sudo remembers by the terminal, which a job of theirs has for that
    t.shows("run in 2 chroots")
    t.write("/bin/id -u")
    t.press("Enter")
    t.says("run: 2 done")
    t.press("o")
    t.shows("○ off deb", "○ off other")
    t.leave()


def test_what_goes_to_another_machine_has_the_password_asked_for(
    ann: Ordinary, terminal: list[Tmux], hosts: SshHosts
) -> None:
    """Its end here has pipes and asks nobody; that is done before it, on the whole terminal."""
    (one,) = hosts.add("one")
    subprocess.run(["cp", "-a", ann.base / "deb", one.base / "zoo"], check=True)
    env = ann.reaches(hosts)
    password = ann.allow_by_password()
    ann.settings('hosts = ["one"]\n')
    t = Tmux(ann.argv(), ann.environment(env), size=(140, 30))
    terminal.append(t)
    t.shows("○ off deb", "○ off zoo one", "ann: looking only", "q quit")

    def clone(name: str, prompts: int) -> None:
        t.press("g")
        t.shows("name deb")
        t.press("c")
        t.shows("clone deb", "New name")
        t.write(name)
        t.press("Tab")
        t.shows("⏎ choose")
        t.press("Enter")
        t.shows("this machine")
        t.press("Down", "Enter")
        t.shows("On one")
        t.press("BTab")
        t.shows("⏎ clone")
        t.press("Enter")
        t.until(lambda text: text.count("password for ann:") == prompts)
        t.write(password)
        t.press("Enter")
        t.shows(f"○ off {name} one", f"name {name}", "q quit", "ann, as root")  # the cursor, too
        assert (one.base / name / "bin").is_dir()

    clone("other", 1)
    ann.forget_password()  # as it is after a while
    clone("third", 2)
    t.leave()


def test_who_may_not_is_told_and_sees_what_can_be_seen(ann: Ordinary, terminal: list[Tmux]) -> None:
    ann.allow_by_password()
    t = start(ann, terminal)
    t.press("o")
    t.shows("password for ann:")
    t.write("wrong")
    t.press("Enter")
    t.shows("✗ failed on deb", "ann: looking only", "chroot-tool sudoers ann")
    assert not mounts_below(ann.base / "deb")
    t.press("q")
    t.shows("left with 0")


def has_in_memory(process: psutil.Process, text: str) -> bool:
    """Tell whether a text is anywhere in what a process can write: proc_pid_mem(5)."""
    with open(f"/proc/{process.pid}/mem", "rb", buffering=0) as memory:
        for line in Path(f"/proc/{process.pid}/maps").read_text().splitlines():
            where, modes, *_ = line.split()
            place, end = (int(number, 16) for number in where.split("-"))
            while modes.startswith("rw") and place < end:
                try:
                    memory.seek(place)
                    found = memory.read(end - place)
                except OSError:
                    break  # of a device
                if text.encode() in found:
                    return True
                place += len(found) or end
    return False


def open_in(process: psutil.Process) -> list[str]:
    """What a process has open, whose threads open and close files meanwhile."""
    found = []
    for one in Path(f"/proc/{process.pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            found.append(str(one.readlink()))
    return found


def answer(t: Tmux, password: str, *, prompts: int) -> None:
    """Give the password at the prompt of that number, where nobody but sudo reads."""
    t.until(lambda text: text.count("password for ann:") == prompts)
    assert "no panel" in t.text
    ui = t.ui
    those = []
    for one in ui.children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # some are asked but for a moment
            those += [one] if one.name() == "sudo" else []
    sudo = max(those, key=lambda one: one.create_time())  # the one before is that of the UI
    assert sudo.terminal() == ui.terminal()
    assert not [opened for opened in open_in(ui) if opened.endswith("ptmx")]
    t.write(password)
    t.press("Enter")


def test_no_password_comes_by_us(ann: Ordinary, terminal: list[Tmux]) -> None:
    """A panel is no place for one: what is typed there is carried by the UI."""
    password = ann.allow_by_password()
    t = start(ann, terminal)
    t.shows("ann: looking only")
    t.press("s")
    answer(t, password, prompts=1)
    t.until(lambda text: text.count("\n#") == 1)
    t.write("echo $((40+2))-here; exit")
    t.press("Enter")
    # As root from now on, since sudo was told who it is.
    t.shows("● on deb", "q quit", "ann, as root")

    # Each new terminal is one where nothing was said yet; on this one sudo remembers.
    t.press("r")
    t.shows("run in deb")
    t.write("sh -c 'echo canary$((40+2))'")
    t.press("Enter")
    t.shows("42-here", "canary42", "exit code 0, Enter goes back")
    t.write("o")  # no key
    t.press("Enter")
    t.shows("● on deb", "q quit")
    ann.forget_password()
    t.press("x")
    answer(t, password, prompts=2)
    t.until(lambda text: text.count("\n#") == 2)
    t.press("C-d")
    t.shows("● on deb", "q quit")
    assert has_in_memory(t.ui, "canary$((40+2))")  # that was typed here
    assert not has_in_memory(t.ui, password)
    t.press("o")
    t.shows("○ off deb")
    t.leave()


def test_a_panel_asks_for_no_password_when_the_rule_has_changed(
    ann: Ordinary, terminal: list[Tmux]
) -> None:
    ann.allow()
    t = start(ann, terminal)
    t.shows("ann, as root")
    t.press("r")
    t.shows("run in deb")
    t.write("/bin/id -u")
    t.press("Enter")
    t.shows("deb: /bin/id", "exit 0")
    ann.allow_by_password()
    t.press("C-]")
    t.shows("a again")
    t.press("a")
    t.shows("run needs root, and sudo does not make ann root here", "exit 125", "a again")
    assert "password for" not in t.text  # it does not ask, it refuses
    t.press("Escape")
    t.until(lambda text: "a again" not in text)  # else it is Alt with the next
    t.shows("● on deb")  # else `o` switches it on
    t.press("o")
    t.shows("○ off deb")
    t.leave()


@pytest.fixture
def units(tmp_path: Path) -> Iterator[Path]:
    with own_units(tmp_path / "units") as folder:
        yield folder


def test_what_is_not_done_every_hour(
    ann: Ordinary, terminal: list[Tmux], units: Path, tmp_path: Path
) -> None:
    """Making one, its binds, its start, what is done at boot: root's work, by ann's keys."""
    archive = tmp_path / "tiny.tar"
    subprocess.run(["tar", "cf", archive, "-C", ann.base / "deb", "."], check=True)
    ann.allow()
    t = start(ann, terminal)
    t.shows("ann, as root")
    t.press("n")
    t.shows("new chroot", "Made of Debian")
    t.write("made")
    t.shows("Name made")
    create_from(t, archive)
    t.shows("○ off made", "✓ done create made", "name made")  # and the cursor there
    made = ann.base / "made"
    assert made.stat().st_uid == 0

    t.press("b")
    t.shows("binds of made", "/proc")
    t.press("a")
    t.shows("new bind", "Cancel Add")
    t.write("/mnt/there")
    t.press("Tab")
    t.write("/usr")
    t.press("Enter")
    t.shows("1 unsaved", "/mnt/there is added")
    t.press("w")
    t.shows("╭─ save", "/mnt/there")
    t.press("Enter")
    conf = made / "chroot.d"
    # Not the files here, of which one is about to be exchanged.
    t.until(lambda text: re.search(r"binds of made(?!.*unsaved)", text) and "╭─ save" not in text)
    t.shows("○ missing /mnt/there", "saved")
    assert any("/mnt/there" in one.read_text() for one in conf.glob("*.*"))
    t.press("Escape")
    t.until(lambda text: "binds of made" not in text)

    t.choose("at boot", "Switch on at boot")
    wait_until(
        lambda: list(units.glob("chroot-tool.target.wants/*made.service")), patience=DEADLINE
    )
    (conf / "start").write_text("#!/bin/sh\necho be$((40+2))gun\n")
    (conf / "start").chmod(0o755)
    t.press("r")
    t.shows("run in made")
    t.write("start")
    t.press("Enter")
    t.shows("be42gun", "exit 0", "● on made")  # else `o` switches it on, or asks
    t.press("C-]")
    t.press("o")
    t.shows("○ off made")
    t.leave()


def test_what_is_looked_at_marked_and_taken_back(ann: Ordinary, terminal: list[Tmux]) -> None:
    """Another base, what keys did and the way back, the disk, marks by name, what is open."""
    ann.allow()
    elsewhere = ann.base.parent / "elsewhere"
    elsewhere.mkdir()
    (ann.base / "deb/root").chmod(0o700)  # what is in it is root's to count
    for copy in (ann.base / "other", elsewhere / "third"):
        subprocess.run(["cp", "-a", ann.base / "deb", copy], check=True)
    env = {"CHROOT_TOOL_BASE": str(elsewhere)}
    t = Tmux(ann.argv(), ann.environment(env), size=(140, 30))
    terminal.append(t)
    t.shows("○ off third", "q quit", "ann, as root")
    t.press("B")
    if "no systems of" not in t.shows("another base", "Directory"):
        t.press("Tab")  # past those that this machine has
    t.write(str(ann.base))
    t.press("Enter")
    t.shows("○ off deb", "○ off other", "q quit", "ann, as root")

    t.press("o")
    t.shows("● on deb")
    t.press("C")
    t.shows(" on -d ", "✓ done", ". repeat")
    assert mounts_below(ann.base / "deb")
    t.press("C")
    t.until(lambda text: ". repeat" not in text)
    t.press("U")
    t.shows("take this back?", "unmount")
    t.press("Enter")
    t.shows("○ off deb")
    assert not mounts_below(ann.base / "deb")

    t.press("i")
    text = t.shows("disk of deb", "root/", "files and folders")
    assert "not read" not in text
    t.press("Escape")
    t.until(lambda text: "disk of deb" not in text)

    t.press("+")
    t.shows("mark: part of a name")
    t.write("o*r")
    t.shows("1 of 2 match")
    t.press("Enter")
    t.shows("1 marked")
    t.press("o")
    t.shows("● on other", "○ off deb")
    t.press("Escape")
    t.until(lambda text: "1 marked" not in text)
    ann.ok("off", "-d", "other")
    t.shows("○ off other")

    # Where ann is no user, so that it is a process of root's.
    words = ann.argv("run", "-d", "deb", "--", "sleep", "1000")
    with Program(words, env=ann.environment(), cwd="/", stdin=subprocess.DEVNULL) as inside:
        try:
            t.shows("● on deb")
            t.press("g", "3")
            t.shows("sleep 1000")
            t.press("g", "l")
            t.shows("what process", "/bin/sleep")
            t.press("Escape")
            t.until(lambda text: "what process" not in text)
        finally:
            inside.terminate()
    t.leave()


def test_who_holds_it_tags_and_the_trash(ann: Ordinary, terminal: list[Tmux]) -> None:
    """What is held by root's process, and what is deleted and had back, from menus as well."""
    ann.allow()
    subprocess.run(["cp", "-a", ann.base / "deb", ann.base / "other"], check=True)
    t = start(ann, terminal)
    t.shows("ann, as root", "○ off other")
    words = ann.argv("run", "-u", "root", "-d", "deb", "--", "sleep", "1000")
    with Program(words, env=ann.environment(), cwd="/", stdin=subprocess.DEVNULL) as holder:
        try:
            t.shows("● on deb")
            inside = partial(processes_below, ann.base / "deb")
            wait_until(lambda: any(one.startswith("sleep 1000") for one in inside().values()))
            t.press("o")
            t.shows("switching off deb", "would hit", "root sleep 1000", "Stop it")
            # It can be pressed after a lull only, and each key begins that anew.
            while "Stop it" in t.text:
                with suppress(StopIteration):  # gone since
                    t.click("Stop it")
                with suppress(AssertionError):
                    t.until(lambda text: "Stop it" not in text, patience=2)
            t.shows("○ off deb")
            assert holder.wait(DEADLINE) != 0
        finally:
            holder.kill()
    assert not mounts_below(ann.base / "deb")

    t.press("L")
    t.shows("tags of deb", "the list is grouped")
    t.write("build")
    t.press("Enter")
    t.shows("▾ build", "▾ no tag", "○ off deb")
    t.press("#")
    t.until(lambda text: "▾" not in text)
    t.press("#")
    t.shows("▾ build")

    def delete() -> None:
        t.press("d")
        t.shows("delete deb", "in the trash for 7 days")
        t.write("deb")
        t.press("Enter", "Enter")
        t.shows("Chroots 1", "name other")
        assert not (ann.base / "deb").exists()
        over(t, "delete")

    t.click("○ off")  # the first; the head of its group may have the cursor
    t.shows("name deb")
    delete()
    t.press("U")
    t.shows("take this back?", "--trash 7")
    t.press("Enter")
    t.shows("Chroots 2", "▾ build", "○ off deb", "name deb", "q quit")  # and the cursor there
    delete()
    t.choose("trash", "What delete has kept")
    t.shows("trash of", "⏎ restore")
    t.press("Enter")
    t.shows("have deb back?", "comes back to")
    t.press("Enter")
    t.shows("Chroots 2", "▾ build", "○ off deb", "name deb", "q quit")
    assert (ann.base / "deb").stat().st_uid == 0

    t.click("other", button=2)
    t.shows("Remove the chroot", "esc cancel")
    t.press("o")
    t.shows("● on other")
    assert mounts_below(ann.base / "other")
    t.press("m")
    t.shows("it is on: switch it off first", "esc cancel")
    t.press("o")
    t.shows("○ off other")
    assert not mounts_below(ann.base / "other")
    t.leave()


OWN = """
[[command]]
name = "outside"
key = "e"
run = "id -u; echo out-$CHROOT_NAME"
shell = true

[[command]]
name = "inside"
key = "E"
run = ["/bin/sh", "-c", "echo in-$(id -u)"]
where = "inside"
output = "job"
"""


def test_copies_states_archives_and_commands_of_ones_own(
    ann: Ordinary, terminal: list[Tmux]
) -> None:
    """Under another name, cloned, kept, packed, thrown away; what runs is whose it says."""
    ann.allow()
    ann.settings(OWN)
    t = start(ann, terminal)
    t.shows("ann, as root")
    t.press("R")
    t.shows("rename deb", "New name deb")
    t.press("C-u")
    t.write("first")
    t.press("Enter")
    t.shows("○ off first", "name first")
    over(t, "rename")
    t.press("U")
    t.shows("take this back?", "rename first to deb")
    t.press("Enter")
    t.shows("○ off deb", "name deb", "q quit")
    over(t, "rename")

    t.press("y")
    t.until(lambda _: t.has_copied)
    assert t.clipboard == str(ann.base / "deb")
    t.press("v")
    t.shows("snapshots of deb", "New one")
    t.write("before")
    t.press("Enter")
    t.shows("snapshot done: before", "snapshots 1, last before", "q quit")
    t.press("c")
    t.shows("clone deb", "New name")
    t.write("copy")
    t.press("Enter")
    t.shows("Chroots 2", "○ off copy", "name copy", "q quit")
    assert (ann.base / "copy").stat().st_uid == 0

    t.press("p")
    t.shows("pack copy", "⏎ pack")
    t.press("C-u")
    archive = ann.home / "copy.tar.zst"
    t.write(str(archive))
    t.press("Enter")
    t.shows("✓ done pack copy")
    assert (archive.stat().st_uid, archive.stat().st_mode & 0o777) == (ann.uid, 0o600)
    t.press("u")
    t.shows("unpack", "Archive")
    t.write(str(archive))
    t.press("Tab", "C-u")  # which has the archive's
    t.write("again")
    t.press("Enter")
    t.shows("Chroots 3", "○ off again", "name again", "q quit")

    t.press("x")
    t.shows("again: throw-away shell")
    t.until(_becomes_root)
    t.write("echo $((40+2))-$(id -u) >/kept; cat /kept")
    t.press("Enter")
    t.shows("42-0")
    t.press("C-d")
    t.shows("exit 0", "○ off again")
    assert not (ann.base / "again/kept").exists()
    t.press("C-]")
    t.press("e")
    t.shows("again: outside", str(ann.uid), "out-again", "exit 0")
    t.press("C-]")
    t.press("E")
    t.shows("✓ done run again: inside", "in-0", "● on again")

    t.press("s")
    t.shows("again: shell", "shell running")
    t.write("echo $((40+2))-here")
    t.press("Enter")
    t.shows("42-here")
    t.press("C-]")
    t.press("x")
    t.shows("Let it go on")
    t.press("Right", "Enter")
    t.until(lambda text: "42-here" not in text and "Let it go on" not in text)
    t.press("A")
    t.shows("again: shell", "42-here", "shell running")
    t.write("exit")
    t.press("Enter")
    t.shows("exit 0")
    t.press("C-]")
    t.shows("a again")
    t.press("Escape")
    t.shows("space mark")  # at once it would be alt+o
    t.press("o")
    t.shows("○ off again")
    assert not mounts_below(ann.base / "again")
    t.leave()
