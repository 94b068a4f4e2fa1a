"""The outer side of tests with a terminal: a real bash on a real one, and who runs inside."""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import re
import select
import shlex
import signal
import struct
import termios
import time
from pathlib import Path
from shutil import copytree

from support import PATIENCE, Cli, wait_until

PROMPT = "READY$ "


def strict_locale(folder: Path) -> dict[str, str]:
    """Variables of a locale in which Python refuses to read what is no text, as en_US.UTF-8.

    It is made in *folder*: of those that every Debian has Python takes anything.
    """
    copytree("/usr/lib/locale/C.utf8", folder / "en_US.utf8")
    return {"LOCPATH": str(folder), "LC_ALL": "en_US.UTF-8"}


class Terminal:
    """The outer terminal: what a user types into and sees, and the first process on it."""

    def __init__(self, argv: list[str], env: dict[str, str]) -> None:
        self.pid, self.fd = pty.fork()
        if not self.pid:
            os.execvpe(argv[0], argv, env)
        self.seen = ""
        # A read may end within a sign.
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self.resize(30, 90)

    def type(self, text: str) -> None:
        os.write(self.fd, text.encode(errors="surrogateescape"))

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Read until *pattern* is there, and forget everything up to its end."""
        end = time.monotonic() + PATIENCE
        while not (found := re.search(pattern, self.seen)):
            left = end - time.monotonic()
            ready = left > 0 and select.select([self.fd], [], [], left)[0]
            assert ready, f"no {pattern!r} in {self.seen!r}"
            self.seen += self._read()
        self.seen = self.seen[found.end() :]
        return found

    def _read(self) -> str:
        try:
            data = os.read(self.fd, 1 << 16)
        except OSError:
            data = b""
        assert data, f"it ended after {self.seen!r}"
        return self._decoder.decode(data)

    def read_to(self, mark: bytes) -> bytes:
        """Read and return everything before *mark*, which is left to be waited for."""
        received = bytearray(self.seen.encode() + self._decoder.getstate()[0])
        while (at := received.find(mark, max(0, len(received) - (1 << 17)))) < 0:
            assert select.select([self.fd], [], [], PATIENCE)[0], f"stuck after {len(received)}"
            received += os.read(self.fd, 1 << 16)
        self._decoder.reset()
        self.seen = self._decoder.decode(received[at:])
        return bytes(received[:at])

    def modes(self) -> list[object]:
        """The terminal's settings, without the speeds' spelling."""
        return termios.tcgetattr(self.fd)

    def is_raw(self) -> bool:
        return not termios.tcgetattr(self.fd)[3] & termios.ICANON

    def rest(self) -> str:
        """Read and return what is shown until the first process ends."""
        while True:
            assert select.select([self.fd], [], [], PATIENCE)[0], "it does not end"
            try:
                data = os.read(self.fd, 1 << 16)
            except OSError:
                break
            if not data:
                break
            self.seen += self._decoder.decode(data)
        return self.seen

    def exit_code(self) -> int:
        """Read to the end and return the first process's code."""
        while True:
            assert select.select([self.fd], [], [], PATIENCE)[0], "it does not end"
            try:
                if not os.read(self.fd, 1 << 16):
                    break
            except OSError:
                break
        status = 0

        def ended() -> bool:
            nonlocal status
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            return pid != 0

        wait_until(ended)
        return os.waitstatus_to_exitcode(status)

    def hang_up(self) -> None:
        os.close(self.fd)
        self.fd = -1

    def close(self) -> None:
        if self.fd >= 0:
            self.hang_up()
        try:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass


class Bash(Terminal):
    """A job-controlling shell of the host, without line editing: what is typed is what it gets."""

    def __init__(self, cli: Cli, root: Path) -> None:
        env = cli.environment({"PS1": PROMPT, "TERM": "xterm"})
        super().__init__(["bash", "--norc", "--noprofile", "--noediting", "-i"], env)
        self._run = shlex.join(map(str, cli.argv("run", "-d", root)))
        self.wait_for(re.escape(PROMPT))
        self.type(f'r() {{ {self._run} "$@"; }}; stty -echo\n')
        self.wait_for(re.escape(PROMPT))
        self.before = self.modes()

    def start(self, line: str) -> None:
        """Type a line; nothing is echoed."""
        self.type(f"{line}\n")

    def code(self) -> int:
        """Wait for the prompt, and return the last code."""
        self.wait_for(re.escape(PROMPT))
        self.start("echo code=$?")
        return int(self.wait_for(r"code=(\d+)")[1])


def colours(shown: str) -> set[tuple[int, ...]]:
    """The colours that SGR sequences ask for: the palette's as (n,), others as red, green, blue."""
    found = set()
    for sequence in re.findall(r"\x1b\[([0-9;:]*)m", shown):
        found |= {
            tuple(map(int, rgb)) for rgb in re.findall(r"[34]8;2;(\d+);(\d+);(\d+)", sequence)
        }
        plain = re.sub(r"[34]8;2;\d+;\d+;\d+", "", sequence)
        found |= {
            (int(n),) for n in re.split("[;:]", plain) if re.fullmatch("3[0-7]|4[0-7]|9[0-7]", n)
        }
    return found


def inside(root: Path) -> list[int]:
    """The processes that live in *root*."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdecimal() and os.readlink(entry / "root") == str(root):
                found.append(int(entry.name))
        except OSError:
            pass
    return found


def only(root: Path, program: str) -> int:
    """Wait for the one process inside that executes *program*; return its pid."""
    found: list[int] = []

    def there() -> bool:
        found[:] = [pid for pid in inside(root) if _program(pid) == program]
        return len(found) == 1

    wait_until(there)
    return found[0]


def _program(pid: int) -> str:
    try:
        if not Path(f"/proc/{pid}/cmdline").read_bytes():
            return ""  # execve(2) is not over: the program is the new one before its words are
        return os.path.basename(os.readlink(f"/proc/{pid}/exe"))
    except OSError:  # it ended meanwhile
        return ""


def stat_field(pid: int, index: int) -> int:
    """A field of proc_pid_stat(5), numbered as there."""
    text = Path(f"/proc/{pid}/stat").read_text()
    return int(text.rpartition(")")[2].split()[index - 3])


def stat_state(pid: int) -> str:
    """R, S, T …"""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
