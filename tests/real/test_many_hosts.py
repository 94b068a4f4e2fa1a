"""`--hosts GROUP`: a verb on every host of a group of a real Ansible inventory, over real sshds."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path
from typing import Any

import psutil
import pytest

from support import Cli, Program, let_in, mounts_below, processes_below, wait_until
from support.fleet import Ansible, tiny_archive
from support.ordinary import allow_there, ordinary, own_machine
from support.outer_terminal import Terminal
from support.own_units import own_units
from support.users import users

pytestmark = [pytest.mark.root, pytest.mark.network, pytest.mark.slow]

HOSTS = ("one", "two", "three")


class Fleet:
    """The command line on a controller, and three machines with a chroot `deb` each."""

    def __init__(self, cli: Cli, ansible: Ansible) -> None:
        self.cli, self.ansible = cli, ansible
        self.hosts = ansible.hosts.hosts

    def __call__(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        return self.cli(*words, env=self.ansible.environment(), cwd=self.ansible.folder)

    def ok(self, *words: str | Path) -> str:
        done = self(*words)
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout

    def documents(self, *words: str | Path) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self(*words).stdout.splitlines()]

    def without(self, *bounds: str) -> Fleet:
        """The same with these *bounds* out of reach, as `Cli.without`."""
        return Fleet(self.cli.without(*bounds), self.ansible)

    def start(self, *words: str | Path) -> Program:
        return Program(
            self.cli.argv(*words), env=self.ansible.environment(), cwd=self.ansible.folder,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip


@pytest.fixture
def fleet(cli: Cli, ansible: Ansible, tiny_template: Path) -> Fleet:
    for host in ansible.hosts.add(*HOSTS):
        subprocess.run(["cp", "-a", tiny_template, host.base / "deb"], check=True)
    group: dict[str, Any] = {"builders": {"hosts": {name: {} for name in HOSTS}}}
    (ansible.inventory / "hosts.yml").write_text(json.dumps(group))
    return Fleet(cli, ansible)


def outcomes(said: str) -> dict[str, str]:
    """The table's second column by its first."""
    head, *rows = said.splitlines()
    assert head.split() == ["HOST", "OUTCOME"]
    return {row.split()[0]: row.split()[1] for row in rows}


def test_a_verb_on_every_host_and_what_became_of_each(fleet: Fleet) -> None:
    head, *rows = fleet.ok("list", "--hosts", "builders").splitlines()
    assert head.split() == ["HOST", "STATE", "NAME", "SYSTEM", "MOUNTS", "PROCESSES"]
    assert [row.split()[0] for row in rows] == list(HOSTS)
    said = fleet.ok("--hosts", "builders", "on", "-d", "deb")
    assert outcomes(said) == dict.fromkeys(HOSTS, "ok")
    assert all(mounts_below(host.base / "deb") for host in fleet.hosts.values())
    done = fleet("run", "--hosts=builders", "-d", "deb", "--", "/bin/sh", "-c", "echo $0 'a  b'")
    assert sorted(done.stdout.splitlines()) == sorted(f"{one}: /bin/sh a  b" for one in HOSTS)
    assert outcomes(done.stderr) == dict.fromkeys(HOSTS, "ok")
    said = fleet.ok("status", "-d", "deb", "--hosts", "builders")
    assert all(f"{one}:   path    {fleet.hosts[one].base}/deb" in said for one in HOSTS)
    fleet.ok("off", "-d", "deb", "--hosts", "builders", "--forks", "1")
    assert not any(mounts_below(host.base / "deb") for host in fleet.hosts.values())


def test_what_is_done_at_boot_everywhere(fleet: Fleet, tmp_path: Path) -> None:
    with own_units(tmp_path / "units") as units:
        said = fleet.ok("enable", "-d", "deb", "--hosts", "builders")
        assert outcomes(said) == dict.fromkeys(HOSTS, "ok")
        links = units / "chroot-tool.target.wants"
        assert len(list(links.iterdir())) == len(HOSTS)
        assert all(at_boot(fleet, host) for host in HOSTS)
        fleet.ok("disable", "-d", "deb", "--hosts", "builders")
        assert not any(at_boot(fleet, host) for host in HOSTS)


