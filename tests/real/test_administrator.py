"""What an administrator allows: by descriptor, whatever name leads there."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from support import Cli, mounts_below

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
    source = name.format(host=host) if name.startswith("/") else f"{host}/{name}"
    configure(tiny_chroot, f"src:{source} tgt:/x opt:{options}")
    try:
        assert f"deny_sources has {host}/secret" in refused(admin, tiny_chroot)
    finally:
        for other in ("other", "part"):
            subprocess.run(["umount", host / other], check=True)


def test_what_is_not_denied_is_bound(admin: Cli, tiny_chroot: Path, etc: Path, host: Path) -> None:
    policy(etc, f'deny_sources = ["{host}/secret"]\n')
    configure(tiny_chroot, f"src:{host}/open tgt:/x opt:rbind ; src:{host}/open/file tgt:/y")
    admin.ok("on", "-d", tiny_chroot)
    assert (tiny_chroot / "x/file").read_text() == "free"
    assert (tiny_chroot / "y").read_text() == "free"
    assert admin.json("status", "-d", tiny_chroot)["problems"] == []
    admin.ok("run", "-x", "/bin/true", "-d", tiny_chroot)


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
        for options, is_bound in (("private", True), ("rbind", False), ("slave", False)):
            # What is above the denied directory's mount shows it only where that comes along.
            policy(etc, f'deny_sources = ["{host}/secret/deep"]\n')
            configure(tiny_chroot, f"src:{host}/secret tgt:/x opt:{options}")
            if not is_bound:
                refused(admin, tiny_chroot)
        policy(etc, f'deny_sources = ["{elsewhere}"]\n')
        configure(tiny_chroot, f"src:{host}/secret tgt:/x opt:rbind")
        refused(admin, tiny_chroot)
    finally:
        subprocess.run(["umount", elsewhere], check=True)
        subprocess.run(["umount", host / "secret/deep"], check=True)


def test_only_what_is_allowed(admin: Cli, tiny_chroot: Path, etc: Path, host: Path) -> None:
    policy(etc, f'allow_sources = ["{host}/open"]\n')
    (host / "open/link").symlink_to(host / "secret")
    (host / "openly").mkdir()
    for source in ("secret", "openly", "open/link", "open/../secret", "open/..", ""):
        configure(tiny_chroot, f"src:{host}/{source} tgt:/x")
        assert f"allow_sources has {host}/open" in refused(admin, tiny_chroot)
    configure(tiny_chroot, f"src:{host}/open/deep tgt:/x")
    admin.ok("on", "-d", tiny_chroot)


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
