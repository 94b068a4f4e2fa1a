"""Start chroot-tool as .pkg/start.py does, but as no user can have it.

The first argument is the directory of the administrator's, the last the root of what systemd has;
"" leaves that of the host. The second names the bounds that are to be out of reach, with `|`
between: a test that is not about one has to end well on a machine of any speed.
"""

import os
import signal
import sys
import time

package = os.path.abspath(f"{os.path.dirname(__file__)}/../../.pkg")
version = f"python{sys.version_info.major}.{sys.version_info.minor}"
sys.path.insert(0, package)
sys.path.append(f"{package}/../.venv/lib/{version}/site-packages")

from chroot_tool.app.main import main  # noqa: E402 (found through the path above)
from chroot_tool.core import chroot  # noqa: E402
from chroot_tool.core.host import boot  # noqa: E402

LONG = 250.0
"""Seconds; within a test's own limit, so that what hangs says where."""


def keys() -> None:
    """Hold back what is typed for as long as what is to take it needs to open."""
    from chroot_tool.app.tui.user import key_queue

    key_queue._LOOKS = int(LONG / key_queue._TICK)


def lock() -> None:
    """Wait for others who are at work on the same chroot."""
    from chroot_tool.core.lock import Lock

    defaults = Lock.__init__.__kwdefaults__
    assert defaults is not None
    assert "patience" in defaults
    defaults["patience"] = LONG


def looks() -> None:
    """Wait for a server of files, at a mere look, too."""
    from chroot_tool.core.kernel import answering

    answering.LOOK = answering.PATIENCE = LONG


def doctor() -> None:
    """Wait for each check of the doctor."""
    from chroot_tool.core.diagnosis import all_checks, trial

    all_checks.CHECKS = tuple(check.replace(seconds=LONG) for check in all_checks.CHECKS)
    trial._SECONDS = LONG


def mirror() -> None:
    """Wait for what a mirror says of a base."""
    from chroot_tool.core.creating import base_or_bootstrap

    base_or_bootstrap._PATIENCE = LONG


def session() -> None:
    """Wait for what a session has left running to end."""
    from chroot_tool.core.sessions import first_process

    first_process._PATIENCE = int(LONG)


def idle() -> None:
    """Wait for an end that is left to a next look, and taken over from one."""
    from chroot_tool.core.remote import connection, idle_connections

    connection._HELD_UP = idle_connections._PATIENCE = LONG
    connection.SECONDS = idle_connections.SECONDS = LONG  # type: ignore[attr-defined]
    # Who keeps it is a process of its own.
    starter = idle_connections._STARTER
    idle_connections._STARTER = starter.replace("int(sys.argv[2]))", f"int(sys.argv[2]), {LONG})")
    assert starter != idle_connections._STARTER


def silent() -> None:
    """Wait for another machine that says nothing, and for who is to take back what it did there."""
    from chroot_tool.app.cli import fleet
    from chroot_tool.core.remote import connection

    connection._SILENT = connection._TAKING_BACK = fleet._GOODBYE = LONG


def hangs_up() -> None:
    """Wait until there is hung up what had this process's streams."""
    from chroot_tool.core.remote import remote_engine

    remote_engine._GOODBYE = LONG


def packs() -> None:
    """Not come to the end of packing a base before that is cut off."""
    from chroot_tool.core.creating.bases import archive

    archive._FAST = archive._FAST.replace(pack=("sleep", "1000"))


def soon() -> None:
    """Wait for a terminal to end whose program has told those on it before."""
    from chroot_tool.core.entering import terminal

    terminal._SOON = int(LONG * 1000)


def stops(stage: str) -> None:
    """Stop when a stage that begins so has been told of for the first time."""
    from chroot_tool.app.progress_lines import Narrator
    from chroot_tool.core.events import Event, Stage

    real = Narrator.__call__

    def tell(narrator: Narrator, event: Event) -> None:
        real(narrator, event)
        if isinstance(event, Stage) and event.stage.startswith(stage):
            Narrator.__call__ = real  # type: ignore[method-assign]
            os.kill(os.getpid(), signal.SIGSTOP)

    Narrator.__call__ = tell  # type: ignore[method-assign, assignment]


def holds(stage: str) -> None:
    """Go on after a stage that begins so has been told of only when that is to be stopped."""
    from chroot_tool.app.cli import long_call
    from chroot_tool.app.progress_lines import Narrator
    from chroot_tool.core.events import Event, Stage

    real = Narrator.__call__

    def tell(narrator: Narrator, event: Event) -> None:
        real(narrator, event)
        if isinstance(event, Stage) and event.stage.startswith(stage):
            while not any(cancelled.is_set() for cancelled in tuple(long_call.entered)):
                time.sleep(0.01)

    Narrator.__call__ = tell  # type: ignore[method-assign, assignment]


def dies() -> None:
    """Be killed before the first rename: what was written aside stays there."""

    def die(*_names: object, **_directories: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    os.rename = die


KINDS = {
    one.__name__: one
    for one in (
        keys,
        lock,
        looks,
        doctor,
        mirror,
        session,
        soon,
        idle,
        silent,
        hangs_up,
        packs,
        stops,
        holds,
        dies,
    )
}

chroot.ADMINISTRATOR = sys.argv.pop(1) or chroot.ADMINISTRATOR
for bound in filter(None, sys.argv.pop(1).split("|")):
    kind, *said = bound.split("=")
    KINDS[kind](*said)
boot.ROOT = sys.argv.pop(1)
sys.exit(main())
