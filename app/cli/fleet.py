"""A verb on every host of a group, many at once: what each says, and what became of it.

A host has a thread, and in it stdout and stderr of its own: what a verb prints there is its host's
word. The main thread prints all of it, and takes the signals.
"""

from __future__ import annotations

import queue
import signal
import sys
import threading
import time
from collections import deque

from ...core.errors import UsageError
from ...core.events import Output
from ...core.text import safe
from .. import exits, json_fields
from . import long_call, plain
from .fleet_host import ENDED, ERROR, NOT_BEGUN, OUT, Member, Said, Streams
from .output import print_lines
from .tables import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from ...core.engine import Engine
    from ...core.events import Event
    from ...core.remote.inventory import Group
    from .fleet_host import Do

    Rows = Callable[[Sequence[tuple[str, Any]]], list[str]]

FORKS = 100
"""Hosts at a time. A thread and an ssh that wait cost next to nothing."""
_TICK = 0.1
_GOODBYE = 30.0
"""Seconds for the hosts to take back what they did, once it was asked to end."""
_WORDS = {
    exits.DONE: "ok", exits.FAILED: "failed", exits.USAGE: "usage", exits.CONFIG: "configuration",
    exits.BUSY: "busy", exits.PRIVILEGE: "privilege", exits.INTERRUPTED: "interrupted",
    NOT_BEGUN: "not begun",
}  # fmt: skip


class Asked:
    """What the command line says of a fleet: its hosts, and how they are asked."""

    def __init__(
        self, hosts: str, inventory: str, forks: str, base: str, *, json: bool,
        plain: bool = False, is_look: bool = False,
    ) -> None:  # fmt: skip
        """Raises UsageError. *plain*: without a table. *is_look*: nothing is changed by it."""
        self.hosts, self.inventory, self.base, self.json = hosts, inventory, base, json
        self.plain, self.is_look = plain, is_look
        if forks and not (forks.isdecimal() and int(forks)):
            raise UsageError(f"--forks {forks!r} is no number of hosts", "1 or more")
        self.forks = int(forks or FORKS)


