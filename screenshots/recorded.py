"""What the pictures show: chroots, processes and engine calls as they were recorded once.

Frozen, with a clock that stands still, so that every run makes the same pictures.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Sequence

from textual.message import Message

from chroot_tool.app.settings.commands import PROCESS, Command
from chroot_tool.app.tui.threads.messages import Counted, Seen
from chroot_tool.core.config.bind import Bind
from chroot_tool.core.config.edits import Files, Saved, changed, difference
from chroot_tool.core.config.merge import Config, parse
from chroot_tool.core.creating.bases.key import Key
from chroot_tool.core.creating.bases.store import Base, Facts
from chroot_tool.core.creating.options import CreateOptions
from chroot_tool.core.diagnosis.finding import NOTE, OK, PROBLEM, WARNING, Finding, Found
from chroot_tool.core.engine import Engine
from chroot_tool.core.engine_parts import Outlook
from chroot_tool.core.errors import BusyError, Cancelled, ChrootError, Problem
from chroot_tool.core.events import Event, Output, Stage, StepDone, ignore
from chroot_tool.core.host.mount_points import HostFacts
from chroot_tool.core.local_engine import LocalEngine
from chroot_tool.core.looking.happenings import Happening
from chroot_tool.core.looking.other_bases import OtherBase
from chroot_tool.core.looking.package_log import PackageRun
from chroot_tool.core.looking.snapshot import Machine, Snapshot
from chroot_tool.core.looking.status import ChrootStatus, MountStatus
from chroot_tool.core.mounts.steps import Mount, Unmount
from chroot_tool.core.plan import Plan
from chroot_tool.core.process import Holder, Listener, OpenFile, Process
from chroot_tool.core.trees.snapshots import TreeSnapshot
from chroot_tool.core.trees.trash import Trashed
from chroot_tool.core.trees.usage import FILE, FOLDER, MOUNT, Usage
from chroot_tool.core.verbs.bases import LocalBases
from chroot_tool.core.verbs.binds import LocalBinds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from chroot_tool.core.config.edits import Change

BASE = "/srv/chroot"
NOW = 1_790_000_000.0
MINUTE, HOUR, DAY = 60, 3600, 86400
MB = 1 << 20

TOML = b"""\
description = "builds the packages of bookworm"

[[bind]]
source = "/home/ann/src"          # the working copies
target = "/home/ann/src"

[[bind]]
source = "/srv/ccache"
target = "/var/cache/ccache"
options = ["nosuid", "nodev"]

