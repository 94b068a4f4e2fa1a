"""The dialogs as a person meets them: keys, mouse, focus, answers, hostile text, 80x24."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from textual.app import App
from textual.screen import ModalScreen
from textual.widgets import Button, Input, OptionList

from chroot_tool.core.creating.options import CreateOptions, check_suite
from chroot_tool.core.errors import ChrootError, Problem
from chroot_tool.core.looking.snapshot import Machine
from chroot_tool.core.looking.status import ChrootStatus, MountStatus
from chroot_tool.core.process import Holder, Process
from chroot_tool.core.trees.snapshots import TreeSnapshot
from chroot_tool.widgets.dialogs.base_directory import BaseDirectoryDialog
from chroot_tool.widgets.dialogs.confirm import Confirm
from chroot_tool.widgets.dialogs.create import CreateForm, HostRules
from chroot_tool.widgets.dialogs.create_sources import Sources
from chroot_tool.widgets.dialogs.delete import DeleteDialog
from chroot_tool.widgets.dialogs.delete_several import DeleteSeveral
from chroot_tool.widgets.dialogs.dialog import Body
from chroot_tool.widgets.dialogs.field import Field
from chroot_tool.widgets.dialogs.machines import MachineRow, MachinesDialog
from chroot_tool.widgets.dialogs.pack import PackDialog, Packing
from chroot_tool.widgets.dialogs.place import Place, PlaceDialog
from chroot_tool.widgets.dialogs.quit import QuitDialog
from chroot_tool.widgets.dialogs.run_prompt import RunPrompt, RunRequest
from chroot_tool.widgets.dialogs.snapshots import (
    REMOVE,
    RESTORE,
    TAKE,
    SnapshotsDialog,
    SnapshotWish,
)
from chroot_tool.widgets.dialogs.stop_processes import Holders, StopProcesses
from chroot_tool.widgets.dialogs.tags import TagsDialog
from chroot_tool.widgets.dialogs.unpack import UnpackDialog, Unpacking, name_in
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
from support.samples import DAY, HOUR, NOW, clock
from support.screen import HOSTILE, screen_lines, screen_text, stray_controls
from support.whole_ui import until


def holder(pid: int, command: str = "sleep 100", *holds: str, blocks: bool = True) -> Holder:
    return Holder(pid, "root", command, holds or ("root /",), blocks=blocks)


def status(name: str = "deb12", **facts: Any) -> ChrootStatus:
    return ChrootStatus(name, f"/srv/chroot/{name}", "on", **facts)


def mounted(target: str, real: str = "there") -> MountStatus:
    return MountStatus(target, target, "bind", (), "system", "mounted", real=real)


def create_form(**given: Any) -> CreateForm:
    facts: dict[str, Any] = {
        "defaults": CreateOptions("bookworm", "amd64", "http://mirror.example/debian"),
        "base": "/srv/chroot",
        "taken": frozenset({"deb12"}),
        "describe": lambda path, options: (f"plan for {path}", f"suite {options.suite!r}"),
    }
    return CreateForm(**(facts | given))


def place_dialog(verb: str = "clone", **given: Any) -> PlaceDialog:
    facts: dict[str, Any] = {"notes": ("It is on.",)}
    return PlaceDialog(verb, "deb12", "/srv/chroot", frozenset({"deb12"}), **(facts | given))


KEPT = (
    TreeSnapshot("before-upgrade", NOW - 3 * HOUR, "copy", 206 << 20),
    TreeSnapshot("as-made", NOW - 2 * DAY, "reflink", 1),
)[::-1]


def snapshots_dialog(kept: tuple[TreeSnapshot, ...] = KEPT) -> SnapshotsDialog:
    return SnapshotsDialog("deb12", kept, clock=clock)


def completions(text: str) -> tuple[str, ...]:
    return tuple(path for path in ("/backup/deb.tar.xz",) if path.startswith(text))


def pack_dialog(**given: Any) -> PackDialog:
    return PackDialog(
        "deb12", "/tmp/deb12.tar.zst", "/tmp/deb12.oci", complete=completions, **given
    )


def unpack_dialog() -> UnpackDialog:
    return UnpackDialog("/srv/chroot", frozenset({"deb12"}), complete=completions)


# -- what all have in common ---------------------------------------------------------------------

ALL: dict[str, tuple[Callable[[], ModalScreen[Any]], Any]] = {
    "confirm": (lambda: Confirm("really?", ("one", "two"), action="Do it"), False),
    "danger": (lambda: Confirm("really?", ("one", "two"), action="Do it", danger=True), False),
    "busy": (lambda: StopProcesses("deb12", [holder(4711), holder(4712)]), False),
    "delete": (lambda: DeleteDialog(status(), 206 << 20), False),
    "create": (create_form, None),
    "clone": (lambda: place_dialog(switch="exact"), None),
    "pack": (pack_dialog, None),
    "unpack": (unpack_dialog, None),
    "snapshots": (snapshots_dialog, None),
    "no snapshots": (lambda: snapshots_dialog(()), None),
    "run": (lambda: RunPrompt("deb12", ("start", "stop"), ("apt update",)), None),
    "quit": (lambda: QuitDialog(("create deb13",)), "stay"),
}


@pytest.mark.parametrize("name", ALL)
async def test_escape_answers_as_if_nothing_had_been_asked(name: str) -> None:
    make, nothing = ALL[name]
    app = DialogHost(make())
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "escape")
        assert app.answer == nothing
        assert not isinstance(app.screen, ModalScreen)


FORMS: dict[str, Callable[[], ModalScreen[Any]]] = {
    **{name: make for name, (make, nothing) in ALL.items() if nothing is None},
    "rename": lambda: place_dialog("rename", value="deb12"),
    "tags": lambda: TagsDialog("deb12", ("build",)),
    "base": lambda: BaseDirectoryDialog("/srv/chroot", (), complete=completions, take=bool),
    "hosts": lambda: MachinesDialog(()),
}


async def test_a_host_that_answers_before_the_first_picture_is_shown_so() -> None:
    lost = Problem("build1 does not answer", "tried again in 2 s")
    dialog = MachinesDialog([MachineRow(Machine("build1", answers=False, problem=lost), 0)])
    app = DialogHost(dialog)
    dialog.show([MachineRow(Machine("build1", answers=True), 3)])
    async with app.run_test(size=SMALL) as pilot:
        await settle(pilot)
        assert "● open" in screen_text(app)
        assert "does not answer" not in screen_text(app)
        assert "looking only" not in screen_text(app)
        dialog.show([MachineRow(Machine("build1", answers=True, looks_only=True), 3)])
        await settle(pilot)
        assert "● open" in screen_text(app)
        assert "looking only: not root there" in screen_text(app)


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMS)
async def test_escape_asks_before_what_is_filled_in_is_lost(name: str) -> None:
    form = FORMS[name]()
    app = DialogHost(form)
    async with app.run_test(size=SMALL) as pilot:
        await settle(pilot)
        entry = next(iter(form.query(Input)))
        entry.focus()
        was = entry.value
        await type_text(pilot, "x9")
        typed = entry.value
        assert typed != was
        for keys in (("escape",), ("enter",)):  # what has the focus changes nothing
            await settle(pilot, "escape")
            assert isinstance(app.screen, Confirm)
            assert "What is filled in would be lost." in screen_text(app)
            await settle(pilot, *keys)
            assert app.screen is form
            assert (app.answer, entry.value, app.focused) == (OPEN, typed, entry)
        await settle(pilot, "escape", "right", "enter")
        assert app.answer is None


@pytest.mark.slow
async def test_escape_leaves_at_once_what_is_as_it_was_and_cancel_in_any_case() -> None:
    app = DialogHost(place_dialog("rename", value="deb12", switch="exact"))
    async with app.run_test(size=SMALL) as pilot:
        await settle(pilot, "x", "tab", "space", "escape")
        assert isinstance(app.screen, Confirm)
        await settle(pilot, "enter", "space", "shift+tab", "backspace", "escape")
        assert app.answer is None
    for make in (create_form, place_dialog, snapshots_dialog, lambda: TagsDialog("deb12", ())):
        form = make()
        app = DialogHost(form)
        async with app.run_test(size=SMALL) as pilot:
            await settle(pilot)
            next(iter(form.query(Input))).value = "typed"
            await settle(pilot)
            for one in form.query(Button):
                if str(one.label) in ("Cancel", "Close"):
                    one.press()
            await settle(pilot)
            assert app.answer is None


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
async def test_every_button_is_on_the_screen_and_reached_by_tab(name: str) -> None:
    app = DialogHost(ALL[name][0]())
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        wanted = {str(b.id) for b in app.screen.query(Button) if not b.disabled}
        for one in app.screen.query(Button):
            assert app.screen.region.contains_region(one.region)
            assert str(one.label) in screen_text(app)
        seen = set()
        for _ in range(20):
            seen.add(focused(app))
            await press(pilot, "tab")
        assert wanted <= seen


@pytest.mark.parametrize("name", ALL)
async def test_keys_of_the_app_below_do_not_get_through(name: str) -> None:
    app = DialogHost(ALL[name][0]())
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "q")
        assert app.answer == OPEN
        assert not app.leaked


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("size", [(80, 24), (160, 50), (40, 10)])
async def test_frame_stays_on_the_screen_and_shows_its_keys(
    name: str, size: tuple[int, int]
) -> None:
    app = DialogHost(ALL[name][0]())
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        frame = app.screen.query_one(".dialog--frame")
        assert app.screen.region.contains_region(frame.region)
        assert "esc" in screen_lines(app)[frame.region.bottom - 1]
        for one in app.screen.query(Button):
            assert frame.region.contains_region(one.region)


@pytest.mark.parametrize("name", ALL)
async def test_bindings_have_ids_and_say_what_they_do(name: str) -> None:
    app = DialogHost(ALL[name][0]())
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        for _, binding in app.screen._bindings:
            if binding.id is not None:
                assert "." in binding.id
                assert binding.description
                assert binding.tooltip
        assert any(binding.id == "dialog.cancel" for _, binding in app.screen._bindings)


@pytest.mark.parametrize("name", ALL)
async def test_a_second_answer_is_no_answer(name: str) -> None:
    dialog = ALL[name][0]()
    app = DialogHost(dialog)
    async with app.run_test(size=SMALL) as pilot:
        dialog.action_cancel()  # type: ignore[attr-defined]  # of Dialog
        dialog.action_cancel()  # type: ignore[attr-defined]
        await pilot.pause()
        assert len(app.answers) == 1


def hostile_dialogs(text: str) -> list[ModalScreen[Any]]:
    process = Process(1, text, text, 0.0, 0, 0.0)
    mount = MountStatus(text, text, text, (), "foreign", "foreign", text, text)
    chroot = ChrootStatus(text, text, "on", text, (mount,), (process,))
    return [
        Confirm(text, (text,), action=text, danger=True),
        StopProcesses(text, [Holder(1, text, text, (text,) * 5)]),
        DeleteDialog(chroot, None),
        create_form(
            defaults=CreateOptions(text, text, text, text, (text,), (text,), text, text), base=text
        ),
        PackDialog(text, text, text, complete=lambda _: (text,)),
        UnpackDialog(text, frozenset(), complete=lambda _: (text,)),
        SnapshotsDialog(text, (TreeSnapshot(text, 0.0, text, 1),)),
        PlaceDialog("clone", text, text, frozenset(), value=text),
        RunPrompt(text, (text,), (text + " again",)),
        QuitDialog((text,)),
        MachinesDialog(
            [MachineRow(Machine(text, answers=False, problem=Problem(text, text)), 1)],
            known=(text,),
        ),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_text_is_shown_and_does_nothing(text: str) -> None:
    first, *others = hostile_dialogs(text)
    app = DialogHost(first)
    async with app.run_test(size=SMALL) as pilot:
        for dialog in (first, *others):
            if dialog is not first:
                await app.push_screen(dialog, app.answers.append)
            await pilot.pause()
            assert stray_controls(app) == []
            for one in dialog.query(Input):
                one.value = text  # as a completion or an entry of a file would
            await pilot.pause()
            assert stray_controls(app) == []
            await settle(pilot, "escape")
            if app.screen is not dialog and isinstance(app.screen, Confirm):
                await settle(pilot, "right", "enter")  # of what was typed
            assert app.answers.pop() in (None, False, "stay")


# -- confirm -------------------------------------------------------------------------------------


async def test_confirm_focuses_the_action_where_it_does_no_harm() -> None:
    app = DialogHost(Confirm("apply", ("mounts /src",), action="Apply"))
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "enter")
        assert app.answer is True


async def test_confirm_focuses_cancel_where_it_does() -> None:
    app = DialogHost(Confirm("apply", ("mounts /src",), action="Apply", danger=True))
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "enter")
        assert app.answer is False


@pytest.mark.parametrize("keys", [("right", "enter"), ("l", "enter"), ("tab", "enter")])
async def test_confirm_by_two_keys(keys: tuple[str, ...]) -> None:
    app = DialogHost(Confirm("apply", ("mounts /src",), action="Apply", danger=True))
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, *keys)
        assert app.answer is True


async def test_left_goes_back_to_cancel() -> None:
    app = DialogHost(Confirm("apply", (), action="Apply"))
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "left", "enter")
        assert app.answer is False


@pytest.mark.parametrize(("ident", "answer"), [("act", True), ("cancel", False)])
async def test_confirm_by_mouse(ident: str, answer: bool) -> None:
    app = DialogHost(Confirm("apply", ("mounts /src",), action="Apply", danger=True))
    async with app.run_test(size=SMALL) as pilot:
        await pilot.click(f"#{ident}")
        await pilot.pause()
        assert app.answer is answer


async def test_what_of_a_line_is_wrapped_stands_below_where_it_begins() -> None:
    lines = ("$ first", f"  {'word ' * 20}last")
    async with DialogHost(Confirm("plan", lines)).run_test(size=SMALL) as pilot:
        await pilot.pause()
        shown = screen_lines(pilot.app)
        at = next(line.index("$ first") for line in shown if "$ first" in line)
        rest = [line[at:] for line in shown if "word" in line]
        assert len(rest) > 1
        assert all(line.startswith("  word") for line in rest)
        assert "last" in rest[-1]


async def test_long_text_scrolls_and_the_buttons_stay() -> None:
    app = DialogHost(Confirm("much", [f"line {i}" for i in range(100)], action="Go", danger=True))
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        assert "line 0" in screen_text(app)
        assert "line 99" not in screen_text(app)
        await press(pilot, *["pagedown"] * 12)
        assert "line 99" in screen_text(app)
        await press(pilot, "k")
        body = app.screen.query_one(Body)
        assert body.scroll_offset.y == body.max_scroll_y - 1
        assert "Cancel" in screen_text(app)


# -- busy ----------------------------------------------------------------------------------------


async def test_busy_lists_who_is_in_the_way_and_focuses_cancel() -> None:
    app = DialogHost(
        StopProcesses("deb12", [holder(4711, "sshd -D", "cwd /x", "fd 3 /y"), holder(7)])
    )
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        text = screen_text(app)
        assert "switching off deb12" in text
        assert "would hit these 2 processes" in text
        for part in ("4711", "root", "sshd -D", "cwd /x +1", "fd 3 /y"):
            assert part in text
        await press(pilot, "enter")
        assert app.answer is False


class WideHost(DialogHost):
    """As the terminal UI, which gives its screens classes by the width of the terminal."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (150, "-wide")]  # noqa: RUF012 (Textual's)


