"""The units of chroots: their names are systemd's own, and systemd finds nothing wrong in them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from chroot_tool.core.errors import ChrootError
from chroot_tool.core.host import boot
from chroot_tool.core.verbs.boot import unit_text
from support import CHECKOUT

PROGRAM = ("/usr/bin/env", "A=1")
UNITS = CHECKOUT / "core/host/units"


@pytest.mark.parametrize("path", [
    "/srv/chroot/deb", "/srv/my-deb", "/srv/my deb", "/.hidden/.x", "/a_b:c.d", "/ü/€", "/a\\b",
    "/100%", "/$HOME/'\"", "/two\nlines", "//srv///x/",
])  # fmt: skip
def test_a_unit_is_called_as_systemd_calls_it(path: str) -> None:
    command = ["systemd-escape", "--path", "--template=chroot-tool@.service", path]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert boot.unit(path) == done.stdout.rstrip("\n")


@given(st.text(min_size=1, max_size=40), st.text(min_size=1, max_size=40))
@example("/a/b", "/a-b")
@example("/.a", "/a")
def test_no_two_paths_share_a_unit(one: str, other: str) -> None:
    paths = [f"/{text}".replace("\0", "").encode("utf-8", "replace").decode() for text in
             (one, other)]  # fmt: skip
    parts = [[part for part in path.split("/") if part] for path in paths]
    assume(all(parts) and parts[0] != parts[1])
    try:
        assert boot.unit(paths[0]) != boot.unit(paths[1])
    except ChrootError:
        assert max(map(len, map(str.encode, paths))) > 50


def test_a_path_that_is_too_long_for_a_unit_is_refused() -> None:
    with pytest.raises(ChrootError, match="too long"):
        boot.unit("/" + "x" * 240)


def test_systemd_finds_nothing_wrong_in_them(tmp_path: Path) -> None:
    for name in (boot.SERVICE, boot.TARGET):
        (tmp_path / name).write_text(unit_text(name, PROGRAM))
    instance = tmp_path / "chroot-tool@srv-my\\x20deb.service"
    instance.symlink_to(boot.SERVICE)
    command = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no",
               str(instance), str(tmp_path / boot.TARGET)]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_program_is_one_word_a_word() -> None:
    text = unit_text(boot.SERVICE, ('/opt/my "tool"', "100%"))
    assert 'ExecStart=:"/opt/my \\"tool\\"" "100%%" on -d %f\n' in text
    assert "/usr/bin/chroot-tool" not in text


def test_a_package_can_install_them_as_they_are() -> None:
    text = (UNITS / boot.SERVICE).read_text()
    assert text.count("/usr/bin/chroot-tool ") == text.count("\nExec") == 6
    assert {path.name for path in UNITS.iterdir()} == {boot.SERVICE, boot.TARGET}
