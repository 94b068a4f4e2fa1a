"""The panes of the main screen: how they share it, what they show, how the list is grouped."""
