"""What the help says: the keys that apply now, as they are bound, in the words of docs/keys.md.

First what the focused pane has, in the order of use, then what holds everywhere, then moving.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...widgets.panes.help_panel import Help, KeyGroup
from ..settings.keymap import BINDINGS, ENVIRONMENTS, EVERYWHERE, MOVING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from textual.app import App

    from .actions.action import Action

_OF_TEXTUAL = (
    ("app.focus_next", "next pane; shift: back"),
    ("screen.copy_text", "copy what is selected"),
)
"""Actions of Textual's own bindings, which have no ids."""
_TOGETHER: Mapping[tuple[str, ...], str] = {
    (
        "environments.shell",
        "environments.shell_full",
        "environments.shell_ephemeral",
    ): "shell, full or throw-away",
    ("environments.run", "panels.attach"): "run a command; panel back",
    ("environments.create", "environments.delete"): "new chroot, delete one",
    ("environments.clone", "environments.rename"): "clone, rename",
    ("environments.pack", "environments.unpack"): "pack, unpack an archive",
    (
        "environments.snapshots",
        "environments.usage",
        "environments.doctor",
    ): "snapshots, disk, doctor",
    ("row.menu", "row.copy"): "what can be done; copy it",
    ("environments.toggle", "environments.plan"): "on / off; only shown",
    ("mounts.toggle", "mounts.plan"): "(un)mount it; only shown",
    (
        "environments.mark",
        "environments.mark_matching",
        "environments.group",
    ): "mark; by name; groups",
    ("commands.show", "commands.repeat", "commands.undo"): "what was done; redo; undo",
    ("hosts", "base", "columns"): "hosts, base, columns",
    ("app.help", "app.close_help"): "these keys; close them",
    ("table.down", "table.up"): "a row down, up",
    ("table.page_down", "table.page_up"): "a page down, up",
    ("table.first", "table.last"): "the first row, the last",
    ("output.left", "output.right"): "scroll left, right",
    ("table.sort_previous", "table.sort_next"): "sort by another column",
    ("pane.1", "pane.2", "pane.3", "pane.4", "pane.5"): "overview … log, by number",
    ("tab.previous", "tab.next"): "the tab before, the next",
    ("panel.match_before", "panel.match_after"): "the place before, after",
    ("overview.match_after", "overview.match_before"): "the place after, before",
    ("panel.page_up", "panel.page_down"): "scroll up, down",
    ("panel.grow", "panel.shrink"): "more room, less; kept",
}
"""What is said of keys that are shown in one line."""


def tell(app: App[Any]) -> Help:
    """Return what there is to say where the focus is."""
    keys = _keys(app)
    near = app.screen.focused.ancestors_with_self if app.screen.focused else []
    about = next((node.HELP for node in near if node.HELP), "")
    here = [one for one in BINDINGS if one.id in keys and one.place not in (EVERYWHERE, MOVING)]
    wide = [one for one in BINDINGS if one.id in keys and one.place == EVERYWHERE]
    places = list(dict.fromkeys(one.place for one in here))
    first = [(one.id, one.does) for one in here]
    general = [(one.id, one.does) for one in wide]
    if ENVIRONMENTS in places:  # what is done to an environment is what this pane is for
        first += [row for row in general if row[0].startswith("environments.")]
        general = [row for row in general if row not in first]
    general += [(one.id, one.label) for one in _own(app) if one.id in keys]
    moving = [(one.id, one.does) for one in BINDINGS if one.place == MOVING]
    groups = (
        (places[0] if places else "", first),
        (EVERYWHERE, general),
        (MOVING, [*moving, *_OF_TEXTUAL]),
    )
    told = (KeyGroup(title, tuple(_entries(rows, keys))) for title, rows in groups)
    title = next((node.BINDING_GROUP_TITLE for node in near if node.BINDING_GROUP_TITLE), "")
    return Help(title, about, tuple(group for group in told if group.keys))


def _own(app: App[Any]) -> Iterable[Action]:
    """Return the commands of the user's own, where the main screen is there."""
    from .screen.main_screen import MainScreen

    return app.screen.doing.own.values() if isinstance(app.screen, MainScreen) else ()


def _keys(app: App[Any]) -> dict[str, list[str]]:
    """Return the keys that there are, as they are shown, by the ids, or actions, of their bindings.

    Also those of what can't be done now: what one learns here holds elsewhere.
    """
    keys: dict[str, list[str]] = {}
    for one in app.screen.active_bindings.values():
        shown = app.get_key_display(one.binding)
        known = keys.setdefault(one.binding.id or one.binding.action, [])
        if shown not in known and (one.binding.id or not known):
            known.append(shown)
    return keys


def _entries(
    rows: Iterable[tuple[str, str]], keys: Mapping[str, list[str]]
) -> Iterable[tuple[str, str]]:
    """Yield a line for each of *rows* that has keys, one for those that are told together."""
    heads = {ids[0]: ids for ids in _TOGETHER if all(keys.get(ident) for ident in ids)}
    others = {ident for ids in heads.values() for ident in ids[1:]}
    for ident, does in rows:
        if ident in heads:
            ids = heads[ident]
            yield " ".join(keys[each][0] for each in ids), _TOGETHER[ids]
        elif keys.get(ident) and ident not in others:
            yield " ".join(keys[ident]), does
