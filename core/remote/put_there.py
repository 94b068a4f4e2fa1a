"""Puts an archive of chroot-tool on a machine, or takes it away: what `deploy` has run there.

Its source is sent, for a Python that may be any: it stands alone, and imports nothing of ours. It
prints a JSON object, with `path` and `changed`, or with `error` and `hint`. What it makes, and
nothing else it takes away: LIB/VERSION-DIGEST directories, and the program BIN/chroot-tool, which
names one of them and is put in place by rename. Who runs the one before goes on with that: it stays
until the next.
"""

import fcntl
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile

MARK = "# put here by chroot-tool deploy"
OURS = re.compile(r"[0-9][0-9A-Za-z.+-]*-[0-9a-f]{12}")
HALF = re.compile(rf"\.{OURS.pattern}\.(part|old)")
OLDEST = (3, 11)


class RefusedError(Exception):
    """What is to be told, and a hint."""


def main(
    what: str, place: str, version: str, digest: str, force: str, path: str = "", login: str = ""
) -> None:  # fmt: skip
    """Do *what*, `put` or `remove`, for `system` or `user`; stdin is the archive.

    *path* and *login* are PATH and home of who logs in, who may have another one found first.
    """
    home = os.path.expanduser("~/.local")
    top = "/usr/local" if place == "system" else home
    lib, program = top + "/lib/chroot-tool", top + "/bin/chroot-tool"
    if place != "system":
        lib = home + "/share/chroot-tool"
    else:
        os.umask(0o022)  # it is for everybody, whatever root or who calls sudo keeps to themselves
    try:
        if what == "put":
            changed = put(lib, program, version, digest, force == "force")
        else:
            changed = remove(lib, program)
        first = found(path, login) if what == "put" and login else ""
        other = first if first and not os.path.samefile(first, program) else ""
        tell({"path": program, "changed": changed, "other": other})
    except RefusedError as error:
        tell({"error": error.args[0], "hint": error.args[1]})
    except (OSError, tarfile.TarError, subprocess.SubprocessError) as error:
        tell({"error": str(error), "hint": ""})


def tell(document: "dict[str, object]") -> None:
    """Print the one line of the answer."""
    sys.stdout.write(json.dumps(document) + "\n")


def found(path: str, login: str) -> str:
    """Return the one that is started by who comes from elsewhere (ssh.py), "" for none."""
    places = [*path.split(":"), login + "/.local/bin", "/usr/local/bin"]
    programs = [place + "/chroot-tool" for place in places if place]
    return next((one for one in programs if os.path.isfile(one) and os.access(one, os.X_OK)), "")


def put(lib: str, program: str, version: str, digest: str, force: bool) -> bool:
    """Unpack, try, and put in place; tell whether another was there, or none."""
    if sys.version_info < OLDEST:
        found = ".".join(map(str, sys.version_info[:2]))
        raise RefusedError(f"its Python is {found}, and 3.11 is needed", "a Debian 12 has it")
    data = sys.stdin.buffer.read()
    if hashlib.sha256(data).hexdigest() != digest:
        raise RefusedError("what came is not what was sent", "try it again")
    before = ours(program)
    if before == "?":
        raise RefusedError(program + " is there, and not by deploy", "take it away first")
    if before and numbers(before) > numbers(version) and not force:
        raise RefusedError(f"{program} is {before}, which is newer", "--force puts it back")
    name = f"{version}-{digest[:12]}"
    place, part, old = lib + "/" + name, lib + "/." + name + ".part", lib + "/." + name + ".old"
    for directory in (lib, os.path.dirname(program)):
        os.makedirs(directory, mode=0o755, exist_ok=True)
    alone = os.open(lib, os.O_RDONLY | os.O_DIRECTORY)  # until this process ends
    fcntl.flock(alone, fcntl.LOCK_EX)
    for one in os.listdir(lib):
        if HALF.fullmatch(one):  # of one that was killed
            shutil.rmtree(lib + "/" + one, ignore_errors=True)
    os.mkdir(part, 0o755)
    try:
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            tar.extractall(part)
        tried(part)
        if os.path.lexists(place):  # it may run: at no time it is there by half
            os.rename(place, old)
        os.rename(part, place)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    last = named(program)
    new = program + ".new"
    with open(new, "w", encoding="utf-8") as file:
        file.write(f'#!/bin/sh\n{MARK}\nexec {sys.executable} -I "{place}/start.py" "$@"\n')
        os.fchmod(file.fileno(), 0o755)
        os.fsync(file.fileno())
    os.rename(new, program)
    for one in os.listdir(lib):
        if OURS.fullmatch(one) and one not in (name, last):
            shutil.rmtree(lib + "/" + one)
    return last != name


def tried(place: str) -> None:
    """Start what was unpacked. Where psutil is of another machine's kind, the one here serves."""
    script = f"import sys; sys.path[:0] = [{place + '/site'!r}]; import psutil"
    if subprocess.call([sys.executable, "-I", "-c", script], stderr=subprocess.DEVNULL):
        shutil.rmtree(place + "/site/psutil")
        if subprocess.call([sys.executable, "-I", "-c", script], stderr=subprocess.DEVNULL):
            raise RefusedError(
                "psutil is missing there, and the one here is of another kind of machine",
                "there: apt install python3-psutil",
            )
    command = [sys.executable, "-I", place + "/start.py", "--version"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise RefusedError(f"it does not start there: {done.stdout[-200:]!r}", "")


def remove(lib: str, program: str) -> bool:
    """Take away what `put` has put there; tell whether there was something."""
    is_there = ours(program) not in ("", "?")
    if is_there:
        os.unlink(program)
    if os.path.isdir(lib):
        for one in os.listdir(lib):
            if OURS.fullmatch(one) or HALF.fullmatch(one):
                shutil.rmtree(lib + "/" + one)
        if not os.listdir(lib):
            os.rmdir(lib)
    return is_there


def named(program: str) -> str:
    """Return the directory that the program names; "" where it is none of ours."""
    try:
        with open(program, encoding="utf-8", errors="replace") as file:
            text = file.read(4096)
    except OSError:
        return ""
    found = re.search(r"/([^/]+)/start.py", text) if MARK in text else None
    return found.group(1) if found else ""


def ours(program: str) -> str:
    """Return the version that `put` has put there, "" for nothing, "?" for what is not ours."""
    if not os.path.lexists(program):
        return ""
    return named(program).rpartition("-")[0] or "?"


def numbers(version: str) -> "list[int]":
    """Return a version as what can be compared."""
    return [int(one) for one in re.findall("[0-9]+", version)]


if __name__ == "__main__":
    main(*sys.argv[1:])
