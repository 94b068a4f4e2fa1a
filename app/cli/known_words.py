"""Words that a report may quote, for they name nobody: all else is said to be another.

That a text looks like a word is not enough: people, hosts and projects are called by words, too.
"""

from __future__ import annotations

import re

ANOTHER = "another"
_TERMINALS = {
    "alacritty", "ansi", "cygwin", "dumb", "eterm-color", "foot", "foot-direct", "foot-extra",
    "gnome", "gnome-256color", "konsole", "konsole-256color", "kitty", "linux", "mlterm", "mosh",
    "nsterm", "putty", "putty-256color", "rio", "rxvt", "rxvt-256color", "rxvt-unicode",
    "rxvt-unicode-256color", "screen", "screen-256color", "screen-256color-bce", "screen.linux",
    "screen.xterm-256color", "st", "st-256color", "sun", "terminator", "tmux", "tmux-256color",
    "tmux-direct", "unknown", "vt100", "vt102", "vt220", "vt320", "vt420", "vte", "vte-256color",
    "wezterm", "xterm", "xterm-16color", "xterm-256color", "xterm-88color", "xterm-color",
    "xterm-direct", "xterm-ghostty", "xterm-kitty", "xterm-mono", "xterm-new", "xterm-old",
    "xterm-r6", "xterm-vt220",
}  # fmt: skip
"""What programs set TERM to, of the names that terminfo has."""
_COLOURS = ("truecolor", "24bit")
_LOCALE = re.compile(
    r"(C|POSIX|[a-z]{2}_[A-Z]{2})"
    r"(\.(?i:utf-?8|us-ascii|iso-?8859-?\d{1,2}|euc-?(jp|kr|cn|tw)|koi8-?[rut]|gbk|gb2312|gb18030"
    r"|big5|cp125\d|tis-?620))?"
    r"(@(euro|latin|cyrillic|valencia|devanagari))?"
)
"""As glibc names locales (locale(7)); languages of two letters, for three are a name already."""
_DISTRIBUTIONS = {
    "almalinux", "alpine", "amzn", "arch", "archarm", "centos", "debian", "devuan", "elementary",
    "endeavouros", "fedora", "gentoo", "kali", "linuxmint", "manjaro", "mx", "neon", "nixos",
    "nobara", "ol", "opensuse-leap", "opensuse-tumbleweed", "pardus", "parrot", "photon", "pop",
    "pureos", "raspbian", "rhel", "rocky", "sled", "sles", "slackware", "tails", "ubuntu", "void",
    "zorin",
}  # fmt: skip
"""ID of os-release(5)."""
_NUMBERS = re.compile(r"\d{1,4}(\.\d{1,4}){0,3}")
_RELEASE = re.compile(r"\d[\w.]*")


def terminal(text: str) -> str:
    """Return what TERM is."""
    return text if text in _TERMINALS or not text else ANOTHER


def colours(text: str) -> str:
    """Return what COLORTERM is."""
    return text if text in _COLOURS or not text else ANOTHER


def locale(text: str) -> str:
    """Return what LANG or LC_ALL is."""
    return text if _LOCALE.fullmatch(text) or not text else ANOTHER


def switch(text: str) -> str:
    """Tell whether a variable whose value means nothing, as NO_COLOR, is more than empty."""
    return "(set)" if text else ""


def distribution(os_release: str) -> str:
    """Return which distribution a text of os-release(5) tells of, and its number if it has one."""
    pairs = dict(line.strip().split("=", 1) for line in os_release.splitlines() if "=" in line)
    name, number = (pairs.get(key, "").strip("\"'") for key in ("ID", "VERSION_ID"))
    number = number if _NUMBERS.fullmatch(number) else ""
    return f"{name if name in _DISTRIBUTIONS else f'{ANOTHER} distribution'} {number}".strip()


def kernel(release: str) -> str:
    """Return the numbers that a kernel's release begins with: what follows is its builder's."""
    found = _NUMBERS.match(release)
    return found[0] if found else "?"


def version(text: str) -> str:
    """Return the version of a package, without the label of who built it (PEP 440, after `+`)."""
    found = _RELEASE.match(text)
    return found[0] if found else "?"
