from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from chroot_tool.core.diagnosis import network
from chroot_tool.core.diagnosis.finding import NOTE, OK, PROBLEM, WARNING
from chroot_tool.core.diagnosis.subject import Subject
from chroot_tool.core.host.apt_proxy import Proxies
from support import PATIENCE, Cli
from support.doctor import bare_root, of, worst


@contextmanager
def server(address: str = "127.0.0.1") -> Iterator[int]:
    """A name server that answers every question with its own words; gives its port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        asked.bind((address, 0))

        def answer() -> None:
            while True:
                question, peer = asked.recvfrom(4096)
                if question == b"end":
                    return
                asked.sendto(question, peer)

        thread = threading.Thread(target=answer)
        thread.start()
        try:
            yield asked.getsockname()[1]
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ending:
                ending.sendto(b"end", asked.getsockname())
            thread.join()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A chroot whose own resolv.conf counts."""
    root = bare_root(tmp_path)
    (root / "chroot.d/chroot.toml").write_text('[system]\nresolv = "off"\n')
    return root


def direct(root: Path) -> Subject:
    found = of(root)
    found._proxies = Proxies(wanted="none")
    return found


def test_a_server_that_answers(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "_SECONDS", PATIENCE)
    (root / "etc/resolv.conf").write_text("search x\nnameserver 127.0.0.1\n")
    with server() as port:
        found = worst(network.dns(direct(root), port))
    assert (found.severity, found.found) == (OK, "127.0.0.1 answers")


def test_of_two_one_does_not_answer(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "_SECONDS", PATIENCE)  # the other is refused at once
    (root / "etc/resolv.conf").write_text("nameserver 127.0.0.1\nnameserver 127.0.0.2\n")
    with server() as port:
        found = worst(network.dns(direct(root), port))
    assert (found.severity, found.found) == (WARNING, "127.0.0.2 does not answer")


def test_none_answers(root: Path) -> None:
    (root / "etc/resolv.conf").write_text("nameserver 127.0.0.1\n")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.connect(taken.getsockname())  # hears itself alone: everybody else is refused
        port = taken.getsockname()[1]
        assert worst(network.dns(direct(root), port)).severity == PROBLEM
        behind = of(root)
        behind._proxies = Proxies(wanted="http://proxy.example:3142")
        assert worst(network.dns(behind, port)).severity == NOTE


@pytest.mark.parametrize("text", ["", "# nothing\n", "search example\n"])
def test_no_server_is_named(root: Path, text: str) -> None:
    (root / "etc/resolv.conf").write_text(text)
    found = worst(network.dns(direct(root)))
    assert (found.severity, "names no server" in found.found) == (PROBLEM, True)


def test_a_link_that_leads_nowhere_inside(root: Path) -> None:
    (root / "etc/resolv.conf").symlink_to("/run/systemd/resolve/stub-resolv.conf")
    found = worst(network.dns(direct(root)))
    assert (found.severity, "can't be read" in found.found) == (PROBLEM, True)


def test_a_fifo_in_its_place_hangs_nobody(root: Path) -> None:
    import os

    os.mkfifo(root / "etc/resolv.conf")
    assert worst(network.dns(direct(root))).severity == PROBLEM


@pytest.mark.root
def test_where_it_is_on_the_mounted_one_is_read(cli: Cli, tiny_chroot: Path) -> None:
    (tiny_chroot / "etc/resolv.conf").write_text("")  # which the host's is mounted on
    cli.ok("on", "-d", tiny_chroot)
    found = worst(network.dns(of(tiny_chroot), 1))
    assert "names no server" not in found.found
