"""The proxy of the host's apt: apt's own order, its detection program, what is written inside."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from chroot_tool.core import programs
from chroot_tool.core.errors import ChrootError
from chroot_tool.core.host import apt_proxy
from chroot_tool.core.host.apt_proxy import Proxies, Setting, parsed

MIRROR = "http://mirror.example/debian"
SECURE = "https://mirror.example/debian"
CACHE, OTHER = "http://cache.example:3142", "http://other.example:8080"


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in programs.PASSED:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def program(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_what_apt_config_says() -> None:
    lines = [
        "APT::Architecture\tamd64",
        f"Acquire::http::Proxy\t{CACHE}",
        f"acquire::HTTP::proxy::mirror.example\t{OTHER}",
        "Acquire::https::Proxy::Mirror.Example\tDIRECT",
        "Acquire::http::Proxy-Auto-Detect\t/usr/bin/auto-apt-proxy",
        "Acquire::https::ProxyAutoDetect\t/usr/bin/other",
        "Acquire::http::Timeout\t10",
        "Acquire::ftp::Proxy\tftp://ftp.example",
        "Acquire::http::Proxy::empty.example\t",
        'Acquire::http::Proxy::bad.example\thttp://x";',
        "nonsense",
    ]
    assert parsed(lines) == Proxies(
        (
            Setting("http", "", CACHE),
            Setting("http", "mirror.example", OTHER),
            Setting("https", "Mirror.Example", "DIRECT"),
        ),
        (("http", "/usr/bin/auto-apt-proxy"), ("https", "/usr/bin/other")),
    )


def test_apt_config_is_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    configuration = tmp_path / "apt.conf"
    configuration.write_text(
        f'Acquire::http::Proxy "{CACHE}";\nAcquire::http::Proxy {{ Mirror.Example "{OTHER}"; }};\n'
    )
    ask = programs.output
    with_it = ["apt-config", "-c", str(configuration)]
    monkeypatch.setattr(programs, "output", lambda words, **how: ask([*with_it, *words[1:]], **how))
    found = apt_proxy.host_proxies()
    assert Setting("http", "", CACHE) in found.settings
    assert found.for_address(MIRROR) == OTHER  # whatever the case of its name
    assert apt_proxy.host_proxies("none") == Proxies(wanted="none")


def test_the_order_is_apts() -> None:
    general = Proxies((Setting("http", "", CACHE),))
    assert general.for_address(MIRROR) == CACHE
    assert general.for_address(SECURE) == CACHE
    assert general.for_address("file:///srv/mirror") == ""
    specific = Proxies((Setting("http", "", CACHE), Setting("http", "mirror.example", OTHER)))
    assert specific.for_address(MIRROR) == OTHER
    assert specific.for_address("http://elsewhere.example/debian") == CACHE
    direct = Proxies((Setting("http", "", CACHE), Setting("http", "mirror.example", "DIRECT")))
    assert direct.for_address(MIRROR) == ""
    secure = Proxies((Setting("http", "", CACHE), Setting("https", "", OTHER)))
    assert secure.for_address(SECURE) == OTHER
    assert secure.for_address(MIRROR) == CACHE


def test_a_person_has_the_last_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", CACHE)
    settings = (Setting("http", "", CACHE),)
    assert Proxies(settings, wanted=OTHER).for_address(SECURE) == OTHER
    assert Proxies(settings, wanted="none").for_address(MIRROR) == ""
    assert Proxies(wanted="none").apt_lines([MIRROR]) == ()
    assert Proxies(wanted=OTHER).apt_lines([]) == (f'Acquire::http::Proxy "{OTHER}";',)


def test_the_callers_variables_come_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "cache.example:3142")
    assert Proxies().for_address(MIRROR) == CACHE
    assert Proxies().for_address(SECURE) == ""
    assert Proxies((Setting("http", "", OTHER),)).for_address(MIRROR) == OTHER
    assert Proxies().apt_lines([MIRROR]) == (f'Acquire::http::Proxy "{CACHE}";',)
    monkeypatch.setenv("no_proxy", "mirror.example")
    assert Proxies().for_address(MIRROR) == ""
    assert Proxies((Setting("http", "", OTHER),)).for_address(MIRROR) == ""
    assert Proxies().apt_lines([MIRROR])[1:] == ('Acquire::http::Proxy::mirror.example "DIRECT";',)


def test_the_detection_program_gets_the_address(tmp_path: Path) -> None:
    told = tmp_path / "told"
    detect = program(tmp_path / "detect", f'echo "$@" > {told}; echo " {CACHE} "; echo more')
    proxies = Proxies((Setting("http", "", OTHER),), (("http", detect),))
    assert proxies.for_address(MIRROR) == CACHE
    assert told.read_text() == "http://mirror.example\n"
    assert proxies.for_address(SECURE) == OTHER  # apt asks it for http alone
    specific = proxies.replace(settings=(Setting("http", "mirror.example", OTHER),))
    told.unlink()
    assert specific.for_address(MIRROR) == OTHER
    assert not told.exists()
    assert proxies.apt_lines([MIRROR, SECURE, MIRROR]) == (
        f'Acquire::http::Proxy "{OTHER}";',
        f'Acquire::http::Proxy::mirror.example "{CACHE}";',
        f'Acquire::https::Proxy::mirror.example "{OTHER}";',
    )


@pytest.mark.parametrize(
    ("says", "proxy"), [("DIRECT", ""), ("", OTHER), ("# no idea", OTHER), ("ftp://x", OTHER)]
)
def test_what_it_may_say(tmp_path: Path, says: str, proxy: str) -> None:
    detect = program(tmp_path / "detect", f"echo '{says}'")
    proxies = Proxies((Setting("http", "", OTHER),), (("http", detect),))
    assert proxies.for_address(MIRROR) == proxy


def test_one_that_fails_or_never_ends_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = program(tmp_path / "broken", "exit 3")
    with pytest.raises(ChrootError, match=r"proxy of apt: .*/broken failed \(3\)") as caught:
        Proxies((), (("http", broken),)).for_address(MIRROR)
    assert "--proxy none" in caught.value.hint
    with pytest.raises(ChrootError, match="is not installed"):
        Proxies((), (("http", str(tmp_path / "absent")),)).for_address(MIRROR)
    monkeypatch.setattr(apt_proxy, "_DETECTING", 0.2)
    endless = program(tmp_path / "endless", "exec sleep 1000")
    with pytest.raises(ChrootError, match="did not end"):
        Proxies((), (("http", endless),)).for_address(MIRROR)


def test_the_environment_of_programs_is_what_was_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTPS_PROXY", "no_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, OTHER)
    proxied, direct = apt_proxy.environment(CACHE), apt_proxy.environment("")
    assert proxied.items() - direct.items() == {("http_proxy", CACHE), ("https_proxy", CACHE)}
    assert not [name for name in direct if "proxy" in name.lower()]
    assert direct["PATH"]


def test_passwords_are_seen_and_never_shown() -> None:
    secret = "http://me:secret@cache.example:3142/"
    assert apt_proxy.shown(secret) == "cache.example:3142"
    assert apt_proxy.has_password(Proxies(wanted=secret).apt_lines([]))
    assert not apt_proxy.has_password(Proxies(wanted=CACHE).apt_lines([]))
    assert os.environ.get("http_proxy") is None
