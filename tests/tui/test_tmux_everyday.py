"""What a person does with it, in a real terminal at the sizes that terminals often have."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from support import Cli, Program, next_line, wait_until
from support.at_both_sizes import Start, WriteSettings, is_mounted, over

pytestmark = [pytest.mark.slow, pytest.mark.root]


def test_what_a_chroot_has_been_doing(
    start: Start,
    tiny_chroot: Path,
    cli: Cli,
    terminal_size: tuple[int, int],
    write_settings: WriteSettings,
) -> None:
    if terminal_size[0] < 100:  # where the list has room for no graph by itself
        write_settings('columns = ["state", "name", "cpu", "cpu-graph"]\n')
    (tiny_chroot / "var/log").mkdir(parents=True, exist_ok=True)
    (tiny_chroot / "var/log/dpkg.log").write_text(
        "2026-09-12 10:00:01 install gcc:amd64 <none> 4\n"
    )
    terminal = start()
    terminal.shows("○ off tiny", "quit")
    terminal.press("o")
    terminal.shows("● on tiny")
    # Enough to be seen, and no more: each time is one of the disk.
    writes = "while n=$(((n + 1) % 20000)); do [ $n != 1 ] || echo >/root/written; done"
    with Program(
        cli.argv("run", "-d", tiny_chroot, "--", "sh", "-c", writes), env=cli.environment()
    ) as busy:
        try:
            terminal.shows("CPU 4m")
            terminal.until(lambda text: re.search("● on tiny .*[\u2801-\u28ff]", text))
            terminal.press("1")

            def at_the_end(text: str) -> object:  # which moves on when there is more
                terminal.press("G")
                return re.search("processes [12], peak [12]", text) and "disks " in text

            terminal.until(at_the_end)
            terminal.until(lambda text: re.search("[\u2801-\u28ff]{2}", text))
            terminal.press("5")
            terminal.shows("09-12 10:00:01 * packages installed 1: gcc", "● on")
            terminal.until(lambda text: re.search("\\+ started .*sh -c", text))
        finally:
            busy.terminate()
    terminal.until(lambda text: re.search("- ended .*sh -c", text))

    subprocess.run(["umount", tiny_chroot / "tmp"], check=True)
    terminal.shows("◐ partial /tmp missing")
    terminal.press("/")
    terminal.write("partial")
    terminal.until(lambda text: "◐ partial /tmp" in text and "packages installed" not in text)
    terminal.press("Escape")
    terminal.shows("◐ partial /tmp missing", "* packages installed 1: gcc")
    terminal.press("Escape")
    terminal.shows("space mark")  # at once it would be alt+o
    terminal.press("o")
    terminal.shows("● on tiny")
    terminal.press("o")
    terminal.until(lambda text: "○ off tiny" in text and len(re.findall("○ off", text)) > 1)
    terminal.press("1", "g")
    terminal.shows("state ○ off")
    terminal.press("/")
    terminal.write("peak")
    terminal.shows("not found")  # it was of what was on
    terminal.press("Escape")
    terminal.until(lambda text: "not found" not in text)
    terminal.leave()

    terminal = start()
    terminal.shows("○ off tiny", "quit")
    terminal.press("5")
    terminal.shows("◐ partial /tmp missing", "* packages installed 1: gcc")
    terminal.leave()


_LISTENS = """
import os, socket, sys
here = socket.create_server(("127.0.0.1", 0))
os.chroot(sys.argv[1])
os.chdir("/")
print(here.getsockname()[1], flush=True)
sys.stdin.read()
"""


def test_who_listens_inside(start: Start, tiny_chroot: Path) -> None:
    argv = [sys.executable, "-c", _LISTENS, str(tiny_chroot)]
    with Program(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        port = next_line(server).decode().strip()
        terminal = start()
        terminal.shows("tiny", "listens at", f"tcp 127.0.0.1:{port}", f"{server.pid}")
        terminal.press("3")
        begins = re.escape(sys.executable[:16])  # of a long path there is no more room
        terminal.until(lambda text: re.search(rf"{server.pid} root .* {begins}", text))
        terminal.press("l")
        terminal.shows("what process", f"127.0.0.1:{port} listening")
        terminal.press("Escape")
        terminal.until(lambda text: "what process" not in text)
        terminal.press("1")
        terminal.shows("listens at")
        server.communicate()
        terminal.until(lambda text: "listens at" not in text)
        terminal.leave()


def test_a_menu_and_another_base_from_nothing(
    start: Start, tiny_chroot: Path, tmp_path: Path
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    terminal = start(base=empty)
    terminal.shows("A chroot is a Debian of its own", "n new", "m menu", "q quit")
    assert "shell" not in terminal.text
    terminal.shows("n a new one", "u one from an archive", "B those that lie elsewhere")
    for key, title in (("n", "╭─ new chroot"), ("u", "╭─ unpack")):
        terminal.press(key)
        terminal.shows(title)
        terminal.press("Escape")
        terminal.until(lambda text: "╭─" not in text)
    terminal.press("B")
    terminal.shows("another base", "Directory")
    if "no systems of" not in terminal.text:
        terminal.press("Tab")  # past those that this machine has
    terminal.write(str(tiny_chroot.parent))
    terminal.press("Enter")
    terminal.shows("○ off tiny", "o on/off")
    terminal.press("m")
    terminal.shows("R rename", "Remove the chroot", "esc cancel")
    terminal.press("o")
    terminal.shows("● on tiny")
    assert is_mounted(tiny_chroot / "proc")
    terminal.click("● on", button=2)
    terminal.shows("it is on: switch it off first", "esc cancel")
    terminal.press("o")
    terminal.shows("○ off tiny")

    terminal.press("O")
    terminal.shows("what o would do", "$ chroot-tool on -d", " -n", "bind /proc on /proc", "Do it")
    assert not is_mounted(tiny_chroot / "proc")
    terminal.press("Enter")
    terminal.shows("● on tiny")
    assert is_mounted(tiny_chroot / "proc")
    subprocess.run(["umount", tiny_chroot / "tmp"], check=True)
    terminal.shows("◐ partial tiny")
    terminal.press(".")  # on, once more
    terminal.shows("● on tiny")
    assert is_mounted(tiny_chroot / "tmp")
    terminal.press("o")
    terminal.shows("○ off tiny")
    terminal.leave()


def test_what_keys_did_and_a_command_that_is_added_meanwhile(
    start: Start, tiny_chroot: Path, write_settings: WriteSettings
) -> None:
    terminal = start()
    terminal.shows("○ off tiny", "quit")
    write_settings(
        '[[command]]\nname = "tell"\nkey = "e"\nwhere = "inside"\n'
        'run = ["/bin/sh", "-c", "echo 4${0}2", "{name}"]\n'
    )
    terminal.says("the settings were read again")
    terminal.press("o")
    terminal.shows("● on tiny")
    terminal.press("e")
    terminal.shows("4tiny2", "exit 0")
    terminal.press("C-]")
    terminal.press("C")
    terminal.shows(" run -d ", " on -d ", ". repeat")
    assert "mount tmpfs on /tmp" not in terminal.text
    terminal.press("j")
    terminal.shows("mount tmpfs on /tmp")  # one of the steps of on
    terminal.press("y")
    terminal.until(lambda _: terminal.has_copied)
    assert terminal.clipboard == f"chroot-tool on -d {tiny_chroot}"
    terminal.press("U")
    terminal.shows("take this back?", "unmount")
    terminal.press("Enter")
    terminal.shows("○ off tiny")
    assert not is_mounted(tiny_chroot / "proc")
    write_settings('them = "light"\n')
    terminal.shows("unknown", "hold")  # where it wraps is the length of the path
    terminal.leave()


def test_a_rename_and_a_delete_are_taken_back(start: Start, tiny_chroot: Path) -> None:
    terminal = start()
    terminal.shows("○ off tiny", "quit")
    terminal.press("R")
    terminal.shows("rename tiny", "New name tiny")
    terminal.press("C-u")
    terminal.write("small")
    terminal.press("Enter")
    terminal.shows("○ off small")
    assert not tiny_chroot.exists()
    over(terminal, "rename")
    terminal.press("U")
    terminal.shows("take this back?", "$ chroot-tool rename -d", "rename small to tiny")
    terminal.press("Enter")
    terminal.shows("○ off tiny")
    wait_until(lambda: (tiny_chroot / "bin/sh").exists())
    over(terminal, "rename")

    terminal.press("d")
    terminal.shows("delete tiny", "in the trash for 7 days")
    terminal.write("tiny")
    terminal.press("Enter", "Enter")
    terminal.until(lambda text: "off tiny" not in text)
    wait_until(lambda: not tiny_chroot.exists())
    over(terminal, "delete")
    terminal.press("U")
    terminal.shows("take this back?", "$ chroot-tool delete")
    terminal.press("Enter")
    terminal.shows("○ off tiny")
    wait_until(lambda: (tiny_chroot / "bin/sh").exists())
    terminal.leave()


def test_found_marked_opened_and_grouped(start: Start, tiny_chroot: Path, cli: Cli) -> None:
    terminal = start()
    terminal.shows("○ off tiny", "quit")
    # What a chroot says of itself is seen at once.
    (tiny_chroot / "chroot.d/chroot.toml").write_text('tags = ["web"]\n')
    terminal.shows("▾ web", "1 chroot")
    terminal.press("g", "Enter")
    terminal.until(lambda text: "▸ web 1 chroot" in text and "off tiny" not in text)
    terminal.press("Enter")
    terminal.shows("▾ web", "○ off tiny")

    terminal.press("G", "s")
    terminal.shows("shell running", "● on")
    terminal.write("exec 3>/tmp/kept; sleep 999 & sleep 998 &")
    terminal.press("Enter")
    terminal.write("i=0; while [ $i -lt 300 ]; do i=$((i+1)); echo line $i; done")
    terminal.press("Enter")
    terminal.shows("line 300")
    terminal.press("C-]")
    terminal.shows("find")
    terminal.press("/")
    terminal.shows("find in the output")
    terminal.write("line 25")
    terminal.shows("11 of 11", "line 259")
    terminal.press("Enter")
    terminal.shows("/line 25 11 of 11")
    terminal.press("n")
    terminal.shows("10 of 11")
    terminal.press("N")
    terminal.shows("11 of 11")
    terminal.press("Escape")
    terminal.until(lambda text: "/line 25" not in text)

    terminal.press("3")
    terminal.until(lambda text: re.search(r"\d+ root .*sh", text))  # "Commands" is a tab, too
    terminal.press("l")
    terminal.shows("what process", "/tmp/kept")
    terminal.press("Escape")
    terminal.until(lambda text: "what process" not in text)
    opened = cli.json("status", "-d", tiny_chroot, "--open")["open"]
    assert "/tmp/kept" in [one["what"] for one in opened]
    terminal.press("T")
    terminal.shows("└ sleep 999")
    terminal.press("<")
    in_order = r"Command{}(?s:.*)root (?s:.*)sh\n(?s:.*)└ sleep {}(?s:.*)└ sleep {}"
    terminal.until(lambda text: re.search(in_order.format("▲", 998, 999), text))
    terminal.press("=")
    terminal.until(lambda text: re.search(in_order.format("▼", 999, 998), text))
    terminal.press("T")
    terminal.until(lambda text: "└" not in text and "sleep 999" in text)


def test_several_are_switched_and_told_of_in_one_line(
    start: Start, tiny_chroot: Path, tidy: Path
) -> None:
    terminal = start()
    terminal.shows("○ off tidy", "○ off tiny", "quit")
    terminal.press("+")
    terminal.shows("mark: part of a name")
    terminal.write("t*y")
    terminal.shows("2 of 2 match")
    terminal.press("Enter")
    terminal.shows("2 marked")
    terminal.press("o")
    terminal.says("on: 2 done")
    terminal.shows("● on tidy", "● on tiny")  # o goes by what is seen
    assert is_mounted(tiny_chroot / "proc")
    assert is_mounted(tidy / "proc")
    terminal.press("o")
    terminal.says("off: 2 done")
    terminal.shows("○ off tidy", "○ off tiny")
    terminal.leave()


def test_columns_and_what_takes_the_disk(start: Start, tiny_chroot: Path, ui_home: Path) -> None:
    terminal = start()
    terminal.shows("○ off tiny", "Name▲ System")
    terminal.press("|")
    terminal.shows("columns of chroots", "space show")
    terminal.press("j", "j", "j", "Space", "Enter")
    terminal.shows("○ off tiny", "Name▲ Mounts")
    terminal.leave()
    terminal = start()
    terminal.shows("○ off tiny", "Name▲ Mounts")
    terminal.press("|")
    terminal.shows("columns of chroots", "space show")
    terminal.press("j", "K", "+", "Enter")
    terminal.shows("Name▲ State Mounts", "tiny ○ off")
    terminal.press("3", "|")  # typed at once: it is for what `3` shows
    terminal.shows("columns of processes", "space show")
    terminal.press("j", "Space", "Enter")
    terminal.shows("▲PID CPU %")
    terminal.press("Escape")
    terminal.shows("space mark")
    terminal.leave()
    kept = (ui_home / "config/chroot-tool/settings.toml").read_text()
    assert re.search(r'^columns = \["name:\d+", "state", ', kept, re.MULTILINE)
    terminal = start()
    terminal.shows("Name▲ State Mounts", "tiny ○ off", "quit")
    terminal.press("3")
    terminal.shows("▲PID CPU %")
    terminal.press("Escape")
    terminal.shows("space mark")

    terminal.press("o")
    terminal.shows("tiny ● on")
    terminal.press("i")
    terminal.shows("disk of tiny", "chroot.d/", "files and folders", "proc (mounted: not counted)")
    terminal.press("Enter")
    terminal.until(lambda text: "files and folders" in text and "chroot.d/" not in text)
    terminal.press("BSpace")
    terminal.shows("chroot.d/", "files and folders")
    terminal.press("Escape")
    terminal.until(lambda text: "disk of" not in text)
    terminal.leave()


def test_without_colours_and_in_ascii(start: Start) -> None:
    terminal = start(NO_COLOR="1", LC_ALL="C")
    terminal.shows("o off tiny", "quit")
    terminal.press("o")
    text = terminal.shows("@ on tiny")
    assert text.isascii()
    colours = {*range(30, 39), *range(40, 49), *range(90, 98), *range(100, 108)}
    assert terminal.attributes & colours == set()
    assert 7 in terminal.attributes, "the cursor's row is reversed"
    terminal.press("o")
    terminal.shows("o off tiny")
    terminal.leave()


def test_in_words(start: Start, tiny_chroot: Path, cli: Cli) -> None:
    terminal = start("--plain")
    terminal.shows("tiny: off, Tiny")
    cli.ok("on", "-d", tiny_chroot)
    terminal.until(lambda _: re.search(rb"\ntiny: on, was \w+\r\n$", terminal.written))
    said = terminal.written
    subprocess.run(["umount", tiny_chroot / "tmp"], check=True)
    # Not by what stands there: it stood there already, where a look came while it was switched on.
    news = b"tiny: partial, was on\r\ntiny: mount /tmp missing\r\n"
    terminal.until(lambda _: len(terminal.written) >= len(said + news))
    assert terminal.written.removeprefix(said) == news
    assert b"\x1b" not in terminal.written


def test_off_and_an_edit_of_binds_are_taken_back(
    start: Start, tiny_chroot: Path, tmp_path: Path
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    toml = tiny_chroot / "chroot.d/chroot.toml"
    toml.write_text('# as it was\ndescription = "small"\n')
    before = toml.read_bytes()
    terminal = start()
    terminal.shows("○ off tiny", "quit")
    terminal.press("o")
    terminal.shows("● on tiny")
    terminal.press("o")
    terminal.shows("○ off tiny")
    over(terminal, "off")
    assert not is_mounted(tiny_chroot / "proc")
    terminal.press("U")
    terminal.shows("take this back?", "$ chroot-tool off -d", "bind /proc on /proc")
    assert not is_mounted(tiny_chroot / "proc")
    terminal.press("Enter")
    terminal.shows("● on tiny")
    assert is_mounted(tiny_chroot / "proc")

    terminal.press("b")
    terminal.shows("binds of tiny", "/proc")
    terminal.press("a")
    terminal.shows("new bind", "Cancel Add")
    terminal.write("/srv/there")
    terminal.press("Tab")
    terminal.write(str(shared))
    terminal.press("Enter")
    terminal.shows("1 unsaved", "/srv/there is added")
    terminal.press("w")
    terminal.shows("╭─ save", "Save and apply now")
    terminal.press("Right", "Enter")
    terminal.shows("╭─ apply now", "/srv/there")
    assert b"/srv/there" in toml.read_bytes()
    terminal.press("Enter")
    wait_until(lambda: is_mounted(tiny_chroot / "srv/there"))
    over(terminal, "on")
    terminal.press("U")
    terminal.shows("take this back?", "chroot.toml becomes what it was before")
    terminal.press("Enter")
    terminal.shows("╭─ apply now", "unmount")
    assert toml.read_bytes() == before
    terminal.press("Enter")
    wait_until(lambda: not is_mounted(tiny_chroot / "srv/there"))
    over(terminal, "off")
    assert is_mounted(tiny_chroot / "proc")
    terminal.press("o")
    terminal.shows("○ off tiny")
    terminal.leave()
