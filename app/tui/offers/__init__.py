"""What can be done where the focus is, and why the rest can't be: keys, footer, menu."""