@pytest.mark.parametrize("width", [80, 120, 160])
async def test_only_a_large_dialog_takes_what_room_there_is(width: int) -> None:
    for dialog, wanted in (
        (StopProcesses("deb12", [holder(7)]), min(120, width * 94 // 100)),
        (Confirm("really?", ("one",), action="Do it"), 72),
    ):
        app = WideHost(dialog)
        async with app.run_test(size=(width, 24)) as pilot:
            await settle(pilot)
            assert app.screen.query_one(".dialog--frame").region.width == wanted


async def test_busy_stops_them_when_asked() -> None:
    app = DialogHost(StopProcesses("deb12", [holder(7)]))
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "right")
        assert focused(app) == "stop"
        await press(pilot, "enter")
        assert app.answer is True


async def test_busy_shows_all_that_the_marked_one_holds() -> None:
    app = DialogHost(StopProcesses("deb12", [holder(1), holder(2, "x" * 60 + "end", *"abcde")]))
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "shift+tab")
        assert isinstance(app.focused, Holders)
        assert "xend" not in screen_text(app)
        await press(pilot, "down")
        assert "xend" in screen_text(app)
        assert "and 2 more" in screen_text(app)


async def test_busy_shows_what_each_holds_without_leaving_cancel() -> None:
    both = [holder(1, "bash", "cwd /a"), holder(2, "vim", "fd 3 /b")]
    app = DialogHost(StopProcesses("deb12", both))
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        await press(pilot, "down")
        assert app.screen.query_one(Holders).cursor_row == both[1]
        assert isinstance(app.focused, Button)
        assert str(app.focused.label) == "Cancel"
        await press(pilot, "k")
        assert app.screen.query_one(Holders).cursor_row == both[0]


