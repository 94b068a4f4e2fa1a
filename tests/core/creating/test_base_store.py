"""Bases without a system in them: keys, names, the directory, what is newer, what is quicker."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from chroot_tool.core.creating import base_or_bootstrap, identity, suites
from chroot_tool.core.creating.backends import arguments
from chroot_tool.core.creating.bases import keeping
from chroot_tool.core.creating.bases import key as base_key
from chroot_tool.core.creating.bases.key import Key, key_of
from chroot_tool.core.creating.bases.lock import BaseLock, try_lock
from chroot_tool.core.creating.bases.store import (
    Base,
    Cache,
    Facts,
    Store,
    archive_name,
    is_name,
)
from chroot_tool.core.creating.mirror import Release
from chroot_tool.core.creating.options import CreateOptions
from chroot_tool.core.creating.progress import Teller
from chroot_tool.core.creating.refresh import Changes, is_another, is_newer
from chroot_tool.core.errors import Cancelled, ChrootError, PrivilegeError, UsageError
from chroot_tool.core.events import ignore
from chroot_tool.core.host.apt_proxy import Proxies
from chroot_tool.core.kernel.rootpath import Root
from chroot_tool.core.verbs import bases as verbs
from chroot_tool.core.verbs.bases import LocalBases

WHOLE = CreateOptions(
    suite="bookworm", arch="amd64", mirror="http://mirror.example/debian", variant="minbase",
    locales=("C.UTF-8",), timezone="Etc/UTC", backend="debootstrap",
)  # fmt: skip
FACTS = Facts(1e9, 33.0, 88, "Sat, 11 Jul 2026 10:16:37 UTC", "bookworm")


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A suite with a keyring of the test's own."""
    folder = tmp_path_factory.mktemp("scripts")
    ring = folder / "keys.gpg"
    ring.write_bytes(b"keys")
    (folder / "bookworm").write_text(f"keyring {ring}\n")
    monkeypatch.setattr(suites, "SCRIPTS", str(folder))
    return ring


# -- keys -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [{"suite": "sid"}, {"arch": "arm64"}, {"variant": "buildd"}, {"backend": "mmdebstrap"},
     {"mirror": "http://other.example/debian"}, {"mirror": "http://u:p@mirror.example/debian"},
     {"include": ("less",)}, {"locales": ("de_DE.UTF-8",)}, {"timezone": "Europe/Berlin"}],
)  # fmt: skip
def test_what_shapes_a_base(change: dict[str, object]) -> None:
    other = key_of(WHOLE.replace(**change))
    assert other != key_of(WHOLE)
    assert other.name != key_of(WHOLE).name
    assert is_name(other.name)


@pytest.mark.parametrize(
    "change",
    [{"mirror": "http://mirror.example/debian/"}, {"locales": ("C",)}, {"timezone": "UTC"},
     {"proxy": "none"}, {"refresh": False}, {"offline": True}, {"cache": False}],
)  # fmt: skip
def test_what_does_not(change: dict[str, object]) -> None:
    assert key_of(WHOLE.replace(**change)) == key_of(WHOLE)


def test_the_order_of_packages_does_not_count_and_their_number_does() -> None:
    one = key_of(WHOLE.replace(include=("vim", "less")))
    assert one == key_of(WHOLE.replace(include=("less", "vim", "less")))
    assert one.include == ("less", "vim")


def test_another_keyring_is_another_base(keys: Path) -> None:
    before = key_of(WHOLE)
    keys.write_bytes(b"newer keys")
    assert key_of(WHOLE) != before
    keys.unlink()
    assert key_of(WHOLE).keyring == ""


def test_a_password_is_part_of_the_key_and_not_to_be_read_in_it() -> None:
    key = key_of(WHOLE.replace(mirror="https://me:secret@mirror.example/debian"))
    assert key.mirror == "https://mirror.example/debian"
    assert "secret" not in repr(key)


def test_a_new_form_makes_new_bases(monkeypatch: pytest.MonkeyPatch) -> None:
    before = key_of(WHOLE)
    monkeypatch.setattr(base_key, "_FORM", 1000)
    assert key_of(WHOLE).name != before.name


