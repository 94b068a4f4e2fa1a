"""What can be done in the UI: a module for each verb or family.

A new one is a module here that says what is done, in functions of a `Session`, and lists it as
`Action`s with key and words; a line in ACTIONS, which makes it a binding of the main screen and an
entry of the palette; and, where it has a key, a row in settings/keymap.py, which users rebind by.
What a pane asks for by a message of its own is routed by `Workspace` to a function here.
"""

from __future__ import annotations

from . import (
    archives,
    base_directory,
    binds,
    boot,
    columns,
    commands,
    copies,
    create,
    delete,
    doctor,
    hosts,
    panels,
    repeat_and_undo,
    root,
    settings,
    snapshots,
    switch,
    tags,
    trash,
    usage,
)
from .action import Action

ACTIONS: dict[str, Action] = {
    action.id: action
    for action in (
        *switch.ACTIONS,
        *commands.ACTIONS,
        *panels.ACTIONS,
        *binds.ACTIONS,
        *create.ACTIONS,
        *copies.ACTIONS,
        *archives.ACTIONS,
        *snapshots.ACTIONS,
        *tags.ACTIONS,
        *usage.ACTIONS,
        *delete.ACTIONS,
        *trash.ACTIONS,
        *doctor.ACTIONS,
        *repeat_and_undo.ACTIONS,
        *hosts.ACTIONS,
        *root.ACTIONS,
        *base_directory.ACTIONS,
        *boot.ACTIONS,
        *columns.ACTIONS,
        *settings.ACTIONS,
    )
}
"""By their ids, in the order of the footer and the palette."""
