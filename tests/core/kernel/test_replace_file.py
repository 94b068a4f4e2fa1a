"""Files that are replaced: at once or not at all, and nothing stays of one that was killed."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from chroot_tool.core.errors import ChrootError
from chroot_tool.core.kernel import replace_file
from chroot_tool.core.kernel.rootpath import Root
from support import CHECKOUT

OLD, NEW, NEXT = "the old one\n", "the new one\n", "the next one\n"
CALLS = (
    "chdir", "openat", "newfstatat", "getdents64", "flock", "write", "fchown", "fchmod", "fsync",
    "linkat", "renameat", "unlinkat", "close",
)  # fmt: skip
"""Before each of these it is killed once, from the chdir of the script on."""
LEFT = ".tool.conf.4711.0a1b2c3d"

_SCRIPT = """
import os, sys
sys.path.insert(0, sys.argv[3])
from chroot_tool.core.kernel import replace_file
if sys.argv[2] == "named":
    replace_file._replaced_by_unnamed = lambda *_: False
os.chdir(sys.argv[1])
parent = os.open(".", os.O_RDONLY)
replace_file.replace(parent, "tool.conf", b"the new one\\n", 0o644, is_synced=True)
"""


def script(folder: Path, kind: str, text: str = _SCRIPT) -> list[Path | str]:
    return [sys.executable, "-I", "-S", "-c", text, folder, kind, CHECKOUT / ".pkg"]


def write_traced(folder: Path, kind: str, kill_before: Sequence[str] = ()) -> list[str]:
    """Replace tool.conf in a process of its own; return the names of its calls.

    It is killed before the last of the calls *kill_before*.
    """
    trace = folder.parent / "trace"
    names = ",".join(CALLS)
    argv: list[Path | str] = ["strace", "-qq", "-o", trace, "-e", f"trace={names}"]
    if kill_before:  # each kind of call is counted by itself
        name = kill_before[-1]
        argv += ["-e", f"inject={name}:signal=KILL:when={kill_before.count(name)}"]
    done = subprocess.run(
        [*argv, *script(folder, kind)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == (-9 if kill_before else 0), done.stderr
    return [line.partition("(")[0] for line in trace.read_text().splitlines() if "(" in line]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "chroot.d"
    made.mkdir()
    (made / "tool.conf").write_text(OLD)
    return made


def replace(folder: Path, text: str, name: str = "tool.conf") -> None:
    with Root(str(folder)) as root:
        root.write(f"/{name}", text.encode())


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["unnamed", "named"])
def test_killed_before_any_call_the_next_writer_leaves_no_file(folder: Path, kind: str) -> None:
    write_traced(folder, kind)  # compiled from now on
    calls = write_traced(folder, kind)
    assert ("linkat" in calls) is (kind == "unnamed")
    stayed = 0
    for at in range(calls.index("chdir"), len(calls)):
        (folder / "tool.conf").write_text(OLD)
        killed = write_traced(folder, kind, calls[: at + 1])
        assert killed == calls[: at + 1]
        assert (folder / "tool.conf").read_text() in (OLD, NEW)
        stayed += len(os.listdir(folder)) > 1
        replace(folder, NEXT)
        assert os.listdir(folder) == ["tool.conf"], killed
        assert (folder / "tool.conf").read_text() == NEXT
    assert stayed == 1 if kind == "unnamed" else stayed > 1


def test_what_an_older_version_left_goes_and_what_is_nobodys_stays(folder: Path) -> None:
    others = (
        ".tool.conf.swp", ".tool.conf.4711.0a1b2c3", ".tool.conf.x.0a1b2c3d",
        ".chroot.toml.4711.0a1b2c3d", "tool.conf.4711.0a1b2c3d",
    )  # fmt: skip
    for name in (LEFT, *others):
        (folder / name).write_text("?")
    replace(folder, NEW)
    assert sorted(os.listdir(folder)) == sorted(["tool.conf", *others])


def test_the_file_of_a_writer_that_is_at_work_stays(folder: Path) -> None:
    at_work = folder / LEFT
    with at_work.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        replace(folder, NEW)
        assert at_work.exists()
    replace(folder, NEW)
    assert not at_work.exists()


def test_traps_under_such_a_name_are_not_opened_and_hold_nobody_up(folder: Path) -> None:
    os.mkfifo(folder / LEFT)
    (folder / ".tool.conf.1.00000001").symlink_to("/etc/passwd")
    (folder / ".tool.conf.1.00000002").mkdir()
    leased = folder / ".tool.conf.1.00000003"
    leased.touch()
    with leased.open() as file:
        fcntl.fcntl(file, fcntl.F_SETSIG, signal.SIGURG)  # told so, nobody ends
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        replace(folder, NEW)
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    assert (folder / "tool.conf").read_text() == NEW
    assert len(os.listdir(folder)) == 5


def test_two_who_write_the_same_by_name_never_take_each_others(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replace_file, "_replaced_by_unnamed", lambda *_: False)
    often = _SCRIPT.replace("replace_file.replace(", "for _ in range(50): replace_file.replace(")
    other = subprocess.Popen(script(folder, "named", often))
    try:
        while other.poll() is None:
            replace(folder, NEXT)
        assert other.returncode == 0
    finally:
        other.kill()
        other.wait()
    assert os.listdir(folder) == ["tool.conf"]


def test_owner_and_mode_are_kept_and_a_link_is_refused(folder: Path) -> None:
    file = folder / "tool.conf"
    file.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(file, 12, 34)
    before = file.stat()
    replace(folder, NEW)
    after = file.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (
        before.st_mode, before.st_uid, before.st_gid,
    )  # fmt: skip
    (folder / "pipe").mkdir()
    with pytest.raises(ChrootError, match="no regular file"):
        replace(folder, NEW, "pipe")


def test_without_proc_it_has_a_name_from_the_beginning(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_args: object, **_options: object) -> None:
        raise FileNotFoundError(2, "none")

    monkeypatch.setattr(os, "link", refused)
    replace(folder, NEW)
    assert (folder / "tool.conf").read_text() == NEW
    assert os.listdir(folder) == ["tool.conf"]
