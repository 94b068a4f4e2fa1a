"""`chroot.d/tool.conf`, the original tool's own form: reading it, and editing it without loss.

Pure: bytes in, values or bytes out. An edit splices the text of one record; every byte outside of
it stays. Paths that are not UTF-8 come through as Python's surrogate escapes, both ways.

Of several records with one target the last counts when the file is read, so the last is the one
that is replaced or ignored; `remove` takes them all, or an earlier one would come back to life.
"""

from __future__ import annotations

from ..errors import MOST_PROBLEMS, ConfigError, Problem, UsageError
from ..text import suggestion
from ..value import Value
from .bind import TOOL_CONF, checked, collect, default_options, default_source, find_entry
from .tool_conf_grammar import BLANK, Record, quote, split

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .bind import Bind

KEYS = ("src", "tgt", "fs", "opt", "ignore")


class ToolConf(Value):
    """What a tool.conf says: its binds in the order of the file, and what `pack` leaves out."""

    binds: tuple[Bind, ...] = ()
    exclude: tuple[str, ...] = ()
    path: str = ""
    """Of a file outside, by its section [path]: the chroot that it is for. "": not said."""


class _Line(Value):
    """A line that is neither empty nor a comment. `text` keeps its indentation, not its end."""

    number: int
    start: int
    text: str
    section: str
    header: bool


class _Entry(Value):
    """A bind, and where its record stands: offsets in the whole text."""

    bind: Bind
    record: Record
    line: _Line

    @property
    def start(self) -> int:
        return self.line.start + self.record.start

    @property
    def end(self) -> int:
        return self.line.start + self.record.end


def parse(data: bytes, path: str, problems: list[Problem]) -> ToolConf:
    """Read a tool.conf; each error is added to *problems* as `path:line: …`, none is raised."""
    lines = list(_lines(_decode(data)))
    entries, exclude = _read(lines, path, problems)
    paths = [line.text.strip(BLANK) for line in lines if line.section == "path" and not line.header]
    return ToolConf(
        tuple([entry.bind for entry in entries]), tuple(exclude), paths[-1] if paths else ""
    )


def add(data: bytes, bind: Bind) -> bytes:
    """Return *data* with a record for *bind* after the last one; a section is made if need be.

    Raises UsageError where the target is listed already or tool.conf has no words for the bind,
    ConfigError where *data* has errors.
    """
    bind = checked(bind)
    text, lines, entries = _opened(data)
    listed = [entry for entry in entries if entry.bind.target == bind.target]
    if listed:
        raise UsageError(
            f"{bind.target!r} is listed already, in line {listed[-1].line.number} of tool.conf",
            "edit or remove that entry",
        )
    written = write(bind)
    ours = [line for line in lines if line.section == "bind"]
    if not ours:
        newline = "\r\n" if "\r\n" in text else "\n"
        gap = "" if not text or text.endswith("\n") else newline
        return _encode(f"{text}{gap}[bind]{newline}{written}{newline}")
    at, newline = _line_end(text, ours[-1].start)
    return _encode(f"{text[:at]}{newline}{written}{text[at:]}")


def replace(data: bytes, old_target: str, bind: Bind) -> bytes:
    """Return *data* with *bind* in place of the record that has *old_target*.

    Raises UsageError where there is none or tool.conf has no words for the bind, ConfigError
    where *data* has errors.
    """
    text, _, entries = _opened(data)
    entry = _find(entries, old_target)
    return _encode(text[: entry.start] + write(bind) + text[entry.end :])


def remove(data: bytes, target: str) -> bytes:
    """Return *data* without the records that have *target*, and without a line that held no more.

    Raises UsageError where there is none, ConfigError where *data* has errors.
    """
    text, _, entries = _opened(data)
    wanted = _find(entries, target).bind.target
    for entry in reversed(entries):
        if entry.bind.target == wanted:
            start, end = _cut(text, entry)
            text = text[:start] + text[end:]
    return _encode(text)


def ignore(data: bytes, target: str, ignored: bool) -> bytes:
    """Return *data* with `ignore:yes` set on, or taken from, the record that has *target*.

    An entry that was only written to ignore a system point becomes a bind of the host's when it is
    no longer ignored: such an entry is to be removed instead. Raises UsageError where there is no
    such record, ConfigError where *data* has errors.
    """
    text, _, entries = _opened(data)
    entry = _find(entries, target)
    if entry.bind.ignored == ignored:
        return data
    kept = text[entry.start : entry.end] + " ignore:yes" if ignored else _without_ignore(entry)
    return _encode(text[: entry.start] + kept + text[entry.end :])


def write(bind: Bind) -> str:
    """Return *bind* as a record; raises UsageError where tool.conf has no words for it."""
    bind = checked(bind)
    if bind.optional:
        raise UsageError(
            f"bind {bind.target!r} is optional, tool.conf has no word for that",
            "list it in chroot.toml",
        )
    pairs = []
    if bind.fs not in ("bind", "tmpfs") or bind.source != default_source(bind.target, bind.fs):
        pairs.append(f"src:{quote(bind.source)}")
    pairs.append(f"tgt:{quote(bind.target)}")
    if bind.fs != "bind":
        pairs.append(f"fs:{bind.fs}")
    options = bind.shown_options()
    if options[-1] == "private":
        options = options[:-1]
    if options != default_options(bind.fs):
        pairs.append(f"opt:{quote(','.join(options))}")
    if bind.ignored:
        pairs.append("ignore:yes")
    return " ".join(pairs)


