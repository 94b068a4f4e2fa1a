"""A bare Debian in which the Debian package is installed, as README says. `support.bare_debian`.

Each is made once a worker, for the one group of tests that asks for it, with a chroot `deb`, which
every test finds off.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest

from . import CHECKOUT, Cli
from .copies import copy_debian
from .machine import Machine

BOOKWORM = pytest.param("bookworm", marks=pytest.mark.xdist_group("installed on bookworm"))
TRIXIE = pytest.param("trixie", marks=pytest.mark.xdist_group("installed on trixie"))
on_both = pytest.mark.parametrize("suite", [BOOKWORM, TRIXIE])
"""With another Python, psutil, man, zsh, fish, schroot."""
on_bookworm = pytest.mark.parametrize("suite", [BOOKWORM])

LIB = "/usr/lib/chroot-tool"
SHARE = "/usr/share/chroot-tool"
BESIDE = ("bash-completion", "fish", "man-db", "schroot", "zsh", "zstd")
"""What a Debian gets beside the package: who looks at it. A base is packed with zstd."""


def first_lines() -> list[str]:
    """The two commands that README begins with: how it is installed, and how it is started."""
    block = (CHECKOUT / "README.md").read_text().partition("```sh\n")[2].partition("```")[0]
    install, start = (line.removeprefix("sudo ") for line in block.splitlines())
    assert re.fullmatch(r"apt install \./chroot-tool_\S+\.deb", install), install
    assert start == "chroot-tool"
    return [install, start]


@pytest.fixture(scope="session")
def debians(
    cli: Cli, base_chroot: Path, package: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Machine]]:
    """Gives the Debian of a suite. What it bootstraps is kept where all others keep it, too."""
    with ExitStack() as stack:

        def made(suite: str) -> Machine:
            root = tmp_path_factory.mktemp("installed") / suite
            if f"VERSION_CODENAME={suite}\n" in (base_chroot / "etc/os-release").read_text():
                copy_debian(base_chroot, root)
            else:
                cli.ok("create", "-d", root, "--suite", suite, timeout=1800)
            (root / package.name).write_bytes(package.read_bytes())
            machine = stack.enter_context(Machine(root, {"/var/cache/chroot-tool": cli.bases}))
            machine.be_quick()
            machine.run("apt-get", "-q", "update")
            install = f"{first_lines()[0]} -qy --no-install-recommends {' '.join(BESIDE)}"
            machine.run("sh", "-c", install)
            machine.run("mkdir", "-p", "/home/me/src", "/srv/chroot", "/var/lib/machines")
            machine.run("chroot-tool", "create", "-d", "deb")
            return machine

        yield cache(made)


@pytest.fixture
def machine(debians: Callable[[str], Machine], suite: str) -> Machine:
    """The Debian of the test's suite, its chroot off and without what has been configured."""
    there = debians(suite)
    if " /srv/chroot/deb/" in there.says("cat", "/proc/self/mountinfo"):  # a `run` leaves it on
        there.run("chroot-tool", "off", "-d", "deb")
    (there.root / "srv/chroot/deb/chroot.d/chroot.toml").unlink(missing_ok=True)
    return there
