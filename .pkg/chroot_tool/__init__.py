"""chroot-tool: light "virtual machines" as chroots, from a terminal UI, a command line or Python.

`chroot_tool.core` is the engine and knows no UI; `chroot_tool.widgets` are Textual widgets that
know no engine; `chroot_tool.app` puts the two together. The version stands here as a constant
because asking importlib.metadata for it would cost a start of the command line 38 ms.
"""

__version__ = "0.1.0"