[[bind]]
source = "/home/ann/.gnupg"
target = "/root/.gnupg"
options = ["ro", "nosuid", "nodev"]
optional = true
"""
HOST = HostFacts(journal=True, resolv="/run/systemd/resolve/stub-resolv.conf")


def _config(files: Files) -> Config:
    where = f"{BASE}/bookworm/chroot.d"
    return parse(files.tool_conf, files.chroot_toml, where=where, conf_sh=False, host=HOST)


def _mounts(binds: Sequence[Bind], **states: str) -> tuple[MountStatus, ...]:
    """Return what is wanted; *states* has the state of each target that is not just there."""
    found = []
    for bind in binds:
        state = states.get(bind.target, "mounted")
        real = "" if state == "missing" else f"{bind.fs} {bind.source}"
        found.append(
            MountStatus(
                bind.target, bind.source, bind.fs, bind.shown_options(), bind.origin, state,
                real=real,
            )
        )  # fmt: skip
    return tuple(found)


FILES = Files(None, TOML)
BINDS = _config(FILES).binds
PLAIN = _config(Files()).binds
OFF = {bind.target: "missing" for bind in BINDS}

BOOKWORM = ChrootStatus(
    "bookworm", f"{BASE}/bookworm", "on", "Debian GNU/Linux 12 (bookworm)", _mounts(BINDS),
    (
        Process(4711, "root", "/usr/sbin/sshd -D", 0.0, 8 * MB, NOW - 2 * DAY),
        Process(4902, "root", "/usr/sbin/cron -f", 0.0, 3 * MB, NOW - 2 * DAY),
        Process(18302, "ann", "dpkg-buildpackage -us -uc -b", 0.3, 21 * MB, NOW - 4 * MINUTE),
        Process(18344, "ann", "make -j4", 0.7, 12 * MB, NOW - 4 * MINUTE,
                parent=18302),
        Process(19017, "ann", "/usr/lib/gcc/x86_64-linux-gnu/12/cc1 -quiet -O2 kernel/sched.c",
                98.6, 214 * MB, NOW - 8, parent=18344),
        Process(19022, "ann", "/usr/lib/gcc/x86_64-linux-gnu/12/cc1 -quiet -O2 mm/slub.c",
                97.1, 187 * MB, NOW - 6, parent=18344),
    ),
    description="builds the packages of bookworm", changed=NOW - 3 * HOUR, architecture="amd64",
)  # fmt: skip
TRIXIE = ChrootStatus(
    "trixie-build", f"{BASE}/trixie-build", "partial", "Debian GNU/Linux 13 (trixie)",
    (
        *_mounts(PLAIN, **{"/tmp": "missing"}),
        MountStatus("/srv/data", "/data", "bind", ("ro", "private"), "tool.conf", "drifted",
                    reason="writable, wanted read-only",
                    real="ext4 /data (rw,relatime) private"),
        MountStatus("/mnt", "/dev/sdb1", "ext4", ("rw", "relatime", "shared"), "foreign",
                    "foreign", reason="not in the configuration",
                    real="ext4 /dev/sdb1 (rw,relatime) shared"),
    ),
    (Process(20111, "root", "apt-get update", 2.4, 61 * MB, NOW - 12),),
    problems=(
        Problem("/srv/data is writable, wanted read-only", "`on` mounts it anew"),
        Problem("the file system below is mounted nosuid: su and sudo can't work inside",
                "mount it without nosuid, or keep the chroot elsewhere"),
    ),
    changed=NOW - 5 * DAY, architecture="amd64",
)  # fmt: skip


def _off(name: str, system: str, days: float, *, arch: str = "amd64") -> ChrootStatus:
    return ChrootStatus(
        name, f"{BASE}/{name}", "off", system, _mounts(PLAIN, **OFF), changed=NOW - days * DAY,
        architecture=arch,
    )  # fmt: skip


CHROOTS = (
    _off("armhf-cross", "Debian GNU/Linux 12 (bookworm)", 71, arch="armhf"),
    BOOKWORM,
    _off("bullseye", "Debian GNU/Linux 11 (bullseye)", 400),
    _off("jammy", "Ubuntu 22.04.5 LTS", 2),
    ChrootStatus("old-lenny", f"{BASE}/old-lenny", "broken", problems=(
        Problem(f"{BASE}/old-lenny holds no usable root file system",
                f"make one: chroot-tool create -d {BASE}/old-lenny"),), changed=NOW - 900 * DAY),
    _off("rescue", "Debian GNU/Linux 12 (bookworm)", 33),
    TRIXIE,
    ChrootStatus(
        "web", f"{BASE}/web", "on", "Debian GNU/Linux 12 (bookworm)", _mounts(PLAIN),
        (Process(911, "www-data", "nginx: worker process", 1.2, 34 * MB, NOW - 9 * DAY),
         Process(902, "root", "nginx: master process /usr/sbin/nginx", 0.0, 9 * MB, NOW - 9 * DAY)),
        changed=NOW - 9 * DAY, architecture="amd64",
    ),
)  # fmt: skip
FARM = (
    Machine("build1", answers=True),
    Machine("build2", answers=True),
    Machine("build3", answers=True),
    Machine("build4", answers=True),
    Machine("build5", answers=False),
    Machine("vault", answers=False, problem=Problem(
        "vault: ssh: connect to host vault port 22: No route to host", "tried again in 8 s")),
)  # fmt: skip
"""Other machines."""


def _there(host: str, one: ChrootStatus, name: str = "") -> ChrootStatus:
    return one.replace(path=f"{host}:{one.path}", host=host, name=name or one.name)


_TAGS = {"web": ("web", "production"), "armhf-cross": ("build", "arm")}
TAGGED = tuple(
    one.replace(tags=_TAGS.get(one.name, ("build",) if "b" in one.name else ())) for one in CHROOTS
)
HOSTS = (
    *CHROOTS,
    _there("build1", _off("bookworm-amd64", "Debian GNU/Linux 12 (bookworm)", 3)),
    _there("build1", TRIXIE, name="trixie-amd64"),
    _there("build2", _off("bookworm-arm64", "Debian GNU/Linux 12 (bookworm)", 3, arch="arm64")),
    _there("build2", _off("trixie-arm64", "Debian GNU/Linux 13 (trixie)", 8, arch="arm64")),
    _there("vault", _off("signing", "Debian GNU/Linux 12 (bookworm)", 190)),
)
"""Those here, and those of three other machines."""
MANY_HOSTS = (
    *HOSTS,
    *(
        _there(f"build{number}", _off(f"{suite}-{arch}", system, 3, arch=arch))
        for number, arch in ((3, "armhf"), (4, "riscv64"), (5, "riscv64"))
        for suite, system in (
            ("trixie", "Debian GNU/Linux 13 (trixie)"), ("sid", "Debian GNU/Linux forky/sid"),
        )
    ),
)  # fmt: skip
SIZES = {
    f"{BASE}/{name}": size * MB
    for name, size in [
        ("armhf-cross", 612), ("bookworm", 2380), ("bullseye", 431), ("jammy", 745),
        ("old-lenny", 0), ("rescue", 296), ("trixie-build", 1130), ("web", 388),
    ]
}  # fmt: skip
ELSEWHERE = (
    OtherBase("/var/lib/machines", "systemd-nspawn", ("debian-12", "fedora", "mail", "proxy")),
    OtherBase("/var/lib/schroot/chroots", "schroot", ("sid-amd64-sbuild", "trixie-arm64-sbuild")),
)
"""Where this machine has chroots of other tools."""
OWN = (
    Command("syslog", ("tail", "-f", "{path}/var/log/syslog"), "f5"),
    Command("trace", ("strace", "-fp", "{pid}"), "e", rows=PROCESS),
)
"""Commands of the user's own."""
ASKS = (Command("dist-upgrade", ("apt-get", "-y", "dist-upgrade"), "f5", "inside", ask=True),)
"""One that asks before it is run."""
HOLDERS = (
    Holder(4711, "root", "/usr/sbin/sshd -D", ("root /", "fd 3 /dev/null", "fd 4 /run/sshd")),
    Holder(18302, "ann", "dpkg-buildpackage -us -uc -b", ("root /", "cwd /home/ann/src/linux")),
    Holder(21877, "ann", "bash", ("cwd /srv/chroot/bookworm/home/ann/src",)),
)
USAGE = (
    Usage("usr", FOLDER, 1620 * MB, 61204),
    Usage("var", FOLDER, 540 * MB, 8120),
    Usage("home", FOLDER, 171 * MB, 2210, unread=2),
    Usage("build.log", FILE, 36 * MB),
    Usage("etc", FOLDER, 6 * MB, 1402),
    Usage("root", FOLDER, 52 * 1024, 11),
    Usage("boot", FOLDER, 4096),
    Usage("dev", MOUNT),
    Usage("proc", MOUNT),
    Usage("sys", MOUNT),
    Usage("tmp", MOUNT),
)
CREATED = """\
I: Retrieving InRelease
I: Checking Release signature
I: Valid Release signature (key id B8B80B5B623EAB6AD8775C45B7C5D7D6350947F8)
I: Retrieving Packages
I: Validating Packages
I: Resolving dependencies of required packages...
I: Resolving dependencies of base packages...
I: Checking component main on http://mirror.example/debian...
I: Retrieving libacl1 2.3.2-2+b1
I: Validating libacl1 2.3.2-2+b1
I: Retrieving libapt-pkg7.0 3.0.3
I: Validating libapt-pkg7.0 3.0.3
I: Chosen extractor for .deb packages: dpkg-deb
I: Extracting base-files...
I: Extracting base-passwd...
I: Extracting bash...
I: Extracting libc6...
""".splitlines()
UPGRADE = r"""
Reading package lists... Done
Building dependency tree... Done
Reading state information... Done
Calculating upgrade... Done
The following packages will be upgraded:
  \033[1mbase-files libc-bin libc6 libssl3 openssl tzdata\033[0m
6 upgraded, 0 newly installed, 0 to remove and 0 not upgraded.
Need to get 0 B/8413 kB of archives.
Setting up \033[36mlibc6:amd64\033[0m (2.36-9+deb12u10) ...
Setting up \033[36mbase-files\033[0m (12.4+deb12u12) ...
Setting up \033[36mlibssl3:amd64\033[0m (3.0.17-1~deb12u2) ...
\033[30;42mProgress: [ 67%]\033[0m [\033[32m######################............\033[0m] 
""".strip()  # noqa: W291 (as apt writes it)


