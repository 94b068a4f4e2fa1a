"""Users of a test's own, in its mount namespace: as real as others for sshd, PAM and sudo."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_FILES = {
    "passwd": "{name}:x:{number}:{number}:{name}:{home}:/bin/sh\n",
    "group": "{name}:x:{number}:\n",
    "shadow": "{name}:*:20000:0:99999:7:::\n",
    "gshadow": "{name}:!::\n",
}
"""A line of each for one who can't log in by a password: passwd(5), group(5), shadow(5)."""
FIRST = 47110


@contextmanager
def users(folder: Path, *names: str) -> Iterator[Path]:
    """Have users of these *names*; gives the folder of their sudo rules, empty at first.

    What is changed lies in *folder* and is bound over that of the host, here alone.
    """
    folder.mkdir()
    rules = folder / "sudoers.d"
    rules.mkdir(mode=0o755)
    over = {Path("/etc/sudoers.d"): rules}
    for file, line in _FILES.items():
        over[Path("/etc", file)] = folder / file
        shutil.copy2(Path("/etc", file), folder / file)
        with (folder / file).open("a") as more:
            for number, name in enumerate(names, FIRST):
                home = folder / "home" / name
                more.write(line.format(name=name, number=number, home=home))
    over[Path("/etc/hosts")] = folder / "hosts"  # sudo has a word to say where its host is unknown
    (folder / "hosts").write_text(f"127.0.0.1 localhost\n127.0.1.1 {socket.gethostname()}\n")
    for number, name in enumerate(names, FIRST):
        home = folder / "home" / name
        home.mkdir(parents=True)
        shutil.chown(home, number, number)
    bound: list[Path] = []
    try:
        for place, source in over.items():
            subprocess.run(["mount", "--bind", source, place], check=True)
            bound.append(place)
        yield rules
    finally:
        for place in reversed(bound):
            subprocess.run(["umount", "--lazy", place], check=True)
