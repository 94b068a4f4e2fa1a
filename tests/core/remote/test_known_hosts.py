"""The names that a host is completed by: those of ssh_config and of the known hosts, no others."""

from __future__ import annotations

from pathlib import Path

import pytest

from chroot_tool.core.remote import known_hosts


@pytest.fixture
def ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's ~/.ssh; the host's own files are left out."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(known_hosts, "_CONFIGS", known_hosts._CONFIGS[:1])
    monkeypatch.setattr(known_hosts, "_KNOWN", known_hosts._KNOWN[:1])
    (tmp_path / ".ssh").mkdir()
    return tmp_path / ".ssh"


def test_names_of_the_configuration_with_what_it_includes(ssh: Path) -> None:
    (ssh / "config").write_text(
        'Host build1 "build2"\n  Port 22\nhost=build3\nHost *.example !no b?\nInclude more/*\n'
    )
    (ssh / "more").mkdir()
    # And round again.
    (ssh / "more/farm").write_text("Host farm1\n\n \t\nHost\tfarm2\tfarm3\nInclude ../config\n")
    assert known_hosts.names() == ("build1", "build2", "build3", "farm1", "farm2", "farm3")


def test_known_hosts_with_hashed_ones_left_out(ssh: Path) -> None:
    (ssh / "known_hosts").write_text(
        "web1,web2 ssh-ed25519 AAAA\n"
        "|1|aGFzaA==|aGFzaA== ssh-ed25519 AAAA\n"
        "@cert-authority *.example ssh-ed25519 AAAA\n"
        "@revoked old ssh-ed25519 AAAA\n"
        "# web3 ssh-ed25519 AAAA\n"
        "[web4]:2222,[192.0.2.1]:2222 ssh-ed25519 AAAA\n"  # which `ssh [web4]:2222` is not
        "half\n"
    )
    assert known_hosts.names() == ("old", "web1", "web2")


def test_what_is_no_name_is_none(ssh: Path) -> None:
    (ssh / "config").write_bytes(b"Host -oProxyCommand=x good \x1b[2J \xff\n")
    names = known_hosts.names()
    assert "good" in names
    assert not any(name.startswith("-") or "\x1b" in name for name in names)


def test_without_any_there_are_none(ssh: Path) -> None:
    assert known_hosts.names() == ()
