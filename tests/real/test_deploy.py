"""`deploy` over a real sshd: what it puts there works, and goes without a trace."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from pathlib import Path
from shlex import quote

import pytest

from chroot_tool.core.remote import put_there
from support import Cli
from support.ordinary import ordinary
from support.ssh_hosts import SshHost, SshHosts, Where

pytestmark = [pytest.mark.root, pytest.mark.slow]


@pytest.fixture
def bare(hosts: SshHosts) -> SshHost:
    """A machine without chroot-tool."""
    (one,) = hosts.add("one")
    (one.bin / "chroot-tool").unlink()
    return one


def deploy(cli: Cli, hosts: SshHosts, *words: str) -> subprocess.CompletedProcess[str]:
    return cli("deploy", "one", "--user", *words, env=hosts.environment())


def test_there_and_away_again(cli: Cli, hosts: SshHosts, bare: SshHost) -> None:
    before = sorted(os.walk(bare.home))
    done = deploy(cli, hosts)
    program = bare.home / ".local/bin/chroot-tool"
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith(f"one:{program}: ")
    said = cli("list", "-H", "one", "--base", bare.base, "--json", env=hosts.environment())
    assert (said.returncode, said.stdout) == (0, "[]\n"), said.stderr
    for words, changed in (((), False), (("--remove",), True), (("--remove",), False)):
        done = deploy(cli, hosts, "--json", *words)
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert (found["path"], found["changed"]) == (str(program), changed)
    assert not program.exists()
    assert not (bare.home / ".local/share/chroot-tool").exists()
    assert deploy(cli, hosts, "--remove").returncode == 0
    assert len(before) < len(sorted(os.walk(bare.home))) <= len(before) + 3, "empty directories"


def test_another_one_that_comes_first_there_is_told_of(
    cli: Cli, hosts: SshHosts, bare: SshHost
) -> None:
    """Else what is said next is once more that the one there is too old, and how to deploy."""
    old = bare.write_program("chroot-tool", "echo 'no such verb' >&2; exit 2")
    said = f"chroot-tool: warning: one: {old} is another, and comes first there\n"
    for words in ((), ("--json",)):
        done = deploy(cli, hosts, *words)
        assert (done.returncode, said in done.stderr) == (0, True), done.stderr
        assert cli("list", "-H", "one", env=hosts.environment()).returncode == 1
    assert ".local/bin before it in PATH" in done.stderr
    old.unlink()
    old.symlink_to(bare.home / ".local/bin/chroot-tool")  # the same by another name
    assert "warning" not in deploy(cli, hosts).stderr
    old.unlink()
    assert "warning" not in deploy(cli, hosts).stderr


def test_what_is_there_starts_itself_and_says_what_it_lacks(
    cli: Cli, hosts: SshHosts, bare: SshHost, tiny_chroot: Path
) -> None:
    assert deploy(cli, hosts).returncode == 0
    (two,) = hosts.add("two")
    program = bare.home / ".local/bin/chroot-tool"
    done = subprocess.run(
        [program, "clone", "-d", tiny_chroot, "two:copy"], env=hosts.environment(),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (two.base / "copy/bin/sh").exists()
    master, slave = pty.openpty()
    ui = subprocess.run([program], stdin=slave, stdout=slave, stderr=slave, check=False)
    os.close(slave)
    said = os.read(master, 4096).decode()
    os.close(master)
    assert (ui.returncode, "Traceback" in said) == (1, False)
    assert "textual is not here" in said
    assert "chroot-tool -H HOST" in said


def test_what_is_not_ours_or_newer_stays(cli: Cli, hosts: SshHosts, bare: SshHost) -> None:
    program = bare.home / ".local/bin/chroot-tool"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\necho mine\n")
    done = deploy(cli, hosts)
    assert (done.returncode, program.read_text()) == (1, "#!/bin/sh\necho mine\n")
    assert "is there, and not by deploy" in done.stderr
    assert deploy(cli, hosts, "--remove").returncode == 0
    assert program.exists()
    program.unlink()
    assert deploy(cli, hosts).returncode == 0
    text = program.read_text()
    head, _, rest = text.partition("/share/chroot-tool/")
    newer = f"{head}/share/chroot-tool/99.0-{rest.partition('-')[2]}"
    program.write_text(newer)
    done = deploy(cli, hosts)
    assert (done.returncode, program.read_text()) == (1, newer)
    assert "99.0, which is newer" in done.stderr
    assert deploy(cli, hosts, "--force").returncode == 0
    assert program.read_text() == text


def test_one_that_is_older_is_replaced(cli: Cli, hosts: SshHosts, bare: SshHost) -> None:
    assert deploy(cli, hosts).returncode == 0
    program, place = bare.home / ".local/bin/chroot-tool", bare.home / ".local/share/chroot-tool"
    text = program.read_text()
    (now,) = os.listdir(place)
    older = f"0.0.1-{now.rpartition('-')[2]}"
    (place / now).rename(place / older)
    program.write_text(text.replace(f"/{now}/", f"/{older}/"))
    done = deploy(cli, hosts, "--json")
    assert (done.returncode, json.loads(done.stdout)["changed"]) == (0, True), done.stderr
    assert program.read_text() == text
    assert sorted(os.listdir(place)) == sorted((older, now)), "who runs the older one goes on"
    assert cli("list", "-H", "one", "--json", env=hosts.environment()).stdout == "[]\n"
    (place / f".{older}.part").mkdir()  # of a deploy that was killed
    assert deploy(cli, hosts).returncode == 0
    assert os.listdir(place) == [now]


_KILLED = """
import os, shutil, sys
real = shutil.rmtree
def rmtree(place, *words, **more):
    if os.path.exists(place):
        os.unlink(place + "/start.py")  # the first of it that goes, say
        os.kill(os.getpid(), 9)
    real(place, *words, **more)
