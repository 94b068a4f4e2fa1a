"""The real shells: what they complete a line to, by the script that chroot-tool has for each."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path

from .outer_terminal import Terminal

_BASH = r"""
PS1= PROMPT_COMMAND=
bind 'set bell-style none'
bind 'set enable-bracketed-paste off'
bind '"\C-x1": insert-completions'
shown() { printf '\n<%s>\n' "$READLINE_LINE"; READLINE_LINE= READLINE_POINT=0; }
bind -x '"\C-x2": shown'
"""
"""All that is offered is put into the line, quoted as the program would need it."""

_ZSH = r"""
PS1= ; unsetopt PROMPT_SP PROMPT_CR ; zle_bracketed_paste=()
autoload -U compinit; compinit -u -D
typeset -a offered
compadd() {
    local -a hits
    builtin compadd -O hits "$@"
    offered+=("${(q)hits[@]}")
    builtin compadd "$@"
}
shown() { print -r -- $'\n'"<${(j: :)offered}>"; offered=() BUFFER= ; }
zle -N shown
bindkey '^X1' complete-word
bindkey '^X2' shown
"""
"""What any completer offers is taken down on its way."""

_FISH = 'source $argv[1]; string split -f1 \\t -- (complete -C "$argv[2]")'


class Shell:
    """bash, zsh or fish with the completion of chroot-tool loaded. A context manager."""

    def __init__(self, name: str, script: Path, env: Mapping[str, str], folder: Path) -> None:
        self.name = name
        self._script = script
        self._folder = folder
        self._env = {**env, "HOME": str(folder), "TERM": "vt100"}
        self._terminal: Terminal | None = None
        if name == "fish":
            # It makes its own directories there, for itself alone.
            self._env |= {"XDG_CONFIG_HOME": f"{folder}/config", "XDG_DATA_HOME": f"{folder}/data"}
            return
        setup = folder / ".zshrc"
        own = {"bash": _BASH, "zsh": _ZSH}[name]
        cd = f"cd {shlex.quote(str(folder))}"
        setup.write_text(f"{own}\n{cd}\nsource {shlex.quote(str(script))}\necho '<ready>'\n")
        if name == "bash":
            argv = ["bash", "--noprofile", "--rcfile", str(setup), "-i"]
        else:
            argv = ["zsh", "-d", "-i"]
        self._terminal = Terminal(argv, {**self._env, "ZDOTDIR": str(folder)})
        self._terminal.wait_for("<ready>")

    def __enter__(self) -> Shell:
        return self

    def __exit__(self, *_: object) -> None:
        if self._terminal:
            self._terminal.close()

    def complete(self, line: str) -> set[str]:
        """The words that are offered at the end of *line*, as the program would get them."""
        if self._terminal is None:
            argv = ["fish", "--no-config", "-c", _FISH, "--", str(self._script), line]
            done = subprocess.run(
                argv, env=self._env, cwd=self._folder, capture_output=True, text=True, check=False
            )
            assert not done.stderr, done.stderr
            return {word.strip() for word in done.stdout.splitlines()}
        self._terminal.type(f"{line}\x181\x182")
        said = self._terminal.wait_for(r"\n<([^\n]*)>\r?\n")[1]
        words = set(shlex.split(said))
        return words - set(shlex.split(line)) if self.name == "bash" else words