def at_boot(fleet: Fleet, host: str) -> bool:
    return bool(json.loads(fleet.ok("status", "-d", f"{host}:deb", "--json"))["enabled"])


def names(fleet: Fleet, host: str) -> list[str]:
    """The chroots of a host, as its directory has them."""
    return sorted(one.name for one in fleet.hosts[host].base.iterdir() if one.name[0] != ".")


def test_one_is_made_copied_kept_and_thrown_away_everywhere(
    fleet: Fleet, tiny_template: Path, tmp_path: Path
) -> None:
    archive = tiny_archive(tiny_template, tmp_path / "tiny.tar")
    both = dict.fromkeys(("one", "two"), "ok")

    def done(*words: str | Path) -> None:
        assert outcomes(fleet.ok("--hosts", "one,two", *words)) == both

    def in_both(*expected: str) -> None:
        assert [names(fleet, one) for one in both] == [sorted(expected)] * 2

    done("create", "-d", "new", "--from", archive)
    refused = fleet("--hosts", "one,two", "create", "-d", "newer", "--from", "tiny.tar")
    assert (refused.returncode, set(outcomes(refused.stdout).values())) == (2, {"usage"})
    in_both("deb", "new")
    done("snapshot", "-d", "new", "before")
    for host in both:
        (fleet.hosts[host].base / "new/later").touch()
    done("snapshot", "restore", "-d", "new", "before", "--discard")
    assert not any((fleet.hosts[host].base / "new/later").exists() for host in both)
    done("clone", "-d", "new", "copy")
    done("rename", "-d", "copy", "other")
    in_both("deb", "new", "other")
    done("delete", "-d", "other", "--yes", "--trash", "7")
    in_both("deb", "new")
    listed = fleet.documents("--hosts", "one,two", "trash", "list", "--json")
    assert {one["host"]: [kept["name"] for kept in one["result"]] for one in listed} == (
        {"one": ["other"], "two": ["other"]}
    )
    done("trash", "restore", "other")
    in_both("deb", "new", "other")
    done("delete", "-d", "new", "--yes")
    in_both("deb", "other")
    assert names(fleet, "three") == ["deb"]


def test_what_is_said_and_refused_of_each(fleet: Fleet, tmp_path: Path) -> None:
    said = fleet.ok("tag", "add", "build", "-d", "deb", "--hosts", "builders")
    assert outcomes(said) == dict.fromkeys(HOSTS, "ok")
    said = fleet.ok("list", "--tag", "build", "--hosts", "builders")
    assert [row.split()[0] for row in said.splitlines()[1:]] == list(HOSTS)
    fleet.ok("bind", "add", "-d", "deb", "--target", "/mnt", "--source", tmp_path,
             "--hosts", "builders")  # fmt: skip
    documents = fleet.documents("bind", "list", "-d", "deb", "--json", "--hosts", "builders")
    found = {one["host"]: one["result"] for one in documents}
    assert all("/mnt" in [bind["target"] for bind in found[host]] for host in HOSTS)
    for code, word in enumerate(("start", "update")):
        for host in fleet.hosts.values():
            script = host.base / "deb/chroot.d" / word
            script.write_text(f"#!/bin/sh\necho {word}ed; exit {code}\n")
            script.chmod(0o755)
        done = fleet(word, "-d", "deb", "--hosts", "one,two")
        assert (done.returncode, sorted(done.stdout.splitlines())) == (
            code, [f"one: {word}ed", f"two: {word}ed"]
        )  # fmt: skip
    assert mounts_below(fleet.hosts["two"].base / "deb")

    refused = fleet("rename", "-d", "deb", "other", "--hosts", "builders")
    assert refused.returncode == 4
    assert outcomes(refused.stdout) == {"one": "busy", "two": "busy", "three": "ok"}
    fleet.ok("off", "-S", "-d", "deb", "--hosts", "one,two")
    assert fleet("rename", "-d", "deb", "one:other", "--hosts", "one,two").returncode == 2
    assert [names(fleet, host) for host in HOSTS] == [["deb"], ["deb"], ["other"]]
    looked = fleet.documents("doctor", "-d", "deb", "--json", "--hosts", "one,two")
    about = {one["host"]: one["chroot"] for one in looked if one["event"] == "done"}
    assert about == {host: str(fleet.hosts[host].base / "deb") for host in ("one", "two")}
    listed = fleet.documents("base", "list", "--json", "--hosts", "one,two")
    # Which there are is other tests' affair: all have one place for them.
    assert {one["host"]: (one["code"], type(one["result"])) for one in listed} == (
        {"one": (0, list), "two": (0, list)}
    )


