"""Words that are a shell's own: there is no program of that name, so that nothing can be started.

Loaded only when something went wrong, or where a command is typed.
"""

from __future__ import annotations

_WORDS = """\
if then else elif fi for while until do done case esac { }
. : alias bg break cd command continue eval exec exit export fg getopts hash jobs local read
readonly return set shift times trap type ulimit umask unalias unset wait
"""
_MORE_OF_BASH = """\
[[ declare dirs function let popd pushd select shopt source typeset
"""
_OF_BASH = frozenset(_MORE_OF_BASH.split())
SHELL_WORDS = _OF_BASH.union(_WORDS.split())
"""Reserved words and built-in commands of sh and bash that Debian has no program for."""


def shell_of(word: str) -> str:
    """Return which shell knows one of them."""
    return "bash" if word in _OF_BASH else "sh"
