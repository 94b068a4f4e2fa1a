"""`chroot-tool completion`: the script that has a shell complete our words."""

from __future__ import annotations

import sys

from ... import exits
from ..arguments import add_examples, stay_here

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

_SHELLS = ("bash", "zsh", "fish")


def add_options(parser: ArgumentParser) -> None:
    """Give the parser of `completion` its options."""
    parser.add_argument("shell", metavar="SHELL", choices=_SHELLS, help=", ".join(_SHELLS))
    add_examples(
        parser,
        "source <(chroot-tool completion bash)       for this shell; in ~/.bashrc for all",
        "source <(chroot-tool completion zsh)        behind compinit in ~/.zshrc",
        "chroot-tool completion fish >~/.config/fish/completions/chroot-tool.fish",
    )


def execute(arguments: Namespace) -> int:
    """Print the script; return the exit code."""
    stay_here(arguments, "a shell here completes by a script from here", "leave -H out")
    from ..completion import bash, fish, zsh
    from ..completion.grammar import read, verbs
    from .help import PAGES

    shell = {"bash": bash, "zsh": zsh, "fish": fish}[arguments.shell]
    whole = arguments.whole()
    sys.stdout.write(shell.script(read(whole), tuple(verbs(whole, PAGES))))
    return exits.DONE
