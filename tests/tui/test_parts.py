"""The parts that the main screen holds, each by itself: no app, no screen."""

from __future__ import annotations

import importlib
import pkgutil
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from textual.message import Message
from textual.message_pump import MessagePump

from chroot_tool.app.tui import actions
from chroot_tool.app.tui.actions import ACTIONS
from chroot_tool.app.tui.chroots.known_chroots import KnownChroots
from chroot_tool.app.tui.jobs.jobs import Jobs
from chroot_tool.app.tui.threads.messages import Counted, JobEnded
from chroot_tool.app.tui.threads.thread_messages import ThreadMessages
from chroot_tool.core.engine import Engine
from chroot_tool.core.errors import ChrootError, PrivilegeError
from chroot_tool.core.local_engine import LocalEngine
from chroot_tool.core.looking.snapshot import Snapshot
from chroot_tool.core.looking.status import ChrootStatus
from chroot_tool.widgets.job_status import CANCELLED, FAILED, RUNNING, JobStatus
from support.samples import CHROOTS
from support.whole_ui import DEADLINE, ui

# -- actions --------------------------------------------------------------------------------------


def test_no_two_actions_have_one_id_and_no_family_is_forgotten() -> None:
    modules = [
        importlib.import_module(f"{actions.__name__}.{found.name}")
        for found in pkgutil.iter_modules(actions.__path__)
    ]
    listed = [one.id for module in modules for one in getattr(module, "ACTIONS", ())]
    assert sorted(listed) == sorted(ACTIONS)


async def test_every_action_with_a_key_is_a_binding_of_the_screen() -> None:
    async with ui(*CHROOTS) as t:
        bound = t.app.main._bindings.key_to_bindings.values()
        performed = {binding.action for bindings in bound for binding in bindings}
    for ident, action in ACTIONS.items():
        assert (f"perform('{ident}')" in performed) == bool(action.key)
        assert action.label
        assert action.tooltip


# -- jobs -----------------------------------------------------------------------------------------


class Told:
    """What jobs post; `ended` waits for the end of the next one."""

    def __init__(self) -> None:
        self._ends = threading.Semaphore(0)
        self.messages: list[Message] = []

    def __call__(self, message: Message) -> None:
        self.messages.append(message)
        if isinstance(message, JobEnded):
            self._ends.release()

    def ended(self) -> JobEnded:
        assert self._ends.acquire(timeout=DEADLINE)
        return next(one for one in reversed(self.messages) if isinstance(one, JobEnded))


def test_a_chroot_has_one_job_at_a_time() -> None:
    told, gate = Told(), threading.Event()
    jobs = Jobs(told)
    assert jobs.start("on", "a", "/a", lambda *_: gate.wait(DEADLINE))
    assert not jobs.start("off", "a", "/a", lambda *_: None)
    assert jobs.start("on", "b", "/b", lambda *_: None)
    gate.set()
    for _ in range(2):
        told.ended()
    assert jobs.wait()
    for message in told.messages:
        if isinstance(message, JobEnded):
            jobs.end(message.job, message.error)
    assert jobs.start("off", "a", "/a", lambda *_: None)
    assert jobs.wait()


def failing(*_: object) -> None:
    raise ChrootError("no space left", "free some")


def test_who_began_a_job_may_say_how_its_end_is_shown() -> None:
    seen: list[tuple[str, ChrootError | None]] = []

    def instead(job: JobStatus, error: ChrootError | None) -> JobStatus:
        seen.append((job.state, error))
        return job.replace(state=CANCELLED, stage="left as it was")

    told = Told()
    jobs = Jobs(told)
    jobs.start("off", "a", "/a", failing, instead)
    end = told.ended()
    assert jobs.end(end.job, end.error)
    assert [(state, str(error)) for state, error in seen] == [(FAILED, "no space left")]
    assert [(job.state, job.stage) for job in jobs.views] == [(CANCELLED, "left as it was")]
    assert not jobs.end(end.job, end.error)  # asked once
    jobs.start("off", "b", "/b", failing)
    end = told.ended()
    assert not jobs.end(end.job, end.error)
    assert (jobs.views[0].state, jobs.views[0].stage) == (FAILED, "no space left")


def test_what_shows_jobs_is_told_of_every_change() -> None:
    shown: list[tuple[str, ...]] = []
    told = Told()
    jobs = Jobs(told, changed=lambda: shown.append(tuple(one.state for one in jobs.views)))
    jobs.start("on", "a", "/a", failing)
    end = told.ended()
    jobs.end(end.job, end.error)
    jobs.dismiss(end.job.id)
    assert shown == [(RUNNING,), (FAILED,), ()]


def test_a_number_is_given_to_one_job_only() -> None:
    told = Told()
    jobs = Jobs(told)
    numbers = []
    for _ in range(3):  # what one has printed is kept under its number
        jobs.start("on", "a", "/a", failing)
        end = told.ended()
        jobs.end(end.job, end.error)
        numbers.append(end.job.id)
        jobs.dismiss(end.job.id)
    assert len(set(numbers)) == 3