async def test_busy_leaves_those_alone_that_only_have_a_copy() -> None:
    app = DialogHost(StopProcesses("deb12", [holder(1), holder(2, "udevd", blocks=False)]))
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        assert app.screen.query_one(Holders).get_content_height(app.size, app.size, 70) == 2
        assert "1 more only have a copy of the mounts" in screen_text(app)


async def test_busy_copies_the_list() -> None:
    app = DialogHost(StopProcesses("deb12", [holder(1, "a\x1bb", "cwd /x"), holder(2)]))
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "y")
        assert app.clipboard == "1\\troot\\ta\\eb\\tcwd /x\n2\\troot\\tsleep 100\\troot /"


async def test_busy_with_many_keeps_its_buttons() -> None:
    app = DialogHost(StopProcesses("deb12", [holder(i) for i in range(300)]))
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        assert "Stop them" in screen_text(app)
        await press(pilot, "shift+tab", "end")
        assert app.screen.query_one(Holders).cursor_row == holder(299)


# -- delete --------------------------------------------------------------------------------------


async def test_delete_says_what_is_lost_and_what_is_in_use() -> None:
    mounts = (mounted("/proc"), mounted("/sys", real=""))
    processes = (Process(4711, "root", "sshd -D", 0.0, 0, 0.0),)
    app = DialogHost(
        DeleteDialog(status(os="Debian 12", mounts=mounts, processes=processes), 206 << 20)
    )
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        text = screen_text(app)
        for part in ("/srv/chroot/deb12", "Debian 12, 206M", "1 mount is taken off", "/proc",
                     "1 process is ended", "4711  sshd -D"):  # fmt: skip
            assert part in text
        assert "/sys" not in text


