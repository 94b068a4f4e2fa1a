"""Values for tests of widgets: a base directory at one moment, and hostile text in every field."""

from chroot_tool.core.creating.bases.key import Key
from chroot_tool.core.creating.bases.store import Base, Facts
from chroot_tool.core.errors import Problem
from chroot_tool.core.looking.status import ChrootStatus, MountStatus
from chroot_tool.core.process import Process
from chroot_tool.widgets.job_status import CANCELLED, DONE, FAILED, JobStatus
from support.screen import HOSTILE as HOSTILE

NOW = 1_790_000_000.0
BASE = "/srv/chroot"
MINUTE, HOUR, DAY = 60, 3600, 86400


def clock() -> float:
    return NOW


def mount(target: str, state: str = "mounted", **fields: object) -> MountStatus:
    values = {
        "target": target, "source": target, "fs": "bind", "options": ("private",),
        "origin": "system", "state": state,
    }  # fmt: skip
    return MountStatus(**{**values, **fields})  # type: ignore[arg-type]


KEPT_BASE = Base(
    Key("bookworm", "amd64", "minbase", "http://mirror.example/debian", ("tzdata",), "debootstrap",
        "", "0123456789abcdef"),
    Facts(NOW - 3 * DAY, 33.0, 78), "bookworm.tar.zst", "", 61 << 20, NOW - DAY,
)  # fmt: skip

MOUNTS = (
    mount("/proc", source="proc", fs="proc", options=("nosuid", "nodev", "noexec", "private")),
    mount("/sys", options=("ro", "nosuid", "nodev", "noexec", "private")),
    mount("/dev", source="none", fs="tmpfs", options=("nosuid", "private")),
    mount("/dev/pts", source="devpts", fs="devpts", options=("nosuid", "noexec", "private")),
    mount("/tmp", source="none", fs="tmpfs", options=("nosuid", "nodev", "private")),
    mount("/home/build/src", source="/home/ann/projects/kernel", origin="tool.conf"),
    mount("/var/cache/apt", origin="chroot.toml", options=("rbind", "ro", "private")),
)

PROCESSES = (
    Process(4711, "root", "/usr/sbin/sshd -D", 0.0, 8_192_000, NOW - 2 * DAY),
    Process(4890, "ann", "make -j8 bzImage", 96.4, 52_000_000, NOW - 4 * MINUTE),
    Process(4891, "ann", "cc1 -O2 kernel/sched/core.c", 151.0, 410_000_000, NOW - 8),
)

DEB12 = ChrootStatus(
    "deb12", f"{BASE}/deb12", "on", "Debian GNU/Linux 12 (bookworm)", MOUNTS, PROCESSES,
    description="builds the kernel packages", changed=NOW - 3 * HOUR, architecture="amd64",
)  # fmt: skip
TRIXIE = ChrootStatus(
    "trixie-build", f"{BASE}/trixie-build", "partial", "Debian GNU/Linux 13 (trixie)",
    (
        *MOUNTS[:4],
        mount("/tmp", "missing", source="none", fs="tmpfs"),
        mount(
            "/srv/data", "drifted", source="/data", options=("ro", "private"), origin="tool.conf",
            reason="writable, wanted read-only", real="ext4 /data (rw,relatime) private",
        ),
        mount("/opt/x", "ignored", source="/opt/x", origin="tool.conf",
              reason="optional, and its source is not there"),
        mount("/mnt", "foreign", source="/dev/sdb1", fs="ext4", origin="foreign",
              options=("rw", "relatime", "shared"), reason="not in the configuration",
              real="ext4 /dev/sdb1 (rw,relatime) shared"),
    ),
    problems=(
        Problem("/tmp is not mounted", "`on` mounts it"),
        Problem("the file system below is mounted nosuid: su, sudo and the like can't work inside",
                "mount it without nosuid, or keep the chroot elsewhere"),
    ),
    changed=NOW - 5 * DAY, architecture="amd64",
)  # fmt: skip
OFF = tuple(mount(one.target, "missing") for one in MOUNTS[:5])
CHROOTS = (
    ChrootStatus("arm", f"{BASE}/arm", "off", "Debian GNU/Linux 12 (bookworm)", OFF,
                 changed=NOW - 70 * DAY, architecture="arm64"),
    ChrootStatus("broken", f"{BASE}/broken", "broken",
                 problems=(Problem(f"{BASE}/broken holds no usable root file system",
                                   f"make one: chroot-tool create -d {BASE}/broken"),),
                 changed=NOW - 400 * DAY),
    DEB12,
    ChrootStatus("half", f"{BASE}/half", "incomplete", changed=NOW - 12 * MINUTE),
    ChrootStatus("jammy", f"{BASE}/jammy", "off", "Ubuntu 22.04.5 LTS", OFF, changed=NOW - 2 * DAY),
    ChrootStatus("new", f"{BASE}/new", "creating", changed=NOW - 20),
    TRIXIE,
)  # fmt: skip
SIZES = {f"{BASE}/{name}": size for name, size in [
    ("arm", 310_000_000), ("deb12", 2_400_000_000), ("jammy", 780_000_000),
    ("trixie-build", 1_100_000_000), ("broken", 0),
]}  # fmt: skip

JOBS = (
    JobStatus(5, "create", "new", f"{BASE}/new", stage="unpacking libc6", fraction=0.42,
            started=NOW - 83),
    JobStatus(4, "on", "jammy", f"{BASE}/jammy", stage="mounting /dev", started=NOW - 2),
    JobStatus(3, "on", "trixie-build", f"{BASE}/trixie-build", FAILED,
            "cannot mount /tmp: no space left on device", hint="free some memory, or mount less",
            started=NOW - 300, ended=NOW - 299),
    JobStatus(2, "off", "jammy", f"{BASE}/jammy", CANCELLED, "stopped by you", started=NOW - 600,
            ended=NOW - 590),
    JobStatus(1, "delete", "old", f"{BASE}/old", DONE, "done", started=NOW - 900, ended=NOW - 880),
)  # fmt: skip


def hostile_chroot(text: str) -> ChrootStatus:
    """Return a chroot that has *text* wherever text can come from outside."""
    return ChrootStatus(
        text, f"{BASE}/{text}", "partial", text,
        (
            mount(f"/{text}", "drifted", source=text, fs=text or "x", options=(text,), origin=text,
                  reason=text, real=text),
        ),
        (Process(1, text, text, 1.0, 1, NOW),),
        (Problem(text, text),),
        description=text,
    )  # fmt: skip


def hostile_job(text: str) -> JobStatus:
    return JobStatus(
        1, text, text, f"{BASE}/{text}", FAILED, text, hint=text, started=NOW, ended=NOW
    )
