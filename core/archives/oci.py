"""Writing a tree as an image of one layer, in the layout that podman, skopeo and umoci take.

The forms are those of the OCI image specification (image-layout.md, manifest.md, config.md). The
layer is gzip: not all who read layouts know zstd. Holes are written as zeros, and there is no
manifest of ours in it: readers of layers are stricter than tar.
"""

from __future__ import annotations

import hashlib
import json
import os

from ..errors import ChrootError, UsageError
from ..events import ignore
from ..kernel.rootpath import Root
from ..kernel.syscalls import RENAME_NOREPLACE, renameat2
from ..need_root import need_root
from ..trees.built_aside import Aside
from ..value import Value
from . import compression
from .archive import Packed, in_steps
from .packing import Tree
from .pipeline import Stop, write_all
from .writing import give, part, whole_sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from threading import Event as Flag
    from types import TracebackType
    from typing import Any

    from ..events import Report
    from .writing import Owner

    Progress = Callable[[float], None]

TAG = "latest"
"""What the image in a layout of ours is called."""
_TYPE = "application/vnd.oci.image."
_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_GO = {
    "i386": ("386", ""), "armhf": ("arm", "v7"), "armel": ("arm", "v5"), "ppc64el": ("ppc64le", ""),
    "mipsel": ("mipsle", ""), "mips64el": ("mips64le", ""),
}  # fmt: skip
"""Debian's architectures that have another name there, and the variant (go.dev/doc/install)."""


class Image(Value):
    """What an image says of itself."""

    arch: str
    """In Debian's words."""
    command: tuple[str, ...]
    """What is run where nothing else is asked for."""
    created: str
    """ISO 8601."""
    author: str
    """Which program made it."""


def pack_image(
    directory: str,
    output: str,
    image: Image,
    *,
    exclude: Sequence[str] = (),
    owner: Owner | None = None,
    progress: Progress | None = None,
    cancelled: Flag | None = None,
    report: Report = ignore,
) -> Packed:
    """Write the tree at *directory* as the layout *output*, a directory that is not there yet.

    It appears when it is whole, *owner*'s where there is one. Raises as `archive.pack` does.
    """
    need_root("packing")
    compression.require(compression.GZIP, writing=True)
    try:
        with _Layout(output, report) as layout, Tree(directory, exclude, Stop(cancelled)) as tree:
            layout.make_folders()
            plain = hashlib.sha256()
            blob, fd = layout.begin()
            status = os.fstat(fd)
            try:
                changed = tree.write(
                    compression.GZIP.pack, os.dup(fd),
                    never=(status.st_dev, status.st_ino), is_sparse=False, tee=plain.update,
                    progress=in_steps(progress) if progress else None,
                )  # fmt: skip
                layer = layout.finish(blob, fd, "layer.v1.tar+gzip", cancelled)
            finally:
                os.close(fd)
            layout.write(_config(image, plain.hexdigest()), layer)
            if owner is not None:
                layout.give(owner)
            size = layout.put_in_place()
    except OSError as error:
        raise ChrootError(f"cannot write {output}: {error.strerror}") from error
    return Packed(layout.path, size, "", tree.count, tree.left_out, tree.missing, changed)


def _config(image: Image, diff: str) -> dict[str, Any]:
    arch, variant = _GO.get(image.arch, (image.arch, ""))
    return {
        "created": image.created,
        "architecture": arch,
        **({"variant": variant} if variant else {}),
        "os": "linux",
        "config": {"Env": [_PATH], "Cmd": list(image.command)},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{diff}"]},
        "history": [{"created": image.created, "created_by": image.author}],
    }


class _Layout:
    """A layout that is built as `.NAME.part` and renamed at the end. A context manager."""

    def __init__(self, output: str, report: Report) -> None:
        self.path = os.path.abspath(output)
        above, self._name = os.path.split(self.path)
        if os.path.lexists(self.path):
            raise UsageError(f"{self.path} is there already", "choose another name with -f")
        try:
            self._above = os.open(above, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise ChrootError(f"{above}: {error.strerror}", "make it first") from error
        try:
            self._aside = Aside(self._above, part(self._name), self.path, report)
        except BaseException:
            os.close(self._above)
            raise
        self._fd = self._aside.fd

    def __enter__(self) -> _Layout:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        try:
            self._aside.__exit__(kind, error, tb)
        finally:
            os.close(self._above)

    def make_folders(self) -> None:
        """Make what blobs are put into."""
        os.mkdir("blobs", dir_fd=self._fd)
        os.mkdir("blobs/sha256", dir_fd=self._fd)

    def begin(self) -> tuple[str, int]:
        """Return the name and a descriptor of a blob whose digest is not known yet."""
        name = "blobs/sha256/part"
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        return name, os.open(name, flags, 0o644, dir_fd=self._fd)

    def finish(
        self, name: str, fd: int, kind: str, cancelled: Flag | None = None
    ) -> dict[str, Any]:
        """Give a blob its name; return its descriptor as the specification has such."""
        os.fsync(fd)
        digest = whole_sha256(fd, cancelled)
        os.rename(name, f"blobs/sha256/{digest}", src_dir_fd=self._fd, dst_dir_fd=self._fd)
        size = os.fstat(fd).st_size
        return {"mediaType": _TYPE + kind, "digest": f"sha256:{digest}", "size": size}

    def write(self, config: dict[str, Any], layer: dict[str, Any]) -> None:
        """Write all that is JSON."""
        said = self._blob(config, "config.v1+json")
        manifest = {
            "schemaVersion": 2, "mediaType": f"{_TYPE}manifest.v1+json",
            "config": said, "layers": [layer],
        }  # fmt: skip
        entry = self._blob(manifest, "manifest.v1+json")
        entry["annotations"] = {"org.opencontainers.image.ref.name": TAG}
        with Root(f"/proc/self/fd/{self._fd}") as root:
            root.write("/oci-layout", _json({"imageLayoutVersion": "1.0.0"}))
            root.write("/index.json", _json({"schemaVersion": 2, "manifests": [entry]}))

    def _blob(self, content: dict[str, Any], kind: str) -> dict[str, Any]:
        name, fd = self.begin()
        try:
            write_all(fd, _json(content))
            return self.finish(name, fd, kind)
        finally:
            os.close(fd)

    def give(self, owner: Owner) -> None:
        """Make all of it *owner*'s, who can't enter it before that is done."""
        try:
            for _, _, files, folder in os.fwalk(dir_fd=self._fd, topdown=False):
                for name in files:
                    os.chown(name, *owner, dir_fd=folder, follow_symlinks=False)
                give(folder, owner)
        except OSError:
            pass  # as `give`

    def put_in_place(self) -> int:
        """Give the layout its name; return the bytes in it."""
        blobs = os.scandir(f"/proc/self/fd/{self._fd}/blobs/sha256")
        with blobs:
            size = sum(entry.stat().st_size for entry in blobs)
        try:
            renameat2(self._above, self._aside.name, self._above, self._name, RENAME_NOREPLACE)
        except FileExistsError:
            raise ChrootError(f"{self.path} was made by somebody else meanwhile") from None
        self._aside.keep()
        os.fsync(self._above)
        return size


def _json(content: dict[str, Any]) -> bytes:
    return json.dumps(content).encode()
