"""A mirror of Debian on loopback with the packages of a minbase, signed by a key of its own.

The packages are Debian's own, but their list is short and their files are not compressed: half of a
bootstrap from the whole archive is reading fifty megabytes of lists and unpacking xz, and more than
half where the machine is emulated. The network, Debian's signature and its whole lists are what
`base_chroot` and `mmdebstrap` are made from.
"""

from __future__ import annotations

import fcntl
import gzip
import hashlib
import lzma
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.request import urlopen

from chroot_tool.core.creating import mirror
from chroot_tool.core.creating.options import CreateOptions, default_options

WANTED = ("apt", "less", "locales", "tzdata", "usr-is-merged")
"""What is there beside the packages that Debian calls required, and what all those depend on."""
KEYRING = "keyring.gpg"

Package = dict[str, str]
"""Fields by their names, as they stand in a list of packages."""


@contextmanager
def served(folder: Path, arch: str = "") -> Iterator[str]:
    """Give the address of the mirror for *arch*, the host's own or another; all else goes on.

    It is made in *folder* where it is not there yet. Until the end its key is Debian's here: that
    is mounted, and so seen in this mount namespace alone.
    """
    options = default_options(CreateOptions(arch=arch))
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / KEYRING).exists():
            _make(folder, options)
    keys = mirror.keyring(options.suite)
    subprocess.run(["mount", "--bind", folder / KEYRING, keys], check=True)
    try:
        with _serving(folder) as address:
            yield address
    finally:
        subprocess.run(["umount", keys], check=True)


class _Handler(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def handle(self) -> None:
        try:
            super().handle()
        except ConnectionError:
            pass  # who was killed in the middle


@contextmanager
def _serving(folder: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


# -- made -----------------------------------------------------------------------------------------


def _make(folder: Path, options: CreateOptions) -> None:
    """Fill *folder* from the mirror that the host uses."""
    dists = f"{options.mirror}/dists/{options.suite}"
    index = f"main/binary-{options.arch}/Packages"
    wanted = _closure(lzma.decompress(_get(f"{dists}/{index}.xz")).decode())
    with ThreadPoolExecutor(4) as pool:
        listed = "".join(pool.map(partial(_fetch, folder, options.mirror), wanted)).encode()
    files = {index: listed, f"{index}.gz": gzip.compress(listed)}
    place = folder / "dists" / options.suite
    (place / index).parent.mkdir(parents=True)
    for name, data in files.items():
        (place / name).write_bytes(data)
    head = _get(f"{dists}/Release").decode().partition("\nMD5Sum:")[0]
    fields = [line for line in head.splitlines() if not line.startswith(("Acquire-", "Valid-"))]
    sums = [
        f" {hashlib.sha256(data).hexdigest()} {len(data)} {name}" for name, data in files.items()
    ]
    _sign("\n".join([*fields, "SHA256:", *sums, ""]), place / "InRelease", folder / KEYRING)


def _get(address: str) -> bytes:
    with urlopen(address, timeout=60) as response:
        data: bytes = response.read()
    return data


def _closure(listed: str) -> list[Package]:
    """The packages of a list that are wanted, and all that they depend on, in its order."""
    there = {one["Package"]: one for one in map(_fields, listed.split("\n\n")) if one}
    ready = [name for name, one in there.items() if one.get("Priority") == "required"]
    ready += [name for name in WANTED if name in there]
    wanted: set[str] = set()
    while ready:
        name = ready.pop()
        if name not in wanted:
            wanted.add(name)
            ready += _needed(there[name], there)
    return [one for name, one in there.items() if name in wanted]


def _fields(paragraph: str) -> Package:
    return dict(re.findall(r"(?m)^([A-Z][\w-]*): ?(.*(?:\n .*)*)", paragraph))


def _needed(package: Package, there: dict[str, Package]) -> Iterator[str]:
    """What *package* needs: of alternatives the first, or one of WANTED."""
    words = ", ".join(package.get(field, "") for field in ("Pre-Depends", "Depends"))
    for group in words.split(","):
        names = [match[0] for part in group.split("|") if (match := re.match(r"\s*[\w.+-]+", part))]
        known = [name for name in map(str.strip, names) if name in there]
        yield from [name for name in known if name in WANTED][:1] or known[:1]


def _fetch(folder: Path, address: str, package: Package) -> str:
    """Put the file of *package* into *folder*, not compressed; return its paragraph of the list."""
    data = _uncompressed(_get(f"{address}/{package['Filename']}"))
    path = folder / package["Filename"]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    sums = {"Size": len(data), "SHA256": hashlib.sha256(data).hexdigest()}
    kept = {name: value for name, value in package.items() if name != "MD5sum"}
    return "".join(f"{name}: {value}\n" for name, value in (kept | sums).items()) + "\n"


def _uncompressed(package: bytes) -> bytes:
    """A .deb with the files in it as a plain tar, deb(5); other than xz stays."""
    made, rest = package[:8], package[8:]
    while rest:
        head, size = rest[:60], int(rest[48:58])
        data, rest = rest[60 : 60 + size], rest[60 + size + size % 2 :]
        if head.startswith(b"data.tar.xz"):
            data = lzma.decompress(data)
            head = b"%-16s%s%-10d`\n" % (b"data.tar", head[16:48], len(data))
        made += head + data + b"\n" * (len(data) % 2)
    return made


def _sign(text: str, target: Path, keyring: Path) -> None:
    """Write *text*, signed by a key made for it, which *keyring* then holds."""
    # gpg's agent listens on a socket in its directory, whose path has to be short.
    with tempfile.TemporaryDirectory(dir="/tmp") as home:
        gpg = ["gpg", "--homedir", home, "--batch", "--quiet", "--passphrase", ""]
        name = "Little <mirror@mirror.example>"
        subprocess.run([*gpg, "--quick-generate-key", name, "ed25519", "sign"], check=True)
        subprocess.run([*gpg, "--output", target, "--clearsign"], input=text, text=True, check=True)
        subprocess.run([*gpg, "--output", f"{home}/keys", "--export"], check=True)
        subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=True)
        shutil.copy(f"{home}/keys", keyring.with_suffix(".new"))
    keyring.with_suffix(".new").rename(keyring)
