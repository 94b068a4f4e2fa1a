"""What apt and dpkg did, from a log that anybody inside may have written."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chroot_tool.core.errors import ChrootError
from chroot_tool.core.kernel.rootpath import Root
from chroot_tool.core.local_engine import LocalEngine
from chroot_tool.core.looking import package_log
from chroot_tool.core.looking.package_log import PackageRun, package_runs

LOG = """\
2026-09-12 10:00:00 startup archives unpack
2026-09-12 10:00:01 install gcc:amd64 <none> 4:12.2.0
2026-09-12 10:00:01 status half-installed gcc:amd64 4:12.2.0
2026-09-12 10:00:02 upgrade libc6:amd64 2.36-9 2.36-9+deb12u10
2026-09-12 10:00:30 configure gcc:amd64 4:12.2.0 <none>
2026-09-12 10:00:50 trigproc libc-bin:amd64 2.36-9 <none>
2026-09-12 10:00:59 upgrade tzdata:all 2024a 2024b
2026-09-13 11:30:00 remove nano:amd64 7.2-1 <none>
2026-09-13 11:30:01 purge nano:amd64 7.2-1 <none>
"""


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    (tmp_path / "var/log").mkdir(parents=True)
    return tmp_path / "var/log/dpkg.log"


def read(log: Path) -> tuple[PackageRun, ...]:
    with Root(str(log.parents[2])) as root:
        return package_runs(root)


def test_what_was_done_within_a_minute_is_one_run(log: Path) -> None:
    log.write_text(LOG)
    first, second = read(log)
    assert first == PackageRun(1789207201.0, 1, 2, 0, ("gcc", "libc6", "tzdata"))
    assert (second.installed, second.upgraded, second.removed) == (0, 0, 2)
    assert second.names == ("nano",)


def test_no_log_is_no_run(log: Path) -> None:
    assert read(log) == ()


def test_a_link_out_of_it_leads_nowhere(
    log: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "dpkg.log"
    outside.write_text(LOG)
    log.symlink_to(outside)
    assert read(log) == ()


def test_a_fifo_is_not_waited_for(log: Path) -> None:
    os.mkfifo(log)
    assert read(log) == ()


def test_only_the_end_of_a_long_one_is_read(log: Path) -> None:
    line = "2026-09-12 10:00:01 install gcc:amd64 <none> 4:12.2.0\n"
    with log.open("w") as file:
        for _ in range(20):
            file.write(line * 20_000)
        file.write("2026-09-12 10:00:09 install last:amd64 <none> 1\n")
    (run,) = read(log)
    assert 0 < run.installed <= package_log._TAIL // len(line) + 2
    assert run.names == ("gcc", "last")


def test_names_are_cut_and_no_more_than_some_are_kept(log: Path) -> None:
    stamp = "2026-09-12 10:00:01 install"
    names = ["x" * 5000, *(f"p{number}" for number in range(50))]
    log.write_text("".join(f"{stamp} {name} <none> 1\n" for name in names))
    (run,) = read(log)
    assert run.installed == 51
    assert max(map(len, run.names)) == package_log._LONGEST
    assert len(run.names) == package_log._NAMES


@given(
    st.binary(max_size=400)
    | st.text(max_size=400).map(lambda text: text.encode("utf-8", "surrogatepass"))
)
def test_nothing_that_stands_there_does_harm(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    folder = tmp_path_factory.mktemp("root")
    (folder / "var/log").mkdir(parents=True)
    words = b"2026-09-12 10:00:01 install " + data
    (folder / "var/log/dpkg.log").write_bytes(
        data + b"\n" + words + b"\n9999-99-99 99:99:99 install x\n"
    )
    assert all(isinstance(one, PackageRun) for one in read(folder / "var/log/dpkg.log"))


def test_the_engine_tells_of_it(tmp_path: Path, tiny_template: Path) -> None:
    engine = LocalEngine(str(tmp_path))
    with pytest.raises(ChrootError):
        engine.package_runs(str(tmp_path / "none"))
    assert engine.package_runs(str(tiny_template)) == ()
