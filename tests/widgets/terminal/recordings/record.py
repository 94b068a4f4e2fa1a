"""Record real programs in a terminal, and what tmux shows for the same bytes.

Run as root on a Debian with vim, htop, less, dialog, whiptail, python3, tmux and the package
`hello` in apt's cache (`apt-get install --download-only hello`):

    python tests/widgets/terminal/recordings/record.py [NAME…]

For each program it writes NAME.raw, the bytes it wrote in a terminal of 80 by 24, and NAME.json:
for several moments the number of bytes so far and the screen, as `tmux capture-pane -e` prints it.
"""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import struct
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path

HERE = Path(__file__).parent
COLUMNS, ROWS = 80, 24

SOURCE = '''\
#!/usr/bin/env python3
"""Wide: 中文字符, 한국어; accents: é à ñ; marks: e\u0301 a\u0308; emoji: 🙂 ⌚ 👍."""
import os

TABLE = {"a": 1, "b": [2.5, None], "long": "x" * 100}  # a comment that is longer than a line of it


class Example(dict):
\tdef method(self, argument: int = 0) -> str:
\t\tfor name, value in sorted(self.items()):
\t\t\tprint(f"{name!r:>20} {value}", "tab\\there", end="")
\t\treturn os.sep.join(map(str, range(argument)))
'''

BOLD = "".join(f"{c}\b{c}" for c in "SECTION") + "\n" + "".join(f"_\b{c}" for c in "under") + "\n"

# Each: the command, then what is typed and the seconds to wait after it. "" types nothing.
SESSIONS: dict[str, tuple[str, list[tuple[str, float]]]] = {
    "vim": (
        "vim -u NONE -N --cmd 'syntax on | set number hlsearch ruler showcmd' example.py",
        [
            ("", 0.8),
            ("/name\r", 0.3),
            (":split\r", 0.3),
            ("Goé 中文 🙂 new\x1b", 0.3),
            (":set list wrap\r\x06", 0.3),
            (":vsplit\r5\x05", 0.3),
            (":qa!\r", 0.4),
        ],
    ),
    "htop": (
        "unshare --pid --fork --mount-proc htop -d 5",
        [("", 1.2), ("t", 0.6), ("\x1b[15~", 0.6), ("/slee", 0.6), ("\x1b", 0.8), ("q", 0.4)],
    ),
    "less": (
        "less -R page",
        [("", 0.4), (" ", 0.2), ("/line 6\r", 0.2), ("n", 0.2), ("b", 0.2), ("G", 0.2), ("q", 0.2)],
    ),
    "apt": (
        (
            "dpkg --purge hello > /dev/null 2>&1; sleep .2; "
            "apt-get -y --no-download -o Dpkg::Progress-Fancy=1 -o APT::Color=1 install hello"
        ),
        [*[("", 0.25)] * 24, ("", 2.0)],
    ),
    "dialog": (
        (
            "dialog --title Title --checklist 'Choose é 中' 15 50 5 a one on b two off; "
            "for i in 10 55 100; do echo $i; sleep .2; done | dialog --gauge Progress 8 40"
        ),
        [("", 0.5), (" \x1b[B ", 0.3), ("\t", 0.3), ("\r", 1.0)],
    ),
    "whiptail": (
        (
            "whiptail --title Title --menu Choose 15 50 5 a one b two c three; "
            "whiptail --inputbox Name 10 40 text"
        ),
        [("", 0.5), ("\x1b[B\x1b[B", 0.3), ("\r", 0.5), ("more", 0.3), ("\t\t\r", 0.3)],
    ),
    "alternate": (
        "echo before; vim -u NONE -N example.py; echo between; less page; echo after",
        [("", 0.8), (":q\r", 0.6), ("G", 0.3), ("q", 0.4)],
    ),
    "python": (
        "python3 -q",
        [
            ("", 0.6),
            ("for i in range(23): print(i, '\\x1b[%dm' % (i + 30), 'é中🙂', '\\x1b[m')\r\r", 0.5),
            ("print('\\x1b[38;5;200mpalette\\x1b[48;2;10;80;120mdirect\\x1b[m', 'x' * 90)\r", 0.3),
            ("'unfinished\x01\x05\x17", 0.3),
            ("\x03", 0.3),
            ("exit()\r", 0.3),
        ],
    ),
    "bash": (
        "bash --norc --noprofile",
        [
            ("", 0.4),
            ("ls --color=always -la /usr | head -30\r", 0.4),
            ("printf '\\e[1mbold\\e[m \\e[4munder\\e[m \\e[7mreverse\\e[m\\n'\r", 0.3),
            ("echo " + "long " * 30 + "\x01\x1b[C\x1b[C\x1b[3~\x05 end\x12echo\x07", 0.4),
            ("\x03clear\r", 0.3),
            ("printf '\\e(0lqqk\\e(B \\tTab\\e[5b\\n'; tput smcup; echo alternate\r", 0.3),
            ("tput rmcup; exit\r", 0.4),
        ],
    ),
}


