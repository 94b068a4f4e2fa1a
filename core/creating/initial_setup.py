"""What a bare Debian needs to be worked in: locale, time zone, names, apt sources, `chroot.d`.

Every write goes through `rootpath`, so that a link in the new root leads nowhere outside. Programs
of the new root are started only by the function that is passed in, in a throw-away namespace.
"""

from __future__ import annotations

import os
from contextlib import suppress

from ..chroot import CONFIG_DIRECTORY
from ..errors import Problem
from ..host.apt_proxy import has_password
from .names import host_name
from .options import PLAIN_LOCALES, UTC

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..host.apt_sources import Source
    from ..kernel.rootpath import Root
    from .options import CreateOptions

    RunInside = Callable[[Sequence[str]], None]
    Warn = Callable[[Problem], None]

CHROOT_CMD = f"{CONFIG_DIRECTORY}/chroot-cmd"

_CHROOT_CMD_TEXT = b"""\
#!/bin/sh
# Runs inside the chroot, in /chroot.d, for every `chroot-tool run WORD ...` whose WORD is neither
# an absolute path nor a file here. It is yours to change: let `start` start your services and
# `stop` end them. chroot-tool calls `stop` before it switches the chroot off.

if [ "$#" -eq 1 ]; then
    case $1 in
        start | stop | restart | update) exit 0 ;; # nothing to do yet
    esac
fi
exec "$@"
"""

POLICY = "/usr/sbin/policy-rc.d"
POLICY_TEXT = b"""\
#!/bin/sh
# Written by chroot-tool: 101 means "not allowed", so no package starts a daemon when it is
# installed or upgraded. Remove this file if they should (invoke-rc.d(8)).
exit 101
"""

_HOSTS_TEXT = """\
127.0.0.1 localhost
127.0.1.1 {names}
::1 localhost ip6-localhost ip6-loopback
"""


_SUPPORTED = "/usr/share/i18n/SUPPORTED"
"""The locales that the package locales can make, with their character sets."""
_PROXY = "/etc/apt/apt.conf.d/00chroot-tool-proxy"
"""Read first, so that whatever else is written there has the last word (apt.conf(5))."""
_PROXY_TEXT = (
    "// Written by chroot-tool: the proxy that this chroot was created through (create --proxy).",
    "// It is yours to change or remove.",
)


def set_up(
    root: Root,
    name: str,
    options: CreateOptions,
    sources: Sequence[Source],
    run_inside: RunInside,
    warn: Warn,
) -> None:
    """Set up the fresh system in *root*, called *name*.

    *sources* are the host's, *run_inside* runs a program of the new root or raises ChrootError.
    Raises OSError and ChrootError where something cannot be written.
    """
    _locales(root, options.locales, run_inside)
    _timezone(root, options.timezone, warn)
    _network(root, host_name(name))
    _write(root, POLICY, POLICY_TEXT, 0o755)
    _add_sources(root, options, sources)


def set_up_copy(
    root: Root, name: str, options: CreateOptions, run_inside: RunInside, warn: Warn
) -> None:
    """Set up a system of somebody else's making in *root*, as far as it needs it.

    It gets the new *name* and the host's name servers; locale and time zone where *options* ask
    for them; a Debian also `policy-rc.d` and a locale, where it has none. Raises as `set_up`.
    """
    is_debian = root.stat("/etc/debian_version") is not None
    problem = no_locales(root, options.locales)
    if problem:
        warn(problem)
    if options.locales and not problem:
        _locales(root, options.locales, run_inside)
    elif is_debian and root.stat("/etc/default/locale") is None:
        _locales(root, PLAIN_LOCALES[:1], run_inside)
    if options.timezone:
        _timezone(root, options.timezone, warn)
    _network(root, host_name(name), has_prompt=is_debian)
    if is_debian and root.stat(POLICY) is None:
        _write(root, POLICY, POLICY_TEXT, 0o755)


def write_chroot_cmd(root: Root) -> None:
    """Write `chroot.d/chroot-cmd`; whoever calls it has seen that there is none."""
    _write(root, CHROOT_CMD, _CHROOT_CMD_TEXT, 0o755)


def write_proxy(root: Root, lines: Sequence[str]) -> None:
    """Have apt inside go through the proxies of these lines (`apt_proxy.apt_lines`).

    A file with a password is root's alone: apt of others then says that it could not read it, and
    goes on.
    """
    if lines:
        text = "".join(f"{line}\n" for line in (*_PROXY_TEXT, *lines))
        mode = 0o600 if has_password(lines) else 0o644
        _write(root, _PROXY, text.encode("utf-8", "surrogateescape"), mode)


def mirrors_in(root: Root) -> tuple[str, ...]:
    """Return the addresses that stand in etc/apt/sources.list, each once."""
    try:
        words = root.read("/etc/apt/sources.list").decode("utf-8", "replace").split()
    except OSError:
        return ()
    return tuple(dict.fromkeys(w for w in words if w.startswith(("http://", "https://"))))


