"""Verbs of the engine, called one after the other in a process of its own, each within a limit.

A command costs 40 ms before it does anything; this has the same engine at once. Imported as
`verb_worker`; run as a program it is the process.
"""

from __future__ import annotations

import ctypes
import faulthandler
import json
import os
import select
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from support import CHECKOUT, kill, processes_below
from support.fighter import STASH, Place, kinds, open_arena

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import FrameType

LIMIT = 280.0
"""Seconds after which a verb hangs: within the limit of a test."""
CODES = (0, 1, 2, 3, 4, 5)
"""What `--help` lets a verb end with that was not interrupted."""


def wrong_with(done: subprocess.CompletedProcess[str]) -> str:
    """What a command did that `--help` does not allow, "" for nothing."""
    lines = done.stderr.splitlines()
    if done.returncode not in CODES:
        return f"exit {done.returncode}: {done.stderr}"
    if done.returncode and not any(line.startswith("chroot-tool: ") for line in lines):
        return f"no error in one line: {done.stderr!r}"
    if any(not line.isprintable() for line in lines):
        return f"not printable: {done.stderr!r}"
    return f"{done.stderr}" if "Traceback" in done.stderr else ""


class Outcome(NamedTuple):
    """How a verb ended: the exit code it would have, and the error's words."""

    verb: str
    code: int
    kind: str = ""
    message: str = ""
    hint: str = ""
    value: Any = None

    def __str__(self) -> str:
        return f"{self.verb}: {self.code} {self.kind} {self.message} ({self.hint})"


class Worker:
    """The process. `call` fails where the verb hangs, or ends with anything but its errors."""

    def __init__(self, base: Path, errors: Path, roots: tuple[Path, ...] = ()) -> None:
        """*errors* is where its stderr goes; what lives in *roots* may hold `run` up."""
        self._roots = roots
        self._errors = errors
        calls, ours = os.pipe()
        theirs, answers = os.pipe()
        self._calls, self._answers = ours, theirs
        environment = {
            **os.environ, "PYTHONPATH": f"{CHECKOUT / '.pkg'}:{CHECKOUT / 'tests'}",
            "CHROOT_TOOL_CACHE": str(base / ".cache"),
        }  # fmt: skip
        with errors.open("ab") as file:
            self._process = subprocess.Popen(
                [sys.executable, __file__, str(base), str(calls), str(answers)],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=file,
                pass_fds=(calls, answers), env=environment, start_new_session=True, cwd="/",
            )  # fmt: skip
        os.close(calls)
        os.close(answers)

    @property
    def pid(self) -> int:
        return self._process.pid

    def start(self, verb: str, *words: object) -> None:
        """Begin a verb; `end` says how it went."""
        self._verb = f"{verb} {' '.join(map(str, words))}"
        os.write(self._calls, json.dumps([verb, *map(str, words)]).encode() + b"\n")

    def end(self, limit: float = LIMIT) -> Outcome:
        data = b""
        for patience in (3.0, limit):
            while not data.endswith(b"\n"):
                if not select.select([self._answers], [], [], patience)[0]:
                    break
                data += self._read()
            if data.endswith(b"\n"):
                break
            for root in self._roots:  # a command inside may wait for a fifo as long as it likes
                kill(list(processes_below(root)))
        else:
            self._process.send_signal(signal.SIGABRT)  # it says where it is
            self._process.wait(10)
            raise AssertionError(f"{self._verb} hung:\n{self.said()}")
        kind, *facts = json.loads(data)
        assert kind == "ended", f"{self._verb}:\n{facts[0]}"
        outcome = Outcome(self._verb, *facts)
        assert outcome.code in CODES or self._verb.startswith(("run", "ephemeral")), outcome
        return outcome

    def call(self, verb: str, *words: object) -> Outcome:
        """Do a verb to its end."""
        self.start(verb, *words)
        return self.end()

    def trapped(self, root: Path, trap: Trap, verb: str, *words: object) -> Outcome:
        """Do a verb to its end while the trap is laid; it lies there until `settle`."""
        return self.call("trapped", root, json.dumps(trap), verb, *words)

    def _read(self) -> bytes:
        data = os.read(self._answers, 1 << 16)
        assert data, f"{self._verb} ended its process: {self._process.wait(10)}\n{self.said()}"
        return data

    def said(self) -> str:
        return self._errors.read_text(errors="replace")

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._calls)
        os.close(self._answers)


