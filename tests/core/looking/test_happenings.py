"""What happened between two looks: told once, without what a switch only passes through."""

from __future__ import annotations

import pytest

from chroot_tool.core.looking import happenings as happenings_module
from chroot_tool.core.looking.happenings import Happening, Happenings, of_packages
from chroot_tool.core.looking.package_log import PackageRun
from chroot_tool.core.looking.status import ChrootStatus, MountStatus
from chroot_tool.core.process import Process

PATH = "/srv/chroot/deb"
T = 1_790_000_000.0


def look(state: str, *processes: Process, missing: tuple[str, ...] = ()) -> ChrootStatus:
    mounts = tuple(MountStatus(one, one, "bind", (), "system", "missing") for one in missing)
    return ChrootStatus("deb", PATH, state, mounts=mounts, processes=processes)


def process(pid: int, started: float, command: str = "sleep 9") -> Process:
    return Process(pid, "root", command, 0.0, 1, T + started)


class Story:
    """Looks at one chroot, at seconds after T."""

    def __init__(self, first: ChrootStatus) -> None:
        self._happenings = Happenings()
        assert self._happenings.take([first], T) == []

    def see(self, after: float, one: ChrootStatus) -> list[Happening]:
        return [found for _, found in self._happenings.take([one], T + after)]

    def wait(self, until: float) -> list[Happening]:
        return [found for _, found in self._happenings.advance(T + until)]

    def end(self) -> list[Happening]:
        return [found for _, found in self._happenings.finish(T + 999)]

    @property
    def waits(self) -> bool:
        return self._happenings.are_waiting


def test_on_and_off_are_told_at_once_and_once() -> None:
    story = Story(look("off"))
    assert story.see(5, look("on")) == [Happening(T + 5, "on")]
    assert story.see(6, look("on")) == []
    assert story.see(7, look("off")) == [Happening(T + 7, "off")]
    assert not story.waits


def test_what_a_switch_passes_through_is_not_told() -> None:
    story = Story(look("off"))
    assert story.see(1, look("partial", missing=("/tmp",))) == []
    assert story.see(1.2, look("on")) == [Happening(T + 1.2, "on")]
    assert story.see(9, look("partial", missing=("/tmp",))) == []
    assert story.see(9.1, look("on")) == []


def test_a_drift_that_stays_is_told_with_what_is_amiss() -> None:
    story = Story(look("on"))
    assert story.see(1, look("partial", missing=("/tmp",))) == []
    assert story.waits
    assert story.wait(5) == [Happening(T + 1, "partial", "/tmp missing")]
    assert not story.waits
    many = tuple(f"/m{number}" for number in range(7))
    story.see(6, look("partial", missing=many))
    (found,) = story.wait(10)
    assert found.text == "/m0 missing, /m1 missing, /m2 missing, /m3 missing and 3 more"


def test_a_process_that_lasts_is_told_when_it_came_and_when_it_went() -> None:
    story = Story(look("on"))
    one = process(7, 1, "/usr/sbin/sshd -D")
    assert story.see(2, look("on", one)) == []
    assert story.waits
    assert story.wait(12) == [Happening(T + 1, "started", "7 root: /usr/sbin/sshd -D")]
    assert story.see(99, look("on")) == [Happening(T + 99, "ended", "7 root: /usr/sbin/sshd -D")]
    assert not story.waits


def test_those_that_were_there_before_are_told_when_they_go() -> None:
    story = Story(look("on", process(7, -99)))
    assert not story.waits
    assert [one.kind for one in story.see(1, look("on"))] == ["ended"]


def test_those_that_do_not_last_are_counted_together() -> None:
    story = Story(look("on"))
    for number in range(6):
        story.see(number, look("on", process(100 + number, number, f"/usr/bin/cc1 -O2 {number}.c")))
    story.see(7, look("on", process(200, 7, "/usr/bin/ld x.o")))
    assert story.see(8, look("on")) == []
    assert story.wait(30) == []
    assert story.wait(61 + 1) == [Happening(T + 8, "brief", "7: 6 cc1, 1 ld")]
    assert not story.waits


@pytest.mark.slow
def test_a_pid_that_was_used_again_is_another_process() -> None:
    story = Story(look("on", process(7, -99)))
    assert [one.kind for one in story.see(1, look("on", process(7, 0.5)))] == ["ended"]
    assert [one.kind for one in story.wait(20)] == ["started"]
    # The start of the same one may be told a second later than before.
    assert story.see(21, look("on", process(7, 1.6))) == []


def test_what_is_still_counted_is_told_at_the_end() -> None:
    story = Story(look("on"))
    story.see(1, look("on", process(7, 1)))
    story.see(2, look("partial", missing=("/tmp",)))
    assert {one.kind for one in story.end()} == {"partial", "brief"}
    assert story.end() == []


def test_a_chroot_that_is_new_or_comes_back() -> None:
    happenings = Happenings()
    happenings.take([], T)
    assert happenings.take([look("creating")], T + 1) == [
        (PATH, Happening(T + 1, "creating", "is new here"))
    ]
    assert happenings.take([], T + 2) == []


def test_a_run_of_apt_in_words() -> None:
    run = PackageRun(T, 3, 0, 1, ("gcc", "cpp"))
    text = "installed 3, removed 1: gcc, cpp, …"
    assert of_packages(run) == Happening(T, "packages", text)


def test_of_a_thousand_that_are_as_they_were_none_is_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    still, other = look("off"), look("off").replace(path="/srv/chroot/other")
    happenings = Happenings()
    happenings.take([still, other], T)
    examined: list[ChrootStatus] = []

    def amiss(one: ChrootStatus) -> tuple[str, ...]:
        examined.append(one)
        return ()

    monkeypatch.setattr(happenings_module, "_amiss", amiss)
    now_on = other.replace(state="on")
    found = happenings.take([still, now_on], T + 1)
    assert examined == [now_on]
    assert found == [(now_on.path, Happening(T + 1, "on", ""))]
