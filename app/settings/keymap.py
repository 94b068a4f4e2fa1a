"""Every key binding as plain data: its id, its keys unless settings name others, what it does.

Users rebind by these ids, docs/keys.md prints them, and a test holds them against the BINDINGS that
the UI is made of. Textual takes unknown ids, keys that do not exist and clashes without a word
(`App.set_keymap`), so all of that is checked here and in `key_names`, without importing it:
settings are read on the way of `list` and `run`, too.
"""

from __future__ import annotations

from ...core.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

(
    MOVING, EVERYWHERE, ENVIRONMENTS, FILTER, MOUNTS, PROCESSES, JOBS, COMMANDS, PANEL, FIND,
    TERMINAL, BINDS, DIALOG,
) = (
    "Moving", "Everywhere", "Chroots", "Filter", "Mounts", "Processes", "Jobs", "Commands",
    "Run panel", "Find in a text", "Terminal", "Editor for binds", "Dialogs",
)  # fmt: skip
"""Where a binding holds; the headings of docs/keys.md."""

_WIDE = (MOVING, EVERYWHERE)
"""Places whose bindings hold in all others, too, but for those that are _APART."""
_APART = (FILTER, FIND, TERMINAL, BINDS, DIALOG)
"""Places that have all keys to themselves."""


class KeyBinding(Value):
    """One binding: `keys` are Textual's names of its default keys."""

    id: str
    keys: tuple[str, ...]
    place: str
    does: str


def _in(place: str, *rows: tuple[str, str, str]) -> tuple[KeyBinding, ...]:
    """Return bindings of one place; a row is id, keys with spaces between, and what it does."""
    return tuple(KeyBinding(ident, tuple(keys.split()), place, does) for ident, keys, does in rows)