TRIED = r"""
root@bookworm:~# apt-get -y install gcc-14 | tail -n 2
Setting up gcc-14 (14.2.0-19) ...
Processing triggers for libc-bin (2.36-9+deb12u10) ...
root@bookworm:~# cc --version | head -n 1
gcc-14 (Debian 14.2.0-19) 14.2.0
root@bookworm:~# rm -rf /usr/lib/gcc/x86_64-linux-gnu/12
root@bookworm:~# """.lstrip()


class Clock:
    """Stands still until it is put forward."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        """Return the time, in epoch seconds."""
        return self.now


PLAN = (
    "trixie (amd64, minbase) in /srv/chroot/trixie",
    "from http://mirror.example/debian",
    "locale C.UTF-8; time zone Europe/Berlin",
    "no package starts a daemon until usr/sbin/policy-rc.d is removed",
    "debootstrap --arch=amd64 --variant=minbase trixie …/trixie http://mirror.example/debian",
)


class RecordedBinds(LocalBinds):
    """The entries of the recorded files."""

    def files(self) -> Files:
        """Return the recorded files."""
        return FILES

    def difference(self, changes: Sequence[Change]) -> tuple[str, ...]:
        """Return the difference to the recorded files."""
        return difference(FILES, changed(FILES, changes, self.path))

    def merged(self, changes: Sequence[Change]) -> tuple[Bind, ...]:
        """Return the binds after *changes*."""
        return _config(changed(FILES, changes, self.path)).binds

    def save(self, changes: Sequence[Change], seen: Files) -> Saved:
        """Return what saving would have done; the files stay as they were recorded."""
        return Saved(FILES, changed(FILES, changes, self.path))

    def refusal(self, bind: Bind) -> None:
        """Allow everything."""

    def complete_target(self, text: str) -> tuple[str, ...]:
        """Return nothing."""
        return ()

    def what_is_at(self, target: str) -> str:
        """Say that nothing is there."""
        return "nothing is there yet: a directory is made"


SNAPSHOTS = (
    TreeSnapshot("as-made", NOW - 64 * DAY, "copy", 190 * MB),
    TreeSnapshot("before-gcc-14", NOW - 9 * DAY, "copy", 1204 * MB),
    TreeSnapshot("before-upgrade", NOW - 3 * HOUR, "copy", 1311 * MB),
)
KEPT = Base(
    Key("trixie", "amd64", "minbase", "http://mirror.example/debian", ("tzdata",), "debootstrap",
        "", "0123456789abcdef"),
    Facts(NOW - 3 * DAY, 33.0, 78), "trixie.tar.zst", "", 61 * MB, NOW - DAY,
)  # fmt: skip


OPEN = (
    ("cwd", "file", "/"),
    ("root", "file", "/"),
    ("exe", "file", "/usr/sbin/sshd"),
    ("0", "device", "/dev/null"),
    ("1", "socket", "socket:[48213]"),
    ("2", "socket", "socket:[48213]"),
    ("3", "tcp", "0.0.0.0:2222 listening"),
    ("4", "tcp", "[::]:2222 listening"),
    ("5", "unix", "/run/sshd/control"),
    ("6", "tcp", "192.0.2.7:2222 → 192.0.2.31:50412 connected"),
    ("7", "file", "/var/log/auth.log.1 (deleted)"),
    ("8", "pipe", "pipe:[51377]"),
    ("9", "other", "anon_inode:[eventpoll]"),
)
LISTENERS = tuple(
    Listener("tcp", f"{address}:2222", 4711, "/usr/sbin/sshd -D") for address in ("0.0.0.0", "[::]")
)
PACKAGE_RUNS = (
    PackageRun(NOW - 9 * DAY, 34, 2, 0, ("gcc-14", "cpp-14", "libgcc-14-dev", "libasan8")),
    PackageRun(NOW - 3 * HOUR, 0, 6, 0, (
        "base-files", "libc-bin", "libc6", "libssl3", "openssl", "tzdata")),
)  # fmt: skip


HAPPENED = [
    Happening(NOW - 4 * DAY, "off"),
    Happening(NOW - 2 * DAY, "on"),
    Happening(NOW - 2 * DAY + 1, "started", "4711 root: /usr/sbin/sshd -D"),
    Happening(NOW - 2 * DAY + 1, "started", "4902 root: /usr/sbin/cron -f"),
    Happening(NOW - 5 * HOUR, "partial", "/var/cache/ccache missing"),
    Happening(NOW - 5 * HOUR + 40, "on"),
    Happening(NOW - 40 * MINUTE, "ended", "17733 ann: -bash"),
    Happening(NOW - 4 * MINUTE, "started", "18302 ann: dpkg-buildpackage -us -uc -b"),
    Happening(NOW - 3 * MINUTE, "brief", "412: 180 cc1, 180 as, 31 sh, 14 ld, 7 ar"),
    Happening(NOW - 2 * MINUTE, "brief", "388: 171 cc1, 171 as, 28 sh, 11 ld, 7 ar"),
]
"""What happened to bookworm."""


class RecordedBases(LocalBases):
    """One base, of trixie."""

    def __init__(self) -> None:
        """There is no directory behind it."""

    def list(self) -> tuple[Base, ...]:
        """Return the one."""
        return (KEPT,)

    def outlook(self, options: CreateOptions) -> Outlook:
        """Say that it serves for trixie."""
        if options.suite == KEPT.key.suite:
            return Outlook(KEPT, "")
        return Outlook(None, "the nearest base has another suite")


def _fine(**checks: str) -> tuple[Finding, ...]:
    return tuple(Finding(name.replace("_", "-"), OK, found) for name, found in checks.items())


FULL = Finding(
    "space", PROBLEM, "0 and 91204 inodes are free on /srv",
    "apt, and whatever writes inside, fails half-way",
    "free some: du -xh -d1 /srv shows where it is; chroot-tool base prune",
)  # fmt: skip
FOUND = {
    "": (
        Finding("mirror", PROBLEM, "the proxy proxy.example:3142 cannot be reached: "
                "Connection refused", "create would fail, unless a base of that kind is kept",
                "check --proxy and the proxies of this host's apt; --proxy none goes without one"),
        Finding("mmdebstrap", NOTE, "mmdebstrap is not installed",
                "only --backend mmdebstrap needs it", "apt install mmdebstrap"),
        *_fine(namespaces="mount, pid, uts and ipc namespaces can be had",
               keys="9 keys in /usr/share/keyrings/debian-archive-keyring.gpg, none expired",
               debootstrap="it is installed, and knows bookworm", colours="xterm, with all colours",
               bases="3 kept in /var/cache/chroot-tool"),
    ),
    BOOKWORM.path: (
        Finding("drift", WARNING, "/tmp is not mounted", "the next on or run mounts it",
                f"chroot-tool on -d {BOOKWORM.path}", True),
        Finding("shadowed", WARNING, "/src: tool.conf:3 is replaced by chroot.toml:9",
                "of two entries with one target the later one counts, whole",
                f"remove the one that is not meant: chroot-tool bind list -d {BOOKWORM.path}"),
        Finding("terminfo", WARNING, "TERM=xterm-kitty is not known inside",
                "editors, less and top draw nonsense, or refuse",
                f"chroot-tool run -d {BOOKWORM.path} -- apt-get install ncurses-term; "
                "or -e TERM=xterm"),
        Finding("left-behind", NOTE, "agents that run on inside: 2231 gpg-agent",
                "off will find them in the way",
                f"chroot-tool off --kill -d {BOOKWORM.path}, when you switch it off"),
        *_fine(kernel="Linux 6.12.48 has every call that is used",
               privilege="root, with every capability that is used",
               system="Debian GNU/Linux 12 (bookworm), amd64",
               file_system="/srv/chroot/bookworm is on /srv (ext4), mounted as it should be",
               space="67G free, 16067494 files can be made", dns="192.0.2.53 answers",
               stacked="nothing is mounted twice", stray="no mount that is not its own"),
    ),
    TRIXIE.path: (FULL,),
}  # fmt: skip


class RecordedEngine(LocalEngine):
    """Plays calls back: `off` is busy, `on` fails for one, `create` comes half way and waits."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(BASE)
        self.over = threading.Event()
        """Ends what waits."""
        self.examined = threading.Event()
        """Whether a chroot was diagnosed."""
        self._clock = clock

    def config(self, path: str, *, config_dir: str | None = None) -> Config:
        """Return the recorded configuration."""
        return _config(FILES)

    def binds(self, path: str) -> RecordedBinds:
        """Return the recorded files' entries."""
        return RecordedBinds(path)

    def create_defaults(self, options: CreateOptions, at: str = "") -> CreateOptions:
        """Return those of the machine that is shown."""
        return CreateOptions(
            "bookworm",
            "amd64",
            "http://mirror.example/debian",
            locales=("C.UTF-8",),
            timezone="Europe/Berlin",
        )

    def plan_create(self, path: str, options: CreateOptions) -> tuple[str, ...]:
        """Return the recorded plan."""
        return PLAN

    def bases(self, at: str = "") -> RecordedBases:
        """Return what is kept of trixie."""
        return RecordedBases()

    def snapshots(self, path: str) -> tuple[TreeSnapshot, ...]:
        """Return those of bookworm."""
        return SNAPSHOTS if path == BOOKWORM.path else ()

    @staticmethod
    def complete(text: str) -> tuple[str, ...]:
        """Return nothing."""
        return ()

    def usage(self, path: str, folder: str = "", **options: object) -> tuple[Usage, ...]:
        """Return the same of each folder."""
        return USAGE

    def package_runs(self, path: str) -> tuple[PackageRun, ...]:
        """Return one upgrade, and what was installed for a build."""
        return PACKAGE_RUNS

    def listeners(self, path: str) -> tuple[Listener, ...]:
        """Return where the server of bookworm listens."""
        return LISTENERS if path == BOOKWORM.path else ()

    def open_files(self, path: str, pid: int) -> tuple[OpenFile, ...]:
        """Return what a server has."""
        return tuple(OpenFile(pid, *one) for one in OPEN)

    def scripts(self, path: str) -> tuple[str, ...]:
        """Return the usual ones."""
        return ("build", "start", "stop", "update")

    def plan_on(self, path: str, **options: object) -> Plan:
        """Return what is mounted in each."""
        return Plan(tuple(Mount(bind.target, bind) for bind in PLAIN))

    def plan_off(self, path: str, **options: object) -> Plan:
        """Return the way back from that."""
        return Plan(tuple(Unmount(bind.target, 0) for bind in reversed(PLAIN)))

    def plan_switch_bind(self, path: str, target: str, *, on: bool) -> Plan:
        """Return the one step."""
        return Plan((Unmount(target, 0),))

    def delete(self, path: str, **options: object) -> str:
        """Say where in the trash it is."""
        return f"{path.rpartition('/')[2]}-1"

    def trash(self, at: str, **options: object) -> tuple[Trashed, ...]:
        """Return what `delete` has put there of each."""
        return tuple(
            Trashed(f"{one.name}-1", one.name, one.path, NOW, NOW + 7 * DAY) for one in CHROOTS
        )

    def on(self, path: str, *, report: Callable[[Event], None] = ignore, **options: object) -> Plan:
        """Fail for trixie-build, do it for all others."""
        if path == TRIXIE.path:
            raise ChrootError(
                "mount tmpfs on /tmp: no space left on device",
                "free some memory, or give the tmpfs a size in chroot.d/chroot.toml",
            )
        plan = self.plan_on(path)
        for step in plan.steps:
            report(StepDone(path, step))
        return plan

    def diagnose(
        self,
        path: str = "",
        *,
        report: Callable[[Event], None] = ignore,
        cancelled: threading.Event | None = None,
    ) -> tuple[Finding, ...]:
        """Find what was recorded; of this host after what is about the chroot."""
        if not path:
            self.examined.wait()
        for one in FOUND[path]:
            report(Found(path, one))
        self.examined.set()
        return FOUND[path]

    def off(self, path: str, **options: object) -> Plan:
        """Be busy."""
        raise BusyError("bookworm is in use", "off --kill ends them", HOLDERS)

    def create(
        self,
        path: str,
        options: CreateOptions,
        *,
        report: Callable[[Event], None] = ignore,
        cancelled: threading.Event | None = None,
    ) -> None:
        """Come half way."""
        report(Stage(path, "downloading packages", 0.31))
        for line in CREATED:
            report(Output(path, line))
        self._clock.now += 47
        report(Stage(path, "unpacking libc6", 0.42))
        self.over.wait()
        raise Cancelled("stopped")


