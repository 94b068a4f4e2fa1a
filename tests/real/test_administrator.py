"""What an administrator allows: by descriptor, whatever name leads there."""

from __future__ import annotations

import ctypes
import os
import subprocess
import threading
from pathlib import Path

import pytest

from chroot_tool.core import chroot
from chroot_tool.core.chroot import open_chroot
from chroot_tool.core.errors import ChrootError, PolicyError
from chroot_tool.core.local_engine import LocalEngine
from chroot_tool.core.mounts.apply import apply
from chroot_tool.core.mounts.limits import limits_of
from chroot_tool.core.verbs.on import plan_for
from chroot_tool.core.verbs.shared.switching import configuration
from support import Cli, mounts_below
from support.trees import access_list

pytestmark = pytest.mark.root


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    """The administrator's directory."""
    folder = tmp_path / "etc"
    folder.mkdir()
    return folder


@pytest.fixture
def admin(cli: Cli, etc: Path) -> Cli:
    return cli.administered(etc)


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """Some of the host's directories."""
    folder = tmp_path / "host"
    for name in ("open/deep", "secret/deep"):
        (folder / name).mkdir(parents=True)
    (folder / "secret/file").write_text("precious")
    (folder / "open/file").write_text("free")
    return folder


def policy(etc: Path, text: str) -> None:
    (etc / "policy.toml").write_text(text)


def configure(root: Path, text: str) -> None:
    (root / "chroot.d/tool.conf").write_text(f"[bind]\n{text}\n")


def mount(*words: str | Path) -> None:
    subprocess.run(["mount", *words], check=True)


def refused(cli: Cli, root: Path, *words: str) -> str:
    """See that it is refused with exit 3 and nothing is mounted; return what is said."""
    done = cli(*(words or ("on",)), "-d", root)
    assert done.returncode == 3, done
    assert mounts_below(root) == []
    return done.stderr


# -- by what name ever --------------------------------------------------------------------------


@pytest.mark.slow
def test_both_places_are_told(admin: Cli, tiny_chroot: Path, etc: Path, host: Path) -> None:
    policy(etc, f'# no\ndeny_sources = ["{host}/secret"]\n')
    configure(tiny_chroot, f"tgt:/run/x fs:tmpfs\nsrc:{host}/secret tgt:/x")
    said = refused(admin, tiny_chroot)
    assert said == (
        f"chroot-tool: {tiny_chroot}/chroot.d/tool.conf:3: {host}/secret is not to be bound at /x: "
        f"{etc}/policy.toml:2: deny_sources has {host}/secret\nhint: remove the entry\n"
    )
    for words in (["on", "--dry-run"], ["run", "/bin/true"], ["run", "-x", "/bin/true"]):
        assert refused(admin, tiny_chroot, *words) == said


NAMES = {
    "itself": "secret",
    "a directory in it": "secret/deep",
    "a file in it": "secret/file",
    "dots": "open/deep/../../secret",
    "a link": "link",
    "a link on the way": "link/deep",
    "a chain of links": "chain",
    "/proc/self/root": "/proc/self/root{host}/secret",
    "/proc/self/cwd": "/proc/self/cwd/../../../../../../../../../..{host}/secret",
    "another mount of it": "other/secret",
    "another mount of a part": "part",
    "what is above": "",
    "the root of its file system": "{top}",
    "the host's root": "/",
}


@pytest.mark.parametrize("options", ["private", "rbind", "rbind,slave", "ro"])
@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_no_name_leads_around_what_is_denied(
    admin: Cli, tiny_chroot: Path, etc: Path, host: Path, tmp_path: Path, name: str, options: str
) -> None:
    (host / "link").symlink_to("secret")
    (host / "chain").symlink_to("open/../link")
    for other in ("other", "part"):
        (host / other).mkdir()
    mount("--bind", host, host / "other")
    mount("--bind", host / "secret/deep", host / "part")
    policy(etc, f'deny_sources = ["{host}/secret"]\n')
    top = next(path for path in host.parents if path.is_mount())
    source = os.path.join(host, name.format(host=host, top=top))
    if source == "/" != str(top):  # what is mounted below it comes along by rbind alone
        options = options if "rbind" in options else f"rbind,{options}"
    configure(tiny_chroot, f"src:{source} tgt:/x opt:{options}")
    try:
        assert f"deny_sources has {host}/secret" in refused(admin, tiny_chroot)
    finally:
        for other in ("other", "part"):
            subprocess.run(["umount", host / other], check=True)


