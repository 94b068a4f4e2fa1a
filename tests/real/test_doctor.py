"""`doctor` on this host and on real chroots: what it says and mends, and that it only looks."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from chroot_tool.core.diagnosis.all_checks import checks_of
from support import PATIENCE, Cli, Program, lasting, let_in, mounts_below, next_line, read_mounts
from support.disks import disk
from support.served import Served

pytestmark = pytest.mark.root


@pytest.fixture
def cli(cli: Cli) -> Cli:
    """One that waits for every check, however slow this machine is."""
    return cli.without("doctor")


def findings(text: str) -> dict[str, list[dict[str, Any]]]:
    """What was printed as JSON, by check."""
    found: dict[str, list[dict[str, Any]]] = {}
    for line in text.splitlines():
        one = json.loads(line)
        if one["event"] == "finding":
            found.setdefault(one["check"], []).append(one)
    return found


def looked(cli: Cli, *words: str | Path) -> tuple[int, dict[str, list[dict[str, Any]]]]:
    done = cli("doctor", "--json", *words)
    assert not done.stderr
    last = json.loads(done.stdout.splitlines()[-1])
    assert last["event"] == "done"
    assert done.returncode == (1 if last["problem"] else 0)
    return done.returncode, findings(done.stdout)


def tree(root: Path) -> dict[str, tuple[int, int, int]]:
    """All that is in a tree, without what is mounted on it."""
    found = {}
    for folder, folders, files in os.walk(root):
        for name in (*folders, *files):
            status = os.lstat(f"{folder}/{name}")
            found[f"{folder}/{name}"] = (status.st_mode, status.st_size, status.st_mtime_ns)
    return found


@pytest.mark.slow
def test_every_check_says_something_of_this_host(cli: Cli, tmp_path: Path) -> None:
    before = lasting(read_mounts())
    with disk(tmp_path, "ext4", 64) as point:  # elsewhere it may be one that has a note
        there = sorted(point.iterdir())
        _, found = looked(cli, "--base", point)
        assert sorted(point.iterdir()) == there
    assert set(found) == {one.name for one in checks_of("")}
    for name in ("kernel", "mounting", "devices", "namespaces", "overlay", "file-system"):
        assert [one["severity"] for one in found[name]] == ["ok"], found[name]
    assert lasting(read_mounts()) == before


@pytest.mark.slow
def test_every_check_says_something_of_a_chroot_and_changes_nothing(
    cli: Cli, tiny_chroot: Path
) -> None:
    cli.ok("on", "-d", tiny_chroot)
    mounted, there = lasting(read_mounts()), tree(tiny_chroot / "chroot.d")
    _, found = looked(cli, "-d", tiny_chroot)
    assert set(found) == {one.name for one in checks_of("/x")}
    good = ("system", "drift", "stacked", "stray", "mountable", "binfmt", "leftovers", "shm")
    for name in good:
        assert [one["severity"] for one in found[name]] == ["ok"], found[name]
    assert lasting(read_mounts()) == mounted
    assert tree(tiny_chroot / "chroot.d") == there


def test_a_chroot_in_which_nothing_works_is_told_why(cli: Cli, tmp_path: Path) -> None:
    with disk(tmp_path, "ext4", 64, options="noexec,nosuid") as point:
        root = point / "deb"
        (root / "chroot.d").mkdir(parents=True)
        (root / "chroot.d/tool.conf").write_text("[bind]\nsrc:/nowhere tgt:/a\n")
        code, found = looked(cli, "-d", root)
        assert code == 1
        assert [one["severity"] for one in found["file-system"]] == ["warning", "problem"]
        assert found["system"][0]["severity"] == "problem"
        assert "/nowhere" in found["mountable"][0]["found"]


@pytest.mark.slow
def test_mending_does_what_was_shown_and_no_more(cli: Cli, tiny_chroot: Path) -> None:
    cli.ok("on", "-d", tiny_chroot)
    subprocess.run(["umount", tiny_chroot / "tmp"], check=True)
    subprocess.run(["mount", "--bind", "/usr", tiny_chroot / "run"], check=True)
    subprocess.run(["mount", "-t", "tmpfs", "none", tiny_chroot / "home"], check=True)
    left = tiny_chroot / "chroot.d/.tool.conf.4711.0123abcd"
    left.touch()
    before = mounts_below(tiny_chroot)

    shown = cli.ok("doctor", "-d", tiny_chroot, "--mend", "-n").splitlines()
    assert any(line.startswith("unmount /run") for line in shown)
    assert any(line.startswith("mount tmpfs on /tmp") for line in shown)
    assert any(str(left) in line for line in shown)
    assert not any("/home" in line for line in shown)
    assert mounts_below(tiny_chroot) == before
    assert left.exists()

    done = cli("doctor", "-d", tiny_chroot, "--mend")
    assert done.stderr.splitlines() == [f"mended: {line}" for line in shown]
    assert str(tiny_chroot / "tmp") in mounts_below(tiny_chroot)
    assert mounts_below(tiny_chroot).count(str(tiny_chroot / "run")) == 1
    assert str(tiny_chroot / "home") in mounts_below(tiny_chroot), "somebody else's"
    assert not left.exists()
    assert "nothing to mend" in cli("doctor", "-d", tiny_chroot, "--mend").stderr


@pytest.mark.slow
def test_a_chroot_that_is_off_stays_off(cli: Cli, tiny_chroot: Path) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "none", tiny_chroot / "home"], check=True)
    assert "nothing to mend" in cli("doctor", "-d", tiny_chroot, "--mend").stderr
    assert mounts_below(tiny_chroot) == [str(tiny_chroot / "home")]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("bounds", "broken"),
    [
        ("-sys_admin", {"privilege", "mounting", "devices", "namespaces"}),
        ("-mknod", {"privilege", "devices"}),
    ],
)
def test_root_that_may_not_all_is_told_what(cli: Cli, bounds: str, broken: set[str]) -> None:
    argv = ["setpriv", "--bounding-set", bounds, *cli.argv("doctor", "--json")]
    done = subprocess.run(argv, env=cli.environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 1
    bad = {
        n for n, all_ in findings(done.stdout).items() for o in all_ if o["severity"] == "problem"
    }
    assert broken <= bad


@pytest.mark.slow
def test_a_user_is_told_that_root_is_needed_and_mends_nothing(cli: Cli, tiny_chroot: Path) -> None:
    let_in(tiny_chroot)
    user = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]

    def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*user, *cli.argv(*words)], env=cli.environment(),
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    done = run("doctor", "-d", tiny_chroot, "--json")
    assert done.returncode == 1, done.stderr
    assert findings(done.stdout)["privilege"][0]["found"] == "not root"
    assert run("doctor", "-d", tiny_chroot, "--mend").returncode == 5


@pytest.mark.slow
def test_what_is_quick_is_told_while_the_mirror_is_silent_and_ctrl_c_ends_it(
    cli: Cli, tmp_path: Path
) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        proxy = f"http://127.0.0.1:{silent.getsockname()[1]}"
        env = cli.environment({"http_proxy": proxy, "https_proxy": proxy, "no_proxy": ""})
        argv = cli.argv("doctor", "--json", "--base", tmp_path)
        waiting = {one.name for one in checks_of("")} - {"mirror"}
        with Program(argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            while waiting:
                waiting -= {json.loads(next_line(process))["check"]}
            process.send_signal(signal.SIGINT)
            assert process.wait(PATIENCE) == 130


@pytest.mark.slow
def test_a_source_that_does_not_answer_is_a_problem_and_holds_up_nothing(
    cli: Cli, tiny_chroot: Path, tmp_path: Path
) -> None:
    (tmp_path / "far/src").mkdir(parents=True)
    with Served(tmp_path / "far", tmp_path / "near") as served:
        conf = tiny_chroot / "chroot.d/tool.conf"
        conf.write_text(f"[bind]\nsrc:{tmp_path}/near/src tgt:/data\n")
        served.stop()
        code, found = looked(cli, "-d", tiny_chroot)
        assert code == 1
        assert "is not answering" in found["mountable"][0]["found"]
        # That one alone: all else is told as ever.
        silent = {name for name in found if "answer within" in str(found[name])}
        assert silent == set()
        assert found["system"][0]["severity"] == "ok"


@pytest.mark.slow
def test_a_base_that_does_not_answer_is_a_problem_and_holds_up_nothing(
    cli: Cli, tmp_path: Path
) -> None:
    with Served(tmp_path / "far", tmp_path / "near") as served:
        served.stop()
        code, found = looked(cli, "--base", tmp_path / "near")
        assert code == 1
        assert "is not answering" in found["file-system"][0]["found"]
        assert "is not answering" in found["space"][0]["found"]
        assert found["mounting"][0]["severity"] == "ok"
