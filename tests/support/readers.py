"""Everything of the product that reads what somebody else may have written, each with good inputs.

A reader takes any bytes. What it may raise is what its docstring promises; the rest is a fault.
"""

from __future__ import annotations

import json
import os
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from chroot_tool.app import run_history
from chroot_tool.app.settings import file as settings_file
from chroot_tool.app.tui.command_lines import kept_commands
from chroot_tool.app.tui.panels import detached
from chroot_tool.core.archives import manifest, members
from chroot_tool.core.config import edits, merge, presets
from chroot_tool.core.config.bind import Bind
from chroot_tool.core.creating import names, unfinished
from chroot_tool.core.creating.bases.store import Store
from chroot_tool.core.creating.mirror import Release, check_release
from chroot_tool.core.entering import exec_error, users, words_to_program
from chroot_tool.core.entering.launch import Launch, Refused
from chroot_tool.core.errors import ChrootError, ConfigError, UsageError
from chroot_tool.core.host import apt_proxy, debian
from chroot_tool.core.host.mount_points import HostFacts
from chroot_tool.core.kernel import process_files
from chroot_tool.core.kernel.mount_table import MountTable
from chroot_tool.core.kernel.rootpath import Root
from chroot_tool.core.looking import architecture, status_reader
from chroot_tool.core.trees import snapshots
from chroot_tool.core.trees.snapshot_store import SnapshotDirectory

from .mutations import documents, mutations

_HOST = HostFacts(journal=True, resolv="/run/resolv.conf")
_NAMES = ("a", "root", "/x", "app")


class Reader(NamedTuple):
    """What takes the bytes, what may come out of it, what it is good for."""

    take: Callable[[bytes], object]
    good: tuple[bytes, ...]
    words: tuple[bytes, ...] = ()
    """What the form is made of, for mutations."""
    promised: tuple[type[Exception], ...] = ()
    share: int = 10
    """How many of the inputs it gets, in comparison with the others: slow ones get fewer."""
    before: bytes = b""
    """What stands before the JSON that the good inputs are."""
    is_json: bool = False

    def inputs(self, seed: int) -> Iterator[bytes]:
        """Yield inputs without end; every other one of a reader of JSON is JSON."""
        wrong = mutations(self.good, self.words, seed)
        if not self.is_json:
            yield from wrong
        sound = [data.removeprefix(self.before) for data in self.good]
        for data in documents(sound, seed):
            yield next(wrong)
            yield self.before + data


