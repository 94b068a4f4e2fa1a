"""A server that does not answer holds up nobody: a real file system whose server is stopped.

Nothing here asserts a time. Where something is not to ask at all, the bound is an hour (`patient`),
and the test would not live to see its end.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chroot_tool.core.errors import ChrootError
from chroot_tool.core.events import Event
from chroot_tool.core.kernel import answering
from chroot_tool.core.local_engine import LocalEngine
from proving import Proof
from support import PATIENCE, Arg, Cli, Program, mounts_below, next_line, wait_until
from support.served import Served

PROMISE = (
    "A source whose server does not answer holds up nothing but itself: it is named, the others go "
    "on, and `off` and `delete` ask it nothing."
)
pytestmark = pytest.mark.root

SILENT = "not answering"


@pytest.fixture(autouse=True)
def counted(proof: Proof) -> None:
    """Each test is a way to meet one that does not answer."""
    proof.count("ways to meet one", 1)


@pytest.fixture(params=["stopped", "keeps"])
def served(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Served]:
    """Somebody's disk, with a directory `src` that is bound into chroots."""
    (tmp_path / "far/src").mkdir(parents=True)
    (tmp_path / "far/src/file").write_text("far away\n")
    with Served(tmp_path / "far", tmp_path / "near", keeps=request.param == "keeps") as found:
        yield found


@pytest.fixture
def base(tiny_template: Path, tmp_path: Path, cli: Cli) -> Iterator[Path]:
    """A base directory with the chroots a, b and c; b is the one that binds what is served."""
    folder = tmp_path / "base"
    folder.mkdir()
    for name in "abc":
        subprocess.run(["cp", "-a", tiny_template, folder / name], check=True)
    bind(folder / "b", tmp_path / "near/src", "/zdata")
    yield folder
    for name in "abc":
        if mounts_below(folder / name):
            cli.ok("off", "-S", "--kill", "-d", folder / name)


@pytest.fixture
def patient(tmp_path: Path) -> Cli:
    """The command line of a user who would wait for an hour."""
    settings = tmp_path / "home/config/chroot-tool/settings.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text("patience = 3600\n")
    return Cli(tmp_path / "home")


@pytest.fixture
def sure(cli: Cli) -> Cli:
    """The command line while all answer, however slow this machine is."""
    return cli.without("looks")


def bind(root: Path, source: Path, target: str, more: str = "") -> None:
    with (root / "chroot.d/tool.conf").open("a") as file:
        file.write(f"[bind]\nsrc:{source} tgt:{target} {more}\n")


def states(cli: Cli, base: Path) -> dict[str, str]:
    return {one["name"]: one["state"] for one in cli.json("list", "--base", base)}


def started(cli: Cli, *args: Arg) -> Program:
    return cli.start(*args, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def threads(process: Program) -> int:
    return len(os.listdir(f"/proc/{process.pid}/task"))


def event(process: Program) -> Any:
    return json.loads(next_line(process))


# -- it is seen ------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_others_are_listed_and_the_source_is_named(
    cli: Cli, sure: Cli, base: Path, served: Served
) -> None:
    assert states(sure, base) == {"a": "off", "b": "off", "c": "off"}
    served.stop()
    text = cli.ok("list", "--base", base)
    (line,) = [line for line in text.splitlines() if f"{SILENT}  b" in line]
    assert line.endswith(str(served.point / "src"))
    found = {one["name"]: one for one in cli.json("list", "--base", base)}
    assert [found[name]["state"] for name in "abc"] == ["off", SILENT, "off"]
    assert found["b"]["not_answering"] == [str(served.point / "src")]
    assert found["b"]["os"] == "Tiny"


@pytest.mark.slow
def test_status_tells_each_mount_and_which_is_there(
    cli: Cli, sure: Cli, base: Path, served: Served
) -> None:
    sure.ok("on", "-d", base / "b")
    served.stop()
    found = cli.json("status", "-d", base / "b")
    assert found["state"] == SILENT
    mounts = {one["target"]: (one["state"], one["reason"]) for one in found["mounts"]}
    assert mounts["/zdata"] == ("mounted", f"its source is {SILENT}")
    assert mounts["/proc"] == ("mounted", "")
    assert str(served.point / "src") in found["problems"][0]["message"]
    assert SILENT in cli.ok("status", "-d", base / "b")


