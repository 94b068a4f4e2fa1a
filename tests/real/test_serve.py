"""`serve --json`, and the engine that is behind it: the same as the one that works here."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import termios
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chroot_tool.core.config.bind import Bind
from chroot_tool.core.config.edits import Added, Ignored, Removed
from chroot_tool.core.creating.options import CreateOptions
from chroot_tool.core.engine import Engine
from chroot_tool.core.errors import BusyError, Cancelled, ChrootError, ConfigError, UsageError
from chroot_tool.core.events import Event, Output, Stage, StepDone
from chroot_tool.core.local_engine import LocalEngine
from chroot_tool.core.plan import Plan
from chroot_tool.core.remote import documents, remote_engine
from chroot_tool.core.remote.connection import Connection
from chroot_tool.core.remote.remote_engine import RemoteEngine
from support import (
    PATIENCE,
    Cli,
    Program,
    mounts_below,
    next_line,
    processes_below,
    stop_that_waits,
    wait_until,
)
from support.json_schema import check

pytestmark = [pytest.mark.root, pytest.mark.slow]


@pytest.fixture
def far(cli: Cli, tiny_chroot: Path) -> Iterator[RemoteEngine]:
    """An engine behind a `serve` of its own, for the base that the tiny chroot is in."""
    argv = [str(one) for one in cli.argv("--base", tiny_chroot.parent, "serve", "--json")]
    engine = RemoteEngine(lambda: Connection(argv, "there"), lambda words: ("true", *words))
    yield engine
    engine.close()


def test_what_is_looked_at_is_the_same(far: RemoteEngine, tiny_chroot: Path) -> None:
    (tiny_chroot / "chroot.d/tool.conf").write_text("[bind]\nsrc:/usr tgt:/mnt/usr opt:ro\n")
    path = str(tiny_chroot)
    here: Engine = LocalEngine(str(tiny_chroot.parent))
    there = far.of()
    here.on(path)
    calls: list[Callable[[Engine], object]] = [
        lambda e: [one.replace(processes=()) for one in e.list()],
        lambda e: e.status(path).replace(processes=()),
        lambda e: e.config(path),
        lambda e: e.scripts(path),
        lambda e: e.users(path),
        lambda e: e.all_open_files(path),
        lambda e: e.locate("tiny"),
        lambda e: e.complete("/us"),
        lambda e: documents.encode(e.plan_on(path, extra=(Bind("/mnt/x", "/usr"),))),
        lambda e: documents.encode(e.plan_off(path)),
        lambda e: documents.encode(e.plan_switch_bind(path, "/dev", on=False)),
        lambda e: documents.encode(e.plan_switch_bind(path, "/mnt/usr", on=True)),
        lambda e: e.holders(path),
        lambda e: e.rests(path),
        lambda e: e.snapshots(path),
        lambda e: e.who_asks(path),
        lambda e: e.create_defaults(CreateOptions()),
        lambda e: e.bases().list(),
        lambda e: e.sizes().get(path),
        lambda e: e.binds(path).files(),
        lambda e: e.binds(path).merged([Removed("/mnt/usr")]),
        lambda e: e.binds(path).difference([Added(Bind("/mnt/x", "/usr")), Ignored("/tmp")]),
        lambda e: e.binds(path).complete_target("/u"),
        lambda e: e.binds(path).what_is_at("/usr"),
        lambda e: e.binds(path).mount_state("/mnt/usr"),
        lambda e: e.binds(path).refusal(Bind("/mnt/x", "/usr")),
    ]
    for call in calls:
        assert call(there) == call(here)
    for engine in (there, here):
        with pytest.raises(ChrootError, match="does not exist"):
            engine.status("/nowhere")
        with pytest.raises(UsageError):
            engine.binds(path).what_is_at("relative")


def test_what_is_done_is_done_and_told(far: RemoteEngine, tiny_chroot: Path) -> None:
    path, there = str(tiny_chroot), far.of()
    told: list[Event] = []
    plan = there.on(path, report=told.append)
    assert mounts_below(tiny_chroot)
    steps = [one.step for one in told if isinstance(one, StepDone)]
    assert [s.describe() for s in steps] == [s.describe() for s in plan.steps]
    meant = there.plan_switch_bind(path, "/dev", on=False)
    assert {"/dev", "/dev/pts"} <= {step.target for step in meant.steps}
    assert there.switch_bind(path, "/dev", on=False) == meant
    assert there.plan_switch_bind(path, "/dev", on=False) == Plan()
    there.on(path)
    binds = there.binds(path)
    seen = binds.files()
    saved = binds.save([Added(Bind("/mnt/x", "/usr"))], seen)
    assert binds.merged([]) != LocalEngine("/").binds(path).merged([Removed("/mnt/x")])
    binds.sync(there.config(path).binds)
    binds.undo(saved)
    assert binds.files() == seen
    there.off(path, report=told.append)
    assert any(isinstance(one, Stage | Output | StepDone) for one in told)
    assert not mounts_below(tiny_chroot)
    (tiny_chroot / "chroot.d/tool.conf").write_text("[bind]\nno\nneither\n")
    with pytest.raises(ConfigError) as caught:
        there.on(path)
    assert len(caught.value.problems) == 2


def at_work(root: Path) -> list[str]:
    return list(processes_below(root).values())


def test_who_is_in_the_way_is_told(far: RemoteEngine, cli: Cli, tiny_chroot: Path) -> None:
    cli.ok("on", "-d", tiny_chroot)
    argv = cli.argv("run", "-d", tiny_chroot, "--", "/bin/sleep", "1000")
    with subprocess.Popen(argv) as sleeper:
        # Before execve(2) it is there already, under another name.
        wait_until(lambda: any(one.startswith("/bin/sleep") for one in at_work(tiny_chroot)))
        with pytest.raises(BusyError) as caught:
            far.of().off(str(tiny_chroot))
        assert "sleep" in caught.value.holders[0].command
        far.of().off(str(tiny_chroot), kill=True, timeout=2)
        sleeper.wait(PATIENCE)


def test_what_is_cancelled_ends_there(far: RemoteEngine, tiny_chroot: Path) -> None:
    stop_that_waits(tiny_chroot)
    far.of().on(str(tiny_chroot))
    flag = threading.Event()

    def cancel() -> None:
        wait_until((tiny_chroot / "began").exists)
        flag.set()

    begun = threading.Thread(target=cancel)
    begun.start()
    with pytest.raises(Cancelled):
        far.of().off(str(tiny_chroot), cancelled=flag)
    begun.join()
    with pytest.raises(Cancelled):
        far.of().off(str(tiny_chroot), cancelled=flag)
    assert mounts_below(tiny_chroot)


def test_many_at_a_time_and_one_that_waits_holds_up_none(
    far: RemoteEngine, tiny_chroot: Path
) -> None:
    stop_that_waits(tiny_chroot)
    there, path, flag = far.of(), str(tiny_chroot), threading.Event()
    there.on(path)
    errors: list[BaseException] = []

    def off() -> None:
        try:
            there.off(path, cancelled=flag)
        except Cancelled as error:
            errors.append(error)

    waits = threading.Thread(target=off)
    waits.start()
    wait_until((tiny_chroot / "began").exists)
    found: list[str] = []
    many = [
        threading.Thread(target=lambda: found.append(there.status(path).state)) for _ in range(20)
    ]
    for one in many:
        one.start()
    for one in many:
        one.join()
    assert found == ["on"] * 20
    flag.set()
    waits.join()
    assert len(errors) == 1


def test_following(far: RemoteEngine, cli: Cli, tiny_chroot: Path) -> None:
    following = far.of().follow()
    assert [one.state for one in following.snapshot().chroots] == ["off"]
    cli.ok("on", "-d", tiny_chroot)
    while following.snapshot().chroots[0].state != "on":
        following.wait()
    cli.ok("off", "-d", tiny_chroot)
    cli.ok("rename", "-d", tiny_chroot, "other")
    while [one.name for one in following.snapshot().chroots] != ["other"]:
        following.wait()
    cli.ok("rename", "-d", tiny_chroot.parent / "other", "tiny")
    following.close()


def test_a_lost_connection_is_told_and_tried_again(
    far: RemoteEngine, tiny_chroot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_engine, "_PAUSES", (PATIENCE,))  # it is seen before that is over
    following = far.of().follow()
    assert following.snapshot().problem is None
    first = far.connection()
    first.close(wait=0)
    while (problem := following.snapshot().problem) is None:
        following.wait()
    assert problem.message.startswith("there: ")
    assert "tried again in" in problem.hint
    assert following.snapshot().chroots, "what was seen last is shown"
    following.wake()
    while following.snapshot().problem is not None:
        following.wait()
    assert far.connection() is not first
    following.close()


def _serve(cli: Cli, base: Path, *requests: object, rest: str = "") -> list[dict[str, Any]]:
    lines = "".join(json.dumps(one) + "\n" for one in requests)
    done = cli("--base", base, "serve", "--json", stdin=lines + rest)
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ([], "an object"),
        ({}, "whole number"),
        ({"id": True, "do": "list"}, "whole number"),
        ({"id": 1}, "a text"),
        ({"id": 1, "do": "rm"}, "there is no 'rm'"),
        ({"id": 1, "do": "run"}, "there is no 'run'"),
        ({"id": 1, "do": "__init__"}, "there is no"),
        ({"id": 1, "do": "status", "path": 7}, "a text"),
        ({"id": 1, "do": "status", "path": "/a\0b"}, "NUL"),
        ({"id": 1, "do": "status"}, "needs path"),
        ({"id": 1, "do": "on", "path": "/x", "extra": [{"target": "/y"}]}, "without source"),
        ({"id": 1, "do": "binds.change", "of": "/x", "change": {"change": "moved"}}, "known"),
    ],
)
def test_a_request_that_is_none(cli: Cli, tmp_path: Path, request_: object, said: str) -> None:
    hello, answer = _serve(cli, tmp_path, request_)
    assert hello["event"] == "hello"
    assert (answer["event"], answer["kind"]) == ("error", "usage")
    assert said in answer["message"]


def test_every_line_is_what_the_schema_says(cli: Cli, tiny_chroot: Path) -> None:
    path = {"path": str(tiny_chroot)}
    argv = cli.argv("--base", tiny_chroot.parent, "serve", "--json")
    with Program(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as serve:

        def until(event: str, *requests: dict[str, Any]) -> list[str]:
            assert serve.stdin
            serve.stdin.write("".join(json.dumps(one) + "\n" for one in requests).encode())
            serve.stdin.flush()
            events = []
            while event not in events:
                line = next_line(serve)
                check(("serve", "--json"), line)
                events.append(json.loads(line)["event"])
            return events

        assert until("hello") == ["hello"]
        assert until("pong", {"ping": 1}) == ["pong"]
        assert until("done", {"id": 1, "do": "status", **path}) == ["done"]
        assert "step" in until("done", {"id": 2, "do": "on", **path})
        assert until("error", {"id": 3, "do": "status", "path": "/nowhere"}) == ["error"]
        assert "chroot" in until("seen", {"id": 4, "do": "follow"})
        until("done", {"cancel": 4})
        until("done", {"id": 5, "do": "off", **path})
        serve.communicate(timeout=PATIENCE)


def test_half_a_request_is_none_and_no_answer_is_owed(cli: Cli, tmp_path: Path) -> None:
    assert len(_serve(cli, tmp_path, rest='{"id": 1, "do": "list"}')) == 1


def test_when_the_input_ends_all_is_taken_back(cli: Cli, tiny_chroot: Path) -> None:
    stop_that_waits(tiny_chroot)
    cli.ok("on", "-d", tiny_chroot)
    argv = cli.argv("--base", tiny_chroot.parent, "serve", "--json")
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as serve:
        assert serve.stdin
        serve.stdin.write(b'{"id": 1, "do": "off", "path": "%s"}\n' % str(tiny_chroot).encode())
        serve.stdin.flush()
        wait_until((tiny_chroot / "began").exists)
        out, _ = serve.communicate(timeout=60)
    last = json.loads(out.splitlines()[-1])
    assert (last["event"], last["kind"]) == ("error", "cancelled")
    assert mounts_below(tiny_chroot)
    assert serve.returncode == 0


FLOODS = ("sh", "-c", ">/begun; while :; do echo said; done")


def _run(number: int, root: Path, *words: str, **more: float) -> bytes:
    request = {"id": number, "do": "run_captured", "path": str(root), "words": words, **more}
    return json.dumps(request).encode() + b"\n"


def test_who_is_not_heard_of_any_more_is_gone(cli: Cli, tiny_chroot: Path) -> None:
    """Behind a link that is down: the input does not end, and what is said is not taken."""
    cli.ok("on", "-d", tiny_chroot)
    with Program(
        cli.argv("serve", "--json"), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as serve:
        assert serve.stdin
        os.write(serve.stdin.fileno(), _run(1, tiny_chroot, *FLOODS))
        wait_until((tiny_chroot / "begun").exists)
        os.write(serve.stdin.fileno(), b'{"id": 2, "do": "list", "heard_within": 0.1}\n')
        assert serve.wait(PATIENCE) == 0
        wait_until(lambda: not processes_below(tiny_chroot))


def test_however_long_one_says_to_wait_is_no_mistake(cli: Cli) -> None:
    lines = '{"id": 1, "do": "list", "heard_within": 1e15}\n{"id": 2, "do": "list"}\n'
    done = subprocess.run(
        cli.argv("serve", "--json"), input=lines, capture_output=True, text=True, check=False,
        timeout=PATIENCE, env=cli.environment(),
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert {json.loads(line).get("id") for line in done.stdout.splitlines()[1:]} == {1, 2}


def test_who_takes_no_answers_is_heard(cli: Cli, tiny_chroot: Path) -> None:
    """A ping was answered before the next request was looked at."""
    cli.ok("on", "-d", tiny_chroot)
    with Program(
        cli.argv("serve", "--json"), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as serve:
        assert serve.stdin
        assert serve.stdout

        def is_full() -> bool:
            waiting = fcntl.ioctl(serve.stdout or 0, termios.FIONREAD, b"1234")
            return int.from_bytes(waiting, sys.byteorder) > 1 << 15

        def sleeps() -> bool:
            return any("sleep 1000" in line for line in processes_below(tiny_chroot).values())

        into = serve.stdin.fileno()
        os.write(into, _run(1, tiny_chroot, *FLOODS) + _run(2, tiny_chroot, "sleep", "1000"))
        wait_until(lambda: is_full() and sleeps())
        os.write(into, b'{"ping": 1}\n' * 3 + b'{"cancel": 2}\n')
        wait_until(lambda: not sleeps())
        told = [json.loads(line) for line in serve.communicate(timeout=PATIENCE)[0].splitlines()]
        assert [one["event"] for one in told].count("pong") == 3


def test_term_is_as_good_as_the_end_of_the_input(cli: Cli, tmp_path: Path) -> None:
    argv = cli.argv("--base", tmp_path, "serve", "--json")
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as serve:
        assert serve.stdout
        serve.stdout.readline()
        serve.terminate()
        assert serve.wait(PATIENCE) == 0
