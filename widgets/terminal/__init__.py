"""A terminal in a pane: a command in its pty, an emulator of a screen, what of it is painted when.

`terminal` is the widget. It holds its `command` (a `pty_child` whose output goes through
`flow_control`), a `view` of the `emulator` in the colours of `colors`, its `painting` at the `pace`
of the line, its `keyboard`, its `mouse` and `reading`, which scrolls, copies and searches; `tuning`
is what its process needs once. The emulator holds the `bittty_machine`, its lines as `packed_rows`
of `cells`, the short way of `plain_output` into the `scrollback`, and `user_input`. `transcript` is
scrollback and screen as one text, in which `search` finds.
"""
