"""The form for one bind: every key, every rule, over the engine's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from chroot_tool.core.config.bind import Bind, make
from chroot_tool.core.errors import ChrootError, Problem
from chroot_tool.core.looking import path_completion
from chroot_tool.widgets.binds.entry_form import BindForm
from chroot_tool.widgets.dialogs.confirm import Confirm
from support.dialog_host import (
    OPEN,
    SMALL,
    DialogHost,
    field,
    focused,
    press,
    settle,
    switch,
    type_text,
)
from support.screen import screen_text
from support.whole_ui import until


def form(bind: Bind | None = None, **given: Any) -> BindForm:
    facts: dict[str, Any] = {
        "listed": {"/data": "tool.conf", "/tmp": "system"},
        "complete_host": lambda _: (),
        "complete_inside": lambda _: (),
        "inspect_target": lambda _: "an empty directory",
    }
    return BindForm(bind, **(facts | given))


def problem(app: DialogHost, ident: str) -> str:
    found = field(app, ident).problem
    return "" if found is None else found.message


@pytest.mark.slow
async def test_form_needs_no_more_than_a_target() -> None:
    app = DialogHost(form())
    async with app.run_test(size=SMALL) as pilot:
        assert focused(app) == "target"
        assert "✗" not in screen_text(app)
        await type_text(pilot, "/a")
        await press(pilot, "enter")
        assert app.answer == Bind("/a", "/a", origin="chroot.toml")


@pytest.mark.slow
async def test_form_with_everything() -> None:
    app = DialogHost(form())
    async with app.run_test(size=SMALL) as pilot:
        for ident, value in {"target": "/a//b/", "source": "/s", "options": "slave"}.items():
            field(app, ident).value = value
        for ident in ("ro", "rbind", "nosuid", "nodev", "noexec", "optional"):
            await pilot.click(f"#{ident}")
        await pilot.pause()
        assert "[x] read-only" in screen_text(app)
        await pilot.click("#go")
        await pilot.pause()
        assert app.answer == Bind(
            "/a/b", "/s", "bind", ("ro", "nosuid", "nodev", "noexec"), "slave",
            recursive=True, optional=True, origin="chroot.toml",
        )  # fmt: skip


@pytest.mark.slow
async def test_form_keys_reach_every_field_and_switch() -> None:
    app = DialogHost(form())
    async with app.run_test(size=SMALL) as pilot:
        order = []
        for _ in range(10):
            order.append(focused(app))
            await press(pilot, "down")
        assert order == [
            "target", "source", "fs", "ro", "rbind", "optional", "nosuid", "nodev", "noexec",
            "options",
        ]  # fmt: skip
        await press(pilot, "up", "up", "space")
        assert focused(app) == "noexec"
        assert switch(app, "noexec").value


@pytest.mark.slow
async def test_form_of_a_tmpfs_starts_with_its_defaults() -> None:
    app = DialogHost(form())
    async with app.run_test(size=SMALL) as pilot:
        field(app, "target").value = "/t"
        field(app, "fs").value = "tmpfs"
        field(app, "options").value = "size=64M,mode=0700"
        await pilot.pause()
        await pilot.click("#go")
        await pilot.pause()
        assert app.answer == Bind(
            "/t", "none", "tmpfs", ("nosuid", "nodev", "noexec", "size=64M", "mode=0700"),
            origin="chroot.toml",
        )  # fmt: skip


@pytest.mark.slow
async def test_what_could_not_be_done_stands_there_again_and_is_not_lost_unasked() -> None:
    app = DialogHost(form(typed=make("/t", "/s")))
    async with app.run_test(size=SMALL) as pilot:
        await settle(pilot, "escape")
        assert isinstance(app.screen, Confirm)
        await settle(pilot, "escape")
        assert app.answer == OPEN
        field(app, "source").value = ""
        field(app, "fs").value = "tmpfs"
        await pilot.pause()
        assert switch(app, "nosuid").value
        await settle(pilot, "escape", "right", "enter")
        assert app.answer is None


@pytest.mark.slow
@pytest.mark.parametrize(
    "bind",
    [
        make("/data", "/x", options=["noexec", "ro", "slave", "nosuid", "rbind"], optional=True),
        make("/t", None, "tmpfs", ["size=1M", "nosuid"]),
        make("/p", "proc", "proc", [], ignored=True),
        make("/a", options=["rw", "unbindable"]).replace(origin="tool.conf", line=3),
    ],
)
async def test_form_gives_back_what_it_was_given(bind: Bind) -> None:
    app = DialogHost(form(bind))
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "enter")
        answer = app.answer
        assert answer.replace(recursive=bind.recursive) == answer
        assert set(answer.options) == set(bind.options)
        assert answer.options == bind.options
        assert answer == bind


@pytest.mark.slow
@pytest.mark.parametrize(
    ("where", "values", "said"),
    [
        ("target", {"target": "a"}, "expected an absolute path"),
        ("target", {"target": "/a/../b"}, "holds '..'"),
        ("target", {"target": "/"}, "is the root itself"),
        ("target", {"target": "/./"}, "is the root itself"),
        ("target", {"target": "/data"}, "tool.conf has an entry for /data already"),
        ("source", {"target": "/a", "source": "rel"}, "expected an absolute path"),
        ("source", {"target": "/a", "fs": "ext4"}, "no source for ext4"),
        ("fs", {"target": "/a", "fs": "e x t"}, "file system type"),
        ("fs", {"target": "/a", "fs": "copy"}, "file system type 'copy'"),
        ("options", {"target": "/a", "options": "size=1M"}, "option 'size=1M' on a bind"),
        ("options", {"target": "/a", "options": "rw", "ro": True}, "'ro' and 'rw' together"),
        ("options", {"target": "/a", "options": "dev", "nodev": True}, "'dev' and 'nodev'"),
        ("options", {"target": "/a", "options": "noatime,,"}, "option ''"),
        ("options", {"target": "/a", "fs": "tmpfs", "rbind": True}, "'rbind' on tmpfs"),
    ],
)
async def test_form_says_what_is_wrong_as_one_types(
    where: str, values: dict[str, Any], said: str
) -> None:
    app = DialogHost(form())
    async with app.run_test(size=SMALL) as pilot:
        for ident, value in values.items():
            if isinstance(value, bool):
                switch(app, ident).value = value
            else:
                field(app, ident).value = value
        await pilot.pause()
        assert said in problem(app, where)
        assert "✗" in screen_text(app)
        app.screen.query_one("#go").focus()
        await press(pilot, "enter")
        assert app.answer == OPEN
        assert focused(app) == where


@pytest.mark.slow
async def test_form_without_a_target_goes_nowhere() -> None:
    app = DialogHost(form())
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "enter")
        assert app.answer == OPEN
        assert "expected an absolute path" in problem(app, "target")


@pytest.mark.slow
async def test_form_says_what_is_at_the_target() -> None:
    app = DialogHost(form(inspect_target=lambda target: f"a file at {target}"))
    async with app.run_test(size=SMALL) as pilot:
        field(app, "target").value = "/etc//hosts"
        await settle(pilot)
        assert "there now: a file at /etc/hosts" in screen_text(app)
        field(app, "target").value = "/tmp"
        await settle(pilot)
        assert "replaces a system point; there now: a file at /tmp" in screen_text(app)


@pytest.mark.slow
async def test_form_lives_with_an_inspection_that_fails() -> None:
    def fail(target: str) -> str:
        raise ChrootError("cannot look")

    app = DialogHost(form(inspect_target=fail, complete_inside=fail))
    async with app.run_test(size=SMALL) as pilot:
        await type_text(pilot, "/a")
        await settle(pilot)
        await settle(pilot, "enter")
        assert app.answer == Bind("/a", "/a", origin="chroot.toml")


@pytest.mark.slow
async def test_form_completes_source_and_target(tmp_path: Path) -> None:
    (tmp_path / "music").mkdir()
    (tmp_path / "m\x1bad").mkdir()
    app = DialogHost(
        form(complete_host=path_completion.on_host, complete_inside=lambda _: ["/opt/"])
    )
    async with app.run_test(size=(160, 40)) as pilot:
        await type_text(pilot, "/o")
        await settle(pilot)
        await press(pilot, "right")
        assert field(app, "target").value == "/opt/"
        field(app, "source").focus_entry()
        source = field(app, "source")
        source.value = f"{tmp_path}/m"
        source.query_one(Input).cursor_position = len(source.value)
        await settle(pilot)
        await press(pilot, "right")
        assert source.value == f"{tmp_path}/music/"


@pytest.mark.slow
async def test_form_says_as_one_types_what_is_not_allowed() -> None:
    def refuse(bind: Bind) -> Problem | None:
        if bind.source.startswith("/root"):
            return Problem("policy.toml:2: deny_sources has /root", "remove the entry")
        if bind.source == "/home" and not bind.read_only:
            return Problem("policy.toml:3: read_only_sources has /home", "add the option ro")
        return None

    app = DialogHost(form(refuse=refuse))
    async with app.run_test(size=SMALL) as pilot:
        await type_text(pilot, "/a")
        field(app, "source").value = "/root"
        await until(pilot, lambda: "deny_sources has /root" in problem(app, "source"))
        await press(pilot, "enter")
        assert app.answer is OPEN
        field(app, "source").value = "/home"
        await until(pilot, lambda: "read_only_sources has /home" in problem(app, "source"))
        await pilot.click("#ro")
        await until(pilot, lambda: not problem(app, "source"))
        await pilot.click("#go")
        await until(pilot, lambda: app.answer is not OPEN)
        assert app.answer == Bind("/a", "/home", options=("ro",), origin="chroot.toml")


async def test_the_same_path_is_the_same_when_the_target_is_changed() -> None:
    app = DialogHost(form(make("/op", "/op", origin="chroot.toml")))
    async with app.run_test(size=SMALL) as pilot:
        assert field(app, "source").value == ""
        field(app, "target").value = "/opt"
        await settle(pilot, "enter")
        assert isinstance(app.answer, Bind)
        assert (app.answer.target, app.answer.source) == ("/opt", "/opt")
