"""A chroot-tool that is elsewhere, as a program to write lines to and read lines from.

Opened when it is needed and again when it was lost. What was under way then is not asked for a
second time: nobody knows how far it came.
"""

from __future__ import annotations

import itertools
import math
import os
import queue
import select
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress

from .. import json_values
from ..errors import Cancelled, ChrootError
from ..text import safe
from . import documents
from .answers import Answers
from .idle_connections import SECONDS, Idle
from .lines import Lines
from .server import OLDEST, PROTOCOL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from threading import Event as Flag
    from typing import IO, Any

_LOOK = 0.1
"""Seconds between two looks at whether a call was cancelled, while it is under way."""
_PATIENCE = 30.0
"""Seconds for the first line, when there is nobody to answer a question meanwhile."""
_QUIET = 7.5
"""Seconds of waiting without a word after which the other is asked whether it is still there; one
that is answers at once, however long its work takes. (One that is older answers, too: with an
error that is no request's.)"""
_SILENT = 3 * _QUIET
"""Seconds of waiting without a word after which it is not: with that half a minute at most."""
_ALIVE = 30.0
"""Seconds after which the other hears of us, whatever is asked or not."""
_HEARD_WITHIN = 10 * _ALIVE
"""Seconds without a word from us after which the other takes us for gone: one behind a link that is
down would go on with what is under way there until TCP gives up, in hours."""
_TAKING_BACK = 30.0
"""Seconds for the other to take back what was stopped, before it is left alone with that."""
_AT_A_TIME = 40
"""Requests without a bound that are at work at a time; more wait here, as one that is too many for
the other (`server.MOST`) is refused by it."""
_BRIEF_AT_A_TIME = 16
"""The same of those with one, which so get through whatever takes its time."""
_BANNER = 200
"""Lines that a shell's start files may print before the first one of ours."""
_LAST_WORDS = 4096
_UNKNOWN = "whether {} came to its end is not known: look before you ask again"
_HELD_UP = 1.0
_GOODBYE = 10.0
"""Seconds for the other to take back what it did, before its program is ended."""


_PING = {"ping": 1}


def _line(document: dict[str, Any]) -> bytes:
    return json_values.line(document).encode("ascii") + b"\n"


class ConnectionLostError(ChrootError):
    """Nothing is awaited from the other end any more; what was under way may be done or not."""


