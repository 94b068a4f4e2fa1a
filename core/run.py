"""The only place that starts other programs.

Always an argument list, an explicit environment and no stdin unless asked; always a process group
of its own, ended by TERM and then KILL when the caller cancels; never a shell.
"""

from __future__ import annotations