def test_a_user_of_the_hosts_is_one_inside_everywhere(fleet: Fleet, tmp_path: Path) -> None:
    with users(tmp_path / "etc", "ann"):
        words = ("adopt", "-d", "deb", "-u", "ann", "--hosts", "builders")
        planned = fleet.ok(*words, "--dry-run")
        assert all(f"{one}: " in planned for one in HOSTS)
        assert outcomes(fleet.ok(*words)) == dict.fromkeys(HOSTS, "ok")
    for host in fleet.hosts.values():
        assert "\nann:" in (host.base / "deb/etc/passwd").read_text()


def test_one_without_a_chroot_is_told_from_one_that_was_not_asked(fleet: Fleet) -> None:
    base = fleet.hosts["two"].base
    (base / "deb").rename(base.parent / "deb")
    head, *rows = fleet.ok("list", "--hosts", "builders").splitlines()
    assert [row.split()[0] for row in rows] == list(HOSTS)
    assert rows[1].split() == ["two", "-", "(none)"]
    assert head.index("NAME") == rows[1].index("(none)") == rows[0].index("deb")
    head, *rows = fleet.ok("list", "--hosts", "two").splitlines()
    assert [row.split() for row in rows] == [["two", "-", "(none)"]]
    [ended] = fleet.documents("list", "--hosts", "two", "--json")
    assert ended["result"] == []


def test_one_that_is_not_there_costs_a_line(fleet: Fleet) -> None:
    fleet.hosts["two"].stop()
    done = fleet("list", "--hosts", "builders")
    assert done.returncode == 1
    assert [row.split()[0] for row in done.stdout.splitlines()[1:]] == ["one", "three"]
    assert "two: ssh: connect to host" in done.stderr
    done = fleet("on", "--hosts", "builders", "-d", "deb")
    assert done.returncode == 1
    assert outcomes(done.stdout) == {"one": "ok", "two": "failed", "three": "ok"}
    fleet.ok("off", "--hosts", "builders:!two", "-d", "deb")


def test_the_exit_code_is_that_of_all_that_failed_alike(fleet: Fleet) -> None:
    (fleet.hosts["two"].base / "deb/chroot.d/tool.conf").write_text("[bind]\nnonsense\n")
    done = fleet("on", "--hosts", "builders", "-d", "deb")
    assert done.returncode == 3
    assert outcomes(done.stdout) == {"one": "ok", "two": "configuration", "three": "ok"}
    assert "two: " in done.stderr
    assert "tool.conf:2" in done.stderr
    fleet.ok("off", "--hosts", "one,three", "-d", "deb")
    # The name of a host is another on each.
    told = "case $CHROOT in *two*) exit 7;; *three*) exit 8;; esac"
    for host in fleet.hosts.values():
        (host.base / "deb/chroot.d/tool.conf").unlink(missing_ok=True)
        (host.base / "deb/exits").write_text(f"CHROOT={host.name}\n{told}\n")
    words = ("run", "-d", "deb", "--", "/bin/sh", "/exits")
    assert fleet("--hosts", "one", *words).returncode == 0
    assert fleet("--hosts", "one,two", *words).returncode == 7
    done = fleet("--hosts", "builders", *words)
    assert done.returncode == 1
    assert [line.split(maxsplit=1)[1] for line in done.stderr.splitlines()[1:]] == [
        "ok", "exit 7", "exit 8",
    ]  # fmt: skip
    assert fleet("--hosts", "one,two", "run", "-d", "none", "--", "/bin/true").returncode == 125
    fleet.ok("off", "--hosts", "builders", "-d", "deb")