TOOL_CONF = (
    (
        b"[bind]\nsrc:/home/me/data tgt:/data\ntgt:/srv/data fs:bind-ro\n"
        b'src:"/with space" tgt:/x ; tgt:/var/cache fs:tmpfs opt:size=64M,mode=0755\n'
        b"# a comment\n[exclude]\nvar/cache/apt\n"
    ),
    b"[bind]\r\ntgt : /a  src :/s\r\ntgt:/sys ignore:yes\r\n;;tgt:/a\\ b;;\r\n[other]\r\nx\r\n",
)
CHROOT_TOML = (
    (
        b'description = "build box"\n[run]\nuser = "root"\ncwd = "/"\nenv = { LANG = "C.UTF-8" }\n'
        b'[system]\ndev = "private"\nresolv = "bind"\n[[bind]]\nsource = "/home/me/src"\n'
        b'target = "/src"\noptions = ["ro", "nosuid"]\n[[bind]]\ntarget = "/cache"\nfs = "tmpfs"\n'
        b'options = ["size=64M"]\n[[bind]]\ntarget = "/sys"\nignore = true\n'
    ),
    b'bind = [{ target = "/a", source = "/b", optional = true }, { target = "/c" }]\n',
)
_TOML_WORDS = tuple(
    b'[run] [system] [[bind]] target source options optional ignore fs env user cwd = "/a" """ '
    b"''' 1979-05-27 0x 1_0 \\u0000 a.b.c inf nan".split()
)
SETTINGS = (
    (
        b'theme = "textual-dark"\nbase = "/srv/chroot"\ncolumns = ["name", "state"]\ndock = 50\n'
        b'backend = "mmdebstrap"\ncache = "~/bases"\ncache-size = "4G"\n[confirm]\nquit = true\n'
        b'[keys]\n"environments.toggle" = ["o", "ctrl+o"]\n'
    ),
)
MOUNTINFO = (
    (
        b"22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro\n"
        b"23 22 0:21 / /proc rw,nosuid shared:12 master:3 - proc proc rw\n"
        b"24 22 0:22 /a\\040b /mnt/x\\011y\\134z\\012 rw - tmpfs tm\\040pfs rw,size=1k\n"
    ),
)
_PASSWD = b"root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000:App:/home/app:/bin/sh\n7:x:8:8::/:\n"
_GROUP = b"root:x:0:\naudio:x:29:app,other\napp:x:1000:\n"
_OS_RELEASE = (
    b'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_CODENAME=bookworm\n'
)
_ABOUT = b'{"created": 1790000000.5, "method": "copy", "size": 1234}'
_MANIFEST = (
    b'{"name": "deb", "os": "Debian", "version": "1.0", "left_out": ["proc"], "flags": {"a": "i"},'
    b' "links": {"b": "c"}, "sockets": [["run/s", 420, 0, 0, 5]]}'
)
_STATUS = (
    b"Name:\tsh\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t12\nPid:\t12\nPPid:\t1\n"
    b"Uid:\t1000\t1000\t1000\t1000\nGid:\t1000\t1000\t1000\t1000\n"
)
_INTERPRETER = b"/lib64/ld-linux-x86-64.so.2\0"


def _elf() -> bytes:
    head = struct.pack(
        "<4s5B7xHHIQQQIHHHHHH", b"\x7fELF", 2, 1, 1, 0, 0, 3, 62, 1, 0, 64, 0, 0, 64, 56, 1, 0, 0, 0
    )
    length = len(_INTERPRETER)
    return head + struct.pack("<IIQQQQQQ", 3, 4, 120, 120, 120, length, length, 1) + _INTERPRETER