class Connection:
    """One run of the program that connects. Used by any thread."""

    def __init__(
        self, argv: Sequence[str] | Idle, name: str, *, ask: bool = False, hint: str = "",
        cwd: str | None = None,
    ) -> None:  # fmt: skip
        """Start *argv*, which runs `chroot-tool serve --json` there; *name* is what to call it.

        Or go on with one that was idle. *ask*: it may ask somebody for a password first, who takes
        the time it takes. *hint*: what to do where there is no connection, where ssh is not what
        makes it. *cwd*: where *argv* is started. Raises ChrootError where it can't be started.
        """
        self.name = name
        self._hint = hint
        self._patience = None if ask else _PATIENCE
        self.hello: dict[str, Any] = {}
        """What the other has said of itself, once it was greeted."""
        is_taken = isinstance(argv, Idle)
        # Who had it before has counted from a time before; nothing of theirs is taken for ours.
        self._numbers = itertools.count(time.monotonic_ns() if is_taken else 1)
        self._is_sound = True
        """Whether each request came to its end."""
        self._pings = 0
        """How often it was asked whether it is there."""
        self._is_leaving = False
        self._has_left = threading.Event()
        self._waiting: dict[int, Answers] = {}
        self._room = threading.Semaphore(_AT_A_TIME)
        self._room_for_brief = threading.Semaphore(_BRIEF_AT_A_TIME)
        self._changing = threading.Lock()
        self._writing = threading.Lock()
        self._heard = 0
        """How often something came."""
        self._is_held_up = False
        """Whether what came waits for who has asked to take it."""
        self._said = bytearray()
        self._why = ""
        self.lost = threading.Event()
        self._first: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._program: subprocess.Popen[bytes] | None = None
        """None where somebody else has started it."""
        self._pidfd = -1
        """The program, where somebody else has started it."""
        self._stdin: IO[bytes]
        self._stdout: IO[bytes]
        self._stderr: IO[bytes]
        if isinstance(argv, Idle):
            into, out, errors, self._pidfd = argv.ends
            self._stdin = os.fdopen(into, "wb", buffering=0)
            self._stdout = os.fdopen(out, "rb", buffering=0)
            self._stderr = os.fdopen(errors, "rb", buffering=0)
            hello = json_values.document(argv.hello)
            self._since = json_values.number(hello, "since")
            self._first.put(hello)
        else:
            self._since = time.monotonic()  # of the machine, the same for every process
            program = self._program = self._started(argv, cwd)
            assert program.stdin
            assert program.stdout
            assert program.stderr
            self._stdin, self._stdout, self._stderr = program.stdin, program.stdout, program.stderr
        self._enough = os.fdopen(os.eventfd(0), "wb", buffering=0)
        """Written to, that what it says beside is heard no more."""
        threading.Thread(
            target=self._listen, args=(is_taken,), name=f"from {name}", daemon=True
        ).start()
        self._ears = threading.Thread(target=self._overhear, name=f"of {name}", daemon=True)
        self._ears.start()

    def _started(self, argv: Sequence[str], cwd: str | None) -> subprocess.Popen[bytes]:
        # A key of the terminal is for us, who tell the other what to stop. Ignored would not do:
        # ssh sets handlers of its own where it shares a connection; blocked it stays.
        before = signal.pthread_sigmask(
            signal.SIG_BLOCK, (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP)
        )
        try:
            return subprocess.Popen(
                argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=cwd
            )
        except OSError as error:
            raise ChrootError(f"{self.name}: cannot start {argv[0]}: {error.strerror}") from error
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def greet(self) -> None:
        """Wait for the other's first line; `close`, by another thread, ends that.

        Raises ChrootError where it is no chroot-tool, or one that is too old.
        """
        try:
            found = self._first.get(timeout=self._patience)
        except queue.Empty:
            self.close(wait=0)
            hint = self._hint or f"ssh {self.name} true"
            raise ChrootError(f"{self.name} does not answer", hint) from None
        except KeyboardInterrupt:
            self.close(wait=0)  # else ssh would go on asking, and take what is typed next
            raise
        if found is None:
            self._ears.join(1)
            self.close(wait=0)
            raise ChrootError(f"{self.name}: {self._last_words()}", self._advice())
        try:
            newest, oldest = (documents.decode(found.get(k), int) for k in ("protocol", "oldest"))
            version = documents.decode(found.get("version"), str)
            documents.decode(found.get("base"), str)
            documents.decode(found.get("methods", []), tuple[str, ...])
        except ValueError as error:
            self.close(wait=0)
            raise ChrootError(f"{self.name}: its chroot-tool says nonsense: {error}") from error
        if newest < OLDEST or oldest > PROTOCOL:
            self.close(wait=0)
            here = oldest > PROTOCOL
            raise ChrootError(
                f"{self.name}: its chroot-tool {safe(version)} and this one do not understand "
                "each other",
                "update the one here" if here else f"chroot-tool deploy {self.name}",
            )
        self.hello = found

    # -- asking ----------------------------------------------------------------------------------

    def ask(
        self,
        name: str,
        parameters: dict[str, Any],
        take: Callable[[dict[str, Any], int], object],
        cancelled: Flag | None = None,
        begun: Callable[[Callable[[], None]], object] | None = None,
        within: float = math.inf,
    ) -> Any:
        """Ask for *name*, hand each event to *take*, with its size in bytes; return the result's
        document.

        *cancelled* is looked at now and then. Of what goes on for ever nobody shall look:
        *begun* is given a function that stops it, for any thread. *within*: seconds for all of it,
        for one that is there and does not come to an end, and before for its turn.

        Raises what the other raised, ConnectionLostError, and ChrootError for nonsense; Cancelled
        where it was cancelled while so many others were at work that it was not even asked for.
        """
        if begun is not None:
            return self._ask(name, parameters, take, cancelled, begun, within)
        room = self._room if math.isinf(within) else self._room_for_brief
        began = time.monotonic()
        while not room.acquire(timeout=_LOOK):
            if cancelled is not None and cancelled.is_set():
                raise Cancelled("stopped by you")
            if self.lost.is_set():
                raise self._lost(name)
            if time.monotonic() > began + within:
                raise ChrootError(f"{self.name}: {name} takes longer than {within:.0f} s")
        try:
            return self._ask(name, parameters, take, cancelled, None, within)
        finally:
            room.release()

    def _ask(
        self, name: str, parameters: dict[str, Any], take: Callable[[dict[str, Any], int], object],
        cancelled: Flag | None, begun: Callable[[Callable[[], None]], object] | None, within: float,
    ) -> Any:  # fmt: skip
        number = next(self._numbers)
        answers = Answers()
        with self._changing:
            self._waiting[number] = answers
        try:
            if self.lost.is_set():
                raise self._lost(name)
            said = {"id": number, "do": name, "heard_within": _HEARD_WITHIN}
            self._write(said | parameters)
            if begun is not None:
                begun(lambda: self._write({"cancel": number}))
            return self._answer(name, number, answers, take, cancelled, within)
        except ValueError as error:
            self._is_sound = False
            self._write({"cancel": number})
            raise ChrootError(f"{self.name}: its answer makes no sense: {error}") from error
        except BaseException:
            self._is_sound = False
            self._write({"cancel": number})
            raise
        finally:
            with self._changing:
                del self._waiting[number]
            answers.close()

    def _answer(
        self, name: str, number: int, answers: Answers,
        take: Callable[[dict[str, Any], int], object], cancelled: Flag | None, within: float,
    ) -> Any:  # fmt: skip
        told = False
        until = time.monotonic() + within
        quiet, heard = 0.0, self._heard
        while True:
            if cancelled is not None and cancelled.is_set() and not told:
                self._write({"cancel": number})
                told = True
                until = min(until, time.monotonic() + _TAKING_BACK)
            wait = _QUIET if cancelled is None or told else min(_LOOK, _QUIET)
            try:
                found, size = answers.get(wait)
            except TimeoutError:
                # Counted by what was waited for: who was stopped meanwhile has not listened.
                quiet = quiet + wait if heard == self._heard else 0.0
                heard = self._heard
                self._mind(name, quiet, wait)
                found, size = {}, 0
            else:
                quiet = 0.0
            if found is None:
                raise self._lost(name)
            event = found.get("event")
            if event == "done":
                return found.get("result")
            if event == "error":
                raise documents.decode_error(found)
            if found:
                take(found, size)
            if time.monotonic() > until and told:
                late = f"{name} was stopped, and has not ended {_TAKING_BACK:.0f} s later"
                raise ConnectionLostError(f"{self.name}: {late}", _UNKNOWN.format(name))
            if time.monotonic() > until:
                raise ChrootError(f"{self.name}: {name} takes longer than {within:.0f} s")

    def _mind(self, name: str, quiet: float, wait: float) -> None:
        """Ask whether the other is there after some seconds that were *quiet*, and give it up.

        *wait*: by how much it was less the last time. Raises ConnectionLostError.
        """
        if self._is_held_up:
            return
        if quiet >= _SILENT:
            self._why = f"nothing has come for {quiet:.0f} s"
            self.lost.set()
            self.close(wait=0)
            raise self._lost(name)
        if quiet // _QUIET > (quiet - wait) // _QUIET:
            with self._writing:
                self._pings += 1
            self._write(_PING)

    def _lost(self, name: str) -> ConnectionLostError:
        if not self._why:
            self._ears.join(1)  # what it said last may come after the end of its answers
        return ConnectionLostError(
            f"{self.name}: the connection was lost: {self._why or self._last_words()}",
            _UNKNOWN.format(name),
        )

    def _write(self, document: dict[str, Any]) -> None:
        data = memoryview(_line(document))
        sink = self._stdin
        with self._writing:
            try:
                while data and not self.lost.is_set() and not sink.closed:
                    data = data[os.write(sink.fileno(), data) :]
            except OSError:
                pass  # whoever listens for answers finds out

    # -- hearing ---------------------------------------------------------------------------------

    def _listen(self, greeted: bool) -> None:
        strange, pongs = 0, 0
        try:
            for line in Lines(self._stdout.fileno(), heard=self._note):
                try:
                    found = json_values.document(line)
                except ValueError:
                    found = {}
                if found.get("event") == "pong":
                    pongs += 1
                    if greeted and self._is_leaving and pongs >= self._pings:
                        self._has_left.set()
                        return
                if greeted:
                    self._hand_out(found, len(line))
                elif found.get("event") == "hello":
                    greeted = True
                    self._first.put(found)
                else:
                    strange += 1
                    self._said += line[:200] + b"\n"
                    if strange > _BANNER:
                        break
        except ValueError as error:
            self._why = str(error)
        self._end()
        self._stdout.close()

    def _note(self) -> None:
        self._heard += 1

    def _hand_out(self, found: dict[str, Any], size: int) -> None:
        number = found.get("id")
        with self._changing:
            answers = self._waiting.get(number) if type(number) is int else None
        if answers is not None:
            self._is_held_up = True
            answers.put(found, size)
            self._is_held_up = False

    def _end(self) -> None:
        self.lost.set()
        self._first.put(None)
        with self._changing:
            for answers in self._waiting.values():
                answers.put(None)

    def _overhear(self) -> None:
        poll = select.poll()
        for one in (self._stderr, self._enough):
            poll.register(one, select.POLLIN)
        due = time.monotonic() + _ALIVE
        while True:
            found = dict(poll.poll(max(due - time.monotonic(), 0) * 1000))
            if self._enough.fileno() in found:
                return
            if time.monotonic() >= due:  # however much ssh has to say meanwhile
                self._be_heard()
                due = time.monotonic() + _ALIVE
            if not found:
                continue
            piece = os.read(self._stderr.fileno(), 4096)
            if not piece:
                self._stderr.close()
                return
            self._said += piece
            del self._said[:-_LAST_WORDS]

    def _be_heard(self) -> None:
        """Say that we are there, where the other takes it and nobody says something just now."""
        if not self.hello or not self._writing.acquire(blocking=False):
            return
        try:
            if not self._is_leaving and not self._stdin.closed:
                poll = select.poll()
                poll.register(self._stdin, select.POLLOUT)
                if poll.poll(0):
                    self._pings += 1
                    os.write(self._stdin.fileno(), _line(_PING))
        except OSError:
            pass  # whoever listens for answers finds out
        finally:
            self._writing.release()

    def _last_words(self) -> str:
        lines = self._said.decode("utf-8", "replace").split("\n")
        said = [line.strip() for line in lines if line.strip()]
        return said[-1].removeprefix("chroot-tool: ") if said else "it ended without a word"

    def _advice(self) -> str:
        if self._hint:
            return self._hint
        said = self._said.decode("utf-8", "replace")
        if "sudo:" in said:
            return "a rule of sudo there has to allow it: docs/hosts.md"
        if "not found" in said or "No such file" in said:
            return f"put it there: chroot-tool deploy {self.name}"
        return f"ssh {self.name} true"

    # -- the end ---------------------------------------------------------------------------------

    def leave(self, keep: Callable[[Idle], object]) -> bool:
        """Have *keep* take it as it is, for somebody else; tell whether it could.

        Nothing may be under way, and not for longer than `SECONDS` after its start: what changes
        there, its settings, its program, a rule of sudo, has no bearing on it. *keep* has
        descriptors of its own of it, or raises OSError. What the other says from now on is not
        read here: a last answer was waited for.
        """
        if not (self._is_sound and self.hello and not self._waiting):
            return False
        if time.monotonic() - self._since > SECONDS:
            return False
        with self._writing:
            self._pings += 1
            self._is_leaving = True  # from now on nobody else asks that
        self._write(_PING)
        if not self._has_left.wait(_HELD_UP):
            return False
        self._enough.write((1).to_bytes(8, sys.byteorder))  # eventfd(2)
        self._ears.join(_HELD_UP)
        hello = json_values.line(self.hello | {"since": self._since}).encode("ascii")
        try:
            # `close`, by another thread, waits: a number that it frees may be another's at once.
            with self._writing:
                if self._pidfd < 0 and self._program:
                    self._pidfd = os.pidfd_open(self._program.pid)
                ends = (one.fileno() for one in (self._stdin, self._stdout, self._stderr))
                keep(Idle((*ends, self._pidfd), hello))
                for one in (self._stdin, self._stdout, self._stderr, self._enough):
                    one.close()
                os.close(self._pidfd)
        except (OSError, ValueError):  # ValueError: it is closed already
            return False
        return True

    def close(self, wait: float = _GOODBYE) -> None:
        """End it: the other takes back what is under way, for *wait* seconds at most.

        One that was not greeted has nothing under way, and is ended at once. Who waits to greet it
        waits no more, also where it can't be ended, as what waits for a password to become root.
        """
        program = self._program
        self._first.put(None)
        # Who is held up in writing, the other taking nothing, is so until it is ended below.
        if self._writing.acquire(timeout=_HELD_UP):
            try:
                self._stdin.close()
            except OSError:
                pass
            finally:
                self._writing.release()
        if program is None:
            pidfd, self._pidfd = self._pidfd, -1
            if pidfd >= 0:
                with suppress(OSError):  # it has ended, or is sudo's: that ends with its input
                    signal.pidfd_send_signal(pidfd, signal.SIGTERM)
                os.close(pidfd)
            return
        try:
            program.wait(wait) if wait and self.hello else None
        except subprocess.TimeoutExpired:
            pass
        if program.poll() is None:
            try:
                program.terminate()
                program.wait(1)
            except subprocess.TimeoutExpired:
                program.kill()
                program.wait()
            except PermissionError:
                pass  # sudo's: it ends with its input
