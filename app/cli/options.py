"""The options of every command, said once: help, the parser and `run`'s own reader use these.

`run` reads its words itself. Its grammar is not argparse's (options on both sides of a command
whose own options are none of ours), and argparse would take 7 ms of the 25 that `run` has.
"""

from __future__ import annotations

from ...core.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

CHROOT_WORDS = ("start", "stop", "restart", "update")
"""What a chroot does by its own chroot-cmd, as it was set up to: `run` with that word."""
RUN_WORDS = ("run", *CHROOT_WORDS, "shell")
"""Commands that put the caller into the chroot."""
COMPLETE = "__complete"
"""In the place of a verb, from a completion script: asks for names. In no help."""


class Option(Value):
    """One option. `names` begin with the one that is documented."""

    names: tuple[str, ...]
    key: str
    metavar: str
    help: str
    many: bool = False
    default: str = ""
    flag: bool = False
    """Whether it takes no value."""


DIR = Option(
    ("-d", "--dir"), "dir", "DIR",
    "the chroot: a directory, or a name under the base (default: the current directory)",
    default=".",  # given as "" it is a mistake: an unset variable in a script
)  # fmt: skip
BASE = Option(
    ("--base",), "base", "DIR",
    "where the chroots are (default: $CHROOT_TOOL_BASE, the settings file, /srv/chroot)",
)  # fmt: skip
HOST = Option(
    ("-H", "--host"), "host", "HOST",
    "on another machine, by ssh: a name of ssh_config, or USER@HOST; HOST:DIR is DIR there",
)  # fmt: skip
HOSTS = Option(
    ("--hosts",), "hosts", "GROUP",
    "on every host of a group of the Ansible inventory, at once: docs/fleet.md",
)  # fmt: skip
INVENTORY = Option(
    ("--inventory",), "inventory", "FILE",
    "the inventory of --hosts, as ansible -i takes it (default: that of Ansible's configuration)",
)  # fmt: skip
FORKS = Option(
    ("--forks",), "forks", "N", "how many hosts of --hosts at a time (default: 100)"
)  # fmt: skip
FLEET = (HOSTS, INVENTORY, FORKS)
EVERYWHERE = (BASE, HOST, *FLEET)
"""Options that every command has, before it or behind it."""
CONFIG = Option(
    ("-c", "--config"), "config", "CFGDIR",
    "read tool.conf and chroot.toml from here, not from DIR/chroot.d",
)  # fmt: skip
USER = Option(("-u", "--user"), "user", "USER", "as this user of the chroot, by name or id")
CWD = Option(("-w", "--workdir"), "cwd", "DIR", "start in this directory of the chroot")
ENV = Option(
    ("-e", "--env"), "env", "K=V",
    "set a variable (may be given often); K alone: as it is out here, not at all where it is unset",
    many=True,
)  # fmt: skip
EPHEMERAL = Option(
    ("-x", "--ephemeral"), "ephemeral", "",
    "in a throw-away session: what changes is gone at the end, the chroot stays as it is",
    flag=True,
)  # fmt: skip
KEEP = Option(
    ("--keep",), "keep", "NAME",
    "make a chroot of that name of the session when the command has ended (implies -x)",
)  # fmt: skip
SIZE = Option(
    ("--size",), "size", "SIZE",
    "how much a session may write, to memory: 512M, 4G, 25%% … (implies -x; default: half of the "
    "memory that is free)",
)  # fmt: skip
JSON = Option(
    ("--json",), "json", "",
    "with --hosts: a JSON object a line for all that happens", flag=True,
)  # fmt: skip
PLAIN = Option(
    ("--plain",), "plain", "",
    "in words, a line for each fact: for screen readers; chroot-tool --plain is watch --plain",
    flag=True,
)  # fmt: skip
SESSION_OPTIONS = (EPHEMERAL, KEEP, SIZE)
SESSION_WORDS = ("run", "shell", "update")
"""What start, stop and restart have started or stopped would end with the session."""

RUN_OPTIONS = (DIR, USER, CWD, ENV, CONFIG, *SESSION_OPTIONS, JSON, *EVERYWHERE)


def found(argument: str, options: tuple[Option, ...]) -> tuple[Option, str | None] | None:
    """Return which of *options* an argument is, and the value that is stuck to it, None for none.

    None where it is none of them.
    """
    name, equals, value = argument.partition("=")
    for option in options:
        if argument in option.names:
            return option, None
        if equals and name in option.names and not option.flag:
            return option, value
        if argument[:2] in option.names:
            return option, argument[2:]
    return None


def refuse_without_hosts(given: Mapping[str, object]) -> None:
    """Raise UsageError where *given*, values by key, say more of --hosts, which is not there."""
    more = next((option for option in (INVENTORY, FORKS) if given.get(option.key)), None)
    if more and not given.get(HOSTS.key):
        from ...core.errors import UsageError

        raise UsageError(f"{more.names[0]} is nothing without --hosts", "--hosts GROUP says which")