def history(chroots: Sequence[ChrootStatus]) -> Iterator[tuple[float, tuple[ChrootStatus, ...]]]:
    """Yield what was seen in the minutes before, each with how many seconds ago it was."""
    for number in range(_LOOKS):
        yield (
            (_LOOKS - number) * 5.0,
            tuple(one.replace(processes=_then(one, number)) for one in chroots),
        )


_LOOKS = 119


def _then(one: ChrootStatus, number: int) -> tuple[Process, ...]:
    """Return what lived in it then: what is there now came one after the other, and worked."""
    there = one.processes[: 1 + number // 16]
    busy = abs(math.sin(number / 7) * math.sin(number / 31))
    return tuple(
        process.replace(
            cpu_percent=process.cpu_percent * busy,
            rss=int(process.rss * (0.3 + 0.7 * busy)),
            write_rate=process.cpu_percent * busy * MB / 9,
        )
        for process in there
    )


Post = Callable[[Message], object]


class Feed:
    """In place of the threads that watch."""

    def __init__(self, chroots: tuple[ChrootStatus, ...]) -> None:
        self._chroots = chroots
        self._post: Post = lambda _message: None

    def follow(self, _engine: Engine, post: Post) -> Feed:
        """Be the thread that follows."""
        self._post = post
        return self

    def count(self, _engine: Engine, post: Post) -> Feed:
        """Be the thread that counts."""
        return self

    def start(self) -> None:
        """Tell everything at once."""
        named = {one.host for one in self._chroots}
        machines = tuple(one for one in FARM if one.name in named)
        self._post(Seen(Snapshot(BASE, self._chroots, machines=machines)))
        for path, size in SIZES.items():
            self._post(Counted(path, size))

    def want(self, paths: tuple[str, ...]) -> None:
        """Everything is counted already."""

    def recount(self, path: str) -> None:
        """Everything is counted for good."""

    def close(self) -> None:
        """There is nothing to end."""