BINDINGS = (
    *_in(
        MOVING,
        ("table.down", "j down", "a row down"),
        ("table.up", "k up", "a row up"),
        ("table.page_down", "pagedown", "a page down"),
        ("table.page_up", "pageup", "a page up"),
        ("table.first", "g home", "to the first row"),
        ("table.last", "G end", "to the last row"),
        ("output.left", "left", "output of a job: scroll left"),
        ("output.right", "right", "output of a job: scroll right"),
        ("table.sort_previous", "less_than_sign", "sort by the column before"),
        ("table.sort_next", "greater_than_sign", "sort by the next column"),
        ("table.sort_reverse", "equals_sign", "sort the other way round"),
        ("pane.1", "1", "overview"),
        ("pane.2", "2", "mounts"),
        ("pane.3", "3", "processes"),
        ("pane.4", "4", "jobs and panels, and back"),
        ("pane.5", "5", "log: what happened to it"),
        ("pane.leave", "escape", "from any other pane back to the chroots"),
        ("tab.previous", "left_square_bracket", "previous tab"),
        ("tab.next", "right_square_bracket", "next tab"),
    ),
    *_in(
        EVERYWHERE,
        ("environments.toggle", "o", "on / off, the marked ones too"),
        ("environments.plan", "O", "what on / off would do"),
        ("environments.shell", "s", "shell in a panel: to the one that runs, else a new one"),
        ("environments.shell_full", "S", "shell on the whole screen"),
        ("environments.shell_ephemeral", "x", "throw-away shell: nothing of it stays"),
        ("environments.run", "r", "run a command"),
        ("panels.attach", "A", "a panel back that was closed while its program goes on"),
        ("environments.binds", "b", "edit binds"),
        ("environments.create", "n", "new chroot"),
        ("environments.clone", "c", "clone: a copy under another name"),
        ("environments.rename", "R", "rename"),
        ("environments.pack", "p", "pack: an archive or an image of it"),
        ("environments.unpack", "u", "unpack an archive"),
        ("environments.snapshots", "v", "snapshots to go back to"),
        ("environments.tags", "L", "tags to group by"),
        ("environments.usage", "i", "what takes its disk, folder by folder"),
        ("environments.delete", "d", "delete; wants the name typed"),
        ("environments.doctor", "D", "doctor: what is in the way"),
        ("commands.show", "C", "what keys did, as command lines"),
        ("commands.repeat", "full_stop", "do the last once more"),
        ("commands.undo", "U", "take the last back, after showing how"),
        ("hosts", "H", "other machines"),
        ("base", "B", "another base directory"),
        ("columns", "vertical_line", "columns: which, and how wide"),
        ("environments.filter", "slash", "filter as you type"),
        ("environments.mark_matching", "plus", "mark by part of a name, or a pattern like deb*"),
        ("row.menu", "m enter", "a menu of what can be done"),
        ("row.copy", "y", "copy the row or command"),
        ("app.help", "question_mark", "the keys that apply here"),
        ("app.close_help", "escape", "close them; only then what it does here"),
        ("app.palette", "colon ctrl+p", "command palette"),
        ("app.quit", "q", "quit; asks while busy"),
    ),
    *_in(
        ENVIRONMENTS,
        ("details.open", "enter", "details"),
        ("environments.mark", "space", "mark"),
        ("environments.group", "number_sign", "by tags or machines, or in one list"),
        ("environments.clear", "escape", "take away the filter, then the marks"),
    ),
    *_in(
        FILTER,
        ("filter.keep", "enter down", "back to the table, filtered or marked"),
        ("filter.clear", "escape", "show all again, or have the marks from before"),
    ),
    *_in(
        MOUNTS,
        ("mounts.toggle", "o", "mount or unmount this one"),
        ("mounts.plan", "O", "what that would do"),
    ),
    *_in(
        PROCESSES,
        ("processes.term", "t", "TERM, after asking"),
        ("processes.kill", "K", "KILL, after asking"),
        ("processes.open", "l", "what it has open: files, sockets, ports"),
        ("processes.tree", "T", "each below the one that started it"),
    ),
    *_in(
        JOBS,
        ("jobs.cancel", "c", "cancel; what was done is taken back"),
        ("jobs.dismiss", "x", "take it off the list"),
        ("jobs.doctor", "D", "ask the doctor what was in the way of one that failed"),
    ),
    *_in(
        COMMANDS,
        ("log.repeat", "full_stop", "do it once more"),
        ("log.undo", "U", "take it back, after showing how"),
    ),
    *_in(
        PANEL,
        ("panel.enter", "enter", "give it the keys"),
        ("panel.again", "a", "run the command again"),
        ("panel.stop", "t", "TERM, and KILL if that is ignored"),
        ("panel.find", "slash", "search the output"),
        ("panel.save", "w", "save the output to a file"),
        ("panel.copy", "y", "copy what is selected, or what is seen"),
        ("panel.zoom", "z", "the whole screen, and back"),
        ("panel.close", "x", "close; asks while it runs"),
        ("panel.page_up", "pageup shift+pageup", "scroll up"),
        ("panel.page_down", "pagedown shift+pagedown", "scroll down"),
        ("panel.grow", "plus", "more room for jobs and panels; kept"),
        ("panel.shrink", "minus", "less room for jobs and panels; kept"),
        ("panel.leave", "escape", "end the search; else back to the chroots"),
    ),
    *_in(
        FIND,
        ("find.keep", "enter", "keep what is marked, and back to the text"),
        ("find.before", "up", "the place before"),
        ("find.after", "down", "the place after"),
        ("find.clear", "escape", "end the search, and back to what was shown"),
        ("panel.match_before", "n", "back in the panel: the place before"),
        ("panel.match_after", "N", "back in the panel: the place after"),
        ("overview.match_after", "n", "back in the overview: the place after"),
        ("overview.match_before", "N", "back in the overview: the place before"),
    ),
    *_in(
        TERMINAL,
        ("terminal.leave", "ctrl+right_square_bracket", "leave; every other key is the program's"),
        ("terminal.page_up", "shift+pageup", "scroll up"),
        ("terminal.page_down", "shift+pagedown", "scroll down"),
    ),
    *_in(
        BINDS,
        ("binds.add", "a", "add a bind"),
        ("binds.edit", "enter", "edit the entry"),
        ("binds.remove", "d", "remove the entry"),
        ("binds.ignore", "i", "leave this target out, or take it back in"),
        ("binds.presets", "p", "add the binds for X11, sound, GPU …"),
        ("binds.undo", "u", "take the last change back"),
        ("binds.editor", "E", "open the file of the entry in your editor"),
        ("binds.save", "w", "show the difference, then save"),
        ("binds.copy", "y", "copy the entry"),
    ),
    *_in(
        DIALOG,
        ("dialog.cancel", "escape", "close, and change nothing"),
        ("dialog.next", "right l", "next button"),
        ("dialog.previous", "left h", "previous button"),
        ("dialog.down", "down j", "scroll down"),
        ("dialog.up", "up k", "scroll up"),
        ("dialog.page_down", "pagedown", "scroll down a page"),
        ("dialog.page_up", "pageup", "scroll up a page"),
        ("dialog.copy", "y", "copy the list"),
        ("menu.choose", "enter", "do what is marked"),
        ("menu.down", "j", "an entry down"),
        ("menu.up", "k", "an entry up"),
        ("form.next", "down", "next field"),
        ("form.previous", "up", "previous field"),
        ("form.go_on", "enter", "go on with what is typed"),
        ("form.choose", "enter space", "open the choice"),
        ("form.menu_next", "down", "next choice"),
        ("form.menu_previous", "up", "previous choice"),
        ("presets.add", "enter", "add what is listed below"),
        ("presets.down", "j", "a preset down"),
        ("presets.up", "k", "a preset up"),
        ("hosts.show", "enter", "show the chroots of this host alone"),
        ("hosts.log_in", "l", "give ssh the terminal, for what it has to ask"),
        ("hosts.retry", "r", "connect to the host now"),
        ("hosts.remove", "d", "look at the host no more"),
        ("snapshots.restore", "enter", "go back to the snapshot, after asking"),
        ("snapshots.remove", "d", "remove the snapshot, after asking"),
        ("trash.restore", "enter", "have it back, after asking"),
        ("trash.remove", "d", "remove it for good, after asking"),
        ("columns.use", "enter", "have the columns so, and keep that"),
        ("columns.switch", "space", "show the column, or leave it out"),
        ("columns.up", "K shift+up", "put the column before the one above"),
        ("columns.down", "J shift+down", "put the column behind the one below"),
        ("columns.wider", "plus right", "a cell more for the column"),
        ("columns.narrower", "minus left", "a cell less for the column"),
        ("columns.as_needed", "0", "as many cells for the column as it needs"),
        ("usage.into", "enter right", "into the folder"),
        ("usage.back", "backspace left h", "to the folder that it is in"),
        ("usage.again", "r", "count the folder anew"),
        ("doctor.tell", "enter", "what a finding means and what mends it, or hide that"),
        ("doctor.mend", "m", "mend what is safe, after showing how"),
        ("run.run", "enter", "run the marked line"),
        ("run.take", "right", "put the marked line into the field"),
        ("run.up", "up", "a line up, or back"),
    ),
)
"""In the order of docs/keys.md."""

