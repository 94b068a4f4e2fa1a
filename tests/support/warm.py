"""A program of Python out of a process that has imported what it needs: each start is a fork of it.

To start Python and to import takes chroot-tool 45 ms and Ansible a second, of which a test that
calls either for what it does wants nothing. The child is forked before anything of the program has
run; it has the words, environment, directory and streams of one that was started, no descriptor
beside them, and ends as one does. Only seen from outside it is another: by its parent, and in /proc
by its words. How chroot-tool starts, and what is seen of it, is for `Cli.argv` and `Cli.start`.

Imported as `support.warm`; run as a program it is that process.
"""

from __future__ import annotations

import atexit
import gc
import marshal
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from itertools import dropwhile
from pathlib import Path

_NAMESPACES = ("cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts")
_FACT = struct.Struct("q")
"""What is answered of a child: its pid when it begins, what waitpid(2) says when it ended."""

# -- who calls -----------------------------------------------------------------------------------


def runs_like_started(env: Mapping[str, str]) -> bool:
    """Whether a child of the process is what a command with this *env* would be if started here."""
    for_the_start = ("LANG", "LC_", "LD_", "TZ")
    asked, ours = (
        {name: value for name, value in one.items() if name.startswith(for_the_start)}
        for one in (env, os.environ)
    )
    return asked == ours and _surroundings() == _surroundings_then()


def _surroundings() -> tuple[object, ...]:
    """What a child has from who starts it, beside what is given to it in words."""
    here = os.stat("/")
    spaces = [os.stat(f"/proc/thread-self/ns/{name}").st_ino for name in _NAMESPACES]
    with open("/proc/thread-self/status", encoding="ascii", errors="replace") as lines:
        wanted = ("Umask:", "Uid:", "Gid:", "Groups:", "SigBlk:", "SigIgn:", "Cap", "Seccomp:")
        facts = [line for line in lines if line.startswith(wanted)]
    return (here.st_dev, here.st_ino, *spaces, *facts)


_surroundings_then = cache(_surroundings)
"""Those of the process, which is started when they are asked for the first time."""


class Warm:
    """The process: *python*, its path and options, which runs *imports*, a file, and then waits.

    It has the environment *env*, or ours, and ends with us, or by `close`. What a test has set just
    now is not in it: its hosts end what has their mark.
    """

    def __init__(
        self, python: Sequence[str | Path], imports: Path, env: Mapping[str, str] | None = None
    ) -> None:
        _surroundings_then()
        given = (os.environ if env is None else env).items()
        own = {name: value for name, value in given if not name.startswith("CHROOT_TOOL_")}
        self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            # Pipes, as commands have: Python asks what its streams are when it starts.
            self._process = subprocess.Popen(
                [*python, __file__, str(theirs.fileno()), imports], env=own,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                pass_fds=[theirs.fileno()], cwd="/",  # where it keeps no mount busy
            )  # fmt: skip
        atexit.register(self.close)

    def close(self) -> None:
        """End it."""
        atexit.unregister(self.close)
        self._line.close()
        self._process.kill()
        self._process.communicate()

    def run(
        self,
        argv: Sequence[str | bytes | Path],
        env: Mapping[str, str],
        stdin: bytes,
        cwd: Path | None,
        timeout: float,
    ) -> subprocess.CompletedProcess[bytes]:
        """Do what `subprocess.run` does that captures; *argv* begins with Python, and options."""
        words = [os.fsdecode(word) for word in argv]
        asked = marshal.dumps((words, dict(env), os.fspath(cwd or os.getcwd())))
        ours, theirs = socket.socketpair()
        (given, give), (out, put), (err, tell) = (os.pipe() for _ in range(3))
        with ours, open(out, "rb", 0) as said, open(err, "rb", 0) as told:
            with theirs:
                socket.send_fds(self._line, [b"."], [theirs.fileno(), given, put, tell])
            for fd in (given, put, tell):
                os.close(fd)
            ours.sendall(_FACT.pack(len(asked)) + asked)
            pid = _fact(ours)
            try:
                feeding = threading.Thread(target=_feed, args=(give, stdin))
                feeding.start()
                texts = _read(words, (said.fileno(), told.fileno()), timeout)
                feeding.join()
                code = os.waitstatus_to_exitcode(_fact(ours))
            except BaseException:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                raise
        return subprocess.CompletedProcess(list(argv), code, *texts)


def _feed(fd: int, text: bytes) -> None:
    with suppress(BrokenPipeError), open(fd, "wb", 0) as pipe:
        while text:
            text = text[pipe.write(text) :]


def _read(words: list[str], fds: tuple[int, ...], timeout: float) -> list[bytes]:
    """Read all of these to their ends, which every process that has them makes together."""
    end = time.monotonic() + timeout
    texts = dict.fromkeys(fds, b"")
    poll = select.poll()
    for fd in fds:
        poll.register(fd, select.POLLIN)
    left = len(fds)
    while left:
        ready = poll.poll(max(0.0, end - time.monotonic()) * 1000)
        if not ready:
            raise subprocess.TimeoutExpired(words, timeout)
        for fd, _ in ready:
            text = os.read(fd, 1 << 16)
            texts[fd] += text
            if not text:
                poll.unregister(fd)
                left -= 1
    return list(texts.values())


def _fact(line: socket.socket) -> int:
    data = line.recv(_FACT.size, socket.MSG_WAITALL)
    assert len(data) == _FACT.size, "the process that has imported everything is gone"
    number: int = _FACT.unpack(data)[0]
    return number


# -- the process ---------------------------------------------------------------------------------


def _serve(line: socket.socket) -> list[str]:
    """Fork a child for each command, and answer what becomes of it; return in the child."""
    poll = select.poll()
    poll.register(line, select.POLLIN)
    running: dict[int, tuple[int, socket.socket]] = {}
    while True:
        for fd, _ in poll.poll():
            if fd in running:
                pid, caller = running.pop(fd)
                poll.unregister(fd)
                os.close(fd)
                _answer(caller, os.waitpid(pid, 0)[1])
                caller.close()
                continue
            data, fds, _, _ = socket.recv_fds(line, 1, 4)
            if not data:
                os._exit(0)
            pid = os.fork()
            if not pid:
                return _become(*fds)
            caller = socket.socket(fileno=fds[0])
            for one in fds[1:]:
                os.close(one)
            _answer(caller, pid)
            watched = os.pidfd_open(pid)
            running[watched] = pid, caller
            poll.register(watched, select.POLLIN)


def _answer(caller: socket.socket, number: int) -> None:
    with suppress(BrokenPipeError):  # it had enough
        caller.sendall(_FACT.pack(number))


def _become(caller: int, *streams: int) -> list[str]:
    """Have the streams, directory, environment and words that are asked for, and no more."""
    for number, fd in enumerate(streams):
        os.dup2(fd, number)
    with open(caller, "rb") as asked:
        words, env, cwd = marshal.loads(asked.read(_FACT.unpack(asked.read(_FACT.size))[0]))
    os.closerange(3, 256)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    sys.orig_argv[:] = words
    sys.argv[:] = dropwhile(lambda word: word.startswith("-"), words[1:])
    return sys.argv


def _execute(script: str) -> None:
    global __file__
    __file__ = script
    with open(script, encoding="utf-8") as text:
        exec(compile(text.read(), script, "exec"), globals())


if __name__ == "__main__":
    _execute(sys.argv[2])
    gc.collect()
    gc.freeze()  # else the first collection of each child would copy all of it
    _execute(_serve(socket.socket(fileno=int(sys.argv[1])))[0])