class _File:
    """A file whose content is put there again and again, as cheaply as can be."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._fd = -1
        self.again()

    def again(self) -> None:
        """Be the file that has the name now, which another may have been given meanwhile."""
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = os.open(self._path, os.O_CREAT | os.O_RDWR, 0o644)

    def put(self, data: bytes) -> None:
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, data, 0)


def _edit(files: edits.Files) -> None:
    """Change an entry that may be there, add one, leave one out; each result is to be read."""
    new = Bind("/new", "/source", options=("ro",))
    for change in (
        edits.Added(new), edits.Removed("/data"), edits.Ignored("/sys"), edits.Ignored("/proc"),
        edits.Ignored("/sys", ignored=False),
    ):  # fmt: skip
        with suppress(ChrootError):
            after = edits.changed(files, [change])
            edits.entries(after)


def _settings(data: bytes) -> None:
    settings_file.parse(data, "settings.toml")
    changed = settings_file._edited(data, {"theme": "nord", "dock": 30})
    settings_file.parse(changed, "settings.toml")


def _members(data: bytes) -> None:
    seen = members.Members("it")
    seen.feed(data)
    seen.finish()


def _presets(data: bytes) -> None:
    names = ("XDG_RUNTIME_DIR", "XAUTHORITY", "WAYLAND_DISPLAY", "SSH_AUTH_SOCK", "DISPLAY")
    values = os.fsdecode(data).replace("\0", "").split("\n")
    env = dict(zip(names, values, strict=False))
    found = presets.presets(env, 1000, values[0], values[-1], lambda path: len(path) % 2 == 0)
    for bind in (bind for preset in found for bind in preset.binds):
        with suppress(UsageError):  # optional, and not UTF-8: neither file has words for both
            edits.changed(edits.Files(), [edits.Added(bind)])


def _archive(content: bytes) -> bytes:
    return manifest.encode(manifest.Manifest(name="deb", flags=(("a", "i"),))) + content


def pure(_folder: Path) -> Iterator[tuple[str, Reader]]:
    """Those that take bytes."""

    def configured(data: bytes) -> object:
        return merge.parse(data, None, where="/R/chroot.d", conf_sh=False, host=_HOST)

    def configured_toml(data: bytes) -> object:
        return merge.parse(None, data, where="/R/chroot.d", conf_sh=True, host=_HOST)

    wrong = (ConfigError,)
    words = tuple(b"[bind] [exclude] src: tgt: fs: opt: ignore:yes tmpfs bind-ro ; \\ / ..".split())
    yield "tool.conf", Reader(configured, TOOL_CONF, words, wrong, 12)
    yield "chroot.toml", Reader(configured_toml, CHROOT_TOML, _TOML_WORDS, wrong, 3)
    yield "tool.conf, edited", Reader(lambda d: _edit(edits.Files(d)), TOOL_CONF, words, (), 2)
    yield (
        "chroot.toml, edited",
        Reader(lambda d: _edit(edits.Files(None, d)), CHROOT_TOML, _TOML_WORDS, (), 1),
    )
    yield "settings", Reader(_settings, SETTINGS, _TOML_WORDS, wrong, 2)
    argument = (b"/a:/b:ro", b'src:"/a:b" tgt:"/c" opt:ro', b"tgt:/x fs:tmpfs opt:size=1M")
    yield (
        "a bind as an argument",
        Reader(lambda d: merge.parse_bind_argument(os.fsdecode(d)), argument, words, (UsageError,)),
    )
    runtime = (
        b"/run/user/0\n/home/x/.Xauthority\nwayland-0\n/tmp/agent\n:0\n/home/x",
        b"a\n\n/\n../b",
    )
    yield "presets, by environment", Reader(_presets, runtime, (b"/run", b"\n"), (), 2)
    yield (
        "mountinfo",
        Reader(MountTable.parse, MOUNTINFO, (b" - ", b"shared:", b"\\040"), (ValueError,)),
    )
    comment = (b"chroot-tool " + _MANIFEST,)
    yield (
        "an archive's manifest",
        Reader(lambda d: manifest.parse(os.fsdecode(d)), comment, (b'"flags":', b'"sockets"'),
               (ChrootError,), before=b"chroot-tool ", is_json=True),
    )  # fmt: skip
    yield "an archive's members", Reader(
        _members, (_archive(bytes(1024)), bytes(1024)), (b"ustar\0", b"0000644\0", b"path="),
        (ChrootError,), 6,
    )  # fmt: skip
    release = (b"Suite: stable\nCodename: bookworm\nArchitectures: all amd64 arm64\n",)

    def released(data: bytes) -> None:
        check_release(Release("http://mirror.example", "bookworm", data, False), "amd64")

    yield "a release file", Reader(released, release, (b"Suite:",), (ChrootError,))
    dump = (b"Acquire::http::Proxy\thttp://p:1\nAcquire::https::Proxy::h\tDIRECT\n",)
    yield (
        "apt-config",
        Reader(lambda d: apt_proxy.parsed(os.fsdecode(d).splitlines()), dump, (b"::", b"\t")),
    )
    yield (
        "status of a process",
        Reader(process_files.real_uid, (_STATUS,), (b"Uid:\t", b"\nUid:\t")),
    )


def inside(folder: Path) -> Iterator[tuple[str, Reader]]:
    """Those that read a file in a chroot."""
    folder.mkdir(parents=True, exist_ok=True)
    root = Root(str(folder))
    passwd, group = (_File(folder / "etc" / name) for name in ("passwd", "group"))
    passwd.put(_PASSWD)
    group.put(_GROUP)

    def looked_up(file: _File) -> Callable[[bytes], None]:
        other, content = (group, _GROUP) if file is passwd else (passwd, _PASSWD)

        def take(data: bytes) -> None:
            other.put(content)
            file.put(data)
            for name in _NAMES:
                with suppress(UsageError):
                    user = users.lookup(root, name)
                    assert 0 <= user.uid < 0xFFFF_FFFF
                    assert all(0 <= number < 0xFFFF_FFFF for number in (user.gid, *user.groups))

        return take

    yield "passwd", Reader(looked_up(passwd), (_PASSWD,), (b":", b"app", b":0:0:"), (), 4)
    yield "group", Reader(looked_up(group), (_GROUP,), (b":", b"app,", b":29:"), (), 4)

    release = _File(folder / "etc/os-release")

    def os_release(data: bytes) -> str:
        release.put(data)
        return status_reader.system_name(root)

    yield "os-release", Reader(os_release, (_OS_RELEASE,), (b"PRETTY_NAME=",))
    locale = _File(folder / "etc/default/locale")
    user = users.User("app", 1000, 1000, (1000,), "/home/app", "/bin/sh")

    def language(data: bytes) -> None:
        locale.put(data)
        env = words_to_program.environment(root, user, (), os.fsdecode(data[:20]))
        assert not any("\0" in value for name, value in env.items() if name == "LANG")

    yield "locale", Reader(language, (b"LANG=de_DE.UTF-8\n#x\nLC_ALL=C\n",), (b"LANG=", b'"'))
    hosts, hostname = (_File(folder / "etc" / name) for name in ("hosts", "hostname"))

    def renamed(data: bytes) -> None:
        hosts.put(data)
        hostname.put(data[:30])
        names.rename_host(root, "old", "new", lambda _problem: None)
        hosts.again()
        hostname.again()

    good = (b"127.0.0.1 localhost\n127.0.1.1 host old # x\n", b"old\n")
    yield "hosts", Reader(renamed, good, (b"127.0.1.1 ", b"old", b"#"), (), 1)
    program = _File(folder / "bin/sh")
    launch = Launch("/bin/sh", ("sh",), "/", user, ())

    def refused(data: bytes) -> None:
        program.put(data)
        architecture.architecture(root)
        exec_error.explain(root, launch, Refused("exec", 8 if len(data) % 2 else 2))

    scripts = (_elf(), b"#!/bin/sh -e\n:\n", b"#! \t/usr/bin/env  python\r\n")
    yield "a program", Reader(refused, scripts, (b"#!", b"\x7fELF", b"\x02\x01"), (), 3)
    noted = _File(folder / ".chroot-tool-create/made")

    def made(data: bytes) -> list[str]:
        noted.put(data)
        return unfinished.made_names(root)

    yield "what an unfinished create has made", Reader(made, (b"etc\0usr\0bin",), (b"\0", b"../"))


def own(folder: Path) -> Iterator[tuple[str, Reader]]:
    """Those that read files of ours or of the host's, which another version may have written."""
    os.environ["XDG_STATE_HOME"] = str(folder / "state")
    lines = _File(folder / "state/chroot-tool/run_history.json")

    def remembered(data: bytes) -> None:
        lines.put(data)
        for path in ("/srv/chroot/deb", "a"):
            assert all(isinstance(line, str) for line in run_history.commands(path))

    known = (b'{"/srv/chroot/deb": ["ls -l", "make"], "a": []}',)
    yield "history", Reader(remembered, known, (b'"a":', b"[1]"), is_json=True)

    def remembered_more(data: bytes) -> None:
        lines.put(data)
        run_history.remember("x", "/srv/chroot/deb")
        run_history.move("/srv/chroot/deb", "a")
        assert run_history.commands("a")[0] == "x"
        lines.again()

    yield "history, added to", Reader(remembered_more, known, (b'"a":', b"[1]"), (), 1)
    done = _File(folder / "state/chroot-tool/commands.json")

    def done_earlier(data: bytes) -> None:
        done.put(data)
        for one in kept_commands.load():
            assert one.is_past
            assert all(isinstance(line, str) for line in one.lines)
            time.localtime(one.started), time.localtime(one.ended)

    one_done = {
        "lines": ["chroot-tool on -d deb"], "name": "deb", "state": "done", "said": "",
        "started": 1.5, "ended": 2.5,
    }  # fmt: skip
    yield (
        "what keys did",
        Reader(
            done_earlier,
            (json.dumps({"commands": [one_done]}).encode(),),
            (b'"lines":',),
            is_json=True,
        ),
    )
    let_go = _File(folder / "state/chroot-tool/kept/1.json")

    def went_on(data: bytes) -> None:
        let_go.put(data)
        for one in detached.found():
            one.seconds(), one.argv()

    described = json.dumps(
        {"chroot": "deb", "command": "make", "log": "/x.log", "keeper": 1, "began": 1.5}
    )
    yield (
        "what went on without the UI",
        Reader(went_on, (described.encode(),), (b'"keeper"',), (), 4, is_json=True),
    )

    chroot = folder / "base/deb"
    about = _File(folder / "base/.chroot-tool/snapshots/deb/one/about.json")
    for place in (folder / "base", *(folder / "base").rglob("*")):
        place.chmod(0o700)

    def listed(data: bytes) -> None:
        about.put(data)
        (found,) = snapshots.listed(str(chroot))
        assert isinstance(found.created, float)
        assert isinstance(found.size, int)

    yield (
        "a snapshot's manifest",
        Reader(listed, (_ABOUT,), (b'"size":', b'"created":'), (), 3, is_json=True),
    )
    note = _File(folder / "base/.chroot-tool/snapshots/.deb.renaming")

    def rename_noted(data: bytes) -> None:
        note.again()
        note.put(data)
        SnapshotDirectory(str(chroot)).close()

    yield "the note of a rename", Reader(rename_noted, (b"/srv/chroot/new",), (b"\0",), (), 2)
    bases = folder / "bases"
    bases.mkdir(mode=0o700, exist_ok=True)
    name = "bookworm-amd64-minbase-debootstrap-1a2b3c4d"
    facts = {"made": 1.0, "seconds": 2.0, "packages": 3, "release": "", "codename": "bookworm"}
    key = {
        "suite": "bookworm", "arch": "amd64", "variant": "minbase", "mirror": "http://mirror.example",
        "include": ["vim"], "backend": "debootstrap", "keyring": "", "digest": "1a2b3c4d",
    }  # fmt: skip
    (bases / f"{name}-5e6f7081.tar.zst").write_bytes(b"1234")
    base = {
        "key": key,
        "facts": facts,
        "archive": f"{name}-5e6f7081.tar.zst",
        "sha256": "5e",
        "size": 4,
    }
    written = _File(bases / f"{name}.json")
    store = Store(str(bases))

    def base_read(data: bytes) -> None:
        written.put(data)
        store.bases()
        for found in store.bases():
            float(found.facts.made), found.key.digest.encode(errors="replace")

    yield (
        "a base's manifest",
        Reader(base_read, (json.dumps(base).encode(),), (b'"key":',), (), 3, is_json=True),
    )
    host_release, zone = _File(folder / "host/os-release"), _File(folder / "host/timezone")

    def host(data: bytes) -> None:
        host_release.put(data)
        zone.put(data)
        debian.suite(str(folder / "host/os-release"))
        debian.timezone(str(folder / "host/no-link"), str(folder / "host/timezone"))

    yield (
        "the host's os-release and timezone",
        Reader(host, (_OS_RELEASE, b"Etc/UTC\n"), (b"ID=",), (), 4),
    )


GROUPS = {"pure": pure, "inside": inside, "own": own}
"""By name: each yields its readers, given a folder for the files that they read."""
