"""The command line and the terminal UI: they put core and widgets together, print, and exit.

Chroots are looked at and changed by the `Engine` alone; `completion`, `report` and `watch` look at
the base directory besides. Of `core.kernel` they have what reads the user's own files, follows
them, and waits no longer than it may for what does not answer.
"""
