"""What takes one line of the screen: the status, the tabs, the keys."""
