"""An ordinary user and the command line: what needs root is done behind sudo, the rest as it is."""

import json
import os
import re
import select
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from chroot_tool.app.cli.elevate import NEED_ROOT
from chroot_tool.app.cli.verbs import SUMMARIES
from chroot_tool.core.kernel.mount_table import KINDS
from chroot_tool.core.remote.ssh import Host
from support import CHECKOUT, PATIENCE, Cli, Program, mounts_below, next_line, trees
from support.kept_base import base_name, keep
from support.ordinary import PATH, Ordinary, allow_there, ordinary, own_machine
from support.outer_terminal import Terminal
from support.own_units import own_units
from support.ssh_hosts import SshHost, SshHosts

pytestmark = [pytest.mark.root, pytest.mark.slow]


@pytest.fixture
def ann(tmp_path: Path, tiny_template: Path) -> Iterator[Ordinary]:
    with ordinary(tmp_path) as one:
        subprocess.run(["cp", "-a", tiny_template, one.base / "deb"], check=True)
        yield one
        subprocess.run(
            [one.program, "off", "-S", "--kill", "-d", one.base / "deb"],
            check=False, capture_output=True,
        )  # fmt: skip


WAITS = "trap 'echo interrupted; exit 9' INT; echo he''re; read a; echo got $a; while :; do :; done"
PYTHON = "# what is read by Python alone: base\n"
"""Settings with which the shell leaves all to Python, and which say nothing."""


@pytest.mark.parametrize("settings", ["", 'theme = "dark"\n', PYTHON])
def test_with_the_rule_every_day_works(ann: Ordinary, settings: str) -> None:
    ann.allow()
    if settings:
        ann.settings(settings)
    assert "already" not in ann("on", "-d", "deb").stderr
    assert json.loads(ann.ok("status", "-d", "deb", "--json"))["state"] == "on"
    assert ann.ok("run", "cat /proc/self/mounts", "-d", "deb").count("/dev/pts") == 1
    echoed = ann("run", "-d", "deb", "-e", "A=b c", "--", "sh", "-c", "echo $A; cat; exit 7",
                 stdin=b"\0\xff")  # fmt: skip
    assert (echoed.returncode, echoed.stdout) == (7, "b c\n\0\udcff")
    ann.ok("bind", "add", "-d", "deb", "--source", "/usr", "--target", "/mnt")
    assert ann("shell", "-d", "deb", stdin=b"echo $((40+2))\n").stdout == "42\n"
    for word in ("start", "stop"):
        assert ann(word, "-d", "deb").returncode == 127, "which this chroot has none of"
    looked = ann("doctor", "-d", "deb").stdout
    assert "root, with every capability" in looked
    assert "not root" not in looked
    ann.ok("off", "-d", "deb")
    ann.ok("create", "-d", "new", "--from", ann.base / "deb")
    states = {one["name"]: one["state"] for one in json.loads(ann.ok("list", "--json"))}
    assert states == {"deb": "off", "new": "off"}
    for name in states:
        ann.ok("delete", "--yes", "-d", name)
    assert ann.ok("list", "--json") == "[]\n"


