"""A network of a thread's own: what it starts has a loopback that nobody else has, and can lose it.

Imported as `support.net_namespace`.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

Result = TypeVar("Result")

_CLONE_NEWNET = 0x40000000
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 0x1  # netdevice(7)


class NetNamespace:
    """A context manager: `do` has something done in it, by its thread."""

    def __enter__(self) -> NetNamespace:
        self._thread = ThreadPoolExecutor(1)
        self.do(_leave_all)
        self.link(up=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown()

    def do(self, what: Callable[..., Result], *args: Any, **named: Any) -> Result:
        """Return what *what* returns, called there; what is there already may use it, too."""
        if threading.current_thread() in self._thread._threads:
            return what(*args, **named)
        return self._thread.submit(what, *args, **named).result()

    def link(self, *, up: bool) -> None:
        """Have the loopback up or down: what is sent while it is down is lost."""
        self.do(_link, up)


def _leave_all() -> None:
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _link(up: bool) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        asked = struct.pack("16sH14x", b"lo", 0)
        (flags,) = struct.unpack("16xH14x", fcntl.ioctl(one, _SIOCGIFFLAGS, asked))
        flags = flags | _IFF_UP if up else flags & ~_IFF_UP
        fcntl.ioctl(one, _SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags))
