"""The kernel's mount table: parsed, asked, waited for. Parsing is pure.

The form is that of proc_pid_mountinfo(5). Paths come out as Python strings with surrogate escapes,
as os.fsdecode gives them.
"""

from __future__ import annotations

import os

from ..value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

PATH = "/proc/self/mountinfo"
KINDS = (
    "fuse ", "fuse.", "fuseblk ", "nfs ", "nfs4 ", "cifs ", "smb3 ", "9p ", "ceph ", "afs ",
    "autofs ", "virtiofs ", "lustre ", "beegfs ", "gfs2 ", "ocfs2 ", "orangefs ", "pvfs2 ",
    "coda ", "vboxsf ", "prl_fs ",
)  # fmt: skip
"""How the types of file systems begin, with a space behind them, that somebody else answers for."""
BINFMT = "/proc/sys/fs/binfmt_misc"
"""Where systemd has an autofs on every host, which is answered for by the host itself."""
_LARGE = 1 << 16
_TRIES = 8
"""How often a table that changes while it is read is read anew before it is taken as it is."""


class MountEntry(Value):
    """One line of mountinfo."""

    id: int
    parent: int
    device: str
    """`major:minor` of the file system (not always st_dev: btrfs has one per subvolume)."""
    root: str
    """What of the file system is mounted: the path within it."""
    target: str
    """The mount point, from this process's root."""
    options: tuple[str, ...]
    """Per-mount options: rw, nosuid, relatime …"""
    optional: tuple[str, ...]
    """`shared:N`, `master:N`, `propagate_from:N`, `unbindable`."""
    fs: str
    source: str
    super_options: tuple[str, ...]

    @property
    def is_answered_for(self) -> bool:
        """Whether somebody else answers for what is here, who may have gone away: `answering`."""
        return f"{self.fs} ".startswith(KINDS) and self.target != BINFMT

    @property
    def propagation(self) -> str:
        """One of shared, slave, unbindable, private (`Documentation/.../sharedsubtree.rst`)."""
        for field in self.optional:
            if field.startswith("shared:"):
                return "shared"
        for field in self.optional:
            if field.startswith("master:"):
                return "slave"
            if field == "unbindable":
                return "unbindable"
        return "private"


def _unescape(field: str) -> str:
    r"""Undo the kernel's `\040` for space, tab, newline, backslash and `#` (seq_path)."""
    first, *rest = field.split("\\")
    return first + "".join([chr(int(part[:3], 8)) + part[3:] for part in rest])


def parse_line(line: str) -> MountEntry:
    """Return the entry that *line* (without newline) describes. Raises ValueError."""
    head, separator, tail = line.partition(" - ")
    words = head.split(" ")
    if not separator or len(words) < 6:
        raise ValueError(f"no line of mountinfo: {line!r}")
    fs, _, rest = tail.partition(" ")
    source, _, super_options = rest.rpartition(" ")
    root, target = words[3], words[4]
    if "\\" in line:
        root, target, source = _unescape(root), _unescape(target), _unescape(source)
    return MountEntry(
        int(words[0]), int(words[1]), words[2], root, target,
        tuple(words[5].split(",")), tuple(words[6:]), fs, source, tuple(super_options.split(",")),
    )  # fmt: skip


_last: dict[str, MountEntry] = {}
"""What `MountTable.read` read last, by lines: most are the same the next time."""


def inside(target: str, root_path: str) -> str:
    """Return a host path below *root_path* as a path inside the chroot."""
    return target[len(root_path.rstrip("/")) :]


