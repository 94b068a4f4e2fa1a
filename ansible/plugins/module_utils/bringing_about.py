"""A chroot brought to what a task says of it, step by step; in check mode said and not done."""

from __future__ import annotations

import os
import re
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from . import binds, packages
from .command_line import BUSY, PRIVILEGE, CommandLine, Failed

ON, OFF, PRESENT, ABSENT = "on", "off", "present", "absent"
_PARTIAL = "partial"
_MADE_WITH = ("suite", "arch", "mirror", "variant", "timezone", "proxy", "backend")
_HALF = ("incomplete", "broken")
_CODE_NAME = re.compile(r"\((\w+)\)$")
"""Of a release, in what its system calls itself."""
_MOVING = ("stable", "oldstable", "oldoldstable", "testing", "unstable", "sid", "experimental")
"""Suites that are another release in time."""
_PASSWORD = re.compile(r"//[^/@ ]*@")
"""In a URL; what is planned is shown and logged."""


class Wanted:
    """What a task asks of one chroot, and what was done for it so far.

    `plan` has a line for each step, `before` and `after` what a diff shows of them.
    """

    def __init__(self, module: AnsibleModule) -> None:
        """Look at the chroot. Raises Failed."""
        self._module = module
        self._params: dict[str, Any] = module.params
        self._really = not module.check_mode
        self._tool = CommandLine(module)
        packages.check(self._params["packages"] or ())
        self._found = self._tool.status(may_be_other=self._params["state"] != ABSENT)
        self.plan: list[str] = []
        self.installed: list[str] = []
        self._edits: list[binds.Edit] = []
        state = self._found["state"] if self._found else ABSENT
        self.before: dict[str, Any] = {"state": state}
        self.after: dict[str, Any] = {"state": state}

    def bring_about(self) -> None:
        """Do what is to be done. Raises Failed; `plan` then says what was done before."""
        if self._params["state"] == ABSENT:
            self._remove()
            return
        self._make()
        self._set_binds()
        was_on = self.after["state"] != OFF
        try:
            self._install()
        except Failed:
            if not was_on:
                self._off(was_on=False)
            raise
        if self._params["state"] == ON:
            self._on()
        elif self._params["state"] == OFF or not was_on:
            self._off(was_on=was_on)
        elif self._edits and not self._really:
            self._expect()

    def as_result(self) -> dict[str, Any]:
        """Return what the module answers. There is no `path`: Ansible would look at that itself."""
        now = self._tool.status() if self._really and self.plan else self._found
        if self._really and now:
            self.after["state"] = now["state"]
        prepared = "".join(f"{line}\n" for line in self.plan)
        return {
            "changed": bool(self.plan),
            "state": self.after["state"],
            "chroot": now or {},
            "plan": self.plan,
            "installed": self.installed,
            "diff": {"before": self.before, "after": self.after, "prepared": prepared},
        }

    def _step(self, what: str, *command: str, state: str = "", events: bool = True) -> None:
        """Do one step by *command*, and have it in the plan. In check mode only that."""
        if self._really:
            self._tool.do(*command, events=events)
        self._did(what, state)

    def _did(self, what: str, state: str = "") -> None:
        self.plan.append(what)
        if state:
            self.after["state"] = state

    @property
    def _is_there(self) -> bool:
        """Whether it can be asked, and not only said what it would be like."""
        return self._really or self.before["state"] not in (ABSENT, *_HALF)

    # -- there, or not ------------------------------------------------------------------------

    def _remove(self) -> None:
        if self._found is None:
            return
        path, running = self._found["path"], self._found["processes"]
        if running and not self._params["kill"]:
            raise Failed(
                f"{path} is in use: {len(running)} processes run inside",
                "kill: true ends them", BUSY, holders=running,
            )  # fmt: skip
        if self._found.get("unseen") and not self._params["kill"]:
            raise Failed(
                f"who runs inside {path} is not to be seen without being root",
                "become: true, or kill: true, which ends them", PRIVILEGE,
            )  # fmt: skip
        self._step(f"delete {path}", "delete", "--yes", state=ABSENT, events=False)

    def _make(self) -> None:
        path, state = self._tool.path, self.before["state"]
        if state == "creating":
            raise Failed(f"{path} is being made just now", "try again later", BUSY)
        if state in _HALF and self._params["force"]:
            what = f"delete what is left of {path}"
            self._step(what, "delete", "--yes", state=ABSENT, events=False)
        elif state == "broken" and not self._may_be_made():
            assert self._found is not None
            problem = self._found["problems"][0]
            raise Failed(f"{path}: {problem['message']}", problem["hint"])
        elif state not in (ABSENT, *_HALF):
            self._mind_suite()
            return
        verb, words, what = self._making()
        self._step(what, verb, *words, state=OFF)

    def _mind_suite(self) -> None:
        """Warn where the chroot that there is is of another release than one that would be made."""
        assert self._found is not None
        wanted, is_of = self._params["suite"], _CODE_NAME.search(self._found["os"] or "")
        if wanted and is_of and wanted not in (is_of[1], *_MOVING):
            self._module.warn(
                f"{self._found['path']} is {is_of[1]} and stays so: "
                f"suite={wanted} is for one that is made"
            )

    def _may_be_made(self) -> bool:
        """Whether the broken chroot is nothing but a configuration, which `create` takes."""
        assert self._found is not None
        return any("chroot-tool create" in one["hint"] for one in self._found["problems"])

    def _making(self) -> tuple[str, list[str], str]:
        """Return the verb that makes it, its words, and what to say of it."""
        given, path = self._params, self._tool.path
        if given["unpack"]:
            return "unpack", [f"--file={given['unpack']}"], f"unpack {given['unpack']} to {path}"
        if given["clone"]:
            # Of `clone` it is the source that --dir means; the last one counts.
            return "clone", [f"--dir={given['clone']}", path], f"clone {given['clone']} to {path}"
        words = [f"--{name}={given[name]}" for name in _MADE_WITH if given[name]]
        if given["include"]:
            words.append(f"--include={','.join(given['include'])}")
        words += [f"--locale={locale}" for locale in given["locales"] or ()]
        if given["from"]:
            words.append(f"--from={given['from']}")
        said = " ".join(["create", path, *words])
        return "create", words, _PASSWORD.sub("//", said)

    # -- what is in it ------------------------------------------------------------------------

    def _set_binds(self) -> None:
        given = self._params["binds"]
        if given is None:
            return
        purge = self._params["purge_binds"]
        have = binds.present(self._tool.ask("bind", "list")) if self._is_there else []
        want = [binds.wanted(one) for one in given]
        self._edits = binds.edits(have, want, purge=purge)
        after = {entry.target: entry for entry in [*(() if purge else have), *want]}
        self.before["binds"] = sorted(entry.describe() for entry in have)
        self.after["binds"] = sorted(entry.describe() for entry in after.values())
        for edit in self._edits:
            if self._really:
                self._edit(edit)
            self._did(edit.describe())
            if edit.after is None and self.after["state"] != OFF:
                assert edit.before is not None
                self._module.warn(f"{edit.before.target} stays mounted until the chroot is off")

    def _edit(self, edit: binds.Edit) -> None:
        """Change one entry; where the new one is refused, the old one stays."""
        if edit.before is not None:
            self._bind("remove", f"--target={edit.before.target}")
        if edit.after is None:
            return
        try:
            self._bind(*edit.after.words())
        except Failed:
            if edit.before is not None:
                self._bind(*edit.before.words())
            raise

    def _bind(self, action: str, *words: str) -> None:
        self._tool.do("bind", action, *words, events=False)

    def _install(self) -> None:
        names = list(dict.fromkeys(self._params["packages"] or ()))
        if names and self._is_there:
            # One that is on in part would be switched on as a whole to be asked.
            names = packages.missing(self._tool, names, is_on=self.after["state"] == ON)
        if not names:
            return
        self.installed = names
        self.before["packages"] = dict.fromkeys(names, "missing")
        self.after["packages"] = dict.fromkeys(names, "installed")
        if self._really:
            packages.install(
                self._tool, names,
                update=self._params["update_cache"],
                recommends=self._params["install_recommends"],
            )  # fmt: skip
        self._did(f"install {' '.join(names)}")

    # -- on and off ---------------------------------------------------------------------------

    def _on(self) -> None:
        if self._is_there:
            steps = self._said("on", *self._unwritten())
            if steps and self._really:
                self._tool.do("on")
            elif self.installed and self.after["state"] == OFF:
                steps = ["switch it on"]  # it is since the packages came
        else:
            steps = ["switch it on"]
        for step in steps:
            self._did(step, ON)

    def _off(self, *, was_on: bool) -> None:
        steps = self._said("off") if self._is_there else []
        if steps and self._really:
            # What was switched on for the packages was not started: there is nothing to stop.
            self._tool.do("off", *self._way_off(stop=was_on and self._params["stop"]))
        for step in steps if was_on else ():
            self._did(step, OFF)

    def _expect(self) -> None:
        """Say how one that is on would be with the new binds, which nobody asks to be mounted."""
        assert self._found is not None
        found = self._found["mounts"]
        wrong = {one["target"] for one in found if one["state"] in ("missing", "drifted")}
        for before, after in self._edits:
            if before is not None:
                wrong.discard(before.target)
            if after is not None and self._is_to_be_mounted(after):
                wrong.add(after.target)
        self.after["state"] = _PARTIAL if wrong else ON

    def _unwritten(self) -> list[str]:
        """Return words by which what is not written yet is part of the plan all the same."""
        new = [] if self._really else [edit.after for edit in self._edits if edit.after]
        return [f"--bind={entry.record()}" for entry in new if self._is_to_be_mounted(entry)]

    @staticmethod
    def _is_to_be_mounted(entry: binds.Entry) -> bool:
        """Whether `on` mounts it: an optional one only where its source is, if it has one."""
        looked_for = entry.optional and entry.fs in ("bind", "copy")
        return not entry.ignored and (not looked_for or os.path.exists(entry.source))

    def _said(self, verb: str, *words: str) -> list[str]:
        """Return what *verb* would do."""
        return [step["description"] for step in self._tool.ask(verb, "--dry-run", *words)["steps"]]

    def _way_off(self, *, stop: bool) -> list[str]:
        return [
            *([] if stop else ["--no-stop"]),
            *(["--kill", f"--timeout={self._params['timeout']}"] if self._params["kill"] else []),
            *(["--lazy"] if self._params["lazy"] else []),
        ]