def test_as_json_each_line_names_its_host(fleet: Fleet) -> None:
    fleet.hosts["three"].stop()
    said = fleet.documents("list", "--hosts", "builders", "--json")
    assert all(next(iter(one)) == "host" for one in said)
    ended = {one["host"]: one for one in said if one["event"] == "ended"}
    assert {one: ended[one]["code"] for one in HOSTS} == {"one": 0, "two": 0, "three": 1}
    assert [chroot["name"] for chroot in ended["one"]["result"]] == ["deb"]
    [error] = [one for one in said if one["event"] == "error"]
    assert (error["host"], error["code"]) == ("three", 1)
    said = fleet.documents("on", "--hosts", "one", "-d", "deb", "--json")
    assert [one["event"] for one in said[-2:]] == ["done", "ended"]
    said = fleet.documents(
        "run", "--hosts", "one", "-d", "deb", "--json", "--", "/bin/sh", "-c", "echo said"
    )
    assert [(one["event"], one.get("line")) for one in said] == [
        ("output", "said"),
        ("ended", None),
    ]
    fleet.ok("off", "--hosts", "one", "-d", "deb")


def test_the_ui_takes_none_and_does_not_pass_over_it(fleet: Fleet) -> None:
    terminal = Terminal([str(word) for word in fleet.cli.argv("--hosts", "builders")],
                        fleet.ansible.environment() | {"TERM": "xterm"})  # fmt: skip
    try:
        terminal.wait_for("the terminal UI takes no --hosts")
        terminal.wait_for("chroot-tool list --hosts GROUP")
        assert terminal.exit_code() == 2
    finally:
        terminal.close()


def test_what_takes_no_group_says_so(fleet: Fleet) -> None:
    for words, why in (
        (("shell", "-d", "deb"), "shell takes no --hosts"),
        (("run", "-x", "-d", "deb", "/bin/true"), "-x takes no --hosts"),
        (("watch",), "chroot-tool watch -H HOST"),
        (("pack", "-d", "deb"), "chroot-tool pack -d HOST:DIR -f FILE"),
        (("unpack", "-f", "deb.tar"), "chroot-tool unpack -f FILE -d HOST:DIR"),
        (("deploy", "one"), "the role chroot_tool.chroots.host"),
        (("export", "ansible", "-d", "deb"), "those that do: "),
        (("list", "-H", "one"), "two ways to say where"),
        (("on", "-d", "one:deb"), "--hosts says where"),
        (("list", "--forks", "0"), "no number of hosts"),
        (("list", "--hosts", "nobody"), "no group 'nobody'"),
        (("delete", "-d", "deb"), "no terminal to ask on"),
    ):
        done = fleet("--hosts", "builders", *words)
        assert done.returncode in (2, 125), done.stderr
        assert why in done.stdout + done.stderr
    done = fleet("run", "--json", "-d", "deb", "/bin/true")
    assert "--json of run is for --hosts" in done.stderr


def test_ctrl_c_ends_all(fleet: Fleet) -> None:
    words = ("run", "-d", "deb", "--", "/bin/sh", "-c", "echo begun; exec sleep 1000")
    with fleet.start("--hosts", "builders", *words) as program:
        assert program.stdout
        assert program.stderr
        begun = {program.stdout.readline() for _ in HOSTS}
        assert begun == {f"{one}: begun\n".encode() for one in HOSTS}
        program.send_signal(signal.SIGINT)
        said = program.stderr.read().decode()
        assert program.wait() == 130
    assert "chroot-tool: interrupted" in said
    wait_until(lambda: not any(processes_below(one.base / "deb") for one in fleet.hosts.values()))
    fleet.ok("off", "--hosts", "builders", "-d", "deb")