@pytest.mark.slow
def test_one_that_never_answered_anything(cli: Cli, base: Path, tmp_path: Path) -> None:
    with Served(tmp_path / "far", tmp_path / "near", silent=True):
        assert states(cli, base) == {"a": "off", "b": SILENT, "c": "off"}
        assert cli("on", "-d", base / "b").returncode == 1


@pytest.mark.slow
def test_a_link_that_leads_there(
    cli: Cli, sure: Cli, base: Path, served: Served, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to("near")
    bind(base / "c", tmp_path / "link/src", "/linked")
    sure.ok("on", "-d", base / "c")
    served.stop()
    assert states(cli, base)["c"] == SILENT
    cli.ok("off", "-d", base / "c")
    assert cli("on", "-d", base / "c").returncode == 1


@pytest.mark.slow
def test_a_chroot_that_lies_there(
    cli: Cli, sure: Cli, base: Path, served: Served, tiny_template: Path
) -> None:
    shutil.copytree(tiny_template, served.top / "tiny", symlinks=True)
    (base / "d").mkdir()
    with Served(served.top / "tiny", base / "d", keeps=served.keeps) as far:
        assert states(sure, base)["d"] == "off"
        far.stop()
        # What b binds answers, but on a busy machine not each look sees that in time.
        wait_until(lambda: states(cli, base) == {"a": "off", "b": "off", "c": "off", "d": SILENT})
        for verb in (["on"], ["off"], ["status"], ["run", "/bin/true"], ["delete", "--yes"]):
            done = cli(*verb, "-d", base / "d")
            assert done.returncode == (125 if verb[0] == "run" else 1)
            assert f"{base}/d is {SILENT}\nhint: " in done.stderr


@pytest.mark.slow
def test_what_is_mounted_over_the_configuration(
    cli: Cli, sure: Cli, base: Path, served: Served
) -> None:
    (served.top / "etc").mkdir()
    for file in (base / "b/etc").iterdir():
        shutil.copy(file, served.top / "etc")
    bind(base / "b", served.point / "etc", "/etc")
    (base / "b/chroot.d/chroot.toml").write_text(
        '[[bind]]\ntarget = "/etc/resolv.conf"\nignore = true\n'
    )
    sure.ok("on", "-d", base / "b")
    served.stop()
    assert states(cli, base) == {"a": "off", "b": SILENT, "c": "off"}
    cli.ok("off", "-S", "-d", base / "b")
    assert not mounts_below(base / "b")


@pytest.mark.slow
def test_a_base_that_does_not_answer(cli: Cli, served: Served) -> None:
    served.stop()
    done = cli("list", "--base", served.point)
    assert done.returncode == 1
    assert f"{served.point} is {SILENT}" in done.stderr


@pytest.mark.slow
def test_watch_tells_it_and_that_it_is_over_with_one_thread_that_waits(
    cli: Cli, base: Path, served: Served
) -> None:
    for number in range(5):
        bind(base / "c", served.point / "src", f"/more{number}")
    served.stop()
    with started(cli, "watch", "--base", base, "--json") as watch:
        seen = {(found := event(watch))["name"]: found["state"] for _ in "abc"}
        assert seen == {"a": "off", "b": SILENT, "c": SILENT}
        assert threads(watch) == 2
        cli.ok("on", "-d", base / "a")  # the others go on
        while (found := event(watch))["name"] != "a" or found["state"] != "on":
            assert found["name"] == "a"
        assert threads(watch) == 2
        served.go_on()
        over: dict[str, str] = {}
        while any(over.get(name) != "off" for name in "bc"):
            found = event(watch)
            over[found["name"]] = found["state"]
        wait_until(lambda: threads(watch) == 1)
        watch.send_signal(signal.SIGINT)
        assert watch.wait(PATIENCE) == 130


@pytest.mark.slow
def test_completion_goes_round_it(base: Path, served: Served, tmp_path: Path) -> None:
    engine = LocalEngine(str(base))
    wait_until(lambda: engine.complete(f"{served.point}/") == (f"{served.point}/src/",))
    served.stop()
    assert engine.complete(f"{served.point}/") == ()
    assert f"{tmp_path}/near/" in engine.complete(f"{tmp_path}/")
    served.go_on()
    wait_until(lambda: engine.complete(f"{served.point}/"))


# -- it ends ---------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(("verb", "code"), [(["on"], 1), (["run", "/bin/true"], 125)])
def test_on_and_run_give_up_with_a_line_and_leave_nothing(
    cli: Cli, base: Path, served: Served, verb: list[str], code: int
) -> None:
    served.stop()
    done = cli(*verb, "-d", base / "b")
    assert done.returncode == code
    line, hint = done.stderr.splitlines()
    assert line.startswith("chroot-tool: tool.conf:2: ")
    assert f"{served.point}/src, wanted at /zdata, is {SILENT}" in line
    assert hint.startswith("hint: ")
    assert not mounts_below(base / "b")
    assert not (base / "b/zdata").exists()


@pytest.mark.slow
def test_what_stops_answering_in_the_middle_is_taken_back(
    base: Path, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    answering.set_patience(lambda: 4.0 if "StepDone" in steps else PATIENCE)
    engine = LocalEngine(str(base))

    def report(event: Event) -> None:
        steps.append(type(event).__name__)
        if steps == ["StepDone"]:
            served.stop()

    try:
        with pytest.raises(ChrootError, match=f"/src, wanted at /zdata, is {SILENT}"):
            engine.on(str(base / "b"), report=report)
    finally:
        answering.set_patience(lambda: answering.PATIENCE)
    assert steps.count("StepDone") == steps.count("StepUndone") > 5
    assert not mounts_below(base / "b")
    assert not (base / "b/zdata").exists()
    served.go_on()  # what comes too late is let go
    wait_until(lambda: not answering.waiting())
    assert not mounts_below(base / "b")
    monkeypatch.setattr(answering, "PATIENCE", PATIENCE)
    engine.on(str(base / "b"))
    assert f"{base}/b/zdata" in mounts_below(base / "b")


@pytest.mark.slow
def test_what_is_on_already_needs_no_answer(patient: Cli, base: Path, served: Served) -> None:
    patient.ok("on", "-d", base / "b")
    served.stop()
    assert "already on" in patient("on", "-d", base / "b").stderr
    assert patient.ok("run", "id -u", "-d", base / "b") == "0\n"


@pytest.mark.slow
@pytest.mark.parametrize("more", [[], ["-S"], ["--kill"]])
def test_off_asks_no_source(patient: Cli, base: Path, served: Served, more: list[str]) -> None:
    bind(base / "b", served.point / "src", "/ro", "opt:ro")
    bind(base / "b", served.point, "/whole", "opt:rbind")
    patient.ok("on", "-d", base / "b")
    served.stop()
    patient.ok("off", *more, "-d", base / "b")
    assert not mounts_below(base / "b")


@pytest.mark.slow
@pytest.mark.parametrize("first", ["on", "off"])
def test_delete_asks_no_source(patient: Cli, base: Path, served: Served, first: str) -> None:
    patient.ok(first, "-d", base / "b")
    served.stop()
    patient.ok("delete", "--yes", "-d", base / "b")
    assert not (base / "b").exists()
    served.go_on()
    assert (served.point / "src/file").read_text() == "far away\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    "verb",
    [["on"], ["run", "/bin/true"], ["clone", "NEW"], ["pack", "-f", "-"], ["create"], ["unpack"]],
    ids=lambda verb: verb[0],
)
def test_a_signal_ends_whoever_waits(
    patient: Cli,
    base: Path,
    served: Served,
    verb: list[str],
    number: signal.Signals,
    tmp_path: Path,
) -> None:
    far = str(served.point / "src")
    words = [*verb, "-d", str(base / "b")]
    if verb[0] in ("clone", "pack"):
        words[-1] = far
    elif verb[0] == "create":
        words = ["create", "-d", str(tmp_path / "new"), "--from", far]
    elif verb[0] == "unpack":
        words = ["unpack", "-d", str(tmp_path / "new"), "-f", f"{far}/archive.tar.gz"]
    served.stop()
    with started(patient, *words) as process:
        wait_until(lambda: threads(process) > 1, process)
        process.send_signal(number)
        code = process.wait(PATIENCE)
    assert code == 130 if number == signal.SIGINT else code in (-number, 130)
    assert not mounts_below(base / "b")
    assert not (tmp_path / "new").exists()
