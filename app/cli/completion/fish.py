"""The script for fish."""

from __future__ import annotations

from ..options import COMPLETE
from .grammar import CHROOT, DIRECTORY, ENVIRONMENT, FILE, Argument, Verb

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_SCRIPT = r"""# fish completion for chroot-tool, made by: chroot-tool completion fish
# To have it in this shell: chroot-tool completion fish | source

# Whether an option, $argv[2], of a command, $argv[1], has a value behind it.
function __chroot_tool_takes
    switch "$argv[1]:$argv[2]"
        case @TAKES@
            return 0
    end
    return 1
end

# Prints the command, "" for none yet, and how many words stand behind it before the cursor.
function __chroot_tool_place
    set -l verb ''
    set -l count 0
    set -l waits 0
    set -l ended 0
    for word in (commandline -opc)[2..-1]
        if test $waits = 1
            set waits 0
        else if test "$word" = --
            set ended 1
        else if test $ended = 0; and string match -q -- '-*' "$word"
            if not string match -q -- '*=*' "$word"; and __chroot_tool_takes "$verb" "$word"
                set waits 1
            end
        else if test -z "$verb"
            set verb $word
        else
            set count (math $count + 1)
        end
    end
    printf '%s\n' "$verb" $count
end

# Whether the command is $argv[1].
function __chroot_tool_in
    test (__chroot_tool_place)[1] = "$argv[1]"
end

# Whether the cursor is at word $argv[2] of the command $argv[1]; 0: at any.
function __chroot_tool_at
    set -l place (__chroot_tool_place)
    test "$place[1]" = "$argv[1]"; and test $argv[2] = 0 -o $argv[2] = (math $place[2] + 1)
end

# Names of a kind, $argv[1], which the tool is asked for.
function __chroot_tool_names
    set -l words (commandline -opc)
    set -l value (commandline -ct | string replace -r -- '^--[^=]*=' '')
    $words[1] @ASK@ $argv[1] "$value" $words[2..-1] 2>/dev/null
end

complete -c chroot-tool -f
complete -c chroot-tool.sh -w chroot-tool
"""
_CHROOT = (
    f"(__chroot_tool_names {CHROOT}) (__fish_complete_directories (commandline -ct) directory)"
)


def script(top: Verb, verbs: Sequence[Verb]) -> str:
    """Return the whole script."""
    takes = [
        f"'{verb.name}:{name}'"
        for verb in (top, *verbs)
        for option in verb.options
        if option.takes_value
        for name in option.names
    ]
    lines = [_SCRIPT.replace("@TAKES@", " ".join(takes)).replace("@ASK@", COMPLETE)]
    lines += [
        f"complete -c chroot-tool -n '__chroot_tool_in {_quoted('')}' -a {verb.name} "
        f"-d {_quoted(verb.summary)}\n"
        for verb in verbs
    ]
    for verb in (top, *verbs):
        condition = f'__chroot_tool_in "{verb.name}"'
        lines += [_option(condition, option) for option in verb.options]
        lines += _words(verb)
    return "".join(lines)


def _option(condition: str, option: Argument) -> str:
    names = [f"-{'l' if n.startswith('--') else 's'} {n.lstrip('-')}" for n in option.names]
    value = f" {_value(option)}" if option.takes_value else ""
    return (
        f"complete -c chroot-tool -n {_quoted(condition)} {' '.join(names)}{value} "
        f"-d {_quoted(option.short_help)}\n"
    )


def _words(verb: Verb) -> list[str]:
    return [
        f"complete -c chroot-tool -n '__chroot_tool_at {verb.name} {0 if word.many else number}' "
        f"{_value(word).replace('-x', '-f', 1)}\n"
        for number, word in enumerate(verb.words, 1)
        if word.kind or word.choices
    ]


def _value(argument: Argument) -> str:
    if argument.choices:
        return f"-x -a {_quoted(' '.join(argument.choices))}"
    if argument.kind == FILE:
        return "-r -F"
    known = {
        "": "",
        DIRECTORY: "(__fish_complete_directories (commandline -ct) directory)",
        ENVIRONMENT: "(set -nx)",
        CHROOT: _CHROOT,
    }
    return f"-x -a {_quoted(known.get(argument.kind, f'(__chroot_tool_names {argument.kind})'))}"


def _quoted(text: str) -> str:
    text = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{text}'"
