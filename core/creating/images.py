"""Images as a source: skopeo fetches them from wherever they are, umoci unpacks them.

skopeo knows registries, layouts and what docker and podman save; what comes out of it is a layout
of our own, so that umoci has to do with one form only. umoci is let write in the one directory and
nowhere else, as tar is.
"""

from __future__ import annotations

import os

from .. import programs
from ..archives.confined import HERE, command
from ..archives.pipeline import Program, Stop
from ..errors import Cancelled, ChrootError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from threading import Event as Flag

KINDS = ("docker://", "oci:", "oci-archive:", "docker-archive:", "docker-daemon:", "dir:",
         "containers-storage:")  # fmt: skip
"""What a source of this kind begins with (containers-transports(5))."""
_PROGRAMS = ("skopeo", "umoci")
_POLICIES = ("/etc/containers/policy.json", "/usr/share/containers/policy.json")
_PASSED = ("REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR")
_GO = {"i386": "386", "armhf": "arm", "armel": "arm", "ppc64el": "ppc64le"}
LOCAL = ("oci:", "oci-archive:", "docker-archive:", "dir:")
"""Those that lie on this machine: a path follows."""
_STORE = "image"
_NO_HOST = ("no such host", "dial tcp", "name resolution", "server misbehaving")
"""What skopeo says where the registry cannot be reached: Go's words for it."""


def is_image(source: str) -> bool:
    """Tell whether *source* names an image."""
    return bool(kind_of(source))


def kind_of(source: str) -> str:
    """Return which of `KINDS` *source* names, "" where it is no image."""
    return next((one for one in KINDS if source.startswith(one)), "")


def check(source: str) -> None:
    """See that the programs are there, and what lies on this disk. Raises ChrootError."""
    missing = [name for name in _PROGRAMS if not programs.find(name)]
    if missing:
        raise ChrootError(
            f"an image takes {' and '.join(missing)}, which {'is' if len(missing) == 1 else 'are'}"
            " not installed",
            f"apt install {' '.join(missing)}",
        )
    kind = kind_of(source)
    path = source.removeprefix(kind)
    if kind in LOCAL and not (os.path.exists(path) or os.path.exists(path.rpartition(":")[0])):
        raise ChrootError(f"{path} does not exist", f"{kind} is followed by a path on this machine")


def fetch(
    source: str,
    directory: str,
    tree: str,
    *,
    arch: str = "",
    said: Callable[[str], None],
    cancelled: Flag | None = None,
) -> None:
    """Unpack the image *source* into the empty *tree*, with *directory* for what comes between.

    *arch* is wanted of an image for several, in Debian's words. Raises ChrootError, Cancelled.
    """
    layout = f"{directory}/{_STORE}"
    copy = [
        "skopeo", *([] if any(map(os.path.exists, _POLICIES)) else ["--insecure-policy"]),
        *([f"--override-arch={_GO.get(arch, arch)}"] if arch else []),
        "copy", "--", source, f"oci:{layout}:{_STORE}",
    ]  # fmt: skip
    environment = {name: os.environ[name] for name in _PASSED if name in os.environ}
    _run(copy, {**environment, "TMPDIR": directory}, said, cancelled)
    unpack = ["umoci", "raw", "unpack", "--image", f"{layout}:{_STORE}", HERE + "/root"]
    # The parent of the tree: umoci makes the directory itself, and gives it what the image says.
    os.rmdir(tree)
    _run(command(directory, unpack), {"TMPDIR": directory}, said, cancelled, is_guarded=True)
    _remove(directory)


def _remove(directory: str) -> None:
    from ..trees.remove import tree

    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        tree(fd, _STORE)
    finally:
        os.close(fd)


def _run(
    argv: Sequence[str],
    env: dict[str, str],
    said: Callable[[str], None],
    cancelled: Flag | None,
    *,
    is_guarded: bool = False,
) -> None:
    stop = Stop(cancelled)
    lines: list[str] = []

    def line(text: str) -> bool:
        said(text)
        lines.append(text)
        del lines[:-20]
        return True

    code = Program(argv, env=env, on_error=line, stop=stop, is_guarded=is_guarded).wait()
    if stop.is_cancelled:
        raise Cancelled("fetching the image was stopped")
    if code:
        name = "umoci" if is_guarded else argv[0]
        raise ChrootError(f"{name} failed: {_cause(lines, code)}", _hint(lines))


def _cause(lines: Sequence[str], code: int) -> str:
    """Return why: the last line that says so, without the time and the level before it."""
    for line in reversed(lines):
        _, found, message = line.partition('msg="')
        if found:
            return message.rpartition('"')[0].replace('\\"', '"')
        if line.strip():
            return line.strip()
    return f"exit code {code}"


def _hint(lines: Sequence[str]) -> str:
    text = " ".join(lines)
    if "unauthorized" in text or "denied" in text:
        return "log in with skopeo login, or give REGISTRY_AUTH_FILE"
    if "HTTP response to HTTPS" in text or "look like a TLS handshake" in text:
        return "a registry without TLS has to stand as insecure in registries.conf(5)"
    if any(word in text for word in _NO_HOST):
        return "see whether the registry's name is right and the network is up"
    if "manifest unknown" in text:
        return "see whether the image has that name and tag"
    if "No space left" in text or "no space left" in text:
        return "free some space there, or choose another place"
    return ""