def test_a_command_is_inside_whose_who_logs_in_there(
    cli: Cli, ansible: Ansible, tiny_template: Path, tmp_path: Path
) -> None:
    """As that of `run -d HOST:DIR`: by name and number, else root's after a line."""
    with ordinary(tmp_path / "ann") as ann:
        let_in(tmp_path)
        [one] = ansible.hosts.add("one")
        allow_there(ann, own_machine(ann, one))
        subprocess.run(["cp", "-a", tiny_template, ann.base / "deb"], check=True)
        group = {"builders": {"hosts": {"one": {"ansible_user": ann.name}}}}
        (ansible.inventory / "hosts.yml").write_text(json.dumps(group))
        fleet = Fleet(cli, ansible)

        def said(*options: str) -> list[str]:
            words = ("run", "--hosts", "builders", "-d", "deb", *options, "--", "id", "-u")
            return fleet.ok(*words).splitlines()

        try:
            *warning, number = said()
            assert number == "one: 0"
            assert f"knows no ann ({ann.uid})" in "".join(warning)
            ann.ok("adopt", "-d", "deb")
            assert said() == [f"one: {ann.uid}"]
            assert said("-u", "root") == ["one: 0"]
            word = ann.base / "deb/chroot.d/update"
            word.parent.mkdir(exist_ok=True)
            word.write_text("#!/bin/sh\nid -u\n")
            word.chmod(0o755)
            # The chroot's own affair, which is root's, as where it is typed there.
            for words in (("update",), ("run", "update")):
                assert fleet.ok(*words, "--hosts", "builders", "-d", "deb") == "one: 0\n"
                assert ann.ok(*words, "-d", "deb") == "0\n"
        finally:
            fleet.ok("off", "-d", "deb", "--hosts", "builders")


def test_a_second_ctrl_c_leaves_at_work_who_does_not_answer(fleet: Fleet) -> None:
    """`three` has not had its turn."""
    words = ("-d", "deb", "--", "/bin/sh", "-c", "echo begun; exec sleep 1000")
    at_work = [fleet.hosts[one].base / "deb" for one in HOSTS[:2]]
    for json_too in ((), ("--json",)):
        begun = ("run", "--hosts=builders", "--forks=2", *json_too, *words)
        with fleet.without("silent").start(*begun) as program:
            assert program.stdout
            assert program.stderr
            for _ in at_work:
                assert b"begun" in program.stdout.readline()
            fleet.hosts["one"].suspend()
            program.send_signal(signal.SIGINT)
            wait_until(lambda: not processes_below(at_work[1]))
            program.send_signal(signal.SIGINT)
            told, said = (stream.read().decode() for stream in (program.stdout, program.stderr))
            assert program.wait() == 130
        fleet.hosts["one"].resume()
        wait_until(lambda: not any(processes_below(one) for one in at_work))
        if json_too:
            ended = [json.loads(line) for line in told.splitlines()]
            assert {one["host"]: one["code"] for one in ended if one["event"] == "ended"} == (
                dict.fromkeys(HOSTS, 130)
            )
            left = [one["host"] for one in ended if one.get("left")]
            assert "one" in left
            assert "three" not in left
        else:
            rows = [line.split(maxsplit=1) for line in said.splitlines()]
            assert ["one", "left at work"] in rows
            assert ["three", "not begun"] in rows
    fleet.ok("off", "--hosts", "builders", "-d", "deb")


def test_ctrl_c_while_one_does_not_answer(fleet: Fleet) -> None:
    """Neither those that wait their turn nor one that is held up keep anybody."""
    fleet.hosts["one"].suspend()
    with fleet.start("--hosts", "builders", "--forks", "1", "list") as program:
        assert program.stderr
        wait_until(lambda: _asks(program.pid))
        program.send_signal(signal.SIGINT)
        said = program.stderr.read().decode()
        assert program.wait() == 130
    assert "interrupted" in said
    fleet.hosts["one"].resume()