async def test_delete_without_a_size_says_so() -> None:
    app = DialogHost(DeleteDialog(status(), None))
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        assert "size not counted yet" in screen_text(app)


@pytest.mark.slow
async def test_delete_of_several_has_their_sizes_below_each_other() -> None:
    chroots = [status(name) for name in ("a", "deb12", "new")]
    app = DialogHost(DeleteSeveral(chroots, [812, 206 << 20, None]))
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        shown = [line.partition("/srv/chroot/")[2] for line in screen_lines(app)]
        assert [line.split(",")[0] for line in shown if line] == [
            "a       812",
            "deb12  206M",
            "new    size not counted yet",
        ]


async def test_delete_wants_the_name_exactly() -> None:
    app = DialogHost(DeleteDialog(status(), 0))
    async with app.run_test(size=SMALL) as pilot:
        delete = app.screen.query_one("#delete", Button)
        for typed in ("deb1", "deb12x", "Deb12", " deb12", ""):
            app.screen.query_one("#name", Input).value = typed
            await pilot.pause()
            assert delete.disabled
            await press(pilot, "enter")
            assert app.answer == OPEN
        app.screen.query_one("#name", Input).value = "deb12"
        await pilot.pause()
        assert not delete.disabled


async def test_delete_says_when_it_is_another_name() -> None:
    app = DialogHost(DeleteDialog(status(), 0))
    async with app.run_test(size=SMALL) as pilot:
        assert app.screen.query_one("#name", Input).placeholder == ""
        await type_text(pilot, "deb")
        await press(pilot, "enter")
        assert 'that is not "deb12"' in screen_text(app)
        assert focused(app) == "name"
        await type_text(pilot, "12")
        assert "that is not" not in screen_text(app)


async def test_a_placeholder_does_not_look_typed() -> None:
    app = DialogHost(RunPrompt("deb12", (), ()))
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        strips = app.screen._compositor.render_strips()
        shown = [part for strip in strips for part in strip if "as configured" in part.text]
        assert shown
        assert all(part.style is not None and part.style.italic for part in shown)


async def test_delete_takes_the_name_and_two_enters() -> None:
    app = DialogHost(DeleteDialog(status(), 0))
    async with app.run_test(size=SMALL) as pilot:
        await type_text(pilot, "deb12")
        await press(pilot, "enter")
        assert app.answer == OPEN
        assert focused(app) == "delete"
        await press(pilot, "enter")
        assert app.answer is True


async def test_delete_by_mouse_not_before_the_name_stands_there() -> None:
    app = DialogHost(DeleteDialog(status(), 0))
    async with app.run_test(size=SMALL) as pilot:
        await pilot.click("#delete")
        assert app.answer == OPEN
        await type_text(pilot, "deb12")
        await pilot.click("#delete")
        await pilot.pause()
        assert app.answer is True


async def test_delete_takes_a_name_that_no_key_types_as_it_is_shown() -> None:
    app = DialogHost(DeleteDialog(status("a\x1bb"), 0))
    async with app.run_test(size=SMALL) as pilot:
        app.screen.query_one("#name", Input).value = "a\\eb"
        await pilot.pause()
        assert not app.screen.query_one("#delete", Button).disabled


async def test_delete_keeps_the_field_in_sight_whatever_is_mounted() -> None:
    mounts = tuple(mounted(f"/m{i}") for i in range(50))
    processes = tuple(Process(i, "root", "x" * 300, 0.0, 0, 0.0) for i in range(50))
    app = DialogHost(DeleteDialog(status(mounts=mounts, processes=processes), 0, trash=7))
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        assert app.screen.region.contains_region(app.screen.query_one("#name").region)
        assert "Type deb12 to delete it" in screen_text(app)
        assert "The rest can be had back." in screen_text(app)
        assert screen_text(app).count("and 47 more") == 2, "all there is to say is seen"


# -- quit ------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        (("enter",), "stay"),
        (("right", "enter"), "leave"),
        (("right", "right", "enter"), "stop"),
    ],
)
async def test_quit(keys: tuple[str, ...], answer: str) -> None:
    app = DialogHost(QuitDialog(("create deb13: 71%", "deb12: apt")))
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        assert "create deb13: 71%" in screen_text(app)
        await press(pilot, *keys)
        assert app.answer == answer


# -- create --------------------------------------------------------------------------------------


def set_field(app: App[None], ident: str, value: str) -> None:
    app.screen.query_one(f"#{ident}", Field).value = value


def problem(app: App[None], ident: str) -> str:
    found = app.screen.query_one(f"#{ident}", Field).problem
    return "" if found is None else found.message


@pytest.mark.slow
async def test_create_needs_no_more_than_a_name() -> None:
    app = DialogHost(create_form())
    async with app.run_test(size=SMALL) as pilot:
        assert focused(app) == "name"
        await type_text(pilot, "deb13")
        assert "in /srv/chroot/deb13" in screen_text(app)
        await press(pilot, "enter")
        await settle(pilot)
        assert "plan for /srv/chroot/deb13" in screen_text(app)
        assert app.answer == OPEN
        assert focused(app) == "go"
        await press(pilot, "enter")
        assert app.answer == (
            "/srv/chroot/deb13", CreateOptions(variant="minbase", backend="debootstrap")
        )  # fmt: skip


