"""`create` on a host whose apt goes through a proxy: a real one, on loopback, that counts."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chroot_tool.core.creating.options import CreateOptions, default_options
from support import Cli, wait_until
from support.creating import Create, counting_proxy, inside, processes_about, text

pytestmark = [pytest.mark.root, pytest.mark.network]

PARTS = "/etc/apt/apt.conf.d"
INSIDE = "etc/apt/apt.conf.d/00chroot-tool-proxy"


@pytest.fixture
def proxy() -> Iterator[tuple[str, list[str]]]:
    with counting_proxy() as given:
        yield given


@pytest.fixture
def configure(tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """What gives the host's apt more configuration, in this mount namespace alone."""
    parts = tmp_path / "parts"
    shutil.copytree(PARTS, parts)

    def write(lines: str) -> None:
        (parts / "zz-proxy").write_text(lines)

    subprocess.run(["mount", "--bind", parts, PARTS], check=True)
    yield write
    subprocess.run(["umount", PARTS], check=True)


def host_of_the_mirror() -> str:
    return default_options(CreateOptions()).mirror.partition("://")[2].partition("/")[0]


def ask_inside(root: Path) -> None:
    """Have apt inside fetch one small file of its mirror."""
    mirror = default_options(CreateOptions()).mirror
    suite = default_options(CreateOptions()).suite
    done = inside(
        root, "/usr/lib/apt/apt-helper", "download-file", f"{mirror}/dists/{suite}/InRelease", "/x"
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.usefixtures("base_chroot")
def test_the_proxy_of_the_hosts_apt(
    cli: Cli, tmp_path: Path, proxy: tuple[str, list[str]], configure: Callable[[str], None]
) -> None:
    address, asked = proxy
    configure(f'Acquire::http::Proxy "{address}";')
    cli.ok("create", "-d", tmp_path / "deb")
    assert [path.rpartition("/")[2] for path in asked] == ["InRelease"]
    assert f'Acquire::http::Proxy "{address}";\n' in text(tmp_path / "deb", INSIDE)
    ask_inside(tmp_path / "deb")
    assert len(asked) == 2


@pytest.mark.usefixtures("base_chroot")
def test_the_proxy_for_one_host(
    cli: Cli, tmp_path: Path, proxy: tuple[str, list[str]], configure: Callable[[str], None]
) -> None:
    address, asked = proxy
    configure(
        'Acquire::http::Proxy "http://127.0.0.1:9";\n'
        f'Acquire::http::Proxy::{host_of_the_mirror()} "{address}";'
    )
    cli.ok("create", "-d", tmp_path / "deb")
    assert len(asked) == 1
    ask_inside(tmp_path / "deb")
    assert len(asked) == 2


@pytest.mark.usefixtures("base_chroot")
def test_the_proxy_that_is_detected(
    cli: Cli, tmp_path: Path, proxy: tuple[str, list[str]], configure: Callable[[str], None]
) -> None:
    address, asked = proxy
    detect = tmp_path / "detect"
    detect.write_text(f'#!/bin/sh\necho "$1" >> {tmp_path}/told\necho {address}\n')
    detect.chmod(0o755)
    configure(f'Acquire::http::Proxy-Auto-Detect "{detect}";')
    cli.ok("create", "-d", tmp_path / "deb")
    assert len(asked) == 1
    assert f"http://{host_of_the_mirror()}\n" in text(tmp_path, "told")
    ask_inside(tmp_path / "deb")
    assert len(asked) == 2
    detect.write_text("#!/bin/sh\nexit 7\n")
    told = cli("create", "-d", tmp_path / "b", "--no-cache")
    assert told.returncode == 1
    assert "looking for the proxy of apt" in told.stderr
    assert "--proxy" in told.stderr
    assert not (tmp_path / "b").exists()


@pytest.mark.usefixtures("base_chroot")
def test_a_person_has_the_last_word(
    cli: Cli, tmp_path: Path, proxy: tuple[str, list[str]], configure: Callable[[str], None]
) -> None:
    address, asked = proxy
    configure('Acquire::http::Proxy "http://127.0.0.1:9";')
    cli.ok("create", "-d", tmp_path / "one", "--proxy", address)
    assert len(asked) == 1
    ask_inside(tmp_path / "one")
    cli.ok("create", "-d", tmp_path / "none", "--proxy", "none")
    assert len(asked) == 2
    assert not (tmp_path / "none" / INSIDE).exists()
    secret = address.replace("://", "://me:secret@")
    cli.ok("create", "-d", tmp_path / "secret", "--proxy", secret, "--no-refresh")
    file = tmp_path / "secret" / INSIDE
    assert file.stat().st_mode & 0o777 == 0o600
    ask_inside(tmp_path / "secret")
    wrong = cli("create", "-d", tmp_path / "wrong", "--proxy", "http://a:secret@b/ c")
    assert wrong.returncode == 2
    assert "secret" not in wrong.stderr


@pytest.mark.parametrize("backend", ["debootstrap", "mmdebstrap"])
def test_both_back_ends_go_through_it(
    cli: Cli, tmp_path: Path, proxy: tuple[str, list[str]], little_mirror: str, backend: str
) -> None:
    address, asked = proxy
    root = tmp_path / "deb"
    running = Create(
        cli, "-d", root, "--backend", backend, "--no-cache", "--proxy", address,
        "--mirror", little_mirror,
    )  # fmt: skip
    running.until("downloading packages")
    wait_until(lambda: any("/pool/" in path for path in asked), running.process)
    running.process.kill()
    running.end()
    wait_until(lambda: not processes_about(root))
    assert any("/binary-" in path for path in asked)
    assert all(path.startswith("http://") for path in asked)
    assert os.listdir(root)
    cli.ok("delete", "--yes", "-d", root)
