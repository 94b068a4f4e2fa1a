"""A chroot in the words of other tools: what they want to read to use it as it is. Pure.

schroot and sbuild make mounts of their own in a session of theirs, on a bind of the directory that
takes nothing along of what is mounted in it: so it may be on or off meanwhile. schroot.conf(5),
fstab(5), systemd.nspawn(5); Ansible's is the collection's connection plugin (ansible/).
"""

from __future__ import annotations

import json
import re
import shlex

from ..errors import ChrootError, UsageError
from ..host.mount_points import RESOLV_CONF

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from .bind import Bind
    from .merge import Config

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
_LONGEST = 64
"""Of a machine's name, in characters: HOST_NAME_MAX."""
_SCHROOT_POINTS = ("/proc", "/sys", "/dev", "/dev/pts")
_OWN = ("tool.conf", "chroot.toml")


def schroot(
    name: str, path: str, config: Config, users: Iterable[str] = (), called: str = ""
) -> str:
    """Return the file for /etc/schroot/chroot.d that lets root, and *users*, into a chroot.

    *called* is what schroot is to call it, "" for what *name* gives.
    """
    called = _asked(called) or _called(name)
    place = f"chroot-tool/{called}.fstab"
    fstab = shlex.join(("chroot-tool", "export", "schroot", "--fstab", "-d", _line(path)))
    lines = [
        f"# For /etc/schroot/chroot.d/{called}.conf; then: schroot -c {called}",
        f"# What it mounts: {fstab} | sudo install -D -m 644 /dev/stdin /etc/schroot/{place}",
        f"[{called}]",
        "type=directory",
        f"directory={_line(path)}",
        f"description={_line(config.description or name)}",
        "root-users=root",
        *_of_users(users),
        "profile=minimal",
        f"setup.fstab={place}",
        # schroot would replace /etc/resolv.conf, on which something is mounted while it is on.
        "setup.copyfiles=",
    ]
    return "\n".join(lines) + "\n"


def sbuild(
    name: str,
    path: str,
    config: Config,
    suite: str,
    arch: str,
    users: Iterable[str] = (),
    called: str = "",
) -> str:
    """Return the same for sbuild: each build has a throw-away overlay, the chroot stays as it is.

    *suite* and *arch* are its own: by them sbuild finds it, unless it is *called* otherwise.
    """
    if not suite or not arch:
        raise ChrootError(
            f"{path} does not say which suite and architecture it is", "is it a Debian?"
        )
    usual = f"{_called(suite)}-{_called(arch)}-sbuild"
    called = _asked(called) or usual
    # A newer sbuild has unshare as its default, which wants a tarball and does not ask schroot.
    words = ["sbuild", "--chroot-mode=schroot", "-d", _called(suite)]
    words += ["-c", called] if called != usual else []
    lines = [
        f"# For /etc/schroot/chroot.d/{called}.conf; then:",
        f"#   {shlex.join(words)} PACKAGE.dsc",
        f"[{called}]",
        "type=directory",
        f"directory={_line(path)}",
        f"description={_line(config.description or name)}",
        "groups=root,sbuild",
        "root-groups=root,sbuild",
        *_of_users(users),
        "union-type=overlay",
        "profile=sbuild",
    ]
    return "\n".join(lines) + "\n"


def _of_users(users: Iterable[str]) -> list[str]:
    listed = ",".join(users)
    return [f"users={listed}"] if listed else []


def schroot_fstab(config: Config, *, resolv: bool) -> str:
    """Return what schroot mounts in a session: the system's points, and the chroot's own binds.

    *resolv*: the chroot has a resolv.conf to mount on; schroot would make a directory of it.
    """
    rows = [f"{point} {point} none rw,bind 0 0" for point in _SCHROOT_POINTS]
    if resolv:
        rows.append(f"{RESOLV_CONF} {RESOLV_CONF} none ro,bind 0 0")
    for bind in _own(config):
        words = [word for word in bind.options if word != "rw"]
        if bind.fs == "bind":
            words = ["ro" if bind.read_only else "rw", "rbind" if bind.recursive else "bind",
                     *(word for word in words if word != "ro")]  # fmt: skip
        kind = "none" if bind.fs == "bind" else bind.fs
        rows.append(
            f"{_field(bind.source)} {_field(bind.target)} {kind} {','.join(words) or 'rw'} 0 0"
        )
    return "\n".join(rows) + "\n"


