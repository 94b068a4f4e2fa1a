"""Sets of binds for what people most often want of the host inside: screen, sound, keys, files.

Pure: the environment and what exists come in, values come out. A preset is a proposal that the
user sees and edits before it is saved. What lives only as long as a session (sockets) is optional,
so that a chroot can be switched on without it.
"""

from __future__ import annotations

from ..errors import UsageError
from ..value import Value
from .bind import CHROOT_TOML, Bind, make

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Exists = Callable[[str], bool]
    _Wanted = tuple[str, str, tuple[str, ...]]
    """Source, target, options."""

_GPU = ("/dev/dri", "/dev/kfd")
"""Kernel mode setting and rendering; AMD's compute."""
_NVIDIA = (
    "/dev/nvidia0", "/dev/nvidiactl", "/dev/nvidia-modeset", "/dev/nvidia-uvm",
    "/dev/nvidia-uvm-tools",
)  # fmt: skip
"""What the vendor's own driver makes."""
_AGENT = "/run/ssh-agent.sock"
_LOCKED_DOWN = ("nosuid", "nodev", "noexec")


class Preset(Value):
    """Binds that belong together."""

    title: str
    why: str
    """One line: what it gives, and what it gives away."""
    binds: tuple[Bind, ...]
    env: tuple[tuple[str, str], ...] = ()
    """Variables that programs inside need besides, as (name, value)."""


def presets(
    env: Mapping[str, str], uid: int, home: str, cwd: str, exists: Exists
) -> tuple[Preset, ...]:
    """Return the presets for the user *uid* with this environment; each has a bind at least.

    *home* and *cwd* are that user's, absolute; *exists* tells whether a path is there on the host.
    Values may be foreign text.
    """
    runtime = env.get("XDG_RUNTIME_DIR") or f"/run/user/{uid}"
    found = (
        _x11(env, home, exists),
        _wayland(env, runtime),
        _sound(runtime),
        _gpu(exists),
        _ssh_agent(env, runtime, exists),
        Preset(
            "home, read-only",
            "your files, to read: everything inside can read your keys too",
            _binds([(home, home, ("ro", "nosuid", "nodev"))]),
        ),
        Preset(
            "current directory",
            "where chroot-tool was started, to read and to write",
            _binds([(cwd, cwd, ("nosuid", "nodev"))]),
        ),
    )
    return tuple(preset for preset in found if preset.binds)


def _x11(env: Mapping[str, str], home: str, exists: Exists) -> Preset:
    cookie = env.get("XAUTHORITY") or f"{home}/.Xauthority"
    wanted: list[_Wanted] = [("/tmp/.X11-unix", "/tmp/.X11-unix", _LOCKED_DOWN)]
    variables = [("DISPLAY", env.get("DISPLAY") or ":0")]
    if exists(cookie):
        wanted.append((cookie, cookie, ("ro", *_LOCKED_DOWN)))
        variables.append(("XAUTHORITY", cookie))
    return Preset(
        "X11",
        "windows on your screen: programs inside can see all other windows and keys",
        _binds(wanted, optional=True),
        tuple(variables),
    )


def _wayland(env: Mapping[str, str], runtime: str) -> Preset:
    # An absolute name is a path by itself: wl_display_connect(3).
    display = env.get("WAYLAND_DISPLAY") or "wayland-0"
    socket = display if display.startswith("/") else f"{runtime}/{display}"
    return Preset(
        "Wayland",
        "windows on your screen",
        _binds([(socket, socket, _LOCKED_DOWN)], optional=True),
        (("XDG_RUNTIME_DIR", runtime), ("WAYLAND_DISPLAY", display)),
    )


def _sound(runtime: str) -> Preset:
    pipewire, pulse = f"{runtime}/pipewire-0", f"{runtime}/pulse"
    return Preset(
        "sound",
        "PipeWire and PulseAudio: loudspeakers, and the microphone",
        _binds([(pipewire, pipewire, _LOCKED_DOWN), (pulse, pulse, _LOCKED_DOWN)], optional=True),
        (("XDG_RUNTIME_DIR", runtime), ("PULSE_SERVER", f"unix:{pulse}/native")),
    )


def _gpu(exists: Exists) -> Preset:
    nodes = [_GPU[0], *(node for node in (_GPU[1], *_NVIDIA) if exists(node))]
    # Not nodev: they are devices.
    wanted = [(node, node, ("nosuid", "noexec")) for node in nodes]
    return Preset(
        "GPU", "rendering and computing on the graphics card", _binds(wanted, optional=True)
    )


def _ssh_agent(env: Mapping[str, str], runtime: str, exists: Exists) -> Preset:
    usual = (
        f"{runtime}/openssh_agent",
        f"{runtime}/gnupg/S.gpg-agent.ssh",
        f"{runtime}/keyring/ssh",
    )
    there = [path for path in usual if exists(path)]
    socket = env.get("SSH_AUTH_SOCK") or next(iter(there), usual[0])
    return Preset(
        "SSH agent",
        "your keys, to log in with: programs inside can use them while it is mounted",
        _binds([(socket, _AGENT, _LOCKED_DOWN)], optional=True),
        (("SSH_AUTH_SOCK", _AGENT),),
    )


def _binds(wanted: Iterable[_Wanted], *, optional: bool = False) -> tuple[Bind, ...]:
    """Return those that can be binds at all."""
    made = []
    for source, target, options in wanted:
        try:
            made.append(
                make(target, source, options=options, optional=optional, origin=CHROOT_TOML)
            )
        except UsageError:
            continue  # a variable that holds no path, or a current directory that is the root
    return tuple(made)
