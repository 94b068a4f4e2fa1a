"""The list of bindings, held against the bindings of the UI, Textual's keys, and the documents."""

import importlib
import pkgutil
import string
from collections.abc import Iterator
from inspect import getmembers, isclass

import pytest
from textual._xterm_parser import XTermParser
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingsMap
from textual.dom import DOMNode
from textual.events import Key
from textual.keys import _character_to_key
from textual.widgets import Label

import chroot_tool.app
import chroot_tool.widgets
from chroot_tool.app.settings import key_names, keymap
from chroot_tool.app.settings.file import Settings
from chroot_tool.app.settings.keymap import BINDINGS, IDS, clashes, default_keys
from chroot_tool.app.tui.actions import ACTIONS
from chroot_tool.app.tui.screen.main_screen import MainScreen
from support import CHECKOUT


def classes() -> Iterator[type[DOMNode]]:
    """Every class of the UI that has bindings of its own."""
    for package in (chroot_tool.app, chroot_tool.widgets):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            module = importlib.import_module(found.name)
            for _, kind in getmembers(module, isclass):
                own = kind.__module__ == found.name and "BINDINGS" in vars(kind)
                if own and issubclass(kind, DOMNode):
                    yield kind


def bindings_of_the_ui() -> dict[str, set[tuple[str, ...]]]:
    """The default keys of each id; under "" those bindings that have none."""
    keys: dict[str, dict[type[DOMNode], tuple[str, ...]]] = {}
    for kind in classes():
        for binding in BindingsMap(vars(kind)["BINDINGS"]).key_to_bindings.values():
            for one in binding:
                mine = keys.setdefault(one.id or "", {})
                mine[kind] = (*mine.get(kind, ()), one.key)
    for action in ACTIONS.values():  # bound when all is built
        if action.key:
            keys[action.id] = {MainScreen: (action.key,)}
    return {ident: set(found.values()) for ident, found in keys.items()}


def test_the_list_is_what_the_ui_has() -> None:
    listed = {binding.id: {binding.keys} for binding in BINDINGS}
    assert bindings_of_the_ui() == listed


def test_every_id_is_there_once() -> None:
    assert len(set(IDS)) == len(IDS)


def test_only_what_is_meant_to_shares_a_key() -> None:
    shared = {
        (one.id, other.id)
        for index, one in enumerate(BINDINGS)
        for other in BINDINGS[:index]
        if set(one.keys) & set(other.keys) and one.place != keymap.DIALOG
        if keymap.meet(one.place, other.place)
    }
    assert shared == {
        ("app.close_help", "pane.leave"),
        ("environments.clear", "pane.leave"),
        ("environments.clear", "app.close_help"),
        ("panel.leave", "pane.leave"),
        ("panel.leave", "app.close_help"),
        ("mounts.toggle", "environments.toggle"),
        ("mounts.plan", "environments.plan"),
        ("jobs.cancel", "environments.clone"),
        ("jobs.dismiss", "environments.shell_ephemeral"),
        ("jobs.doctor", "environments.doctor"),
        ("panel.close", "environments.shell_ephemeral"),
        ("panel.copy", "row.copy"),
        ("panel.find", "environments.filter"),
        ("panel.grow", "environments.mark_matching"),
        ("log.repeat", "commands.repeat"),
        ("log.undo", "commands.undo"),
        ("panel.page_up", "table.page_up"),
        ("panel.page_down", "table.page_down"),
        ("details.open", "row.menu"),
        ("panel.enter", "row.menu"),
        ("overview.match_after", "panel.match_before"),
        ("overview.match_before", "panel.match_after"),
    }
    assert clashes({}) == []


def test_nothing_that_interface_md_forbids_is_bound() -> None:
    own = ("escape",)
    keys = {key for binding in BINDINGS for key in binding.keys if key not in own}
    assert {key: key_names.key_name(key)[1] for key in keys if not key_names.key_name(key)[0]} == {}


@pytest.mark.parametrize("sign", string.punctuation)
def test_signs_have_the_names_that_textual_gives_them(sign: str) -> None:
    name = _character_to_key(sign)
    assert key_names.key_name(sign)[0] == key_names.key_name(name)[0] == name
    assert key_names.shown(name) == sign


