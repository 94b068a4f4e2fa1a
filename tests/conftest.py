"""Fixtures: the real command line, real chroots, and a guard that nothing is left behind.

Tests marked `root` mount for real. They run only in a mount namespace of their own, which
`./dev test` makes. Where CI=true nothing is left out: what cannot run has failed.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from hypothesis import settings

import proving
import workers
from proving import (  # noqa: F401 # pytest finds its hooks here
    proof,
    pytest_itemcollected,
    pytest_runtest_logreport,
    pytest_sessionstart,
    pytest_terminal_summary,
)
from support import (
    AUTOMOUNT,
    PATIENCE,
    SYSTEM_POINTS,
    Cli,
    MountLine,
    detach,
    is_below,
    kill,
    make_tiny_root,
    mounts_below,
    processes_below,
    read_mounts,
)
from support.at_both_sizes import (  # noqa: F401 # fixtures, too
    start,
    terminal_size,
    tidy,
    ui_home,
    write_settings,
)
from support.bare_debian import debians, machine  # noqa: F401 # fixtures, too
from support.copies import copy, copy_debian
from support.fleet import ansible, ansible_installed  # noqa: F401 # fixtures, too
from support.little_mirror import served
from support.package import build, build_wheel
from support.ssh_hosts import SshHosts
from support.trees import unseal_after_a_test
from workers import (  # noqa: F401 # pytest finds its hooks here
    pytest_collection,
    pytest_collection_finish,
    pytest_collection_modifyitems,
    pytest_configure,
    pytest_runtest_protocol,
    pytest_xdist_auto_num_workers,
    pytest_xdist_setupnodes,
    shared_folder,
    why_not_apart,
)

# No test asserts a time, and a deadline for each example is one.
settings.register_profile("any speed", deadline=None)
settings.register_profile("quick", deadline=None, max_examples=10)
settings.load_profile("any speed")

IN_CI = os.environ.get("CI") == "true"


def pytest_addoption(parser: pytest.Parser) -> None:
    proving.pytest_addoption(parser)
    workers.add_options(parser)


@cache
def _why_no_root() -> str:
    return "needs root" if os.geteuid() != 0 else why_not_apart()


@cache
def _reach_network() -> None:
    """Ask the first package source of this Debian; pip's index is taken to be as near."""
    command = ["apt-get", "indextargets", "--format", "$(REPO_URI)dists/$(RELEASE)/Release"]
    sources = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    with urlopen(sources.splitlines()[0], timeout=PATIENCE):
        pass


def _why_no_network() -> str:
    """That it was reached once is remembered, that it was not is asked again."""
    try:
        _reach_network()
    except (OSError, URLError, subprocess.CalledProcessError, IndexError) as error:
        return f"needs the network: {error}"
    return ""


@pytest.hookimpl(tryfirst=True)  # before any fixture is made
def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker, why_not in (("root", _why_no_root), ("network", _why_no_network)):
        reason = why_not() if item.get_closest_marker(marker) else ""
        if reason and (IN_CI or item.config.getoption("prove")):
            pytest.fail(f"{reason}; in CI and proofs no test is left out", pytrace=False)
        if reason:
            pytest.skip(reason)