def _write(root: Root, inside: str, data: bytes, mode: int = 0o644) -> None:
    """Write *inside* with *mode*, making what is missing above it, whatever the umask is."""
    physical = root.resolve(inside)
    directory = physical.rpartition("/")[0]
    if directory and root.stat(directory, follow=False) is None:
        for made in root.make(directory, file=False, allowed=lambda _mount: True):
            _chmod(root, made, 0o755)
    # Nothing else of a new tree is synced; while it is unfinished, its marker says so.
    root.write(physical, data, mode, is_synced=False)
    _chmod(root, physical, mode)  # a file that was there has kept its own


def _chmod(root: Root, physical: str, mode: int) -> None:
    fd = root.open(physical, follow=False)
    try:
        os.chmod(f"/proc/self/fd/{fd}", mode)
    finally:
        os.close(fd)


def no_locales(root: Root, locales: Sequence[str]) -> Problem | None:
    """Return what is to be said where the system in *root* cannot make one of *locales*."""
    wanted = [locale for locale in locales if locale not in PLAIN_LOCALES]
    if not wanted or root.stat(_SUPPORTED) is not None:
        return None
    return Problem(
        f"the package locales is missing inside: {', '.join(wanted)} cannot be made",
        "apt install locales inside, then dpkg-reconfigure locales; or --locale C.UTF-8",
    )


def _locales(root: Root, locales: Sequence[str], run_inside: RunInside) -> None:
    _write(root, "/etc/default/locale", f"LANG={locales[0]}\n".encode())
    wanted = [locale for locale in locales if locale not in PLAIN_LOCALES]
    if not wanted:
        return
    charsets = dict(
        line.split()[:2]
        for line in root.read(_SUPPORTED).decode("ascii", "replace").splitlines()
        if len(line.split()) > 1
    )
    lines = [f"{locale} {charsets.get(locale, 'UTF-8')}\n" for locale in wanted]
    before = b"" if root.stat("/etc/locale.gen") is None else root.read("/etc/locale.gen")
    _write(root, "/etc/locale.gen", before + "".join(lines).encode())
    run_inside(["locale-gen"])


def _timezone(root: Root, timezone: str, warn: Warn) -> None:
    target = f"/usr/share/zoneinfo/{timezone}"
    if timezone not in UTC and root.stat(target) is None:
        problem = Problem(
            f"the time zone {timezone} is not in this suite's tzdata: it stays UTC",
            "apt install tzdata-legacy inside may have it",
        )
        warn(problem)
        return
    _write(root, "/etc/timezone", f"{timezone}\n".encode())
    _link(root, "/etc/localtime", target)


def _link(root: Root, inside: str, target: str) -> None:
    """Make *inside* a link to *target*, in place of the file or link that is there.

    Not at once: the system is only just being made.
    """
    directory, _, name = inside.rpartition("/")
    parent = root.open(root.resolve(directory), os.O_PATH | os.O_DIRECTORY, follow=False)
    try:
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=parent)
        os.symlink(target, name, dir_fd=parent)
    finally:
        os.close(parent)


def _network(root: Root, name: str, *, has_prompt: bool = True) -> None:
    _write(root, "/etc/hostname", f"{name}\n".encode())
    # hostname(1) answers the host's name inside, too: it is to be found there as well.
    names = dict.fromkeys((os.uname().nodename, name))
    _write(root, "/etc/hosts", _HOSTS_TEXT.format(names=" ".join(names)).encode())
    # Debian's shells show it in their prompt: nobody is to take this for the host's root shell.
    if has_prompt:
        _write(root, "/etc/debian_chroot", f"{name}\n".encode())
    try:
        with open("/etc/resolv.conf", "rb") as file:
            servers = file.read(1 << 16)
    except FileNotFoundError:
        return  # a host without name servers; `on` binds the host's file as soon as there is one
    _write(root, "/etc/resolv.conf", servers)


def _add_sources(root: Root, options: CreateOptions, sources: Sequence[Source]) -> None:
    """Add the host's -updates and security sources of the same suite, where it uses this mirror.

    Where somebody named another mirror, the host's others are none of this chroot's business.
    """
    mirror = options.mirror.rstrip("/")
    there = root.stat("/etc/apt/sources.list")
    if there is None or not any((s.mirror, s.suite) == (mirror, options.suite) for s in sources):
        return
    text = root.read("/etc/apt/sources.list").decode("utf-8", "surrogateescape")
    listed = {word for line in text.splitlines() for word in line.split()}
    companions = (
        f"{options.suite}-updates",
        f"{options.suite}-security",
        f"{options.suite}/updates",
    )
    lines = [
        f"deb {source.mirror} {source.suite} {source.component}\n"
        for source in sources
        if source.suite in companions and source.component in listed and source.suite not in listed
    ]
    if lines:
        end = "" if text.endswith("\n") or not text else "\n"
        data = f"{text}{end}{''.join(lines)}".encode("utf-8", "surrogateescape")
        root.write("/etc/apt/sources.list", data)
