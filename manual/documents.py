"""Pages on files and keys, of the documents in docs/: Markdown read by markdown-it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from . import roff

DOCS = Path(__file__).absolute().parent.parent / "docs"


class Page(NamedTuple):
    """A page, and what of a document it is made of."""

    name: str
    number: int
    summary: str
    document: str
    without: tuple[str, ...] = ()
    """Titles of second order whose parts another page has."""


PAGES = (
    Page("chroot.toml", 5, "what a chroot is to look like", "configuration", ("tool.conf",)),
    Page(
        "tool.conf", 5, "what a chroot is to look like, in the form of the original tool",
        "configuration", ("chroot.toml", "System points", "Binds on the command line"),
    ),
    Page("chroot-tool-settings", 5, "what a user of chroot-tool has chosen", "settings"),
    Page("chroot-tool-policy", 5, "what an administrator says of chroots", "policy"),
    Page("chroot-tool-json", 5, "the JSON that chroot-tool prints", "json"),
    Page("chroot-tool-privilege", 7, "chroot-tool for who is not root", "privilege"),
    Page("chroot-tool-keys", 7, "the keys of chroot-tool's terminal UI", "keys"),
)  # fmt: skip


def body(page: Page) -> list[str]:
    """Return the body of *page*."""
    tree = SyntaxTreeNode(
        MarkdownIt("commonmark").enable("table").parse((DOCS / f"{page.document}.md").read_text())
    )
    parts: list[tuple[str, list[str]]] = [("DESCRIPTION", [])]
    for node in tree.children:
        if node.type == "heading" and node.tag == "h2":
            parts.append((_plain(node), []))
        elif node.tag != "h1":
            parts[-1][1].extend(_block(node))
    kept = [(title, part) for title, part in parts if title not in page.without]
    sections = (line for title, part in kept for line in roff.section(title, part))
    return [*roff.name(page.name, page.summary), *sections]


def _block(node: SyntaxTreeNode) -> list[str]:
    """Return a block of a document."""
    match node.type:
        case "heading":
            return roff.subsection(_plain(node))
        case "paragraph":
            return roff.paragraph(_inline(node))
        case "fence" | "code_block":
            return roff.verbatim(node.content)
        case "table":
            return list(_table(node))
        case "bullet_list" | "ordered_list":
            return list(_list(node))
        case "html_block" | "hr":
            return []
    raise ValueError(f"{node.type} has no place in a page")


def _list(node: SyntaxTreeNode) -> Iterator[str]:
    for number, item in enumerate(node.children, 1):
        yield ".IP \\(bu 3" if node.type == "bullet_list" else f".IP {number}. 4"
        for child in item.children:
            yield from _inside(_block(child))


def _inside(lines: list[str]) -> list[str]:
    """Return a block as a part of an entry, which begins by itself."""
    return lines[1:] if lines[0] == ".PP" else lines


def _table(node: SyntaxTreeNode) -> Iterator[str]:
    """Return a table as a list: lines of a terminal have no room for columns of sentences.

    The first cell is the tag, the second what is told of it, a further one named by its head.
    """
    head, *rest = node.children
    titles = [_inline(cell) for cell in head.children[0].children]
    before = "\\&"
    for row in (row for part in rest for row in part.children):
        tag, *cells = [_inline(cell) for cell in row.children]
        before = tag = tag or before  # an empty one is meant to be the one above it
        told = [cell for cell in cells[:1] if cell]
        told += [
            f"{title[:1].upper()}{title[1:]}: {cell}."
            for title, cell in zip(titles[2:], cells[1:], strict=True)
            if cell
        ]
        yield from roff.entry(tag, " ".join(_ended(part) for part in told))


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", ":", "?")) else f"{sentence}."


def _inline(node: SyntaxTreeNode) -> str:
    """Return what stands in a block, escaped."""
    match node.type:
        case "text":
            return roff.text(node.content)
        case "code_inline":
            return roff.bold(roff.text(node.content))
        case "softbreak" | "hardbreak":
            return " "
    words = "".join(_inline(child) for child in node.children)
    if node.type == "link" and (page := _of(str(node.attrs["href"]))):
        other = f"{roff.bold(roff.text(page.name))}({page.number})"
        return other if words.endswith(".md") else f"{words} (see {other})"
    if node.type in ("strong", "em") and "\\f" not in words:
        return roff.italic(words)
    return words


def _of(address: str) -> Page | None:
    """Return the page that is made of the document that is pointed at, if there is one."""
    document = address.partition("#")[0].removesuffix(".md")
    return next((page for page in PAGES if page.document == document), None)


def _plain(node: SyntaxTreeNode) -> str:
    """Return the words of a heading."""
    return node.content or "".join(_plain(child) for child in node.children)
