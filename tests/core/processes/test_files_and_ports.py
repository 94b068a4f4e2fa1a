"""What processes have open, and where they listen: of real processes on real sockets."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chroot_tool.core.errors import ChrootError
from chroot_tool.core.kernel.inet_sockets import InetSocket, address_of, inet_sockets
from chroot_tool.core.kernel.process_files import command
from chroot_tool.core.process import OpenFile
from chroot_tool.core.processes import files_and_ports as module
from chroot_tool.core.processes.files_and_ports import all_open_files, listeners, open_files
from support import wait_until

OPENS = """
import os, socket, sys
os.chdir(sys.argv[1])
kept = open("log\\x1b[31m\\nfake", "w")
gone = open("gone", "w"); os.unlink("gone")
tcp = socket.create_server(("127.0.0.1", 0))
six = socket.create_server(("::1", 0), family=socket.AF_INET6) if socket.has_ipv6 else tcp
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); udp.bind(("127.0.0.1", 0))
unix = socket.socket(socket.AF_UNIX); unix.bind("sock"); unix.listen()
peer = socket.create_connection(tcp.getsockname())
pair = os.pipe()
print(tcp.getsockname()[1], six.getsockname()[1], udp.getsockname()[1], flush=True)
sys.stdin.read()
"""


@pytest.fixture
def program(tmp_path: Path) -> Iterator[tuple[int, list[int]]]:
    """A process that has all kinds of things open, and its ports."""
    with subprocess.Popen(
        [sys.executable, "-c", OPENS, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stdin is not None
        yield child.pid, [int(port) for port in child.stdout.readline().split()]
        child.stdin.close()


def of(found: tuple[OpenFile, ...], kind: str) -> list[str]:
    return [one.what for one in found if one.kind == kind]


def test_every_kind_is_told_by_its_name(program: tuple[int, list[int]], tmp_path: Path) -> None:
    pid, (tcp, _, udp) = program
    found = open_files(pid, str(tmp_path))
    assert found[0] == OpenFile(pid, "cwd", "file", "/")
    names = {one.name: one for one in found}
    assert names["exe"].what == os.readlink(f"/proc/{pid}/exe")
    assert "/log\x1b[31m\nfake" in of(found, "file")
    assert "/gone (deleted)" in of(found, "file")
    assert f"127.0.0.1:{tcp} listening" in of(found, "tcp")
    assert any(f" → 127.0.0.1:{tcp} connected" in what for what in of(found, "tcp"))
    assert f"127.0.0.1:{udp} listening" in of(found, "udp")
    assert len(of(found, "pipe")) >= 3
    assert {one.pid for one in found} == {pid}


def test_where_a_process_listens(program: tuple[int, list[int]]) -> None:
    pid, (tcp, six, udp) = program
    found = listeners([pid])
    addresses = {(one.protocol, one.address) for one in found}
    assert addresses >= {("tcp", f"127.0.0.1:{tcp}"), ("udp", f"127.0.0.1:{udp}")}
    assert six == tcp or ("tcp", f"[::1]:{six}") in addresses
    assert {one.pid for one in found} == {pid}
    assert all(one.command.startswith(sys.executable) for one in found)
    assert not any("→" in one.address for one in found)


def test_a_socket_that_several_have_is_told_once(program: tuple[int, list[int]]) -> None:
    pid, _ = program
    assert listeners([pid, pid]) == listeners([pid])


def test_who_ends_while_it_is_looked_at_hides_no_other(
    program: tuple[int, list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with subprocess.Popen(["sleep", "1000"]) as first:

        def read(pid: int) -> dict[int, InetSocket]:
            if pid == first.pid:
                first.kill()
                first.wait()
            return inet_sockets(pid)

        monkeypatch.setattr(module, "inet_sockets", read)
        assert listeners([first.pid, program[0]]) == listeners([program[0]]) != ()


def test_shared_memory_is_no_device() -> None:
    assert module._file("/srv/x/dev/shm/of it", "/srv/x") == ("file", "/dev/shm/of it")
    assert module._file("/srv/x/dev/null", "/srv/x") == ("device", "/dev/null")


def test_who_is_gone_is_an_error_of_one_and_left_out_of_many() -> None:
    child = subprocess.Popen(["true"])
    child.wait()
    with pytest.raises(ChrootError, match="has ended"):
        open_files(child.pid, "/")
    assert listeners([child.pid]) == ()


def test_no_file_is_looked_at(
    program: tuple[int, list[int]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One on a server that does not answer would hold up whoever asks for more than its name."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a file was looked at")

    for name in ("stat", "lstat", "open", "access"):
        monkeypatch.setattr(os, name, refuse)
    assert len(open_files(program[0], str(tmp_path))) > 10


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("0100007F:0016", "127.0.0.1:22"),
        ("00000000:1F90", "0.0.0.0:8080"),
        ("00000000000000000000000000000000:0050", "[::]:80"),
        ("00000000000000000000000001000000:0050", "[::1]:80"),
    ],
)
@pytest.mark.skipif(sys.byteorder != "little", reason="as a little machine writes them")
def test_addresses_as_the_kernel_writes_them(text: str, address: str) -> None:
    assert address_of(text) == address


def test_sockets_of_nobody() -> None:
    assert inet_sockets(2**22 + 1) == {}
    with socket.create_server(("127.0.0.1", 0)) as server:
        inode = os.fstat(server.fileno()).st_ino
        assert inet_sockets(os.getpid())[inode].state == "listening"


def test_what_is_not_told_is_said(
    program: tuple[int, list[int]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid, root = program[0], str(tmp_path)
    every = open_files(pid, root)
    assert all_open_files([pid], root) == every
    with monkeypatch.context() as few:
        few.setattr(module, "_MOST", 4)
        *told, last = open_files(pid, root)
        assert tuple(told) == every[: len(told)]
        assert [one.name for one in told[-4:]] == ["0", "1", "2", "3"]
        assert (last.pid, last.name, last.kind) == (pid, "…", "other")
    for most, value in (("_MOST_OF_ALL", 9), ("_MOST_TEXT", sum(len(o.what) for o in every[:9]))):
        with monkeypatch.context() as few:
            few.setattr(module, most, value)
            *told, last = all_open_files([pid, pid], root)
            assert tuple(told) == every[:9]
            assert (last.name, last.what) == ("…", "there is more: 9 are told")


def test_of_many_a_network_namespace_is_read_once(
    program: tuple[int, list[int]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def read(pid: int) -> dict[int, InetSocket]:
        asked.append(pid)
        return inet_sockets(pid)

    monkeypatch.setattr(module, "inet_sockets", read)
    gone = subprocess.Popen(["true"])
    gone.wait()
    pid = program[0]
    found = all_open_files([gone.pid, pid, pid], str(tmp_path))
    assert found == open_files(pid, str(tmp_path)) * 2
    assert asked == [pid, pid]  # once for both, once for the one above


def test_a_command_line_is_told_as_far_as_one_reads(tmp_path: Path) -> None:
    words = ["sleep", "1000", *["0" * 5000] * 3]
    with subprocess.Popen(words) as child:
        try:
            wait_until(lambda: command(child.pid).startswith("sleep"))
            assert command(child.pid) == " ".join(words)[:1024]
        finally:
            child.kill()