class MountTable:
    """A mount table as it was at one moment. Immutable by use."""

    def __init__(self, entries: Iterable[MountEntry]) -> None:
        self.entries = tuple(entries)
        self.by_id = {entry.id: entry for entry in self.entries}
        self._at: dict[str, list[MountEntry]] = {}
        for entry in self.entries:
            self._at.setdefault(entry.target, []).append(entry)
        self._targets: list[str] = []
        self._over: dict[tuple[str, int], MountEntry | None] = {}
        self._hidden: dict[int, MountEntry | None] = {}
        self._answered_for: tuple[MountEntry, ...] | None = None

    @property
    def answered_for(self) -> tuple[MountEntry, ...]:
        """The mounts of file systems that somebody else answers for: see `answering`."""
        if self._answered_for is None:
            self._answered_for = tuple([one for one in self.entries if one.is_answered_for])
        return self._answered_for

    @classmethod
    def parse(cls, data: bytes) -> MountTable:
        """Return the table of the text *data*. Raises ValueError where a line is none."""
        return cls([parse_line(line) for line in lines_of(data)])

    @classmethod
    def read(cls, path: str = PATH) -> MountTable:
        """Return the table of this process's mount namespace. Raises OSError."""
        global _last
        if path != PATH:
            return cls.parse(read_text(path))
        known = _last
        entries = {line: known.get(line) or parse_line(line) for line in lines_of(read_text())}
        _last = entries
        return cls(entries.values())

    def below(self, path: str) -> list[MountEntry]:
        """Return what is mounted strictly below *path* by components, ordered by mount point."""
        if not self.entries:
            return []  # a session's own root, which is on the short way
        from _bisect import bisect_left  # `bisect` adds what stands for it where it is missing

        if not self._targets:
            self._targets = sorted(self._at)
        prefix = path.rstrip("/") + "/"
        # "0" is the character after "/": everything that starts with `prefix` sorts in between.
        low = bisect_left(self._targets, prefix)
        high = bisect_left(self._targets, prefix[:-1] + "0")
        return [entry for target in self._targets[low:high] for entry in self._at[target]]

    def at(self, path: str) -> list[MountEntry]:
        """Return what is stacked at exactly *path*, what is seen last."""
        entries = self._at.get(path, [])
        return entries if len(entries) < 2 else stacked(entries)

    def hidden_by(self, entry: MountEntry, gone: Collection[int] = ()) -> MountEntry | None:
        """Return what is mounted further up and hides *entry*, None where it can be reached.

        Mounts whose ids are in *gone* count as not there.
        """
        if gone:
            return self._hidden_by(entry, gone, {})
        if entry.id not in self._hidden:
            self._hidden[entry.id] = self._hidden_by(entry, (), self._over)
        return self._hidden[entry.id]

    def _hidden_by(
        self,
        entry: MountEntry,
        gone: Collection[int],
        known: dict[tuple[str, int], MountEntry | None],
    ) -> MountEntry | None:
        """As `hidden_by`; *known* is what has been found, by directories and what they are on."""
        way: list[tuple[str, int]] = []
        found = None
        for _ in self.entries:  # not deeper than there are mounts, and who is inside can make many
            parent = self.by_id.get(entry.parent)
            if parent is None or parent is entry:
                break
            is_stacked = entry.target == parent.target
            directory = entry.target.rpartition("/")[0]
            # Asked more than once, and for all that stands there; "=" is no directory.
            key = ("=" if is_stacked else directory, parent.id)
            if key in known:
                found = known[key]
                break
            way.append(key)
            found = None if is_stacked else self._covers(directory, parent, gone)
            if found:
                break
            entry = parent
        known.update(dict.fromkeys(way, found))
        return found

    def _covers(self, point: str, parent: MountEntry, gone: Collection[int]) -> MountEntry | None:
        """Return what hides *point*, a directory on the mount *parent*, up to where that is."""
        top = parent.target.rstrip("/")
        while len(point) >= len(top):  # at the end: what is stacked on the parent hides it too
            for other in self._at.get(point or "/", ()):
                if other.parent == parent.id and other.id not in gone:
                    return other
            if not point:
                break
            point = point.rpartition("/")[0]
        return None


def lines_of(data: bytes) -> list[str]:
    """Return the lines of a mountinfo text."""
    # Not splitlines(): a mount point may hold \x85 or \u2028, which the kernel leaves alone.
    return [line for line in data.decode("utf-8", "surrogateescape").split("\n") if line]


def stacked(entries: list[MountEntry]) -> list[MountEntry]:
    """Return mounts of one mount point from the lowest to the one that is seen.

    mountinfo's order is not the order of stacking on every kernel; who is whose parent is.
    """
    ids = {entry.id for entry in entries}
    children = {entry.parent: entry for entry in entries}
    bottom = next((entry for entry in entries if entry.parent not in ids), entries[0])
    result = {bottom.id: bottom}
    above = children.get(bottom.id)
    while above and above.id not in result:
        result[above.id] = above
        above = children.get(above.id)
    return [*result.values(), *(entry for entry in entries if entry.id not in result)]


def read_text(path: str = PATH) -> bytes:
    """Return the whole text of a mountinfo file, read anew until it did not change meanwhile.

    A read of more than one page is not atomic: entries can be missed or seen twice when
    somebody mounts in between. The kernel tells by POLLPRI on the same descriptor.
    """
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        page = os.read(fd, _LARGE)
        return _settled(fd) if os.read(fd, _LARGE) else page
    finally:
        os.close(fd)


def _settled(fd: int) -> bytes:
    import select

    poll = select.poll()
    poll.register(fd, select.POLLPRI)
    for _ in range(_TRIES):
        poll.poll(0)  # takes note of everything up to here
        os.lseek(fd, 0, os.SEEK_SET)
        data = _to_end(fd)
        if not poll.poll(0):
            break
    return data


def _to_end(fd: int) -> bytes:
    chunks = []
    while chunk := os.read(fd, _LARGE):
        chunks.append(chunk)
    return b"".join(chunks)


class MountWatch:
    """Waits until the mount table of this namespace changes. Costs nothing while it does not."""

    def __init__(self) -> None:
        self._file = open(PATH, "rb", buffering=0)  # noqa: SIM115 (open as long as the watch)

    def fileno(self) -> int:
        """Return the descriptor: POLLPRI (or POLLERR) on it tells of a change, once."""
        return self._file.fileno()

    def close(self) -> None:
        """Close the descriptor."""
        self._file.close()


class MountReader:
    """Reads mountinfo again and again through one open file. Raises OSError."""

    def __init__(self) -> None:
        import select

        self._fd = os.open(PATH, os.O_RDONLY | os.O_CLOEXEC)
        self._poll = select.poll()
        self._poll.register(self._fd, select.POLLPRI)

    def has_changed(self) -> bool:
        """Tell whether the table is another than when this was asked last."""
        return bool(self._poll.poll(0))

    def whole(self) -> list[bytes]:
        """Return all lines."""
        return _settled(self._fd).split(b"\n")[:-1]

    def more(self) -> list[bytes]:
        """Return the lines of mounts that were made since the last line that was read.

        Since Linux 6.8 the file is ordered by the ids of listmount(2), and goes on behind the
        last one it has shown (`m_start` in fs/namespace.c). Before that it has come to its end.
        """
        return _to_end(self._fd).split(b"\n")[:-1]

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)


def device_name(number: int) -> str:
    """Return a device number in mountinfo's form, `major:minor`."""
    return f"{os.major(number)}:{os.minor(number)}"
