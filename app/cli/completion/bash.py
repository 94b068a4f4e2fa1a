"""The script for bash: bash-completion may be there or not."""

from __future__ import annotations

from ..options import COMPLETE
from .grammar import CHROOT, DIRECTORY, ENVIRONMENT, FILE, Argument, Verb

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_SCRIPT = r"""# bash completion for chroot-tool, made by: chroot-tool completion bash
# To have it in this shell: source <(chroot-tool completion bash)

# The words up to the cursor as the program will get them: bash takes : and = for words, too.
_chroot_tool_read() {
    local line=$COMP_LINE word blanks
    words=()
    for word in "${COMP_WORDS[@]:0:COMP_CWORD+1}"; do
        blanks=${line%%[![:space:]]*}
        line=${line#"$blanks"}
        line=${line#"$word"}
        if [[ $blanks || ${#words[@]} == 0 ]]; then
            words+=("$word")
        else
            words[${#words[@]} - 1]+=$word
        fi
    done
}

# What stands behind option $2 of command $1.
_chroot_tool_value() {
    kind=
    case $1:$2 in
@VALUES@
        *) return 1 ;;
    esac
}

# What the word number $2 of command $1 is.
_chroot_tool_word() {
    kind=
    case $1:$2 in
@WORDS@
    esac
}

_chroot_tool_options() {
    case $1 in
@OPTIONS@
    esac
}

# Adds what is read, a line each, that begins with what is typed.
_chroot_tool_add() {
    local name
    while IFS= read -r name; do
        [[ $name == "$value"* ]] && COMPREPLY+=("${name#"$cut"}")
    done
}

_chroot_tool() {
    local words word verb='' count=0 waits='' ended='' kind='' cut='' program=$1
    COMPREPLY=()
    _chroot_tool_read
    local value=${words[${#words[@]} - 1]}
    for word in "${words[@]:1:${#words[@]}-2}"; do
        if [[ $waits ]]; then
            waits=
        elif [[ $word == -- ]]; then
            ended=1
        elif [[ $word == -* && ! $ended ]]; then
            if [[ $word != *=* ]] && _chroot_tool_value "$verb" "$word"; then waits=$word; fi
        elif [[ ! $verb ]]; then
            verb=$word
        else
            ((++count))
        fi
    done
    if [[ $waits ]]; then
        _chroot_tool_value "$verb" "$waits"
    elif [[ $value == --*=* && ! $ended ]]; then
        _chroot_tool_value "$verb" "${value%%=*}"
        value=${value#*=}
    elif [[ $value == -* && ! $ended ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_chroot_tool_options "$verb")" -- "$value")
        return
    else
        [[ $verb ]] && ((++count))
        _chroot_tool_word "$verb" "$count"
    fi
    # Of a word with : or = in it, readline replaces what stands behind the last of them.
    case ${COMP_WORDS[COMP_CWORD]} in
        : | =) cut=$value ;;
        *) cut=${value%"${COMP_WORDS[COMP_CWORD]}"} ;;
    esac
    value=${value//[\'\"\\]/}
    words=("${words[@]//[\'\"\\]/}")
    case $kind in
        '') ;;
        =*) mapfile -t COMPREPLY < <(compgen -W "${kind:1}" -- "$value") ;;
        @FILE@) compopt -o filenames; _chroot_tool_add < <(compgen -f -- "$value") ;;
        @DIRECTORY@) compopt -o filenames; _chroot_tool_add < <(compgen -d -- "$value") ;;
        @ENVIRONMENT@) mapfile -t COMPREPLY < <(compgen -e -- "$value") ;;
        *)
            compopt -o filenames
            _chroot_tool_add < <(
                "$program" @ASK@ "$kind" "$value" "${words[@]:1:${#words[@]}-2}" 2>/dev/null
            )
            [[ $kind == @CHROOT@ ]] && _chroot_tool_add < <(compgen -d -- "$value")
            [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == */ ]] && compopt -o nospace
            ;;
    esac
    return 0
}

complete -F _chroot_tool chroot-tool chroot-tool.sh
"""


def script(top: Verb, verbs: Sequence[Verb]) -> str:
    """Return the whole script."""
    every = (top, *verbs)
    named = f"={' '.join(verb.name for verb in verbs)}"
    parts = {
        "VALUES": [
            f"        {verb.name}:{name}) kind={_kind(option)} ;;"
            for verb in every
            for option in verb.options
            if option.takes_value
            for name in option.names
        ],
        "WORDS": [
            f"        :0) kind='{named}' ;;",
            *(line for verb in verbs for line in _words(verb)),
        ],
        "OPTIONS": [
            f"        {verb.name or chr(39) * 2}) echo '{_options(verb)}' ;;" for verb in every
        ],
    }
    told = _SCRIPT
    for name, lines in parts.items():
        told = told.replace(f"@{name}@", "\n".join(lines))
    kinds = {"FILE": FILE, "DIRECTORY": DIRECTORY, "ENVIRONMENT": ENVIRONMENT, "CHROOT": CHROOT}
    for name, kind in (kinds | {"ASK": COMPLETE}).items():
        told = told.replace(f"@{name}@", kind)
    return told


def _kind(argument: Argument) -> str:
    return f"'={' '.join(argument.choices)}'" if argument.choices else argument.kind or "''"


def _words(verb: Verb) -> list[str]:
    return [
        f"        {verb.name}:{'*' if word.many else number}) kind={_kind(word)} ;;"
        for number, word in enumerate(verb.words, 1)
    ]


def _options(verb: Verb) -> str:
    return " ".join(name for option in verb.options for name in option.names)
