from __future__ import annotations

import http.server
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import format_datetime
from pathlib import Path

import pytest

from chroot_tool.core import programs
from chroot_tool.core.creating import mirror as mirrors
from chroot_tool.core.creating.bases.store import Cache
from chroot_tool.core.creating.options import CreateOptions
from chroot_tool.core.diagnosis import creating
from chroot_tool.core.diagnosis.finding import NOTE, OK, PROBLEM, WARNING
from chroot_tool.core.diagnosis.subject import Subject
from chroot_tool.core.host.apt_proxy import Proxies
from support import PATIENCE
from support.doctor import host, said, worst


def without(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Let these programs not be installed."""
    find = programs.find
    monkeypatch.setattr(programs, "find", lambda name: None if name in names else find(name))


def taking(backend: str) -> Subject:
    return Subject("/nowhere", backend=backend)


def test_debootstrap_is_there(tmp_path: Path) -> None:
    assert worst(creating.debootstrap(host())).severity == OK
    assert worst(creating.debootstrap(host(), str(tmp_path))).severity == WARNING  # no such suite


def test_debootstrap_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "debootstrap")
    assert worst(creating.debootstrap(host())).severity == PROBLEM
    assert worst(creating.debootstrap(taking("mmdebstrap"))).severity == NOTE


def test_mmdebstrap_counts_where_it_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert worst(creating.mmdebstrap(host())).severity == OK
    without(monkeypatch, "mmdebstrap")
    assert worst(creating.mmdebstrap(host())).severity == NOTE
    assert worst(creating.mmdebstrap(taking("mmdebstrap"))).severity == PROBLEM


@pytest.mark.parametrize(
    ("missing", "severities"),
    [
        ((), [OK]),
        (("zstd",), [NOTE]),
        (("unshare",), [PROBLEM]),
        (("unshare", "xz"), [PROBLEM, NOTE]),
    ],
)
def test_other_programs(missing: tuple[str, ...], severities: list[str]) -> None:
    found = said(creating.helpers(host(), lambda name: None if name in missing else f"/bin/{name}"))
    assert [severity for severity, _ in found] == severities
    assert all(any(name in text for _, text in found) for name in missing)


# -- keys ----------------------------------------------------------------------------------------


class Keys:
    """A keyring of its own making."""

    def __init__(self, folder: Path) -> None:
        self.path = str(folder / "keyring.gpg")
        self._home = folder / "gnupg"
        self._home.mkdir(mode=0o700)
        # gpg would start one, and wait for 5 seconds. This ends when it can be asked.
        subprocess.run(["gpg-agent", "--homedir", str(self._home), "--daemon"], check=True)

    def _gpg(self, *words: str) -> None:
        argv = ["gpg", "--homedir", str(self._home), "--batch", "--passphrase", "", *words]
        subprocess.run(argv, check=True, capture_output=True)

    def add(self, name: str, made: float, days: int) -> None:
        stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime(made))
        options = ["--faked-system-time", f"{stamp}!", "--quick-generate-key"]
        self._gpg(*options, name, "ed25519", "sign", f"{days}d" if days else "never")

    def sign(self, file: Path, made: float) -> None:
        """Put `InRelease` beside *file*, signed at *made*."""
        stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime(made))
        target = file.with_name("InRelease")
        self._gpg(
            "--faked-system-time", f"{stamp}!", "--output", str(target), "--clearsign", str(file)
        )

    def write(self) -> str:
        Path(self.path).unlink(missing_ok=True)
        self._gpg("--output", self.path, "--export")
        return self.path

    def close(self) -> None:
        argv = ["gpgconf", "--homedir", str(self._home), "--kill", "all"]
        subprocess.run(argv, check=True)


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch) -> Iterator[Keys]:
    import tempfile

    monkeypatch.setattr(creating, "_GPG_SECONDS", PATIENCE)
    # A socket's path has to be short.
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        made = Keys(Path(folder))
        yield made
        made.close()


def test_keys_that_hold(ring: Keys) -> None:
    ring.add("Archive <a@x.example>", time.time() - 86400, 0)
    found = worst(creating.keys(host(), ring.write()))
    assert (found.severity, "1 keys" in found.found) == (OK, True)


def test_an_expired_key_is_told_by_its_name(ring: Keys) -> None:
    ring.add("Old Archive <old@x.example>", time.time() - 400 * 86400, 365)
    found = worst(creating.keys(host(), ring.write()))
    assert found.severity == PROBLEM
    assert "Old Archive <old@x.example> (20" in found.found
    ring.add("New Archive <new@x.example>", time.time() - 86400, 0)
    found = worst(creating.keys(host(), ring.write()))
    assert found.severity == NOTE
    assert "Old Archive" in found.found
    assert "New Archive" not in found.found


def test_a_key_that_expires_soon(ring: Keys) -> None:
    ring.add("Archive <a@x.example>", time.time() - 86400, 10)
    assert worst(creating.keys(host(), ring.write())).severity == WARNING


def test_a_keyring_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "ring").write_bytes(b"nothing")
    assert worst(creating.keys(host(), str(tmp_path / "ring"))).severity == PROBLEM


def test_without_gpg_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "gpg")
    assert worst(creating.keys(host(), "/some/ring")).severity == NOTE


# -- the mirror ----------------------------------------------------------------------------------


def asked(mirror: str, proxy: str = "none") -> list[tuple[str, str]]:
    subject = host()
    subject._proxies = Proxies(wanted=proxy)
    options = CreateOptions(suite="bookworm", arch="amd64", mirror=mirror)
    return said(creating.mirror(subject, options))


def release(folder: Path, *, made: float = 0.0, until: float = 0.0) -> str:
    """Write what a mirror says of bookworm; return its address."""
    place = folder / "dists/bookworm"
    place.mkdir(parents=True, exist_ok=True)
    lines = ["Suite: stable", "Codename: bookworm", "Architectures: all amd64"]
    for name, moment in (("Date", made), ("Valid-Until", until)):
        if moment:
            lines.append(
                f"{name}: {time.strftime('%a, %d %b %Y %H:%M:%S UTC', time.gmtime(moment))}"
            )
    (place / "Release").write_text("\n".join([*lines, ""]))
    return f"file://{folder}"


def test_a_mirror_that_answers(tmp_path: Path) -> None:
    ((severity, text),) = asked(release(tmp_path, made=time.time() - 60))
    assert severity == OK
    assert "without a proxy: bookworm for amd64" in text


def test_a_suite_that_this_clock_has_not_reached(tmp_path: Path) -> None:
    ((severity, text),) = asked(release(tmp_path, made=time.time() + 86400))
    assert (severity, "not reached" in text) == (PROBLEM, True)


def test_a_suite_that_is_out_of_date(tmp_path: Path) -> None:
    made, until = time.time() - 900_000, time.time() - 86400
    ((severity, text),) = asked(release(tmp_path, made=made, until=until))
    assert (severity, "valid until" in text) == (PROBLEM, True)


@pytest.mark.parametrize(("days", "severity"), [(0, OK), (365, PROBLEM)])
def test_a_suite_that_only_an_expired_key_signs(
    ring: Keys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int, severity: str
) -> None:
    then = time.time() - 400 * 86400
    ring.add("Archive <a@x.example>", then, days)
    address = release(tmp_path, made=then)
    ring.sign(tmp_path / "dists/bookworm/Release", then + 60)
    path = ring.write()
    monkeypatch.setattr(mirrors, "keyring", lambda _suite: path)
    ((found, text),) = asked(address)
    assert (found, "expired keys: Archive <a@x.example>" in text) == (severity, days > 0)


class Refusing(http.server.BaseHTTPRequestHandler):
    """A mirror, or a proxy, that answers 403 to everything."""

    def do_GET(self) -> None:
        self.send_error(403)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def refusing() -> Iterator[str]:
    with http.server.HTTPServer(("127.0.0.1", 0), Refusing) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.slow
def test_a_mirror_that_refuses() -> None:
    with refusing() as address:
        ((severity, text),) = asked(f"{address}/debian")
    assert (severity, "answers 403" in text) == (PROBLEM, True)


def test_a_mirror_and_a_proxy_that_are_not_there() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nowhere = f"127.0.0.1:{taken.getsockname()[1]}"  # where nobody listens
        ((severity, text),) = asked(f"http://{nowhere}/debian")
        assert (severity, f"the mirror {nowhere} cannot be reached" in text) == (PROBLEM, True)
        ((severity, text),) = asked("http://mirror.example/debian", f"http://{nowhere}")
        assert (severity, f"the proxy {nowhere} cannot be reached" in text) == (PROBLEM, True)


def test_dates_are_read_as_apt_writes_them() -> None:
    from datetime import UTC, datetime

    now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert creating.moment("Fri, 02 Jan 2026 03:04:05 UTC") == now.timestamp()
    assert creating.moment(format_datetime(now)) == now.timestamp()
    assert creating.moment("yesterday") == creating.moment("") == 0.0


# -- bases ---------------------------------------------------------------------------------------


def keeping(directory: Path, limit: int = 1 << 30) -> Subject:
    return Subject("/nowhere", cache=Cache(str(directory), limit))


def test_where_bases_are_kept(tmp_path: Path) -> None:
    place = tmp_path / "bases"
    assert worst(creating.cache(keeping(place))).severity == OK
    place.mkdir(mode=0o700)
    assert worst(creating.cache(keeping(place))).found.startswith("0 kept")
    assert worst(creating.cache(keeping(place, 0))).severity == NOTE
    place.chmod(0o777)
    assert worst(creating.cache(keeping(place))).severity == WARNING
    shutil.rmtree(place)
    os.symlink("/tmp", place)
    assert worst(creating.cache(keeping(place))).severity == WARNING