@pytest.mark.slow
def test_what_is_not_denied_is_bound(admin: Cli, tiny_chroot: Path, etc: Path, host: Path) -> None:
    policy(etc, f'deny_sources = ["{host}/secret"]\n')
    configure(tiny_chroot, f"src:{host}/open tgt:/x opt:rbind ; src:{host}/open/file tgt:/y")
    admin.ok("on", "-d", tiny_chroot)
    assert (tiny_chroot / "x/file").read_text() == "free"
    assert (tiny_chroot / "y").read_text() == "free"
    assert admin.json("status", "-d", tiny_chroot)["problems"] == []
    admin.ok("run", "-x", "/bin/true", "-d", tiny_chroot)


@pytest.mark.slow
def test_a_mount_below_what_is_denied_is_denied(
    admin: Cli, tiny_chroot: Path, etc: Path, host: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    mount("-t", "tmpfs", "x", host / "secret/deep")
    mount("--bind", host / "secret/deep", elsewhere)
    policy(etc, f'deny_sources = ["{host}/secret"]\n')
    try:
        for source in (host / "secret/deep", elsewhere):
            configure(tiny_chroot, f"src:{source} tgt:/x")
            refused(admin, tiny_chroot)
        for options in ("private", "rbind", "slave"):
            # Without what is mounted there, what that hides is shown.
            policy(etc, f'deny_sources = ["{host}/secret/deep"]\n')
            configure(tiny_chroot, f"src:{host}/secret tgt:/x opt:{options}")
            refused(admin, tiny_chroot)
        policy(etc, f'deny_sources = ["{elsewhere}"]\n')
        configure(tiny_chroot, f"src:{host}/secret tgt:/x opt:rbind")
        refused(admin, tiny_chroot)
    finally:
        subprocess.run(["umount", elsewhere], check=True)
        subprocess.run(["umount", host / "secret/deep"], check=True)


@pytest.mark.slow
def test_only_what_is_allowed(admin: Cli, tiny_chroot: Path, etc: Path, host: Path) -> None:
    policy(etc, f'allow_sources = ["{host}/open"]\n')
    (host / "open/link").symlink_to(host / "secret")
    (host / "openly").mkdir()
    for source in ("secret", "openly", "open/link", "open/../secret", "open/..", ""):
        configure(tiny_chroot, f"src:{host}/{source} tgt:/x")
        assert f"allow_sources has {host}/open" in refused(admin, tiny_chroot)
    configure(tiny_chroot, f"src:{host}/open/deep tgt:/x")
    admin.ok("on", "-d", tiny_chroot)


@pytest.mark.slow
def test_a_link_that_others_can_set_widens_nothing(
    admin: Cli, tiny_chroot: Path, etc: Path, host: Path
) -> None:
    """Who owns a directory that is allowed could else have it lead to all of the host."""
    os.chown(host / "open", 1000, 1000)
    (host / "open/mine").symlink_to("/")
    os.chown(host / "open/mine", 1000, 1000, follow_symlinks=False)
    policy(etc, f'allow_sources = ["{host}/open/mine"]\n')
    for source in (host / "secret", host / "open/mine"):
        configure(tiny_chroot, f"src:{source} tgt:/x")
        refused(admin, tiny_chroot)
    policy(etc, f'deny_sources = ["{host}/open/mine"]\n')  # nor can he have all of it denied
    configure(tiny_chroot, f"src:{host}/secret tgt:/x")
    admin.ok("on", "-d", tiny_chroot)


@pytest.mark.slow
def test_read_only_sources(admin: Cli, tiny_chroot: Path, etc: Path, host: Path) -> None:
    policy(etc, f'read_only_sources = ["{host}/secret"]\n')
    for source in ("secret", "secret/deep", ""):
        configure(tiny_chroot, f"src:{host}/{source} tgt:/x")
        assert "add the option ro" in refused(admin, tiny_chroot)
    configure(tiny_chroot, f"src:{host}/secret tgt:/x opt:ro,slave")
    refused(admin, tiny_chroot)
    configure(tiny_chroot, f"src:{host}/secret tgt:/x opt:ro")
    admin.ok("on", "-d", tiny_chroot)
    with pytest.raises(OSError, match="Read-only"):
        (tiny_chroot / "x/new").touch()


@pytest.mark.slow
@pytest.mark.parametrize("said", ["allow_fs = []", 'deny_sources = ["/nowhere"]'])
def test_other_types_that_could_show_the_same(
    admin: Cli, tiny_chroot: Path, etc: Path, host: Path, said: str
) -> None:
    policy(etc, said)
    entry = f'tgt:/x fs:overlay src:overlay opt:"lowerdir={host}/secret:{host}/open"'
    configure(tiny_chroot, entry)
    assert "type overlay is not allowed at /x" in refused(admin, tiny_chroot)
    configure(tiny_chroot, "tgt:/x fs:tmpfs")
    if "deny" in said:
        admin.ok("on", "-d", tiny_chroot)
        admin.ok("off", "-d", tiny_chroot)
    else:
        refused(admin, tiny_chroot)
    policy(etc, f'{said}\nallow_fs = ["overlay"]' if "deny" in said else 'allow_fs = ["overlay"]')
    configure(tiny_chroot, entry)
    admin.ok("on", "-d", tiny_chroot)


@pytest.mark.slow
def test_the_hosts_dev(admin: Cli, tiny_chroot: Path, etc: Path) -> None:
    toml = tiny_chroot / "chroot.d/chroot.toml"
    toml.write_text('\n[system]\ndev = "host"\n')
    policy(etc, 'allow_dev = "private"\n')
    assert f"{toml}:3: the host's /dev is not allowed at /dev: " in refused(admin, tiny_chroot)
    toml.unlink()
    for entry in ("src:/dev", "src:/dev/null", "src:/dev opt:rbind", "fs:devtmpfs src:x", "src:/"):
        configure(tiny_chroot, f"{entry} tgt:/x" + ("" if "opt" in entry else " opt:rbind"
                                                    if entry == "src:/" else ""))  # fmt: skip
        refused(admin, tiny_chroot)
    policy(etc, 'allow_dev = "private"\nallow_sources = ["/dev/null"]\n')
    configure(tiny_chroot, "src:/dev/null tgt:/x")
    admin.ok("on", "-d", tiny_chroot)


def test_a_source_that_becomes_a_link_meanwhile_is_seen_when_it_is_opened(
    tiny_chroot: Path, etc: Path, host: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planned with the one, bound when it is the other: what is open is looked at."""
    monkeypatch.setattr(chroot, "ADMINISTRATOR", str(etc))
    policy(etc, f'deny_sources = ["{host}/secret"]\n')
    configure(tiny_chroot, f"src:{host}/place tgt:/x")
    (host / "place").mkdir()
    with open_chroot(str(tiny_chroot)) as root:
        config = configuration(root)
        plan, table = plan_for(root, config, limits_of(root.path, config))
        (host / "place").rmdir()
        (host / "place").symlink_to("secret")
        with pytest.raises(PolicyError, match="deny_sources has"):
            apply(root, plan, table, lambda _event: None)
    assert mounts_below(tiny_chroot) == []


@pytest.mark.slow
def test_a_source_that_is_swapped_all_the_time_never_shows_what_is_denied(
    tiny_chroot: Path, etc: Path, host: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chroot, "ADMINISTRATOR", str(etc))
    policy(etc, f'deny_sources = ["{host}/secret"]\n')
    configure(tiny_chroot, f"src:{host}/place tgt:/x")
    (host / "place").mkdir()
    (host / "link").symlink_to("secret")
    engine, end, outcomes = LocalEngine(str(tmp_path)), threading.Event(), set[str]()
    swapping = threading.Thread(target=swap, args=(host / "place", host / "link", end))
    swapping.start()
    try:
        for _ in range(60):
            try:
                engine.on(str(tiny_chroot))
                outcomes.add("on")
            except PolicyError:
                outcomes.add("refused")
            except ChrootError:
                outcomes.add("failed")  # it was none of both just then
            assert not (tiny_chroot / "x/file").exists()
            engine.off(str(tiny_chroot), stop=False)
    finally:
        end.set()
        swapping.join()
    assert "refused" in outcomes


def swap(one: Path, other: Path, end: threading.Event) -> None:
    libc = ctypes.CDLL(None)
    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    while not end.is_set():
        libc.renameat2(here, os.fsencode(one), here, os.fsencode(other), exchange)


# -- what is asked for where --------------------------------------------------------------------


def test_a_bind_of_the_command_line_and_one_of_another_configuration(
    admin: Cli, tiny_chroot: Path, etc: Path, host: Path, tmp_path: Path
) -> None:
    policy(etc, f'deny_sources = ["{host}/secret"]\n')
    bind = f"{host}/secret:/x"
    assert "chroot-tool: command line: " in refused(admin, tiny_chroot, "on", "-b", bind)
    other = tmp_path / "other"
    other.mkdir()
    (other / "tool.conf").write_text(f"[bind]\nsrc:{host}/secret tgt:/x\n")
    assert f"{other}/tool.conf:2: " in refused(admin, tiny_chroot, "on", "-c", str(other))


@pytest.mark.slow
def test_what_is_on_already_is_refused_to_run_and_shown(
    cli: Cli, admin: Cli, tiny_chroot: Path, etc: Path, host: Path
) -> None:
    configure(tiny_chroot, f"src:{host}/secret tgt:/x")
    cli.ok("on", "-d", tiny_chroot)
    policy(etc, f'deny_sources = ["{host}"]\n')
    assert admin("run", "/bin/true", "-d", tiny_chroot).returncode == 3
    one = admin.json("status", "-d", tiny_chroot)
    (bound,) = [m for m in one["mounts"] if m["target"] == "/x"]
    assert bound["state"] == "drifted"
    assert f"{etc}/policy.toml:1: deny_sources has {host}" in bound["reason"]
    assert [p["hint"] for p in one["problems"]] == ["remove the entry"]
    assert "deny_sources has" in admin.ok("status", "-d", tiny_chroot)
    assert admin.json("list", "--base", tiny_chroot.parent)[0]["problems"] == one["problems"]
    admin.ok("bind", "remove", "--target", "/x", "-d", tiny_chroot)
    admin.ok("off", "-d", tiny_chroot)


def test_who_watches_sees_the_policy_change(
    tiny_chroot: Path, etc: Path, host: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chroot, "ADMINISTRATOR", str(etc))
    configure(tiny_chroot, f"src:{host}/secret tgt:/x")
    watcher = LocalEngine(str(tiny_chroot.parent)).follow()
    try:
        assert [one.problems for one in watcher.snapshot().chroots] == [()]
        policy(etc, f'deny_sources = ["{host}/secret"]\n')
        watcher.wait()
        (one,) = watcher.snapshot().chroots
        assert "deny_sources has" in one.problems[0].message
    finally:
        watcher.close()


def test_one_bind_and_a_sync_are_refused_too(
    tiny_chroot: Path, etc: Path, host: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = LocalEngine(str(tmp_path))
    engine.on(str(tiny_chroot))
    before = engine.config(str(tiny_chroot)).binds
    configure(tiny_chroot, f"src:{host}/secret tgt:/x")
    monkeypatch.setattr(chroot, "ADMINISTRATOR", str(etc))
    policy(etc, f'deny_sources = ["{host}/secret"]\n')
    path = str(tiny_chroot)
    with pytest.raises(PolicyError):
        engine.switch_bind(path, "/x", on=True)
    with pytest.raises(PolicyError):
        engine.binds(path).sync(before)
    with pytest.raises(PolicyError):
        engine.plan_on(path)
    assert not (tiny_chroot / "x/file").exists()
    engine.switch_bind(path, "/tmp", on=False)


@pytest.mark.slow
def test_an_entry_that_is_not_allowed_is_not_written(
    admin: Cli, tiny_chroot: Path, etc: Path, host: Path
) -> None:
    policy(etc, f'deny_sources = ["{host}/secret"]\n')
    words = ("bind", "add", "-d", tiny_chroot, "--target", "/x", "--source")
    for source in ("secret", "secret/not-there-yet", "open/../secret"):
        done = admin(*words, host / source)
        assert done.returncode == 3, done
        assert f"{etc}/policy.toml:1: deny_sources has {host}/secret" in done.stderr
    assert not (tiny_chroot / "chroot.d/chroot.toml").exists()
    configure(tiny_chroot, f"src:{host}/secret tgt:/old")  # what stands there can go, or be kept
    admin.ok(*words, host / "open")
    admin.ok("bind", "remove", "--target", "/old", "-d", tiny_chroot)


@pytest.mark.slow
def test_rules_for_some_chroots(admin: Cli, tiny_chroot: Path, etc: Path, host: Path) -> None:
    configure(tiny_chroot, f"src:{host}/secret tgt:/x")
    (host / "base").symlink_to(tiny_chroot.parent)
    policy(etc, f'[[chroot]]\nmatch = "{host}/base/t*"\nallow_sources = []\n')
    assert f"{etc}/policy.toml:3: allow_sources has nothing" in refused(admin, tiny_chroot)
    policy(etc, f'[[chroot]]\nmatch = "{host}/base/x*"\nallow_sources = []\n')
    admin.ok("on", "-d", tiny_chroot)


# -- the policy itself --------------------------------------------------------------------------


def spoil(etc: Path, how: str) -> None:
    file = etc / "policy.toml"
    file.write_text("")
    if how == "mistake":
        file.write_text("\ndeny_surces = []\n")
    elif how == "another's":
        os.chown(file, 1000, 0)
    elif how == "group":
        file.chmod(0o664)
    elif how == "all":
        file.chmod(0o646)
    elif how == "directory":
        etc.chmod(0o777)
    elif how == "sticky directory":
        file.unlink()
        etc.chmod(0o1777)
    elif how == "above":
        etc.parent.chmod(0o775)
    elif how == "list":
        os.setxattr(file, "system.posix_acl_access", access_list(6, 6, 4, 6, 4))
    elif how == "link":
        file.unlink()
        file.symlink_to("nowhere")
    elif how == "directory itself":
        file.unlink()
        file.mkdir()


SPOILT = {
    "mistake": "policy.toml:2: unknown key 'deny_surces'",
    "another's": "policy.toml is not root's alone: belongs to",
    "group": "can be written by the group root",
    "all": "policy.toml is not root's alone: can be written by everybody",
    "directory": "can be written by everybody",
    "sticky directory": "can be written by everybody",
    "above": "can be written by the group root",
    "link": "policy.toml leads nowhere",
    "directory itself": "policy.toml is no regular file",
}


@pytest.mark.slow
@pytest.mark.parametrize("how", SPOILT)
def test_a_policy_that_cannot_be_relied_on_refuses_all_that_mounts(
    cli: Cli, admin: Cli, tiny_chroot: Path, etc: Path, how: str
) -> None:
    spoil(etc, how)
    for words in (["on"], ["on", "-n"], ["run", "/bin/true"], ["run", "-x", "/bin/true"]):
        words = ["on", "--dry-run"] if words[-1] == "-n" else words
        said = refused(admin, tiny_chroot, *words)
        assert SPOILT[how] in said, said
        assert "Traceback" not in said
    cli.ok("on", "-d", tiny_chroot)
    assert SPOILT[how] in admin.ok("status", "-d", tiny_chroot)
    (one,) = admin.json("list", "--base", tiny_chroot.parent)
    # Where others can write the directory, what is configured is not known either.
    assert one["state"] == ("broken" if how in ("directory", "sticky directory", "above") else "on")
    admin.ok("off", "-d", tiny_chroot)
    admin.ok("delete", "--yes", "-d", tiny_chroot)


def test_no_variable_and_no_setting_leads_elsewhere(cli: Cli, etc: Path, tiny_chroot: Path) -> None:
    spoil(etc, "mistake")
    env = {"CHROOT_TOOL_ADMINISTRATOR": str(etc), "CHROOT_TOOL_POLICY": str(etc / "policy.toml")}
    cli.ok("on", "-d", tiny_chroot, env=env)


# -- host-cmd -----------------------------------------------------------------------------------


@pytest.fixture
def ran(tiny_chroot: Path, tmp_path: Path) -> Path:
    """A host-cmd that leaves a file; the file."""
    file = tiny_chroot / "chroot.d/host-cmd"
    file.write_text(f'#!/bin/sh\necho "$0" >"{tmp_path}/ran"\n')
    file.chmod(0o755)
    return tmp_path / "ran"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("weak", "mode", "owner"),
    [
        ("chroot.d/host-cmd", 0o755, 1000), ("chroot.d/host-cmd", 0o775, 0),
        ("chroot.d/host-cmd", 0o757, 0), ("chroot.d", 0o755, 1000), ("chroot.d", 0o775, 0),
        ("chroot.d", 0o777, 0), (".", 0o755, 1000), (".", 0o777, 0),
    ],
)  # fmt: skip
def test_host_cmd_is_run_only_where_root_alone_can_write_it(
    cli: Cli, tiny_chroot: Path, ran: Path, weak: str, mode: int, owner: int
) -> None:
    place = tiny_chroot / weak
    place.chmod(mode)
    os.chown(place, owner, 0)
    done = cli("run", "/bin/true", "-d", tiny_chroot)
    assert done.returncode == 3
    assert f"{tiny_chroot}/chroot.d/host-cmd is not run on the host: {place} " in done.stderr
    mend = done.stderr.partition("hint: ")[2].strip()
    assert not ran.exists()
    events = cli.events("off", "-d", tiny_chroot)
    assert [e for e in events if e["event"] == "warning"]
    assert not ran.exists()
    subprocess.run(["sh", "-c", mend], check=True)
    cli.ok("run", "/bin/true", "-d", tiny_chroot)
    assert ran.exists()


def test_a_host_cmd_by_a_link_that_others_can_set_is_not_run(
    cli: Cli, tiny_chroot: Path, ran: Path
) -> None:
    (tiny_chroot / "opt").mkdir()
    (tiny_chroot / "opt").chmod(0o777)
    (tiny_chroot / "chroot.d/host-cmd").rename(tiny_chroot / "bin/tool")
    (tiny_chroot / "opt/way").symlink_to("/bin/tool")
    (tiny_chroot / "chroot.d/host-cmd").symlink_to("/opt/way")
    assert cli("run", "/bin/true", "-d", tiny_chroot).returncode == 3
    (tiny_chroot / "opt").chmod(0o1777)  # root's link in it is root's
    cli.ok("run", "/bin/true", "-d", tiny_chroot)
    ran.unlink()
    os.chown(tiny_chroot / "opt/way", 1000, 0, follow_symlinks=False)
    assert cli("run", "/bin/true", "-d", tiny_chroot).returncode == 3
    assert not ran.exists()


@pytest.mark.slow
def test_where_others_can_exchange_the_chroot_its_host_cmd_is_run_all_the_same(
    cli: Cli, tiny_chroot: Path, ran: Path
) -> None:
    cli.ok("run", "/bin/true", "-d", tiny_chroot)
    assert ran.read_text() == f"{tiny_chroot}/chroot.d/host-cmd\n"
    ran.unlink()
    tiny_chroot.parent.chmod(0o777)
    cli.ok("run", "/bin/true", "-d", tiny_chroot)
    assert ran.read_text().startswith("/proc/self/fd/")
    cli.ok("off", "-d", tiny_chroot)


@pytest.mark.slow
def test_host_cmd_by_policy(admin: Cli, tiny_chroot: Path, ran: Path, etc: Path) -> None:
    for said in ("allow_host_cmd = false", "allow_sources = []"):
        policy(etc, said)
        done = admin("run", "/bin/true", "-d", tiny_chroot)
        assert done.returncode == 3
        assert f"host-cmd is not to be run: {etc}/policy.toml:1: " in done.stderr
    policy(etc, "allow_sources = []\nallow_host_cmd = true")
    admin.ok("run", "/bin/true", "-d", tiny_chroot)
    assert ran.exists()
