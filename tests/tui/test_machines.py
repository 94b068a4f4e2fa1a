"""Chroots of other machines in the UI: real machines by ssh, the real app, keys and the screen."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.widgets import Input

from chroot_tool.app.settings.commands import Command
from chroot_tool.app.settings.file import Settings, load
from chroot_tool.app.tui.app import ChrootApp
from chroot_tool.app.tui.threads.watch_threads import WatchThread
from chroot_tool.core.local_engine import LocalEngine
from chroot_tool.core.remote.contract import Method
from chroot_tool.core.remote.machines import Machines
from chroot_tool.core.remote.remote_engine import RemoteEngine
from chroot_tool.core.remote.ssh import Host
from chroot_tool.widgets.binds.editor import BindEditor
from chroot_tool.widgets.binds.entry_form import BindForm
from chroot_tool.widgets.binds.save_dialog import SaveBinds
from chroot_tool.widgets.dialogs.choice_field import ChoiceField
from chroot_tool.widgets.dialogs.confirm import Confirm
from chroot_tool.widgets.dialogs.delete import DeleteDialog
from chroot_tool.widgets.dialogs.doctor import DoctorDialog
from chroot_tool.widgets.dialogs.field import Field
from chroot_tool.widgets.dialogs.machines import MachinesDialog
from chroot_tool.widgets.dialogs.pack import PackDialog
from chroot_tool.widgets.dialogs.place import PlaceDialog
from chroot_tool.widgets.dialogs.run_prompt import RunPrompt
from chroot_tool.widgets.dialogs.trash import TrashDialog
from chroot_tool.widgets.dialogs.unpack import UnpackDialog
from chroot_tool.widgets.job_status import CANCELLED
from support import Cli, mounts_below, processes_below
from support.ssh_hosts import SshHosts
from support.whole_ui import Feed, Ui, _ready, heard

pytestmark = [pytest.mark.root, pytest.mark.slow]


def _open(name: str) -> RemoteEngine:
    return Host(name).engine()


@pytest.fixture
def farm(
    hosts: SshHosts, tiny_chroot: Path, tiny_template: Path, cli: Cli,
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> Iterator[SshHosts]:  # fmt: skip
    """Two machines with a chroot each, beside the one here: `tiny`."""
    for host, name in zip(hosts.add("one", "two"), ("alpha", "beta"), strict=True):
        subprocess.run(["cp", "-a", tiny_template, host.base / name], check=True)
    for key, value in hosts.environment().items():
        monkeypatch.setenv(key, value)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))  # hosts are saved in it
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    yield hosts
    for host in hosts.hosts.values():
        for root in host.base.iterdir():
            if mounts_below(root):
                cli.ok("off", "-S", "--kill", "--timeout", "2", "-d", root)


@asynccontextmanager
async def farm_ui(base: Path, *names: str, commands: tuple[Command, ...] = ()) -> AsyncIterator[Ui]:
    machines = Machines(LocalEngine(str(base)), names, _open)
    engine = machines.of()
    app = heard(
        ChrootApp(
            machines, Settings(theme="dark", commands=commands), follow=WatchThread(engine).post_to
        )
    )
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        yield await _ready(app, pilot, engine, Feed())
    machines.close()


async def test_the_chroots_of_three_machines(farm: SshHosts, tiny_chroot: Path, cli: Cli) -> None:
    async with farm_ui(tiny_chroot.parent, "one", "two") as t:
        await t.shows("alpha", "beta", "tiny", "Host")
        await t.on_row("alpha")
        await t.press("o")
        await t.shows("● on")
        alpha = farm.hosts["one"].base / "alpha"
        assert mounts_below(alpha)
        await t.idle()
        await t.press("o")
        await t.until(lambda: not mounts_below(alpha))
        await t.idle()
        await t.press("s")
        await t.shows("alpha: shell", "#")
        await t.until(lambda: t.app.main.dock.panels[-1].terminal.has_focus)
        await t.write("echo /*")
        await t.press("enter")
        await t.shows("chroot.d")
        await t.write("exit")
        await t.press("enter")
        await t.shows("exit 0")
        await t.main()
    cli.ok("off", "-d", alpha)


async def test_a_change_there_is_seen_here_and_the_filter_knows_hosts(
    farm: SshHosts, tiny_chroot: Path, cli: Cli
) -> None:
    async with farm_ui(tiny_chroot.parent, "one", "two") as t:
        await t.shows("alpha", "beta")
        beta = farm.hosts["two"].base / "beta"
        cli.ok("on", "-d", beta)
        await t.shows("● on")
        cli.ok("off", "-d", beta)
        await t.hides("● on")
        await t.press("slash")
        await t.write("two")
        await t.press("enter")
        await t.hides("alpha", "tiny")
        await t.shows("beta")


async def test_hosts_come_and_go_by_keys(farm: SshHosts, tiny_chroot: Path) -> None:
    async with farm_ui(tiny_chroot.parent) as t:
        await t.shows("tiny")
        await t.press("H")
        await t.dialog(MachinesDialog)
        await t.write("one")
        await t.press("enter")
        await t.shows("● open", "one")
        await t.until(lambda: load().hosts == ("one",))
        await t.press("enter")
        await t.main()
        await t.shows("alpha")
        await t.hides("tiny")
        await t.press("escape", "H")
        await t.dialog(MachinesDialog)
        await t.press("d")
        await t.until(lambda: load().hosts == ())
        await t.press("escape")
        await t.main()
        await t.hides("alpha")
        await t.shows("tiny")


async def test_a_host_that_goes_away_and_comes_back(farm: SshHosts, tiny_chroot: Path) -> None:
    async with farm_ui(tiny_chroot.parent, "one", "two") as t:
        await t.shows("alpha", "beta")
        farm.hosts["one"].stop()
        await t.shows("not answering: one")
        await t.shows("alpha")  # as it was last seen
        await t.on_row("tiny")
        await t.press("o")
        await t.until(lambda: mounts_below(tiny_chroot))
        await t.press("H")
        await t.dialog(MachinesDialog)
        await t.shows("✗ lost", "tried again in")
        farm.hosts["one"].start()
        await t.on_machine("one")
        await t.press("r")
        await t.shows("● open")
        await t.press("escape")
        await t.main()
        await t.hides("not answering")


async def test_binds_of_a_chroot_there(farm: SshHosts, tiny_chroot: Path) -> None:
    async with farm_ui(tiny_chroot.parent, "one") as t:
        await t.on_row("alpha")
        await t.press("b")
        await t.shows("binds of alpha", "/proc")
        await t.press("a")
        await t.dialog(BindForm)
        await t.write("/mnt/there")
        await t.press("tab")
        await t.write("/usr")
        await t.press("enter")
        await t.shows("1 unsaved")
        await t.press("w")
        await t.dialog(SaveBinds)
        await t.press("enter")
        await t.dialog(BindEditor)
        await t.hides("unsaved")
        conf = farm.hosts["one"].base / "alpha/chroot.d"
        await t.until(lambda: any("/mnt/there" in f.read_text() for f in conf.glob("*.*")))
        await t.press("escape")
        await t.main()


async def test_the_doctor_looks_at_the_machine_that_it_is_on(
    farm: SshHosts, tiny_chroot: Path
) -> None:
    async with farm_ui(tiny_chroot.parent, "one") as t:
        await t.on_row("alpha")
        asked: list[str] = []
        engine = t.app.main.session.machines.host("one")
        ask = engine.ask

        def note(method: Method, of: str, arguments: dict[str, object]) -> object:
            asked.append(f"{method.name} {arguments.get('path')}")
            return ask(method, of, arguments)

        engine.ask = note  # type: ignore[method-assign]
        await t.press("D")
        await t.dialog(DoctorDialog)
        there = farm.hosts["one"].base / "alpha"
        await t.until(lambda: {"diagnose ", f"diagnose {there}"} <= set(asked))
        await t.hides("looking …")


async def test_making_one_there(farm: SshHosts, tiny_chroot: Path) -> None:
    async with farm_ui(tiny_chroot.parent, "one") as t:
        await t.on_row("alpha")
        await t.press("c")
        await t.shows("clone alpha", "one:/")
        await t.write("gamma")
        await t.press("enter")
        await t.until(lambda: (farm.hosts["one"].base / "gamma/bin").exists())
        await t.until(lambda: t.highlighted == "gamma")


async def test_the_trash_there(farm: SshHosts, tiny_chroot: Path) -> None:
    async with farm_ui(tiny_chroot.parent, "one") as t:
        await t.on_row("alpha")
        await t.press("d")
        await t.dialog(DeleteDialog)
        await t.write("alpha")
        await t.press("enter", "enter")
        alpha = farm.hosts["one"].base / "alpha"
        await t.until(lambda: not alpha.exists())
        await t.idle()
        # With no row of that machine the trash is the one here.
        await t.press("U")
        await t.dialog(Confirm)
        await t.shows("out of the trash")
        await t.press("escape")
        await t.main()
        at = t.app.main.session.engine.base_at("one:")
        [kept] = t.app.main.session.engine.trash(at)
        assert kept.path == f"one:{alpha}"
        await t.press("U")
        await t.dialog(Confirm)
        await t.press("enter")
        await t.until(lambda: (alpha / "bin").exists())
        await t.on_row("alpha")
        await t.idle()
        await t.app.main.action_perform("trash.show")
        await t.dialog(TrashDialog)
        await t.shows("trash of one:", "Nothing is in it.")


async def test_a_copy_on_another_machine(farm: SshHosts, tiny_chroot: Path) -> None:
    """The form asks where; what is made is watched until it is there."""
    async with farm_ui(tiny_chroot.parent, "one", "two") as t:
        await t.shows("alpha", "beta")
        await t.on_row("alpha")
        await t.press("c")
        await t.dialog(PlaceDialog)
        await t.write("delta")
        t.app.screen.query_one("#machine", ChoiceField).value = "two"
        await t.shows("two:/")
        await t.press("enter")
        await t.until(lambda: t.highlighted == "delta")  # which it is while it is made
        await t.until((farm.hosts["two"].base / "delta/bin").exists)
        await t.idle()
        await t.hides("creating")
        await t.press("c")
        await t.dialog(PlaceDialog)
        await t.write("here")
        t.app.screen.query_one("#machine", ChoiceField).value = ""
        await t.press("enter")
        await t.until(lambda: t.highlighted == "here")
        await t.until((tiny_chroot.parent / "here/bin").exists)
        await t.idle()


async def test_a_copy_that_is_stopped_leaves_nothing(farm: SshHosts, tiny_chroot: Path) -> None:
    (farm.hosts["one"].base / "alpha/root/more").write_bytes(os.urandom(64 << 20))
    farm.hosts["one"].hold_back()
    async with farm_ui(tiny_chroot.parent, "one", "two") as t:
        await t.shows("alpha", "beta")
        await t.on_row("alpha")
        await t.press("c")
        await t.dialog(PlaceDialog)
        await t.write("delta")
        t.app.screen.query_one("#machine", ChoiceField).value = "two"
        await t.press("enter")
        await t.main()
        jobs = t.app.main.session.jobs
        await t.until(lambda: any(job.fraction for job in jobs.views))
        jobs.cancel_all()
        await t.until(lambda: jobs.views[0].state == CANCELLED)
        await t.until(lambda: os.listdir(farm.hosts["two"].base) == ["beta"])


@pytest.mark.parametrize("how", ["in several", "a command of one's own"])
async def test_a_command_that_is_stopped_ends_there(
    farm: SshHosts, tiny_chroot: Path, how: str
) -> None:
    words = ("sh", "-c", "[ $A = 1 ] && exec sleep 1000")
    own = Command("own", (f"A=1; {words[2]}",), "f5", "inside", "chroot", "job", False, True)
    roots = [farm.hosts["one"].base / "alpha", farm.hosts["two"].base / "beta"]

    def sleeps(root: Path) -> bool:
        return any(line.startswith("sleep ") for line in processes_below(root).values())

    async with farm_ui(tiny_chroot.parent, "one", "two", commands=(own,)) as t:
        await t.shows("alpha", "beta")
        for name in ("alpha", "beta"):
            await t.on_row(name)
            await t.press("space")
        if how == "in several":
            await t.press("r")
            prompt = await t.dialog(RunPrompt)
            prompt.field("line").value = shlex.join(words)
            prompt.field("env").value = "A=1"
            await t.press("enter")
            await t.main()
        else:
            await t.press("f5")
        jobs = t.app.main.session.jobs
        await t.until(lambda: all(sleeps(root) for root in roots))
        jobs.cancel_all()
        await t.until(lambda: {view.state for view in jobs.views} == {CANCELLED})
        assert {view.stage for view in jobs.views} == {"stopped by you"}
        await t.until(lambda: not any(processes_below(root) for root in roots))


async def test_an_archive_from_there_and_back(
    farm: SshHosts, tiny_chroot: Path, tmp_path: Path
) -> None:
    archive = tmp_path / "a.tar.zst"
    async with farm_ui(tiny_chroot.parent, "one", "two") as t:
        await t.shows("alpha", "beta")
        await t.on_row("alpha")
        await t.press("p")
        await t.dialog(PackDialog)
        await t.shows("is a file there")
        file = t.app.screen.query_one("#file", Field)
        assert file.value.startswith(f"one:{farm.hosts['one'].base}/alpha-")
        file.value = str(archive)
        await t.press("enter")
        await t.until(archive.exists)  # under its name it is whole
        await t.main()
        await t.on_row("beta")
        await t.press("u")
        await t.dialog(UnpackDialog)
        t.app.screen.query_one("#archive", Field).value = f"other:{archive}"
        await t.press("enter")
        await t.shows("other is no machine that answers")
        t.app.screen.query_one("#archive", Field).value = str(archive)
        t.app.screen.query_one("#name", Field).value = "omega"
        await t.press("enter")
        await t.until(lambda: t.highlighted == "omega")
        await t.until((farm.hosts["two"].base / "omega/bin").exists)
        await t.idle()


async def test_an_archive_to_a_third_machine_and_back(farm: SshHosts, tiny_chroot: Path) -> None:
    """Of a chroot of one in a file of the other, and from there to here."""
    archive = farm.hosts["two"].home / "a.tar.zst"
    async with farm_ui(tiny_chroot.parent, "one", "two") as t:
        await t.shows("alpha", "beta")
        await t.on_row("alpha")
        await t.press("p")
        await t.dialog(PackDialog)
        file = t.app.screen.query_one("#file", Field)
        file.value = "other:/a.tar.zst"
        await t.press("enter")
        await t.shows("other is no machine that answers")
        file.value = "two:/a.tar.xz"
        await t.shows("on its way it is .tar.zst")
        file.value = f"two:{archive}"
        await t.press("enter")
        await t.until(archive.exists)
        await t.main()
        await t.idle()
        await t.on_row("alpha")
        for name, machine in (("omega", "one"), ("here", "")):
            await t.press("u")
            await t.dialog(UnpackDialog)
            t.app.screen.query_one("#archive", Field).value = f"two:{archive}"
            t.app.screen.query_one("#machine", ChoiceField).value = machine
            t.app.screen.query_one("#name", Field).value = name
            await t.press("enter")
            base = farm.hosts["one"].base if machine else tiny_chroot.parent
            await t.until((base / name / "bin").exists)
            await t.idle()


HELLO = {
    "event": "hello", "version": "9\x1b[2J", "protocol": 99, "oldest": 99, "base": "/b",
    "methods": [],
}  # fmt: skip
SAYS = {
    "a banner and no more": "echo Welcome to one",
    "half a line": """printf '{"event": "hello", "vers'""",
    "half an answer": f"""echo {shlex.quote(json.dumps(HELLO | {"protocol": 1, "oldest": 1}))}
        printf '{{"id": 1, "ev'""",
    "10 MB in a line": "head -c 10000000 /dev/zero | tr '\\0' '['",
    "40 MB in a line": "head -c 40000000 /dev/zero | tr '\\0' x",
    "another version": f"echo {shlex.quote(json.dumps(HELLO))}",
    "hostile bytes": r"printf '\033[2J\033]0;gone\007[red]\377\n' | tee /dev/stderr; exit 1",
}


@pytest.mark.parametrize("says", SAYS.values(), ids=SAYS)
async def test_whatever_a_machine_says_the_others_are_there(
    farm: SshHosts, tiny_chroot: Path, says: str
) -> None:
    farm.hosts["one"].write_program("chroot-tool", says)
    async with farm_ui(tiny_chroot.parent, "one", "two") as t:
        await t.shows("tiny", "beta", "one")
        await t.press("H")
        await t.dialog(MachinesDialog)
        await t.on_machine("one")
        await t.shows("tried again in")
        assert "\x1b" not in t.text
        assert "\x07" not in t.text
        await t.press("escape")
        await t.on_row("beta")
        await t.press("o")
        await t.until(lambda: mounts_below(farm.hosts["two"].base / "beta"))
        await t.idle()


async def test_a_host_is_completed_from_what_ssh_knows(
    farm: SshHosts, tiny_chroot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh/config").write_text("Host one\n  Port 22\n")
    (tmp_path / ".ssh/known_hosts").write_text("two ssh-ed25519 AAAA\n")
    async with farm_ui(tiny_chroot.parent) as t:
        for typed, name in (("o", "one"), ("t", "two")):
            await t.press("H")
            await t.dialog(MachinesDialog)
            field = t.app.screen.query_one(Input)
            field.focus()
            await t.write(typed)
            await t.until(lambda: field._suggestion == name)  # noqa: B023
            await t.press("right", "enter")
            await t.until(lambda: name in load().hosts)  # noqa: B023
            await t.press("escape")
            await t.main()
        await t.shows("alpha", "beta")