def test_what_is_not_done_every_hour(ann: Ordinary, tmp_path: Path) -> None:
    """At boot, tags, who holds it and what is open, the trash: with the rule, one after another."""
    ann.allow()
    with own_units(tmp_path / "units") as units:
        enabled = ann("enable", "-d", "deb")
        assert enabled.returncode == 0, enabled.stderr
        assert "deb: enabled" in enabled.stderr
        assert "systemd does not run here" in enabled.stderr
        assert list(units.glob("chroot-tool.target.wants/*deb.service"))
        assert json.loads(ann.ok("status", "-d", "deb", "--json"))["enabled"]
        assert "deb: disabled" in ann("disable", "-d", "deb").stderr
        assert not list(units.glob("chroot-tool.target.wants/*"))

    ann.ok("tag", "add", "build", "-d", "deb")
    assert ann.ok("tag", "list", "-d", "deb") == "build\n"

    ann.ok("adopt", "-d", "deb")  # what runs inside is ann's from here on, and ann's to look at
    waits = ("--", "sh", "-c", "exec 3</etc/passwd; echo begun; read a")
    with Program(
        ann.argv("run", "-d", "deb", *waits), env=ann.environment(), cwd="/",
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as holder:  # fmt: skip
        assert next_line(holder) == b"begun\n"
        lines = ann.ok("status", "--open", "-d", "deb").splitlines()
        assert ["3", "file", "/etc/passwd"] in [line.split()[1:] for line in lines]
        hidden = "what processes of other users have open can't be seen: run as root"
        assert lines[-2:] == ["", hidden]
        assert ann.ok("status", "--open", "--plain", "-d", "deb").splitlines()[-1] == hidden
        assert hidden not in ann.ok("status", "-d", "deb")
        assert json.loads(ann.ok("status", "--open", "-d", "deb", "--json"))["unseen"] is True
        busy = ann("off", "-d", "deb")
        assert busy.returncode == 4, busy.stderr
        assert "read a" in busy.stderr, "who is in the way"
        assert "--kill" in busy.stderr
        ann.ok("off", "--kill", "-d", "deb")
        assert holder.wait(PATIENCE) != 0
    assert json.loads(ann.ok("status", "-d", "deb", "--json"))["state"] == "off"

    def trashed() -> list[str]:
        return [one["name"] for one in json.loads(ann.ok("trash", "list", "--json"))]

    for goes in (("restore", "deb"), ("empty", "--yes")):
        kept = ann("delete", "--yes", "--trash", "7", "-d", "deb")
        assert "in the trash as deb-" in kept.stderr
        assert trashed() == ["deb"]
        assert ann.ok("list", "--json") == "[]\n"
        ann.ok("trash", *goes)
        assert trashed() == []
        tagged = json.loads(ann.ok("list", "--tag", "build", "--json"))
        assert [one["name"] for one in tagged] == (["deb"] if "restore" in goes else [])
    assert not (ann.base / "deb").exists()


def test_copies_archives_states_and_the_words_of_the_chroot(ann: Ordinary) -> None:
    """What README's tables have besides, and the list of verbs: with the rule, by command."""
    ann.allow()
    root = ann.base / "deb"
    for word in ("start", "restart", "update"):
        script = root / "chroot.d" / word
        script.write_text(f"#!/bin/sh\necho {word}ed $(id -u)\n")
        script.chmod(0o755)
        assert ann.ok(word, "-d", "deb") == f"{word}ed 0\n"
    assert ann.ok("run", "-w", "/etc", "-d", "deb", "--", "/bin/sh", "-c", "pwd") == "/etc\n"
    ann.ok("off", "-S", "-d", "deb")

    ann.ok("snapshot", "before", "-d", "deb")
    (root / "later").touch()
    assert [one["name"] for one in json.loads(ann.ok("snapshot", "list", "-d", "deb", "--json"))]
    ann.ok("snapshot", "restore", "before", "--discard", "-d", "deb")
    assert not (root / "later").exists()
    ann.ok("snapshot", "remove", "before", "-d", "deb")
    assert ann.ok("snapshot", "list", "-d", "deb", "--json") == "[]\n"

    ann.ok("rename", "-d", "deb", "other")
    ann.ok("clone", "-d", "other", "copy", "--exact")
    archive = ann.home / "copy.tar.zst"
    ann.ok("pack", "-d", "copy", "-f", archive)
    ann.ok("unpack", "-f", archive, "-d", "again")
    assert trees.differences(ann.base / "other", ann.base / "again") == []
    states = {one["name"]: one["state"] for one in json.loads(ann.ok("list", "--json"))}
    assert states == dict.fromkeys(("other", "copy", "again"), "off")

    own = {"CHROOT_TOOL_BASE": "/nowhere"}
    for words in (("--base", ann.base, "on"), ("on", "--base", ann.base)):
        ann.ok(*words, "-d", "copy", env=own)
        assert mounts_below(ann.base / "copy")
        ann.ok("off", "-d", "copy", "--base", ann.base, env=own)
        assert not mounts_below(ann.base / "copy")


def owners(*paths: Path) -> set[tuple[int, int]]:
    """Whose these are, and what is below."""
    found = [one.lstat() for path in paths for one in (path, *path.rglob("*"))]
    return {(one.st_uid, one.st_gid) for one in found}


def test_what_is_packed_is_whose_who_asked(ann: Ordinary) -> None:
    """Behind sudo it would be root's, to be read by nobody else, and an image not even removed."""
    ann.allow()
    archive, image = ann.home / "deb.tar.zst", ann.home / "deb.oci"
    ann.ok("pack", "-d", "deb", "-f", archive, "--checksum")
    ann.ok("pack", "-d", "deb", "-f", image, "--oci")
    beside = archive.with_name("deb.tar.zst.sha256")
    assert owners(archive, beside, image) == {(ann.uid, ann.uid)}
    assert archive.stat().st_mode & 0o777 == 0o600, "there are shadows in it"
    ann.ok("pack", "-d", "deb", "-f", archive)
    assert owners(archive) == {(ann.uid, ann.uid)}
    assert not beside.exists()
    # Who has typed sudo, or is root, has it as root.
    own = ann.home / "own.tar.zst"
    env = ann.environment() | {"SUDO_UID": str(ann.uid), "SUDO_USER": ann.name}
    subprocess.run(
        [ann.program, "pack", "-d", "deb", "-f", own], env=env, check=True, capture_output=True
    )
    assert owners(own) == {(0, 0)}


def test_bases_are_those_of_root(ann: Ordinary, tmp_path: Path) -> None:
    ann.allow()
    bases = tmp_path / "bases"
    keep(str(bases), str(ann.base / "deb"))
    bases.chmod(0o700)
    text = f'cache = "{bases}"\n'
    ann.settings(text)
    roots = ann.root_home / ".config/chroot-tool"
    roots.mkdir(parents=True)
    (roots / "settings.toml").write_text(text)
    assert [one["name"] for one in json.loads(ann.ok("base", "list", "--json"))] == [base_name()]
    ann.ok("base", "remove", base_name())
    assert ann.ok("base", "list", "--json") == "[]\n"


def test_a_group_of_hosts_is_anns_by_ssh(ann: Ordinary, hosts: SshHosts) -> None:
    """Who logs in there as ann has ann's rule there, and needs none here."""
    one = anns_machine(ann, hosts)
    allow_there(ann, one)
    key = ann.home / "key"
    key.write_bytes((hosts.folder / "keys/user").read_bytes())
    key.chmod(0o600)
    os.chown(key, ann.uid, ann.uid)
    variables = {
        "ansible_host": "127.0.0.1", "ansible_port": one.port, "ansible_user": ann.name,
        "ansible_private_key_file": str(key),
        "ansible_ssh_common_args": "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null",
    }  # fmt: skip
    listed = {"builders": {"hosts": ["one"]}, "_meta": {"hostvars": {"one": variables}}}
    (bin_ := ann.home / "bin").mkdir()
    (bin_ / "ansible-inventory").write_text(f"#!/bin/sh\ncat <<'E'\n{json.dumps(listed)}\nE\n")
    (bin_ / "ansible-inventory").chmod(0o755)
    env = {"PATH": f"{bin_}:{PATH}"}
    ann.ok("on", "--hosts", "builders", "-d", "deb", env=env)
    assert mounts_below(ann.base / "deb")
    assert ann.ok("list", "--hosts", "builders", env=env).splitlines()[1].split()[0] == "one"
    ann.ok("off", "--hosts", "builders", "-d", "deb", env=env)
    assert not mounts_below(ann.base / "deb")


@pytest.mark.parametrize("settings", ["", PYTHON])
def test_without_a_rule_one_is_told_which_is_missing(ann: Ordinary, settings: str) -> None:
    ann.settings(settings)
    for words, code in ((("on", "-d", "deb"), 5), (("run", "true", "-d", "deb"), 125)):
        refused = ann(*words)
        assert (refused.returncode, refused.stdout) == (code, "")
        assert f"{words[0]} needs root, and sudo does not make ann root here" in refused.stderr
        assert "chroot-tool sudoers ann" in refused.stderr
    told = json.loads(ann("on", "-d", "deb", "--json").stdout)
    assert (told["kind"], told["code"]) == ("privilege", 5)
    assert "chroot-tool sudoers ann" in told["hint"]
    assert json.loads(ann.ok("list", "--json"))[0]["name"] == "deb"
    assert "deb" in ann.ok("status", "-d", "deb")
    looked = ann("doctor", "-d", "deb")
    assert (looked.returncode, looked.stderr) == (1, "")
    assert "not root" in looked.stdout


def test_nothing_is_asked_of_sudo_where_the_user_wants_none(ann: Ordinary) -> None:
    ann.allow()
    ann.settings('privilege = "none"\n')
    refused = ann("on", "-d", "deb")
    assert (refused.returncode, refused.stderr.count("sudo")) == (5, 0), refused.stderr
    assert ann("on", "-d", "deb", env={"CHROOT_TOOL_PRIVILEGE": "sudo"}).returncode == 0


def test_settings_and_variables_of_the_user_mean_the_same(ann: Ordinary) -> None:
    ann.allow()
    ann.settings(f'base = "{ann.base}"\n')
    unset = {"CHROOT_TOOL_BASE": ""}
    told = ann("run", "env", "-d", "deb", "-e", "MINE", "-e", "NONE", env=unset | {"MINE": "a:b=c"})
    assert "MINE=a:b=c" in told.stdout.splitlines(), told.stderr
    assert "NONE" not in told.stdout
    ann.ok("off", "-d", "deb", env=unset)
    assert not (ann.home / ".local").exists()


def test_what_is_ones_own_is_changed_without_root(ann: Ordinary) -> None:
    subprocess.run(["chown", "-R", f"{ann.uid}", ann.base / "deb"], check=True)
    ann.ok("bind", "add", "-d", "deb", "--target", "/opt")
    ann.ok("tag", "add", "mine", "-d", "deb")
    assert (ann.base / "deb/chroot.d/chroot.toml").stat().st_uid == ann.uid
    other = ann.base.with_name("other")  # of ann's own, where the one of the base is root's
    other.mkdir()
    subprocess.run(["mv", ann.base / "deb", other], check=True)
    subprocess.run(["cp", "-a", other / "deb", ann.base], check=True)
    subprocess.run(["chown", "-R", "root", ann.base / "deb"], check=True)
    ann.ok("bind", "add", "-d", "deb", "--target", "/srv", "--base", other)
    missing = ann("bind", "add", "-d", "nowhere", "--target", "/opt")
    assert missing.returncode not in (0, 5)
    assert "sudo" not in missing.stderr


def test_an_archive_is_sent_by_who_may_read_it(ann: Ordinary, tmp_path: Path) -> None:
    archive = tmp_path / "deb.tar"
    subprocess.run(["tar", "-C", ann.base, "-cf", archive, "deb"], check=True)
    sent = ann("unpack", "--send", "-f", archive, "--json")
    assert sent.returncode == 0, sent.stderr
    assert len(os.fsencode(sent.stdout)) > archive.stat().st_size
    archive.chmod(0o600)
    refused = ann("unpack", "--send", "-f", archive)
    assert (refused.returncode, refused.stdout) == (5, "")


def test_what_only_root_may_open_is_opened_by_root(ann: Ordinary) -> None:
    ann.allow()
    ann.base.chmod(0o700)
    assert json.loads(ann.ok("list", "--json"))[0]["name"] == "deb"
    assert ann.ok("bind", "list", "-d", "deb").startswith("TARGET")
    for words, line in (
        (("watch",), b"\xe2\x97\x8b off deb "), (("watch", "--json"), b'{"event": "chroot"'),
        (("--plain",), b"deb: off"),
    ):  # fmt: skip
        with Program(
            ann.argv(*words), env=ann.environment(), cwd="/", stdout=subprocess.PIPE
        ) as watching:
            assert next_line(watching).startswith(line)
            watching.terminate()
    (ann.rules / "chroot-tool").unlink()
    refused = ann("watch")
    assert (refused.returncode, refused.stdout) == (5, "")
    assert "watch needs root" in refused.stderr


def test_what_is_behind_sudo_asks_sudo_no_more(ann: Ordinary) -> None:
    (ann.rules / "odd").write_text("ann ALL=(bob) NOPASSWD: ALL\nDefaults:ann runas_default=bob\n")
    (ann.rules / "odd").chmod(0o440)
    refused = ann("clone", "-d", "deb", "other")
    assert (refused.returncode, refused.stdout) == (5, "")
    assert "cloning a chroot needs root" in refused.stderr


@pytest.mark.parametrize("settings", ["", PYTHON])
def test_sudo_asks_on_the_terminal_and_keys_reach_what_runs(ann: Ordinary, settings: str) -> None:
    password = ann.allow_by_password()
    ann.settings(settings)
    terminal = Terminal(ann.argv("run", "-d", "deb", "--", "sh", "-c", WAITS), ann.environment())
    try:
        terminal.wait_for("password for ann:")
        terminal.type(f"{password}\n")
        terminal.wait_for("here")
        terminal.type("word\n")
        terminal.wait_for("got word")
        terminal.type("\x03")
        terminal.wait_for("interrupted")
        assert terminal.exit_code() == 9
    finally:
        terminal.close()


@pytest.mark.parametrize("settings", ["", PYTHON])
def test_a_code_of_what_ran_is_no_refusal(ann: Ordinary, settings: str) -> None:
    password = ann.allow_by_password()
    with (ann.rules / "chroot-tool").open("a") as rule:
        rule.write("Defaults timestamp_timeout=0\n")
    ann.settings(settings)
    terminal = Terminal(
        ann.argv("run", "-d", "deb", "--", "sh", "-c", "echo r''an; exit 1"), ann.environment()
    )
    try:
        terminal.wait_for("password for ann:")
        terminal.type(f"{password}\n")
        terminal.wait_for("ran")
        said = terminal.rest()
        assert terminal.exit_code() == 1, said
        assert "needs root" not in said
    finally:
        terminal.close()


@pytest.mark.parametrize(
    ("settings", "number"),
    [("", signal.SIGTERM), (PYTHON, signal.SIGTERM), ("", signal.SIGKILL)],
)
def test_what_root_does_for_a_user_ends_with_what_the_user_started(
    ann: Ordinary, settings: str, number: signal.Signals
) -> None:
    ann.allow()
    ann.settings(settings)
    words = [str(ann.program), "run", "-d", "deb", "--", "sh", "-c", "echo here; read a"]
    with subprocess.Popen(
        words, user=ann.uid, group=ann.uid, extra_groups=(), cwd="/", env=ann.environment(),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as started:  # fmt: skip
        assert started.stdout
        assert started.stdout.readline() == b"here\n"
        started.send_signal(number)
        assert started.wait(PATIENCE) == -number
        assert select.select([started.stdout], [], [], PATIENCE)[0], "it goes on"
        assert started.stdout.read() == b""


@pytest.mark.parametrize(
    ("kind", "code", "prints"), [("doas", 1, "--for doas"), ("pkexec", 127, "--for pkexec")]
)
def test_others_that_refuse_are_told_of_too(
    ann: Ordinary, tmp_path: Path, kind: str, code: int, prints: str
) -> None:
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    (bin_ / kind).write_text(f"#!/bin/sh\nexit {code}\n")
    (bin_ / kind).chmod(0o755)
    env = {"CHROOT_TOOL_PRIVILEGE": kind, "PATH": f"{bin_}:{PATH}"}
    for words, own in ((("on", "-d", "deb"), 5), (("run", "true", "-d", "deb"), 125)):
        refused = ann(*words, env=env)
        assert refused.returncode == own, refused.stderr
        assert f"{kind} does not make ann root here" in refused.stderr
        assert f"chroot-tool sudoers ann {prints}" in refused.stderr


def test_short_options_in_one_word_are_what_they_are_in_two(ann: Ordinary) -> None:
    ann.allow()
    env = {"FOO": "a:b c"}
    (folder := ann.home / "bin").mkdir()
    (folder / "ssh").write_text("#!/bin/sh\nid -u >&2\nexit 255\n")
    (folder / "ssh").chmod(0o755)
    mine = {"PATH": f"{folder}:{PATH}"}
    (ann.rules / "path").write_text("Defaults:ann !secure_path, env_keep += PATH\n")
    (ann.rules / "path").chmod(0o440)
    ssh = ann("off", "-SHelsewhere", "-d", "deb", env=mine).stderr
    assert f"{ann.uid}" in ssh.split(), ssh
    assert "FOO=a:b c" in ann("run", "-xe", "FOO", "-d", "deb", "env", env=env).stdout.splitlines()


def here_as_a_group(ann: Ordinary) -> dict[str, str]:
    """Have an inventory whose one host, `here`, is this machine; return the variables for that."""
    listed = {
        "all": {"hosts": ["here"]},
        "_meta": {"hostvars": {"here": {"ansible_connection": "local"}}},
    }
    (folder := ann.home / "bin").mkdir()
    (folder / "ansible-inventory").write_text(f"#!/bin/sh\necho '{json.dumps(listed)}'\n")
    (folder / "ansible-inventory").chmod(0o755)
    return {"PATH": f"{folder}:{PATH}"}


def test_a_group_with_this_machine_asks_for_no_password_here_either(ann: Ordinary) -> None:
    """It would be asked for from the background, and the host would never end."""
    env = here_as_a_group(ann)
    words = ("run", "--hosts", "all", "-d", "deb", "--", "id", "-u")
    ann.allow_by_password()
    terminal = Terminal(ann.argv(*words), ann.environment(env))
    try:
        said = terminal.rest()
        assert (terminal.exit_code(), "sudo does not make ann root here" in said) == (125, True)
    finally:
        terminal.close()
    ann.allow()
    assert ann.ok(*words, env=env).splitlines()[-1] == "here: 0"


def test_whose_sudo_it_was_is_known_of_a_group_with_this_machine_too(ann: Ordinary) -> None:
    sudo = {"SUDO_USER": "ann", "SUDO_UID": str(ann.uid), "LOGNAME": "root", "USER": "root"}
    env = ann.environment(here_as_a_group(ann) | sudo)
    words = (ann.program, "adopt", "--hosts", "all", "-d", "deb")
    done = subprocess.run(words, env=env, cwd="/", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"ann:*:{ann.uid}:" in (ann.base / "deb/etc/passwd").read_text()


def test_a_wrong_password_is_a_missing_rule(ann: Ordinary) -> None:
    ann.allow_by_password()
    terminal = Terminal(ann.argv("on", "-d", "deb"), ann.environment())
    try:
        terminal.wait_for("password for ann:")
        terminal.type("wrong\n")
        terminal.wait_for("on needs root, and sudo does not make ann root here")
        assert terminal.exit_code() == 5
    finally:
        terminal.close()


def anns_machine(ann: Ordinary, hosts: SshHosts) -> SshHost:
    """Return a machine `one` with ann's chroots, on which her chroot-tool is found."""
    (one,) = hosts.add("one")
    return own_machine(ann, one)


def test_on_another_machine_one_is_the_same_inside(
    ann: Ordinary, hosts: SshHosts, cli: Cli
) -> None:
    """Who logs in there as ann has ann's rule there, and is ann inside; root is root."""
    anns_machine(ann, hosts)
    words = ("--", "sh", "-c", "id -u; exit 7")
    env = hosts.environment()
    refused = cli("run", "-d", "ann@one:deb", *words, env=env)
    assert refused.returncode == 125
    assert "sudo does not make ann root here" in refused.stderr + refused.stdout
    ann.allow()
    unknown = cli("run", "-d", "ann@one:deb", *words, env=env)
    assert (unknown.returncode, unknown.stdout) == (7, "0\n"), unknown.stderr
    ann.ok("adopt", "-d", "deb")
    known = cli("run", "-d", "ann@one:deb", *words, env=env)
    assert (known.returncode, known.stdout) == (7, f"{ann.uid}\n"), known.stderr
    assert cli("run", "-d", "one:deb", *words, env=env).stdout == "0\n"
    said = cli("shell", "-H", "ann@one", "-d", "deb", env=env, stdin="id -u\n").stdout
    assert f"{ann.uid}" in said.split()


def test_on_another_machine_their_own_base_comes_along(
    ann: Ordinary, hosts: SshHosts, cli: Cli
) -> None:
    """Whether they become root there or not, as it does here."""
    one = anns_machine(ann, hosts)
    hers = f"[ -O / ] || export HOME={ann.home}"  # which sudo does not leave to root
    one.write_program("chroot-tool", f'{hers}; exec {ann.program} "$@"')
    ann.settings(f'base = "{ann.base}"\n')

    def seen(*words: str) -> list[str]:
        done = cli(*words, "list", "-H", "ann@one", "--json", env=hosts.environment())
        assert done.returncode == 0, done.stderr
        return [chroot["name"] for chroot in json.loads(done.stdout)]

    assert seen() == ["deb"]
    allow_there(ann, one)
    assert seen() == ["deb"]
    assert seen("--base", str(ann.home)) == []
    ann.settings(f'base = "~/{os.path.relpath(ann.base, ann.home)}"\n')  # her home, not root's
    assert seen() == ["deb"]
    done = cli("on", "-d", "ann@one:deb", env=hosts.environment())
    assert (done.returncode, mounts_below(ann.base / "deb") != []) == (0, True), done.stderr


def test_adopted_on_another_machine_is_who_logs_in_there(
    ann: Ordinary, hosts: SshHosts, cli: Cli
) -> None:
    """Not whoever asks here: that is root, whom no chroot has to be told of."""
    allow_there(ann, anns_machine(ann, hosts))
    env = hosts.environment()
    planned = cli("adopt", "-d", "ann@one:deb", "--dry-run", env=env)
    assert (planned.returncode, "ann" in planned.stdout) == (0, True), planned.stderr
    done = cli("adopt", "-H", "ann@one", "-d", "deb", env=env)
    assert (done.returncode, "deb: ann is a user inside" in done.stderr) == (0, True), done.stderr
    assert f"ann:*:{ann.uid}:" in (ann.base / "deb/etc/passwd").read_text()
    done = cli("adopt", "-d", "ann@one:deb", "-u", "bob", env=env)
    assert (done.returncode, "deb: bob is a user" in done.stderr) == (0, True), done.stderr
    refused = cli("adopt", "-d", "one:deb", env=env)
    assert refused.returncode == 2, refused.stderr
    assert "root" in refused.stderr


def test_an_archive_goes_to_a_third_machine_as_who_logs_in_there(
    ann: Ordinary, hosts: SshHosts, cli: Cli, tmp_path: Path
) -> None:
    """Root is needed where they may not write, and it is theirs in any case."""
    one = anns_machine(ann, hosts)
    env = hosts.environment()
    deb, open_to_all, roots = ann.base / "deb", tmp_path / "open", tmp_path / "roots"
    open_to_all.mkdir()
    open_to_all.chmod(0o1777)
    roots.mkdir()
    archive = open_to_all / "deb.tar.zst"
    for _ in range(2):  # one that is there is replaced
        done = cli("pack", "-d", deb, "-f", f"ann@one:{archive}", "--checksum", env=env)
        assert done.returncode == 0, done.stderr
        assert owners(archive, Path(f"{archive}.sha256")) == {(ann.uid, ann.uid)}
    os.chown(archive, 0, 0)  # in a directory where nobody may replace what is another's
    refused = (archive, roots / "deb.tar.zst")
    for place in refused:
        done = cli("pack", "-d", deb, "-f", f"ann@one:{place}", env=env)
        assert done.returncode == 5, done.stderr
        assert "sudo does not make ann root here" in done.stderr
    assert (owners(archive), list(roots.iterdir())) == ({(0, 0)}, [])
    allow_there(ann, one)
    for place in refused:
        done = cli("pack", "-d", deb, "-f", f"ann@one:{place}", env=env)
        assert done.returncode == 0, done.stderr
        assert owners(place) == {(ann.uid, ann.uid)}
    there = ann.home / "there.tar.zst"  # where the chroot is there, too
    done = cli("pack", "-d", "ann@one:deb", "-f", f"ann@one:{there}", env=env)
    assert done.returncode == 0, done.stderr
    assert owners(there) == {(ann.uid, ann.uid)}


def test_a_password_comes_before_what_goes_to_another_machine(
    ann: Ordinary, hosts: SshHosts
) -> None:
    """What has pipes in the place of a terminal can't ask for one, and would wait for ever."""
    one, _ = hosts.add("one", "two")
    env = ann.reaches(hosts)
    password = ann.allow_by_password()
    archive = one.folder / "deb.tar.zst"
    streams = (
        ("clone", "-d", "deb", "one:copy", "--exact"), ("clone", "-d", "one:copy", "back"),
        ("pack", "-d", "deb", "-f", f"one:{archive}"),
        ("unpack", "-f", f"one:{archive}", "-d", "again"),
    )  # fmt: skip
    for words in streams:
        terminal = Terminal(ann.argv(*words), ann.environment(env))
        try:
            terminal.wait_for("password for ann:")
            terminal.type(f"{password}\n")
            assert terminal.exit_code() == 0, terminal.seen
        finally:
            terminal.close()
        ann.forget_password()
    for place in (one.base / "copy", ann.base / "again"):
        assert trees.differences(ann.base / "deb", place) == []
    assert (ann.base / "back").stat().st_uid == 0
    ann.ok("clone", "-d", "one:copy", "two:copy", env=env)  # nothing of it is here

    for words in (("clone", "-d", "deb", "one:no"), ("unpack", "-f", f"one:{archive}", "-d", "no")):
        refused = ann(*words, env=env)
        assert refused.returncode == 5, refused.stderr
        assert f"{words[0]} needs root, and sudo does not make ann root here" in refused.stderr
    with (ann.rules / "chroot-tool").open("a") as rule:
        rule.write("Defaults timestamp_timeout=0\n")  # it is asked for each time anew
    terminal = Terminal(ann.argv("clone", "-d", "deb", "one:no"), ann.environment(env))
    try:
        terminal.wait_for("password for ann:")
        terminal.type(f"{password}\n")
        terminal.wait_for("sudo does not make ann root here")
        assert terminal.exit_code() == 5
    finally:
        terminal.close()
    assert not (one.base / "no").exists()
    assert not (ann.base / "no").exists()
    ann.allow()
    ann.ok("clone", "-d", "deb", "one:last", env=env)
    ann.ok("clone", "-d", "one:last", "last", env=env)


def test_want_of_root_on_another_machine_says_where(
    ann: Ordinary, hosts: SshHosts, cli: Cli
) -> None:
    """To be root here, as a hint said, is of no use."""
    anns_machine(ann, hosts)
    refused = cli("on", "-d", "ann@one:deb", env=hosts.environment())
    assert refused.returncode == 5, refused.stderr
    said = refused.stderr.splitlines()
    assert said[-2].startswith("chroot-tool: ann@one: ")
    assert "as root on ann@one, prints the rule that is missing" in said[-1]


def test_a_rule_for_something_else_without_a_password_hides_nothing(
    ann: Ordinary, hosts: SshHosts, cli: Cli
) -> None:
    """`sudo -n -l` lists what wants a password as well, where another rule wants none."""
    one = anns_machine(ann, hosts)
    env = hosts.environment()
    ann.allow_by_password()
    with (ann.rules / "chroot-tool").open("a") as rule:
        rule.write(
            f"ann ALL=(root) {one.bin / 'chroot-tool'}\nann ALL=(root) NOPASSWD: /bin/true\n"
        )
    seen = cli("list", "-H", "ann@one", "--json", env=env)
    assert seen.returncode == 0, seen.stderr
    assert [found["name"] for found in json.loads(seen.stdout)] == ["deb"]
    archive = ann.home / "deb.tar"
    subprocess.run(["tar", "-C", ann.base / "deb", "-cf", archive, "."], check=True)
    done = cli("unpack", "-f", f"ann@one:{archive}", "-d", ann.base / "here", env=env)
    assert done.returncode == 0, done.stderr  # which only reads there, and needs no root
    refused = cli("on", "-d", "ann@one:deb", env=env)
    assert refused.returncode == 5, refused.stderr
    assert "as root on ann@one, prints the rule that is missing" in refused.stderr


def test_a_panel_of_another_machine_asks_for_nothing(
    ann: Ordinary, hosts: SshHosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There a rule that wants a password has the whole terminal, or the panel says so."""
    one = anns_machine(ann, hosts)
    # No shared connection: each is that of its own user.
    for name, value in (hosts.environment() | {"XDG_RUNTIME_DIR": "none"}).items():
        monkeypatch.setenv(name, value)
    words = ("run", "-d", "deb", "--", "sh", "-c", "id -u; exit 7")

    def panel(name: str) -> tuple[bool, int, str]:
        engine = Host(name).engine()
        engine.connection()
        asks = engine.asks("deb")
        done = subprocess.run(
            engine.unasked("deb", words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        engine.close()
        return asks, done.returncode, done.stdout

    ann.allow_by_password()
    asks, code, said = panel("ann@one")
    assert (asks, code) == (True, 125), said
    assert "sudo has a password to ask for, and does not in a panel" in said
    allow_there(ann, one)
    for name in ("ann@one", "one"):
        asks, code, said = panel(name)
        assert (asks, code) == (False, 7), said
        assert "0" in said.splitlines()  # what is on stderr there comes when it comes


def test_help_and_mistakes_need_no_root(ann: Ordinary) -> None:
    assert ann("on", "--help").stdout.startswith("usage: chroot-tool on")
    assert ann("run", "--help").stdout.startswith("usage: chroot-tool run")
    assert "completion" in ann.ok("help")
    assert "--suite" in ann.ok("help", "create")


def test_the_shell_and_python_know_the_same_verbs() -> None:
    text = (CHECKOUT / ".pkg/by_sudo.sh").read_text()
    words = text.rpartition("case ${1-} in")[2].partition(")")[0]
    assert set(words.replace("\\\n", " ").replace("|", " ").split()) == NEED_ROOT
    assert set(SUMMARIES) > NEED_ROOT
    lists = re.findall(r"kinds=[\"'](?:\$kinds\|)?([^\"']+)", text)
    kinds = {kind for one in lists for kind in one.split("|")}
    assert {kind.removesuffix("[.].*") + (" .")[kind.endswith("*")] for kind in kinds} == set(KINDS)
