"""Measures the engine and the command line against what people use instead: mount, schroot, …"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from chroot_tool.core.local_engine import LocalEngine
from chroot_tool.core.looking.status import ON
from support import CHECKOUT

from .chroots import TOOL, Command, chroots, environment, medians, peak_memory
from .rows import Row

_MANY, _PROCESSES, _INSIDE = 200, 1000, 100
_POINTS = """
case $1 in
on)
    mount --bind --make-private /proc "$2/proc"
    mount --bind --make-private /sys "$2/sys"
    mount -t tmpfs --make-private -o nosuid,mode=0755 tmpfs "$2/dev"
    mknod -m 666 "$2/dev/null" c 1 3
    mknod -m 666 "$2/dev/zero" c 1 5
    mknod -m 666 "$2/dev/full" c 1 7
    mknod -m 666 "$2/dev/random" c 1 8
    mknod -m 666 "$2/dev/urandom" c 1 9
    mknod -m 666 "$2/dev/tty" c 5 0
    mknod -m 600 "$2/dev/console" c 5 1
    ln -s pts/ptmx "$2/dev/ptmx"
    ln -s /proc/self/fd "$2/dev/fd"
    ln -s fd/0 "$2/dev/stdin"
    ln -s fd/1 "$2/dev/stdout"
    ln -s fd/2 "$2/dev/stderr"
    mkdir "$2/dev/pts" "$2/dev/shm"
    options=nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5
    mount -t devpts --make-private -o $options devpts "$2/dev/pts"
    mount -t tmpfs --make-private -o nosuid,nodev,mode=1777 tmpfs "$2/dev/shm"
    mount -t tmpfs --make-private -o nosuid,nodev,noexec,mode=0755 tmpfs "$2/run"
    mount -t tmpfs --make-private -o nosuid,nodev,mode=1777 tmpfs "$2/tmp"
    if [ -d /run/systemd/journal ]; then
        mkdir -p "$2/run/systemd/journal"
        mount --bind --make-private /run/systemd/journal "$2/run/systemd/journal"
    fi
    [ -e "$2/etc/resolv.conf" ] || : >"$2/etc/resolv.conf"
    mount --bind --make-private "$(readlink -f /etc/resolv.conf)" "$2/etc/resolv.conf"
    mount -o remount,bind,ro "$2/etc/resolv.conf"
    ;;
off)
    [ ! -d /run/systemd/journal ] || umount "$2/run/systemd/journal"
    umount "$2/etc/resolv.conf" "$2/tmp" "$2/run" "$2/dev/shm" "$2/dev/pts" "$2/dev" "$2/sys" \\
        "$2/proc"
    ;;