def sent(sequence: str) -> list[str]:
    return [event.key for event in XTermParser().feed(sequence) if isinstance(event, Key)]


def test_every_key_that_may_be_bound_comes_from_some_terminal() -> None:
    letters = [chr(code) for code in range(32)]
    sequences = [f"\x1b[{number}~" for number in range(40)]
    sequences += [f"\x1b[{number};{m}~" for number in range(40) for m in (2, 5)]
    sequences += [f"\x1b[1;{m}{end}" for end in "ABCDFHPQRS" for m in (2, 5)]
    sequences += [f"\x1bO{end}" for end in "ABCDFHPQRS"]
    signs = [chr(code) for code in range(32, 128)]
    known = {key for sequence in letters + sequences + signs for key in sent(sequence)}
    assert known >= key_names.NAMES


@pytest.mark.parametrize("key", ["a", "Z", "7", "ы", "é"])
def test_letters_of_any_alphabet_may_be_bound(key: str) -> None:
    assert key_names.key_name(key)[0] == key
    assert sent(key) == [key]


class Three(App[None]):
    """Three bindings, one of which has two keys."""

    BINDINGS = [  # noqa: RUF012 (Textual's own form)
        Binding("n", "note('create')", "create", id="environments.create"),
        Binding("d", "note('delete')", "delete", id="environments.delete"),
        Binding("colon,ctrl+p", "note('palette')", "palette", id="app.palette"),
    ]
    COMMAND_PALETTE_BINDING = "f12"

    def __init__(self, changed: dict[str, tuple[str, ...]]) -> None:
        super().__init__()
        self.noted: list[str] = []
        self.set_keymap(Settings(keys=tuple(changed.items())).keymap)

    def compose(self) -> ComposeResult:
        yield Label("keys")

    def action_note(self, what: str) -> None:
        self.noted.append(what)


@pytest.mark.parametrize(
    ("changed", "pressed", "noted"),
    [
        ({}, ["n", "d", "colon", "ctrl+p"], ["create", "delete", "palette", "palette"]),
        (
            {"environments.create": ("d",), "environments.delete": ("n",)},
            ["n", "d"],
            ["delete", "create"],
        ),
        ({"app.palette": ("comma",)}, ["colon", "ctrl+p", "comma"], ["palette"]),
        ({"app.palette": ("f5", "!")}, ["f5", "exclamation_mark"], ["palette", "palette"]),
        ({"environments.create": ("x", "n")}, ["n", "x"], ["create", "create"]),
    ],
)
async def test_textual_does_what_the_keymap_says(
    changed: dict[str, tuple[str, ...]], pressed: list[str], noted: list[str]
) -> None:
    app = Three(changed)
    async with app.run_test() as pilot:
        await pilot.press(*pressed)
    assert app.noted == noted


def document() -> str:
    """Return the tables of docs/keys.md."""
    places = dict.fromkeys(binding.place for binding in BINDINGS)
    return "\n".join(f"## {place}\n{_table(place)}" for place in places)


def _table(place: str) -> str:
    rows = ["| key | does | id |", "|---|---|---|"]
    for binding in BINDINGS:
        if binding.place == place:
            # A bar would end the cell, in code as well.
            keys = " ".join(f"`{key_names.shown(key)}`" for key in binding.keys).replace("|", "\\|")
            rows.append(f"| {keys} | {binding.does} | `{binding.id}` |")
    return "\n".join(rows) + "\n"


def test_the_document_is_made_of_the_list() -> None:
    text = (CHECKOUT / "docs/keys.md").read_text()
    begin, end = "<!-- keys -->\n", "<!-- /keys -->"
    assert text.partition(begin)[2].partition(end)[0] == document()


def test_unknown_ids_have_no_keys() -> None:
    with pytest.raises(KeyError):
        default_keys("app.nothing")


def test_labels_begin_with_a_small_letter() -> None:
    said = {
        one.description
        for kind in classes()
        for found in BindingsMap(vars(kind)["BINDINGS"]).key_to_bindings.values()
        for one in found
    }
    assert [text for text in said if text[:1].isupper() and not text.isupper()] == []
