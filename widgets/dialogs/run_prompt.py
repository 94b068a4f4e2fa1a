"""Which command to run inside: typed, or picked from the scripts of chroot.d and the history."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Checkbox, OptionList
from textual.widgets.option_list import Option

from ...core.entering.shell_words import SHELL_WORDS, shell_of
from ...core.errors import UsageError
from ...core.value import Value
from ..text.foreign import foreign
from .field import Field
from .form import TwoWayForm
from .switch import Switch

_MOST = 100
_FIRST = "snapshot first"
_UPGRADES = ("update", "upgrade", "dist-upgrade", "full-upgrade")
"""Words of a line that changes the whole chroot: then it is told what a snapshot is for."""
_SIGNS = "();<>|&"


class RunRequest(Value):
    """What is to be run. "" and () mean: as the chroot's configuration has it."""

    line: str
    """As it was typed: what belongs in the history."""
    words: tuple[str, ...]
    """The line split as a shell splits words: the arguments of `chroot-tool run --`."""
    user: str = ""
    cwd: str = ""
    env: tuple[str, ...] = ()
    """Each as NAME=VALUE."""
    ephemeral: bool = False
    """Whether in a throw-away session."""
    snapshot: bool = False
    """Whether a snapshot is to be taken first."""


class Offers(OptionList):
    """The scripts and the history, filtered by what is typed."""

    BINDING_GROUP_TITLE = "Scripts and history"
    HELP = "Enter runs the marked line, right puts it into the field to be changed there."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "run", id="run.run", tooltip="Run the marked line"),
        Binding("right", "screen.take", "edit", id="run.take", tooltip="Put it into the field"),
        Binding("up", "screen.up_or_out", "up", id="run.up", show=False, tooltip="Up, or back"),
    ]
    DEFAULT_CSS = """
    Offers {
        height: auto;
        max-height: 7;
        background: transparent;
        scrollbar-size-vertical: 1;
        &:focus { background-tint: transparent; }
        &:blur > .option-list--option-highlighted {
            background: transparent; color: $foreground; text-style: none;
        }
    }
    """


