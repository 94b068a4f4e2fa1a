"""The command line of chroot-tool on the host where a module runs: what it says, as values."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from ansible.module_utils.basic import AnsibleModule

FAILED, BUSY, PRIVILEGE, TOOL_FAILED = 1, 4, 5, 125
"""Exit codes, as chroot-tool's contract has them."""
SAYS = "chroot-tool: "
HINT = "hint: "
_ABSENT, _NO_CHROOT = "absent", "no_chroot"
"""Kinds of errors, as its JSON has them."""

OPTIONS: dict[str, Any] = {
    "path": {"type": "str", "required": True, "aliases": ["name", "dir"]},
    "base": {"type": "path"},
    "executable": {"type": "str", "default": "chroot-tool"},
}


class Failed(Exception):  # noqa: N818 # what has failed is the command
    """What chroot-tool answered when it could not do what it was asked."""

    def __init__(
        self, message: str, hint: str = "", rc: int = FAILED, kind: str = "", **facts: Any
    ) -> None:
        super().__init__(message)
        self.message, self.hint, self.rc, self.facts = message, hint, rc, facts
        self._kind = kind

    @property
    def nothing_there(self) -> bool:
        """Whether there is nothing at that place."""
        return self._kind == _ABSENT

    @property
    def no_chroot(self) -> bool:
        """Whether what is there is a directory, but no chroot: an empty one may become one."""
        return self._kind == _NO_CHROOT

    def as_result(self) -> dict[str, Any]:
        """Return it as `fail_json` takes it."""
        msg = f"{self.message} (hint: {self.hint})" if self.hint else self.message
        return {"msg": msg, "error": self.message, "hint": self.hint, "rc": self.rc, **self.facts}


class Done(NamedTuple):
    """A command that has ended."""

    rc: int
    stdout: str
    stderr: str


class CommandLine:
    """chroot-tool on one chroot."""

    def __init__(self, module: AnsibleModule) -> None:
        """Find the program. Raises Failed where there is none."""
        self._module = module
        self.path: str = module.params["path"]
        name = module.params["executable"]
        program = module.get_bin_path(name, opt_dirs=["/usr/local/bin", "/usr/local/sbin"])
        if program is None:
            raise Failed(f"there is no {name} on this host", "the role chroot_tool.chroots.host")
        self._program: str = program
        base = module.params["base"]
        self._base = [f"--base={base}"] if base else []

    def call(self, verb: str, *words: str, data: bytes | None = None) -> Done:
        """Run a verb on the chroot and return how it ended."""
        options = [*self._base, f"--dir={self.path}"]
        return Done(
            *self._module.run_command(
                [self._program, verb, *options, *words],
                data=data, binary_data=True, expand_user_and_vars=False,
            )
        )  # fmt: skip

    def ask(self, verb: str, *words: str) -> Any:
        """Return the one JSON document that a verb prints. Raises Failed."""
        done = self.call(verb, *words, "--json")
        if done.rc != 0:
            raise failure(done)
        return _read(done.stdout, verb)

    def do(self, verb: str, *words: str, events: bool = True) -> None:
        """Have a verb done. *events*: it tells by `--json` what happens. Raises Failed."""
        done = self.call(verb, *words, *(["--json"] if events else []))
        if done.rc != 0:
            raise failure(done)

    def status(self, *, may_be_other: bool = False) -> dict[str, Any] | None:
        """Return the chroot as it is, None where there is none. Raises Failed.

        *may_be_other*: None also for a directory that is no chroot.
        """
        try:
            return dict(self.ask("status"))
        except Failed as error:
            if error.nothing_there or (may_be_other and error.no_chroot):
                return None
            raise

    def inside(self, argv: Sequence[str], *, is_on: bool, env: Sequence[str] = ()) -> Done:
        """Look at something inside by a command, without switching on what is off.

        Where it is off, that is done in a throw-away session. Raises Failed where the tool itself
        fails; what the command answers is the caller's.
        """
        session = [] if is_on else ["--ephemeral"]
        return told(self.call("run", *session, *(f"--env={v}" for v in env), "--", *argv))


def told(done: Done) -> Done:
    """Return *done*, the end of a command inside. Raises Failed where the tool did not get to it.

    A command may end with the tool's own code, too: it's the tool's where the tool says so.
    """
    if done.rc == TOOL_FAILED and _own_lines(done.stderr):
        raise failure(done)
    return done


def failure(done: Done) -> Failed:
    """Return why a command has failed: by its last event, else by what it said on stderr."""
    event = _error_event(done.stdout)
    if event:
        more = {"holders": event["holders"]} if event.get("holders") else {}
        kind = str(event.get("kind", ""))
        return Failed(str(event["message"]), str(event.get("hint", "")), done.rc, kind, **more)
    own = _own_lines(done.stderr)
    hints = [line[len(HINT) :] for line in done.stderr.splitlines() if line.startswith(HINT)]
    said = done.stderr.strip().splitlines() or [f"chroot-tool ended with code {done.rc}"]
    return Failed("; ".join(own) or said[-1], "; ".join(hints[-1:]), done.rc)


def _own_lines(stderr: str) -> list[str]:
    return [line[len(SAYS) :] for line in stderr.splitlines() if line.startswith(SAYS)]


def _error_event(stdout: str) -> dict[str, Any] | None:
    for line in reversed(stdout.splitlines()):
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict) and event.get("event") == "error" and "message" in event:
            return event
    return None


def _read(text: str, verb: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise Failed(f"chroot-tool {verb} printed no JSON: {error}") from None
