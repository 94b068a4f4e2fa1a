"""A page for each command, and one for all of them, of what the parser says of itself."""

from __future__ import annotations

import argparse
import re
import textwrap
from collections.abc import Iterator

from chroot_tool.app.cli.arguments import verbs_of
from chroot_tool.app.cli.parser import whole
from chroot_tool.app.cli.verbs import SUMMARIES

from . import roff

PROGRAM = "chroot-tool"
_HEADS = {"examples:": "EXAMPLES", "exit codes:": "EXIT STATUS"}
"""Lines of the help that begin what is a section here."""


def pages() -> Iterator[tuple[str, list[str]]]:
    """Yield the name of each page and its body, beginning with that of the program."""
    parser = whole()
    yield PROGRAM, _program(parser)
    for verb, one in verbs_of(parser).items():
        yield f"{PROGRAM}-{verb}", _verb(verb, one)


def _program(parser: argparse.ArgumentParser) -> list[str]:
    about = parser.description or ""
    listed = [
        line
        for verb, summary in SUMMARIES.items()
        for line in roff.entry(f"{roff.bold(roff.text(f'{PROGRAM}-{verb}'))}(1)", _prose(summary))
    ]
    return [
        *roff.name(PROGRAM, f"{about[:1].lower()}{about.partition(':')[0][1:]}"),
        *roff.section("SYNOPSIS", _synopsis(parser)),
        *roff.section("DESCRIPTION", _body(about)),
        *roff.section("OPTIONS", _options(parser)),
        *roff.section("COMMANDS", listed),
        *_epilog(parser),
    ]


def _verb(verb: str, parser: argparse.ArgumentParser) -> list[str]:
    return [
        *roff.name(f"{PROGRAM}-{verb}", SUMMARIES[verb]),
        *roff.section("SYNOPSIS", _synopsis(parser)),
        *roff.section("DESCRIPTION", _body(parser.description or "")),
        *roff.section("OPTIONS", _options(parser)),
        *_epilog(parser),
    ]


def _synopsis(parser: argparse.ArgumentParser) -> list[str]:
    """Return how it is called, as the help says it: the words of the command in bold."""
    usage = " ".join(parser.format_usage().removeprefix("usage: ").split())
    return roff.lines(roff.bold(roff.text(parser.prog)) + _prose(usage.removeprefix(parser.prog)))


def _options(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:
        if action.help is argparse.SUPPRESS or isinstance(action, argparse._SubParsersAction):
            continue
        yield from roff.entry(_tag(action), _prose((action.help or "").replace("%%", "%")))


def _tag(action: argparse.Action) -> str:
    """Return the names of an option and what its value is called; of a word, what stands for it."""
    values = "|".join(map(str, action.choices or ())) or action.metavar or action.dest.upper()
    value = roff.italic(roff.text(str(values)))
    if not action.option_strings:
        return value
    names = ", ".join(roff.bold(roff.text(name)) for name in action.option_strings)
    return names if action.nargs == 0 else f"{names} {value}"


def _epilog(parser: argparse.ArgumentParser) -> list[str]:
    """Return what stands at the end of the help: sections by their heads, notes above them."""
    title, parts = "NOTES", dict[str, list[str]]()
    for line in (parser.epilog or "").splitlines():
        title = _HEADS.get(line, title)
        parts.setdefault(title, [])
        if line not in _HEADS:
            parts[title].append(line)
    return [
        line
        for name, block in parts.items()
        for line in roff.section(name, _body(textwrap.dedent("\n".join(block))))
    ]


def _body(text: str) -> list[str]:
    """Return paragraphs; calls, and what is set in, are shown as they stand."""
    found: list[str] = []
    for part in re.split(r"\n\s*\n", text.strip("\n")):
        if re.match(rf"  |{PROGRAM} ", part) or re.search(rf"(?m)[|&<(] ?{PROGRAM} ", part):
            found += roff.verbatim(part)
        elif part.strip():
            found += roff.paragraph(_prose(part))
    return found


def _prose(text: str) -> str:
    """Return a sentence of the help: names of options and what stands in ` are bold."""
    parts = re.split(r"(`[^`]+`|(?<![\w-])--?[a-zA-Z][\w-]*)", text)
    return "".join(
        roff.bold(roff.text(part.strip("`"))) if at % 2 else roff.text(part)
        for at, part in enumerate(parts)
    )