class RunPrompt(TwoWayForm[RunRequest]):
    """Asks for a command to run in *about*, a chroot or several. Answers a RunRequest, None where
    it was left.

    *scripts* are the executables of its chroot.d by name, *history* its earlier lines, newest
    first. *users* are those that there are inside, None where that is not known. All may be
    foreign text.
    """

    goes_on = "Run"
    HELP = (
        "Type a command and press Enter. Down goes to the scripts of `chroot.d` and earlier "
        "commands that fit what is typed: Enter runs the marked one, right puts it into the "
        "field. No shell evaluates the line: for pipes, run `sh -c '…'`."
    )
    DEFAULT_CSS = """
    RunPrompt {
        & #user { margin-top: 1; }
        & #how { height: 1; padding-left: 13; }
        & #how Switch { width: auto; margin-right: 3; }
    }
    """

    def __init__(
        self,
        about: str,
        scripts: Sequence[str],
        history: Sequence[str],
        users: Sequence[str] | None = None,
    ) -> None:
        super().__init__(Content.assemble("run in ", foreign(about)))
        self._scripts = tuple(scripts)
        self._users = users
        self._offers = _offers(scripts, history)
        self._shown: tuple[str, ...] = ()

    def content(self) -> Iterable[Widget]:
        """Return the line, the offers below it, and the further fields."""
        yield Field("Command", id="line", check=_check_line, placeholder="e.g. apt update")
        yield Offers(id="offers", compact=True, markup=False)
        yield Horizontal(
            Switch("throw-away", id="ephemeral"), Switch(_FIRST, id="snapshot"), id="how"
        )
        yield Field(
            "User", id="user", check=self._check_user, placeholder="as configured, else root"
        )
        yield Field(
            "Directory", id="cwd", check=_check_directory, placeholder="as configured",
        )  # fmt: skip
        yield Field(
            "Environment", id="env", check=_environment, placeholder="e.g. LANG=C.UTF-8 DEBUG=1"
        )

    def on_mount(self) -> None:
        """Offer everything."""
        self._filter("")

    def _check_user(self, name: str) -> None:
        """Raise UsageError for a user that there is not inside; a number needs no entry there."""
        known = self._users
        if not name or known is None or name in (*known, "root") or name.isdecimal():
            return
        close = get_close_matches(name, known, 1)
        hint = f"did you mean {close[0]!r}?" if close else "a number does without an entry: 1000"
        raise UsageError(f"there is no user {name!r} inside", hint)

    # -- the offers ------------------------------------------------------------------------------

    def _filter(self, typed: str) -> None:
        words = typed.casefold().split()
        found = [
            (kind, line)
            for kind, line in self._offers
            if all(word in line.casefold() for word in words)
        ]
        # sort() is stable: scripts first, then the newest, within both groups.
        found.sort(key=lambda offer: not offer[1].casefold().startswith(typed.casefold()))
        found = found[:_MOST]
        self._shown = tuple(line for _, line in found)
        offers = self.query_one(Offers)
        offers.set_options([Option(_offer(kind, line)) for kind, line in found])
        offers.highlighted = 0 if found else None
        offers.display = bool(found)

    @on(Field.Changed, "#line")
    def _typed(self, event: Field.Changed) -> None:
        event.stop()
        line = event.field.value
        self._filter(line)
        event.field.say(foreign(_meaning(line, self._scripts)))
        upgrades = any(word in line.split() for word in _UPGRADES)
        label = f"{_FIRST}, to go back to" if upgrades else _FIRST
        self.query_one("#snapshot", Switch).label = label

    @on(Checkbox.Changed, "#how Switch")
    def _switched(self, event: Checkbox.Changed) -> None:
        """One of both at most: what is thrown away needs no way back."""
        event.stop()
        if event.value:
            for other in self.query(Switch):
                other.value = other is event.checkbox

    def _marked(self) -> str:
        index = self.query_one(Offers).highlighted
        return "" if index is None else self._shown[index]

    def action_take(self) -> None:
        """Put the marked line into the field."""
        field = self.field("line")
        field.value = self._marked()
        field.focus_entry()

    def action_up_or_out(self) -> None:
        """Go up in the offers, from the first one back to the line."""
        offers = self.query_one(Offers)
        if not offers.highlighted:
            self.field("line").focus_entry()
        else:
            offers.action_cursor_up()

    # -- answering -------------------------------------------------------------------------------

    @on(OptionList.OptionSelected)
    def _picked(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.field("line").value = self._shown[event.option_index]
        self.go_on()

    def go_on(self) -> None:
        """Answer with what stands in the fields, where it can be run."""
        if self.wrong():
            return
        line = self.value("line")
        if not line:
            self.field("line").focus_entry()
            return
        env = _environment(self.value("env"))
        words = tuple(shlex.split(line))
        ephemeral, snapshot = (switch.value for switch in self.query(Switch))
        self.answer(
            RunRequest(line, words, self.value("user"), self.value("cwd"), env, ephemeral, snapshot)
        )


def _offers(scripts: Sequence[str], history: Sequence[str]) -> list[tuple[str, str]]:
    known = dict.fromkeys(scripts, "script")
    for line in history:
        known.setdefault(line, "before")
    return [(kind, line) for line, kind in known.items()]


def _offer(kind: str, line: str) -> Content:
    return Content.assemble((f"{kind}  ", "dim"), foreign(line))


def _check_line(line: str) -> None:
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise UsageError(f"the line cannot be split: {error}".lower(), "close it") from None
    if "\0" in line or (words and not words[0]):
        raise UsageError("the command is empty", "name a program or script")


def _check_directory(path: str) -> None:
    if path and not path.startswith("/"):
        raise UsageError(f"{path!r} is a relative path", "write it from the chroot's /")


def _environment(text: str) -> tuple[str, ...]:
    """Return the NAME=VALUE words, split as a shell splits words. Raises UsageError."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UsageError(f"this cannot be split: {error}".lower(), "close the quote") from None
    for word in words:
        if word.find("=") < 1:
            raise UsageError(f"{word!r} sets no variable", "write NAME=VALUE")
    return tuple(words)


def _meaning(line: str, scripts: Sequence[str]) -> str:
    """Say what the rules of `run` make of *line*."""
    try:
        first = next(iter(shlex.split(line)), "")
    except ValueError:
        return ""
    if not first:
        return ""
    if sign := _sign_of_a_shell(line):
        return f"no shell reads {sign} here: sh -c '…' does"
    if first.startswith("/"):
        return "as it is, in /"
    if first in scripts:
        return f"/chroot.d/{first}, in /chroot.d"
    if first in SHELL_WORDS:
        return f"{first} is a shell's own word: {shell_of(first)} -c '…' has one read it"
    return f"/chroot.d/chroot-cmd {first} …, in /chroot.d"


def _sign_of_a_shell(line: str) -> str:
    """Return what a shell would not take for a part of a word in *line*, the first; "": nothing."""
    signs = shlex.shlex(line, posix=False, punctuation_chars=True)  # words with their quotes
    signs.whitespace_split = True
    signs.commenters = ""
    try:
        return next((word for word in signs if _is_sign(word)), "")
    except ValueError:
        return ""  # a quote that is a letter: it minds no backslashes


def _is_sign(word: str) -> bool:
    is_pattern = "*" in word and not {'"', "'", "\\"} & set(word)
    return word[0] == "$" or not word.strip(_SIGNS) or is_pattern