@pytest.fixture(scope="session")
def cli(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Cli:
    """The command line; see support.Cli. All workers share one directory of bases."""
    bases = shared_folder(tmp_path_factory, pytestconfig) / "bases"
    home = tmp_path_factory.mktemp("home")
    home.chmod(0o755)  # a test that becomes another user has the same home
    return Cli(home, bases)


@pytest.fixture
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the user's is read or written."""
    for kind in ("CONFIG", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(tmp_path / "home" / kind.lower()))
    monkeypatch.delenv("CHROOT_TOOL_BASE", raising=False)


@pytest.fixture(autouse=True)
def ui_at_home(request: pytest.FixtureRequest) -> None:
    """Give every test of the UI an `own_home`."""
    if "tui" in request.path.parts:
        request.getfixturevalue("own_home")


@pytest.fixture(autouse=True)
def leaves_no_settings(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves settings in the home that others have, too."""
    # Asked for here, as a file may have one of its own, which is gone after the test.
    cli: Cli | None = None
    if "cli" in request.fixturenames:
        cli = request.getfixturevalue("cli")
    yield
    assert cli is None or not os.path.exists(cli.environment()["XDG_CONFIG_HOME"])


@pytest.fixture(autouse=True)
def leaves_nothing(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test marked `root` that leaves a mount or a process, here or on the host.

    tmp_path is asked for here, so that pytest deletes it only after every mount below is gone:
    deleting through a bind mount would delete the host's files.
    """
    if request.node.get_closest_marker("root") is None:
        yield
        return
    folder: Path = request.getfixturevalue("tmp_path")
    # The host's first, and last: what it loses between the two is there before, and gone after.
    host = read_mounts("1")
    here = read_mounts()
    yield
    after = read_mounts()
    left = _new_here(here, after, _taken_by_neighbours(host)) + _new_on_host(host, folder)
    processes: dict[int, str] = {}
    while more := processes_below(folder):  # what is about to fork when it is seen has children
        processes |= more
        kill(list(more))
    detach([m.point for i, m in read_mounts().items() if i not in here])
    left += [f"process {pid}: {command}" for pid, command in processes.items()]
    unseal_after_a_test(folder)  # pytest could not delete what is immutable
    assert not left, "left behind by this test:\n" + "\n".join(left)


def _taken_by_neighbours(host: dict[int, MountLine]) -> set[str]:
    """Where the host has lost a mount.

    Somebody there has unmounted it, and our copy goes with the folder that it lay on. A test can't
    do that: what it unmounts here stays on the host, and it can't remove what is mounted on here.
    """
    now = read_mounts("1")
    return {  # the number of one that went is the next one's
        mount.point for i, mount in host.items() if i not in now or now[i].point != mount.point
    }


def _new_here(
    before: dict[int, MountLine], after: dict[int, MountLine], taken: set[str]
) -> list[str]:
    after = {i: mount for i, mount in after.items() if mount.point != AUTOMOUNT}
    gone = [m for i, m in before.items() if i not in after and m.point not in {AUTOMOUNT, *taken}]
    return [
        *(f"mounted: {mount.line}" for i, mount in after.items() if i not in before),
        *(f"gone: {mount.line}" for mount in gone),
        *(
            f"changed: {before[i].line}\n     to: {mount.line}"
            for i, mount in after.items()
            if i in before and before[i] != mount
        ),
    ]


def _new_on_host(before: dict[int, MountLine], folder: Path) -> list[str]:
    after = read_mounts("1")
    new = [mount for i, mount in after.items() if i not in before]
    return [
        *(f"mounted on the host: {mount.line}" for mount in new if is_below(mount.point, folder)),
        *(
            f"gone or changed on the host: {mount.line}"
            for i, mount in before.items()
            if mount.point in SYSTEM_POINTS and after.get(i) != mount
        ),
    ]


@pytest.fixture(scope="session")
def base_chroot(
    cli: Cli, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[Path]:
    """A Debian made by `create`, once a run, by the worker that asks for it first; others wait.

    Never switched on: copies of it are. Each worker that had it looks at its end whether it is
    still as it was made.
    """
    folder = shared_folder(tmp_path_factory, pytestconfig) / "base"
    folder.mkdir(exist_ok=True)
    root, facts = folder / "debian", folder / "facts.json"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not facts.exists():
            cli.ok("create", "-d", root, timeout=1800)
            facts.write_text(json.dumps(_contents(root / "usr")))
    yield root
    made = json.loads(facts.read_text())
    changed = sorted(path for path, was in made.items() if _facts(Path(path)) != was)
    assert not changed, f"written through the hard links of a copy: {changed}"


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Path:
    """The Debian package, built once a run. Had lintian found an error, it would not be."""
    folder = shared_folder(tmp_path_factory, pytestconfig) / "package"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return next(folder.glob("*.deb"), None) or build(folder)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Path:
    """The wheel, built once a run."""
    folder = shared_folder(tmp_path_factory, pytestconfig) / "wheel"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return next(folder.glob("*.whl"), None) or build_wheel(folder)


@pytest.fixture
def little_mirror(
    tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[str]:
    """A mirror on loopback that has a minbase, made once a run; see support.little_mirror."""
    with served(shared_folder(tmp_path_factory, pytestconfig) / "mirror") as address:
        yield address


def _contents(folder: Path) -> dict[str, list[int]]:
    return {str(path): _facts(path) for path in folder.rglob("*") if not path.is_dir()}


def _facts(path: Path) -> list[int]:
    facts = path.lstat()
    return [facts.st_mtime_ns, facts.st_size, facts.st_mode, facts.st_uid, facts.st_gid]


@pytest.fixture
def chroot(base_chroot: Path, cli: Cli, tmp_path: Path) -> Iterator[Path]:
    """A Debian of the test's own, switched off at the end by the tool itself."""
    root = tmp_path / "debian"
    copy_debian(base_chroot, root)
    yield root
    _switch_off(cli, root)


@pytest.fixture
def hosts(cli: Cli, tmp_path: Path) -> Iterator[SshHosts]:
    """Machines that OpenSSH reaches: `hosts.add("one", "two")` starts them.

    Their chroots are switched off at the end.
    """
    with SshHosts(tmp_path / "hosts", cli) as those:
        yield those
    for host in those.hosts.values():
        for root in host.base.iterdir():
            _switch_off(cli, root)


@pytest.fixture(scope="session")
def tiny_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("base") / "tiny"
    make_tiny_root(root)
    return root


@pytest.fixture
def tiny_chroot(tiny_template: Path, cli: Cli, tmp_path: Path) -> Iterator[Path]:
    """A few megabytes with a shell in it (support.make_tiny_root), switched off at the end."""
    root = tmp_path / "tiny"
    copy(tiny_template, root)
    yield root
    _switch_off(cli, root)


def _switch_off(cli: Cli, root: Path) -> None:
    if mounts_below(root) or processes_below(root):
        cli.ok("off", "-S", "--kill", "--timeout", "2", "-d", root)