def from_record(record: Record, origin: str, line: int, errors: list[UsageError]) -> Bind | None:
    """Return the bind that *record* means; where it is wrong, None, and each fault in *errors*."""
    if record.error is not None:
        errors.append(record.error)
        return None
    before = len(errors)
    fields = {}
    for pair in record.pairs:
        fields[pair.key] = pair.value  # a later pair with the same key wins
        if pair.key not in KEYS:
            errors.append(UsageError(f"unknown key {pair.key!r}", suggestion(pair.key, KEYS)))
        elif pair.key == "ignore" and pair.value != "yes":
            errors.append(
                UsageError(f"ignore:{pair.value!r}, expected ignore:yes", "or leave it out")
            )
    if "tgt" not in fields and len(errors) == before:
        errors.append(UsageError("a record without tgt, expected tgt:/path", "add tgt:/path"))
    options = fields.get("opt")
    wrong: dict[str, UsageError] = {}
    bind = collect(
        wrong, fields.get("tgt"), fields.get("src"), fields.get("fs", "bind"),
        None if options is None else [word for word in options.split(",") if word],
        ignored="ignore" in fields, origin=origin, line=line,
    )  # fmt: skip
    errors += wrong.values()
    return bind if len(errors) == before else None


def _decode(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _lines(text: str) -> Iterator[_Line]:
    """Yield the lines that mean something; a header belongs to the section that it opens."""
    section = ""
    start = 0
    for number, whole in enumerate(text.split("\n"), 1):
        line = whole.rstrip(BLANK)
        trimmed = line.lstrip(BLANK)
        if trimmed and trimmed[0] != "#":
            name = trimmed[1:-1]
            header = trimmed[0] == "[" and trimmed[-1] == "]" and name.isalpha()
            section = name if header else section
            yield _Line(number, start, line, section, header)
        start += len(whole) + 1


def _read(
    lines: Iterator[_Line] | list[_Line], path: str, problems: list[Problem]
) -> tuple[list[_Entry], list[str]]:
    entries: list[_Entry] = []
    exclude: list[str] = []
    most = len(problems) + MOST_PROBLEMS
    for line in lines:
        errors: list[UsageError] = []
        if line.header:
            continue
        if line.section == "bind":
            for record in split(line.text):
                bind = from_record(record, TOOL_CONF, line.number, errors)
                if bind is not None:
                    entries.append(_Entry(bind, record, line))
                elif len(problems) + len(errors) >= most:
                    break
        elif line.section == "exclude":
            exclude.append(line.text.strip(BLANK))
        elif not line.section:
            errors.append(
                UsageError(
                    f"{line.text.strip(BLANK)!r} before any section, expected a line like [bind]",
                    "write [bind] above it",
                )
            )
        for error in errors:
            problems.append(Problem(f"{path}:{line.number}: {error.message:.400}", error.hint))
        if len(problems) >= most:
            break
    return entries, exclude


def _line_end(text: str, at: int) -> tuple[int, str]:
    """Return where the line around *at* ends, and what ends it, or would if it were not last."""
    stop = text.find("\n", at)
    if stop < 0:
        return len(text), "\r\n" if "\r\n" in text else "\n"
    return (stop - 1, "\r\n") if text[stop - 1 : stop] == "\r" else (stop, "\n")


def _opened(data: bytes) -> tuple[str, list[_Line], list[_Entry]]:
    """Return the text, its lines and entries; what has errors is not edited: ConfigError."""
    text = _decode(data)
    lines = list(_lines(text))
    problems: list[Problem] = []
    entries, _ = _read(lines, TOOL_CONF, problems)
    if problems:
        raise ConfigError(problems)
    return text, lines, entries


def _find(entries: list[_Entry], target: str) -> _Entry:
    return entries[find_entry([entry.bind for entry in entries], target, TOOL_CONF)]


def _cut(text: str, entry: _Entry) -> tuple[int, int]:
    """Return the span that goes with *entry*: its line, or the record with one of its `;`.

    What stands before the record in its line is unchanged since `entry` was read, what stands
    after it may be gone: entries are removed from the last to the first.
    """
    stop = text.find("\n", entry.end)
    stop = len(text) if stop < 0 else stop + 1
    line = text[entry.line.start : stop]
    records = list(split(line.rstrip(BLANK)))
    if len(records) == 1:
        return entry.line.start, stop
    index = [record.start for record in records].index(entry.record.start)
    if index == 0:
        return entry.start, entry.line.start + records[1].start
    return entry.line.start + records[index - 1].end, entry.end


def _without_ignore(entry: _Entry) -> str:
    """Return the record's text without its `ignore` pairs, the spacing of the others kept."""
    line, pairs = entry.line.text, entry.record.pairs
    kept = ""
    for index, pair in enumerate(pairs):
        if pair.key != "ignore":
            kept += line[pairs[index - 1].end if kept else pair.start : pair.end]
    return kept
