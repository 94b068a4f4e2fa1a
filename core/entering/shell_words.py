"""Words that are a shell's own: there is no program of that name, so that nothing can be started.

Loaded only when something went wrong, or where a command is typed.
"""

from __future__ import annotations

_WORDS = """\
if then else elif fi for while until do done case esac select function time { } [[
. : alias bg break cd command continue declare dirs eval exec exit export fg getopts hash
jobs let local popd pushd read readonly return set shift shopt source times trap type
typeset ulimit umask unalias unset wait
"""
SHELL_WORDS = frozenset(_WORDS.split())
"""Reserved words and built-in commands of sh and bash that Debian has no program for."""
