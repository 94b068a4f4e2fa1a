"""A file system of the tests' own, over /dev/fuse: a directory shown elsewhere, to be read only.

A program: `fuse_server.py DIRECTORY MOUNTPOINT [--silent]` mounts it, says `ready` and serves until
it is killed. What waits for it while it is stopped waits as for a server of NFS that went away.
With `--silent` it never answers anything, not even the kernel's first question. A line `keep` on
stdin has it take every question and answer none, as sshfs does whose network is gone (who asked
cannot even be killed then); a line `go on` has it answer them all. Each line is confirmed. The
protocol is that of linux/fuse.h; nothing is cached, so that each look is a question.
"""

from __future__ import annotations

import ctypes
import errno
import os
import select
import struct
import sys

_IN = struct.Struct("<IIQQIIII")
_OUT = struct.Struct("<IiQ")
_ATTR = struct.Struct("<QQQQQQIIIIIIIIII")
_ENTRY = struct.Struct("<QQQQII")
_INIT = struct.Struct("<IIIIHHIIHHIIII")
_STATFS = struct.Struct("<QQQQQIIII24x")
_LOOKUP, _FORGET, _GETATTR, _READLINK, _OPEN, _READ, _STAT_FS, _RELEASE = 1, 2, 3, 5, 14, 15, 17, 18
_FLUSH, _FIRST, _OPENDIR, _READDIR, _RELEASEDIR, _INTERRUPT, _BATCH_FORGET = (
    25, 26, 27, 28, 29, 36, 42,
)  # fmt: skip
_NO_ANSWER = (_FORGET, _BATCH_FORGET, _INTERRUPT)
_LARGEST = 1 << 17


class _Server:
    def __init__(self, device: int, top: str) -> None:
        self._device = device
        self._paths = {1: top}
        self._nodes = {top: 1}
        self._kept: list[bytes] | None = None

    def serve(self) -> None:
        while True:
            ready, _, _ = select.select([self._device, 0], [], [])
            if 0 in ready:
                self._told(os.read(0, 100))
            if self._device not in ready:
                continue
            try:
                request = os.read(self._device, _LARGEST + 4096)
            except OSError as error:
                if error.errno == errno.ENODEV:  # unmounted
                    return
                if error.errno in (errno.ENOENT, errno.EINTR):  # whoever asked has gone
                    continue
                raise
            if self._kept is None:
                self._serve(request)
            else:
                self._kept.append(request)

    def _told(self, line: bytes) -> None:
        if not line:
            sys.exit()  # whoever started us is gone
        kept, self._kept = self._kept or [], [] if line == b"keep\n" else None
        for request in kept:
            self._serve(request)
        os.write(1, line)

    def _serve(self, request: bytes) -> None:
        _, code, unique, node, *_ = _IN.unpack_from(request)
        if code in _NO_ANSWER:
            return
        try:
            number, answer = 0, self._answer(code, node, request[_IN.size :])
        except OSError as error:
            number, answer = error.errno or errno.EIO, b""
        try:
            os.write(self._device, _OUT.pack(_OUT.size + len(answer), -number, unique) + answer)
        except OSError:
            pass  # interrupted meanwhile

    def _answer(self, code: int, node: int, body: bytes) -> bytes:
        path = self._paths.get(node, "")
        if code == _FIRST:
            return _INIT.pack(7, 31, _LARGEST, 0, 12, 9, _LARGEST, 1, 0, 0, 0, 0, 0, 0) + bytes(8)
        if code == _LOOKUP:
            return self._entry(f"{path}/{os.fsdecode(body.rstrip(bytes(1)))}")
        if code == _GETATTR:
            return struct.pack("<QII", 0, 0, 0) + _attributes(node, os.lstat(path))
        if code == _READLINK:
            return os.fsencode(os.readlink(path))
        if code in (_OPEN, _OPENDIR):
            return struct.pack("<QII", 0, 0, 0)
        if code == _READ:
            _, offset, size = struct.unpack_from("<QQI", body)
            with open(path, "rb") as file:
                return os.pread(file.fileno(), size, offset)
        if code == _READDIR:
            _, offset, size = struct.unpack_from("<QQI", body)
            return _directory(path, offset, size)
        if code == _STAT_FS:
            return _STATFS.pack(0, 0, 0, 0, 0, 4096, 255, 4096, 0)
        if code in (_RELEASE, _RELEASEDIR, _FLUSH):
            return b""
        raise OSError(errno.ENOSYS, "")

    def _entry(self, path: str) -> bytes:
        status = os.lstat(path)
        node = self._nodes.setdefault(path, len(self._nodes) + 1)
        self._paths[node] = path
        return _ENTRY.pack(node, 0, 0, 0, 0, 0) + _attributes(node, status)


def _attributes(node: int, s: os.stat_result) -> bytes:
    return _ATTR.pack(
        node, s.st_size, s.st_blocks, int(s.st_atime), int(s.st_mtime), int(s.st_ctime),
        0, 0, 0, s.st_mode, s.st_nlink, s.st_uid, s.st_gid, 0, 4096, 0,
    )  # fmt: skip


def _directory(path: str, offset: int, size: int) -> bytes:
    found = b""
    for at, name in enumerate(sorted([".", "..", *os.listdir(path)])):
        if at < offset:
            continue
        kind = os.lstat(f"{path}/{name}").st_mode >> 12
        entry = struct.pack("<QQII", at + 1, at + 1, len(os.fsencode(name)), kind)
        entry += os.fsencode(name)
        entry += bytes(-len(entry) % 8)
        if len(found) + len(entry) > size:
            break
        found += entry
    return found


def main(top: str, point: str, *words: str) -> None:
    device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0,allow_other"
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"tests", os.fsencode(point), b"fuse.tests", 6, options.encode()):
        raise OSError(ctypes.get_errno(), "mount")
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    if "--silent" in words:
        sys.stdin.read()
    else:
        _Server(device, top).serve()


if __name__ == "__main__":
    main(*sys.argv[1:])
