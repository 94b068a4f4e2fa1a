"""The rule that `sudoers` prints: real sudo takes it, and it allows this program and no other."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from chroot_tool.app.cli import privilege_rules
from chroot_tool.core.errors import ChrootError
from support import CHECKOUT, let_in
from support.installed import installed
from support.users import users

pytestmark = [pytest.mark.root, pytest.mark.slow]


@pytest.fixture
def program() -> Iterator[Path]:
    with installed() as found:
        yield found


@pytest.fixture
def rules(tmp_path: Path) -> Iterator[Path]:
    let_in(tmp_path)
    with users(tmp_path / "etc", "ann", "bob") as folder:
        yield folder


def run(*words: str | Path, user: str = "root") -> subprocess.CompletedProcess[str]:
    env = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin", "HOME": "/nonexistent"}
    return subprocess.run(
        words, user=user, group=user, extra_groups=(), env=env, cwd="/",
        capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip


def write(rules: Path, text: str) -> None:
    rule = rules / "chroot-tool"
    rule.write_text(text)
    rule.chmod(0o440)


def test_the_rule_allows_the_program_and_no_other(program: Path, rules: Path) -> None:
    printed = run(program, "sudoers", "ann")
    assert printed.returncode == 0, printed.stderr
    assert "as good as root" in printed.stdout
    write(rules, printed.stdout)
    checked = run("visudo", "-c")
    assert checked.returncode == 0, checked.stdout + checked.stderr

    allowed = run("sudo", "-n", "--", program, "list", "--base", "/nonexistent", user="ann")
    assert allowed.returncode == 0, allowed.stderr
    others: list[tuple[str | Path, ...]] = [
        ("/usr/bin/id",), (program.with_name("pyproject.toml"),), ("/bin/sh", program),
        ("LD_PRELOAD=/tmp/x", program, "list"), ("-u", "bob", program, "list"),
    ]  # fmt: skip
    for words in others:
        refused = run("sudo", "-n", *words, user="ann")
        assert refused.returncode != 0, words
    assert run("sudo", "-n", program, "list", user="bob").returncode != 0


def test_a_group_has_a_rule_too(program: Path, rules: Path) -> None:
    write(rules, run(program, "sudoers", "%bob").stdout)
    assert run("visudo", "-c").returncode == 0
    assert run("sudo", "-n", program, "list", "--base", "/nonexistent", user="bob").returncode == 0
    assert run("sudo", "-n", program, "list", user="ann").returncode != 0


@pytest.mark.parametrize(
    "place", ["chroot-tool.sh", "core/verbs/on.py", ".pkg", ".venv/lib", "pyproject.toml"]
)
def test_what_somebody_else_can_write_is_no_program_for_root(
    program: Path, rules: Path, place: str
) -> None:
    os.chown(program.with_name(place) if "/" not in place else program.parent / place, 47110, -1)
    refused = run(program, "sudoers", "ann")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert f"{program.parent / place} belongs to ann" in refused.stderr
    assert len(refused.stderr.splitlines()) == 2


def test_a_link_to_it_in_the_path_is_allowed_too(program: Path, rules: Path) -> None:
    folder = program.parent.parent / "bin"
    folder.mkdir()
    (folder / "chroot-tool").symlink_to(program)
    printed = run("env", f"PATH={folder}:/usr/bin:/bin", program, "sudoers", "ann").stdout
    write(rules, printed)
    for name in (program, folder / "chroot-tool"):
        done = run("sudo", "-n", name, "list", "--base", "/nonexistent", user="ann")
        assert done.returncode == 0, done.stderr


def test_a_link_that_its_owner_can_exchange_is_none(program: Path, rules: Path) -> None:
    folder = program.parent.parent / "bin"
    folder.mkdir()
    (folder / "chroot-tool").symlink_to(program)
    os.chown(folder, 47110, -1)
    printed = run("env", f"PATH={folder}:/usr/bin:/bin", program, "sudoers", "ann").stdout
    assert str(program) in printed
    assert str(folder) not in printed


def test_who_is_meant_is_somebody(program: Path, rules: Path) -> None:
    for who in ("nobody-of-that-name", "%no-such-group", "ann,bob", "%"):
        refused = run(program, "sudoers", who)
        assert (refused.returncode, refused.stdout) == (2, ""), who
    assert "ann ALL=" in run(program, "sudoers", user="ann").stdout
    assert run(program, "sudoers").returncode == 2


def test_a_user_and_a_group_by_options(program: Path, rules: Path) -> None:
    for option, name, word in (("--user", "ann", "ann"), ("--group", "bob", "%bob")):
        by_option = run(program, "sudoers", option, name)
        assert by_option.returncode == 0, by_option.stderr
        assert by_option.stdout == run(program, "sudoers", word).stdout
        assert run(program, "sudoers", option, "", user="ann").returncode == 2
    assert run(program, "sudoers", "--user", "ann", "--group", "bob").returncode == 2
    assert run(program, "sudoers", "ann", "--user", "bob").returncode == 2


def test_a_path_is_that_path_or_no_rule_at_all(program: Path, rules: Path, tmp_path: Path) -> None:
    strange = program.parent.parent / "a b,c:d=e#f~g@h%i"
    program.parent.rename(strange)
    write(rules, privilege_rules.sudo("ann", [f"{strange}/.venv/bin/python"]))
    assert run("visudo", "-c").returncode == 0
    interpreter = strange / ".venv/bin/python"
    assert run("sudo", "-n", interpreter, "-c", "0", user="ann").returncode == 0
    assert run("sudo", "-n", f"{strange}/chroot-tool.sh", user="ann").returncode != 0
    for path in ("/a*/x", "/a?/x", "/[a]/x", '/"/x', "/a\\/x", "/!a", "/a\nb"):
        with pytest.raises(ChrootError):
            privilege_rules.sudo("ann", [path])
        with pytest.raises(ChrootError):
            privilege_rules.doas("ann", [path])


def test_the_policy_for_pkexec_is_that_of_the_tree(program: Path, rules: Path) -> None:
    printed = run(program, "sudoers", "--for", "pkexec").stdout
    shipped = (CHECKOUT / f"polkit/{privilege_rules.ACTION}.policy").read_text()
    assert printed == shipped.replace("/usr/local/bin/chroot-tool", str(program))
