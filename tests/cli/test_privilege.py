"""By which program root's privilege is had, and who is meant by it."""

import os
import sys
from argparse import Namespace
from pathlib import Path

import pytest

from chroot_tool.app import privilege
from chroot_tool.app.cli.elevate import needs_root, run_words


@pytest.fixture(autouse=True)
def as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_started", "_elevated"):
        monkeypatch.setattr(privilege, name, getattr(privilege, name))


def test_the_program_is_what_a_rule_can_name(tmp_path: Path) -> None:
    script = tmp_path / "chroot-tool"
    script.touch(0o755)
    cases: dict[tuple[str, ...], tuple[str, ...]] = {
        (sys.executable, "-I", "-S", "/opt/c/.pkg/start.py"): ("/opt/c/chroot-tool.sh",),
        ("python3", "-I", "/usr/local/lib/chroot-tool/1-abc/start.py"): (
            "/usr/local/bin/chroot-tool",
        ),
        ("python3", "-I", "/home/ann/.local/share/chroot-tool/1-abc/start.py"): (
            "/home/ann/.local/bin/chroot-tool",
        ),
        (sys.executable, str(script)): (str(script),),
        (sys.executable, "-m", "chroot_tool"): (sys.executable, "-I", "-m", "chroot_tool"),
        (): (sys.executable, "-I", "-m", "chroot_tool"),
    }
    for started, program in cases.items():
        privilege.be_started_by(started)
        assert privilege.program() == program


@pytest.mark.parametrize("kind", ["sudo", "doas", "pkexec"])
def test_each_has_its_words(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CHROOT_TOOL_PRIVILEGE", raising=False)
    privilege.be_started_by(("python3", "-I", "/opt/c/.pkg/start.py"))
    assert privilege.prefix("auto") == privilege.prefix(kind) == ()
    (tmp_path / kind).touch(0o755)
    before = privilege.prefix("auto")
    assert before == privilege.prefix(kind)
    assert privilege.prefix("none") == ()
    words = privilege.elevated(before, "on", "-d", "deb")
    assert words == (*before, "/opt/c/chroot-tool.sh", f"--elevated={kind}", "on", "-d", "deb")
    assert privilege.quiet(before)[0] == privilege.asks(before)[0] == kind
    monkeypatch.setenv("CHROOT_TOOL_PRIVILEGE", "none")
    assert privilege.prefix(kind) == ()


@pytest.mark.parametrize(
    ("kind", "variable", "value"),
    [("sudo", "SUDO_UID", "1"), ("pkexec", "PKEXEC_UID", "1"), ("doas", "DOAS_USER", "daemon")],
)
def test_the_caller_is_whom_the_one_before_has_named(
    kind: str, variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SUDO_UID", "PKEXEC_UID", "DOAS_USER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    for name in ("HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, "/home/of/somebody")
    assert not privilege.take_over("run")
    assert privilege.caller() is None
    assert privilege.take_over(f"--elevated={kind}")
    assert (os.environ["HOME"] != "/home/of/somebody", os.environ.get("XDG_CONFIG_HOME")) == (
        True, None,
    )  # fmt: skip
    monkeypatch.setenv(variable, value)
    assert privilege.caller() == ("daemon", 1)
    for nobody in ("0", "root", "4294967294", "no such user", "99999999999999999999"):
        monkeypatch.setenv(variable, nobody)
        assert privilege.caller() is None


def test_words_of_run_are_said_so_that_another_environment_does_not_matter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HERE", "a b")
    monkeypatch.delenv("NOWHERE", raising=False)
    given = {"dir": ["deb"], "env": ["HERE", "NOWHERE", "C=d"], "ephemeral": [""], "user": ["app"]}
    words = run_words("run", given, ("--", "-x"))
    assert words == [
        "run", "-d", "deb", "-u", "app", "-e", "HERE=a b", "-e", "C=d", "-x", "--", "--", "-x",
    ]  # fmt: skip
    assert run_words("shell", {"dir": ["deb"]}, ()) == ["shell", "-d", "deb"]


def test_what_a_kill_of_another_has_left_half_written_needs_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Namespace(verb="pack", store=True, file=str(tmp_path / "a.tar.zst"))
    assert not needs_root(asked)
    (tmp_path / ".a.tar.zst.part").touch()
    assert not needs_root(asked)
    another = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: another)
    assert needs_root(asked)
