"""chroot-tool put on another machine, by the ssh that reaches it, and taken away again.

What goes there is this program without its terminal UI's libraries, with tomlkit, and with psutil:
that is compiled, but for every Python of a kind of machine; on another kind the one of its Debian
serves. There it is unpacked and tried before it is put in place (put_there.py).
"""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import io
import os
import selectors
import subprocess
import tarfile
import tempfile
import time
from typing import TYPE_CHECKING

from .. import json_values
from ..errors import ChrootError
from . import put_there

if TYPE_CHECKING:
    from .ssh import Host

_PACKAGE = __name__.partition(".")[0]
_SITE = ("tomlkit", "psutil")
_LONGEST = 1800.0
"""Seconds: a password may be asked for, and the archive is 2 MB on a link that may be slow."""
_MOST = 1 << 20
"""Bytes of its answer, which is a line after what a shell's start files may print."""
_LAST_WORDS = 4096
# The package as it starts itself; what it is made of is its own affair.
_START = f"""\
import runpy, sys
sys.dont_write_bytecode = True
here = __file__.rpartition("/")[0]
sys.path[:0] = [here, here + "/site"]
runpy.run_module({_PACKAGE!r}, run_name="__main__")
"""
# $1: auto, system or user; $2: the Python source; then what that takes after the place, but for the
# last two: by sudo they would be others.
_SCRIPT = """
command -v python3 >/dev/null || { echo "there is no python3: apt install python3" >&2; exit 1; }
place=$1 source=$2; shift 2; what=$1; shift
set -- "$@" "$PATH" "$HOME"
if [ "$(id -u)" = 0 ]; then
    [ "$place" = user ] || place=system
    exec python3 -I -c "$source" "$what" "$place" "$@"
fi
if [ "$place" = system ] || { [ "$place" = auto ] && sudo -n true 2>/dev/null; }; then
    exec sudo -n -- python3 -I -c "$source" "$what" system "$@"
fi
exec python3 -I -c "$source" "$what" user "$@"
"""


def archive() -> bytes:
    """Return this program as a compressed tar, the same for the same files."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        _add(tar, "start.py", _START.encode())
        for name, top in [(_PACKAGE, _where(_PACKAGE)), *((f"site/{n}", _where(n)) for n in _SITE)]:
            for folder, folders, files in os.walk(top, followlinks=True):
                folders[:] = sorted(one for one in folders if one not in ("__pycache__", "tests"))
                for file in sorted(files):
                    if not file.endswith(".pyc"):
                        with open(f"{folder}/{file}", "rb") as content:
                            inside = f"{name}{folder.removeprefix(top)}/{file}"
                            _add(tar, inside, content.read())
    return gzip.compress(data.getvalue(), 6, mtime=0)


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(content), 0o644
    tar.addfile(info, io.BytesIO(content))


def _where(package: str) -> str:
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise ChrootError(f"{package} can't be found, which goes there too")
    return found.submodule_search_locations[0]


def put(
    host: Host, version: str, *, place: str = "auto", force: bool = False
) -> tuple[str, bool, str]:
    """Put this program on *host*; return its path there, and whether it was not there before.

    And the path of another, which is started there in its place, "" for none. *place*: `system`,
    `user`, or `auto`, which is the first where the user may. *force*: over a newer one, too. Raises
    ChrootError; what was there is as before then.
    """
    data = archive()
    digest = hashlib.sha256(data).hexdigest()
    words = ("put", version, digest, "force" if force else "")
    return _there(host, place, words, data)


def remove(host: Host, *, place: str = "auto") -> tuple[str, bool]:
    """Take away what `put` has put on *host*; return the path where it was, and whether it was.

    Raises ChrootError.
    """
    path, changed, _ = _there(host, place, ("remove", "", "", ""), b"")
    return path, changed


def _there(host: Host, place: str, words: tuple[str, ...], data: bytes) -> tuple[str, bool, str]:
    with open(put_there.__file__, encoding="utf-8") as file:
        source = file.read()
    argv = host.ssh(script=_SCRIPT, words=(place, source, *words))
    told, errors = _said(host, argv, data)
    try:
        found = json_values.document(told.splitlines()[-1] if told else b"")
        if "error" in found:
            hint = json_values.text(found, "hint", "")
            raise ChrootError(f"{host.name}: {json_values.text(found, 'error')}", hint)
        path, other = json_values.text(found, "path"), json_values.text(found, "other", "")
        return path, found.get("changed") is not False, other
    except ValueError:
        said = errors.decode("utf-8", "replace").strip().rpartition("\n")[2]
        why = f"{host.name}: {said or 'it ended without a word'}"
        raise ChrootError(why, f"ssh {host.name} true") from None


def _said(host: Host, argv: tuple[str, ...], data: bytes) -> tuple[bytes, bytes]:
    """Run *argv* with *data* as its stdin; return its stdout, and the end of its stderr.

    ssh may ask on the terminal meanwhile. Raises ChrootError where there is no end of it.
    """
    with tempfile.TemporaryFile() as given:
        given.write(data)
        given.seek(0)
        try:
            program = subprocess.Popen(
                argv, stdin=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
        except OSError as error:
            raise ChrootError(f"cannot start {argv[0]}: {error.strerror}") from error
    with program:
        try:
            return _read(program, host.name)
        finally:
            program.kill()  # of no effect on one that has ended


def _read(program: subprocess.Popen[bytes], name: str) -> tuple[bytes, bytes]:
    until = time.monotonic() + _LONGEST
    assert program.stdout
    assert program.stderr
    said = {program.stdout.fileno(): bytearray(), program.stderr.fileno(): bytearray()}
    told, errors = said.values()
    with selectors.DefaultSelector() as waiting:
        for fd in said:
            waiting.register(fd, selectors.EVENT_READ)
        while waiting.get_map():
            left = until - time.monotonic()
            for key, _ in waiting.select(max(left, 0)):
                piece = os.read(key.fd, 1 << 16)
                said[key.fd] += piece
                if not piece:
                    waiting.unregister(key.fd)
            del errors[:-_LAST_WORDS]
            if len(told) > _MOST:
                raise ChrootError(f"{name}: there is no end of what it says", f"ssh {name} true")
            if left <= 0:
                raise ChrootError(f"{name}: it took too long", f"ssh {name} true")
    try:
        program.wait(max(until - time.monotonic(), 1))
    except subprocess.TimeoutExpired:
        raise ChrootError(f"{name}: it took too long", f"ssh {name} true") from None
    return bytes(told), bytes(errors)