@pytest.mark.slow
async def test_create_with_every_option() -> None:
    app = DialogHost(create_form())
    async with app.run_test(size=SMALL) as pilot:
        given = {
            "name": "/big/deb", "suite": "sid", "mirror": "http://mirror.example/d",
            "arch": "arm64", "variant": "buildd", "include": "vim, less  git",
            "locales": "C.UTF-8 POSIX", "timezone": "Etc/UTC", "backend": "mmdebstrap",
        }  # fmt: skip
        for ident, value in given.items():
            set_field(app, ident, value)
        await pilot.pause()
        go = app.screen.query_one("#go", Button)
        await pilot.click(go)
        # Textual's button takes no click while it shows that it was pressed.
        await until(pilot, lambda: not (go.disabled or go.has_class("-active")))
        await pilot.pause()
        await pilot.click(go)
        await until(pilot, lambda: app.answer is not OPEN)
        assert app.answer == (
            "/big/deb",
            CreateOptions(
                "sid", "arm64", "http://mirror.example/d", "buildd", ("vim", "less", "git"),
                ("C.UTF-8", "POSIX"), "Etc/UTC", "mmdebstrap",
            ),
        )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ident", "value", "said"),
    [
        ("name", "deb12", "deb12 is there already"),
        ("name", "/srv/chroot/deb12", "deb12 is there already"),
        ("name", "a b", "holds ' '"),
        ("name", "-x", "starts with '-'"),
        ("name", "some/where", "relative path"),
        ("name", "/a$b/deb", "holds '$'"),
        ("suite", "Book worm", "no name of a suite"),
        ("mirror", "ftp://mirror.example/debian", "no http, https or file address"),
        ("mirror", "mirror.example", "no http, https or file address"),
        ("arch", "x86_64", "no architecture 'x86_64'"),
        ("include", "vim Less", "'Less' is no name of a package"),
        ("locales", "C.UTF-8 de$", "'de$' is no name of a locale"),
        ("timezone", "Mars/", "no name of a time zone"),
    ],
)
async def test_create_says_what_is_wrong_as_one_types(ident: str, value: str, said: str) -> None:
    app = DialogHost(create_form())
    async with app.run_test(size=(120, 40)) as pilot:
        set_field(app, "name", "deb13")
        set_field(app, ident, value)
        await pilot.pause()
        assert said in problem(app, ident)
        assert f"✗ {problem(app, ident)}"[:40] in screen_text(app)
        set_field(app, ident, "deb13" if ident == "name" else "")
        await pilot.pause()
        assert problem(app, ident) == ""
        assert "✗" not in screen_text(app)


@pytest.mark.slow
async def test_create_goes_to_the_first_wrong_field_instead_of_on() -> None:
    app = DialogHost(create_form())
    async with app.run_test(size=SMALL) as pilot:
        set_field(app, "arch", "nonsense")
        app.screen.query_one("#go").focus()
        await press(pilot, "enter")
        assert focused(app) == "name"
        assert problem(app, "name") == "a chroot needs a name"
        await type_text(pilot, "deb13")
        await press(pilot, "enter")
        assert focused(app) == "arch"
        assert app.answer == OPEN


@pytest.mark.slow
async def test_create_does_not_scold_before_anything_is_typed() -> None:
    app = DialogHost(create_form())
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        assert "✗" not in screen_text(app)


@pytest.mark.slow
async def test_create_judges_the_suite_by_the_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chroot_tool.core.creating.suites.known", lambda: ("bookworm", "sid"))
    app = DialogHost(create_form(host=HostRules(suite=check_suite)))
    async with app.run_test(size=SMALL) as pilot:
        set_field(app, "suite", "bokworm")
        await pilot.pause()
        assert "knows no suite 'bokworm'" in problem(app, "suite")
        assert "did you mean" in screen_text(app)
        set_field(app, "backend", "mmdebstrap")
        await pilot.pause()
        assert problem(app, "suite") == ""


@pytest.mark.slow
async def test_create_suggests_suites() -> None:
    app = DialogHost(create_form(host=HostRules(suites=lambda: ("bookworm", "sid"))))
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "tab")
        await type_text(pilot, "boo")
        await pilot.pause()
        assert "bookworm" in screen_text(app)
        await press(pilot, "right")
        assert app.screen.query_one("#suite", Field).value == "bookworm"


@pytest.mark.slow
async def test_up_and_down_go_from_field_to_field_and_open_no_menu() -> None:
    app = DialogHost(create_form())
    async with app.run_test(size=SMALL) as pilot:
        order = []
        for _ in range(9):
            order.append(focused(app))
            await press(pilot, "down")
        assert order == [
            "name", "suite", "mirror", "arch", "variant", "include", "locales", "timezone",
            "backend",
        ]  # fmt: skip
        await press(pilot, "up", "up")
        assert focused(app) == "timezone"


@pytest.mark.slow
async def test_a_choice_opens_with_enter_and_takes_the_marked_one() -> None:
    app = DialogHost(create_form())
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "down", "down", "down", "down")
        assert focused(app) == "variant"
        await press(pilot, "enter")
        await press(pilot, "down", "enter")
        assert app.screen.query_one("#variant", Field).value == "buildd"
        await press(pilot, "enter")
        await press(pilot, "escape")
        assert app.answer == OPEN


@pytest.mark.slow
async def test_what_keys_do_is_said_in_the_words_of_the_buttons() -> None:
    host = DialogHost(snapshots_dialog())
    async with host.run_test(size=SMALL) as pilot:
        await settle(pilot)
        assert "Close" in screen_text(host)
        assert "esc close" in screen_text(host)
    host = DialogHost(create_form())
    async with host.run_test(size=SMALL) as pilot:
        await settle(pilot)
        assert "show the plan · esc cancel" in screen_text(host)
        await type_text(pilot, "new")
        await settle(pilot, "enter")
        assert "esc back" in screen_text(host)
        assert "esc cancel" not in screen_text(host)
        await settle(pilot, "escape")
        assert "show the plan · esc cancel" in screen_text(host)