def _verbs(base: str) -> Any:
    """The verbs by their names, each a function of a chroot's path and words."""
    from chroot_tool.core.config.bind import Bind
    from chroot_tool.core.config.edits import Added, Ignored, Removed
    from chroot_tool.core.creating.options import CreateOptions
    from chroot_tool.core.local_engine import LocalEngine

    engine = LocalEngine(base)

    def add(path: str, source: str, target: str) -> object:
        bind = Bind(target, source) if source else Bind(target, "none", "tmpfs")
        return engine.binds(path).change(Added(bind))

    def sync(path: str, source: str, target: str) -> None:
        before = engine.config(path).binds
        add(path, source, target)
        engine.binds(path).sync(before)

    def ephemeral(path: str) -> int:
        return engine.run_ephemeral(path, ("/bin/true",), size="8M")

    def rename(path: str) -> None:
        new = engine.rename(path, f"{path}-renamed")
        engine.rename(new, path)

    def look(path: str) -> None:
        binds = engine.binds(path)
        binds.complete_target("/")
        binds.complete_target("/place/d")
        binds.what_is_at("/place/deep")
        binds.mount_state("/data")

    def unpack(path: str, source: str) -> None:
        engine.unpack(path, source)

    def clone(path: str, new: str) -> None:
        engine.clone(path, new)

    def clone_away(path: str, new: str) -> None:
        engine.clone(path, new)
        engine.delete(new)

    def keep(path: str) -> None:
        engine.take_snapshot(path, "kept")
        engine.remove_snapshot(path, "kept")

    def back(path: str) -> None:
        engine.take_snapshot(path, "back")
        engine.restore_snapshot(path, "back", keep=False)
        engine.remove_snapshot(path, "back")

    def pack(path: str, output: str) -> None:
        engine.pack(path, output)
        os.unlink(output)

    def create(path: str, source: str) -> None:
        engine.create(path, CreateOptions(source=source))

    return {
        "on": lambda path: engine.on(path) and None,
        "off": lambda path: engine.off(path, stop=False, kill=True, timeout=0.3) and None,
        "off softly": lambda path: engine.off(path, stop=False) and None,
        "stop and off": lambda path: engine.off(path, kill=True, timeout=0.3) and None,
        "plan on": lambda path: [step.describe() for step in engine.plan_on(path).steps],
        "plan off": lambda path: [step.describe() for step in engine.plan_off(path).steps],
        "status": lambda path: engine.status(path).state,
        "list": lambda _: [(one.path, one.state) for one in engine.list()],
        "config": lambda path: engine.config(path) and None,
        "scripts": lambda path: engine.scripts(path),
        "users": lambda path: engine.users(path),
        "holders": lambda path: engine.holders(path) and None,
        "look": look,
        "run": lambda path: engine.run(path, ("/bin/true",)),
        "run word": lambda path: engine.run(path, ("true",), user="app"),
        "ephemeral": ephemeral,
        "bind add": add,
        "bind remove": lambda path, target: engine.binds(path).change(Removed(target)),
        "bind ignore": lambda path, target: engine.binds(path).change(Ignored(target)),
        "binds": lambda path: [b.target for b in engine.binds(path).merged(())],
        "switch off": lambda path, target: engine.switch_bind(path, target, on=False) and None,
        "switch on": lambda path, target: engine.switch_bind(path, target, on=True) and None,
        "sync": sync,
        "clone": clone,
        "clone away": clone_away,
        "rename": rename,
        "snapshot": keep,
        "restore": back,
        "pack": pack,
        "unpack": unpack,
        "create": create,
        "delete": lambda path: engine.delete(path, timeout=0.3),
    }


