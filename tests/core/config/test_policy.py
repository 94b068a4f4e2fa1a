"""policy.toml: what an administrator can say, and every mistake with its place."""

from __future__ import annotations

import pytest

from chroot_tool.core.config.policy import HOST, PRIVATE, Rule, Rules, matches, parse
from chroot_tool.core.errors import PolicyError

FILE = "/etc/chroot-tool/policy.toml"


def rules(text: str, path: str = "/srv/chroot/deb") -> Rules:
    return parse(text.encode(), FILE).for_chroot(path, lambda path: path)


def mistakes(text: str) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        parse(text.encode(), FILE)
    return [problem.message for problem in caught.value.problems]


def test_a_file_that_says_nothing_restricts_nothing() -> None:
    assert rules("# nothing\n") == Rules(FILE)
    assert Rules(FILE).about_sources is None


def test_every_key_with_its_line() -> None:
    found = rules(
        'allow_sources = ["/srv//data/", "/home"]\n'
        'deny_sources = [\n  "/etc",\n  "/root",\n]\n'
        'read_only_sources = ["/usr"]\n'
        'allow_fs = ["tmpfs", "ext4"]\n'
        'allow_dev = "host"\n'
        "allow_host_cmd = true\n"
    )
    assert found.allow_sources == (Rule("/srv/data", 1), Rule("/home", 1))
    assert found.deny_sources == (Rule("/etc", 3), Rule("/root", 4))
    assert found.read_only_sources == (Rule("/usr", 6),)
    assert (found.allow_fs, found.fs_line) == (("tmpfs", "ext4"), 7)
    assert found.allow_dev == Rule(HOST, 8)
    assert (found.allow_host_cmd, found.host_cmd_line) == (True, 9)


def test_no_source_at_all_is_another_thing_than_any() -> None:
    assert rules("allow_sources = []").allow_sources == ()
    assert rules("").allow_sources is None
    assert rules("allow_fs = []").allow_fs == ()


CHROOTS = """
deny_sources = ["/etc"]
allow_sources = ["/srv/data"]
allow_dev = "private"

[[chroot]]
match = "/srv/chroot/*"
deny_sources = ["/srv/data/secret"]
allow_host_cmd = true

[[chroot]]
match = ["/srv/chroot/build-*", "/home/*/build"]
allow_sources = ["/home"]
allow_dev = "host"
"""


@pytest.mark.parametrize(
    ("path", "denied", "allowed", "dev", "host_cmd"),
    [
        ("/elsewhere/deb", ["/etc"], ["/srv/data"], PRIVATE, None),
        ("/srv/chroot/deb", ["/etc", "/srv/data/secret"], ["/srv/data"], PRIVATE, True),
        ("/srv/chroot/build-1", ["/etc", "/srv/data/secret"], ["/home"], HOST, True),
        ("/home/me/build", ["/etc"], ["/home"], HOST, None),
        ("/home/me/deep/build", ["/etc"], ["/srv/data"], PRIVATE, None),
    ],
)
def test_what_forbids_adds_up_and_of_what_allows_the_last_counts(
    path: str, denied: list[str], allowed: list[str], dev: str, host_cmd: bool | None
) -> None:
    found = rules(CHROOTS, path)
    assert [rule.value for rule in found.deny_sources] == denied
    assert [rule.value for rule in found.allow_sources or ()] == allowed
    assert found.allow_dev is not None
    assert found.allow_dev.value == dev
    assert found.allow_host_cmd is host_cmd


def test_a_pattern_that_begins_with_a_link_means_where_it_leads() -> None:
    policy = parse(b'[[chroot]]\nmatch = "/srv/chroot/*"\nallow_fs = []\n', FILE)
    found = policy.for_chroot("/data/chroot/deb", lambda path: path.replace("/srv", "/data"))
    assert found.allow_fs == ()


@pytest.mark.parametrize(
    ("path", "pattern", "does"),
    [
        ("/srv/deb", "/srv/deb", True),
        ("/srv/deb", "/srv/d*", True),
        ("/srv/x/deb", "/srv/*", False),
        ("/srv/deb", "/*/deb", True),
        ("/srv/Deb", "/srv/deb", False),
        ("/srv/a[b]", "/srv/a[[]b]", True),
    ],
)
def test_a_pattern_matches_by_components(path: str, pattern: str, does: bool) -> None:
    assert matches(path, pattern) is does


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("deny_source = ['/etc']", 1, "unknown key 'deny_source'"),
        ("\nallow_dev = 'hots'", 2, "'hots', expected one of 'private', 'host'"),
        ("allow_host_cmd = 'yes'", 1, "expected true or false"),
        ("allow_sources = '/srv'", 1, "expected an array"),
        ("allow_sources = [\n1]", 2, "expected strings only"),
        ("deny_sources = [\n'/a',\n'etc']", 3, "'etc' in deny_sources, expected an absolute"),
        ("deny_sources = ['/a/../etc']", 1, "without '..'"),
        ("[[chroot]]\nallow_fs = []", 1, "a chroot without match"),
        ("[[chroot]]\nmatch = 'deb'", 2, "'deb' in match"),
        ("[[chroot]]\nmatch = 3", 2, "match is an integer"),
        ("[[chroot]]\nmatch = '/a'\nbase = 1", 3, "unknown key 'base'"),
        ("[chroot]\nmatch = '/a'", 1, "expected [[chroot]]"),
        ("allow_sources = [", 1, "expected TOML"),
    ],
)
def test_a_mistake_is_told_with_its_line(text: str, line: int, said: str) -> None:
    found = mistakes(text)
    assert any(f"{FILE}:{line}: " in one and said in one for one in found), found


def test_all_mistakes_are_told_at_once() -> None:
    assert len(mistakes("a = 1\nb = 2\nallow_dev = 3\n")) == 3
