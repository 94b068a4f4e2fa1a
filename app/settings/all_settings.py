"""What may stand in the settings file: its keys, and the words and bounds of their values."""

from __future__ import annotations

from ...core.config.toml_value_types import Key, Table
from ...core.kernel.answering import PATIENCE
from ...core.value import Value

COLUMNS = (
    "state", "name", "host", "system", "mounts", "processes", "processes-graph", "cpu", "cpu-graph",
    "memory", "memory-graph", "size", "changed",
)  # fmt: skip
"""The columns that the table of environments can have, in the order it has them by default."""


class ColumnsSetting(Value):
    """The setting of a table's columns: its key, the ids, and the one that is always shown."""

    key: str
    ids: tuple[str, ...]
    must: str


COLUMNS_OF = {
    "environments": ColumnsSetting("columns", COLUMNS, "name"),
    "mounts": ColumnsSetting(
        "mounts-columns", ("state", "target", "source", "fs", "options", "origin", "real"), "target"
    ),
    "processes": ColumnsSetting(
        "processes-columns", ("pid", "user", "cpu", "memory", "started", "command"), "pid"
    ),
}
"""Tables whose columns can be chosen; tests hold the ids against those of the widgets."""

BACKENDS = ("debootstrap", "mmdebstrap")
PRIVILEGES = ("auto", "sudo", "doas", "pkexec", "none")
"""By what root's privilege is had where it is needed; `auto` is the first that there is."""
SIGNS = ("auto", "unicode", "ascii")
"""The signs of the UI; `auto` is by the locale and the terminal."""
LINES = ("auto", "near", "far")
"""How much the line to the terminal takes; `auto` is far behind ssh."""
LEAST_DOCK, MOST_DOCK = 20, 80
MOST_PATIENCE = 3600
TRASH, MOST_TRASH = 7.0, 3650
_PLACE = "^(/|~)"
CONFIRM = Table((Key("quit", bool, "whether quitting asks while something runs", True),))
WHERE, OUTPUTS = ("host", "inside"), ("panel", "job", "toast")
ROWS = ("chroot", "mount", "process", "any")
COMMAND = Table(
    (
        Key("name", str, "what it is called; each name once"),
        Key("key", str, "a key that nothing else has; without one it is in menu and palette"),
        Key(
            "run",
            str,
            "what is run, as words or as a line that is split as a shell splits words; "
            "{path}, {name}, {pid}, {target} stand for what is under the cursor",
            also=list,
        ),
        Key("where", str, "on the host, or inside as chroot-tool run does it", "host", WHERE),
        Key("rows", str, "the kind of row that it is for; any: none", "chroot", ROWS),
        Key(
            "output",
            str,
            "a terminal of its own, a job beside the UI, or the last lines in a toast",
            "panel",
            OUTPUTS,
        ),
        Key("ask", bool, "whether the line is shown first", False),
        Key("shell", bool, "whether /bin/sh reads run; values come as variables", False),
    ),
    required=("name", "run"),
)
_COLUMN_KEYS = tuple(
    Key(one.key, list, f"the columns of the {table}, in this order, each by its name or as "
        f"name:cells; {one.must} must be among them", one.ids)
    for table, one in COLUMNS_OF.items()
)  # fmt: skip
TOP = Table(
    (
        Key("theme", str, "what the terminal UI looks like; default: what fits the terminal"),
        Key("signs", str, "the signs of the terminal UI; auto: by the locale and the terminal",
            SIGNS[0], SIGNS),
        Key("line", str, "the line to the terminal; far: a flood in a panel leaves room for keys "
            "on one of 64 kbit/s; auto: far behind ssh", LINES[0], LINES),
        Key("base", str, "where the chroots are; --base and CHROOT_TOOL_BASE come first",
            pattern=_PLACE),
        Key("hosts", list, "other machines whose chroots the UI shows, by their names for ssh", ()),
        *_COLUMN_KEYS,
        Key("dock", int, "the share of jobs and panels in the screen, in percent", 50,
            least=LEAST_DOCK, most=MOST_DOCK),
        Key("backend", str, "what makes a chroot", BACKENDS[0], BACKENDS),
        Key("cache", str, "where bases are kept; CHROOT_TOOL_CACHE comes first", pattern=_PLACE),
        Key("cache-size", str, "what all bases together may take: 4G, 500M, a number of bytes; "
            "0: none are kept", "4G", also=int, least=0),
        Key("patience", float, "seconds that a file system that does not answer is waited for",
            PATIENCE, least=0, most=MOST_PATIENCE),
        Key("trash", float, "days that what the UI deletes is kept in the trash, where that is "
            "chosen; 0: it is not offered", TRASH, least=0, most=MOST_TRASH),
        Key("privilege", str, "by what root's privilege is had; auto: the first that there is; "
            "CHROOT_TOOL_PRIVILEGE comes first", PRIVILEGES[0], PRIVILEGES),
        Key("confirm", dict, "what is asked before", table=CONFIRM),
        Key("keys", dict, "keys of one's own, by the ids of bindings (docs/keys.md)"),
        Key("command", list, "commands of one's own, for the UI (docs/settings.md)",
            table=COMMAND),
    )
)  # fmt: skip
"""What may stand in the file: what it is read by, and its JSON Schema is made of (`schema`)."""