def _answer(verbs: Any, verb: str, words: list[str]) -> list[object]:
    import traceback

    from chroot_tool.app.exits import code_of
    from chroot_tool.core.errors import ChrootError, ConfigError

    try:
        value = verbs[verb](*words)
    except ConfigError as error:
        text = "; ".join(problem.message for problem in error.problems)
        return ["ended", code_of(error), "ConfigError", text, ""]
    except ChrootError as error:
        kind = type(error).__name__
        return ["ended", code_of(error), kind, error.message, error.hint]
    except BaseException:
        return ["traceback", traceback.format_exc()]
    return ["ended", value if verb.startswith(("run", "ephemeral")) else 0, "", "", "", value]


class Trap(NamedTuple):
    """What is swapped while a verb works: *path* for a *kind* of `fighter.kinds`."""

    path: str
    kind: str
    moments: Sequence[int]
    """Counted in steps of the verb."""
    links: Sequence[str]
    stash: str = STASH
    user: int = 0


class Saboteur:
    """Swaps one thing between two steps of a verb: before any call that asks the kernel.

    What is under a name changes exactly there, so every moment can be tried, not only those that
    another process happens to hit.
    """

    def __init__(self) -> None:
        self._pid = os.getpid()
        self._place: Place | None = None
        self._trap = Trap("", "", (), ())
        self.steps = 0

    def lie_in_wait(self, root: str, trap: Trap) -> None:
        """Have what the trap says swapped at each of its moments."""
        self.settle()
        self.steps = 0
        self._trap = trap
        fd, stash = open_arena(root, trap.stash)
        try:
            self._as_user(lambda: self._set(fd, stash))
        except OSError:
            self._place = None  # there is no such place
        finally:
            os.close(fd)
            os.close(stash)

    def _set(self, fd: int, stash: int) -> None:
        make = kinds(self._trap.links)[self._trap.kind]
        self._place = Place(fd, stash, self._trap.path, make, "other")

    def _as_user(self, do: Callable[[], object]) -> None:
        user = self._trap.user
        if user:
            os.setegid(user)
            os.seteuid(user)
        try:
            do()
        finally:
            os.seteuid(0)
            os.setegid(0)

    def watch(self, frame: FrameType, event: str, argument: object) -> None:
        """Count the steps (sys.setprofile), and swap where it is time."""
        if event == "c_call":
            if getattr(argument, "__module__", "") not in ("posix", "fcntl", "io", "_io"):
                return
        elif event != "call" or not frame.f_code.co_filename.endswith("kernel/syscalls.py"):
            return
        if os.getpid() == self._pid:
            self.steps += 1
            if self._place and self.steps in self._trap.moments:
                errno = ctypes.get_errno()
                self._as_user(self._place.swap)
                ctypes.set_errno(errno)  # the verb may be about to ask for it

    def swapped(self) -> int:
        return self._place.swapped if self._place else 0

    def settle(self) -> None:
        """Have all in its place, after what was mounted meanwhile is gone."""
        if self._place:
            self._as_user(self._place.close)
        self._place = None


def _serve(base: str, calls: int, answers: int) -> None:
    faulthandler.enable()
    for fd in (calls, answers):
        os.set_inheritable(fd, False)
    verbs = _verbs(base)
    saboteur = Saboteur()

    def trapped(root: str, facts: str, *call: str) -> object:
        saboteur.lie_in_wait(root, Trap(*json.loads(facts)))
        sys.setprofile(saboteur.watch)
        try:
            verbs[call[0]](root, *call[1:])
        finally:
            sys.setprofile(None)
            swaps.append(saboteur.swapped())
        return None

    swaps: list[int] = []
    verbs["trapped"] = trapped
    verbs["steps"] = lambda _: saboteur.steps
    verbs["swaps"] = lambda _: sum(swaps)
    verbs["settle"] = lambda _: saboteur.settle()
    with open(calls, encoding="ascii") as lines:
        for line in lines:
            verb, *words = json.loads(line)
            answer = json.dumps(_answer(verbs, verb, words), default=str)
            with suppress(BrokenPipeError):
                os.write(answers, answer.encode("ascii", "surrogatepass") + b"\n")


if __name__ == "__main__":
    _serve(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