@pytest.mark.parametrize(
    "name",
    ["", "package", "a-minbase-debootstrap-1234567", "a-minbase-debootstrap-1234567g",
     "a-other-debootstrap-12345678", "minbase-debootstrap-12345678", "a-minbase-12345678"],
)  # fmt: skip
def test_names_that_are_no_base(name: str) -> None:
    assert is_name(name) == ""


# -- both back ends alike -------------------------------------------------------------------------


def test_mmdebstrap_is_told_what_debootstrap_does_unasked() -> None:
    mm = WHOLE.replace(backend="mmdebstrap")
    hooks = "--hook-dir=/usr/share/mmdebstrap/hooks"
    assert f"{hooks}/merged-usr" in arguments(mm, "/t")
    assert f"{hooks}/merged-usr" in arguments(mm.replace(suite="stable"), "/t", "", "bookworm")
    assert f"{hooks}/no-merged-usr" in arguments(mm.replace(variant="buildd"), "/t")
    for codename in ("trixie", "bullseye", "sid"):
        words = arguments(mm, "/t", "", codename)
        assert not [word for word in words if word.startswith(("--hook", "--include"))]
    secure = mm.replace(mirror="https://mirror.example/debian", include=("less",))
    assert "--include=less,ca-certificates" in arguments(secure, "/t")


# -- the directory --------------------------------------------------------------------------------


def put(store: Store, options: CreateOptions, size: int, used: float = 0.0) -> Base:
    key = key_of(options)
    base = Base(key, FACTS, archive_name(key, "ab" * 32), "ab" * 32, size, used)
    fd = store.begin(key.name)
    os.truncate(fd, size)
    os.close(fd)
    store.finish(base)
    if used:
        os.utime(base.archive, (used, used), dir_fd=store.fd)
    return base


def test_a_base_is_found_by_its_key_alone(tmp_path: Path) -> None:
    with Store(str(tmp_path / "a/b"), make=True) as store:
        base = put(store, WHOLE, 100)
        found = store.find(key_of(WHOLE))
        assert found
        assert found.replace(used=0.0) == base
        assert store.find(key_of(WHOLE.replace(include=("less",)))) is None
        lying = base.replace(key=base.key.replace(mirror="http://other.example"))
        store.note(lying)
        assert store.find(key_of(WHOLE)) is None
        assert (tmp_path / "a/b").stat().st_mode & 0o7777 == 0o700


def test_a_new_one_takes_the_place_of_the_old(tmp_path: Path) -> None:
    with Store(str(tmp_path / "bases"), make=True) as store:
        old = put(store, WHOLE, 100)
        reader = store.open_archive(old)
        key = key_of(WHOLE)
        new = Base(key, FACTS, archive_name(key, "cd" * 32), "cd" * 32, 7, 0.0)
        fd = store.begin(key.name)
        os.write(fd, b"newer..")
        os.close(fd)
        store.finish(new)
        store.remove_older(new)
        assert sorted(os.listdir(store.fd)) == [new.archive, f"{key.name}.json"]
        assert os.read(reader, 200) == bytes(100)  # who reads the old one reads on
        os.close(reader)


@pytest.mark.parametrize("stage", range(4))
def test_what_a_kill_leaves_is_no_base_and_goes(tmp_path: Path, stage: int) -> None:
    with Store(str(tmp_path / "bases"), make=True) as store:
        base = put(store, WHOLE, 100)
        left = [
            f"{base.name}.part",
            f"{base.name}-12345678.tar.zst",
            f"{base.name}.json.part",
            f"{base.name}.build",
        ][stage]
        if left.endswith(".build"):
            (tmp_path / "bases" / left / "root/usr").mkdir(parents=True)
        else:
            (tmp_path / "bases" / left).write_text("half")
        assert [one.name for one in store.bases()] == [base.name]
        store.tidy(base.name)
        assert sorted(os.listdir(store.fd)) == [base.archive, f"{base.name}.json"]


@pytest.mark.root
def test_bases_of_root_need_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bases = LocalBases(Cache(str(tmp_path)), "debootstrap")
    assert bases.list() == ()
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    for ask in (bases.list, bases.prune, lambda: bases.remove(["x"])):
        with pytest.raises(PrivilegeError, match=r"needs root$") as caught:
            ask()
        assert caught.value.hint == "run as root"


