"""What `create` checks and how it reads debootstrap: pure, or with files and servers of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from chroot_tool.core.creating import (
    bootstrap,
    create,
    directory,
    initial_setup,
    mirror,
    options,
    suites,
    unfinished,
)
from chroot_tool.core.creating.backends import Reader, arguments, filled, packages
from chroot_tool.core.creating.bases.store import Cache
from chroot_tool.core.creating.options import CreateOptions
from chroot_tool.core.errors import Cancelled, ChrootError, PrivilegeError, Problem, UsageError
from chroot_tool.core.host import debian
from chroot_tool.core.host.apt_proxy import Proxies
from chroot_tool.core.host.apt_sources import Source
from chroot_tool.core.kernel.rootpath import Root

WHOLE = CreateOptions(
    suite="bookworm", arch="amd64", mirror="http://mirror.example/debian", variant="minbase",
    locales=("C.UTF-8",), timezone="Etc/UTC", backend="debootstrap",
)  # fmt: skip


def hint_of(check: Callable[[], object], kind: type[ChrootError] = UsageError) -> str:
    with pytest.raises(kind) as caught:
        check()
    assert type(caught.value) is kind
    assert "\n" not in caught.value.message
    return caught.value.hint


# -- options --------------------------------------------------------------------------------------


@pytest.mark.parametrize("character", list(" '\"$`\\;&|*?~#\n\t\x1b\udcff"))
def test_paths_that_debootstrap_would_evaluate(character: str) -> None:
    options.check_path("/srv/chroot/deb-12_x.y+z")
    options.check_path("/srv/chroot/größe")
    with pytest.raises(UsageError):
        options.check_path(f"/srv/a{character}b/deb")


def test_suites(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("bookworm", "lucid", "sid", "woody.buildd", "debian-common"):
        (tmp_path / name).touch()
    monkeypatch.setattr(suites, "SCRIPTS", str(tmp_path))
    assert suites.known() == ("bookworm", "lucid", "sid")
    options.check_suite("sid")
    assert hint_of(lambda: options.check_suite("bokworm")) == "did you mean 'bookworm'?"
    assert "did you mean" not in hint_of(lambda: options.check_suite("uideb"))
    assert str(tmp_path) in hint_of(lambda: options.check_suite("qqqqq"))
    options.check_suite("next-year", "mmdebstrap")
    for suite in ("../x", "a b", "", "-x", "Bookworm"):
        with pytest.raises(UsageError, match="no name of a suite"):
            options.check_suite(suite, "mmdebstrap")
    monkeypatch.setattr(suites, "SCRIPTS", str(tmp_path / "none"))
    options.check_suite("whatever")


@pytest.mark.parametrize(
    "address",
    ["http://mirror.example/debian", "https://u:p@mirror.example:8443/d/", "file:///srv/mirror",
     "http://[2001:db8::1]:3142/debian"],
)  # fmt: skip
def test_mirrors_that_are_taken(address: str) -> None:
    options.check_mirror(address)


@pytest.mark.parametrize(
    "address",
    ["mirror.example/debian", "ftp://mirror.example", "http://", "http:///debian", "file://",
     "file://host/x", "http://a b", "http://a/$(id)", "http://a/`id`", "http://a/'", "--help"],
)  # fmt: skip
def test_mirrors_that_are_not(address: str) -> None:
    assert hint_of(lambda: options.check_mirror(address))


def test_architectures() -> None:
    options.check_arch("amd64")
    assert hint_of(lambda: options.check_arch("x86_64")) == "did you mean 'amd64'?"
    assert hint_of(lambda: options.check_arch("aarch64")) == "did you mean 'arm64'?"
    assert hint_of(lambda: options.check_arch("arm46")) == "did you mean 'arm64'?"


def test_foreign_architectures_need_a_usable_interpreter(tmp_path: Path) -> None:
    def check() -> None:
        options.check_runnable("arm64", "amd64", str(tmp_path))

    options.check_runnable("amd64", "amd64", str(tmp_path))
    options.check_runnable("i386", "amd64", str(tmp_path))
    assert "qemu-user-static" in hint_of(check, ChrootError)
    entry = tmp_path / "qemu-aarch64"
    entry.write_text("enabled\ninterpreter /usr/bin/qemu-aarch64-static\nflags: OC\n")
    assert "qemu-user-static" in hint_of(check, ChrootError)
    entry.write_text("disabled\ninterpreter /usr/bin/qemu-aarch64-static\nflags: OCF\n")
    assert "qemu-user-static" in hint_of(check, ChrootError)
    entry.write_text("enabled\ninterpreter /usr/bin/qemu-aarch64-static\nflags: OCF\n")
    check()


def test_locales(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    supported = tmp_path / "SUPPORTED"
    supported.write_text("# names\nde_DE.UTF-8 UTF-8\nca_ES@valencia ISO-8859-15\n")
    monkeypatch.setattr(options, "SUPPORTED", str(supported))
    for locale in ("C.UTF-8", "de_DE.UTF-8", "ca_ES@valencia"):
        options.check_locale(locale)
    assert hint_of(lambda: options.check_locale("de_DE.utf8")) == "did you mean 'de_DE.UTF-8'?"
    for locale in ("", "de DE", "-x", "../x"):
        assert hint_of(lambda wrong=locale: options.check_locale(wrong))  # type: ignore[misc]
    monkeypatch.setattr(options, "SUPPORTED", str(tmp_path / "none"))
    options.check_locale("xx_YY.UTF-8")


def test_time_zones(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "Europe").mkdir()
    (tmp_path / "Europe/Berlin").write_bytes(b"TZif2")
    (tmp_path / "zone1970.tab").write_text("#codes\nDE\t+5230+01322\tEurope/Berlin\n")
    monkeypatch.setattr(debian, "ZONEINFO", str(tmp_path))
    options.check_timezone("Europe/Berlin")
    hint = hint_of(lambda: options.check_timezone("Europe/Berln"))
    assert hint == "did you mean 'Europe/Berlin'?"
    for zone in ("", "Europe", "../zone1970.tab", "/etc/passwd", "zone1970.tab", "a b"):
        with pytest.raises(UsageError):
            options.check_timezone(zone)


def test_packages_and_variants() -> None:
    for package in ("g++", "libc6", "python3.11", "7zip"):
        options.check_package(package)
    for package in ("", "a", "Less", "a,b", "-y", "vim:amd64", "x y"):
        assert hint_of(lambda wrong=package: options.check_package(wrong))  # type: ignore[misc]
    options.check_variant("buildd")
    assert hint_of(lambda: options.check_variant("minbas")) == "did you mean 'minbase'?"


def test_check_options_looks_at_every_field() -> None:
    options.check_options(CreateOptions())
    options.check_options(WHOLE)
    for wrong in (
        {"suite": "x y"}, {"arch": "x"}, {"mirror": "x"}, {"variant": "x"}, {"include": ("X",)},
        {"locales": ("C", "x y")}, {"timezone": "x y"}, {"backend": "x"},
    ):  # fmt: skip
        with pytest.raises(UsageError):
            options.check_options(WHOLE.replace(**wrong))


def test_defaults_keep_what_was_asked_for() -> None:
    asked = WHOLE.replace(variant="buildd", include=("less",))
    assert options.default_options(asked) == asked
    filled_in = options.default_options(CreateOptions(mirror="file:///m"))
    assert filled_in.variant == "minbase"
    assert filled_in.backend == "debootstrap"
    assert filled_in.locales == ("C.UTF-8",)
    assert "" not in (filled_in.suite, filled_in.arch, filled_in.timezone)
    options.check_options(filled_in)


# -- arguments and progress -----------------------------------------------------------------------


def test_arguments_of_debootstrap() -> None:
    assert arguments(WHOLE, "/t") == [
        "debootstrap", "--debian-installer", "--force-check-gpg", "--arch=amd64",
        "--variant=minbase", "bookworm", "/t", "http://mirror.example/debian",
    ]  # fmt: skip
    more = WHOLE.replace(
        variant="important", mirror="", include=("less", "tzdata"),
        locales=("de_DE.UTF-8",), timezone="Europe/Berlin",
    )  # fmt: skip
    assert arguments(more, "/t") == [
        "debootstrap", "--debian-installer", "--force-check-gpg", "--arch=amd64",
        "--include=less,tzdata,locales", "bookworm", "/t",
    ]  # fmt: skip


def test_arguments_of_mmdebstrap() -> None:
    options = WHOLE.replace(backend="mmdebstrap", variant="important")
    words = arguments(options, "/t", "/keys.gpg")
    assert words[0] == "mmdebstrap"
    assert "--variant=debootstrap" in words
    assert "--keyring=/keys.gpg" in words
    assert words[-3:] == ["bookworm", "/t", "http://mirror.example/debian"]


def test_plain_options_need_no_packages() -> None:
    assert packages(WHOLE) == ()
    assert packages(WHOLE.replace(timezone="Europe/Berlin")) == ("tzdata",)


def test_describe_names_the_place_and_the_command() -> None:
    lines = create.describe("/srv/chroot/deb", WHOLE, Cache(limit=0))
    assert "/srv/chroot/deb" in lines[0]
    assert "http://mirror.example/debian" in lines[1]
    assert lines[-1].startswith("debootstrap ")


class Seen:
    def __init__(self, backend: str = "debootstrap") -> None:
        self.stages: list[tuple[str, float]] = []
        self.lines: list[str] = []
        self.reader = Reader(backend, lambda *stage: self.stages.append(stage), self.lines.append)

    def side(self, text: str) -> None:
        for line in text.splitlines():
            self.reader.side(line.strip())


def test_debootstraps_progress_becomes_stages_that_never_go_back() -> None:
    seen = Seen()
    seen.side(
        """P: 0 100 DOWNREL
        PF: Downloading Release file
        P: 50 100
        I: RESOLVEREQ
        IF: Resolving dependencies of required packages...
        P: 0 1000 DOWNDEBS
        P: 500 1000
        P: 400 1000
        P: 0 0 CONFBASE"""
    )
    assert [text for text, _ in seen.stages] == [
        "downloading the release file", "downloading the release file", "resolving dependencies",
        "downloading packages", "downloading packages", "configuring the base system",
    ]  # fmt: skip
    fractions = [fraction for _, fraction in seen.stages]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0


def test_debootstraps_messages_become_lines() -> None:
    seen = Seen()
    seen.side("I: RETRIEVING\nIA: apt\nIA: 2.6.1\nIF: Retrieving %s %s\nI: X\nIF: 100%% of %s")
    seen.reader.line("Unpacking apt ...")
    assert seen.lines == ["I: Retrieving apt 2.6.1", "I: 100%% of", "Unpacking apt ..."]


@pytest.mark.parametrize(
    "line", ["P: x y", "P:", "P: 5", "P: -1 5 DOWNREL", "P: 1 2 UNKNOWN", "IF: %s%s", "", "rubbish"]
)
def test_strange_lines_do_no_harm(line: str) -> None:
    seen = Seen()
    seen.side(line)
    assert all(0 <= fraction <= 1 for _, fraction in seen.stages)


def test_mmdebstraps_lines_become_stages() -> None:
    seen = Seen("mmdebstrap")
    for line in ("I: running apt-get update...", "I: extracting archives...", "I: other"):
        seen.reader.line(line)
    assert [text for text, _ in seen.stages] == [
        "downloading the package lists",
        "extracting packages",
    ]
    assert len(seen.lines) == 3


def test_filled() -> None:
    assert filled("a %s b %s", ["1", "2"]) == "a 1 b 2"
    assert filled("%s\\n   more", ["%s"]) == "%s more"
    assert filled("%s|%s", ["1"]) == "1|"


def test_the_cause_is_debootstraps_own_error() -> None:
    seen = Seen()
    seen.reader.line("wget: unable to resolve host address")
    seen.side("E: COULDNTDLPKGS\nEA: apt dpkg\nEF: Couldn't download packages: %s")
    error = seen.reader.failed(1)
    assert error.message == "debootstrap failed: Couldn't download packages: apt dpkg"
    assert error.hint == "its last words: wget: unable to resolve host address"


def test_the_cause_is_the_package_that_broke() -> None:
    seen = Seen()
    for line in (
        "Setting up x ...",
        "dpkg: error processing package x (--configure):",
        " installed x package post-installation script returned error exit status 1",
    ):
        seen.reader.line(line)  # fmt: skip
    seen.side("W: F\nWA: dpkg\nWF: Failure trying to run: %s")
    seen.side("W: F\nWA: /gone/log\nWF: See %s for details")
    message = seen.reader.failed(1).message
    assert message == (
        "debootstrap failed: dpkg: error processing package x (--configure): "
        "installed x package post-installation script returned error exit status 1"
    )


def test_other_causes() -> None:
    full = Seen()
    full.reader.line("tar: ./usr: Cannot mkdir: No space left on device")
    full.side("E: FILEEXIST\nEF: Tried to extract package, but file already exists. Exit...")
    assert full.reader.failed(1).message == "debootstrap failed: no space left on device"
    told = Seen().reader.failed(1, full=True).message
    assert told == "debootstrap failed: no space left on device"
    assert Seen().reader.failed(-9).message == "debootstrap failed: signal 9 ended it"
    assert Seen().reader.failed(3).message == "debootstrap failed: exit code 3"
    warned = Seen()
    warned.side("W: F\nWA: x\nWF: Failure trying to run: %s")
    assert warned.reader.failed(1).message == "debootstrap failed: Failure trying to run: x"
    apt = Seen("mmdebstrap")
    apt.reader.line("E: apt-get update failed")
    assert apt.reader.failed(2).message == "mmdebstrap failed: apt-get update failed"


def test_a_package_that_is_not_there() -> None:
    apt = Reader("mmdebstrap", lambda *_: None, lambda _: None, "sid")
    for line in (
        "E: Unable to locate package nosuch",
        "E: Unable to locate package nosuch",
        "E: setup failed: E: run_chroot failed",
        "E: mmdebstrap failed to run",
    ):
        apt.line(line)
    assert apt.failed(1).message == "there is no package nosuch in sid"
    apt.line("E: Package 'other' has no installation candidate")
    error = apt.failed(1)
    assert error.message == "there are no packages nosuch, other in sid"
    assert len(error.hint) < 100
    seen = Seen()
    seen.side("E: LEFTOVERDEBS\nEA: nosuch\nEF: Couldn't find these debs: %s")
    assert seen.reader.failed(1).message == "there is no package nosuch in this suite"


# -- the mirror -----------------------------------------------------------------------------------

RELEASE = "Origin: Debian\nSuite: stable\nCodename: bookworm\nArchitectures: all amd64 i386\n"


@pytest.fixture
def file_mirror(tmp_path: Path) -> str:
    folder = tmp_path / "mirror/dists/bookworm"
    folder.mkdir(parents=True)
    (folder / "Release").write_text(RELEASE)
    return f"file://{tmp_path}/mirror"


def test_release_of_a_mirror_in_a_folder(file_mirror: str) -> None:
    release = mirror.find_release(("file:///nowhere", file_mirror), "bookworm")
    assert release.mirror == file_mirror
    assert not release.signed
    mirror.check_release(release, "i386")
    mirror.check_release(release.replace(suite="stable"), "amd64")
    assert hint_of(lambda: mirror.check_release(release, "arm64")) == "it has: amd64, i386"
    wrong = release.replace(suite="trixie")
    assert hint_of(lambda: mirror.check_release(wrong, "amd64"), ChrootError)
    with pytest.raises(ChrootError, match="has no suite 'sid'"):
        mirror.find_release((file_mirror,), "sid")
    with pytest.raises(ChrootError, match="no mirror is known"):
        mirror.find_release((), "sid")


@pytest.fixture
def answers() -> Iterator[Callable[[int], str]]:
    """A server that answers everything with one code; the function sets it."""
    codes = [200]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(codes[0], "as told")
            self.end_headers()
            self.wfile.write(RELEASE.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()

    def answer(code: int) -> str:
        codes[0] = code
        return f"http://name:secret@127.0.0.1:{server.server_port}"

    yield answer
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.slow
@pytest.mark.usefixtures("no_proxy")
def test_what_a_server_answers(answers: Callable[[int], str]) -> None:
    plain = answers(200).replace("name:secret@", "")
    assert mirror.find_release((plain,), "bookworm").field("Codename") == "bookworm"
    answers(404)
    with pytest.raises(ChrootError, match="has no suite 'bookworm'") as missing:
        mirror.find_release((plain,), "bookworm")
    assert "archive" in missing.value.hint
    answers(503)
    with pytest.raises(ChrootError, match=r"answers 503 \(as told\)"):
        mirror.find_release((plain,), "bookworm")


@pytest.mark.slow
def test_a_proxy_is_named_without_its_password(
    answers: Callable[[int], str], monkeypatch: pytest.MonkeyPatch, no_proxy: None
) -> None:
    proxy = answers(407)
    monkeypatch.setenv("http_proxy", proxy)
    monkeypatch.setenv("no_proxy", "")
    with pytest.raises(ChrootError, match="wants a name and password") as caught:
        mirror.find_release(("http://mirror.example/debian",), "bookworm")
    assert proxy.rpartition("@")[2] in caught.value.message
    assert "secret" not in caught.value.message


@pytest.mark.usefixtures("no_proxy")
def test_servers_that_do_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nowhere = f"127.0.0.1:{taken.getsockname()[1]}"  # where nobody listens
        with pytest.raises(ChrootError, match=f"{nowhere} cannot be reached: Connection refused"):
            mirror.find_release((f"http://{nowhere}/d",), "sid")
    with pytest.raises(ChrootError, match=r"mirror\.invalid cannot be reached"):
        mirror.find_release(("http://mirror.invalid/d",), "sid")
    monkeypatch.setattr(mirror, "_TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(ChrootError, match=r"no answer within 0\.2 seconds"):
            mirror.find_release((address,), "sid")


@pytest.mark.usefixtures("no_proxy")
def test_cancelling_does_not_wait_for_a_silent_server() -> None:
    cancelled = threading.Event()
    cancelled.set()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(Cancelled):
            mirror.find_release((address,), "sid", cancelled)


def test_keyring_and_mirror_come_from_the_suites_script(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(suites, "SCRIPTS", str(tmp_path))
    keys = tmp_path / "some-archive-keyring.gpg"
    (tmp_path / "one").write_text(f"default_mirror http://mirror.example/one\nkeyring {keys}\n")
    assert mirror.default_mirrors("one") == ("http://mirror.example/one",)
    hint = hint_of(lambda: mirror.keyring("one"), ChrootError)
    assert hint == "apt install some-archive-keyring"
    keys.touch()
    assert mirror.keyring("one") == str(keys)
    (tmp_path / "none").touch()
    assert mirror.keyring("none") == ""


# -- the place ------------------------------------------------------------------------------------


def test_without_root_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(PrivilegeError, match="needs root"):
        create.checked(str(tmp_path / "deb"), WHOLE, Cache(limit=0))
    assert os.listdir(tmp_path) == []


def content_error(path: Path) -> str:
    with Root(str(path)) as root, pytest.raises(ChrootError) as caught:
        directory.check_content(root)
    return caught.value.message


def test_what_the_directory_may_hold(tmp_path: Path) -> None:
    def accepted() -> bool:
        with Root(str(tmp_path)) as root:
            directory.check_content(root)
        return True

    assert accepted()
    (tmp_path / "chroot.d").mkdir()
    assert accepted()
    (tmp_path / "data").touch()
    assert "is not empty: it holds 'data'" in content_error(tmp_path)
    (tmp_path / "data").unlink()
    (tmp_path / "chroot.d").rmdir()
    (tmp_path / "chroot.d").symlink_to("/etc")
    assert "chroot.d is no directory" in content_error(tmp_path)


def test_taking_back_removes_what_is_noted_and_nothing_else(tmp_path: Path) -> None:
    marker = tmp_path / ".chroot-tool-create"
    (marker / "root/usr/bin").mkdir(parents=True)
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").touch()
    (tmp_path / "bin").symlink_to("usr/bin")
    (tmp_path / "chroot.d").mkdir()
    for name in ("tool.conf", "chroot-cmd"):
        (tmp_path / "chroot.d" / name).touch()
    outside = tmp_path.parent / "outside"
    outside.touch()
    (marker / "made").write_text(
        "usr\0etc\0bin\0chroot.d/chroot-cmd\0..\0../outside\0/etc/hostname"
    )
    with Root(str(tmp_path)) as root:
        directory.check_content(root)
        unfinished.take_back(root)
    assert outside.exists()
    assert os.listdir(tmp_path) == ["chroot.d"]
    assert os.listdir(tmp_path / "chroot.d") == ["tool.conf"]


def test_directories_made_on_the_way_go_again(tmp_path: Path) -> None:
    old = os.umask(0o077)
    try:
        made = directory.make_directories(str(tmp_path / "a/b/c"))
    finally:
        os.umask(old)
    assert made == [str(tmp_path / part) for part in ("a", "a/b", "a/b/c")]
    assert (tmp_path / "a/b/c").stat().st_mode & 0o777 == 0o755
    assert directory.make_directories(str(tmp_path / "a/b/c")) == []
    (tmp_path / "a/mine").touch()
    directory.unmake_directories(made)
    assert os.listdir(tmp_path / "a") == ["mine"]


def test_a_disk_that_is_too_small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    directory.check_disk(str(tmp_path / "not/there/yet"), "minbase")
    monkeypatch.setitem(directory.NEEDED, "minbase", 1 << 60)
    with pytest.raises(ChrootError, match=r"about 1\.0E are needed, .* are free"):
        directory.check_disk(str(tmp_path / "not/there/yet"), "minbase")


@pytest.mark.root
@pytest.mark.parametrize("option", ["nodev", "noexec", "nosuid", "ro"])
def test_a_file_system_that_would_break_it(tmp_path: Path, option: str) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", option, "tmpfs", tmp_path], check=True)
    try:
        with pytest.raises(ChrootError, match=f"{tmp_path} is mounted {option}") as caught:
            directory.check_place(str(tmp_path / "deb"))
        assert "remount" in caught.value.hint
    finally:
        subprocess.run(["umount", tmp_path], check=True)


# -- what is set up inside ------------------------------------------------------------------------


def test_links_in_the_new_root_lead_nowhere_outside(tmp_path: Path) -> None:
    top = tmp_path / "root"
    for folder in ("etc/default", "usr/sbin", "var/cache/apt/archives", "srv"):
        (top / folder).mkdir(parents=True)
    (top / "etc/resolv.conf").symlink_to("/srv/resolv.conf")
    (top / "etc/hosts").symlink_to("../../../../hosts")
    (top / "etc/localtime").symlink_to("/usr/share/zoneinfo/UTC")
    with Root(str(top)) as root:
        initial_setup.set_up(root, "deb", WHOLE, (), lambda _argv: None, lambda _problem: None)
        initial_setup.write_chroot_cmd(root)
    assert os.listdir(tmp_path) == ["root"]
    assert (top / "srv/resolv.conf").read_bytes() == Path("/etc/resolv.conf").read_bytes()
    names = " ".join(dict.fromkeys((os.uname().nodename, "deb")))
    assert f"127.0.1.1 {names}\n" in (top / "hosts").read_text()
    assert (top / "etc/debian_chroot").read_text() == "deb\n"
    assert os.readlink(top / "etc/localtime") == "/usr/share/zoneinfo/Etc/UTC"
    for program in ("usr/sbin/policy-rc.d", "chroot.d/chroot-cmd"):
        assert (top / program).stat().st_mode & 0o7777 == 0o755


def test_downloads_are_dropped_and_nothing_else(tmp_path: Path) -> None:
    archives = tmp_path / "var/cache/apt/archives"
    (archives / "partial").mkdir(parents=True)
    (archives / "x.deb").touch()
    (archives / "lock").touch()
    with Root(str(tmp_path)) as root:
        bootstrap.drop_downloads(root)
    assert sorted(os.listdir(archives)) == ["lock", "partial"]


@pytest.mark.parametrize(
    ("address", "mode"),
    [("http://cache.example:3142", 0o644), ("http://me:secret@cache.example", 0o600)],
)
def test_a_proxy_is_written_for_apt_and_a_password_for_root_alone(
    tmp_path: Path, address: str, mode: int
) -> None:
    with Root(str(tmp_path)) as root:
        initial_setup.write_proxy(root, ())
        assert os.listdir(tmp_path) == []
        initial_setup.write_proxy(root, Proxies(wanted=address).apt_lines([]))
    file = tmp_path / "etc/apt/apt.conf.d/00chroot-tool-proxy"
    assert file.read_text().endswith(f'Acquire::http::Proxy "{address}";\n')
    assert file.stat().st_mode & 0o777 == mode
    said = subprocess.run(
        ["apt-config", "-c", file, "shell", "P", "Acquire::http::Proxy"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert address in said


def test_sources_of_the_host_are_added_once_and_only_for_its_own_mirror(tmp_path: Path) -> None:
    top = tmp_path / "root"
    (top / "etc/apt").mkdir(parents=True)
    listing = top / "etc/apt/sources.list"
    base = f"deb {WHOLE.mirror} bookworm main\n"
    host = [
        Source(WHOLE.mirror, "bookworm", "main"),
        Source(WHOLE.mirror, "bookworm-updates", "main"),
        Source("http://security.example", "bookworm-security", "main"),
        Source("http://security.example", "bookworm-security", "contrib"),
        Source("http://other.example", "nodistro", "main"),
    ]
    whole = (
        f"{base}deb {WHOLE.mirror} bookworm-updates main\n"
        "deb http://security.example bookworm-security main\n"
    )
    for asked, expected in [
        (WHOLE.replace(mirror="http://elsewhere.example"), base),
        (WHOLE.replace(suite="trixie"), base),
        (WHOLE.replace(mirror=WHOLE.mirror + "/"), whole),
    ]:
        listing.write_text(base)
        with Root(str(top)) as root:
            initial_setup._add_sources(root, asked, host)
            initial_setup._add_sources(root, asked, host)
        assert listing.read_text() == expected


def test_an_unknown_zone_is_a_warning_and_stays_utc(tmp_path: Path) -> None:
    warned: list[Problem] = []
    with Root(str(tmp_path)) as root:
        initial_setup._timezone(root, "Europe/Berlin", warned.append)
    assert "Europe/Berlin" in warned[0].message
    assert os.listdir(tmp_path) == []


def test_locales_are_listed_with_their_charset_and_made(tmp_path: Path) -> None:
    (tmp_path / "usr/share/i18n").mkdir(parents=True)
    supported = "de_DE.UTF-8 UTF-8\nde_DE ISO-8859-1\n"
    (tmp_path / "usr/share/i18n/SUPPORTED").write_text(supported)
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/locale.gen").write_text("# de_DE ISO-8859-1\n")
    ran: list[object] = []
    with Root(str(tmp_path)) as root:
        initial_setup._locales(root, ("de_DE", "C.UTF-8", "de_DE.UTF-8"), ran.append)
    listed = (tmp_path / "etc/locale.gen").read_text()
    assert listed == "# de_DE ISO-8859-1\nde_DE ISO-8859-1\nde_DE.UTF-8 UTF-8\n"
    assert (tmp_path / "etc/default/locale").read_text() == "LANG=de_DE\n"
    assert ran == [["locale-gen"]]