esac
"""
"""The system points, as well as a shell can do them: no loops, one umount for all."""


def run() -> list[Row]:
    """Measure everything; return the figures. Raises SystemExit without root."""
    if os.geteuid():
        raise SystemExit("the engine is measured as root: sudo ./dev bench")
    rows: list[Row] = []
    with chroots(3) as base:
        rows += _on_and_off(base)
        rows += _run(base)
    with chroots(_MANY) as base, _processes(base):
        rows += _many(base)
    return rows


def _on_and_off(base: Path) -> Iterator[Row]:
    engine, path = LocalEngine(str(base)), str(base / "c0")
    script = base / "points"
    script.write_text(f"set -e\n{_POINTS}")
    env = environment(base)
    points = {word: Command(["sh", script, word, path], env) for word in ("on", "off")}
    points["on"]()
    state = engine.status(path).state
    if state != ON:
        raise RuntimeError(f"the script does not do what `on` does: {state}")
    points["off"]()

    def engine_on_off() -> None:
        engine.on(path)
        engine.off(path, stop=False)

    def script_on_off() -> None:
        points["on"]()
        points["off"]()

    def command_on_off() -> None:
        for words in (("on",), ("off", "-S")):
            Command([*TOOL, *words, "-d", path], env)()

    ours, command, shell = medians(30, engine_on_off, command_on_off, script_on_off)
    yield Row("on + off, the engine", ours, "ms", other=shell, beside="shell script", faster=15)
    yield Row("on + off, two commands", command, "ms", other=shell, beside="shell script")


def _run(base: Path) -> Iterator[Row]:
    env = environment(base)
    path = base / "c0"
    LocalEngine(str(base)).on(str(path))
    tool = Command([*TOOL, "run", "-d", path, "/bin/true"], env)
    script = Command([CHECKOUT / "chroot-tool.sh", "run", "-d", path, "/bin/true"], env)
    python = Command([sys.executable, "-c", "pass"], env)
    arch = Command(["arch-chroot", base / "c1", "/bin/true"], env)
    wheel, package = (
        Command([one, "run", "-d", path, "/bin/true"], env) for one in _installed(base)
    )
    with _schroot(base / "c2", env) as schroot:
        calls: tuple[Callable[[], None], ...] = (
            tool, script, wheel, package, python, arch, schroot,
        )  # fmt: skip
        ours, whole, by_wheel, by_package, bare, other, slow = medians(40, *calls)
    name = "run /bin/true, chroot is on"
    yield Row(name, ours, "ms", other=bare, beside="python -c pass", times=3)
    yield Row(name, ours, "ms", other=slow, beside="schroot", faster=5)
    yield Row(name, ours, "ms", other=other, beside="arch-chroot")
    yield Row("chroot-tool.sh, beyond the tool itself", whole - ours, "ms", 20)
    for way, value in (("wheel", by_wheel), ("Debian package", by_package)):
        name = f"the same by the command of the {way}"
        yield Row(name, value, "ms", other=whole, beside="chroot-tool.sh", times=1.1)


def _installed(base: Path) -> tuple[Path, Path]:
    """Install the wheel; return its command, and that of the Debian package, led to its files."""
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir"]
    subprocess.run([*build, base, CHECKOUT], check=True, capture_output=True)
    [made] = base.glob("*.whl")
    subprocess.run(["/usr/bin/python3", "-I", "-m", "venv", base / "venv"], check=True)
    pip = ["-I", "-m", "pip", "-qq", "install", "--no-deps"]
    subprocess.run([base / "venv/bin/python", *pip, made], check=True)
    [site] = base.glob("venv/lib/python*/site-packages")
    package = base / "packaged"
    text = (CHECKOUT / "debian/bin/chroot-tool").read_text()
    package.write_text(text.replace("/usr/lib/chroot-tool", str(site)))
    package.chmod(0o755)
    return base / "venv/bin/chroot-tool", package


@contextmanager
def _schroot(path: Path, env: dict[str, str]) -> Iterator[Command]:
    """Give schroot's command for the chroot at *path*, known to it while this lasts."""
    config = "/etc/schroot/chroot.d"
    name = "chroot-tool-bench"
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", config], check=True)
    try:
        # The profile with the fewest mounts.
        Path(config, name).write_text(
            f"[{name}]\ntype=directory\ndirectory={path}\nusers=root\nprofile=minimal\n"
        )
        yield Command(["schroot", "-c", name, "--directory", "/", "--", "/bin/true"], env)
    finally:
        subprocess.run(["umount", config], check=True)


@contextmanager
def _processes(base: Path) -> Iterator[None]:
    """Have processes on the host that sleep, some of them inside the chroots."""
    script = 'n=0; while [ $n -lt "$1" ]; do sleep 9999 & n=$((n+1)); done; wait'
    outside = [["sh", "-c", script, "sh", str(_PROCESSES - _INSIDE)]]
    inside = [["chroot", str(base / f"c{n}"), "/bin/sleep", "9999"] for n in range(_INSIDE)]
    started = [subprocess.Popen(argv, start_new_session=True) for argv in outside + inside]
    try:
        yield
    finally:
        for process in started:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _many(base: Path) -> Iterator[Row]:
    engine, env = LocalEngine(str(base)), environment(base)
    shared = base / "shared"
    shared.mkdir()
    for number in range(_MANY):
        path = base / f"c{number}"
        (path / "chroot.d/tool.conf").write_text(
            f"[bind]\ntgt:/data src:{shared}\ntgt:/data-ro src:{shared} fs:bind-ro\n"
        )
        engine.on(str(path))
    command = [*TOOL, "list", "--json", "--base", str(base)]
    listed = Command(command, env)
    findmnt = Command(["findmnt", "--json"], env)

    def status() -> None:
        engine.list()

    in_process, whole, other = medians(10, status, listed, findmnt)
    mounts = sum(one.mounted for one in engine.list())
    name = f"status of {_MANY} chroots, {mounts} mounts, {_PROCESSES} processes"
    yield Row(f"{name}, list --json", whole, "ms", other=other, beside="findmnt --json", times=3)
    yield Row(f"{name}, the engine", in_process, "ms", other=other, beside="findmnt --json")
    yield Row("memory of that list", peak_memory(command, env), "MB", 40)
