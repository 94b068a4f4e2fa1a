"""A terminal in a pane: emulator, scrollback, colours, the command in its pty."""