def test_interrupted_it_says_what_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(_supply: object) -> bool:
        raise Cancelled("setpriv was stopped")

    monkeypatch.setattr(base_or_bootstrap.BaseOrBootstrap, "run", stop)
    tmp_path.chmod(0o700)
    key = key_of(WHOLE)
    cache = Cache(str(tmp_path))
    with Store(cache.directory) as store:
        request = keeping.CreateRequest(str(tmp_path / "root"), WHOLE, Proxies(), cache)
        with pytest.raises(Cancelled, match=f"the base {key.name} was interrupted"):
            verbs._made(store, request, key, Teller("", ignore), None)
    assert list(tmp_path.iterdir()) == []


def test_links_in_the_directory_are_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("precious")
    with Store(str(tmp_path / "bases"), make=True) as store:
        base = put(store, WHOLE, 100)
        for name in (f"{base.name}.part", f"{base.name}.json.part"):
            os.symlink(outside, name, dir_fd=store.fd)
        put(store, WHOLE, 50)
        os.unlink(f"{base.name}.json", dir_fd=store.fd)
        os.symlink(outside, f"{base.name}.json", dir_fd=store.fd)
        assert store.bases() == ()
        store.remove(base.name)
        assert os.listdir(store.fd) == []
    assert outside.read_text() == "precious"


def test_the_longest_unused_go_first(tmp_path: Path) -> None:
    with Store(str(tmp_path), make=True) as store:
        for number, package in enumerate(("aa", "bb", "cc")):
            put(store, WHOLE.replace(include=(package,)), 1000, used=1e9 + number)
        newest = key_of(WHOLE.replace(include=("cc",))).name
        held = try_lock(store, key_of(WHOLE.replace(include=("aa",))).name)
        assert held
        with held:
            gone = keeping.shrink(store, 2000)
        assert [base.key.include for base in gone] == [("bb",)]
        gone = keeping.shrink(store, 0, keep=newest)
        assert [base.key.include for base in gone] == [("aa",)]
        assert [base.name for base in store.bases()] == [newest]


def test_a_lock_is_one_and_is_waited_for(tmp_path: Path) -> None:
    name = key_of(WHOLE).name
    told: list[int] = []
    cancelled = threading.Event()
    with Store(str(tmp_path), make=True) as store:
        with BaseLock(store, name):
            assert try_lock(store, name) is None

            def tell(pid: int) -> None:
                told.append(pid)
                cancelled.set()

            with pytest.raises(Cancelled):
                BaseLock(store, name, tell, cancelled)
        assert told == [os.getpid()]
        assert os.listdir(tmp_path) == []
        again = try_lock(store, name)
        assert again
        with again:
            assert os.listdir(tmp_path) == [f"{name}.lock"]


def test_a_lock_that_was_taken_away_is_no_lock(tmp_path: Path) -> None:
    name = key_of(WHOLE).name
    with Store(str(tmp_path), make=True) as store, BaseLock(store, name):
        (tmp_path / f"{name}.lock").unlink()
        second = try_lock(store, name)
        assert second, "another file, another lock: whoever waits must look again"
        with second:
            assert (tmp_path / f"{name}.lock").exists()


# -- fresh enough ---------------------------------------------------------------------------------


def release(date: str, codename: str = "bookworm") -> Release:
    text = f"Suite: stable\nCodename: {codename}\nDate: {date}\n"
    return Release("http://mirror.example", "stable", text.encode(), signed=True)


@pytest.mark.parametrize(
    ("date", "newer"),
    [("Sat, 11 Jul 2026 10:16:37 UTC", False), ("Sat, 11 Jul 2026 10:16:38 UTC", True),
     ("Sat, 04 Jul 2026 10:16:37 UTC", False), ("Sun, 12 Jul 2026 00:00:00 +0000", True),
     ("", True), ("yesterday", True)],
)  # fmt: skip
def test_newer_is_what_has_a_later_date(date: str, newer: bool) -> None:
    assert is_newer(release(date), FACTS) is newer


def test_another_release_under_the_same_name() -> None:
    assert is_another(release("", "trixie"), FACTS)
    assert not is_another(release(""), FACTS)
    assert not is_another(release("", "trixie"), FACTS.replace(codename=""))