@pytest.mark.slow
async def test_create_goes_back_from_the_plan_with_all_that_was_typed() -> None:
    app = DialogHost(create_form())
    async with app.run_test(size=SMALL) as pilot:
        await type_text(pilot, "deb13")
        await press(pilot, "enter")
        await settle(pilot)
        await press(pilot, "escape")
        assert app.answer == OPEN
        assert "plan for" not in screen_text(app)
        assert focused(app) == "name"
        assert app.screen.query_one("#name", Field).value == "deb13"


@pytest.mark.slow
async def test_create_goes_back_from_the_plan_to_where_one_was() -> None:
    app = DialogHost(create_form())
    async with app.run_test(size=SMALL) as pilot:
        await type_text(pilot, "deb13")
        field(app, "timezone").focus_entry()
        await pilot.pause()
        await settle(pilot, "enter")
        assert "plan for" in screen_text(app)
        await press(pilot, "escape")
        assert focused(app) == "timezone"
        assert "Time zone" in screen_text(app)
        await settle(pilot, "tab", "tab", "tab", "enter")
        assert "plan for" in screen_text(app)
        await press(pilot, "escape")
        assert focused(app) == "go"


@pytest.mark.slow
async def test_create_says_how_quick_it_will_be_only_of_what_can_be_made() -> None:
    def outlook(options: CreateOptions) -> str:
        return f"quick: {options.suite}"

    sources = Sources(outlook=outlook)
    app = DialogHost(create_form(host=HostRules(check_suite), sources=sources))
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        field(app, "suite").value = "bookworm"
        await until(pilot, lambda: "quick: bookworm" in screen_text(app))
        field(app, "suite").value = "bookworms"
        await until(pilot, lambda: "quick" not in screen_text(app))
        field(app, "suite").value = "sid"
        await until(pilot, lambda: "quick: sid" in screen_text(app))


@pytest.mark.slow
@pytest.mark.parametrize("error", [ChrootError("dpkg failed", "mend dpkg"), ValueError("odd")])
async def test_create_without_a_plan_says_why_and_creates_nothing(error: Exception) -> None:
    def fail(path: str, options: CreateOptions) -> tuple[str, ...]:
        raise error

    app = DialogHost(create_form(describe=fail))
    async with app.run_test(size=SMALL) as pilot:
        await type_text(pilot, "deb13")
        await press(pilot, "enter")
        await settle(pilot)
        text = screen_text(app)
        assert "✗" in text
        assert str(error) in text
        assert app.screen.query_one("#go", Button).disabled
        await press(pilot, "enter")
        assert focused(app) == "name"


@pytest.mark.slow
async def test_enter_while_the_plan_is_made_neither_goes_back_nor_agrees() -> None:
    made = threading.Event()

    def describe(path: str, options: CreateOptions) -> tuple[str, ...]:
        assert made.wait(60)
        return (f"plan for {path}",)

    app = DialogHost(create_form(describe=describe))
    async with app.run_test(size=SMALL) as pilot:
        try:
            await type_text(pilot, "deb13")
            await pilot.press("enter", "enter", "enter")
            assert "looking at the host" in screen_text(app)
        finally:
            made.set()
        await settle(pilot)
        assert "plan for /srv/chroot/deb13" in screen_text(app)
        assert focused(app) == "go"
        assert app.answer == OPEN


# -- run -----------------------------------------------------------------------------------------


@pytest.mark.slow
async def test_run_takes_what_is_typed() -> None:
    app = DialogHost(RunPrompt("deb12", ("start",), ()))
    async with app.run_test(size=SMALL) as pilot:
        assert focused(app) == "line"
        await type_text(pilot, "apt update")
        await press(pilot, "enter")
        assert app.answer == RunRequest("apt update", ("apt", "update"))


@pytest.mark.slow
async def test_run_with_every_option() -> None:
    app = DialogHost(RunPrompt("deb12", (), ()))
    async with app.run_test(size=SMALL) as pilot:
        given = {"line": "/bin/ls -l 'a b'", "user": "me", "cwd": "/tmp", "env": "A=1 B='x y'"}
        for ident, value in given.items():
            set_field(app, ident, value)
        await pilot.click("#go")
        await pilot.pause()
        assert app.answer == RunRequest(
            "/bin/ls -l 'a b'", ("/bin/ls", "-l", "a b"), "me", "/tmp", ("A=1", "B=x y")
        )


def offered(app: App[None]) -> list[str]:
    offers = app.screen.query_one(OptionList)
    return [str(option.prompt).split("  ", 1)[1] for option in offers.options]


@pytest.mark.slow
async def test_run_offers_scripts_then_history_each_once() -> None:
    app = DialogHost(RunPrompt("deb12", ("start", "stop"), ("top", "start", "apt update")))
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        assert offered(app) == ["start", "stop", "top", "apt update"]
        await type_text(pilot, "t")
        assert offered(app) == ["top", "start", "stop", "apt update"]
        await type_text(pilot, "op")
        assert offered(app) == ["top", "stop"]
        await type_text(pilot, "zzz")
        assert offered(app) == []
        assert not app.screen.query_one(OptionList).display


@pytest.mark.slow
async def test_run_enter_runs_the_marked_offer() -> None:
    app = DialogHost(RunPrompt("deb12", ("start", "stop"), ("apt update",)))
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "down")
        assert focused(app) == "offers"
        await press(pilot, "down", "down", "enter")
        assert app.answer == RunRequest("apt update", ("apt", "update"))


@pytest.mark.slow
async def test_run_right_puts_the_marked_offer_into_the_line() -> None:
    app = DialogHost(RunPrompt("deb12", ("start", "stop"), ("apt update",)))
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "down", "down", "right")
        assert focused(app) == "line"
        await type_text(pilot, " now")
        await press(pilot, "enter")
        assert app.answer == RunRequest("stop now", ("stop", "now"))


