from __future__ import annotations

import os
from pathlib import Path

import pytest

from chroot_tool.core.diagnosis import kernel, trial
from chroot_tool.core.diagnosis.finding import NOTE, OK, PROBLEM, WARNING
from support import PATIENCE
from support.doctor import host, worst

CALLS = {"openat2": lambda: None, "listmount": lambda: None}


def absent() -> None:
    raise OSError(38, "Function not implemented")


def refuses() -> None:
    raise OSError(9, "Bad file descriptor")


def test_every_call_is_there_on_this_kernel() -> None:
    found = worst(kernel.calls(host()))
    assert found.severity in (OK, NOTE), found
    assert os.uname().release in found.found


@pytest.mark.parametrize(
    ("absent_ones", "severity"), [((), OK), (("listmount",), NOTE), (("openat2",), PROBLEM)]
)
def test_a_call_that_is_not_there_is_named(absent_ones: tuple[str, ...], severity: str) -> None:
    probes = {name: absent if name in absent_ones else refuses for name in CALLS}
    found = worst(kernel.calls(host(), probes))
    assert found.severity == severity
    assert all(name in found.found for name in absent_ones)


def process(folder: Path, capabilities: int = (1 << 41) - 1, ids: str = "0 0 4294967295") -> str:
    (folder / "status").write_text(f"Name:\tx\nCapEff:\t{capabilities:016x}\n")
    (folder / "uid_map").write_text(f"         {ids}\n")
    return str(folder)


def test_root_with_all_capabilities_may_do_all(tmp_path: Path) -> None:
    assert worst(kernel.privilege(host(), process(tmp_path), 0)).severity == OK


def test_who_is_not_root_is_told(tmp_path: Path) -> None:
    found = worst(kernel.privilege(host(), process(tmp_path), 1000))
    assert (found.severity, found.mend) == (PROBLEM, "sudo chroot-tool doctor")


def test_capabilities_that_are_lacking_are_named(tmp_path: Path) -> None:
    place = process(tmp_path, capabilities=((1 << 41) - 1) & ~(1 << 21) & ~(1 << 27))
    found = worst(kernel.privilege(host(), place, 0))
    assert found.severity == PROBLEM
    assert "sys_admin, mknod" in found.found


def test_root_of_a_user_namespace_is_told(tmp_path: Path) -> None:
    place = process(tmp_path, ids="0 100000 65536")
    assert worst(kernel.privilege(host(), place, 0)).severity == WARNING


@pytest.mark.root
@pytest.mark.parametrize(
    "look", [kernel.mounting, kernel.devices, kernel.namespaces, kernel.overlay]
)
def test_what_is_tried_works_for_root_and_leaves_nothing(
    look: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "_SECONDS", PATIENCE)
    assert callable(look)
    assert worst(look(host("/usr"))).severity == OK
