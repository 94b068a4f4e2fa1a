"""Other machines by --host and HOST:DIR, over real sshds: what a user there gets is what one here
gets, and what they say never reaches this terminal raw."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from support import PATIENCE, Cli, kill, mounts_below, stop_that_waits, wait_until
from support.ssh_hosts import SshHosts

pytestmark = [pytest.mark.root, pytest.mark.slow]


class There:
    """The command line here, with machines that ssh knows."""

    def __init__(self, cli: Cli, hosts: SshHosts) -> None:
        self.cli, self.hosts = cli, hosts

    def __call__(self, *args: str | Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return self.cli(*args, env=self.hosts.environment(), stdin=stdin)

    def ok(self, *args: str | Path, stdin: str = "") -> str:
        done = self(*args, stdin=stdin)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def there(cli: Cli, hosts: SshHosts, tiny_template: Path) -> Iterator[There]:
    """Two machines, the first with a chroot `deb`."""
    one, _two = hosts.add("one", "two")
    subprocess.run(["cp", "-a", tiny_template, one.base / "deb"], check=True)
    found = There(cli, hosts)
    yield found
    for host in hosts.hosts.values():
        for name in os.listdir(host.base):
            if mounts_below(host.base / name):
                cli.ok("off", "-S", "--kill", "--timeout", "2", "-d", host.base / name)


def test_the_daily_table_is_the_same_there(there: There) -> None:
    root = there.hosts.hosts["one"].base / "deb"
    assert "deb" in there.ok("list", "-H", "one")
    assert there.ok("--host", "two", "list") == ""
    there.ok("on", "-d", "one:deb")
    assert mounts_below(root)
    status = json.loads(there.ok("status", "--host=one", "-d", "deb", "--json"))
    assert (status["state"], status["path"]) == ("on", str(root))
    assert there.ok("run", "-d", "one:deb", "--", "/bin/sh", "-c", "echo $0 'a  b'") == (
        "/bin/sh a  b\n"
    )
    done = there("run", "-H", "one", "-d", "deb", "--", "/bin/sh", "-c", "exit 7")
    assert done.returncode == 7
    there.ok("bind", "add", "-d", "one:deb", "--source", "/usr", "--target", "/mnt/host usr")
    assert "/mnt/host usr" in there.ok("bind", "list", "-d", "one:deb")
    there.ok("off", "-d", "one:deb")
    assert not mounts_below(root)


def test_a_file_gets_what_a_command_there_writes_byte_for_byte(
    there: There, tmp_path: Path
) -> None:
    """Typed at a prompt: with a terminal there, too, it would get carriage returns and stderr."""
    script = "printf 'a\\nb\\377\\004'; echo beside >&2; test -t 0"
    words = ("run", "-d", "one:deb", "--", "/bin/sh", "-c", script)
    ours, terminal = os.openpty()
    with (tmp_path / "out").open("wb") as out:
        done = subprocess.run(
            there.cli.argv(*words), env=there.hosts.environment(), stdin=terminal, stdout=out,
            stderr=subprocess.PIPE, timeout=PATIENCE, check=False,
        )  # fmt: skip
    os.close(terminal)
    os.close(ours)
    assert (tmp_path / "out").read_bytes() == b"a\nb\xff\x04"
    assert done.stderr == b"beside\n"
    assert done.returncode == 1
    assert there(*words).stderr == "beside\n"  # and no word of ssh about terminals


def test_a_command_whose_connection_is_cut_is_told_from_one_that_ended(there: There) -> None:
    """ssh's own exit code may be a command's, too."""
    words = ("run", "-d", "one:deb", "--", "/bin/sh", "-c")
    done = there(*words, "exit 255")
    assert (done.returncode, done.stderr) == (255, "")
    with subprocess.Popen(
        there.cli.argv(*words, "echo begun; exec sleep 1000"), env=there.hosts.environment(),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as run:  # fmt: skip
        assert run.stdout
        assert run.stderr
        try:
            assert run.stdout.readline() == "begun\n"
        finally:
            there.hosts.hosts["one"].cut()
        said = run.stderr.read()
        assert run.wait(PATIENCE) == 255
    assert "chroot-tool: one: the connection was lost\nhint: whether the command" in said


def test_what_is_refused_there_is_refused_here(there: There) -> None:
    done = there("status", "-d", "one:none")
    assert done.returncode == 1
    assert done.stderr.startswith("chroot-tool: ")
    assert "none" in done.stderr
    assert "hint: " in done.stderr
    (there.hosts.hosts["one"].base / "deb/chroot.d/tool.conf").write_text("[bind]\nnonsense\n")
    done = there("on", "-d", "one:deb")
    assert done.returncode == 3
    assert "tool.conf:2" in done.stderr


@pytest.mark.parametrize("name", ["-oProxyCommand=x", "a b", "a/b", "a;b", "$(x)"])
def test_what_is_no_name_of_a_host(there: There, name: str) -> None:
    done = there("list", f"--host={name}")
    assert done.returncode == 2
    assert "is no name of a host" in done.stderr


@pytest.mark.parametrize("given", ["-Hone", "-H=one", "--host=one", "-H one", "--host one"])
def test_the_host_stands_before_a_verb_or_behind_it(there: There, given: str) -> None:
    words = given.split()
    for verb in (("list",), ("run", "-d", "deb", "--", "/bin/sh", "-c", "echo deb")):
        head, *rest = verb
        assert "deb" in there.ok(*words, *verb)
        assert "deb" in there.ok(head, *words, *rest)


def test_a_host_that_is_not_there(there: There) -> None:
    there.hosts.hosts["two"].stop()
    done = there("list", "-H", "two")
    assert done.returncode == 1
    assert done.stderr.startswith("chroot-tool: two: ")
    assert "refused" in done.stderr
    assert done.stderr.count("\n") == 2


def test_watch_tells_why_nothing_is_seen(there: There) -> None:
    there.hosts.hosts["two"].stop()
    for words in ((), ("--json",)):
        with subprocess.Popen(
            there.cli.argv("watch", "-H", "two", *words), env=there.hosts.environment(),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        ) as watching:  # fmt: skip
            assert watching.stdout
            said = watching.stdout.readline()
            kill([watching.pid])
        if words:
            found = json.loads(said)
            assert found["event"] == "warning"
            said = found["problem"]["message"]
            assert "tried again" in found["problem"]["hint"]
        assert "two: " in said
        assert "refused" in said


def test_a_host_without_chroot_tool(there: There) -> None:
    (there.hosts.hosts["two"].bin / "chroot-tool").unlink()
    done = there("list", "-H", "two")
    assert (done.returncode, done.stderr) == (
        1, "chroot-tool: two: not found\nhint: put it there: chroot-tool deploy two\n"
    )  # fmt: skip


def test_a_host_that_welcomes_everybody(there: There) -> None:
    one = there.hosts.hosts["one"]
    one.welcome("No trespassing\x1b[2J\n" * 20, 'Welcome\x1b[2J\n\n{"event": "motd"}\n' * 50)
    [seen] = json.loads(there.ok("list", "-H", "one", "--json"))
    assert seen["name"] == "deb"
    done = there("on", "-d", "one:deb")
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    assert mounts_below(one.base / "deb")
    done = there("on", "-d", "one:none")
    assert done.returncode == 1
    assert "none" in done.stderr.splitlines()[0], "not what its sshd says"


HELLO: dict[str, object] = {
    "event": "hello", "version": "9.9", "protocol": 1, "oldest": 1, "base": "/b",
    "methods": ["list"],
}  # fmt: skip
DONE = {"id": 1, "event": "done"}
ERROR = {"id": 1, "event": "error", "message": "no\x1b[2J"}


@pytest.mark.parametrize(
    ("says", "wanted"),
    [
        (["Welcome"], "Welcome"),
        ([{"event": "hello"}], "nonsense"),
        (["\x1b]0;owned\x07\x1b[2J"], "owned"),
        ([HELLO | {"protocol": 0, "oldest": 0}], "deploy two"),
        ([HELLO | {"protocol": 9, "oldest": 7}], "update the one here"),
        ([HELLO | {"protocol": "1"}], "nonsense"),
        ([HELLO | {"methods": [None]}], "nonsense"),
        ([HELLO | {"methods": []}], "knows no list"),
        ([HELLO, DONE | {"result": [{"name": 1}]}], "no sense"),
        ([HELLO, DONE | {"result": "\ud800"}], "no sense"),
        ([HELLO, DONE | {"id": 7, "result": []}], "lost"),
        ([HELLO, {"id": 1, "event": "stage"}], "no sense"),
        ([HELLO, "[" * 100_000], "lost"),
        ([HELLO, '{"id": 1, "event": "do'], "lost"),
        ([HELLO, "x" * 10_000_000], "lost"),
        ([HELLO, "x" * 40_000_000], "longer than"),
        ([HELLO, ERROR], "no"),
        ([HELLO, ERROR | {"kind": "configuration", "problems": []}], "no sense"),
        ([HELLO, ERROR | {"kind": "busy", "holders": [{"pid": -1}]}], "no sense"),
    ],
)
def test_a_host_that_says_anything(there: There, says: list[object], wanted: str) -> None:
    two = there.hosts.hosts["two"]
    lines = [one if isinstance(one, str) else json.dumps(one) for one in says]
    (two.folder / "first").write_text(f"{lines[0]}\n")
    (two.folder / "later").write_text("".join(f"{line}\n" for line in lines[1:]))
    asked = "read asked &&" if len(lines) > 1 else ""
    two.write_program("chroot-tool", f"cd {two.folder}; cat first; {asked} cat later")
    done = there("list", "-H", "two")
    assert done.returncode == 1
    assert done.stderr.startswith("chroot-tool: ")
    assert done.stderr.count("\n") <= 2
    assert "\x1b" not in done.stderr + done.stdout
    assert wanted in done.stderr


# A server that answers every method by what is given, as a machine in other hands can.
LIAR = """
import json, sys
answers = json.loads(sys.argv[1])
hello = {"event": "hello", "version": "9.9", "protocol": 1, "oldest": 1, "base": "/b"}
print(json.dumps(hello | {"methods": sorted(answers)}), flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    result = answers.get(asked.get("do"))
    print(json.dumps({"id": asked["id"], "event": "done", "result": result}), flush=True)
"""


def liar(there: There, answers: dict[str, object], streamed: str = "") -> None:
    """Have the second machine answer so, and stream *streamed*."""
    two = there.hosts.hosts["two"]
    (two.folder / "liar.py").write_text(LIAR)
    (two.folder / "answers").write_text(json.dumps(answers))
    (two.folder / "streamed").write_text(streamed)
    two.write_program(
        "chroot-tool",
        f"cd {two.folder}; case $* in *serve*) exec {sys.executable} liar.py "
        '"$(cat answers)";; *) cat streamed;; esac',
    )


def test_what_an_older_one_lacks_is_said_with_what_to_update(there: There) -> None:
    """What is listened on and open came later than the first of all versions."""
    there_is = {"name": "deb", "path": "/b/deb", "state": "off"}
    liar(there, {"locate": "/b/deb", "status": there_is})
    assert "deb: off" in there.ok("status", "-d", "two:deb")
    done = there("status", "--open", "-d", "two:deb")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "chroot-tool: two: its chroot-tool 9.9 knows no listeners\nhint: chroot-tool deploy two\n"
    )


@pytest.mark.parametrize("name", ["/x/mine.tar.zst", "../mine.tar.zst"])
def test_what_a_host_says_names_no_file_here(there: There, name: str, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    mine = tmp_path / "mine.tar.zst"
    mine.write_text("mine")
    name = name.replace("/x", str(tmp_path))
    liar(there, {"locate": name, "archive_name": name}, "no archive")
    there.cli("pack", "-d", "two:deb", env=there.hosts.environment(), cwd=folder)
    assert mine.read_text() == "mine"
    assert all(one.startswith("mine.tar.zst-2") for one in os.listdir(folder))
    assert sorted(one.name for one in tmp_path.iterdir() if one.is_file()) == [mine.name]


def test_what_a_host_says_is_no_path_in_an_inventory(there: There) -> None:
    said = {"name": "deb", "path": "one:/b/deb", "state": "off"}
    liar(there, {"locate": "/b/deb", "status": said, "config": {"binds": []}})
    done = there("export", "ansible", "-d", "two:deb")
    assert (done.returncode, done.stdout) == (1, "")
    assert "two: its answer makes no sense: 'one:/b/deb' is no path" in done.stderr


def test_a_word_that_a_newer_one_has_is_passed_over(there: There) -> None:
    answer = {"path": "/b/new", "method": "weird", "entries": 3, "size": 7}
    liar(there, {"locate": "/b/deb", "clone": answer})
    assert "new" in there("clone", "-d", "two:deb", "two:new").stderr


def test_the_doctor_looks_where_the_chroot_is(there: There) -> None:
    done = there("doctor", "-d", "one:deb")
    assert done.returncode in (0, 1)
    assert "does not exist" not in done.stderr
    assert there("report", "-d", "one:deb").returncode == 2


def test_a_command_in_a_hint_is_one_to_be_typed_here(there: There) -> None:
    """As it is said there it would make, or delete, one of this machine."""
    base = there.hosts.hosts["one"].base
    there.ok("on", "-d", "one:deb")
    try:
        for words, hint in (
            (("on", "-d", "one:nope"), f"create -d one:{base}/nope, or"),
            (("snapshot", "list", "-d", "one:deb"), f"snapshot -d one:{base}/deb NAME"),
            (("snapshot", "now", "-d", "one:deb"), f"off -d one:{base}/deb, then snapshot"),
            (("snapshot", "now", "-H", "one", "-d", "deb"),
             f"snapshot remove now -d one:{base}/deb, or"),
            (("list", "--base", "/none", "-H", "one"), "create -d one:/none/deb"),
            (("clone", "-d", "one:deb", "two:copy"), f"off -d one:{base}/deb"),
            (("clone", "-d", "one:nope", "two:other"), f"create -d one:{base}/nope"),
            (("bind", "add", "-d", "one:deb", "--fs", "tmpfs", "--target", "/opt"),
             f"on -d one:{base}/deb"),
        ):  # fmt: skip
            assert f"chroot-tool {hint}" in there(*words).stderr, words
    finally:
        there.ok("off", "-S", "-d", "one:deb")
    kept = there("delete", "--yes", "--trash", "7", "-d", "one:deb").stderr
    assert f"trash restore deb --base {base} -H one, or" in kept
    there.ok("trash", "restore", "deb", "--base", base, "-H", "one")


def test_ctrl_c_reaches_the_other_end(there: There) -> None:
    one = there.hosts.hosts["one"]
    stop_that_waits(one.base / "deb")
    there.ok("on", "-d", "one:deb")
    with subprocess.Popen(
        there.cli.argv("off", "-d", "one:deb"), env=there.hosts.environment(),
        stderr=subprocess.PIPE, text=True, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as off:  # fmt: skip
        wait_until((one.base / "deb/began").exists)
        os.killpg(off.pid, signal.SIGINT)
        assert off.stderr
        said = off.stderr.read()
        assert off.wait(PATIENCE) == 130, said
    assert mounts_below(one.base / "deb"), "nothing was unmounted"
    wait_until(lambda: there("off", "-S", "-d", "one:deb").returncode == 0)


@pytest.mark.parametrize("is_shared", [True, False], ids=["a shared connection", "its own"])
def test_ctrl_c_hangs_up_there_what_has_pipes_here(
    there: There, tmp_path: Path, is_shared: bool
) -> None:
    """It writes nothing, and so would never learn that nobody is there any more."""
    env = there.hosts.environment({} if is_shared else {"XDG_RUNTIME_DIR": "none"})
    cli = there.cli.without("hangs_up")
    script = f"exec sleep 7{time.time_ns()}"  # all of this machine is looked at

    def sleeps() -> bool:
        found = [one.info["cmdline"] for one in psutil.process_iter(["cmdline"])]
        return script.split()[-2:] in found

    for more in ((), ("-x",)):
        with (tmp_path / "said").open("w") as said, subprocess.Popen(
            cli.argv("run", *more, "-d", "one:deb", "--", "sh", "-c", script), env=env,
            stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        ) as running:  # fmt: skip
            wait_until(sleeps)
            os.killpg(running.pid, signal.SIGINT)
            assert running.wait(PATIENCE) == 130
        wait_until(lambda: not sleeps())
        assert (tmp_path / "said").read_text().endswith("chroot-tool: the connection was closed\n")
    there.ok("off", "-d", "one:deb")
    assert os.listdir(there.hosts.hosts["one"].base) == ["deb"]


def test_a_cut_connection_takes_back_what_was_done_there(there: There) -> None:
    one = there.hosts.hosts["one"]
    stop_that_waits(one.base / "deb")
    there.ok("on", "-d", "one:deb")
    with subprocess.Popen(
        there.cli.argv("off", "-d", "one:deb"), env=there.hosts.environment(),
        stderr=subprocess.PIPE, text=True,
    ) as off:  # fmt: skip
        wait_until((one.base / "deb/began").exists)
        kill([child.pid for child in psutil.Process(off.pid).children()])
        assert off.stderr
        said = off.stderr.read()
        assert off.wait(PATIENCE) == 1
    assert "one: the connection was lost" in said
    assert "look before you ask again" in said
    wait_until(lambda: there("off", "-S", "-d", "one:deb").returncode == 0)
    assert not mounts_below(one.base / "deb")