@pytest.mark.slow
async def test_run_up_leaves_the_offers_at_the_top() -> None:
    app = DialogHost(RunPrompt("deb12", ("start", "stop"), ()))
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "down", "down", "up")
        assert focused(app) == "offers"
        await press(pilot, "up")
        assert focused(app) == "line"


@pytest.mark.slow
async def test_run_by_mouse_on_an_offer() -> None:
    app = DialogHost(RunPrompt("deb12", ("start", "stop"), ()))
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        await pilot.click("#offers", offset=(3, 1))
        await pilot.pause()
        assert app.answer == RunRequest("stop", ("stop",))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ident", "value", "said"),
    [
        ("line", "echo 'x", "no closing quotation"),
        ("line", "''", "the command is empty"),
        ("cwd", "tmp", "relative path"),
        ("env", "A", "'A' sets no variable"),
        ("env", "=1", "sets no variable"),
        ("env", "A='", "no closing quotation"),
    ],
)
async def test_run_does_not_run_what_makes_no_sense(ident: str, value: str, said: str) -> None:
    app = DialogHost(RunPrompt("deb12", (), ()))
    async with app.run_test(size=SMALL) as pilot:
        set_field(app, "line", "ls")
        set_field(app, ident, value)
        await pilot.pause()
        assert said in problem(app, ident)
        await pilot.click("#go")
        await pilot.pause()
        assert app.answer == OPEN
        assert focused(app) == ident


async def test_run_without_a_command_stays() -> None:
    app = DialogHost(RunPrompt("deb12", (), ()))
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "enter")
        assert app.answer == OPEN


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "meaning"),
    [
        ("/bin/ls -l", "as it is, in /"),
        ("start now", "/chroot.d/start, in /chroot.d"),
        ("apt update", "/chroot.d/chroot-cmd apt …, in /chroot.d"),
        ("apt update; apt upgrade", "no shell reads ; here: sh -c '…' does"),
        ("echo $HOME", "no shell reads $HOME here: sh -c '…' does"),
        ("ls *.deb", "no shell reads *.deb here: sh -c '…' does"),
        ("find -name '*.deb'", "/chroot.d/chroot-cmd find …, in /chroot.d"),
        ("cd /tmp", "cd is a shell's own word: sh -c '…' has one read it"),
        ("sh -c 'a; b'", "/chroot.d/chroot-cmd sh …, in /chroot.d"),
        ("echo it\\'s", "/chroot.d/chroot-cmd echo …, in /chroot.d"),
    ],
)
async def test_run_says_what_the_rules_make_of_the_line(line: str, meaning: str) -> None:
    app = DialogHost(RunPrompt("deb12", ("start",), ()))
    async with app.run_test(size=SMALL) as pilot:
        set_field(app, "line", line)
        await pilot.pause()
        assert meaning in screen_text(app)


# -- fields --------------------------------------------------------------------------------------


async def test_a_paste_is_one_line_without_control_characters() -> None:
    from textual.events import Paste

    app = DialogHost(RunPrompt("deb12", (), ()))
    async with app.run_test(size=SMALL) as pilot:
        assert app.focused is not None
        app.focused.post_message(Paste("ls\x1b[2J -l\nrm x"))
        await pilot.pause()
        assert app.screen.query_one("#line", Field).value == "ls[2J -l"


async def test_each_control_character_takes_one_place_and_stays_in_the_value() -> None:
    app = DialogHost(RunPrompt("deb12", (), ()))
    async with app.run_test(size=SMALL) as pilot:
        set_field(app, "line", "a\x1bb\u202ec")
        await pilot.pause()
        assert "a\ufffdb\ufffdc" in screen_text(app)
        assert app.screen.query_one("#line", Field).value == "a\x1bb\u202ec"


# -- another name --------------------------------------------------------------------------------


@pytest.mark.slow
async def test_a_plain_name_goes_under_the_base_and_a_path_stands_for_itself() -> None:
    for typed, path in (("try", "/srv/chroot/try"), ("/mnt/../mnt/try", "/mnt/try")):
        app = DialogHost(place_dialog(switch="exact"))
        async with app.run_test(size=SMALL) as pilot:
            await type_text(pilot, typed)
            assert f"in {path}" in screen_text(app)
            await press(pilot, "enter")
            assert app.answer == Place(path)


async def test_a_name_that_will_not_do_is_refused_and_an_empty_one_only_when_it_goes_on() -> None:
    app = DialogHost(place_dialog())
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        assert "✗" not in screen_text(app)
        for typed, said in (
            ("", "a chroot needs a name"),
            ("deb12", "deb12 is there already"),
            ("./x", "is a relative path"),
            ("a b", "holds ' '"),
        ):
            app.screen.query_one(Input).value = typed
            await press(pilot, "enter")
            assert said in screen_text(app)
            assert app.answer == OPEN


@pytest.mark.slow
async def test_what_can_be_had_besides_is_a_switch() -> None:
    app = DialogHost(place_dialog(switch="keep everything"))
    async with app.run_test(size=SMALL) as pilot:
        await type_text(pilot, "try")
        await press(pilot, "tab", "space", "up", "enter")
        assert app.answer == Place("/srv/chroot/try", switched=True)


# -- pack and unpack -----------------------------------------------------------------------------


@pytest.mark.slow
async def test_pack_takes_the_default_or_another_name_by_its_ending() -> None:
    app = DialogHost(pack_dialog(on=True))
    async with app.run_test(size=SMALL) as pilot:
        assert "It is on" in screen_text(app)
        file = field(app, "file")
        for typed, said in (
            ("", "an archive needs a name"),
            ("deb.tar.zst", "is a relative path"),
            ("/backup/", "is a directory"),
            ("/backup/deb.zip", "✗"),
        ):
            file.value = typed
            await press(pilot, "enter")
            assert said in screen_text(app)
            assert app.answer == OPEN
        file.value = "/backup/deb.tar.xz"
        field(app, "exclude").value = "var/cache/apt 'home/a b'"
        switch(app, "checksum").value = True
        await press(pilot, "enter")
        assert app.answer == Packing(
            "/backup/deb.tar.xz", ("var/cache/apt", "home/a b"), checksum=True
        )


