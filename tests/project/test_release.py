"""`./dev release` on a clone: what is committed, tagged and built, and what stands in its way.

The Debian package stands aside here: test_deb.py has it, and it takes longer than all the rest; so
do the rows of docs/support.md, of which each takes minutes.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from support import CHECKOUT

pytestmark = pytest.mark.slow

RELEASE = """
set -eu
here=$1 bin=$2
. "$here/.pkg/setup.sh"
. "$here/.pkg/deb.sh"
. "$here/.pkg/release.sh"
build_deb() { %s; }
release "$3"
"""
REAL = "Somebody <somebody@host.test>"
"""A maintainer whose address is none of the placeholder's kind."""
A_DEB = 'echo deb >"$1/chroot-tool_7.8.9_all.deb"'


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A checkout of what stands here, committed or not, that may be committed to."""
    folder = tmp_path / "clone"
    git(CHECKOUT, "clone", "-q", "--no-hardlinks", "--depth=1", f"file://{CHECKOUT}", folder)
    changed = git(CHECKOUT, "diff", "HEAD", "--binary")
    if changed:
        subprocess.run(["git", "apply"], cwd=folder, input=changed, text=True, check=True)
    for name in git(CHECKOUT, "ls-files", "--others", "--exclude-standard").splitlines():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):  # of a test beside this one
            shutil.copy(CHECKOUT / name, folder / name)
    control = folder / "debian/control"
    control.write_text(re.sub(r"(?m)^Maintainer: .*", f"Maintainer: {REAL}", control.read_text()))
    (folder / ".ci/matrix").write_text("#!/bin/sh\necho all rows\n")
    git(folder, "config", "user.name", "somebody")
    git(folder, "config", "user.email", "somebody@host.example")
    git(folder, "add", "--all")
    git(folder, "commit", "-q", "--allow-empty", "-m", "as it stands here")
    return folder


def git(folder: Path, *words: str | Path) -> str:
    return subprocess.run(
        ["git", *words], cwd=folder, capture_output=True, text=True, check=True
    ).stdout


def release(clone: Path, version: str, package: str = A_DEB) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", RELEASE % package, "dev", clone, Path(sys.executable).parent, version],
        cwd=clone, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_it_is_committed_tagged_and_built(clone: Path) -> None:
    new = (clone / "CHANGELOG.md").read_text().partition("## [Unreleased]\n")[2]
    done = release(clone, "7.8.9")
    assert done.returncode == 0, done.stderr
    assert done.stderr.index("\nall rows\n") < done.stderr.index("building 7.8.9")

    assert git(clone, "status", "--porcelain") == ""
    assert git(clone, "describe", "--exact-match").strip() == "v7.8.9"
    assert '"7.8.9"' in (clone / ".pkg/chroot_tool/__init__.py").read_text()
    text = (clone / "CHANGELOG.md").read_text()
    assert re.search(r"\n## \[Unreleased\]\n\n## \[7\.8\.9\] - \d{4}-\d\d-\d\d\n", text)
    first = next(line for line in new.splitlines() if line.startswith("- "))
    assert first in git(clone, "tag", "--list", "--format=%(contents)", "v7.8.9")

    made = {path.name for path in (clone / "dist").iterdir()}
    built = {
        "chroot_tool-7.8.9-py3-none-any.whl", "chroot_tool-7.8.9.tar.gz",
        "chroot-tool_7.8.9_all.deb",
    }  # fmt: skip
    assert made == built | {"SHA256SUMS"}
    sums = dict(line.split()[::-1] for line in (clone / "dist/SHA256SUMS").read_text().splitlines())
    assert sums == {
        name: hashlib.sha256((clone / "dist" / name).read_bytes()).hexdigest() for name in built
    }

    for version, why in (("7.8.9", "tagged already"), ("7.8.10", "nothing that is new")):
        assert why in release(clone, version).stderr


@pytest.mark.parametrize(
    ("version", "dirty", "package", "code", "says"),
    [
        ("1.2", False, A_DEB, 2, "which version?"),
        ("1.2.3", True, A_DEB, 1, "not committed"),
        ("1.2.3", False, "fail 1 'no package today'", 1, "no package today"),
    ],
)
def test_what_is_in_the_way_leaves_all_as_it_was(
    clone: Path, version: str, dirty: bool, package: str, code: int, says: str
) -> None:
    if dirty:
        (clone / "README.md").write_text("changed\n")
    before = git(clone, "status", "--porcelain"), git(clone, "rev-parse", "HEAD")
    done = release(clone, version, package)
    assert (done.returncode, says in done.stderr) == (code, True), done.stderr
    assert (git(clone, "status", "--porcelain"), git(clone, "rev-parse", "HEAD")) == before
    assert git(clone, "tag", "--list") == ""
    assert not (clone / "dist").exists()


def test_there_is_none_where_what_is_told_to_be_supported_fails(clone: Path) -> None:
    (clone / ".ci/matrix").write_text("#!/bin/sh\nexit 1\n")
    git(clone, "commit", "-q", "--all", "-m", "a row that fails")
    done = release(clone, "1.2.3")
    assert (done.returncode, "docs/support.md says does not hold" in done.stderr) == (1, True)
    assert git(clone, "tag", "--list") == ""


def test_there_is_none_while_nobody_reads_the_maintainers_address(clone: Path) -> None:
    control = clone / "debian/control"
    text = control.read_text()
    assert REAL in text
    control.write_text(text.replace(REAL, "Somebody <somebody@debian.example>"))
    git(clone, "commit", "-q", "--all", "-m", "a placeholder")
    done = release(clone, "1.2.3")
    assert (done.returncode, "debian/control" in done.stderr) == (1, True), done.stderr
    assert git(clone, "tag", "--list") == ""
