"""A terminal in a pane: a command in its pty, an emulator of a screen, what of it is painted when.

`terminal` is the widget. It holds its `command` (a `pty_child` whose output goes through
`flow_control`), a `view` of the `emulator` in the colours of `colors`, its `painting` and its
`mouse`. The emulator holds bittty's `machine`, `packing` of its lines as rows of `cells`, the short
way of `plain_output` into the `scrollback`, and `user_input`. `transcript` reads, selects and
searches.
"""
