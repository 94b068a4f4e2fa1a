"""Both files and the system points together: what is wanted of a chroot in the end."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chroot_tool.core.config.bind import CHROOT_TOML, COMMAND_LINE, SYSTEM, TOOL_CONF, Bind
from chroot_tool.core.config.chroot_toml_values import RunDefaults, SystemSettings
from chroot_tool.core.config.merge import Config, merge, parse, parse_bind_argument
from chroot_tool.core.config.system_points import system_points
from chroot_tool.core.errors import MOST_PROBLEMS, ConfigError, UsageError
from chroot_tool.core.host.mount_points import HostFacts, host_facts
from support import CHECKOUT

HOST = HostFacts(journal=True, resolv="/run/systemd/resolve/stub-resolv.conf")
BARE = HostFacts(journal=False, resolv="")

RESOLV = "/etc/resolv.conf"
TABLE = [
    Bind("/proc", "/proc"),
    Bind("/sys", "/sys"),
    Bind("/dev", "none", "tmpfs", ("nosuid", "mode=0755"), nodes=True),
    Bind(
        "/dev/pts", "devpts", "devpts",
        ("nosuid", "noexec", "ptmxmode=0666", "mode=0620", "gid=5"),
    ),
    Bind("/dev/shm", "none", "tmpfs", ("nosuid", "nodev")),
    Bind("/run", "none", "tmpfs", ("nosuid", "nodev", "noexec", "mode=0755")),
    Bind("/tmp", "none", "tmpfs", ("nosuid", "nodev", "mode=1777")),
    Bind("/run/systemd/journal", "/run/systemd/journal"),
    Bind(RESOLV, "/run/systemd/resolve/stub-resolv.conf", options=("ro",)),
]  # fmt: skip


def config(
    tool_conf: str | None = None,
    chroot_toml: str | None = None,
    host: HostFacts = BARE,
    conf_sh: bool = False,
    extra: tuple[Bind, ...] = (),
) -> Config:
    return parse(
        None if tool_conf is None else tool_conf.encode(),
        None if chroot_toml is None else chroot_toml.encode(),
        where="/srv/deb/chroot.d", conf_sh=conf_sh, host=host, extra=extra,
    )  # fmt: skip


def at(target: str, found: Config) -> Bind:
    (bind,) = [bind for bind in found.binds if bind.target == target]
    return bind


def test_system_points() -> None:
    assert list(system_points(SystemSettings(), HOST)) == TABLE


def test_system_points_of_a_bare_host() -> None:
    points = {bind.target: bind for bind in system_points(SystemSettings(), BARE)}
    assert "/run/systemd/journal" not in points
    assert points[RESOLV] == Bind(RESOLV, RESOLV, options=("ro",), optional=True)


def test_dev_of_the_host() -> None:
    points = {bind.target: bind for bind in system_points(SystemSettings(dev="host"), HOST)}
    assert points["/dev"] == Bind("/dev", "devtmpfs", "devtmpfs", ("nosuid",))
    assert points["/dev/pts"].fs == "devpts"


@pytest.mark.parametrize(
    ("resolv", "host", "expected"),
    [
        ("copy", HOST, [Bind(RESOLV, HOST.resolv, "copy")]),
        ("copy", BARE, [Bind(RESOLV, RESOLV, "copy", optional=True)]),
        ("off", HOST, []),
    ],
)
def test_resolv(resolv: str, host: HostFacts, expected: list[Bind]) -> None:
    points = system_points(SystemSettings(resolv=resolv), host)
    assert [bind for bind in points if bind.target == RESOLV] == expected


def test_host_facts_are_this_hosts() -> None:
    facts = host_facts()
    assert facts.journal == os.path.isdir("/run/systemd/journal")
    if facts.resolv:
        assert os.path.samefile(facts.resolv, RESOLV)
        assert not os.path.islink(facts.resolv)
    else:
        assert not os.path.exists(RESOLV)


def test_no_files_is_the_system_points() -> None:
    assert config(host=HOST) == Config(tuple(sorted(TABLE, key=lambda b: b.target.split("/"))))


def test_later_layers_replace_whole_entries() -> None:
    found = config(
        "[bind]\nsrc:/1 tgt:/a opt:ro\nsrc:/1 tgt:/b\nsrc:/1 tgt:/tmp\nsrc:/1 tgt:/c\n",
        '[[bind]]\nsource = "/2"\ntarget = "/b/"\n[[bind]]\nsource = "/2"\ntarget = "/c"\n',
        extra=(Bind("/c", "/3", origin=COMMAND_LINE),),
    )
    assert at("/a", found) == Bind("/a", "/1", options=("ro",), origin=TOOL_CONF, line=2)
    assert at("/b", found) == Bind("/b", "/2", origin=CHROOT_TOML, line=1)
    assert at("/tmp", found) == Bind("/tmp", "/1", origin=TOOL_CONF, line=4)
    assert at("/c", found) == Bind("/c", "/3", origin=COMMAND_LINE)
    assert at("/proc", found).origin == SYSTEM


def test_ignored_until_a_later_one_brings_it_back() -> None:
    found = config(
        "[bind]\ntgt:/sys ignore:yes\ntgt:/a ignore:yes\ntgt:/a\ntgt:/b\ntgt:/b ignore:yes\n",
        '[[bind]]\ntarget = "/proc"\nignore = true\n[[bind]]\ntarget = "/b"\n',
        extra=(Bind("/proc", "/proc", origin=COMMAND_LINE),),
    )
    ignored = {bind.target: bind.ignored for bind in found.binds}
    assert (ignored["/sys"], ignored["/a"], ignored["/b"], ignored["/proc"]) == (
        True, False, False, False,
    )  # fmt: skip
    assert at("/sys", found).origin == TOOL_CONF


def test_what_only_ignores_shows_what_it_leaves_out() -> None:
    found = config("", '[[bind]]\ntarget = "/dev/shm"\nignore = true\n', extra=())
    assert at("/dev/shm", found) == Bind(
        "/dev/shm", "none", "tmpfs", ("nosuid", "nodev"), ignored=True, origin=CHROOT_TOML, line=1
    )
    found = config("", '[[bind]]\ntarget = "/tmp"\nsource = "/x"\nignore = true\n', extra=())
    assert at("/tmp", found).source == "/x"


TARGETS = st.lists(st.sampled_from(["a", "ab", "a b", "b", "-", "0"]), min_size=1, max_size=4).map(
    lambda names: "/" + "/".join(names)
)
LAYERS = st.lists(st.lists(st.builds(Bind, TARGETS, st.sampled_from(["/1", "/2"])), max_size=6))


@given(LAYERS)
def test_merge(layers: list[list[Bind]]) -> None:
    merged = merge(*layers)
    targets = [bind.target for bind in merged]
    everything = [bind for layer in layers for bind in layer]
    assert set(targets) == {bind.target for bind in everything}
    assert len(targets) == len(set(targets))
    for index, bind in enumerate(merged):
        assert bind == next(b for b in reversed(everything) if b.target == bind.target)
        assert not any(bind.target.startswith(f"{later}/") for later in targets[index + 1 :])
    assert merged == merge(sorted(merged, key=lambda bind: bind.target, reverse=True))


def test_merged_by_path_component() -> None:
    merged = merge([Bind(target, "/s") for target in ("/b", "/a b", "/a/b", "/a", "/ab")])
    assert [bind.target for bind in merged] == ["/a", "/a/b", "/a b", "/ab", "/b"]


def test_what_else_the_files_say() -> None:
    found = config(
        "[exclude]\nvar/cache/apt\n",
        'description = "d"\n[run]\nuser = "me"\ncwd = "/home"\nenv = { A = "1" }\n'
        '[system]\nresolv = "off"\n',
    )
    assert found.exclude == ("var/cache/apt",)
    assert found.description == "d"
    assert found.run == RunDefaults("me", "/home", (("A", "1"),))
    assert RESOLV not in [bind.target for bind in found.binds]
    assert found.problems == ()


def test_all_problems_of_both_files() -> None:
    with pytest.raises(ConfigError) as caught:
        config("[bind]\ntgt\ntgt:/a src:b\n", "[[bind]]\nx = 1\n", conf_sh=True)
    assert [problem.message.partition(": ")[0] for problem in caught.value.problems] == [
        "/srv/deb/chroot.d/tool.conf:2",
        "/srv/deb/chroot.d/tool.conf:3",
        "/srv/deb/chroot.d/chroot.toml:1",
        "/srv/deb/chroot.d/chroot.toml:2",
    ]


@pytest.mark.parametrize(
    ("tool_conf", "chroot_toml"),
    [
        ("[bind]\n" + "x;" * 500, None),
        ("x\n" * 500, None),
        (None, "".join(f"k{number} = 1\n" for number in range(500))),
        (None, "[[bind]]\ntarget = 1\n" * 500),
    ],
)
def test_a_flood_of_errors_is_cut_off(tool_conf: str | None, chroot_toml: str | None) -> None:
    with pytest.raises(ConfigError) as caught:
        config(tool_conf, chroot_toml)
    assert len(caught.value.problems) == MOST_PROBLEMS


@pytest.mark.parametrize("files", [('[bind]\ntgt:"/' + "a" * 9999, None), (None, "a" * 9999)])
def test_a_problem_is_short(files: tuple[str | None, str | None]) -> None:
    with pytest.raises(ConfigError) as caught:
        config(*files)
    assert len(caught.value.message) < 500


def test_the_examples_of_the_guide() -> None:
    guide = (CHECKOUT / "docs/configuration.md").read_text()
    fenced = dict(block.split("\n", 1) for block in guide.split("```")[1::2])
    assert [bind.target for bind in config(None, fenced["toml"]).binds if bind.line] == [
        "/media/usb", "/src", "/srv/packages", "/sys", "/var/cache/apt",
    ]  # fmt: skip
    assert [bind.target for bind in config(fenced[""]).binds if bind.line] == [
        "/data", "/srv/data", "/sys", "/var/cache", "/x",
    ]  # fmt: skip


def test_conf_sh_is_never_run_and_said_so() -> None:
    (problem,) = config(conf_sh=True).problems
    assert problem.message.startswith("/srv/deb/chroot.d/conf.sh is not read")
    assert "/srv/deb/chroot.d/chroot.toml" in problem.hint


@pytest.mark.parametrize(
    ("text", "bind"),
    [
        ("/a", Bind("/a", "/a")),
        ("/a:/b", Bind("/b", "/a")),
        ("/a b:/b/./c/", Bind("/b/c", "/a b")),
        ("/a:/b:ro,slave,rbind", Bind("/b", "/a", "bind", ("ro",), "slave", True)),
        ("/a:/b:", Bind("/b", "/a")),
        ("src:/a tgt:/b opt:ro", Bind("/b", "/a", options=("ro",))),
        (' tgt : "/a:b" ', Bind("/a:b", "/a:b")),
        ("tgt:/sys ignore:yes", Bind("/sys", "/sys", ignored=True)),
        ("fs:tmpfs tgt:/t opt:size=1M", Bind("/t", "none", "tmpfs", ("size=1M",))),
    ],
)
def test_bind_argument(text: str, bind: Bind) -> None:
    assert parse_bind_argument(text) == bind.replace(origin=COMMAND_LINE)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected SRC"),
        ("data", "expected SRC"),
        ("./data:/x", "expected SRC"),
        ("/a:/b:ro:x", "has 3 ':'"),
        ("/a:b", "target 'b'"),
        ("/a:/b:or", "option 'or'"),
        ("tgt:/a;tgt:/b", "more than one entry"),
        ("src:/a", "without tgt"),
        ("tgt:/a:/b", "':' after the value"),
        ("source:/a tgt:/b", "expected SRC"),
    ],
)
def test_bind_argument_that_is_wrong(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_bind_argument(text)
    assert message in caught.value.message
    assert caught.value.hint


def test_reading_a_tool_conf_imports_nothing_heavy() -> None:
    code = (
        "import sys; before = set(sys.modules)\n"
        "from chroot_tool.core.config.merge import *\n"
        "from chroot_tool.core.host.mount_points import host_facts\n"
        "parse(b'[bind]\\ntgt:/a\\n', None, where='', conf_sh=False, host=host_facts())\n"
        "print(*sorted(m for m in set(sys.modules) - before if not m.startswith('chroot_tool')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["__future__"]
