"""The keys of looking, which hold wherever one is on the main screen; those of actions come later.

See `AllActions.use`.
"""

from __future__ import annotations

from textual.binding import Binding

KEYS = (
    Binding("slash", "filter", "filter", id="environments.filter", show=False,
            tooltip="Show only what matches"),
    Binding("plus", "mark_matching", "mark by name", id="environments.mark_matching",
            show=False, tooltip="Mark all that have a name like that"),
    Binding("1", "tab('overview')", "overview", id="pane.1", show=False,
            tooltip="Its facts, what is wrong with it, what it has been doing"),
    Binding("2", "tab('mounts')", "mounts", id="pane.2", show=False,
            tooltip="What is mounted in it, and what should be"),
    Binding("3", "tab('processes')", "processes", id="pane.3", show=False,
            tooltip="What runs in it"),
    Binding("4", "dock", "jobs", id="pane.4", show=False,
            tooltip="Show or hide what is being done"),
    Binding("5", "tab('log')", "log", id="pane.5", show=False,
            tooltip="What happened to it: on, off, processes, packages"),
    Binding("left_square_bracket", "step_tab(-1)", "previous tab", id="tab.previous",
            show=False, tooltip="The tab before, in the details"),
    Binding("right_square_bracket", "step_tab(1)", "next tab", id="tab.next", show=False,
            tooltip="The tab after, in the details"),
    Binding("y", "copy", "copy", id="row.copy", show=False,
            tooltip="Copy the path, row or message"),
    Binding("m,enter", "menu", "menu", id="row.menu",
            tooltip="What can be done with what is under the cursor, and why the rest can't"),
    Binding("escape", "leave", "chroots", id="pane.leave", show=False,
            tooltip="From any other pane back to the chroots"),
)  # fmt: skip