def record(command: str, steps: list[tuple[str, float]], folder: Path) -> tuple[bytes, list[int]]:
    """Run a command in a terminal; return what it wrote, and how much of it after each step."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        "PS1": "$ ",
        "DEBIAN_FRONTEND": "noninteractive",
    }
    process = subprocess.Popen(
        ["setsid", "--ctty", "--", "sh", "-c", command],
        stdin=slave, stdout=slave, stderr=slave, cwd=folder, env=environment,
    )  # fmt: skip
    os.close(slave)
    data = b""
    moments = []
    for keys, seconds in steps:
        os.write(master, keys.encode())
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if select.select([master], [], [], left)[0]:
                try:
                    data += os.read(master, 65536)
                except OSError:
                    break
        moments.append(len(data))
    process.kill()
    process.wait()
    os.close(master)
    return data, moments


def shown_by_tmux(data: bytes, folder: Path) -> list[str]:
    """Return the screen that tmux has after these bytes, each row with its SGR sequences."""
    (folder / "bytes").write_bytes(data)
    # A server of its own each time: one that goes away is still found for a moment.
    tmux = ["tmux", "-L", f"record-{time.monotonic_ns()}", "-f", "/dev/null"]
    show = "stty raw -echo; cat bytes; printf '\\e]2;done\\a'; sleep 60"
    subprocess.run(
        [*tmux, "new-session", "-d", "-x", str(COLUMNS), "-y", str(ROWS), show,
         ";", "set", "-g", "status", "off", ";", "resize-window", "-x", "80", "-y", "24"],
        check=True, cwd=folder, env={**os.environ, "LANG": "C.UTF-8"},
    )  # fmt: skip
    try:
        for _ in range(100):
            title = subprocess.run(
                [*tmux, "display-message", "-p", "#{pane_title}"], capture_output=True, check=True
            ).stdout
            if title == b"done\n":
                break
            time.sleep(0.05)
        screen = subprocess.run(
            [*tmux, "capture-pane", "-p", "-e", "-N"], capture_output=True, check=True, text=True
        ).stdout
        return screen.split("\n")[:ROWS]
    finally:
        subprocess.run([*tmux, "kill-server"], check=True)


def main(names: list[str]) -> None:
    """Record these sessions, all where none is named."""
    for name in names or list(SESSIONS):
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            (folder / "example.py").write_text(SOURCE)
            lines = "".join(f"line {i} \x1b[3{i % 8}mcolour\x1b[m é 中 🙂\n" for i in range(100))
            (folder / "page").write_text(BOLD + lines)
            data, moments = record(*SESSIONS[name], folder)
            screens = [
                {"bytes": moment, "rows": shown_by_tmux(data[:moment], folder)}
                for moment in sorted(set(moments))
            ]
        (HERE / f"{name}.raw").write_bytes(data)
        text = json.dumps(screens, indent=0, ensure_ascii=True)
        (HERE / f"{name}.json").write_text(text + "\n")
        print(name, len(data), moments)  # noqa: T201 (a script)


if __name__ == "__main__":
    main(sys.argv[1:])