def nspawn(name: str, path: str, config: Config, called: str = "") -> str:
    """Return the settings file of systemd-nspawn for a chroot: its network is the host's."""
    called = _asked(called) or _called(name)
    command = shlex.join(("systemd-nspawn", f"--machine={called}", f"--directory={_line(path)}"))
    lines = [
        # It makes a /dev of its own, and refuses one in which there is something.
        f"# For /etc/systemd/nspawn/{called}.nspawn; then, while the chroot is off:",
        f"#   {command}",
        "[Exec]",
        "Boot=no",
        *(f"Environment={_setting(f'{key}={value}')}" for key, value in config.run.env),
        "",
        "[Network]",
        "Private=no",
        "VirtualEthernet=no",
        "",
        "[Files]",
    ]
    for bind in _own(config):
        if bind.fs == "bind":
            word = "BindReadOnly" if bind.read_only else "Bind"
            optional = "-" if bind.optional else ""
            lines.append(f"{word}={optional}{_place(bind.source)}:{_place(bind.target)}")
        elif bind.fs == "tmpfs":
            options = ",".join(bind.options)
            lines.append(
                f"TemporaryFileSystem={_place(bind.target)}{f':{options}' * bool(options)}"
            )
    return "\n".join(lines) + "\n"


def ansible(name: str, path: str, host: str = "", called: str = "") -> str:
    """Return an inventory in which a chroot is a host; *host* is where it is, "" for here."""
    here = {"ansible_chroot_transport": "local"} if not host else {"ansible_host": host}
    variables = {
        "ansible_connection": "chroot_tool.chroots.chroot", "ansible_chroot_path": path,
        **here,
    }  # fmt: skip
    lines = ["# ansible -i THIS -m setup all; the connection is of the collection in ansible/.",
             "all:", "  hosts:", f"    {json.dumps(_asked(called) or _called(name))}:"]  # fmt: skip
    lines += [f"      {key}: {_untemplated(_line(value))}" for key, value in variables.items()]
    return "\n".join(lines) + "\n"


# -- words ---------------------------------------------------------------------------------------


def _own(config: Config) -> list[Bind]:
    """Return the binds that somebody has configured, which are not the system's own."""
    return [bind for bind in config.binds if bind.origin in _OWN and not bind.ignored]


def _called(name: str) -> str:
    """Return a name that every one of those tools takes: a host's (hostname(7)), not too long."""
    plain = "".join(one if one in _PLAIN else "-" for one in name)
    parts = re.sub(r"[-.]*\.[-.]*", ".", plain).strip(".-")
    return parts[:_LONGEST].rstrip(".-") or "chroot"


def _asked(called: str) -> str:
    """Return the name that somebody asks for, "" for none. Raises UsageError where it can't be."""
    if called and _called(called) != called:
        raise UsageError(
            f"{called!r} is no name that those tools take", f"try --name {_called(called)}"
        )
    return called


def _line(text: str) -> str:
    """Return *text* for a line of a file. Raises ChrootError where it is more than one."""
    if any(sign in text for sign in "\n\r\0"):
        raise ChrootError(f"{text!r} is more than a line: no file of theirs can say it")
    return text


def _field(text: str) -> str:
    """Return *text* as a field of fstab(5)."""
    for sign in "\\ \t\n":
        text = text.replace(sign, f"\\{ord(sign):03o}")
    return text


def _untemplated(text: str) -> str:
    """Return *text* for Ansible's YAML, never a template of Jinja: a path may be another's word."""
    return "!unsafe " * ("{" in text) + json.dumps(text)


def _place(path: str) -> str:
    """Return *path* for systemd.nspawn(5), where a colon ends it; a % is one, unlike in units."""
    return _line(path).replace("\\", "\\\\").replace(":", "\\:")


def _setting(text: str) -> str:
    """Return *text* as a word there: quotes can be of either kind, and a backslash is one."""
    inner = _line(text).replace('"', '"\'"\'"')
    return f'"{inner}"'
