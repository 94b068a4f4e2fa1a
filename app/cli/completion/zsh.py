"""The script for zsh, by its own `_arguments`."""

from __future__ import annotations

from ..options import COMPLETE
from .grammar import CHROOT, DIRECTORY, ENVIRONMENT, FILE, Argument, Verb

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_SCRIPT = r"""#compdef chroot-tool chroot-tool.sh
# zsh completion for chroot-tool, made by: chroot-tool completion zsh
# To have it in this shell: source <(chroot-tool completion zsh)

# Names of a kind, the last argument, which the tool is asked for.
_chroot-tool_names() {
    local kind=$argv[-1] value=${(Q)PREFIX}
    local -a names rest
    names=(${(f)"$(_call_program names ${(q)all[1]} @ASK@ $kind ${(q)value} ${(q)all[2,-1]})"})
    rest=(${names:#*/})
    names=(${(M)names:#*/})
    compadd "${@[1,-2]}" -a rest
    local ret=$?
    compadd "${@[1,-2]}" -S '' -a names || return ret
}

_chroot-tool_chroots() {
    local ret=1
    _chroot-tool_names "$@" @CHROOT@ && ret=0
    _files "$@" -/ && ret=0
    return ret
}

_chroot-tool_verbs() {
    local -a verbs=(
@VERBS@
    )
    _describe command verbs
}

_chroot-tool() {
    local curcontext=$curcontext context state state_descr line ret=1
    typeset -A opt_args
    # What stands before the cursor, whole: `_arguments` takes the verb's own part of it.
    local -a all=("${(@Q)words[1,CURRENT-1]}")
    _arguments -C \
@TOP@
        '1:command:_chroot-tool_verbs' '*::argument:->argument' && ret=0
    [[ $state == argument ]] && case $words[1] in
@CASES@
    esac
    return ret
}

if [[ $funcstack[1] == _chroot-tool ]]; then
    _chroot-tool "$@"
else
    compdef _chroot-tool chroot-tool chroot-tool.sh
fi
"""
_ACTIONS = {
    FILE: "_files",
    DIRECTORY: "_files -/",
    ENVIRONMENT: "_parameters -g '*export*'",
    CHROOT: "_chroot-tool_chroots",
    "": " ",
}


def script(top: Verb, verbs: Sequence[Verb]) -> str:
    """Return the whole script."""
    cases = []
    for verb in verbs:
        specs = [*map(_option, verb.options), *_words(verb)]
        cases.append(f"        {verb.name})")
        cases.append("            _arguments -s -S \\")
        cases += [f"                {spec} \\" for spec in specs]
        cases.append("                && ret=0 ;;")
    parts = {
        "VERBS": [f"        {_quoted(f'{_plain(v.name)}:{v.summary}')}" for v in verbs],
        "TOP": [f"        {_option(option)} \\" for option in top.options],
        "CASES": cases,
        "ASK": [COMPLETE],
        "CHROOT": [CHROOT],
    }
    told = _SCRIPT
    for name, lines in parts.items():
        told = told.replace(f"@{name}@", "\n".join(lines))
    return told


def _option(option: Argument) -> str:
    """Return the spec of an option, which goes for all its names but is offered once."""
    names = [_form(name, takes_value=option.takes_value) for name in option.names]
    before = "*" if option.many else f"({' '.join(option.names)})"
    after = f"[{_plain(option.short_help)}]"
    if option.takes_value:
        after += _value(option)
    if len(names) == 1:
        return _quoted(f"{'' if before.startswith('(') else before}{names[0]}{after}")
    return f"{_quoted(before)}{{{','.join(names)}}}{_quoted(after)}"


def _form(name: str, *, takes_value: bool) -> str:
    if not takes_value:
        return name
    return f"{name}=" if name.startswith("--") else f"{name}+"


def _words(verb: Verb) -> list[str]:
    return [
        _quoted(f"{'*' if word.many else number}{_value(word)}")
        for number, word in enumerate(verb.words, 1)
    ]


def _value(argument: Argument) -> str:
    if argument.choices:
        action = f"({' '.join(argument.choices)})"
    else:
        action = _ACTIONS.get(argument.kind) or f"_chroot-tool_names {argument.kind}"
    return f":{_plain(argument.metavar)}:{action}"


def _plain(text: str) -> str:
    for sign in "\\:[]":
        text = text.replace(sign, f"\\{sign}")
    return text


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
