"""The modules of the collection on machines reached by ssh, on chroots of a shell."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from support import Program, next_line
from support.fleet import Ansible, tiny_archive
from support.ssh_hosts import SshHost

pytestmark = [pytest.mark.root, pytest.mark.network, pytest.mark.slow]

CHROOT, RUN = "chroot_tool.chroots.chroot", "chroot_tool.chroots.chroot_run"


@pytest.fixture
def builders(ansible: Ansible) -> list[SshHost]:
    """Two machines in the group `builders`; to the first a module goes in one piece."""
    made = ansible.hosts.add("build1", "build2")
    hosts = {"builders": {"hosts": {"build1": {"ansible_pipelining": True}, "build2": {}}}}
    (ansible.inventory / "10-hosts.yml").write_text(json.dumps(hosts))
    return made


@pytest.fixture
def archive(tiny_template: Path, tmp_path: Path) -> Path:
    return tiny_archive(tiny_template, tmp_path / "tiny.tar")


def status(ansible: Ansible, host: str, name: str) -> Any:
    done = ansible.hosts.ssh(host, "chroot-tool", "status", "--json", "-d", name)
    return json.loads(done.stdout) if done.returncode == 0 else None


def farm(archive: Path, source: Path) -> list[dict[str, Any]]:
    """A play that makes and uses a farm."""
    tasks = [
        {CHROOT: {
            "path": "build", "from": str(archive), "state": "on",
            "binds": [
                {"target": "/src", "source": str(source), "options": ["ro"]},
                {"target": "/mnt", "fs": "tmpfs", "options": ["size=1M"]},
                {"target": "/sys", "ignored": True},
            ],
        }},
        {CHROOT: {"path": "try", "clone": "build"}},
        {RUN: {"path": "build", "argv": ["touch", "/root/a b"], "creates": "/root/a*"}},
        {CHROOT: {"path": "gone", "state": "absent"}},
    ]  # fmt: skip
    return [{"hosts": "builders", "gather_facts": False, "tasks": tasks}]


@pytest.mark.usefixtures("builders")
def test_a_second_run_changes_nothing_and_a_check_never_does(
    ansible: Ansible, archive: Path, tmp_path: Path
) -> None:
    (tmp_path / "src").mkdir()
    play = ansible.write("farm.yml", farm(archive, tmp_path / "src"))
    checked = ansible.play(play, "--check", "--diff")
    # What a clone is of is not there yet, nor what is run: they are known to be new all the same.
    assert {host: n["changed"] for host, n in checked.items()} == {"build1": 3, "build2": 3}
    assert [status(ansible, host, "build") for host in checked] == [None, None]
    first = ansible.play(play, "--forks", "2")
    assert {host: n["changed"] for host, n in first.items()} == {"build1": 3, "build2": 3}
    for host in first:
        found = status(ansible, host, "build")
        assert found["state"] == "on"
        mounted = {one["target"]: one for one in found["mounts"]}
        assert mounted["/src"]["options"] == ["ro", "private"]
        assert mounted["/sys"]["state"] == "ignored"
        assert status(ansible, host, "try")["state"] == "off"
    again = ansible.play(play)
    assert {host: n["changed"] for host, n in again.items()} == {"build1": 0, "build2": 0}
    checked = ansible.play(play, "--check")
    assert {host: n["changed"] for host, n in checked.items()} == {"build1": 0, "build2": 0}


@pytest.mark.usefixtures("builders")
def test_binds_become_exactly_those_that_are_asked_for(
    ansible: Ansible, archive: Path, tmp_path: Path
) -> None:
    def chroot(binds: list[Any], **more: Any) -> dict[str, Any]:
        return {CHROOT: {"path": "deb", "binds": binds, **more}}

    config = ansible.hosts.hosts["build1"].base / "deb/chroot.d/tool.conf"
    mine = f"# mine\n[bind]\nsrc:{tmp_path} tgt:/kept\n"
    listed = {"command": "chroot-tool bind list --json -d deb"}
    read = {"command": f"cat {config}"}
    one = {"target": "/srv/one", "source": str(tmp_path), "options": ["ro"]}
    kept = {"target": "/kept", "source": str(tmp_path)}
    results = ansible.tasks(
        "build1",
        {CHROOT: {"path": "deb", "from": str(archive)}},
        {"copy": {"content": mine, "dest": str(config)}},
        chroot([one, kept]) | {"check_mode": True}, read,
        chroot([one], purge_binds=False), listed,
        chroot([one, kept]),
        chroot([one | {"options": ["nosuid", "ro"]}, kept]),
        chroot([one | {"options": ["ro,nosuid,private"]}, kept]),
        chroot([{"target": "//kept/", "fs": "tmpfs"}]), listed,
        chroot([{"target": "/kept", "fs": "tmpfs"}]),
        chroot([]), listed, read,
        chroot([one]),
        chroot([one | {"options": ["nonsense"]}]), listed,
    )  # fmt: skip
    of_module = [result for result in results[2:] if "cmd" not in result]
    assert [result["changed"] for result in of_module] == [
        True, True, False, True, False, True, False, True, True, False,
    ]  # fmt: skip
    assert of_module[3]["plan"] == [
        f"change the bind /srv/one: bind of {tmp_path} (nosuid,private,ro)"
    ]
    refused = of_module[-1]
    assert (refused["failed"], refused["changed"], refused["rc"]) == (True, False, 2)
    unchanged, both, tmpfs, none, text, as_before = (
        result["stdout"] for result in results if "cmd" in result
    )
    assert f"{unchanged}\n" == mine
    assert set(entries(both)) == {"/srv/one", "/kept"}
    assert [entry["fs"] for entry in entries(tmpfs).values()] == ["tmpfs"]
    assert entries(none) == {}
    assert text.startswith("# mine\n")
    assert entries(as_before)["/srv/one"]["options"] == ["ro", "private"]


def entries(listed: str) -> dict[str, Any]:
    """The entries of a `bind list` that are no system points, by their targets."""
    return {one["target"]: one for one in json.loads(listed) if one["origin"] != "system"}


@pytest.mark.usefixtures("builders")
def test_what_runs_inside_is_named_and_ended_only_where_that_is_wanted(
    ansible: Ansible, archive: Path
) -> None:
    ansible.module("build1", CHROOT, path="deb", state="on", **{"from": str(archive)})
    inside = Program(
        ["ssh", "build1", "chroot-tool run -d deb -- /bin/sh -c 'echo begun; exec sleep 1000'"],
        env=ansible.hosts.environment(), stdout=subprocess.PIPE,
    )  # fmt: skip
    with inside:
        assert next_line(inside) == b"begun\n"
        for state in ("off", "absent"):
            busy = ansible.module("build1", CHROOT, path="deb", state=state)
            assert (busy["failed"], busy["changed"], busy["rc"]) == (True, False, 4)
            assert any("sleep" in one["command"] for one in busy["holders"])
            assert busy["hint"]
            assert busy["hint"] in busy["msg"]
        gone = ansible.module("build1", CHROOT, path="deb", state="off", kill=True, timeout=1)
        assert (gone["changed"], gone["state"]) == (True, "off")
    assert not ansible.module("build1", CHROOT, path="deb", state="off")["changed"]
    checked = ansible.module("build1", CHROOT, "--check", path="deb", state="absent")
    assert (checked["changed"], checked["state"]) == (True, "absent")
    assert status(ansible, "build1", "deb")["state"] == "off"
    assert ansible.module("build1", CHROOT, path="deb", state="absent")["changed"]
    assert not ansible.module("build1", CHROOT, path="deb", state="absent")["changed"]


@pytest.mark.usefixtures("builders")
def test_that_it_is_of_another_release_is_a_warning(ansible: Ansible, archive: Path) -> None:
    root = ansible.hosts.hosts["build1"].base / "deb"
    ansible.module("build1", CHROOT, path="deb", **{"from": str(archive)})
    name = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n'
    (root / "etc/os-release").write_text(name)
    wanted = ("bookworm", "stable", "trixie")
    said = ansible.tasks("build1", *({CHROOT: {"path": "deb", "suite": one}} for one in wanted))
    assert [one["changed"] for one in said] == [False] * 3
    warned = [
        [line for line in one.get("warnings", ()) if "stays so" in line]  # not of its Python
        for one in said
    ]
    told = f"{root} is bookworm and stays so: suite=trixie is for one that is made"
    assert warned == [[], [], [told]]


@pytest.mark.usefixtures("builders")
def test_what_is_broken_is_made_anew_only_by_force(ansible: Ansible, archive: Path) -> None:
    made = {"path": "deb", "from": str(archive)}
    base = ansible.hosts.hosts["build1"].base
    ansible.module("build1", CHROOT, **made)
    (base / "deb/chroot.d/chroot.toml").write_text("nonsense = 1\n")
    failed = ansible.module("build1", CHROOT, **made)
    assert (failed["failed"], failed["changed"]) == (True, False)
    assert "nonsense" in failed["msg"]
    assert ansible.module("build1", CHROOT, **made, force=True)["changed"]
    assert not ansible.module("build1", CHROOT, **made, force=True)["changed"]

    (base / "mine").mkdir()
    (base / "mine/file").touch()
    for state in ("present", "absent"):
        refused = ansible.module("build1", CHROOT, path="mine", state=state)
        assert (refused["failed"], refused["changed"]) == (True, False)
    assert (base / "mine/file").exists()


@pytest.mark.usefixtures("builders")
def test_a_command_inside_is_as_one_of_the_host(ansible: Ansible, archive: Path) -> None:
    def run(**args: Any) -> dict[str, Any]:
        return {RUN: {"path": "deb", **args}}

    check = {"check_mode": True}
    once_more = {"until": "r11 is succeeded", "retries": 3, "delay": 0}  # that of the last
    fails_once = "[ -e /root/tried ] || { touch /root/tried; exit 5; }"
    results = ansible.tasks(
        "build2",
        {CHROOT: {"path": "deb", "from": str(archive)}},
        run(cmd="touch /root/gone", ephemeral=True),
        {"command": "chroot-tool status --json -d deb"},
        run(cmd="id", creates="/root/gone"),
        run(argv=["cat"], stdin="hä", environment={"A": "b c"}),
        run(argv=["env"], user="app", chdir="/home", environment={"A": "b c"}),
        run(argv=["sh", "-c", "echo no >&2; exit 7"]),
        run(cmd="id", user="nosuch"),
        run(cmd="id", removes="/root/[0-9]"),
        run(cmd="id", removes="/root") | check,
        run(cmd="id") | check,
        run(argv=["sh", "-c", fails_once]) | once_more,
    )
    _, gone, state, asked, words, user, failed, nobody, no_need, would, skipped, retried = results
    assert (gone["changed"], gone["rc"]) == (True, 0)
    assert json.loads(state["stdout"])["state"] == "off"
    assert "uid=0" in asked["stdout"]
    assert (words["stdout"], words["rc"]) == ("hä", 0)
    assert {"USER=app", "PWD=/home", "A=b c"} <= set(user["stdout_lines"])
    assert (failed["failed"], failed["rc"], failed["stderr"]) == (True, 7, "no")
    assert (nobody["rc"], nobody["changed"]) == (125, False)
    assert "no user" in nobody["msg"]
    assert (no_need["changed"], would["changed"]) == (False, True)
    assert skipped["skipped"]
    assert (retried["attempts"], retried["rc"], retried["changed"]) == (2, 0, True)
    assert not retried["failed"]


@pytest.mark.usefixtures("builders")
def test_a_plan_tells_no_password(ansible: Ansible) -> None:
    proxy = "http://me:hidden@proxy.example:3142"
    planned = ansible.module("build1", CHROOT, "--check", path="deb", proxy=proxy)
    assert planned["plan"] == ["create deb --proxy=http://proxy.example:3142"]
    assert status(ansible, "build1", "deb") is None


def test_a_host_without_the_tool_is_told_so(ansible: Ansible) -> None:
    [host] = ansible.hosts.add("bare")
    (ansible.inventory / "10-hosts.yml").write_text(json.dumps({"all": {"hosts": {"bare": {}}}}))
    (host.bin / "chroot-tool").unlink()
    missing = {"path": "deb", "executable": "no-chroot-tool"}
    result = ansible.module("bare", CHROOT, **missing)
    assert result["failed"]
    assert "there is no no-chroot-tool on this host" in result["msg"]
