"""Commands that run: in panels of the dock, in the whole terminal, on when the UI has quit."""