shutil.rmtree = rmtree
source, sys.argv[1:] = sys.argv[1], sys.argv[2:]
exec(source)
"""


def test_one_that_is_put_there_again_is_whole_at_every_moment(
    cli: Cli, hosts: SshHosts, bare: SshHost
) -> None:
    """Also where that is killed while it takes away what was there."""
    assert deploy(cli, hosts).returncode == 0
    place = bare.home / ".local/share/chroot-tool"
    (now,) = os.listdir(place)
    killed = bare.write_program(
        "python3", f'shift 2; exec /usr/bin/python3 -Ic {quote(_KILLED)} "$@"'
    )
    assert deploy(cli, hosts).returncode == 1
    assert len(os.listdir(place)) == 2, "it was not killed"
    assert cli("list", "-H", "one", "--json", env=hosts.environment()).stdout == "[]\n"
    killed.unlink()
    assert deploy(cli, hosts).returncode == 0
    assert os.listdir(place) == [now]


def test_a_python_that_is_too_old(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(put_there, "OLDEST", (9, 0))
    monkeypatch.setenv("HOME", str(tmp_path))
    put_there.main("put", "user", "1.0", "0" * 64, "")
    assert "is needed" in json.loads(capsys.readouterr().out)["error"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("script", "wanted"),
    [("echo '{\"error\": \"its Python is 3.9\"}'", "one: its Python is 3.9"),
     ("echo $'\\e[2J' >&2; exit 1", "one: "),
     ("cat >/dev/null; echo '[]'", "one: "),
     # A stream that is cut on its way, and one that is the same but for a byte.
     ('head -c 99999 | /usr/bin/python3 "$@"', "one: what came is not what was sent\nhint: "),
     ('tr "\\1" "\\2" | /usr/bin/python3 "$@"', "one: what came is not what was sent\nhint: ")],
)  # fmt: skip
def test_a_python_that_will_not(
    cli: Cli, hosts: SshHosts, bare: SshHost, script: str, wanted: str
) -> None:
    bare.write_program("python3", script)
    done = deploy(cli, hosts)
    assert done.returncode == 1
    assert wanted in done.stderr
    assert "\x1b" not in done.stderr
    assert list(Path(bare.home).iterdir()) == []


_APART = """
for directory in /usr/local/lib /usr/local/bin
do mount -t tmpfs -o mode=755 tmpfs "$directory" || exit; done
exec "$@"
"""


def test_for_everybody_on_that_machine(cli: Cli, hosts: SshHosts) -> None:
    """--system, and what root gets unasked: on a machine whose /usr/local is its own."""
    there = ("unshare", "--mount", "--propagation", "private", "sh", "-c", _APART, "sh")
    (one,) = hosts.add("one", where=Where(inside=there))
    (one.bin / "chroot-tool").unlink()
    one.write_program("python3", 'umask 077; exec /usr/bin/python3 "$@"')  # as of a careful root
    place, program = "/usr/local/lib/chroot-tool", "/usr/local/bin/chroot-tool"
    nobody = ("env", "-i", "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    for words in (("--system",), ()):
        done = cli("deploy", "one", *words, env=hosts.environment())
        assert (done.returncode, done.stderr.split()[0]) == (0, f"one:{program}:"), done.stderr
        assert hosts.ssh("one", "stat", "-c", "%a", program).stdout == "755\n"
        assert hosts.ssh("one", *nobody, program, "--version").returncode == 0
        said = cli("list", "-H", "one", "--base", one.base, "--json", env=hosts.environment())
        assert (said.returncode, said.stdout) == (0, "[]\n"), said.stderr
        done = cli("deploy", "one", "--remove", *words, env=hosts.environment())
        assert done.returncode == 0, done.stderr
        assert hosts.ssh("one", "ls", program, place).returncode == 2
    assert not (one.home / ".local").exists()


def test_for_everybody_by_sudo(cli: Cli, hosts: SshHosts, tmp_path: Path) -> None:
    """Of who is not root there: root's place where sudo asks nothing, else their own."""
    there = ("unshare", "--mount", "--propagation", "private", "sh", "-c", _APART, "sh")
    with ordinary(tmp_path / "ordinary") as ann:
        (one,) = hosts.add("one", where=Where(inside=there))
        (one.bin / "chroot-tool").unlink()
        os.chown(one.home, ann.uid, ann.uid)
        env = hosts.environment()
        refused = cli("deploy", "ann@one", "--system", env=env)
        assert refused.returncode == 1, refused.stderr
        assert refused.stderr.startswith("chroot-tool: ann@one: sudo: ")
        done = cli("deploy", "ann@one", env=env)
        assert done.stderr.split()[0] == f"ann@one:{one.home}/.local/bin/chroot-tool:"
        assert cli("deploy", "ann@one", "--remove", env=env).returncode == 0

        rule = ann.rules / "all"
        rule.write_text("ann ALL=(root) NOPASSWD: ALL\n")
        rule.chmod(0o440)
        program = "/usr/local/bin/chroot-tool"
        for words in ((), ("--system",)):
            done = cli("deploy", "ann@one", *words, env=env)
            assert (done.returncode, done.stderr.split()[0]) == (0, f"ann@one:{program}:")
            assert hosts.ssh("one", "stat", "-c", "%U:%a", program).stdout == "root:755\n"
            done = cli("deploy", "ann@one", "--remove", *words, env=env)
            assert done.returncode == 0, done.stderr
            assert hosts.ssh("one", "ls", program).returncode == 2
