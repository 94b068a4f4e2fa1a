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
    """Two machines in the group `builders`."""
    made = ansible.hosts.add("build1", "build2")
    names: dict[str, Any] = {host.name: {} for host in made}
    hosts = {"builders": {"hosts": names}}
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
    def chroot(*options: str, **args: Any) -> dict[str, Any]:
        result = ansible.module("build1", CHROOT, *options, path="deb", **args)
        assert not result.get("failed"), result
        return result

    def listed() -> dict[str, Any]:
        words = ("chroot-tool", "bind", "list", "--json", "-d", "deb")
        entries = json.loads(ansible.hosts.ssh("build1", *words).stdout)
        return {one["target"]: one for one in entries if one["origin"] != "system"}

    chroot(**{"from": str(archive)})
    config = ansible.hosts.hosts["build1"].base / "deb/chroot.d/tool.conf"
    config.write_text(f"# mine\n[bind]\nsrc:{tmp_path} tgt:/kept  # why\n".replace("  # why", ""))
    before = config.read_bytes()

    one = {"target": "/srv/one", "source": str(tmp_path), "options": ["ro"]}
    kept = {"target": "/kept", "source": str(tmp_path)}
    assert chroot("--check", binds=[one, kept])["changed"]
    assert config.read_bytes() == before
    assert chroot(binds=[one], purge_binds=False)["changed"]
    assert set(listed()) == {"/srv/one", "/kept"}
    assert not chroot(binds=[one, kept])["changed"]
    changed = chroot(binds=[one | {"options": ["nosuid", "ro"]}, kept])
    assert changed["plan"] == [f"change the bind /srv/one: bind of {tmp_path} (nosuid,private,ro)"]
    assert not chroot(binds=[one | {"options": ["ro,nosuid,private"]}, kept])["changed"]
    assert chroot(binds=[{"target": "//kept/", "fs": "tmpfs"}])["changed"]
    assert [entry["fs"] for entry in listed().values()] == ["tmpfs"]
    assert not chroot(binds=[{"target": "/kept", "fs": "tmpfs"}])["changed"]
    assert chroot(binds=[])["changed"]
    assert listed() == {}
    assert config.read_text().startswith("# mine\n")

    wrong = [one | {"options": ["nonsense"]}]
    assert chroot(binds=[one])["changed"]
    refused = ansible.module("build1", CHROOT, path="deb", binds=wrong)
    assert (refused["failed"], refused["changed"], refused["rc"]) == (True, False, 2)
    assert listed()["/srv/one"]["options"] == ["ro", "private"]


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
    ansible.module("build1", CHROOT, path="deb", **{"from": str(archive)})

    def run(*options: str, **args: Any) -> dict[str, Any]:
        return ansible.module("build1", RUN, *options, path="deb", **args)

    gone = run(cmd="touch /root/gone", ephemeral=True)
    assert (gone["changed"], gone["rc"]) == (True, 0)
    assert status(ansible, "build1", "deb")["state"] == "off"
    asked = run(cmd="id", creates="/root/gone")
    assert "uid=0" in asked["stdout"]
    words = run(argv=["cat"], stdin="hä", environment={"A": "b c"})
    assert (words["stdout"], words["rc"]) == ("hä", 0)
    user = run(argv=["env"], user="app", chdir="/home", environment={"A": "b c"})
    assert {"USER=app", "PWD=/home", "A=b c"} <= set(user["stdout_lines"])
    failed = run(argv=["sh", "-c", "echo no >&2; exit 7"])
    assert (failed["failed"], failed["rc"], failed["stderr"]) == (True, 7, "no")
    nobody = run(cmd="id", user="nosuch")
    assert (nobody["rc"], nobody["changed"]) == (125, False)
    assert "no user" in nobody["msg"]
    assert not run(cmd="id", removes="/root/[0-9]")["changed"]
    assert run("--check", cmd="id", removes="/root")["changed"]
    checked = ansible("ansible", "build1", "-o", "--check", "-m", RUN, "-a", "path=deb cmd=id")
    assert checked.stdout == "build1 | SKIPPED\n"


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