async def test_pack_makes_an_image_in_a_directory_of_its_own() -> None:
    app = DialogHost(pack_dialog())
    async with app.run_test(size=SMALL) as pilot:
        switch(app, "checksum").value = switch(app, "oci").value = True
        await pilot.pause()
        assert field(app, "file").value == "/tmp/deb12.oci"
        assert switch(app, "checksum").disabled
        switch(app, "oci").value = False
        await pilot.pause()
        assert field(app, "file").value == "/tmp/deb12.tar.zst"
        switch(app, "oci").value = True
        await press(pilot, "enter")
        assert app.answer == Packing("/tmp/deb12.oci", oci=True)


@pytest.mark.slow
async def test_unpack_completes_the_path_and_proposes_the_name() -> None:
    app = DialogHost(unpack_dialog())
    async with app.run_test(size=SMALL) as pilot:
        await type_text(pilot, "/backup")
        await settle(pilot)
        await settle(pilot, "right")
        assert field(app, "archive").value == "/backup/deb.tar.xz"
        assert field(app, "name").value == "deb"
        await press(pilot, "enter")
        assert app.answer == Unpacking("/backup/deb.tar.xz", "/srv/chroot/deb")


@pytest.mark.slow
async def test_a_name_that_is_proposed_is_typed_on_at_its_end() -> None:
    """It was typed on before it: `deb` became `newdeb`, and ctrl+u took nothing away."""
    app = DialogHost(unpack_dialog())
    async with app.run_test() as pilot:
        await pilot.press(*"/backup/deb.tar.xz", "tab", *"13", "enter")
        assert app.answer == Unpacking("/backup/deb.tar.xz", "/srv/chroot/deb13")


async def test_unpack_leaves_a_name_that_was_typed() -> None:
    app = DialogHost(unpack_dialog())
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "enter")
        assert app.answer == OPEN
        field(app, "name").value = "mine"
        field(app, "archive").value = "/backup/deb.tar.xz"
        await press(pilot, "enter")
        assert app.answer == Unpacking("/backup/deb.tar.xz", "/srv/chroot/mine")


def test_the_name_in_an_archives_name() -> None:
    assert name_in("/b/deb-202601312359.tar.zst") == "deb"
    assert name_in("/b/deb-12.tar.gz") == "deb-12"
    assert name_in("/b/deb.tgz") == "deb"
    assert name_in("/b/a b.tar.xz") == ""
    assert name_in("/b/deb") == ""
    assert name_in("") == ""


# -- snapshots -----------------------------------------------------------------------------------


async def test_snapshots_are_listed_the_newest_first_and_one_is_gone_back_to() -> None:
    app = DialogHost(snapshots_dialog())
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        text = screen_text(app)
        assert text.index("before-upgrade") < text.index("as-made")
        for said in ("3h", "206M", "2d", "shared"):
            assert said in text
        await press(pilot, "down", "enter")
        assert app.answer == SnapshotWish(RESTORE, "as-made")


@pytest.mark.parametrize(
    ("keys", "wish"),
    [
        (["d"], SnapshotWish(REMOVE, "before-upgrade")),
        (["tab", "enter"], SnapshotWish(TAKE, "")),
        (["tab", "x", "enter"], SnapshotWish(TAKE, "x")),
    ],
)
async def test_snapshots_by_keys(keys: list[str], wish: SnapshotWish) -> None:
    app = DialogHost(snapshots_dialog())
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        await press(pilot, *keys)
        assert app.answer == wish


@pytest.mark.parametrize("name", [REMOVE, RESTORE, TAKE])
async def test_snapshots_by_mouse(name: str) -> None:
    app = DialogHost(snapshots_dialog())
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        await pilot.click(f"#{name}")
        assert app.answer == SnapshotWish(name, "" if name == TAKE else "before-upgrade")


async def test_a_snapshot_of_a_name_that_is_there_is_refused() -> None:
    app = DialogHost(snapshots_dialog())
    async with app.run_test(size=SMALL) as pilot:
        field(app, "name").value = "as-made"
        await press(pilot, "tab", "enter")
        assert "'as-made' already" in screen_text(app)
        assert app.answer == OPEN


async def test_the_first_snapshot_begins_in_the_field() -> None:
    app = DialogHost(snapshots_dialog(()))
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        assert "none yet" in screen_text(app)
        await type_text(pilot, "one")
        await press(pilot, "enter")
        assert app.answer == SnapshotWish(TAKE, "one")


# -- run: throw-away, snapshot first -------------------------------------------------------------


@pytest.mark.slow
async def test_run_offers_a_snapshot_before_an_upgrade_or_none_at_all() -> None:
    app = DialogHost(RunPrompt("deb12", ("start",), ()))
    async with app.run_test(size=SMALL) as pilot:
        await type_text(pilot, "apt update")
        await pilot.pause()
        assert "snapshot first, to go back to" in screen_text(app)
        switch(app, "snapshot").value = True
        await pilot.pause()
        switch(app, "ephemeral").value = True
        await pilot.pause()
        assert not switch(app, "snapshot").value
        await press(pilot, "enter")
        assert app.answer == RunRequest("apt update", ("apt", "update"), ephemeral=True)


@pytest.mark.slow
async def test_a_user_that_there_is_not_inside_is_told_of_in_the_field() -> None:
    app = DialogHost(RunPrompt("deb12", (), (), ("root", "daemon", "builder")))
    async with app.run_test(size=SMALL) as pilot:
        user = field(app, "user")
        for wrong in ("bilder", "nobody-at-all"):
            user.value = wrong
            await settle(pilot)
            assert f"there is no user '{wrong}' inside" in screen_text(app)
        for right in ("builder", "root", "1234", ""):
            user.value = right
            await settle(pilot)
            assert "there is no user" not in screen_text(app)


async def test_where_users_are_not_known_none_is_wrong() -> None:
    app = DialogHost(RunPrompt("deb12", (), ()))
    async with app.run_test(size=SMALL) as pilot:
        field(app, "user").value = "anybody"
        await settle(pilot)
        assert "there is no user" not in screen_text(app)