def _asks(pid: int) -> bool:
    try:
        return any(child.name() == "ssh" for child in psutil.Process(pid).children())
    except psutil.Error:  # ansible-inventory ended while it was looked at
        return False


def test_an_inventory_says_how_a_host_is_reached(fleet: Fleet) -> None:
    """Children of groups, variables, one that ssh does not reach, this machine itself."""
    port = fleet.hosts["two"].port
    keys = fleet.ansible.hosts.folder / "keys"
    variables = {
        "ansible_host": "127.0.0.1", "ansible_port": port,
        "ansible_user": "root", "ansible_private_key_file": str(keys / "user"),
        "ansible_ssh_common_args": "-o HostKeyAlias=chroot-tool-tests",
    }  # fmt: skip
    inventory = {
        "farm": {"children": {"builders": {}, "others": {}}},
        "others": {
            "hosts": {
                "by-address": variables,
                "inside": {"ansible_connection": "chroot_tool.chroots.chroot"},
                "template": {"ansible_host": "{{ a_variable }}.example"},
            }
        },
        "own": {"hosts": {"controller": {"ansible_connection": "local"}}},
    }
    place = fleet.ansible.folder / "more.yml"
    place.write_text(json.dumps(inventory))
    base = fleet.hosts["two"].base
    done = fleet("list", "--hosts", "others", "--inventory", place)
    assert done.stdout.splitlines()[1].split()[:2] == ["by-address", "○"]
    assert "template: only Ansible knows" in done.stderr
    assert "left out, ssh does not reach them: inside" in done.stderr
    done = fleet("list", "--hosts", "own", "--inventory", place, "--base", base)
    assert done.returncode == 0
    assert done.stdout.splitlines()[1].split()[0] == "controller"
    both = fleet("list", "--hosts", "farm", "--inventory", place, "--inventory", place)
    assert both.returncode == 1
    done = fleet("list", "--hosts", "x", "--inventory", "nowhere.yml")
    assert done.returncode != 0
    assert "Traceback" not in done.stderr


def test_what_a_host_says_never_reaches_the_terminal_raw(fleet: Fleet) -> None:
    fleet.hosts["one"].write_program("chroot-tool", "printf 'a\\033[2Jb\\n' >&2; exit 1")
    done = fleet("list", "--hosts", "one")
    assert done.returncode == 1
    assert "\x1b" not in done.stdout + done.stderr
    evil = fleet.hosts["two"].base / "deb/evil"
    evil.write_text("printf 'a\\033[2Jb\\n'")
    said = fleet("run", "--hosts", "two", "-d", "deb", "--", "/bin/sh", "/evil").stdout
    assert said == "two: a\\e[2Jb\n"
    fleet.ok("off", "--hosts", "two", "-d", "deb")


def test_the_next_look_starts_nothing_at_either_end(fleet: Fleet) -> None:
    hosts = fleet.ansible.hosts
    ssh, log = hosts.folder / "bin/ssh", hosts.folder / "calls"
    ssh.write_text(ssh.read_text().replace("exec", f"pwd >>{log}; exec", 1))
    patient = fleet.without("idle")

    def said(*words: str) -> subprocess.CompletedProcess[str]:
        return patient("--hosts", "builders", *words)

    first = said("list")
    assert first.returncode == 0
    assert log.read_text().split() == ["/"] * 3  # of no directory's file system busy
    assert said("list").stdout == first.stdout
    assert said("status", "-d", "deb").returncode == 0
    assert len(log.read_text().split()) == 3
    # What changes something is not done by what was left by a look.
    assert said("on", "-d", "deb").returncode == 0
    assert len(log.read_text().split()) == 6
    assert said("list").stdout.count("● on") == 3
    assert said("off", "-d", "deb").returncode == 0
    fleet.hosts["two"].stop()
    done = said("list")
    assert done.returncode == 1
    assert [row.split()[0] for row in done.stdout.splitlines()[1:]] == ["one", "three"]
    assert "two: ssh: connect to host" in done.stderr