def test_a_job_that_is_cancelled_before_it_is_done_once_more_does_nothing() -> None:
    """While a password is asked for it is shown as one that runs."""
    told, done = Told(), []

    def work(*_: object) -> None:
        done.append(1)
        raise PrivilegeError("mounting needs root")

    jobs = Jobs(told)
    ident = jobs.start("on", "a", "/a", work)
    told.ended()
    jobs.cancel(ident)
    jobs.again(ident)
    end = told.ended()
    jobs.end(end.job, end.error)
    assert [(one.id, one.state) for one in jobs.views] == [(ident, CANCELLED)]
    assert len(done) == 1


# -- post -----------------------------------------------------------------------------------------


class Target(MessagePump):
    def __init__(self) -> None:
        super().__init__()
        self.got: list[Message] = []
        self.closed = False

    def post_message(self, message: Message) -> bool:
        if self.closed:
            raise RuntimeError("Event loop is closed")
        self.got.append(message)
        return True


def test_what_is_posted_early_waits_and_what_comes_late_is_lost() -> None:
    target = Target()
    post = ThreadMessages(target)
    first, second, third = (Counted(f"/{n}", n) for n in range(3))
    post(first)
    assert target.got == []
    assert post.deliver() == (first,)
    post(second)
    assert target.got == [second]
    target.closed = True
    post(third)
    assert target.got == [second]


# -- inventory ------------------------------------------------------------------------------------


class Threads:
    """In place of both threads: remembers what it is asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, object]] = []

    def follow(self, _engine: Engine, _post: object) -> Threads:
        return self

    count = follow

    def start(self) -> None:
        self.asked.append(("start", ""))

    def want(self, paths: tuple[str, ...]) -> None:
        self.asked.append(("want", paths))

    def recount(self, path: str) -> None:
        self.asked.append(("recount", path))

    def close(self) -> None:
        self.asked.append(("close", ""))


Known = Callable[[Threads], KnownChroots]


@pytest.fixture
def inventory(own_home: None) -> Iterator[Known]:
    """Makes one, whose threads end while nothing of the user's is written."""
    made: list[KnownChroots] = []

    def post(_message: Message) -> None: ...

    def make(threads: Threads) -> KnownChroots:
        made.append(
            KnownChroots(
                LocalEngine("/b"), follow=threads.follow, count=threads.count, post=post,
                ticks=time.monotonic, clock=time.time,
            )
        )  # fmt: skip
        return made[-1]

    yield make
    for one in made:
        one.close()


def look(**states: str) -> Snapshot:
    return Snapshot("/b", tuple(ChrootStatus(name, f"/b/{name}", s) for name, s in states.items()))


def test_a_chroot_that_was_made_meanwhile_is_counted_anew(inventory: Known) -> None:
    threads = Threads()
    known = inventory(threads)
    known.take(look(a="creating", b="off"))
    assert threads.asked == [("start", "")]
    known.count()
    assert threads.asked == [("start", ""), ("want", ("/b/b",))]
    known.take(look(a="off", b="on"))
    assert threads.asked[2:] == [("want", ("/b/a", "/b/b")), ("recount", "/b/a")]
    known.close()
    assert threads.asked[-2:] == [("close", "")] * 2


def test_what_is_awaited_arrives_once(inventory: Known) -> None:
    known = inventory(Threads())
    known.await_new("/b/new", wanted=lambda _cursor: True)
    known.take(look(a="off"))
    assert known.arrived() is None
    known.take(look(a="off", new="creating"))
    new = known.arrived()
    assert new is not None
    assert new.name == "new"
    assert known.arrived() is None


def test_each_that_is_awaited_is_welcomed_the_one_that_is_wanted_shown(
    inventory: Known,
) -> None:
    known = inventory(Threads())
    welcomed: list[str] = []
    for name in "abc":
        known.await_new(
            f"/b/{name}",
            lambda one: welcomed.append(one.name),
            wanted=lambda cursor, name=name: (name, cursor) == ("b", "/b/x"),  # type: ignore[misc]
        )
    known.take(look(a="off", b="off", x="off"))
    shown = known.arrived("/b/x")
    assert shown is not None
    assert shown.name == "b"
    known.take(look(a="off", b="off", c="off", x="off"))
    assert known.arrived("/b/x") is None
    assert welcomed == ["a", "b", "c"]


def test_onlookers_see_each_look_while_they_are_there(inventory: Known) -> None:
    known = inventory(Threads())
    seen: list[int] = []
    with known.watched_by(lambda chroots: seen.append(len(chroots))):
        known.take(look(a="off"))
        known.take(look(a="off", b="off"))
    known.take(look())
    assert seen == [1, 2]


def test_a_size_is_news_when_it_is_another(inventory: Known) -> None:
    known = inventory(Threads())
    assert [known.take_size("/b/a", size) for size in (5, 5, 6)] == [True, False, True]
    assert known.sizes == {"/b/a": 6}


def test_what_is_being_made_has_no_size(inventory: Known) -> None:
    """What its directory took before is not what it takes, nor what comes in late."""
    known = inventory(Threads())
    known.take_size("/b/a", 12288)
    known.take(look(a="creating"))
    assert not known.take_size("/b/a", 12288)
    assert known.sizes == {}
    known.take(look(a="off"))
    assert known.take_size("/b/a", 300_000_000)