def across(asked: Asked, do: Do, *, rows: Rows | None = None, is_run: bool = False) -> int:
    """Do it on every host of the group and tell what became of each; return the exit code.

    *do* gets a host and its engine, in a thread, and returns an exit code; what it prints is
    printed with the host's name. With *rows* it returns something, and those are the lines of what
    all have returned. *is_run*: stdout and codes are those of what runs there.

    The code is 0 where it is everywhere, that of all that failed where they failed alike, else 1.
    """
    from ...core.remote.inventory import read

    group = read(asked.hosts, asked.inventory)
    if not group.targets:
        raise UsageError(
            f"{asked.hosts!r} has no host that ssh reaches", "ansible-inventory --graph"
        )
    fleet = _Fleet(asked, group, do, rows=rows, is_run=is_run)
    before = {
        number: signal.signal(number, fleet.stop)
        for number in long_call.SIGNALS
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    streams = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = Streams(sys.stdout, OUT), Streams(sys.stderr, ERROR)
    try:
        fleet.run()
    finally:
        sys.stdout, sys.stderr = streams
        for number, handler in before.items():
            signal.signal(number, handler)
    return fleet.tell()


def run_everywhere(asked: Asked, directory: str, words: tuple[str, ...], **options: Any) -> int:
    """Run a command in the chroot *directory* of every host; options as of `run_captured`."""

    def tell(event: Event) -> None:
        if asked.json:
            json_fields.write(json_fields.event(event))
        elif isinstance(event, Output):
            print_lines([safe(event.line)])

    def do(_host: str, engine: Engine) -> int:
        path = engine.locate(directory)
        with long_call.LongCall(json=asked.json) as (_, cancelled):
            return engine.run_captured(path, words, **options, report=tell, cancelled=cancelled)

    return across(asked, do, is_run=True)


class _Fleet:
    """All hosts, at work and told of."""

    def __init__(
        self, asked: Asked, group: Group, do: Do, *, rows: Rows | None, is_run: bool
    ) -> None:
        self._asked, self._do, self._rows, self._is_run = asked, do, rows, is_run
        self._left_out = group.left_out
        self._said = Said()
        self._members = [Member(one, self._said) for one in group.targets]
        self._waiting = deque(self._members)
        self._taking = threading.Lock()
        self._open = len(self._members)
        self._asked_to_end = 0
        self._late = 0.0
        self._line = not asked.json and exits.can_draw()

    def stop(self, _number: int, _frame: object) -> None:
        """Be the handler of a signal: the first asks all to end, the second leaves them."""
        self._asked_to_end += 1
        self._said.wake()

    def run(self) -> None:
        """Work through the hosts, telling what they say; return when all have ended."""
        for _ in range(min(self._asked.forks, len(self._members))):
            threading.Thread(target=self._work, daemon=True).start()
        while self._open and not self._is_given_up():
            try:
                member, stream, line = self._said.get(_TICK if self._asked_to_end else None)
            except queue.Empty:
                self._end_all()
                continue
            if member is None:
                with self._taking:
                    self._open -= len(self._waiting)
                    self._waiting.clear()
                self._late = self._late or time.monotonic() + _GOODBYE
                self._end_all()
            else:
                self._take(member, stream, line)
        self._progress("")
        if self._asked.json:
            for one in self._members:
                if one.code == NOT_BEGUN:
                    self._ended(one)

    def _work(self) -> None:
        while True:
            with self._taking:
                if not self._waiting:
                    return
                member = self._waiting.popleft()
            member.work(
                self._do, self._asked.base, exits.TOOL_FAILED if self._is_run else 0,
                json=self._asked.json, is_look=self._asked.is_look,
            )  # fmt: skip

    def _is_given_up(self) -> bool:
        return self._asked_to_end > 1 or (
            self._asked_to_end == 1 and time.monotonic() > self._late > 0
        )

    def _end_all(self) -> None:
        """Stop what is under way: what only looks by its connection, the others by being told."""
        busy = set(long_call.entered.values())
        for flag in tuple(long_call.entered):
            flag.set()
        for one in self._members:
            if one.thread not in busy and one.code == NOT_BEGUN:
                one.let_go()

    # -- telling ---------------------------------------------------------------------------------

    def _take(self, member: Member, stream: str, line: str) -> None:
        if stream == ENDED:
            member.code = int(line)
            self._open -= 1
            self._ended(member)
        elif stream == "error":
            member.errors.append(
                line.removeprefix("chroot-tool: ").removeprefix(f"{member.name}: ")
            )
        elif self._asked.json:
            self._document(member, line)
        else:
            self._progress("")
            self._print([f"{safe(member.name)}: {line}"])

    @staticmethod
    def _print(lines: Sequence[str]) -> None:
        """Print them; where nobody reads, what is done goes on all the same."""
        try:
            print_lines(lines)
            sys.stdout.flush()
        except OSError:
            exits.deafen(1)

    def _document(self, member: Member, line: str) -> None:
        import json

        found = json.loads(line)
        if isinstance(found, dict) and "event" in found:
            self._print([json.dumps({"host": member.name, **found})])
        else:
            member.result = found

    def _ended(self, member: Member) -> None:
        if self._asked.json:
            import json

            code = exits.INTERRUPTED if member.code == NOT_BEGUN else member.code
            document = {"host": member.name, "event": "ended", "code": code}
            more = {} if member.result is None else {"result": member.result}
            more |= {"left": True} if member.is_at_work else {}
            self._print([json.dumps(document | more)])
            return
        failed = member.code and not self._asked_to_end
        for line in member.errors if failed else _warnings(member.errors):
            self._progress("")
            exits.tell(f"{safe(member.name)}: {line}\n")
        ended = len(self._members) - self._open
        failures = sum(one.code > 0 for one in self._members)
        self._progress(
            f"{ended} of {len(self._members)} hosts" + (f", {failures} failed" if failures else "")
        )

    def _progress(self, text: str) -> None:
        if self._line:
            exits.tell(f"\r\x1b[K{text}")

    def tell(self) -> int:
        """Tell what became of each host; return the exit code."""
        if self._left_out:
            exits.tell(f"left out, ssh does not reach them: {safe(', '.join(self._left_out))}\n")
        if self._asked_to_end:
            exits.say("interrupted")
        if self._rows and not self._asked.json:
            found = [(one.name, one.result) for one in self._members if one.result is not None]
            self._print(self._rows(found))
        elif self._is_run and not self._asked.json:
            exits.tell("".join(f"{line}\n" for line in self._outcomes()))
        elif not self._asked.json:
            self._print(self._outcomes())
        if self._asked_to_end:
            return exits.INTERRUPTED
        codes = {one.code for one in self._members} - {exits.DONE}
        return codes.pop() if len(codes) == 1 else exits.FAILED if codes else exits.DONE

    def _outcomes(self) -> list[str]:
        rows = [(one.name, self._word(one), _last(one.errors)) for one in self._members]
        if self._asked.plain:
            return [plain.outcome(*row) for row in rows]
        return table(("HOST", "OUTCOME", ""), rows)

    def _word(self, one: Member) -> str:
        if one.is_at_work:
            return "left at work"
        if one.code > 0 and self._is_run:
            return f"exit {one.code}"
        return _WORDS.get(one.code, f"exit {one.code}")


def _warnings(lines: Iterable[str]) -> list[str]:
    """Return of what a host said that ended well what is to be seen all the same."""
    warned = False
    kept = []
    for line in lines:
        warned = line.startswith("warning: ") or (warned and line.startswith("hint: "))
        if warned:
            kept.append(line)
    return kept


def _last(lines: Iterable[str]) -> str:
    """Return what it came to, in a line."""
    found = [line for line in lines if not line.startswith(("hint: ", "  ", "warning: "))]
    return found[-1] if found else ""
