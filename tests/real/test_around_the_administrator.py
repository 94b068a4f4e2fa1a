"""Ways around what an administrator says, each tried: none of them leads there."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import Cli, Program, mounts_below, next_line

pytestmark = pytest.mark.root


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    folder = tmp_path / "host/secret"
    folder.mkdir(parents=True)
    (folder / "file").write_text("precious")
    return folder


@pytest.fixture
def admin(cli: Cli, tmp_path: Path, secret: Path) -> Cli:
    etc = tmp_path / "etc"
    etc.mkdir()
    (etc / "policy.toml").write_text(f'deny_sources = ["{secret}"]\n')
    return cli.administered(etc)


@pytest.fixture
def holder(secret: Path) -> Iterator[int]:
    """A process that stands in the denied directory, and has it open as descriptor 9."""
    script = "exec 9<. && echo ready && exec sleep 100"
    command = ["sh", "-c", script]
    with Program(command, cwd=secret, stdout=subprocess.PIPE) as process:
        assert next_line(process) == b"ready\n"
        yield process.pid
        process.kill()


def configure(root: Path, text: str) -> None:
    (root / "chroot.d/tool.conf").write_text(f"[bind]\n{text}\n")


def fails(admin: Cli, root: Path, *words: str, code: int = 3) -> None:
    done = admin(*(words or ("on",)), "-d", root)
    assert done.returncode == code, done
    assert "Traceback" not in done.stderr
    assert mounts_below(root) == []


@pytest.mark.parametrize("name", ["cwd", "fd/9", "cwd/../secret"])
def test_what_another_process_has_open(
    admin: Cli, tiny_chroot: Path, holder: int, name: str
) -> None:
    configure(tiny_chroot, f"src:/proc/{holder}/{name} tgt:/x")
    fails(admin, tiny_chroot)


def test_a_mount_of_another_namespace(admin: Cli, tiny_chroot: Path, secret: Path) -> None:
    command = ["unshare", "--mount", "sh", "-c", "echo ready && exec sleep 100"]
    with Program(command, stdout=subprocess.PIPE) as process:
        assert next_line(process) == b"ready\n"
        configure(tiny_chroot, f"src:/proc/{process.pid}/root{secret} tgt:/x")
        fails(admin, tiny_chroot, code=1)
        process.kill()


@pytest.mark.slow
def test_in_the_place_of_a_system_point(admin: Cli, tiny_chroot: Path, secret: Path) -> None:
    for target in ("/proc", "/dev", "/tmp", "/etc/resolv.conf"):
        source = secret / "file" if "resolv" in target else secret
        configure(tiny_chroot, f"src:{source} tgt:{target}")
        fails(admin, tiny_chroot)


def test_configuration_by_a_link(admin: Cli, tiny_chroot: Path, secret: Path) -> None:
    configure(tiny_chroot, f"src:{secret} tgt:/x")
    (tiny_chroot / "chroot.d").rename(tiny_chroot / "elsewhere")
    (tiny_chroot / "chroot.d").symlink_to("elsewhere")
    fails(admin, tiny_chroot)


def test_what_a_mount_hides(admin: Cli, tiny_chroot: Path, secret: Path) -> None:
    """A tmpfs over what is denied: what is below would show through a bind from above."""
    subprocess.run(["mount", "-t", "tmpfs", "x", secret], check=True)
    try:
        configure(tiny_chroot, f"src:{secret.parent} tgt:/x")
        fails(admin, tiny_chroot)
    finally:
        subprocess.run(["umount", secret], check=True)


def test_stood_in_before_it_was_hidden(
    admin: Cli, tiny_chroot: Path, secret: Path, holder: int
) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "x", secret], check=True)
    try:
        configure(tiny_chroot, f"src:/proc/{holder}/cwd tgt:/x")
        fails(admin, tiny_chroot)
    finally:
        subprocess.run(["umount", secret], check=True)


@pytest.mark.parametrize(
    "entry",
    [
        "fs:none src:{secret} opt:bind", "fs:bind-ro src:{secret}", "fs:fuse src:x",
        "fs:squashfs src:{secret}/file", "fs:erofs src:{secret}/file", "fs:ext4 src:/dev/root",
        "fs:devtmpfs src:x", 'fs:overlay src:x opt:"lowerdir={secret},upperdir=/a,workdir=/b"',
    ],
)  # fmt: skip
def test_another_type(admin: Cli, tiny_chroot: Path, secret: Path, entry: str) -> None:
    configure(tiny_chroot, f"{entry.format(secret=secret)} tgt:/x")
    fails(admin, tiny_chroot)


@pytest.mark.slow
def test_optional_until_it_is_there(admin: Cli, tiny_chroot: Path, secret: Path) -> None:
    later = secret.parent / "later"
    toml = tiny_chroot / "chroot.d/chroot.toml"
    toml.write_text(f'[[bind]]\nsource = "{later}"\ntarget = "/x"\noptional = true\n')
    admin.ok("on", "-d", tiny_chroot)
    later.symlink_to(secret)
    for words in (["on"], ["run", "/bin/true"], ["run", "-x", "/bin/true"]):
        assert admin(*words, "-d", tiny_chroot).returncode == 3
    assert not (tiny_chroot / "x/file").exists()
    admin.ok("off", "-d", tiny_chroot)


def test_the_chroot_by_another_name(admin: Cli, tiny_chroot: Path, secret: Path) -> None:
    configure(tiny_chroot, f"src:{secret} tgt:/x")
    link = secret.parent / "link"
    link.symlink_to(tiny_chroot)
    fails(admin, link)
    fails(admin, Path(f"/proc/self/root{tiny_chroot}"))
    done = admin("on", "-d", ".", cwd=tiny_chroot)
    assert done.returncode == 3


def test_a_policy_that_is_written_while_it_is_used(
    admin: Cli, tiny_chroot: Path, secret: Path
) -> None:
    """Half of a rule is a mistake, and a mistake forbids everything."""
    configure(tiny_chroot, f"src:{secret} tgt:/x")
    assert admin.administrator is not None
    file = admin.administrator / "policy.toml"
    for text in (f'deny_sources = ["{secret}', "deny_sources = [", f'deny_sources = ["{secret}"]'):
        file.write_text(text)
        fails(admin, tiny_chroot)


def test_with_the_variables_of_a_caller(admin: Cli, tiny_chroot: Path, secret: Path) -> None:
    configure(tiny_chroot, f"src:{secret} tgt:/x")
    names = ("HOME", "XDG_CONFIG_HOME", "CHROOT_TOOL_BASE", "PYTHONPATH", "PYTHONSTARTUP")
    done = admin("on", "-d", tiny_chroot, env=dict.fromkeys(names, str(secret)))
    assert done.returncode == 3, done
    assert sys.executable
    assert os.listdir(secret) == ["file"]