def test_upgrading_is_for_few_packages_and_for_the_same_ones() -> None:
    def changes(*lines: str) -> Changes:
        return Changes(["Reading package lists...", *lines, "Conf x (2 Debian [amd64])"])

    one = "Inst libc6 [2.36] (2.37 Debian:13 [amd64])"
    assert not changes().any
    assert changes(one).quicker_than(FACTS)
    assert not changes(*[one] * 85).quicker_than(FACTS)
    assert changes(*[one] * 85).quicker_than(FACTS.replace(seconds=600.0))
    assert not changes(one, "Inst new (1 Debian [amd64])").quicker_than(FACTS)
    assert not changes(one, "Remv old [1]").quicker_than(FACTS)


# -- what a form shows ----------------------------------------------------------------------------


def test_the_outlook_says_why_it_will_not_be_quick(tmp_path: Path) -> None:
    here = LocalBases(Cache(str(tmp_path / "bases")), "debootstrap")
    assert here.outlook(WHOLE).reason.startswith("there is no base yet")
    with Store(str(tmp_path / "bases"), make=True) as store:
        base = put(store, WHOLE, 100)
    quick = here.outlook(WHOLE.replace(locales=("C",)))
    assert quick.base
    assert quick.base.name == base.name
    assert quick.reason == ""
    assert "other packages" in here.outlook(WHOLE.replace(include=("less",))).reason
    assert "another suite" in here.outlook(WHOLE.replace(suite="sid")).reason
    assert here.outlook(WHOLE.replace(cache=False)).base is None
    assert "there is no base" in here.outlook(WHOLE.replace(arch="arm64", offline=True)).reason
    off = LocalBases(Cache(str(tmp_path / "bases"), 0), "debootstrap")
    assert "cache-size is 0" in off.outlook(WHOLE).reason
    (tmp_path / "link").symlink_to(tmp_path / "bases")
    refused = LocalBases(Cache(str(tmp_path / "link")), "debootstrap")
    assert "is a link" in refused.outlook(WHOLE).reason


def test_what_is_removed_is_checked_first(tmp_path: Path) -> None:
    here = LocalBases(Cache(str(tmp_path / "bases")), "debootstrap")
    assert here.list() == ()
    assert here.prune().names == ()
    with pytest.raises(ChrootError, match="there are no bases"):
        here.remove(["x"])
    with Store(str(tmp_path / "bases"), make=True) as store:
        base = put(store, WHOLE, 100)
    with pytest.raises(UsageError, match="there is no base 'x'"):
        here.remove([base.name, "x"])
    assert [one.name for one in here.list()] == [base.name]
    assert here.remove([base.name]) == (base.name,)
    assert here.list() == ()


# -- an identity of its own -----------------------------------------------------------------------


def test_no_two_from_one_base_are_the_same_machine(tmp_path: Path) -> None:
    ran: list[list[str]] = []
    for folder in ("etc/ssh", "var/lib/dbus", "etc/ssl/private"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "etc/machine-id").write_text("0" * 32 + "\n")
    (tmp_path / "var/lib/dbus/machine-id").symlink_to("/etc/machine-id")
    for name in ("ssh_host_rsa_key", "ssh_host_rsa_key.pub", "sshd_config"):
        (tmp_path / "etc/ssh" / name).touch()
    (tmp_path / "etc/ssl/private/ssl-cert-snakeoil.key").touch()
    with Root(str(tmp_path)) as root:
        identity.renew(root, lambda words: ran.append(list(words)))
    assert os.listdir(tmp_path / "etc/ssh") == ["sshd_config"]
    assert [words[0] for words in ran] == ["ssh-keygen", "make-ssl-cert"]
    new = (tmp_path / "etc/machine-id").read_text()
    assert len(new) == 33
    assert new != "0" * 32 + "\n"
    assert (tmp_path / "var/lib/dbus/machine-id").is_symlink()


def test_what_is_not_there_is_not_made(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/machine-id").touch()  # "not yet": made at the first boot
    with Root(str(tmp_path)) as root:
        identity.renew(root, lambda words: pytest.fail(str(words)))
    assert os.listdir(tmp_path / "etc") == ["machine-id"]
    assert (tmp_path / "etc/machine-id").read_text() == ""


def test_a_key_is_a_value() -> None:
    assert Key._fields[-1] == "digest"
