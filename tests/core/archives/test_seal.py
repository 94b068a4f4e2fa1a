"""The seal at the end of a stream: seen however it comes, and kept from whoever reads the rest."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from threading import Thread

import pytest

from chroot_tool.core.archives.compression import PEEK
from chroot_tool.core.archives.pipeline import Stop, write_all
from chroot_tool.core.archives.reading import SEAL, Input
from chroot_tool.core.errors import ChrootError, CutShortError

_END = len(SEAL)


def through(pieces: Sequence[bytes], *, sealed: bool = True) -> tuple[bytes, bool]:
    """Write *pieces* into a pipe; return what whoever unpacks gets of it, and whether it is cut."""
    reader, writer = os.pipe()

    def write() -> None:
        for piece in pieces:
            write_all(writer, piece)
        os.close(writer)

    writing = Thread(target=write)
    writing.start()
    found = b""
    with Input(reader, sealed=sealed) as given:
        os.close(reader)
        stream = given.stream(Stop(None))
        while data := os.read(stream, 1 << 16):
            found += data
        os.close(stream)
        writing.join()
        if given.is_cut:
            with pytest.raises(CutShortError):
                given.check()
        return found, given.is_cut


@pytest.mark.parametrize("size", [0, 1, _END, PEEK - _END, PEEK - 1, PEEK, PEEK + 1, 1 << 20])
@pytest.mark.parametrize("piece", [7, _END, 1 << 16])
def test_it_is_kept_from_who_reads(size: int, piece: int) -> None:
    content = os.urandom(size)
    piece = piece if size < 1 << 16 else 1 << 16
    whole = content + SEAL
    pieces = [whole[at : at + piece] for at in range(0, len(whole), piece)]
    assert through(pieces) == (content, False)
    assert through(pieces, sealed=False) == (whole, False)
    assert through([*pieces, SEAL]) == (whole, False)


def reset(content: bytes) -> socket.socket:
    """Return a socket that gives *content*, then fails: the other end went without reading all."""
    here, there = socket.socketpair()
    there.sendall(content)
    here.sendall(b"unread")
    there.close()
    return here


def test_a_connection_that_was_reset_is_cut() -> None:
    content = os.urandom(PEEK + 100)
    with reset(content) as end, Input(end.fileno(), sealed=True) as given:
        stream = given.stream(Stop(None))
        found = b""
        while data := os.read(stream, 1 << 16):
            found += data
        os.close(stream)
        assert content.startswith(found)
        with pytest.raises(CutShortError):
            given.check()
    with reset(b"short") as end, pytest.raises(ChrootError, match="cannot read the archive"):
        Input(end.fileno(), sealed=True)


@pytest.mark.parametrize("size", [0, 1, PEEK, 1 << 20])
@pytest.mark.parametrize("left", [0, 1, _END - 1])
def test_a_part_of_it_is_none(size: int, left: int) -> None:
    cut = os.urandom(size) + SEAL[:left]
    assert through([cut]) == (cut, True)