IDS = tuple(binding.id for binding in BINDINGS)
_KEYS = {binding.id: binding.keys for binding in BINDINGS}


def default_keys(ident: str) -> tuple[str, ...]:
    """Return the keys that the binding *ident* has unless settings name others."""
    return _KEYS[ident]


def clashes(changed: Mapping[str, tuple[str, ...]]) -> list[tuple[str, str, str]]:
    """Return (id, key, id of the other) for each key that *changed* bindings share with others.

    *changed* has the new keys by id. Two bindings clash where both hold in one place. Those that
    share a key from the start do so on purpose: what has the focus comes first, then what holds
    around it. Each pair is told once, at the later of two that were changed.
    """
    found = []
    for index, binding in enumerate(BINDINGS):
        for other in BINDINGS[:index]:
            if not meet(binding.place, other.place) or set(binding.keys) & set(other.keys):
                continue
            for key in changed.get(binding.id, binding.keys):
                if key in changed.get(other.id, other.keys):
                    one, two = (binding, other) if binding.id in changed else (other, binding)
                    found.append((one.id, key, two.id))
    return found


def meet(one: str, other: str) -> bool:
    """Tell whether bindings of these two places can hold at the same time."""
    if one == other:
        return True
    return (one in _WIDE or other in _WIDE) and one not in _APART and other not in _APART
